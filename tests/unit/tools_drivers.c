/* SPDX-License-Identifier: MIT */
/*
 * What a domain wants of devices that come with the machine's drivers, after the prompt: it is
 * waited for as long as they come, and no longer than two minutes.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"
#include "interrupt.h"

static int left; /* the drivers are being loaded for so many looks yet */

static bool starting(void)
{
    return left > 0 && left--;
}

/* br1 is there when they are. */
static int check_bridge(const char *bridge)
{
    return left == 0 && strcmp(bridge, "br1") == 0 ? 0 : -ENODEV;
}

static int check_file(const char *path, bool readonly)
{
    (void)path, (void)readonly;
    return -EISDIR;
}

static void no_time_passes(unsigned int ms)
{
    (void)ms;
}

static const struct device_system model = {.check_bridge = check_bridge,
                                           .check_file = check_file,
                                           .sleep_ms = no_time_passes,
                                           .starting = starting};

static void what_may_come_is_waited_for(void **state)
{
    static const struct {
        const char *bridge;
        int looks, rc, left;
    } cases[] = {
        {"br1", 0, 0, 0},
        {"br1", 9, 0, 0},
        {"br9", 0, -ENODEV, 0},
        {"br9", 9, -ENODEV, 0},
        {"br9", 10000, -ENODEV, 3999},
    };

    (void)state;
    device_system = &model;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nic_config nic = {.bridge = (char *)(uintptr_t)cases[i].bridge};
        const struct domain_config c = {.name = (char *)"web", .nics = &nic, .nr_nics = 1};
        struct error e = {0};

        left = cases[i].looks;
        assert_int_equal(devices_check(NULL, &c, &e), cases[i].rc);
        assert_int_equal(left, cases[i].left);
        assert_string_equal(e.text,
                            cases[i].rc ? "web: <interface>: there is no bridge 'br9'" : "");
    }
}

/* Who waits is told to stop. */
static void a_signal_ends_the_wait(void **state)
{
    struct nic_config nic = {.bridge = (char *)"br9"};
    const struct domain_config c = {.name = (char *)"web", .nics = &nic, .nr_nics = 1};
    struct error e = {0};

    (void)state;
    device_system = &model;
    left = 9;
    interrupt_catch();
    raise(SIGTERM);
    assert_int_equal(devices_check(NULL, &c, &e), -EINTR);
    assert_string_equal(e.text, "web: interrupted by SIGTERM");
    assert_int_equal(left, 8);
    signal(SIGTERM, SIG_IGN); /* else it would end us now */
    interrupt_release();
    signal(SIGTERM, SIG_DFL);
}

/* No driver will mend that. */
static void what_is_not_fit_is_not(void **state)
{
    struct disk_config disk = {.kind = DISK_FILE,
                               .source = (char *)"/dev/disk/by-id/virtio-guest",
                               .target = (char *)"xvda"};
    const struct domain_config c = {.name = (char *)"web", .disks = &disk, .nr_disks = 1};
    struct error e = {0};

    (void)state;
    device_system = &model;
    left = 9;
    assert_int_equal(devices_check(NULL, &c, &e), -EISDIR);
    assert_int_equal(left, 8);
    assert_string_equal(e.text, "web: <disk> 'xvda': /dev/disk/by-id/virtio-guest (which `make run "
                                "GUEST_DISK=` gives the machine): Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_come_is_waited_for),
        cmocka_unit_test(a_signal_ends_the_wait),
        cmocka_unit_test(what_is_not_fit_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
