/* SPDX-License-Identifier: MIT */
/*
 * Bounce: how an exception, a system call or an event gets into a guest.
 *
 * Hardware delivers everything to the hypervisor. What belongs to the guest's kernel is passed on
 * by making, on the guest kernel's stack, the frame that hardware would have made, and by pointing
 * the guest's registers at its handler:
 *
 *     rsp -> rcx, r11, [ds, es, fs, gs: failsafe only], [error code],
 *            rip, cs | saved mask << 32, rflags, rsp, ss
 *
 * RCX and R11 are there because the return to the handler may use SYSRET, which clobbers them. The
 * saved CS has RPL 0 when guest kernel was interrupted, 3 when guest user mode was: both really run
 * in ring 3. Events that are masked while the handler runs are the virtual interrupt flag: it goes
 * to the frame as RFLAGS.IF.
 *
 * The stack belongs to the guest, and so do its faults: a frame that cannot be written ends the
 * domain, with a sentence.
 */
#include <core/base/count.h>
#include <core/base/hypercall.h>
#include <core/base/registers.h>
#include <core/domain/guest_memory.h>
#include <core/life/life.h>
#include <parvis/string.h>
#include <pv/cpu.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <xen/callback.h>

#define MAX_FRAME_WORDS 12

/* Fills frame[] from its top down and returns how many words it has. */
static unsigned int make_frame(const struct vcpu *v, unsigned int flags, uint32_t error_code,
                               uint8_t mask, uint64_t *frame)
{
    const struct cpu_user_regs *r = &v->regs;
    uint64_t cs = guest_kernel_mode(v) ? r->cs & ~3u : r->cs;
    uint64_t rflags = r->rflags & ~(uint64_t)(X86_EFLAGS_IF | X86_EFLAGS_IOPL);
    unsigned int n = 0;

    if (!mask)
        rflags |= X86_EFLAGS_IF;
    if (READ_ONCE(v->domain->vm_assist) & (1u << VMASST_TYPE_architectural_iopl))
        rflags |= v->arch.pv.iopl << 12;

    frame[n++] = r->rcx;
    frame[n++] = r->r11;
    if (flags & BOUNCE_FAILSAFE) {
        frame[n++] = v->arch.pv.ds;
        frame[n++] = v->arch.pv.es;
        frame[n++] = v->arch.pv.fs;
        frame[n++] = v->arch.pv.gs;
    }
    if (flags & BOUNCE_ERROR_CODE)
        frame[n++] = error_code;
    frame[n++] = r->rip;
    frame[n++] = cs | (uint64_t)mask << 32;
    frame[n++] = rflags;
    frame[n++] = r->rsp;
    frame[n++] = r->ss;
    return n;
}

/* An exception in words, for a message. */
static void describe(char *to, size_t size, const struct vcpu *v, unsigned int vector,
                     uint32_t error_code)
{
    if (vector == TRAP_page_fault)
        snprintf(to, size, "page fault at address %#lx (exception 14, error code %#x)",
                 v->arch.pv.ctrlreg[2], error_code);
    else
        snprintf(to, size, "%s (exception %u, error code %#x)", exception_name(vector), vector,
                 error_code);
}

static void crash_without_stack(struct vcpu *v, gva_t sp, gva_t handler, unsigned int flags,
                                uint32_t error_code)
{
    char what[128] = "an event, a callback or a system call";

    if (flags & BOUNCE_EXCEPTION)
        describe(what, sizeof(what), v, v->regs.entry_vector & 0xff, error_code);
    domain_crash(v->domain,
                 "%s at rip %#lx: the stack for it, at %#lx, cannot be written (handler %#lx)",
                 what, v->regs.rip, sp, handler);
}

static __noinline void crash_without_handler(struct vcpu *v, unsigned int vector,
                                             uint32_t error_code)
{
    char what[128];

    describe(what, sizeof(what), v, vector, error_code);
    domain_crash(v->domain, "%s at rip %#lx, and the guest has no handler", what, v->regs.rip);
}

void pv_bounce(struct vcpu *v, gva_t handler, unsigned int flags, uint32_t error_code)
{
    uint8_t mask = READ_ONCE(v->vcpu_info->evtchn_upcall_mask);
    uint64_t frame[MAX_FRAME_WORDS] __uninitialized;
    unsigned int n = make_frame(v, flags, error_code, mask, frame);
    gva_t sp = v->regs.rsp;

    if (!guest_kernel_mode(v)) {
        sp = v->arch.pv.kernel_sp;
        pv_toggle_guest_mode(v);
    }

    sp = (sp & ~0xfull) - n * sizeof(frame[0]);
    if (copy_to_guest(sp, frame, n * sizeof(frame[0]))) {
        crash_without_stack(v, sp, handler, flags, error_code);
        return;
    }
    if (flags & BOUNCE_MASK_EVENTS)
        WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 1);

    v->regs.rsp = sp;
    v->regs.ss = FLAT_KERNEL_SS;
    v->regs.cs = FLAT_KERNEL_CS;
    v->regs.rip = handler;
    v->regs.rflags &= ~(uint64_t)FLAGS_CLEARED_BY_BOUNCE;
    /* The frame has the guest's RCX and R11, so SYSRET may be used: as after a SYSCALL. */
    v->regs.rcx = v->regs.rip;
    v->regs.r11 = v->regs.rflags;
    v->regs.entry_vector = ENTRY_HYPERCALL;
}

