/* SPDX-License-Identifier: MIT */
/*
 * What a guest sees next: an exception that an exit made, an event whose delivery an exit
 * interrupted, an NMI, the upcall of a guest that is told of Xen (hvm/upcall.c), an interrupt; in
 * this order.
 *
 * All but interrupts go by control.event_inj. An interrupt goes by V_IRQ: a virtual interrupt,
 * which the guest takes before its next instruction, and then V_IRQ is 0; while it is set the
 * interrupt is under way. (Given by event_inj QEMU delivers it, and once more, with RFLAGS.IF 0 by
 * then, if it turns to other work before the guest has met an exception or an exit: it keeps the
 * vector as an exception to be raised.)
 *
 * An interrupt that the guest does not take now (RFLAGS.IF, the shadow of STI or MOV SS, TPR) waits
 * in its local APIC or PIC. A virtual interrupt that is intercepted, a window, ends the run at the
 * moment when it would be taken, and the real one is chosen then. (TPR, which is CR8 too, does not
 * change without an exit: nothing need be open for what it holds back.) There is no window while
 * another is under way: the run ends at the IRET of its handler, if not before. (If the one under
 * way is held up by another handler it is not that one's IRET, which would end run after run.)
 *
 * An NMI that cannot be taken now is not waited for by anything that the CPU has: the guest is left
 * as soon as it has what is on its way, or an instruction is done, and then the NMI comes.
 *
 * An NMI is followed by none until its handler's IRET is done, which is intercepted for that, and
 * then is a step (RFLAGS.TF): else each of a storm of NMIs would have its frame below the last. (If
 * it faults, the handler of the fault goes on in its place.)
 */
#include <core/base/count.h>
#include <core/base/log.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <hv/x86_bits.h>
#include <hvm/cpu.h>
#include <hvm/devices.h>
#include <hvm/hvm.h>
#include <hvm/lapic.h>
#include <xen/sched.h>

#define HAS_CODE                                                                                   \
    (1u << TRAP_double_fault | 1u << TRAP_invalid_tss | 1u << TRAP_no_segment |                    \
     1u << TRAP_stack_error | 1u << TRAP_gp_fault | 1u << TRAP_page_fault |                        \
     1u << TRAP_alignment_check)
#define CONTRIBUTES                                                                                \
    (1u << 0 | 1u << TRAP_invalid_tss | 1u << TRAP_no_segment | 1u << TRAP_stack_error |           \
     1u << TRAP_gp_fault)

#define SHUTS_DOWN 32u /* no vector */

/* An exception while another was on its way: what the manual's table of double faults says. */
static unsigned int with_earlier(const struct vcpu *v, unsigned int vector)
{
    uint64_t earlier = vmcb_of(v)->control.event_inj;
    unsigned int first = earlier & 0xff;
    bool contributes = CONTRIBUTES >> vector & 1, faults = vector == TRAP_page_fault;

    if (!(earlier & EVENT_VALID) || (earlier & EVENT_TYPE) != EVENT_EXCEPTION || first > 31)
        return vector;
    if (first == TRAP_double_fault && (contributes || faults))
        return SHUTS_DOWN;
    if ((CONTRIBUTES >> first & 1 && contributes) ||
        (first == TRAP_page_fault && (contributes || faults)))
        return TRAP_double_fault;
    return vector;
}

void hvm_triple_fault(struct vcpu *v)
{
    log_guest(v->domain, "d%uv%u: triple fault at %#x:%#lx: it is reset", v->domain->domain_id,
              v->vcpu_id, v->regs.cs, v->regs.rip);
    domain_shutdown(v->domain, SHUTDOWN_reboot);
}

void hvm_inject_exception(struct vcpu *v, unsigned int vector, uint32_t code)
{
    unsigned int what = with_earlier(v, vector);

    if (what == SHUTS_DOWN) {
        hvm_triple_fault(v);
        return;
    }
    count_event(v, COUNTER_injections);
    vmcb_of(v)->control.event_inj =
        EVENT_VALID | EVENT_EXCEPTION | what |
        (HAS_CODE >> what & 1 ? EVENT_HAS_CODE | (uint64_t)(what == vector ? code : 0) << 32 : 0);
}

void hvm_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t code)
{
    vmcb_of(v)->save.cr2 = cr2;
    hvm_inject_exception(v, TRAP_page_fault, code);
}

/* V_IRQ: an interrupt, or a window, which is intercepted. */
static void set_virq(struct vmcb *b, uint64_t virq, bool window)
{
    b->control.vintr &= ~(VINTR_IRQ | VINTR_IGNORE_TPR | VINTR_VECTOR);
    b->control.vintr |= virq;
    vmcb_intercept(b, EXIT_VINTR, window);
}

