/* SPDX-License-Identifier: MIT */
/*
 * The hypercall table, continuations and multicall: privilege, unknown numbers, re-issue with the
 * right arguments, lists that end where they must, results that land where they belong. And
 * xen_version, which answers without telling what is not the guest's to know.
 */
#include "core_test.h"

#include <core/base/hypercall.h>
#include <core/guest/version.h>
#include <core/state/guest_ops.h>
#include <port/upcalls.h>
#include <pv/hypercall.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static struct domain *dom0, *d;
static struct vcpu *v;

static int setup(void **state)
{
    (void)state;
    host_init(4096);
    dom0 = host_domain(0, true, 1, 0);
    d = host_domain(1, false, 1, 0);
    v = d->vcpu[0];
    return 0;
}

static void unknown_numbers(void **state)
{
    (void)state;
    for (unsigned int nr = 0; nr < 200; nr++)
        if (nr >= NR_HYPERCALLS || !pv_hypercalls.name[nr])
            assert_int_equal(host_hypercall(v, nr, (uint64_t[6]){0}, NULL), -XEN_ENOSYS);
    assert_int_equal(host_hypercall(v, ~0u, (uint64_t[6]){0}, NULL), -XEN_ENOSYS);
}

/* What a kernel asks of Xen, and goes without, is nothing to tell; numbers that are nobody's are.
 */
static void unknown_numbers_that_are_told(void **state)
{
    static const struct {
        unsigned int nr;
        bool told;
    } calls[] = {
        {__HYPERVISOR_xenpmu_op, false},
        {__HYPERVISOR_xsm_op, false},
        {__HYPERVISOR_hypfs_op, false},
        {11, true},
        {43, true},
        {47, true},
        {__HYPERVISOR_arch_1, true},
        {63, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        d->refusals = 0;
        assert_int_equal(host_hypercall(v, calls[i].nr, (uint64_t[6]){0}, NULL), -XEN_ENOSYS);
        assert_int_equal(d->refusals, calls[i].told);
    }
}

static void unknown_numbers_are_told_once(void **state)
{
    uint64_t before = d->refusals;

    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        assert_int_equal(host_hypercall(v, 63, (uint64_t[6]){0}, NULL), -XEN_ENOSYS);
        assert_int_equal(d->refusals, before + 1);
    }
    assert_int_equal(host_hypercall(v, 62, (uint64_t[6]){0}, NULL), -XEN_ENOSYS);
    assert_int_equal(d->refusals, before + 2);
}

static void control_operations_are_the_control_domains(void **state)
{
    (void)state;
    assert_int_equal(call(v, domctl, ARG), -XEN_EPERM);
    assert_int_equal(call(v, sysctl, ARG), -XEN_EPERM);
    assert_int_equal(call(v, platform_op, ARG), -XEN_EPERM);
    assert_int_equal(call(v, mca, ARG), -XEN_EPERM);
    assert_int_equal(call(dom0->vcpu[0], domctl, 0xffff800000000000ull), -XEN_EFAULT);
}

static void reissue_sets_the_guest_back(void **state)
{
    (void)state;
    host_run_as(v);
    v->regs.rip = 0x5002;
    v->hc_nr = __HYPERVISOR_memory_op;
    v->regs.rdx = 77;
    assert_int_equal(hypercall_create_continuation(11, 22), -XEN_ERESTART);
    pv_reissue(v);
    assert_int_equal(v->regs.rip, 0x5000);
    assert_int_equal(v->regs.rax, __HYPERVISOR_memory_op);
    assert_int_equal(v->regs.rdi, 11);
    assert_int_equal(v->regs.rsi, 22);
    assert_int_equal(v->regs.rdx, 77);
    /* without new arguments: the same again */
    v->regs.rip = 0x5002;
    pv_reissue(v);
    assert_int_equal(v->regs.rip, 0x5000);
    assert_int_equal(v->regs.rdi, 11);
}

