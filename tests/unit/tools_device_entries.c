/* SPDX-License-Identifier: MIT */
/*
 * What of a disk's and an interface's configuration the back ends read in the store: a drive that
 * is one, a limit of what the guest may send, addresses, and an interface on no bridge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"
#include "fake_host.h"

static struct fake_host *f;
static const char *joined_to; /* the bridge of the last interface that came up */
static unsigned int came_up;

static int block_number(const char *path, unsigned int *major, unsigned int *minor)
{
    (void)path;
    *major = 8;
    *minor = 16;
    return 0;
}

static int identify_number(unsigned int major, unsigned int minor, struct disk_id *out)
{
    *out = (struct disk_id){.block = true, .dev = major << 8 | minor};
    return 0;
}

static int bridge_join(const char *ifname, const char *rename, const char *bridge)
{
    (void)ifname, (void)rename;
    joined_to = bridge;
    came_up++;
    return 0;
}

static bool backend_serves(const char *device)
{
    (void)device;
    return true;
}

/* The drivers take up what they find. */
static void sleep_ms(unsigned int ms)
{
    (void)ms;
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        struct fake_entry *e = &f->entries[i];

        if (e->path && strstr(e->path, "/backend/") && strstr(e->path, "/state")) {
            free(e->value);
            e->value = strdup("2");
        }
    }
}

static bool starting(void)
{
    return false;
}

static const struct device_system model = {.block_number = block_number,
                                           .identify_number = identify_number,
                                           .bridge_join = bridge_join,
                                           .backend_serves = backend_serves,
                                           .sleep_ms = sleep_ms,
                                           .starting = starting};

static int setup(void **state)
{
    (void)state;
    device_system = &model;
    f = fake_new();
    joined_to = "none yet";
    came_up = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_free(f);
    return 0;
}

static void is(const char *path, const char *value)
{
    const char *have = fake_read(f, path);

    if (!have)
        fail_msg("%s is not there", path);
    assert_string_equal(have, value);
}

static void drives(void **state)
{
    struct disk_config disks[] = {{.kind = DISK_BLOCK,
                                   .source = (char *)"/dev/sdb",
                                   .target = (char *)"hdc",
                                   .vdev = 22 << 8,
                                   .readonly = true,
                                   .cdrom = true}};
    const struct domain_config c = {.name = (char *)"web", .disks = disks, .nr_disks = 1};
    struct error e = {0};

    (void)state;
    assert_int_equal(devices_attach(&f->host, &c, 5, &e), 0);
    is("/local/domain/5/device/vbd/5632/device-type", "cdrom");
    is("/local/domain/0/backend/vbd/5/5632/device-type", "cdrom");
    is("/local/domain/0/backend/vbd/5/5632/mode", "r");
    is("/local/domain/0/backend/vbd/5/5632/dev", "hdc");
}

static void interfaces(void **state)
{
    struct nic_config nics[] = {
        {.mac_given = true, .bridge = (char *)"xenbr0"},
        {.mac_given = true, .ip = (char *)"10.0.0.2 fd00::2", .rate_kib = 1000},
    };
    const struct domain_config c = {.name = (char *)"web", .nics = nics, .nr_nics = 2};
    struct error e = {0};

    (void)state;
    assert_int_equal(devices_attach(&f->host, &c, 5, &e), 0);
    assert_int_equal(came_up, 2);
    assert_null(joined_to);
    is("/local/domain/0/backend/vif/5/0/bridge", "xenbr0");
    assert_null(fake_read(f, "/local/domain/0/backend/vif/5/0/rate"));
    assert_null(fake_read(f, "/local/domain/0/backend/vif/5/0/ip"));
    assert_null(fake_read(f, "/local/domain/0/backend/vif/5/1/bridge"));
    is("/local/domain/0/backend/vif/5/1/ip", "10.0.0.2 fd00::2");
    is("/local/domain/0/backend/vif/5/1/rate", "51200,50000"); /* 1,024,000 bytes a second */
    assert_int_equal(
        devices_check(&f->host,
                      &(struct domain_config){.name = (char *)"w", .nics = &nics[1], .nr_nics = 1},
                      &e),
        0);
}

/* The most that may be asked for goes into the kernel's number. */
static void largest_rate(void **state)
{
    struct nic_config nic = {.mac_given = true, .rate_kib = CONFIG_MAX_RATE_KIB};
    const struct domain_config c = {.name = (char *)"web", .nics = &nic, .nr_nics = 1};
    struct error e = {0};

    (void)state;
    assert_int_equal(devices_attach(&f->host, &c, 5, &e), 0);
    is("/local/domain/0/backend/vif/5/0/rate", "214748313,50000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(drives, setup, teardown),
        cmocka_unit_test_setup_teardown(interfaces, setup, teardown),
        cmocka_unit_test_setup_teardown(largest_rate, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
