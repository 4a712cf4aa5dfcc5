/* SPDX-License-Identifier: MIT */
/*
 * Fully virtualized vCPUs on threads: this file plays the CPU between VMRUN and the exit, and the
 * little of an operating system that takes interrupts.
 *
 * The guest's registers are in v->regs while it runs, as most of them are on the machine; at an
 * exit the VMCB gets those that VMRUN keeps there. A vCPU that runs its own code is left for an
 * interrupt of the machine alone (vm_interrupted()), for the window that the hypervisor opened, or
 * for what the program does. Its interrupts must be on when one is injected. Whoever has one for a
 * vCPU that runs kicks its CPU.
 */
#include "vm.h"

#include <string.h>

#include <core/domain/domain_pages.h>
#include <core/life/domain_system.h>
#include <core/sched/pause.h>
#include <hv/x86_bits.h>
#include <hvm/hvm_ops.h>
#include <hvm/npt.h>

/* Where its code is, in frame 0. */
#define WRITE_AT (VM_CODE + 0x10) /* mov [eax], ecx */
#define READ_AT  (VM_CODE + 0x20) /* mov ecx, [eax] */
#define HALT_AT  (VM_CODE + 0x30) /* hlt */

static const uint8_t code[0x40] = {
    [0x10] = 0x89, [0x11] = 0x08, [0x20] = 0x8b, [0x21] = 0x08, [0x30] = 0xf4};

bool is_vm(const struct domain *d)
{
    return d->ops == &hvm_guest_ops;
}

void vm_machine(void)
{
    host_on_interrupt = vm_interrupted;
    guest_kinds[1] = &hvm_guest_ops;
}

/* ---- its life ---- */

void vm_born(struct domain *d, uint64_t pages)
{
    WRITE_ONCE(d->max_pages, 2 * pages);
    memcpy((char *)vm_first_frames(d, pages) + VM_CODE, code, sizeof(code));
}

/* Protected mode, flat, without paging; interrupts on. */
static void be_flat(struct vcpu *v)
{
    static const struct loader_pvh_state flat = {
        .cr0 = X86_CR0_PE | 0x10,
        .eflags = X86_EFLAGS_ALWAYS | X86_EFLAGS_IF,
        .cs = {.selector = 8, .attributes = 0xc9b, .limit = ~0u},
        .data = {.selector = 16, .attributes = 0xc93, .limit = ~0u},
        .tr = {.attributes = 0x8b, .limit = 0x67},
    };

    hvm_start_pvh(v, &flat);
}

/* vCPU 0 as the builder leaves it; the others wait for SIPI. */
void vm_start_vcpu(struct vcpu *v)
{
    if (v->vcpu_id) {
        __atomic_store_n(&v->initialised, false, __ATOMIC_RELAXED);
        atomic_or(&v->pause_flags, VPF_down);
        vcpu_sleep(v);
        return;
    }
    be_flat(v);
    lapic_virtual_wire(v);
    __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE);
    atomic_and(&v->pause_flags, ~VPF_down);
}

/* ---- out of the guest ---- */

static void leave(struct vcpu *v, uint64_t why, uint64_t info1, uint64_t info2, uint64_t event)
{
    struct vmcb *b = vmcb_of(v);

    b->save.rax = v->regs.rax;
    b->save.rsp = v->regs.rsp;
    b->save.rip = v->regs.rip;
    b->save.rflags = v->regs.rflags;
    b->control.exit_code = why;
    b->control.exit_info1 = info1;
    b->control.exit_info2 = info2;
    b->control.exit_int_info = event;
    hvm_after_exit(v);
    if (host_locks_held())
        torture_failed("exit %#lx came back with a lock", (unsigned long)why);
}

void vm_exit(struct guest *g, uint64_t why, uint64_t info1, uint64_t info2)
{
    g->entered = true;
    leave(g->v, why, info1, info2, 0);
}

