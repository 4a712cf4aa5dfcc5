/* SPDX-License-Identifier: MIT */
/*
 * The event counters of a paravirtual guest: each event counts once, where it belongs, and nothing
 * else does; what is refused is not counted as done. And the operation that reads them.
 */
#include "grant_call.h"

#include "pv_test.h"

#include "counters_seen.h"

#include <core/base/hypercall.h>
#include <pv/hypercall.h>
#include <pv/pv_ops.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define SLOT 100u
#define LIST (HOST_GUEST_BASE + 0x10000)
#define TOP  (mm_va(MM_SPARE) + PAGE_SIZE)

static struct vcpu *v;

static int setup(void **state)
{
    pv_setup(state);
    v = g.v;
    for (unsigned int i = 0; i < 256; i++)
        v->arch.pv.traps[i].address = HANDLER + i;
    for (unsigned int i = 0; i < ARRAY_SIZE(v->arch.pv.callback); i++)
        v->arch.pv.callback[i].address = HANDLER;
    v->regs.rsp = v->arch.pv.kernel_sp = TOP;
    g.d->vm_assist = 1u << VMASST_TYPE_writable_pagetables;
    counters_look(v);
    return 0;
}

static void hypercalls(void **state)
{
    struct multicall_entry *list = host_guest(LIST);

    (void)state;
    assert_int_equal(v->counter[HYPERCALL_NR(xen_version)], 0);
    (void)mm_call(&g, __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0);
    counted(v, HYPERCALL_NR(xen_version));
    assert_int_equal(mm_call(&g, 43, 0, 0, 0, 0), -XEN_ENOSYS);
    counted(v, COUNTER_hypercall + 43);
    assert_int_equal(mm_call(&g, 64, 0, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(mm_call(&g, ~0u, 0, 0, 0, 0), -XEN_ENOSYS);
    counters_judge(v, NULL, 0);
    list[0] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
    list[1] = (struct multicall_entry){.op = __HYPERVISOR_fpu_taskswitch};
    list[2] = (struct multicall_entry){.op = 64};
    assert_int_equal(mm_call(&g, __HYPERVISOR_multicall, LIST, 3, 0, 0), 0);
    counted(v, HYPERCALL_NR(multicall), HYPERCALL_NR(xen_version), HYPERCALL_NR(fpu_taskswitch));
}

/* The names that tools print are those of the tables, by number. */
static void names(void **state)
{
    static const char *const name[NR_HYPERCALLS] = {
#define X(n) [__HYPERVISOR_##n] = #n,
        COUNTERS_OF_HYPERCALLS(X)
#undef X
    };

    (void)state;
    for (unsigned int nr = 0; nr < NR_HYPERCALLS; nr++)
        if (pv_hypercalls.name[nr])
            assert_string_equal(name[nr], pv_hypercalls.name[nr]);
    assert_int_equal(NR_COUNTERS - COUNTER_hypercall, NR_HYPERCALLS);
}

static void entries_of_page_tables(void **state)
{
    uint64_t at = mm_entry_addr(&g, MM_L1, SLOT), val = mm_pte(g.frame[MM_SPARE], MM_RW);
    struct mmu_update *batch = host_guest(LIST);

    (void)state;
    assert_int_equal(mm_update(&g, at, val), 0);
    counted(v, HYPERCALL_NR(mmu_update), COUNTER_ptes_written);
    assert_int_equal(mm_update(&g, at, mm_pte(g.frame[MM_L1], MM_RW)), -XEN_EBUSY);
    counted(v, HYPERCALL_NR(mmu_update));
    /* What is no entry of a table: the M2P, a word of a plain frame. */
    batch[0] = (struct mmu_update){g.frame[MM_SPARE].n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 5};
    batch[1] = (struct mmu_update){at, 0};
    batch[2] = (struct mmu_update){mm_entry_addr(&g, MM_SPARE, 0), 7};
    batch[3] = (struct mmu_update){at, val};
    batch[4] = (struct mmu_update){~7ull, val};
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, LIST, 5, 0, DOMID_SELF), -XEN_EINVAL);
    counted(v, HYPERCALL_NR(mmu_update), COUNTER_ptes_written, COUNTER_ptes_written);
    assert_int_equal(mm_update_va(&g, mm_va(SLOT), 0, 0), 0);
    counted(v, HYPERCALL_NR(update_va_mapping), COUNTER_ptes_written);
    assert_int_equal(mm_update_va(&g, mm_va(SLOT), mm_pte(g.frame[MM_L1], MM_RW), UVMF_INVLPG),
                     -XEN_EBUSY);
    counted(v, HYPERCALL_NR(update_va_mapping));
}

