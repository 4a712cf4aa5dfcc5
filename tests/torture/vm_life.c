/* SPDX-License-Identifier: MIT */
/*
 * Life of fully virtualized domains: vCPU 0 resets the others (INIT) and starts them (SIPI) while
 * they work, sleep, and switch their local APICs off and on, and while the control domain pauses,
 * destroys and makes them. So an INIT or SIPI comes at any moment of a life.
 *
 * vCPU 0 alone sends INIT, and SIPI to all at last. So at rest all are up, and have done all their
 * operations. Interrupts may be lost where an APIC is reset, but no sleeper.
 */
#include "vm.h"

#include <hv/x86_bits.h>

static unsigned int other(struct guest *g)
{
    return 1 + chance(g, scenario->vcpus - 1);
}

static void nothing(struct guest *g)
{
    (void)g;
}

static void reset_other(struct guest *g)
{
    vm_ipi(g, 0x4500, other(g), nothing);
}

static void start_other(struct guest *g)
{
    vm_ipi(g, 0x4600 | (1 + chance(g, 200)), other(g), nothing);
}

static void wake_any(struct guest *g)
{
    vm_ipi(g, (chance(g, 3) ? 0x4000 : 0x4400) | VM_FIRST, chance(g, scenario->vcpus), nothing);
}

static void sleep_for_a_while(struct guest *g)
{
    vm_sleep(g, chance(g, 300) * 1000);
}

static void end(struct guest *g)
{
    if (chance(g, 60))
        vm_cpuid(g);
    else if (chance(g, 2))
        vm_out(g, 0x604, 2, 5u << 10 | 1u << 13); /* the power goes off */
    else if (chance(g, 2))
        vm_exit(g, EXIT_SHUTDOWN, 0, 0);
    else
        vm_exit(g, EXIT_NPF, 6, 0x12345000); /* it crashes */
}

static void operation(struct guest *g)
{
    static step_fn *const any[] = {
        sleep_for_a_while, sleep_for_a_while, wake_any, guest_compute, vm_cpuid, end, wake_any};
    static step_fn *const first[] = {reset_other, start_other, start_other, vm_apic_off};

    g->last = chance(g, ARRAY_SIZE(any));
    if (g->v->vcpu_id) /* others rest long before vCPU 0, which starts them anew */
        g->left -= MIN(g->left, 2);
    if (!g->v->vcpu_id && !chance(g, 3))
        first[chance(g, ARRAY_SIZE(first))](g);
    else
        any[g->last](g);
}

/* Once, to all others that wait. */
static void rest(struct guest *g)
{
    if (!g->v->vcpu_id && !g->b) {
        g->b = 1;
        vm_ipi(g, 0xc4601, 0, nothing);
    } else {
        vm_halt(g);
    }
}

static void check(const struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v)
        if (v->pause_flags & VPF_down)
            torture_failed("d%uv%u was told to start, and waits", d->domain_id, v->vcpu_id);
}

const struct vm_program torture_vm_life = {
    .start = nothing, .operation = operation, .rest = rest, .check = check};