/* A CPU that others wait for flushes before all else, and a long hypercall need not end for it. */
static void asked_to_flush(void **state)
{
    unsigned int before;

    (void)state;
    host_run_as(v);
    before = host_flushes;
    atomic_or(&this_cpu()->pending, CPU_WORK_FLUSH);
    cpu_do_pending();
    assert_int_equal(host_flushes, before + 1);
    this_cpu()->slice_end = 0;
    assert_false(hypercall_preempt_check());
    atomic_or(&this_cpu()->pending, CPU_WORK_FLUSH);
    assert_false(hypercall_preempt_check());
    assert_int_equal(host_flushes, before + 2);
    atomic_or(&this_cpu()->pending, CPU_WORK_WBINVD | CPU_WORK_SCHEDULE);
    assert_true(hypercall_preempt_check());
    assert_int_equal(this_cpu()->pending, CPU_WORK_SCHEDULE);
    host_exit_path();
    assert_int_equal(host_flushes, before + 2);
}

static struct multicall_entry *list(void)
{
    return host_guest(LIST);
}

static void put(unsigned int i, uint64_t op, uint64_t a0, uint64_t a1)
{
    list()[i] = (struct multicall_entry){.op = op, .result = 0x5555, .args = {a0, a1}};
}

/* What stands above a parameter's width is nobody's; the registers of arguments are lost after the
 * call, as builds of this library are for debugging. */
static void arguments_in_registers(void **state)
{
    const uint64_t args[6] = {0xffffffff00000000ull | XENVER_pagesize, 0, 33, 44, 55, 66};

    (void)state;
    v->regs.rbx = 22;
    assert_int_equal(host_hypercall(v, __HYPERVISOR_xen_version, args, NULL), 4096);
    assert_true(v->regs.rdi != args[0] && v->regs.rsi != args[1]);
    assert_int_equal(v->regs.rdx, 33); /* xen_version has two */
    assert_int_equal(v->regs.r9, 66);
    assert_int_equal(v->regs.rbx, 22);
    /* Those of a list's entries are in memory. */
    put(0, __HYPERVISOR_update_va_mapping, 0, 0);
    assert_int_equal(host_hypercall(v, __HYPERVISOR_multicall, (uint64_t[6]){LIST, 1, 33}, NULL),
                     0);
    assert_true(v->regs.rdi != LIST && v->regs.rsi != 1);
    assert_int_equal(v->regs.rdx, 33);
}

static void a_slice_ends(void **state)
{
    (void)state;
    this_cpu()->slice_end = 0;
    this_cpu()->pending = 0;
    assert_false(hypercall_preempt_check());
    host_advance(HYPERCALL_SLICE / 2);
    this_cpu()->pending = 0;
    assert_false(hypercall_preempt_check());
    host_advance(HYPERCALL_SLICE);
    assert_true(hypercall_preempt_check());
    this_cpu()->slice_end = 0;
    assert_false(hypercall_preempt_check());
    atomic_or(&this_cpu()->pending, CPU_WORK_SCHEDULE);
    assert_true(hypercall_preempt_check());
}

static void a_list_runs_to_its_end(void **state)
{
    (void)state;
    put(0, __HYPERVISOR_xen_version, XENVER_version, 0);
    put(1, 1000, 0, 0);                      /* an error does not stop it */
    put(2, __HYPERVISOR_multicall, LIST, 1); /* nor one in another */
    put(3, __HYPERVISOR_sched_op, 99, 0);
    put(4, __HYPERVISOR_xen_version, XENVER_pagesize, 0);
    assert_int_equal(call(v, multicall, LIST, 5), 0);
    assert_int_equal(list()[0].result, XEN_MAJOR << 16 | XEN_MINOR);
    assert_int_equal((long)list()[1].result, -XEN_ENOSYS);
    assert_int_equal((long)list()[2].result, -XEN_EINVAL);
    assert_int_equal((long)list()[3].result, -XEN_ENOSYS);
    assert_int_equal(list()[4].result, 4096);
    assert_false(v->in_multicall);
}