static void flushes(void **state)
{
    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(SLOT), 0, UVMF_INVLPG), 0);
    counted(v, HYPERCALL_NR(update_va_mapping), COUNTER_ptes_written, COUNTER_flushes_of_one);
    assert_int_equal(mm_update_va(&g, mm_va(SLOT), 0, UVMF_TLB_FLUSH | UVMF_ALL), 0);
    counted(v, HYPERCALL_NR(update_va_mapping), COUNTER_ptes_written, COUNTER_flushes);
    assert_int_equal(mm_ext(&g, MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
    counted(v, HYPERCALL_NR(mmuext_op), COUNTER_flushes);
    assert_int_equal(mm_ext(&g, MMUEXT_INVLPG_ALL, mm_va(0), 0), 0);
    counted(v, HYPERCALL_NR(mmuext_op), COUNTER_flushes_of_one);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[MM_L4].n, 0), 0);
    counted(v, HYPERCALL_NR(mmuext_op), COUNTER_cr3_loads);
}

static void ways_in(void **state)
{
    struct iret_context *f;

    (void)state;
    v->regs.entry_vector = 0;
    pv_exception(v, 0);
    counted(v, COUNTER_exceptions);
    pv_page_fault(v, 0x1234);
    counted(v, COUNTER_exceptions);
    mm_make_table(&g, MM_SPARE + 2);
    mm_words(&g, MM_SPARE + 2)[0] = mm_words(&g, MM_L4)[0];
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_USER_BASEPTR, g.frame[MM_SPARE + 2].n, 0), 0);
    v->regs.rsp = TOP - 256;
    f = (struct iret_context *)((char *)mm_words(&g, MM_SPARE) + PAGE_SIZE - 256);
    *f = (struct iret_context){.cs = 3, .rsp = 0x4000};
    counters_look(v);
    (void)mm_call(&g, __HYPERVISOR_iret, 0, 0, 0, 0);
    counted(v, HYPERCALL_NR(iret), COUNTER_cr3_loads);
    pv_handle_syscall(v, CALLBACKTYPE_syscall);
    counted(v, COUNTER_syscalls, COUNTER_cr3_loads);
    v->vcpu_info->evtchn_upcall_mask = 0;
    pv_deliver_event(v);
    counters_judge(v, NULL, 0);
    v->vcpu_info->evtchn_upcall_pending = 1;
    pv_deliver_event(v);
    counted(v, COUNTER_upcalls);
}

static void code(const char *bytes, size_t n)
{
    memcpy(mm_words(&g, CODE), bytes, n);
    v->regs.rip = mm_va(CODE);
    v->regs.cs = FLAT_USER_CS64;
    v->regs.error_code = 0;
}

static void emulated(void **state)
{
    (void)state;
    code("\x0f\x0bxen\x0f\xa2", 7);
    v->regs.entry_vector = TRAP_invalid_op;
    pv_exception(v, 0);
    counted(v, COUNTER_emulated_instructions);
    code("\x0f\x20\xd0", 3); /* mov rax, cr2 */
    v->regs.entry_vector = TRAP_gp_fault;
    pv_exception(v, 0);
    counted(v, COUNTER_emulated_instructions);
    code("\x0f\x0b", 2);
    v->regs.entry_vector = TRAP_invalid_op;
    pv_exception(v, 0);
    counted(v, COUNTER_exceptions);
    code("\x48\x89\x03", 3); /* mov [rbx], rax */
    v->regs.rbx = mm_va(MM_L1) + SLOT * 8;
    v->regs.rax = 0;
    v->regs.error_code = PFEC_PRESENT | PFEC_WRITE;
    v->arch.pv.kernel_mode = true;
    pv_page_fault(v, v->regs.rbx);
    counted(v, COUNTER_emulated_writes, COUNTER_ptes_written);
}

static void grants(void **state)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = mm_va(SLOT), .flags = GNTMAP_host_map, .ref = 9, .dom = 0};
    struct gnttab_unmap_grant_ref u = {.host_addr = mm_va(SLOT)};
    struct gnttab_copy c = {.source = {{.ref = 9}, 0, 0},
                            .dest = {{.gmfn = g.frame[MM_SPARE].n}, DOMID_SELF, 0},
                            .len = 8,
                            .flags = GNTCOPY_source_gref};

    (void)state;
    assert_int_equal(OP(&g, map_grant_ref, m), 0);
    assert_int_not_equal(m.status, GNTST_okay);
    assert_int_equal(OP(&g, copy, c), 0);
    assert_int_not_equal(c.status, GNTST_okay);
    counted(v, HYPERCALL_NR(grant_table_op), HYPERCALL_NR(grant_table_op));
    give(&control, 9, 1, MM_SPARE, 0);
    assert_int_equal(OP(&g, copy, c), 0);
    assert_int_equal(c.status, GNTST_okay);
    counted(v, HYPERCALL_NR(grant_table_op), COUNTER_grants_copied);
    assert_int_equal(OP(&g, map_grant_ref, m), 0);
    assert_int_equal(m.status, GNTST_okay);
    counted(v, HYPERCALL_NR(grant_table_op), COUNTER_grants_mapped, COUNTER_ptes_written);
    u.handle = m.handle;
    assert_int_equal(OP(&g, unmap_grant_ref, u), 0);
    assert_int_equal(u.status, GNTST_okay);
    counted(v, HYPERCALL_NR(grant_table_op), COUNTER_ptes_written);
}

