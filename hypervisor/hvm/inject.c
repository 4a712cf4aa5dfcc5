/* SPDX-License-Identifier: MIT */
/*
 * What a guest sees next: an exception that an exit made, an event whose delivery an exit
 * interrupted, an NMI, an interrupt; in this order, one at a time (control.event_inj).
 *
 * An interrupt that the guest does not take now (RFLAGS.IF, the shadow of STI or MOV SS, CR8) waits
 * in its local APIC or PIC. A virtual interrupt that is never delivered (V_IRQ) ends the run at the
 * moment when it would be taken, and the real one is chosen then.
 *
 * An NMI is followed by none until IRET, which is intercepted for that. It counts as done before
 * the guest carries it out: a further one may come an instruction too early, on the same stack.
 */
#include <core/sched/pause.h>
#include <hv/x86_bits.h>
#include <hvm/cpu.h>
#include <hvm/devices.h>
#include <hvm/hvm.h>
#include <hvm/lapic.h>

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

void hvm_inject_exception(struct vcpu *v, unsigned int vector, uint32_t code)
{
    unsigned int what = with_earlier(v, vector);

    if (what == SHUTS_DOWN) {
        hvm_triple_fault(v);
        return;
    }
    vmcb_of(v)->control.event_inj =
        EVENT_VALID | EVENT_EXCEPTION | what |
        (HAS_CODE >> what & 1 ? EVENT_HAS_CODE | (uint64_t)(what == vector ? code : 0) << 32 : 0);
}

void hvm_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t code)
{
    vmcb_of(v)->save.cr2 = cr2;
    hvm_inject_exception(v, TRAP_page_fault, code);
}

/* INT n, INT3 and INTO happen again: RIP is still at them. QEMU calls an interrupt an exception. */
void hvm_keep_event(struct vcpu *v)
{
    uint64_t event = vmcb_of(v)->control.exit_int_info, type = event & EVENT_TYPE;
    unsigned int vector = event & 0xff;

    if (!(event & EVENT_VALID) || type == EVENT_SOFT)
        return;
    if (type == EVENT_EXCEPTION && (vector == TRAP_int3 || vector == TRAP_overflow))
        return;
    if (type == EVENT_EXCEPTION && vector >= 32)
        event = (event & ~EVENT_TYPE) | EVENT_EXT;
    vmcb_of(v)->control.event_inj = event;
}

static bool takes_interrupts(const struct vcpu *v)
{
    return (v->regs.rflags & X86_EFLAGS_IF) && !(vmcb_of(v)->control.int_state & INT_STATE_SHADOW);
}

static bool extint_pending(const struct vcpu *v)
{
    return lapic_takes_extint(v) && hvm_extint_pending(v->domain);
}

static bool ends_halt(const struct vcpu *v)
{
    return (READ_ONCE(v->nmi_pending) && !v->nmi_masked) || lapic_startup_pending(v) ||
           ((v->regs.rflags & X86_EFLAGS_IF) && (lapic_pending(v) >= 0 || extint_pending(v)));
}

/* The console is the hypervisor's to look at, behind the guest's back. */
bool hvm_event_pending(const struct vcpu *v)
{
    return ends_halt(v) || hvm_console_pending(v);
}

static void inject_nmi(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    WRITE_ONCE(v->nmi_pending, false);
    v->nmi_masked = true;
    b->control.event_inj = EVENT_VALID | EVENT_NMI | TRAP_nmi;
    b->control.intercept[INTERCEPT_3] |= INTERCEPT3_IRET;
}

/* The run is to end when the guest would take an interrupt of this priority. */
static void open_window(struct vcpu *v, unsigned int priority)
{
    struct vmcb *b = vmcb_of(v);

    b->control.vintr |= VINTR_IRQ | (uint64_t)priority << VINTR_PRIO_SHIFT;
    b->control.intercept[INTERCEPT_3] |= INTERCEPT3_VINTR;
}

static void close_window(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    b->control.vintr &= ~(VINTR_IRQ | VINTR_PRIO);
    b->control.intercept[INTERCEPT_3] &= ~INTERCEPT3_VINTR;
}

static void inject_interrupt(struct vcpu *v)
{
    bool busy = vmcb_of(v)->control.event_inj & EVENT_VALID, extint = extint_pending(v);
    int vector = lapic_pending(v);

    close_window(v);
    if (!extint && vector < 0) {
        if (lapic_held_back(v) >= 0) /* until CR8 is lowered */
            open_window(v, (unsigned int)lapic_held_back(v) >> 4);
        return;
    }
    if (busy || !takes_interrupts(v)) {
        open_window(v, extint ? 15 : (unsigned int)vector >> 4);
        return;
    }
    if (extint)
        vector = hvm_extint_ack(v->domain);
    else
        lapic_accept(v, (uint8_t)vector);
    vmcb_of(v)->control.event_inj = EVENT_VALID | EVENT_EXT | (unsigned int)vector;
    if (extint_pending(v) || lapic_pending(v) >= 0)
        open_window(v, 15);
}

/* False: it is in HLT, and waits; or something came that is only to be looked at again. */
static bool is_awake(struct vcpu *v)
{
    struct hvm_vcpu *h = &v->arch.hvm;

    if (h->halted && !ends_halt(v) && !(h->vmcb->control.event_inj & EVENT_VALID)) {
        vcpu_block(v);
        return false;
    }
    h->halted = false;
    return true;
}

/* False: it waits for SIPI. */
static bool has_started(struct vcpu *v)
{
    uint8_t page;

    switch (lapic_take_startup(v, &page)) {
    case LAPIC_STARTS:
        hvm_reset_vcpu(v);
        hvm_start_real_mode(v, page);
        hvm_cpu_load(v); /* its debug registers are 0 now */
        __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE);
        return true;
    case LAPIC_WAITS:
        return false;
    default:
        return true;
    }
}

bool hvm_before_entry(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    hvm_console_look(v);
    if (!has_started(v) || !is_awake(v))
        return false;
    if (READ_ONCE(v->nmi_pending) && !v->nmi_masked && !(b->control.event_inj & EVENT_VALID) &&
        !(b->control.int_state & INT_STATE_SHADOW))
        inject_nmi(v);
    inject_interrupt(v);
    b->control.vintr = (b->control.vintr & ~VINTR_TPR) | lapic_cr8(v);
    b->save.rax = v->regs.rax;
    b->save.rsp = v->regs.rsp;
    b->save.rip = v->regs.rip;
    b->save.rflags = v->regs.rflags;
    hvm_cpu_flush(v);
    return true;
}