/* The frame's RAX is the guest's, and nothing behind an iret is run: to the kernel's mode too. */
static void an_iret_ends_it(void **state)
{
    struct iret_context *frame = host_guest(ARG);

    (void)state;
    *frame = (struct iret_context){.rax = 0x1234,
                                   .rip = 0x7000,
                                   .cs = FLAT_KERNEL_CS & ~3,
                                   .rflags = 0x202,
                                   .rsp = 0x9000,
                                   .ss = FLAT_KERNEL_SS};
    put(0, __HYPERVISOR_iret, 0, 0);
    put(1, __HYPERVISOR_xen_version, XENVER_version, 0);
    v->regs.rsp = ARG;
    assert_int_equal(call(v, multicall, LIST, 2), 0x1234);
    assert_int_equal(v->regs.rip, 0x7000);
    assert_int_equal(v->regs.rsp, 0x9000);
    assert_int_equal(list()[1].result, 0x5555);
    assert_false(v->in_multicall);
    /* A number that looks like the wish to give way is a number. */
    frame->rax = (uint64_t)-XEN_ERESTART;
    v->regs.rsp = ARG;
    assert_int_equal(call(v, multicall, LIST, 2), -XEN_ERESTART);
    assert_int_equal(v->regs.rip, 0x7000);
}

/* XSA-213: what follows a hypercall that ends the list (iret) is not run; the result is its own. A
 * guest kind of the test's has one.
 */
static int set_context_and_end(struct vcpu *who, const struct vcpu_guest_context *c)
{
    (void)who, (void)c;
    v->in_multicall = false;
    return -XEN_EINVAL;
}

static void a_hypercall_may_end_it(void **state)
{
    struct guest_ops ops = host_guest_ops;

    (void)state;
    ops.set_context = set_context_and_end;
    d->ops = &ops;
    v->initialised = false;
    put(0, __HYPERVISOR_vcpu_op, VCPUOP_initialise, 0);
    list()[0].args[2] = ARG;
    put(1, __HYPERVISOR_xen_version, XENVER_version, 0);
    assert_int_equal(call(v, multicall, LIST, 2), -XEN_EINVAL);
    assert_int_equal(list()[0].result, 0x5555);
    assert_int_equal(list()[1].result, 0x5555);
    assert_false(v->in_multicall);
    d->ops = &host_guest_ops;
}

static void addresses_that_cannot_be(void **state)
{
    const uint64_t too_many[] = {~0ull, ~0ull / 64, (1ull << 58) + 1};

    (void)state;
    assert_int_equal(call(v, multicall, 0xffff800000000000ull, 1), -XEN_EFAULT);
    /* longer than there are addresses: not begun; the last of them as few bytes as one entry */
    put(0, __HYPERVISOR_xen_version, XENVER_version, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(too_many); i++) {
        assert_int_equal(call(v, multicall, LIST, too_many[i]), -XEN_EFAULT);
        assert_int_equal(list()[0].result, 0x5555);
    }
    assert_int_equal(call(v, multicall, 8, 1), -XEN_EFAULT); /* not mapped */
    assert_false(v->in_multicall);
    host_read_only = LIST;
    host_read_only_end = LIST + 4096;
    put(0, __HYPERVISOR_xen_version, XENVER_version, 0);
    assert_int_equal(call(v, multicall, LIST, 1), -XEN_EFAULT);
    assert_false(v->in_multicall);
    assert_int_equal(call(v, multicall, LIST, 0), 0);
}

static void a_long_list_gives_way(void **state)
{
    unsigned int issues;

    (void)state;
    for (unsigned int i = 0; i < 100; i++)
        put(i, __HYPERVISOR_xen_version, XENVER_version, 0);
    host_run_as(v);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(host_hypercall(v, __HYPERVISOR_multicall, (uint64_t[6]){LIST, 100}, &issues),
                     0);
    assert_true(issues > 1);
    for (unsigned int i = 0; i < 100; i++)
        assert_int_equal(list()[i].result, XEN_MAJOR << 16 | XEN_MINOR);
    this_cpu()->pending = 0;
}