void vm_interrupted(struct vcpu *v)
{
    if (!is_idle(v) && is_vm(v->domain))
        leave(v, EXIT_INTR, 0, 0, 0);
}

/* ---- into it ---- */

/* As its code at that page does. */
static void started(struct guest *g)
{
    be_flat(g->v);
    g->vm = (struct vm_state){.eoi = false};
    g->next = vm_begin;
}

static void tell(struct guest *g, unsigned int vector)
{
    if (scenario->vm->vector)
        scenario->vm->vector(g, vector);
}

/* The virtual interrupt that the hypervisor has set. */
static void take_interrupt(struct guest *g)
{
    struct vmcb *b = vmcb_of(g->v);
    unsigned int vector = (uint8_t)(b->control.vintr >> VINTR_VECTOR_SHIFT);

    if (g->vm.eoi || g->vm.pic_eoi || g->vm.returns)
        torture_failed("d%uv%u: interrupt %#x in another's handler", g->v->domain->domain_id,
                       g->v->vcpu_id, vector);
    b->control.vintr &= ~VINTR_IRQ;
    g->v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    if (vector - VM_PIC_VECTORS < 16)
        g->vm.pic_eoi = vector < VM_PIC_VECTORS + 8 ? 1 : 2;
    else
        g->vm.eoi = true;
    g->vm.returns = true;
    g->vm.timer_came |= vector == VM_TIMER;
    tell(g, vector);
}

/* Faults of its own it takes no notice of. */
static void take_event(struct guest *g, uint64_t event)
{
    if ((event & EVENT_TYPE) != EVENT_NMI)
        return;
    if (g->vm.nmi)
        torture_failed("d%uv%u: an NMI in an NMI", g->v->domain->domain_id, g->v->vcpu_id);
    g->vm.nmi = g->vm.nmi_returns = true;
    g->vm.nmi_flags |= g->v->regs.rflags & X86_EFLAGS_IF;
    g->v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    tell(g, TRAP_nmi);
}

/* False: its CPU is to look again, as something came up, which is soon done. What is on its way is
 * interrupted, seldom. */
static bool enter(struct guest *g)
{
    struct vcpu *v = g->v;
    struct vmcb *b = vmcb_of(v);
    uint64_t event;

    if (!hvm_before_entry(v) || READ_ONCE(this_cpu()->pending) || !chance(g, 8))
        return false;
    vm_tlb_entered(b->control.tlb_control == TLB_CONTROL_ALL);
    event = b->control.event_inj;
    if (b->save.cs.base)
        started(g);
    if (!(event & EVENT_VALID))
        return true;
    if (!chance(g, 16)) {
        leave(v, EXIT_INTR, 0, 0, event);
        return false;
    }
    take_event(g, event);
    return true;
}

static bool takes_virtual_interrupt(const struct vcpu *v)
{
    uint64_t vintr = vmcb_of(v)->control.vintr;

    if (vintr & VINTR_IRQ && !(vintr & VINTR_IGNORE_TPR))
        torture_failed("d%uv%u: a virtual interrupt that TPR may hold back", v->domain->domain_id,
                       v->vcpu_id);
    return vintr & VINTR_IRQ && v->regs.rflags & X86_EFLAGS_IF;
}

/* A window; or the interrupt itself, of which an exit says seldom that it was on its way: as
 * processors do, or as QEMU, where it is still set. */
static void virtual_interrupt(struct guest *g)
{
    struct vmcb *b = vmcb_of(g->v);
    uint64_t event = EVENT_VALID | (uint8_t)(b->control.vintr >> VINTR_VECTOR_SHIFT);

    if (vmcb_intercepts(b, EXIT_VINTR)) {
        vm_exit(g, EXIT_VINTR, 0, 0);
    } else if (chance(g, 16)) {
        take_interrupt(g);
    } else {
        g->entered = true;
        if (chance(g, 2))
            event |= EVENT_EXCEPTION;
        else
            b->control.vintr &= ~VINTR_IRQ;
        leave(g->v, EXIT_INTR, 0, 0, event);
    }
}

