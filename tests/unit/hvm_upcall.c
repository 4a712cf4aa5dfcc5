/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a fully virtualized domain, set and asked by itself and by the control domain,
 * and how its guest is told of events: by a vector of all vCPUs or of one, at the right moment, and
 * not twice. And what of it is refused.
 */
#include "hvm_whole.h"

#include <core/sched/pause.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define VIA(v) (2ull << 56 | (v))
#define PLACE  0x3000ull /* in the guest's memory, which is at its own addresses */

static int setup(void **state)
{
    whole_setup(state);
    whole_told_of_xen();
    return 0;
}

/* --- parameters --- */

static long param(unsigned int cmd, domid_t domid, uint32_t index, uint64_t *value)
{
    struct xen_hvm_param p = {.domid = domid, .index = index, .value = *value};
    long rc = current == v ? whole_vmmcall_at(PLACE, __HYPERVISOR_hvm_op, cmd, &p)
                           : call_with(current, hvm_op, cmd, &p);

    *value = p.value;
    return rc;
}

static long set_param(domid_t domid, uint32_t index, uint64_t value)
{
    return param(HVMOP_set_param, domid, index, &value);
}

static uint64_t get_param(domid_t domid, uint32_t index)
{
    uint64_t value = ~0ull;

    assert_int_equal(param(HVMOP_get_param, domid, index, &value), 0);
    return value;
}

static void parameters(void **state)
{
    static const uint32_t all[] = {HVM_PARAM_CALLBACK_IRQ, HVM_PARAM_STORE_PFN,
                                   HVM_PARAM_STORE_EVTCHN, HVM_PARAM_CONSOLE_PFN,
                                   HVM_PARAM_CONSOLE_EVTCHN};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
        assert_int_equal(get_param(DOMID_SELF, all[i]), 0);
    host_run_as(dom0->vcpu[0]);
    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
        assert_int_equal(set_param(1, all[i], i ? 0x1000 + i : VIA(0xf3)), 0);
    host_run_as(v);
    assert_int_equal(get_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ), VIA(0xf3));
    assert_int_equal(get_param(1, HVM_PARAM_CONSOLE_PFN), 0x1003);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CONSOLE_EVTCHN, 5), 0);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_STORE_EVTCHN, 6), 0);
    host_run_as(dom0->vcpu[0]);
    assert_int_equal(get_param(1, HVM_PARAM_STORE_EVTCHN), 6);
}

static void parameters_refused(void **state)
{
    uint64_t value = 3;

    (void)state;
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_STORE_PFN, 3), -XEN_EPERM);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CONSOLE_PFN, 3), -XEN_EPERM);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(15)), -XEN_EINVAL);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, 3ull << 56 | 0x40), -XEN_EINVAL);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, ~0ull), -XEN_EINVAL);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, 1), 0); /* a line: not by it */
    assert_int_equal(get_param(DOMID_SELF, HVM_PARAM_STORE_PFN), 0);
    for (uint32_t index = 3; index < 17; index++)
        assert_int_equal(set_param(DOMID_SELF, index, 0), -XEN_EINVAL);
    for (uint32_t index = 19; index; index <<= 1)
        assert_int_equal(param(HVMOP_get_param, DOMID_SELF, index, &value), -XEN_EINVAL);
    assert_int_equal(param(HVMOP_get_param, 0, HVM_PARAM_STORE_PFN, &value), -XEN_EPERM);
    assert_int_equal(set_param(77, HVM_PARAM_CALLBACK_IRQ, 0), -XEN_ESRCH);
    assert_int_equal(param(9, DOMID_SELF, 0, &value), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_hvm_op, HVMOP_get_param, ~0ull << 13, 0),
                     -XEN_EFAULT);
    host_run_as(dom0->vcpu[0]); /* a kind that has none */
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, 0), -XEN_EINVAL);
}

/* --- events --- */

/* v is told that there is something. */
static void an_event(void)
{
    vcpu_mark_events_pending(v);
}

/* The interrupt that the guest has next; -1: none, or later. */
static int given(void)
{
    if (!(b->control.vintr & VINTR_IRQ) || vmcb_intercepts(b, EXIT_VINTR))
        return -1;
    return (int)(b->control.vintr >> VINTR_VECTOR_SHIFT);
}

/* It leaves, when it has taken what it was given. */
static void leave(void)
{
    if (given() >= 0)
        b->control.vintr &= ~VINTR_IRQ;
    whole_exit(EXIT_INTR, 0, 0);
}

static void next(void)
{
    assert_true(hvm_before_entry(v));
    leave();
}

static void a_vector_of_all(void **state)
{
    (void)state;
    assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 1); /* and means nothing */
    an_event();
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), -1);
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(0xf3)), 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0xf3);
    leave();
    assert_int_equal(given(), -1);
    assert_true(hvm_before_entry(v)); /* it has not cleared the byte */
    assert_int_equal(given(), 0xf3);
    leave();
    v->vcpu_info->evtchn_upcall_pending = 0;
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), -1);
    assert_int_equal(b->control.vintr & VINTR_IRQ, 0);
}

