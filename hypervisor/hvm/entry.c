/* SPDX-License-Identifier: MIT */
/*
 * The last look at a vCPU before it runs: whether it has started, what it is to see next
 * (hvm/inject.c), and what its CPU must forget. What comes behind this ends the run at once: GIF is
 * clear until VMRUN (hvm/cpu/entry.asm).
 */
#include <hvm/cpu.h>
#include <hvm/hvm.h>
#include <hvm/lapic.h>
#include <port/current.h>

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

/* What its CPU knows of its memory is forgotten first, if it must. It stays asked for until the
 * guest has run: its CPU may have other work first, and look again. */
static void ask_for_flush(struct vcpu *v)
{
    struct hvm_vcpu *h = &v->arch.hvm;
    uint32_t now = this_cpu()->arch.flushes;

    if (h->flushes != now)
        h->vmcb->control.tlb_control = TLB_CONTROL_ALL;
    h->flushes = now;
}

bool hvm_before_entry(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);

    hvm_console_look(v);
    if (!has_started(v) || !hvm_inject_pending(v))
        return false;
    b->save.rax = v->regs.rax;
    b->save.rsp = v->regs.rsp;
    b->save.rip = v->regs.rip;
    b->save.rflags = v->regs.rflags;
    ask_for_flush(v);
    return true;
}
