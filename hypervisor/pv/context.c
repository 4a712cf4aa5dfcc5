/* SPDX-License-Identifier: MIT */
/*
 * The whole context of a vCPU, as setvcpucontext and VCPUOP_initialise give it and getvcpucontext
 * takes it.
 *
 * Everything is checked before anything changes; what takes references (GDT, page tables) comes
 * last and is undone on failure. Taking an unpinned page table may be pre-empted: nothing was taken
 * then, and the frame remembers how far its check came. The GDT is taken before the tables, for it
 * gives way too and is little to take again: what undid the tables would be a long way to go.
 */
#include <core/base/log.h>
#include <hv/fpu_area.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/guest_access.h>
#include <pv/cpu.h>
#include <pv/mm.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>
#include <xen/callback.h>
#include <xen/errno.h>

static int check_context(const struct vcpu *v, const struct vcpu_guest_context *c)
{
    if (!is_canonical(c->user_regs.rip) || !is_canonical(c->event_callback_eip) ||
        !is_canonical(c->failsafe_callback_eip) || !is_canonical(c->syscall_callback_eip) ||
        !is_canonical(c->fs_base) || !is_canonical(c->gs_base_kernel) ||
        !is_canonical(c->gs_base_user))
        return refused(-XEN_EINVAL, "context of d%uv%u: an address is not canonical",
                       v->domain->domain_id, v->vcpu_id);
    for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
        if (!is_canonical(c->trap_ctxt[i].address))
            return refused(-XEN_EINVAL, "context of d%uv%u: handler of vector %u is not canonical",
                           v->domain->domain_id, v->vcpu_id, i);
    if (c->ldt_ents > 8192 || (c->ldt_ents && (c->ldt_base & ~PAGE_MASK)) ||
        (c->ldt_ents && !guest_range_ok(c->ldt_base, c->ldt_ents * 8)))
        return refused(-XEN_EINVAL, "context of d%uv%u: LDT of %lu entries at %#lx",
                       v->domain->domain_id, v->vcpu_id, c->ldt_ents, c->ldt_base);
    if (c->gdt_ents > FIRST_RESERVED_GDT_BYTE / 8)
        return refused(-XEN_EINVAL, "context of d%uv%u: GDT of %lu entries", v->domain->domain_id,
                       v->vcpu_id, c->gdt_ents);
    return 0;
}

static void set_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
    v->regs = c->user_regs;
    v->regs.entry_vector = 0;
    v->regs.cs |= 3;
    v->regs.ss |= 3;
    v->regs.rflags =
        (c->user_regs.rflags & ~(uint64_t)(X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_VM)) |
        X86_EFLAGS_IF | X86_EFLAGS_ALWAYS;
    v->arch.pv.iopl = c->user_regs.rflags >> 12 & 3;
    v->arch.pv.ds = c->user_regs.ds;
    v->arch.pv.es = c->user_regs.es;
    v->arch.pv.fs = c->user_regs.fs;
    v->arch.pv.gs = c->user_regs.gs;
    v->arch.pv.fs_base = c->fs_base;
    v->arch.pv.gs_base_kernel = c->gs_base_kernel;
    v->arch.pv.gs_base_user = c->gs_base_user;
    v->arch.pv.kernel_mode = c->flags & VGCF_in_kernel;
}

