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
#include <core/domain/guest_memory.h>
#include <core/life/life.h>
#include <parvis/string.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>

#define FLAGS_CLEARED_BY_BOUNCE                                                                    \
    (X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF)

/* Fills frame[] from its top down and returns how many words it has. */
static unsigned int make_frame(const struct vcpu *v, const struct trap_bounce *tb, bool from_kernel,
                               uint8_t mask, uint64_t *frame)
{
    const struct cpu_user_regs *r = &v->regs;
    uint64_t cs = from_kernel ? r->cs & ~3u : r->cs;
    uint64_t rflags = r->rflags & ~(uint64_t)(X86_EFLAGS_IF | X86_EFLAGS_IOPL);
    unsigned int n = 0;

    if (!mask)
        rflags |= X86_EFLAGS_IF;
    if (v->domain->vm_assist & (1u << VMASST_TYPE_architectural_iopl))
        rflags |= v->arch.pv.iopl << 12;

    frame[n++] = r->rcx;
    frame[n++] = r->r11;
    if (tb->flags & TBF_FAILSAFE) {
        frame[n++] = v->arch.pv.ds;
        frame[n++] = v->arch.pv.es;
        frame[n++] = v->arch.pv.fs;
        frame[n++] = v->arch.pv.gs;
    }
    if (tb->flags & TBF_EXCEPTION_ERRCODE)
        frame[n++] = tb->error_code;
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

static void crash_without_stack(struct vcpu *v, const struct trap_bounce *tb, gva_t sp)
{
    char what[128] = "an event, a callback or a system call";

    if (tb->flags & TBF_EXCEPTION)
        describe(what, sizeof(what), v, v->regs.entry_vector & 0xff, tb->error_code);
    domain_crash(v->domain,
                 "%s at rip %#lx: the stack for it, at %#lx, cannot be written (handler %#lx)",
                 what, v->regs.rip, sp, tb->eip);
}

static void crash_without_handler(struct vcpu *v, unsigned int vector, uint32_t error_code)
{
    char what[128];

    describe(what, sizeof(what), v, vector, error_code);
    domain_crash(v->domain, "%s at rip %#lx, and the guest has no handler", what, v->regs.rip);
}

void pv_create_bounce_frame(struct vcpu *v, const struct trap_bounce *tb)
{
    bool from_kernel = guest_kernel_mode(v);
    uint8_t mask = READ_ONCE(v->vcpu_info->evtchn_upcall_mask);
    uint64_t frame[PV_MAX_FRAME_WORDS] __uninitialized;
    unsigned int n = make_frame(v, tb, from_kernel, mask, frame);
    gva_t sp = from_kernel ? v->regs.rsp : v->arch.pv.kernel_sp;

    if (!from_kernel)
        pv_toggle_guest_mode(v);

    sp = (sp & ~0xfull) - n * sizeof(frame[0]);
    if (copy_to_guest(sp, frame, n * sizeof(frame[0]))) {
        crash_without_stack(v, tb, sp);
        return;
    }
    if (tb->flags & TBF_INTERRUPT)
        WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 1);

    v->regs.rsp = sp;
    v->regs.ss = FLAT_KERNEL_SS;
    v->regs.cs = FLAT_KERNEL_CS;
    v->regs.rip = tb->eip;
    v->regs.rflags &= ~(uint64_t)FLAGS_CLEARED_BY_BOUNCE;
    /* The frame has the guest's RCX and R11, so SYSRET may be used. */
    v->regs.rcx = v->regs.rip;
    v->regs.r11 = v->regs.rflags;
    v->arch.pv.flags |= VF_IN_SYSCALL;
}

void pv_inject_exception(struct vcpu *v, unsigned int vector, uint32_t error_code, bool has_error)
{
    const struct trap_info *ti = &v->arch.pv.traps[vector];
    struct trap_bounce tb = {
        .eip = ti->address,
        .error_code = error_code,
        .flags = TBF_EXCEPTION | (has_error ? TBF_EXCEPTION_ERRCODE : 0) |
                 (TI_GET_IF(ti) ? TBF_INTERRUPT : 0),
    };

    if (!ti->address) {
        crash_without_handler(v, vector, error_code);
        return;
    }
    pv_create_bounce_frame(v, &tb);
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
    pv_inject_exception(v, TRAP_page_fault, error_code, true);
}

void pv_failsafe(struct vcpu *v)
{
    struct trap_bounce tb = {
        .eip = v->arch.pv.failsafe_callback,
        .flags = TBF_FAILSAFE | (v->arch.pv.failsafe_disables_events ? TBF_INTERRUPT : 0),
    };

    if (!tb.eip) {
        domain_crash(v->domain,
                     "cannot go on at cs:rip %#x:%#lx ss:rsp %#x:%#lx: bad selectors or flags, and "
                     "no failsafe callback",
                     v->regs.cs, v->regs.rip, v->regs.ss, v->regs.rsp);
        return;
    }
    pv_create_bounce_frame(v, &tb);
}

void pv_deliver_event(struct vcpu *v)
{
    struct trap_bounce tb = {.flags = TBF_INTERRUPT};

    if (v->arch.pv.nmi_pending && !v->arch.pv.nmi_masked) {
        /* Without a callback it is lost: the exit path looks again */
        v->arch.pv.nmi_pending = false;
        if (v->arch.pv.nmi_callback) {
            v->arch.pv.nmi_masked = true; /* until the next iret hypercall */
            tb.eip = v->arch.pv.nmi_callback;
            pv_create_bounce_frame(v, &tb);
            return;
        }
    }
    if (!v->vcpu_info->evtchn_upcall_pending || v->vcpu_info->evtchn_upcall_mask)
        return;
    tb.eip = v->arch.pv.event_callback;
    if (!tb.eip) {
        domain_crash(v->domain, "an event is pending and unmasked, and the guest has no callback");
        return;
    }
    pv_create_bounce_frame(v, &tb);
}