static void give_interrupt(struct vmcb *b, uint8_t vector)
{
    set_virq(b, VINTR_IRQ | VINTR_IGNORE_TPR | (uint64_t)vector << VINTR_VECTOR_SHIFT, false);
}

static bool interrupt_under_way(const struct vmcb *b)
{
    return (b->control.vintr & VINTR_IRQ) && !vmcb_intercepts(b, EXIT_VINTR);
}

/* INT n, INT3 and INTO happen again: RIP is still at them. QEMU calls an interrupt an exception. */
void hvm_keep_event(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);
    uint64_t event = b->control.exit_int_info, type = event & EVENT_TYPE;
    unsigned int vector = event & 0xff;

    if (!(event & EVENT_VALID) || type == EVENT_SOFT)
        return;
    if (type == EVENT_EXCEPTION && (vector == TRAP_int3 || vector == TRAP_overflow))
        return;
    if (type == EVENT_EXT || (type == EVENT_EXCEPTION && vector >= 32))
        give_interrupt(b, (uint8_t)vector);
    else
        b->control.event_inj = event;
}

static bool takes_interrupts(const struct vcpu *v)
{
    return (v->regs.rflags & X86_EFLAGS_IF) && !(vmcb_of(v)->control.int_state & INT_STATE_SHADOW);
}

static bool extint_pending(const struct vcpu *v)
{
    return hvm_extint_pending(v->domain) && lapic_takes_extint(v);
}

static bool ends_halt(const struct vcpu *v)
{
    return (READ_ONCE(v->nmi_pending) && !v->nmi_masked) || lapic_startup_pending(v) ||
           ((v->regs.rflags & X86_EFLAGS_IF) &&
            (lapic_pending(v) >= 0 || extint_pending(v) || hvm_upcall_vector(v) >= 0));
}

/* The console is the hypervisor's to look at, behind the guest's back. */
bool hvm_event_pending(const struct vcpu *v)
{
    return ends_halt(v) || hvm_console_pending(v);
}

static void inject_nmi(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    if (b->control.event_inj & EVENT_VALID || b->control.int_state & INT_STATE_SHADOW) {
        hvm_cpu_leave_at_once();
        return;
    }
    WRITE_ONCE(v->nmi_pending, false);
    v->nmi_masked = true;
    count_event(v, COUNTER_injections);
    b->control.event_inj = EVENT_VALID | EVENT_NMI | TRAP_nmi;
    vmcb_intercept(b, EXIT_IRET, true);
}

/* Or a window for it: the run is to end when the guest would take one. */
static void choose_interrupt(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);
    bool extint = extint_pending(v);
    int vector = lapic_pending(v), upcall = hvm_upcall_vector(v);

    set_virq(b, 0, false);
    if (upcall < 0 && !extint && vector < 0)
        return;
    if ((b->control.event_inj & EVENT_VALID) || !takes_interrupts(v)) {
        set_virq(b, VINTR_IRQ | VINTR_IGNORE_TPR, true);
    } else {
        count_event(v, COUNTER_injections);
        if (upcall >= 0) {
            vector = upcall;
            count_event_anywhere(v, COUNTER_upcalls); /* as hvm_upcall() does */
        } else if (extint) {
            vector = hvm_extint_ack(v->domain);
        } else {
            lapic_accept(v, (uint8_t)vector);
        }
        give_interrupt(b, (uint8_t)vector);
    }
}

/* Something other than what is under way. */
static bool waits_behind(const struct vcpu *v)
{
    int upcall = hvm_upcall_vector(v);

    return extint_pending(v) || lapic_pending(v) >= 0 ||
           (upcall >= 0 && upcall != (uint8_t)(vmcb_of(v)->control.vintr >> VINTR_VECTOR_SHIFT));
}

static void inject_interrupt(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    if (!interrupt_under_way(b))
        choose_interrupt(v);
    if (interrupt_under_way(b) && waits_behind(v) && takes_interrupts(v))
        vmcb_intercept(b, EXIT_IRET, true);
}

/* False: it is in HLT, and waits; or something came that is only to be looked at again. */
static bool is_awake(struct vcpu *v)
{
    struct hvm_vcpu *h = &v->arch.hvm;

    if (h->halted && !ends_halt(v) && !(h->vmcb->control.event_inj & EVENT_VALID) &&
        !interrupt_under_way(h->vmcb)) {
        vcpu_block(v);
        return false;
    }
    h->halted = false;
    return true;
}

bool hvm_inject_pending(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    if (!is_awake(v))
        return false;
    if (READ_ONCE(v->nmi_pending) && !v->nmi_masked)
        inject_nmi(v);
    inject_interrupt(v);
    b->control.vintr = (b->control.vintr & ~VINTR_TPR) | lapic_cr8(v);
    return true;
}
