/* SPDX-License-Identifier: MIT */
/*
 * platform_op and mca: the wall clock and its bounds, the end of the machine, CPUs, firmware, and
 * the honest refusal of the rest.
 */
#include "core_support.h"

#include <string.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/platform.h>

static const uint32_t offered[] = {
    XENPF_settime64,   XENPF_settime32,        XENPF_firmware_info,
    XENPF_get_cpuinfo, XENPF_enter_acpi_sleep, XENPF_platform_quirk,
};

static long platform(struct xen_platform_op *op)
{
    op->interface_version = XENPF_INTERFACE_VERSION;
    return core_call_with(ctl, __HYPERVISOR_platform_op, op, sizeof(*op));
}

static long mca(struct xen_mc *op)
{
    op->interface_version = XEN_MCA_INTERFACE_VERSION;
    return core_call_with(ctl, __HYPERVISOR_mca, op, sizeof(*op));
}

static void unprivileged_callers_are_refused(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    struct xen_platform_op *op = host_guest(CORE_ARG);
    uint64_t copies = host_copies;

    (void)state;
    for (uint32_t cmd = 0; cmd < 80; cmd++) {
        *op = (struct xen_platform_op){.cmd = cmd, .interface_version = XENPF_INTERFACE_VERSION};
        assert_int_equal(core_call(d->vcpu[0], __HYPERVISOR_platform_op, CORE_ARG, 0, 0),
                         -XEN_EPERM);
        assert_int_equal(core_call(d->vcpu[0], __HYPERVISOR_mca, CORE_ARG, 0, 0), -XEN_EPERM);
    }
    assert_int_equal(host_copies, copies);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

static void refusals(void **state)
{
    struct xen_platform_op op = {.cmd = XENPF_get_cpuinfo, .interface_version = 1};

    (void)state;
    assert_int_equal(core_call_with(ctl, __HYPERVISOR_platform_op, &op, sizeof(op)), -XEN_EACCES);
    assert_int_equal(core_call(ctl, __HYPERVISOR_platform_op, CORE_NOWHERE, 0, 0), -XEN_EFAULT);
    for (uint32_t cmd = 0; cmd < 100; cmd++) {
        bool known = false;

        for (unsigned int i = 0; i < ARRAY_SIZE(offered); i++)
            known |= offered[i] == cmd;
        op = (struct xen_platform_op){.cmd = cmd};
        if (!known)
            assert_int_equal(platform(&op), -XEN_EOPNOTSUPP);
    }
    op.cmd = ~0u;
    assert_int_equal(platform(&op), -XEN_EOPNOTSUPP);
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + sizeof(op);
    op.cmd = XENPF_get_cpuinfo;
    assert_int_equal(platform(&op), -XEN_EFAULT);
    host_read_only_end = 0;
}

/* The wall clock is what the kernel says it is at that system time, and every domain sees it
 * when it runs; its kernel does at once. */
static void settime(void **state)
{
    struct domain *d = core_make_guest(1, 1);
    struct xen_platform_op op = {
        .cmd = XENPF_settime64,
        .u.settime64 = {.secs = 1000, .nsecs = 5, .system_time = SECONDS(100)}};

    (void)state;
    assert_int_equal(platform(&op), 0);
    assert_int_equal(ctl->domain->shared_info->wc_sec, 900);
    host_run_as(d->vcpu[0]);
    assert_int_equal(d->shared_info->wc_sec, 900);
    assert_int_equal(d->shared_info->wc_nsec, 5);
    assert_int_equal(d->shared_info->wc_version & 1, 0);
    op = (struct xen_platform_op){.cmd = XENPF_settime32,
                                  .u.settime32 = {.secs = 2000, .system_time = SECONDS(1)}};
    assert_int_equal(platform(&op), 0);
    assert_int_equal(ctl->domain->shared_info->wc_sec, 1999);
    assert_int_equal(d->shared_info->wc_sec, 900);
    host_run_as(d->vcpu[0]);
    assert_int_equal(d->shared_info->wc_sec, 1999);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

static void settime_bounds(void **state)
{
    static const struct xenpf_settime64 bad[] = {
        {.secs = 1000, .nsecs = 1000000000},
        {.secs = 1000, .nsecs = ~0u},
        {.secs = ~0ull},
        {.secs = UINT64_MAX / 1000000000},
        {.secs = 10, .system_time = SECONDS(11)},
        {.secs = 10, .system_time = ~0ull},
        {.secs = 1000, .mbz = 1},
    };
    struct xen_platform_op op = {.cmd = XENPF_settime64};
    uint32_t before = ctl->domain->shared_info->wc_sec;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        op.u.settime64 = bad[i];
        assert_int_equal(platform(&op), -XEN_EINVAL);
    }
    op = (struct xen_platform_op){.cmd = XENPF_settime32, .u.settime32 = {.secs = 1, .nsecs = ~0u}};
    assert_int_equal(platform(&op), -XEN_EINVAL);
    assert_int_equal(ctl->domain->shared_info->wc_sec, before);
}

static void cpus(void **state)
{
    struct xen_platform_op op = {.cmd = XENPF_get_cpuinfo, .u.pcpu_info.flags = 77};

    (void)state;
    assert_int_equal(platform(&op), 0);
    assert_int_equal(op.u.pcpu_info.max_present, 0);
    assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
    assert_int_equal(op.u.pcpu_info.apic_id, 0);
    assert_int_equal(op.u.pcpu_info.acpi_id, 1); /* as the firmware counts */
    op.u.pcpu_info.xen_cpuid = 1;
    assert_int_equal(platform(&op), 0);
    assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
    op.u.pcpu_info.xen_cpuid = ~0u;
    assert_int_equal(platform(&op), 0);
    assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
}

static void firmware(void **state)
{
    struct xen_platform_op op = {.cmd = XENPF_firmware_info};

    (void)state;
    for (uint32_t type = 0; type < 10; type++) {
        op.u.firmware_info.type = type;
        op.u.firmware_info.index = XEN_FW_EFI_VERSION;
        assert_int_equal(platform(&op), type == XEN_FW_EFI_INFO ? 0 : -XEN_ESRCH);
    }
    op.u.firmware_info.type = XEN_FW_EFI_INFO;
    op.u.firmware_info.index = XEN_FW_EFI_CONFIG_TABLE;
    assert_int_equal(platform(&op), 0);
    assert_int_equal(op.u.firmware_info.u.efi_info.cfg.nent, 3);
    for (uint32_t index = XEN_FW_EFI_VENDOR; index < 10; index++) {
        op.u.firmware_info.index = index;
        assert_int_equal(platform(&op), -XEN_EINVAL);
    }
}

/* Linux asks for UEFI's services at each start: in the log that would look like a fault. */
static void asked_in_vain_without_a_line(void **state)
{
    struct xen_platform_op op = {.cmd = XENPF_efi_runtime_call};
    static char text[4096];
    uint32_t pos = 0;

    (void)state;
    log_clear();
    assert_int_equal(platform(&op), -XEN_EOPNOTSUPP);
    assert_int_equal(log_read(text, sizeof(text), &pos), 0);
    op.cmd = XENPF_get_cpu_version;
    assert_int_equal(platform(&op), -XEN_EOPNOTSUPP);
    text[log_read(text, sizeof(text) - 1, &pos)] = '\0';
    assert_non_null(strstr(text, "there is no operation 48"));
}

static jmp_buf stopped;

static void on_stop(void)
{
    longjmp(stopped, 1);
}

static void only_switching_off_is_a_sleep(void **state)
{
    struct xen_platform_op op = {.cmd = XENPF_enter_acpi_sleep};

    (void)state;
    for (uint32_t sleep = 0; sleep < 8; sleep++) {
        op.u.enter_acpi_sleep =
            (struct xenpf_enter_acpi_sleep){.sleep_state = sleep, .flags = sleep == 5};
        assert_int_equal(platform(&op), -XEN_EOPNOTSUPP);
    }
    assert_int_equal(host_stops, 0);
    op.u.enter_acpi_sleep = (struct xenpf_enter_acpi_sleep){.sleep_state = 5};
    host_on_stop = on_stop;
    if (setjmp(stopped) == 0)
        (void)platform(&op);
    assert_int_equal(host_stops, 1);
    assert_int_equal(host_stop_kind, STOP_POWEROFF);
}

static void quirks_are_noted(void **state)
{
    struct xen_platform_op op = {.cmd = XENPF_platform_quirk, .u.platform_quirk.quirk_id = ~0u};

    (void)state;
    assert_int_equal(platform(&op), 0);
}

static void machine_checks(void **state)
{
    struct mcinfo_logical_cpu *cpu = host_guest(CORE_DATA);
    const unsigned char *bytes = host_guest(CORE_DATA);
    struct xen_mc op = {.cmd = XEN_MC_fetch};

    (void)state;
    assert_int_equal(mca(&op), 0);
    assert_true(op.u.mc_fetch.flags & XEN_MC_NODATA);
    for (uint32_t cmd = 0; cmd < 10; cmd++) {
        op = (struct xen_mc){.cmd = cmd};
        if (cmd != XEN_MC_fetch && cmd != XEN_MC_physcpuinfo)
            assert_int_equal(mca(&op), -XEN_EOPNOTSUPP);
    }
    op = (struct xen_mc){.cmd = XEN_MC_physcpuinfo};
    assert_int_equal(mca(&op), 0);
    assert_int_equal(op.u.mc_physcpuinfo.ncpus, 1);
    memset(cpu, 0xa5, 2 * sizeof(*cpu));
    op.u.mc_physcpuinfo = (struct xen_mc_physcpuinfo){.ncpus = ~0u, .info = CORE_DATA};
    assert_int_equal(mca(&op), 0);
    assert_int_equal(op.u.mc_physcpuinfo.ncpus, 1);
    assert_int_equal(cpu[0].mc_ncores, 1);
    assert_int_equal(cpu[1].mc_ncores, 0xa5a5a5a5);
    /* XSA-132: no byte of the result is what was there before. */
    for (size_t i = 0; i < sizeof(*cpu); i++)
        assert_int_not_equal(bytes[i], 0xa5);
    op.u.mc_physcpuinfo.info = CORE_NOWHERE;
    assert_int_equal(mca(&op), -XEN_EFAULT);
    op.interface_version = 1;
    assert_int_equal(core_call_with(ctl, __HYPERVISOR_mca, &op, sizeof(op)), -XEN_EACCES);
    assert_int_equal(core_call(ctl, __HYPERVISOR_mca, CORE_NOWHERE, 0, 0), -XEN_EFAULT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unprivileged_callers_are_refused),
        TEST(refusals),
        TEST(settime),
        TEST(settime_bounds),
        TEST(cpus),
        TEST(firmware),
        TEST(asked_in_vain_without_a_line),
        TEST(only_switching_off_is_a_sleep),
        TEST(quirks_are_noted),
        TEST(machine_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