static void events_and_timers(void **state)
{
    struct evtchn_bind_ipi *ipi = host_guest(ARG);
    struct evtchn_send *send = host_guest(ARG);
    struct vcpu_set_periodic_timer *period = host_guest(ARG);
    uint32_t port;

    (void)state;
    ipi->vcpu = 0;
    assert_int_equal(mm_call(&g, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, ARG, 0, 0), 0);
    port = ipi->port;
    counted(v, HYPERCALL_NR(event_channel_op));
    send->port = port;
    assert_int_equal(mm_call(&g, __HYPERVISOR_event_channel_op, EVTCHNOP_send, ARG, 0, 0), 0);
    counted(v, HYPERCALL_NR(event_channel_op), COUNTER_ipis);
    send->port = port + 1;
    assert_int_not_equal(mm_call(&g, __HYPERVISOR_event_channel_op, EVTCHNOP_send, ARG, 0, 0), 0);
    counted(v, HYPERCALL_NR(event_channel_op));
    assert_int_equal(mm_call(&g, __HYPERVISOR_set_timer_op, (uint64_t)clock_now() + 1000, 0, 0, 0),
                     0);
    counted(v, HYPERCALL_NR(set_timer_op));
    host_advance(2000);
    counted(v, COUNTER_timers);
    period->period_ns = (uint64_t)MILLISECS(1);
    assert_int_equal(mm_call(&g, __HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, ARG, 0), 0);
    counted(v, HYPERCALL_NR(vcpu_op));
    host_advance(MILLISECS(1));
    counted(v, COUNTER_timers);
}

static void switches(void **state)
{
    (void)state;
    host_run_as(control.v);
    counters_judge(v, NULL, 0);
    host_run_as(v);
    counted(v, COUNTER_switches);
    sched_schedule(); /* it goes on */
    counters_judge(v, NULL, 0);
}

/* --- the operation --- */

static long ask(struct mm_guest *who, domid_t id, struct parvis_domctl_counters *a)
{
    struct xen_domctl *op = host_guest(ARG);
    long rc;

    *op = (struct xen_domctl){.cmd = PARVIS_DOMCTL_counters,
                              .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                              .domain = id};
    memcpy(&op->u, a, sizeof(*a));
    rc = mm_call(who, __HYPERVISOR_domctl, ARG, 0, 0, 0);
    memcpy(a, &op->u, sizeof(*a));
    return rc;
}

static void read_by_the_control_domain(void **state)
{
    struct parvis_domctl_counters a = {.nr = 1000, .values = LIST};
    uint64_t *values = host_guest(LIST);

    (void)state;
    for (unsigned int i = 0; i < NR_COUNTERS; i++)
        v->counter[i] = i * 3 + (1ull << 40);
    values[NR_COUNTERS] = 42;
    assert_int_equal(ask(&control, 1, &a), 0);
    assert_int_equal(a.nr, NR_COUNTERS);
    for (unsigned int i = COUNTER_timers; i < NR_COUNTERS; i++)
        assert_int_equal(values[i], i * 3 + (1ull << 40));
    assert_int_equal(values[NR_COUNTERS], 42);
    /* Less room: as much as there is. None: how many there are. */
    values[2] = 43;
    a.nr = 2;
    assert_int_equal(ask(&control, 1, &a), 0);
    assert_int_equal(a.nr, NR_COUNTERS);
    assert_int_equal(values[1], 3 + (1ull << 40));
    assert_int_equal(values[2], 43);
    a = (struct parvis_domctl_counters){.values = LIST};
    assert_int_equal(ask(&control, 1, &a), 0);
    assert_int_equal(a.nr, NR_COUNTERS);
}

static void refused_to_others(void **state)
{
    struct parvis_domctl_counters a = {.nr = 5, .values = LIST};

    (void)state;
    assert_int_equal(ask(&g, 1, &a), -XEN_EPERM);
    assert_int_equal(ask(&control, 7, &a), -XEN_ESRCH);
    a.vcpu = 1;
    assert_int_equal(ask(&control, 1, &a), -XEN_ESRCH);
    a.vcpu = ~0u;
    assert_int_equal(ask(&control, 1, &a), -XEN_ESRCH);
    a = (struct parvis_domctl_counters){.nr = ~0u, .values = 0x7000000000ull};
    assert_int_equal(ask(&control, 1, &a), -XEN_EFAULT);
    a.values = 0xffff830000000000ull; /* the hypervisor's */
    assert_int_equal(ask(&control, 1, &a), -XEN_EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hypercalls, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(names, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(entries_of_page_tables, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(flushes, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(ways_in, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(emulated, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(grants, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(events_and_timers, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(switches, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(read_by_the_control_domain, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(refused_to_others, setup, pv_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
