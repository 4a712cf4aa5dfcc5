/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized domain's and vCPU's own parts, made and unmade; and the table through which
 * core asks for all that is of this kind.
 *
 * Its frames have no page types: each is the guest's to write, or nobody's. So a writable reference
 * is a general one.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/state/guest_ops.h>
#include <hv/fpu_area.h>
#include <hvm/cpu.h>
#include <hvm/devices.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <hvm/lapic.h>
#include <hvm/npt.h>
#include <port/machine.h>
#include <xen/domctl.h>
#include <xen/errno.h>
#include <xen/features.h>

static int hvm_domain_init(struct domain *d)
{
    int rc;

    if (hvm_cpu_lacks()) { /* whoever wrote parvis.cfg reads it at any loglevel */
        log_error("no full virtualization on this machine: %s", hvm_cpu_lacks());
        return -XEN_EOPNOTSUPP;
    }
    rc = npt_init(d);
    if (!rc)
        hvm_devices_init(d);
    return rc;
}

static int pvh_domain_init(struct domain *d)
{
    d->arch.hvm.xen = true;
    return hvm_domain_init(d);
}

static void hvm_vcpu_free(struct vcpu *v)
{
    lapic_kill(v);
    free_hv_pages(v->arch.hvm.vmcb, 0);
    free_hv_pages(v->arch.fpu, 0);
    v->arch.hvm.vmcb = NULL;
    v->arch.fpu = NULL;
}

static int hvm_vcpu_init(struct vcpu *v)
{
    _Static_assert(sizeof(struct vmcb) <= PAGE_SIZE, "a VMCB is a page");
    v->affinity = hvm_cpu_affinity();
    lapic_init(v);
    v->arch.hvm.vmcb = alloc_hv_pages(0);
    v->arch.fpu = alloc_hv_pages(0);
    if (!v->arch.hvm.vmcb || !v->arch.fpu) {
        hvm_vcpu_free(v);
        return -XEN_ENOMEM;
    }
    v->arch.hvm.vmcb_address = frame_of(v->arch.hvm.vmcb).n << PAGE_SHIFT;
    fpu_area_reset(v->arch.fpu);
    v->arch.xcr0 = XCR0_X87;
    hvm_reset_vcpu(v);
    return 0;
}

static void hvm_get_context(struct vcpu *v, struct vcpu_guest_context *ctxt)
{
    const struct vmcb *b = vmcb_of(v);

    memset(ctxt, 0, sizeof(*ctxt));
    ctxt->user_regs = v->regs;
    ctxt->ctrlreg[0] = b->save.cr0;
    ctxt->ctrlreg[2] = b->save.cr2;
    ctxt->ctrlreg[3] = b->save.cr3;
    ctxt->ctrlreg[4] = hvm_cr4(v);
    memcpy(ctxt->debugreg, v->arch.hvm.debugreg, sizeof(v->arch.hvm.debugreg));
    ctxt->debugreg[6] = b->save.dr6;
    ctxt->debugreg[7] = b->save.dr7;
    ctxt->fs_base = b->save.fs.base;
    ctxt->gs_base_kernel = b->save.cpl ? b->save.kernel_gs_base : b->save.gs.base;
    ctxt->gs_base_user = b->save.cpl ? b->save.gs.base : b->save.kernel_gs_base;
}

static int hvm_relinquish_vcpus(struct domain *d)
{
    hvm_devices_kill(d);
    hvm_console_detach(d);
    return npt_relinquish(d);
}

/* The guest did nothing with it that is not undone with the nested tables. */
static int hvm_undo_frame(struct page_info *pg __unused, struct domain *d __unused)
{
    return 0;
}

static uint64_t hvm_frame_info(const struct page_info *pg __unused)
{
    return XEN_DOMCTL_PFINFO_NOTAB;
}

static bool hvm_get_writable(struct page_info *pg, struct domain *d)
{
    return get_page(pg, d);
}