/* IRET, which may exit first. False: it has, and is still to be done. */
static bool returns(struct guest *g)
{
    if (!vmcb_intercepts(vmcb_of(g->v), EXIT_IRET))
        return true;
    vm_exit(g, EXIT_IRET, 0, 0);
    return false;
}

/* The IRET was made a step. */
static void step_is_done(struct guest *g)
{
    if (!(g->v->regs.rflags & X86_EFLAGS_TF))
        return;
    g->v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF;
    vm_exit(g, EXIT_EXCEPTION + TRAP_debug, 0, 0);
}

/* A handler's end. False: there is none to be ended. */
static bool end_interrupt(struct guest *g)
{
    struct vm_state *s = &g->vm;

    if (s->nmi_returns) {
        if (returns(g)) {
            s->nmi = s->nmi_returns = false;
            g->v->regs.rflags |= s->nmi_flags;
            s->nmi_flags = 0;
            step_is_done(g);
        }
    } else if (s->eoi) {
        s->eoi = false;
        vm_apic_write(g, LAPIC_EOI, 0);
    } else if (s->pic_eoi) {
        vm_out(g, s->pic_eoi == 2 ? 0xa0 : 0x20, 1, 0x20);
        s->pic_eoi--;
    } else if (s->returns) {
        if (returns(g)) {
            s->returns = false;
            g->v->regs.rflags |= X86_EFLAGS_IF;
        }
    } else {
        return false;
    }
    return true;
}

bool vm_run(struct vcpu *v, bool entered)
{
    struct guest *g = guest_of(v->domain->domain_id, v->vcpu_id);

    if (entered && !enter(g))
        return true;
    guest_expect_kick(g, !takes_virtual_interrupt(v) && vcpu_event_pending(v));
    g->entered = false;
    v->regs.rbx = ++g->progress;
    if (takes_virtual_interrupt(v))
        virtual_interrupt(g);
    else if (!end_interrupt(g))
        guest_step(g);
    return g->entered;
}

/* ---- what programs do ---- */

void vm_cpuid(struct guest *g)
{
    vm_exit(g, EXIT_CPUID, 0, 0);
}

/* HLT behind STI, which the hypervisor finishes when an interrupt comes between them. */
void vm_halt(struct guest *g)
{
    g->v->regs.rip = HALT_AT;
    if (chance(g, 4)) {
        vm_exit(g, EXIT_HLT, 0, 0);
        return;
    }
    vmcb_of(g->v)->control.int_state = INT_STATE_SHADOW;
    vm_exit(g, EXIT_INTR, 0, 0);
    vmcb_of(g->v)->control.int_state = 0;
}

void vm_wrmsr(struct guest *g, uint32_t msr, uint64_t value)
{
    g->v->regs.rcx = msr;
    g->v->regs.rax = (uint32_t)value;
    g->v->regs.rdx = value >> 32;
    vm_exit(g, EXIT_MSR, 1, 0);
}

static void apic_page(struct guest *g, unsigned int reg, uint64_t rip)
{
    g->v->regs.rip = rip;
    vm_exit(g, EXIT_NPF, NPF_FINAL | 7, LAPIC_ADDRESS + reg * 16);
}

void vm_apic_write(struct guest *g, unsigned int reg, uint32_t value)
{
    if (lapic_in_x2apic(lapic_seen(g->v))) {
        vm_wrmsr(g, MSR_X2APIC + reg, value);
        return;
    }
    g->v->regs.rcx = value;
    apic_page(g, reg, WRITE_AT);
}

void vm_apic_read(struct guest *g, unsigned int reg)
{
    if (!lapic_in_x2apic(lapic_seen(g->v))) {
        apic_page(g, reg, READ_AT);
        return;
    }
    g->v->regs.rcx = MSR_X2APIC + reg;
    vm_exit(g, EXIT_MSR, 0, 0);
}