/* XSA-53: reserved bits of MXCSR would make the restore fault; the XSAVE header stays ours. */
static void set_fpu(uint8_t *fpu, const void *legacy)
{
    uint32_t mxcsr;

    memcpy(fpu, legacy, FPU_LEGACY_BYTES);
    memcpy(&mxcsr, fpu + FPU_MXCSR, sizeof(mxcsr));
    mxcsr &= MXCSR_VALID;
    memcpy(fpu + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
}

static void set_virtual_cpu(struct vcpu *v, const struct vcpu_guest_context *c)
{
    struct pv_vcpu *a = &v->arch.pv;

    memcpy(a->traps, c->trap_ctxt, sizeof(c->trap_ctxt));
    a->kernel_ss = c->kernel_ss | 3;
    a->kernel_sp = c->kernel_sp;
    a->callback[CALLBACKTYPE_event].address = c->event_callback_eip;
    a->callback[CALLBACKTYPE_failsafe] =
        (struct pv_callback){c->failsafe_callback_eip, c->flags & VGCF_failsafe_disables_events};
    a->callback[CALLBACKTYPE_syscall] =
        (struct pv_callback){c->syscall_callback_eip, c->flags & VGCF_syscall_disables_events};
    a->ctrlreg[0] = c->ctrlreg[0] & X86_CR0_TS;
    a->ctrlreg[4] = c->ctrlreg[4] & CR4_GUEST_CHOOSES;
    for (unsigned int i = 0; i < 8; i++)
        a->debugreg[i] = i == 6 ? X86_DR6_DEFAULT : i == 7 ? X86_DR7_DEFAULT : 0;
    for (unsigned int i = 0; i < 8; i++)
        if (i != 4 && i != 5 && c->debugreg[i] && pv_set_debugreg(v, i, c->debugreg[i]))
            continue; /* ABI: a breakpoint that may not be is dropped */
    if (c->flags & VGCF_i387_valid) {
        set_fpu(v->arch.fpu, &c->fpu_ctxt);
        v->arch.fpu_cpu = NULL; /* what a CPU may still hold is old */
    }
}

/* ctrlreg[3] is the kernel's table, ctrlreg[1] the user's (0: none). */
static int set_base_tables(struct vcpu *v, const struct vcpu_guest_context *c)
{
    mfn_t kernel = MFN(c->ctrlreg[3] >> PAGE_SHIFT), user = MFN(c->ctrlreg[1] >> PAGE_SHIFT);
    int rc = pv_get_base_table(v->domain, kernel);

    if (rc)
        return rc;
    if (user.n && (rc = pv_get_base_table(v->domain, user))) {
        put_table(v->domain, kernel);
        return rc;
    }
    if (user.n)
        pv_show_m2p(v->domain, user, false);
    pv_show_m2p(v->domain, kernel, true);
    v->arch.pv.guest_table = kernel;
    v->arch.pv.guest_table_user = user;
    return 0;
}

int pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    bool fresh = !v->initialised;
    int rc = check_context(v, c);

    if (rc)
        return rc;
    if (!(c->flags & VGCF_in_kernel) &&
        !(fresh ? c->ctrlreg[1] >> PAGE_SHIFT : v->arch.pv.guest_table_user.n))
        return refused(-XEN_EINVAL, "context of d%uv%u: user mode without a user page table",
                       v->domain->domain_id, v->vcpu_id);
    if (fresh) {
        rc = pv_finish_old_table(current);
        if (!rc)
            rc = pv_set_gdt(v, c->gdt_frames, (unsigned int)c->gdt_ents);
        if (rc)
            return rc;
        rc = set_base_tables(v, c); /* model: pv_set_context.reference */
        if (rc) {
            pv_destroy_gdt(v);
            return rc;
        }
    }
    set_registers(v, c); /* model: pv_set_context.registers */
    set_virtual_cpu(v, c);
    if (fresh) {
        pv_set_ldt(v, c->ldt_base, (unsigned int)c->ldt_ents);
        if (!v->vcpu_id)
            WRITE_ONCE(v->domain->vm_assist, (uint32_t)c->vm_assist);
    }
    pv_update_cr3(v);
    __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE); /* model: pv_set_context.said */
    if (c->flags & VGCF_online)
        atomic_and(&v->pause_flags, ~VPF_down);
    return 0;
}

void pv_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
    const struct pv_vcpu *a = &v->arch.pv;

    memset(c, 0, sizeof(*c));
    pv_cpu_sync(v);
    memcpy(&c->fpu_ctxt, v->arch.fpu, sizeof(c->fpu_ctxt));
    c->flags =
        VGCF_i387_valid | (guest_kernel_mode(v) ? VGCF_in_kernel : 0) |
        (a->callback[CALLBACKTYPE_failsafe].disables_events ? VGCF_failsafe_disables_events : 0) |
        (a->callback[CALLBACKTYPE_syscall].disables_events ? VGCF_syscall_disables_events : 0) |
        (READ_ONCE(v->pause_flags) & VPF_down ? 0 : VGCF_online);
    c->user_regs = v->regs;
    c->user_regs.error_code = c->user_regs.entry_vector = 0;
    c->user_regs.rflags |= a->iopl << 12;
    c->user_regs.ds = a->ds;
    c->user_regs.es = a->es;
    c->user_regs.fs = a->fs;
    c->user_regs.gs = a->gs;
    memcpy(c->trap_ctxt, a->traps, sizeof(c->trap_ctxt));
    c->ldt_base = a->ldt_base;
    c->ldt_ents = a->ldt_ents;
    for (unsigned int i = 0; i < FIRST_RESERVED_GDT_PAGE; i++)
        c->gdt_frames[i] = a->gdt_frames[i].n;
    c->gdt_ents = a->gdt_ents;
    c->kernel_ss = a->kernel_ss;
    c->kernel_sp = a->kernel_sp;
    for (unsigned int i = 0; i < 8; i++) {
        c->ctrlreg[i] = a->ctrlreg[i];
        c->debugreg[i] = a->debugreg[i];
    }
    c->ctrlreg[1] = a->guest_table_user.n << PAGE_SHIFT;
    c->ctrlreg[3] = a->guest_table.n << PAGE_SHIFT;
    c->event_callback_eip = a->callback[CALLBACKTYPE_event].address;
    c->failsafe_callback_eip = a->callback[CALLBACKTYPE_failsafe].address;
    c->syscall_callback_eip = a->callback[CALLBACKTYPE_syscall].address;
    c->vm_assist = v->domain->vm_assist;
    c->fs_base = a->fs_base;
    c->gs_base_kernel = a->gs_base_kernel;
    c->gs_base_user = a->gs_base_user;
}