static uint32_t hvm_features(const struct domain *d __unused)
{
    return 1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
           1u << XENFEAT_auto_translated_physmap | 1u << XENFEAT_supervisor_mode_kernel;
}

static void hvm_show_vcpu(const struct vcpu *v)
{
    const struct vmcb *b = vmcb_of(v);
    const struct cpu_user_regs *r = &v->regs;

    log_end(v->domain, LOG_ERROR, "vcpu %u: cs:rip %#x:%#lx ss:rsp %#x:%#lx flags %#lx cpl %u",
            v->vcpu_id, r->cs, r->rip, r->ss, r->rsp, r->rflags, b->save.cpl);
    log_end(v->domain, LOG_ERROR, "cr0 %#lx cr2 %#lx cr3 %#lx cr4 %#lx efer %#lx exit %#lx",
            b->save.cr0, b->save.cr2, b->save.cr3, hvm_cr4(v), b->save.efer, b->control.exit_code);
    log_end(v->domain, LOG_ERROR, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx,
            r->rcx, r->rdx);
    log_end(v->domain, LOG_ERROR, "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi,
            r->rbp, r->r8);
}

/* Its exceptions are its own: it is never in the machine's ring 3. */
static void no_page_fault(struct vcpu *v __unused, uint64_t cr2)
{
    panic("a page fault of a fully virtualized guest at %#lx", cr2);
}

static void no_exception(struct vcpu *v, uint64_t dr6 __unused)
{
    panic("exception %u of a fully virtualized guest", v->regs.entry_vector);
}

static bool nothing_to_bring_in(struct vcpu *v __unused, uint64_t at __unused)
{
    return false;
}

/* clang-format off */
#define OPS(devices, init)                                                                             \
    {                                                                                              \
        .hypercalls = &hvm_hypercalls,                                                             \
        .create_flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,                                   \
        .emulation = devices,                                                                      \
        .capabilities = hvm_cpu_capabilities,                                                      \
        .domain_init = init,                                                                       \
        .domain_free = npt_free,                                                                   \
        .vcpu_init = hvm_vcpu_init,                                                                \
        .vcpu_free = hvm_vcpu_free,                                                                \
        .set_context = hvm_set_context,                                                            \
        .get_context = hvm_get_context,                                                            \
        .build = hvm_build,                                                                        \
        .gfn_to_mfn = npt_lookup,                                                                  \
        .take_out = npt_unmap,                                                                     \
        .put_in = npt_map,                                                                         \
        .press_power_button = hvm_press_power_button,                                              \
        .add_to_physmap = hvm_add_to_physmap,                                                      \
        .copy = hvm_copy,                                                                          \
        .param = hvm_param,                                                                        \
        .set_upcall_vector = hvm_set_upcall_vector,                                                \
        .frame_info = hvm_frame_info,                                                              \
        .get_writable = hvm_get_writable,                                                          \
        .put_writable = put_page,                                                                  \
        .relinquish_vcpus = hvm_relinquish_vcpus,                                                  \
        .undo_frame = hvm_undo_frame,                                                              \
        .features = hvm_features,                                                                  \
        .event_pending = hvm_event_pending,                                                        \
        .upcall = hvm_upcall,                                                                      \
        .show_vcpu = hvm_show_vcpu,                                                                \
        .load = hvm_cpu_load,                                                                      \
        .save = hvm_cpu_save,                                                                      \
        .page_fault = no_page_fault,                                                               \
        .exception = no_exception,                                                                 \
        .bring_in = nothing_to_bring_in,                                                           \
        .enter = hvm_enter,                                                                        \
    }
/* clang-format on */

/* The two profiles. */
const struct guest_ops hvm_guest_ops =
    OPS(XEN_X86_EMU_LAPIC | XEN_X86_EMU_PM | XEN_X86_EMU_RTC | XEN_X86_EMU_PIC | XEN_X86_EMU_PIT,
        hvm_domain_init);
const struct guest_ops pvh_guest_ops = OPS(XEN_X86_EMU_LAPIC, pvh_domain_init);
