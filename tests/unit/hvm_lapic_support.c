/* SPDX-License-Identifier: MIT */
/*
 * The guest of hvm_lapic_support.h: the host's kind, but for what a vCPU has and what ends its
 * waits.
 */
#include "hvm_lapic_support.h"

#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>

static bool told_of_xen;

static int init_domain(struct domain *d)
{
    d->arch.hvm.xen = told_of_xen;
    return 0;
}

static int init_vcpu(struct vcpu *v)
{
    lapic_init(v);
    return 0;
}

static void free_vcpu(struct vcpu *v)
{
    lapic_kill(v);
}

static bool event_pending(const struct vcpu *v)
{
    return lapic_pending(v) >= 0 || lapic_startup_pending(v) || READ_ONCE(v->nmi_pending);
}

struct domain *lapic_guest(unsigned int vcpus, bool xen)
{
    static struct guest_ops kind;
    struct domain *d;

    host_init(1024);
    host_no_tlbs = true;
    kind = host_guest_ops;
    kind.domain_init = init_domain;
    kind.vcpu_init = init_vcpu;
    kind.vcpu_free = free_vcpu;
    kind.event_pending = event_pending;
    guest_kinds[0] = &kind;
    told_of_xen = xen;
    d = host_domain(1, false, vcpus, 0);
    for (unsigned int i = 1; i < vcpus; i++) {
        atomic_or(&d->vcpu[i]->pause_flags, VPF_down);
        vcpu_sleep(d->vcpu[i]);
    }
    return d;
}

void lapic_guest_end(struct domain *d)
{
    host_destroy(d);
    assert_int_equal(host_locks_held(), 0);
    host_check_invariants();
}

uint32_t lapic_get(struct vcpu *v, unsigned int i)
{
    uint64_t wide;

    if (lapic_in_x2apic(lapic_of(v))) {
        assert_true(lapic_rdmsr(v, 0x800 + i, &wide));
        return (uint32_t)wide;
    }
    return lapic_mmio_read(v, i * 16);
}

void lapic_put(struct vcpu *v, unsigned int i, uint32_t value)
{
    if (lapic_in_x2apic(lapic_of(v)))
        assert_true(lapic_wrmsr(v, 0x800 + i, value));
    else
        lapic_mmio_write(v, i * 16, value);
}

void lapic_ipi(struct vcpu *v, uint32_t icr, uint32_t destination)
{
    if (lapic_in_x2apic(lapic_of(v))) {
        assert_true(lapic_wrmsr(v, 0x830, (uint64_t)destination << 32 | icr));
    } else {
        lapic_put(v, 0x31, destination << 24);
        lapic_put(v, 0x30, icr);
    }
}

uint64_t lapic_base(struct vcpu *v)
{
    uint64_t base;

    assert_true(lapic_rdmsr(v, BASE_MSR, &base));
    return base;
}

void lapic_enable(struct vcpu *v)
{
    lapic_put(v, 0x0f, 0x1ff);
}

void lapic_to_x2apic(struct vcpu *v)
{
    assert_true(lapic_wrmsr(v, BASE_MSR, X2APIC));
}

void lapic_all_up(struct domain *d)
{
    struct vcpu *v;
    uint8_t vector;

    lapic_ipi(d->vcpu[0], 0xc4608, 0); /* STARTUP, to all others */
    for_each_vcpu (d, v) {
        assert_int_equal(lapic_take_startup(v, &vector), v->vcpu_id ? LAPIC_STARTS : LAPIC_RUNS);
        lapic_enable(v);
    }
}

bool lapic_is_set(struct vcpu *v, unsigned int first, uint8_t vector)
{
    return lapic_get(v, first + vector / 32) >> vector % 32 & 1;
}

int lapic_serve(struct vcpu *v)
{
    int vector = lapic_pending(v);

    if (vector >= 0) {
        lapic_accept(v, (uint8_t)vector);
        lapic_put(v, 0x0b, 0);
    }
    return vector;
}