/* An entry that gives way is rewritten in the list and goes on where it was. */
static void an_entry_that_gives_way(void **state)
{
    unsigned int issues;

    (void)state;
    memset(host_guest(ARG), 'x', 1000);
    list()[0] = (struct multicall_entry){.op = __HYPERVISOR_console_io,
                                         .args = {CONSOLEIO_write, 1000, ARG}};
    put(1, __HYPERVISOR_xen_version, XENVER_version, 0);
    host_run_as(dom0->vcpu[0]);
    host_console_len = 0;
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    assert_int_equal(
        host_hypercall(dom0->vcpu[0], __HYPERVISOR_multicall, (uint64_t[6]){LIST, 2}, &issues), 0);
    assert_true(issues > 4);
    assert_int_equal(host_console_len, 1000);
    assert_int_equal(list()[0].result, 0);
    assert_int_equal(list()[1].result, XEN_MAJOR << 16 | XEN_MINOR);
    this_cpu()->pending = 0;
}

static uint32_t features_of(struct vcpu *who)
{
    struct xen_feature_info f = {.submap_idx = 0};

    assert_int_equal(call_with(who, xen_version, XENVER_get_features, &f), 0);
    return f.submap;
}

static void who_we_are(void **state)
{
    struct xen_feature_info f = {.submap_idx = 1};
    char text[1024];

    (void)state;
    assert_int_equal(call(v, xen_version, XENVER_version, 0), XEN_MAJOR << 16 | XEN_MINOR);
    assert_int_equal(call(v, xen_version, XENVER_capabilities, ARG), 0);
    assert_string_equal(host_guest(ARG), "xen-3.0-x86_64 ");
    assert_int_equal(call_with(v, xen_version, XENVER_get_features, &f), -XEN_EINVAL);
    assert_false(features_of(v) & 1u << XENFEAT_dom0);
    assert_true(features_of(dom0->vcpu[0]) & 1u << XENFEAT_dom0);
    assert_false(features_of(v) & 1u << XENFEAT_pae_pgdir_above_4gb);
    d->vm_assist = 1u << VMASST_TYPE_pae_extended_cr3;
    assert_true(features_of(v) & 1u << XENFEAT_pae_pgdir_above_4gb);
    assert_false(features_of(v) & 1u << XENFEAT_writable_page_tables);
    version_set_command_line("secret=1");
    assert_int_equal(call(v, xen_version, XENVER_commandline, ARG), 0);
    assert_string_equal(host_guest(ARG), "<denied>");
    assert_int_equal(call(dom0->vcpu[0], xen_version, XENVER_commandline, ARG), 0);
    assert_string_equal(host_guest(ARG), "secret=1");
    /* XSA-122: behind each text there is nothing but zeros */
    memset(host_guest(ARG), 0xff, sizeof(text));
    assert_int_equal(call(v, xen_version, XENVER_capabilities, ARG), 0);
    memcpy(text, host_guest(ARG), sizeof(text));
    for (size_t i = strlen(text); i < sizeof(text); i++)
        assert_int_equal(text[i], 0);
}

static void every_version_question_with_a_bad_address(void **state)
{
    (void)state;
    for (unsigned int cmd = 1; cmd < 20; cmd++) {
        long rc = call(v, xen_version, cmd, 0xffff800000000000ull);
        assert_true(rc < 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(unknown_numbers),
        TEST(unknown_numbers_that_are_told),
        TEST(unknown_numbers_are_told_once),
        TEST(control_operations_are_the_control_domains),
        TEST(reissue_sets_the_guest_back),
        TEST(asked_to_flush),
        TEST(arguments_in_registers),
        TEST(a_slice_ends),
        TEST(a_list_runs_to_its_end),
        TEST(an_iret_ends_it),
        TEST(a_hypercall_may_end_it),
        TEST(addresses_that_cannot_be),
        TEST(a_long_list_gives_way),
        TEST(an_entry_that_gives_way),
        TEST(who_we_are),
        TEST(every_version_question_with_a_bad_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
