/* SPDX-License-Identifier: MIT */
/*
 * A paravirtual domain's and vCPU's own parts, made and unmade; and the table through which core
 * asks for everything paravirtual.
 *
 * The per-domain area (slot 260 of each of its page tables) is one L3 and one L2 table for the
 * domain and an L1 table for each 16 vCPUs.
 */
#include <core/life/life.h>
#include <core/state/guest_ops.h>
#include <hv/fpu_area.h>
#include <port/machine.h>
#include <pv/cpu.h>
#include <pv/hypercall.h>
#include <pv/mm.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>
#include <pv/pv_ops.h>
#include <xen/domctl.h>
#include <xen/errno.h>
#include <xen/features.h>

#define VCPUS_PER_L1   16
#define SLOTS_PER_VCPU 32
#define TABLE_FLAGS    (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY)

mfn_t pv_zero_page; /* set once, when the first domain is made */

static int pv_domain_init(struct domain *d)
{
    uint64_t *l2;

    if (!pv_zero_page.n) {
        void *zero = alloc_hv_pages(0);

        if (!zero)
            return -XEN_ENOMEM;
        pv_zero_page = frame_of(zero);
    }
    d->arch.pv.perdomain_l3 = alloc_hv_pages(0);
    l2 = alloc_hv_pages(0);
    if (!d->arch.pv.perdomain_l3 || !l2) {
        free_hv_pages(l2, 0);
        free_hv_pages(d->arch.pv.perdomain_l3, 0);
        d->arch.pv.perdomain_l3 = NULL;
        return -XEN_ENOMEM;
    }
    d->arch.pv.perdomain_l3_mfn = frame_of(d->arch.pv.perdomain_l3);
    d->arch.pv.perdomain_l3[0] = frame_of(l2).n << PAGE_SHIFT | TABLE_FLAGS;
    return 0;
}

static uint64_t *perdomain_l2(const struct domain *d)
{
    return map_frame(pte_mfn(d->arch.pv.perdomain_l3[0]));
}

static void pv_domain_free(struct domain *d)
{
    uint64_t *l2;

    if (!d->arch.pv.perdomain_l3)
        return;
    l2 = perdomain_l2(d);
    for (unsigned int i = 0; i < MAX_VCPUS / VCPUS_PER_L1; i++)
        if (l2[i])
            free_hv_pages(map_frame(pte_mfn(l2[i])), 0);
    free_hv_pages(l2, 0);
    free_hv_pages(d->arch.pv.perdomain_l3, 0);
    d->arch.pv.perdomain_l3 = NULL;
}

static int map_vcpu_area(struct vcpu *v)
{
    uint64_t *l2 = perdomain_l2(v->domain);
    unsigned int i = v->vcpu_id / VCPUS_PER_L1;
    uint64_t *l1;

    if (!l2[i]) {
        l1 = alloc_hv_pages(0);
        if (!l1)
            return -XEN_ENOMEM;
        l2[i] = frame_of(l1).n << PAGE_SHIFT | TABLE_FLAGS;
    }
    l1 = map_frame(pte_mfn(l2[i]));
    v->arch.pv.perdomain_l1 = l1 + v->vcpu_id % VCPUS_PER_L1 * SLOTS_PER_VCPU;
    pv_init_gdt(v);
    return 0;
}

static void pv_vcpu_free(struct vcpu *v)
{
    free_hv_pages(v->arch.pv.traps, 0);
    free_hv_pages(v->arch.fpu, 0);
    v->arch.pv.traps = NULL;
    v->arch.fpu = NULL;
}

static int pv_vcpu_init(struct vcpu *v)
{
    int rc;

    _Static_assert(256 * sizeof(struct trap_info) == PAGE_SIZE, "the trap table is a page");
    v->arch.pv.traps = alloc_hv_pages(0);
    v->arch.fpu = alloc_hv_pages(0);
    rc = v->arch.pv.traps && v->arch.fpu ? map_vcpu_area(v) : -XEN_ENOMEM;
    if (rc) {
        pv_vcpu_free(v);
        return rc;
    }
    fpu_area_reset(v->arch.fpu);
    v->arch.xcr0 = XCR0_X87;
    v->arch.pv.debugreg[6] = X86_DR6_DEFAULT;
    v->arch.pv.debugreg[7] = X86_DR7_DEFAULT;
    v->arch.pv.kernel_mode = true;
    return 0;
}

/* A paravirtual guest names frames by their machine numbers. */
static mfn_t pv_gfn_to_mfn(const struct domain *d __unused, gfn_t gfn)
{
    return MFN(gfn.n);
}

static uint64_t pv_frame_info(const struct page_info *pg)
{
    uint64_t type = READ_ONCE(pg->type_info);
    unsigned int level = table_level(type);

    if (!is_table_type(type))
        return XEN_DOMCTL_PFINFO_NOTAB;
    return (level == 1   ? XEN_DOMCTL_PFINFO_L1TAB
            : level == 2 ? XEN_DOMCTL_PFINFO_L2TAB
            : level == 3 ? XEN_DOMCTL_PFINFO_L3TAB
                         : XEN_DOMCTL_PFINFO_L4TAB) |
           (type & PGT_pinned ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
}

static uint32_t pv_features(const struct domain *d)
{
    bool high = READ_ONCE(d->vm_assist) & (1u << VMASST_TYPE_pae_extended_cr3);

    return 1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |
           1u << XENFEAT_gnttab_map_avail_bits | (uint32_t)high << XENFEAT_pae_pgdir_above_4gb;
}

static bool pv_event_pending(const struct vcpu *v)
{
    const struct vcpu_info *info = READ_ONCE(v->vcpu_info);

    return (READ_ONCE(info->evtchn_upcall_pending) && !READ_ONCE(info->evtchn_upcall_mask)) ||
           (READ_ONCE(v->nmi_pending) && !v->nmi_masked);
}

static void pv_set_iopl(struct vcpu *v, unsigned int level)
{
    v->arch.pv.iopl = level;
}

static void pv_set_iobitmap(struct vcpu *v, gva_t bitmap, unsigned int nr_ports)
{
    v->arch.pv.iobmp = bitmap;
    v->arch.pv.iobmp_limit = nr_ports;
}

const struct guest_ops pv_guest_ops = {
    .hypercalls = &pv_hypercalls,
    .domain_init = pv_domain_init,
    .domain_free = pv_domain_free,
    .vcpu_init = pv_vcpu_init,
    .vcpu_free = pv_vcpu_free,
    .set_context = pv_set_context,
    .get_context = pv_get_context,
    .build = pv_build,
    .gfn_to_mfn = pv_gfn_to_mfn,
    .cpuid = pv_cpuid_of_kind,
    .frame_info = pv_frame_info,
    .get_writable = get_page_and_writable,
    .put_writable = put_page_and_type,
    .relinquish_vcpus = pv_relinquish_vcpus,
    .undo_frame = pv_undo_frame,
    .grant_map = pv_grant_map,
    .grant_unmap = pv_grant_unmap,
    .set_iopl = pv_set_iopl,
    .set_iobitmap = pv_set_iobitmap,
    .fill_hypercall_page = pv_fill_hypercall_page,
    .features = pv_features,
    .event_pending = pv_event_pending,
    .show_vcpu = pv_show_vcpu,
    .load = pv_cpu_load,
    .save = pv_cpu_save,
    .page_fault = pv_page_fault,
    .exception = pv_exception,
    .bring_in = pv_bring_in,
    .enter = pv_enter,
};
