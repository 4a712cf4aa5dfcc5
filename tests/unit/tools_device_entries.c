/* SPDX-License-Identifier: MIT */
/*
 * What of a disk's and an interface's configuration the back ends read in the store: a drive that
 * is one, a limit of what the guest may send, addresses, and an interface on no bridge.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device_nic.h"
#include "devices.h"
#include "fake_host.h"
#include "fake_parts.h"
#include "unlimited.h"

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
    fake_backends_take_up(f, "2");
}

static int check_bridge(const char *bridge)
{
    (void)bridge;
    return 0;
}

static bool starting(void)
{
    return false;
}

static const struct device_system model = {.block_number = block_number,
                                           .identify_number = identify_number,
                                           .check_bridge = check_bridge,
                                           .bridge_join = bridge_join,
                                           .backend_serves = backend_serves,
                                           .sleep_ms = sleep_ms,
                                           .starting = starting,
                                           UNLIMITED};

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

/* Domain 5, or xl's, has an address on xenbr0; may another have this one there? Asked before it is
 * made, and when it is. */
static void assert_address(const uint8_t mac[6], const char *bridge, bool allowed)
{
    struct nic_config nic = {.mac_given = true, .bridge = (char *)(uintptr_t)bridge};
    const struct domain_config c = {.name = (char *)"two", .nics = &nic, .nr_nics = 1};
    const char *text = "two: <interface>: 00:16:3e:0a:0b:0c is on bridge 'xenbr0' already: domain "
                       "5 (one) has it";
    struct error e = {0};

    memcpy(nic.mac, mac, 6);
    assert_int_equal(devices_check(&f->host, &c, &e), allowed ? 0 : -EBUSY);
    if (!allowed)
        assert_string_equal(e.text, text);
    e.code = 0;
    assert_int_equal(devices_attach(&f->host, &c, 6, &e), allowed ? 0 : -EBUSY);
    if (!allowed)
        assert_string_equal(e.text, text);
    if (!allowed)
        assert_null(fake_read(f, "/local/domain/0/backend/vif/6/0/state"));
    fake_store_rm(&f->host, 0, "/local/domain/0/backend/vif/6");
}

static void addresses_have_one_owner(void **state)
{
    const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0x0a, 0x0b, 0x0c};
    struct nic_config nics[] = {{.mac_given = true, .mac = {2}, .bridge = (char *)"xenbr0"},
                                {.mac_given = true, .bridge = (char *)"xenbr0"}};
    const struct domain_config c = {.name = (char *)"one", .nics = nics, .nr_nics = 2};
    struct error e = {0};

    (void)state;
    memcpy(nics[1].mac, mac, 6);
    assert_int_equal(fake_store_write(&f->host, 0, "/local/domain/5/name", "one"), 0);
    assert_int_equal(devices_attach(&f->host, &c, 5, &e), 0);
    assert_address(mac, "xenbr0", false);
    assert_address(mac, "xenbr1", true); /* another network */
    assert_address(mac, NULL, true);
    assert_address((const uint8_t[]){0x00, 0x16, 0x3e, 0x0a, 0x0b, 0x0d}, "xenbr0", true);
    /* Its text is whoever's wrote it. */
    assert_int_equal(
        fake_store_write(&f->host, 0, "/local/domain/0/backend/vif/5/1/mac", "00:16:3E:0A:0B:0C"),
        0);
    assert_address(mac, "xenbr0", false);
    /* Another interface of its own is another. */
    e.code = 0;
    assert_int_equal(device_nic_attach(&f->host, &c, 5, &nics[1], 2, &e), -EBUSY);
    fake_store_rm(&f->host, 0, "/local/domain/0/backend/vif/5");
    assert_address(mac, "xenbr0", true); /* it has gone */
}

/* The store may refuse each question. */
static void asking_may_fail(void **state)
{
    struct nic_config nic = {.mac_given = true, .bridge = (char *)"xenbr0"};
    const struct domain_config c = {.name = (char *)"web", .nics = &nic, .nr_nics = 1};

    (void)state;
    assert_int_equal(devices_attach(&f->host, &c, 5, &(struct error){0}), 0);
    for (unsigned int which = 1; which <= 4; which++) { /* two lists, and what is compared */
        struct error e = {0};

        f->fail_at = f->calls + which;
        f->fail_with = -EIO;
        assert_int_equal(devices_check(&f->host, &c, &e), -EIO);
        assert_string_equal(e.text, "web: <interface>: asking who has its address: Input/output "
                                    "error");
    }
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
        cmocka_unit_test_setup_teardown(addresses_have_one_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(asking_may_fail, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