static void write_icr(struct guest *g)
{
    vm_apic_write(g, LAPIC_ICR, g->vm.icr);
    g->next = g->vm.then;
}

void vm_ipi(struct guest *g, uint32_t icr, uint32_t destination, step_fn *then)
{
    if (lapic_in_x2apic(lapic_seen(g->v))) {
        vm_wrmsr(g, MSR_X2APIC + LAPIC_ICR, (uint64_t)destination << 32 | icr);
        g->next = then;
        return;
    }
    g->vm.icr = icr;
    g->vm.then = then;
    vm_apic_write(g, LAPIC_ICR2, destination << 24);
    g->next = write_icr;
}

void vm_out(struct guest *g, unsigned int port, unsigned int bytes, uint32_t value)
{
    g->v->regs.rax = value;
    vm_exit(g, EXIT_IOIO, port << 16 | bytes << 4, 0);
}

void vm_in(struct guest *g, unsigned int port, unsigned int bytes)
{
    vm_exit(g, EXIT_IOIO, port << 16 | bytes << 4 | IOIO_IN, 0);
}

void vm_string(struct guest *g, unsigned int port, unsigned int bytes, bool in, gva_t va)
{
    g->v->regs.rsi = g->v->regs.rdi = va;
    vm_exit(g, EXIT_IOIO, port << 16 | bytes << 4 | IOIO_STRING | (in ? IOIO_IN : 0), 0);
}

/* ---- its timer ---- */

static void wait(struct guest *g)
{
    if (g->vm.timer_came)
        return;
    vm_halt(g);
    g->next = wait;
}

static void set_timer(struct guest *g)
{
    if (g->vm.by_tsc)
        vm_wrmsr(g, MSR_TSC_DEADLINE, clock_ticks() + 2 * g->vm.ns);
    else
        vm_apic_write(g, LAPIC_TIMER_INITIAL, (uint32_t)g->vm.ns + 1);
    g->next = wait;
}

static void set_entry(struct guest *g)
{
    vm_apic_write(g, LAPIC_LVT_TIMER, VM_TIMER | (g->vm.by_tsc ? TIMER_TSC : 0));
    g->next = set_timer;
}

void vm_sleep(struct guest *g, s_time_t ns)
{
    g->vm.ns = (uint64_t)ns;
    g->vm.by_tsc = chance(g, 2);
    g->vm.timer_came = false;
    vm_apic_write(g, LAPIC_TPR, 0);
    g->next = set_entry;
}

/* ---- what they begin with ---- */

static void set_up_pic(struct guest *g)
{
    static const uint8_t words[][2] = {{0x20, 0x11}, {0x21, VM_PIC_VECTORS},
                                       {0x21, 4},    {0x21, 1},
                                       {0xa0, 0x11}, {0xa1, VM_PIC_VECTORS + 8},
                                       {0xa1, 2},    {0xa1, 1},
                                       {0x21, 0},    {0xa1, 0}};

    vm_out(g, words[g->a[0]][0], 1, words[g->a[0]][1]);
    g->next = ++g->a[0] < ARRAY_SIZE(words) ? set_up_pic : scenario->vm->start;
}

static void set_divider(struct guest *g)
{
    vm_apic_write(g, LAPIC_TIMER_DIVIDE, 0xb);
    g->a[0] = 0;
    g->next = g->v->vcpu_id ? scenario->vm->start : set_up_pic;
}

void vm_begin(struct guest *g)
{
    vm_apic_write(g, LAPIC_SVR, SVR_ENABLED | 0xff);
    g->next = set_divider;
}

/* ---- off and on ---- */

static void apic_on(struct guest *g)
{
    vm_wrmsr(g, MSR_APIC_BASE, LAPIC_ADDRESS | BASE_ENABLED);
    g->next = vm_begin;
}

void vm_apic_off(struct guest *g)
{
    vm_wrmsr(g, MSR_APIC_BASE, LAPIC_ADDRESS);
    g->next = apic_on;
}