/* It comes when the guest takes interrupts, and before those of the local APIC. */
static void at_the_right_moment(void **state)
{
    (void)state;
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(0x30)), 0);
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    an_event();
    next();
    assert_true(b->control.vintr & VINTR_IRQ);
    v->regs.rflags |= X86_EFLAGS_IF;
    lapic_raise(v, 0x80);
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x30);
    leave();
    lapic_set_cr8(v, 15); /* and no TPR holds it back */
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x30);
    leave();
    v->vcpu_info->evtchn_upcall_pending = 0;
    lapic_set_cr8(v, 0);
    b->control.vintr &= ~VINTR_TPR;
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x80);
}

/* One that comes while another interrupt is under way is looked at when that one's handler ends;
 * but it does not wait behind itself. */
static void behind_another(void **state)
{
    (void)state;
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(0x30)), 0);
    an_event();
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x30);
    assert_false(vmcb_intercepts(b, EXIT_IRET));
    leave();
    v->vcpu_info->evtchn_upcall_pending = 0;
    lapic_raise(v, 0x80);
    assert_true(hvm_before_entry(v));
    assert_false(vmcb_intercepts(b, EXIT_IRET));
    whole_exit(EXIT_INTR, 0, 0); /* before it has taken it */
    an_event();
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x80);
    assert_true(vmcb_intercepts(b, EXIT_IRET));
    b->control.vintr &= ~VINTR_IRQ;
    whole_exit(EXIT_IRET, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x30);
}

static void it_ends_hlt(void **state)
{
    (void)state;
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(0x30)), 0);
    whole_exit(EXIT_HLT, 0, 0);
    assert_false(hvm_before_entry(v));
    assert_true(v->pause_flags & VPF_blocked);
    an_event();
    assert_false(v->pause_flags & VPF_blocked);
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x30);
}

static void not_in_profile_hvm(void **state)
{
    (void)state;
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(0x30)), 0);
    d->arch.hvm.xen = false;
    an_event();
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), -1);
}

static long set_vector(uint32_t vcpu, uint8_t vector)
{
    struct xen_hvm_evtchn_upcall_vector a = {.vcpu = vcpu, .vector = vector};

    return whole_vmmcall_at(PLACE, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &a);
}

static bool is_raised(uint8_t vector)
{
    return v->arch.hvm.lapic.reg[LAPIC_IRR + vector / 32] >> vector % 32 & 1;
}

static void a_vector_of_one(void **state)
{
    uint64_t isr = 0;

    (void)state;
    assert_int_equal(set_param(DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, VIA(0x30)), 0);
    assert_int_equal(set_vector(0, 0x51), 0);
    assert_false(is_raised(0x51));
    an_event();
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x51);
    leave();
    an_event(); /* the byte is set still */
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), -1);
    v->vcpu_info->evtchn_upcall_pending = 0;
    an_event(); /* in service: it waits for EOI */
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), -1);
    assert_true(hvm_wrmsr(v, MSR_APIC_BASE, LAPIC_ADDRESS | BASE_ENABLED | BASE_X2APIC | BASE_BSP));
    assert_true(hvm_rdmsr(v, MSR_X2APIC + LAPIC_ISR + 2, &isr));
    assert_int_equal(isr, 1u << (0x51 - 0x40));
    assert_true(hvm_wrmsr(v, MSR_X2APIC + LAPIC_EOI, 0));
    assert_true(hvm_before_entry(v));
    assert_int_equal(given(), 0x51);
}

/* What came before is not lost: before there was a vector, and where the byte was before. */
static void not_too_late(void **state)
{
    struct vcpu_register_vcpu_info info = {.mfn = 6, .offset = 64};

    (void)state;
    an_event();
    assert_int_equal(set_vector(0, 0x51), 0);
    assert_true(is_raised(0x51));
    next();
    v->vcpu_info->evtchn_upcall_pending = 0;
    v->regs.r10 = 0;
    memcpy(whole_memory(PLACE), &info, sizeof(info));
    assert_int_equal(whole_vmmcall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, PLACE), 0);
    assert_ptr_equal(v->vcpu_info, whole_memory(0x6040));
    assert_true(is_raised(0x51));
    assert_int_equal(set_vector(0, 15), -XEN_EINVAL);
    assert_int_equal(set_vector(0, 0), -XEN_EINVAL);
    assert_int_equal(set_vector(2, 0x51), -XEN_ENOENT);
    assert_int_equal(set_vector(~0u, 0x51), -XEN_ENOENT);
    host_run_as(dom0->vcpu[0]);
    assert_int_equal(call(dom0->vcpu[0], hvm_op, HVMOP_set_evtchn_upcall_vector, ARG), -XEN_EINVAL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(parameters),          T(parameters_refused), T(a_vector_of_all),
        T(at_the_right_moment), T(behind_another),     T(it_ends_hlt),
        T(not_in_profile_hvm),  T(a_vector_of_one),    T(not_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