void pv_inject_exception(struct vcpu *v, unsigned int vector, unsigned int has, uint32_t error_code)
{
    const struct trap_info *ti = &v->arch.pv.traps[vector];

    count_event(v, COUNTER_exceptions);
    if (unlikely(!ti->address))
        crash_without_handler(v, vector, error_code);
    else
        pv_cpu_bounce(v, ti->address,
                      BOUNCE_EXCEPTION | has | (TI_GET_IF(ti) ? BOUNCE_MASK_EVENTS : 0),
                      error_code);
}

void pv_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error_code)
{
    /* Guest kernel and guest user are both ring 3: the user bit says what the guest thinks it is.
     */
    error_code &= ~(uint32_t)PFEC_USER;
    if (!guest_kernel_mode(v))
        error_code |= PFEC_USER;
    v->arch.pv.ctrlreg[2] = cr2;
    v->vcpu_info->arch.cr2 = cr2;
    pv_inject_exception(v, TRAP_page_fault, BOUNCE_ERROR_CODE, error_code);
}

static unsigned int flags_of(const struct pv_callback *c)
{
    return c->disables_events ? BOUNCE_MASK_EVENTS : 0;
}

/* To the callback of that type (CALLBACKTYPE_*). False: the guest has none. */
static bool call_back(struct vcpu *v, unsigned int type, unsigned int flags)
{
    const struct pv_callback *c = &v->arch.pv.callback[type];

    if (!c->address)
        return false;
    pv_cpu_bounce(v, c->address, flags | flags_of(c), 0);
    return true;
}

/* A system call of guest user mode (in guest kernel mode SYSCALL is a hypercall). Without an entry
 * point the guest gets #UD, as on hardware without SYSCALL; for SYSENTER that is #GP. */
void pv_handle_syscall(struct vcpu *v, unsigned int type)
{
    bool sysenter = type == CALLBACKTYPE_sysenter;

    count_event(v, COUNTER_syscalls);
    if (call_back(v, type, 0))
        return;
    /* XSA-8: nothing of the frame for a system call may be left in the one for the fault. */
    v->regs.rip -= sysenter ? 0 : 2;
    if (sysenter)
        pv_inject_exception(v, TRAP_gp_fault, BOUNCE_ERROR_CODE, 0);
    else
        pv_inject_exception(v, TRAP_invalid_op, 0, 0);
}

void pv_handle_sysenter(struct vcpu *v)
{
    /* XSA-44, XSA-339: SYSENTER keeps NT, and a later IRET would fault in the hypervisor's name. */
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_NT;
    pv_handle_syscall(v, CALLBACKTYPE_sysenter);
}

void pv_failsafe(struct vcpu *v)
{
    const struct pv_callback *c = &v->arch.pv.callback[CALLBACKTYPE_failsafe];

    if (c->address)
        pv_bounce(v, c->address, BOUNCE_FAILSAFE | flags_of(c), 0);
    else
        domain_crash(v->domain,
                     "cannot go on at cs:rip %#x:%#lx ss:rsp %#x:%#lx: bad selectors or flags, and "
                     "no failsafe callback",
                     v->regs.cs, v->regs.rip, v->regs.ss, v->regs.rsp);
}

void pv_deliver_event(struct vcpu *v)
{
    const struct trap_info *nmi = &v->arch.pv.traps[TRAP_nmi];

    if (READ_ONCE(v->nmi_pending) && !v->nmi_masked) {
        /* Without a handler it is lost: the exit path looks again */
        WRITE_ONCE(v->nmi_pending, false);
        if (nmi->address) {
            v->nmi_masked = true; /* until the next iret hypercall */
            pv_cpu_bounce(v, nmi->address, TI_GET_IF(nmi) ? BOUNCE_MASK_EVENTS : 0, 0);
            return;
        }
    }
    if (!READ_ONCE(v->vcpu_info->evtchn_upcall_pending) ||
        READ_ONCE(v->vcpu_info->evtchn_upcall_mask))
        return;
    count_event(v, COUNTER_upcalls);
    if (!call_back(v, CALLBACKTYPE_event, BOUNCE_MASK_EVENTS))
        domain_crash(v->domain, "an event is pending and unmasked, and the guest has no callback");
}
