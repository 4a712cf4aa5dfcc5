/* SPDX-License-Identifier: MIT */
/*
 * Disks and interfaces: the entries of both ends, what this domain's Linux is asked for, and
 * that all of it is given back, whichever step fails.
 *
 * The Linux side (loop devices, bridges) is a model too, which counts what is taken.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"
#include "fake_host.h"
#include "interrupt.h"

static struct fake_host *f;
static int loops, joined, sleeps, not_yet, fail_system, lingering, opens_late;
static const char *backend_state; /* what the back ends' drivers answer */

static int m_block_number(const char *path, unsigned int *major, unsigned int *minor)
{
    if (strncmp(path, "/dev/", 5) != 0) {
        return -ENOTBLK;
    }
    *major = 7;
    *minor = 0x1f;
    return 0;
}

static int m_check_file(const char *path, bool readonly)
{
    (void)readonly;
    return strcmp(path, "/missing") == 0 ? -ENOENT : 0;
}

static int m_loop_attach(const char *path, bool readonly, char *dev, size_t size)
{
    (void)path, (void)readonly;
    if (fail_system == 1) {
        return -EBUSY;
    }
    snprintf(dev, size, "/dev/loop%d", loops++);
    return 100;
}

static void m_loop_let_go(int fd)
{
    assert_int_equal(fd, 100);
    loops--;
}

static int m_check_bridge(const char *bridge)
{
    return strcmp(bridge, "xenbr0") == 0 ? 0 : -ENODEV;
}

static int m_bridge_join(const char *ifname, const char *rename, const char *bridge)
{
    (void)ifname, (void)rename, (void)bridge;
    if (fail_system == 2) {
        return -EPERM;
    }
    if (not_yet-- > 0) {
        return -ENODEV;
    }
    joined++;
    return 0;
}

static bool m_backend_lives(const char *device)
{
    (void)device;
    return lingering > 0 && lingering--;
}

/* The disk is opened some time after the device is taken up: until then we must hold it. */
static bool m_backend_serves(const char *device)
{
    assert_true(strstr(device, "vbd-5-51712") == NULL || loops == 1);
    return opens_late-- <= 0;
}

/* While the tools wait, the back ends' drivers take up what they find. */
static void m_sleep_ms(unsigned int ms)
{
    (void)ms;
    sleeps++;
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        struct fake_entry *e = &f->entries[i];

        if (e->path && strstr(e->path, "/backend/") && strstr(e->path, "/state") && backend_state) {
            free(e->value);
            e->value = strdup(backend_state);
        }
    }
}

static const struct device_system model = {
    m_block_number, m_check_file,    m_loop_attach,    m_loop_let_go, m_check_bridge,
    m_bridge_join,  m_backend_lives, m_backend_serves, m_sleep_ms,
};

static struct disk_config disks[] = {
    {.kind = DISK_FILE, .source = (char *)"/srv/a.img", .target = (char *)"xvda", .vdev = 51712},
    {.kind = DISK_BLOCK,
     .source = (char *)"/dev/sdb",
     .target = (char *)"xvdb",
     .vdev = 51728,
     .readonly = true},
};
static struct nic_config nics[] = {
    {.mac = {0x00, 0x16, 0x3e, 1, 2, 3}, .mac_given = true, .bridge = (char *)"xenbr0"},
};
static const struct domain_config config = {
    .name = (char *)"web", .disks = disks, .nr_disks = 2, .nics = nics, .nr_nics = 1};

static int setup(void **state)
{
    (void)state;
    device_system = &model;
    f = fake_new();
    loops = joined = sleeps = not_yet = fail_system = lingering = opens_late = 0;
    backend_state = "2";
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
    if (!fake_read(f, path)) {
        fail_msg("%s is not there", path);
    }
    assert_string_equal(fake_read(f, path), value);
}

static void detach(void)
{
    struct device_list l;

    devices_let_go(&f->host, 5, &l);
    while (!devices_gone(&l)) {
        m_sleep_ms(1);
    }
    device_list_free(&l);
}

static void attaches(void **state)
{
    struct error e = {0};

    (void)state;
    not_yet = 3;
    opens_late = 4;
    if (devices_attach(&f->host, &config, 5, &e)) {
        fail_msg("%s", e.text);
    }
    is("/local/domain/0/backend/vbd/5/51712/physical-device", "7:1f");
    is("/local/domain/0/backend/vbd/5/51712/params", "/dev/loop0");
    is("/local/domain/0/backend/vbd/5/51712/mode", "w");
    is("/local/domain/0/backend/vbd/5/51712/frontend", "/local/domain/5/device/vbd/51712");
    is("/local/domain/5/device/vbd/51712/backend", "/local/domain/0/backend/vbd/5/51712");
    is("/local/domain/5/device/vbd/51712/virtual-device", "51712");
    is("/local/domain/5/device/vbd/51712/state", "1");
    assert_string_equal(fake_perms(f, "/local/domain/5/device/vbd/51712/state"), "n5 r0");
    assert_string_equal(fake_perms(f, "/local/domain/0/backend/vbd/5/51712/state"), "n0 r5");
    is("/local/domain/0/backend/vbd/5/51728/params", "/dev/sdb");
    is("/local/domain/0/backend/vbd/5/51728/mode", "r");
    is("/local/domain/0/backend/vif/5/0/mac", "00:16:3e:01:02:03");
    is("/local/domain/5/device/vif/0/mac", "00:16:3e:01:02:03");
    is("/local/domain/0/backend/vif/5/0/hotplug-status", "connected");
    assert_int_equal(loops, 0); /* ours no more: it lives as long as the back end */
    assert_int_equal(joined, 1);
    sleeps = 0;
    lingering = 7;
    detach();
    assert_int_equal(lingering, 0);
    assert_true(sleeps >= 2);
    assert_null(fake_read(f, "/local/domain/0/backend/vbd/5"));
    assert_null(fake_read(f, "/local/domain/0/backend/vif/5"));
    detach(); /* nothing there: nothing to do */
}

/* Who finds that attaching failed takes the domain away. */
static void backend_left(void)
{
    detach();
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        if (f->entries[i].path &&
            strncmp(f->entries[i].path, "/local/domain/0/backend/vbd/5", 29) == 0) {
            fail_msg("%s is left", f->entries[i].path);
        }
    }
    assert_int_equal(loops, 0);
}

static void absent_drivers_are_named(void **state)
{
    struct error e = {0};

    (void)state;
    backend_state = NULL;
    assert_int_equal(devices_attach(&f->host, &config, 5, &e), -ETIMEDOUT);
    assert_non_null(strstr(e.text, "web: <disk> 'xvda': no back end took it up"));
    assert_true(sleeps > 10);
    backend_left();
    backend_state = "6"; /* a driver that gives up */
    e.code = 0;
    assert_int_equal(devices_attach(&f->host, &config, 5, &e), -EIO);
    backend_left();
}

static void system_may_refuse(void **state)
{
    (void)state;
    for (fail_system = 1; fail_system <= 2; fail_system++) {
        struct error e = {0};

        assert_true(devices_attach(&f->host, &config, 5, &e) < 0);
        assert_non_null(strstr(e.text, fail_system == 1 ? "<disk> 'xvda'" : "vif5.0"));
        backend_left();
    }
}

/* A signal ends the waiting for a back end. */
static void signals_end_the_wait(void **state)
{
    struct error e = {0};

    (void)state;
    backend_state = NULL;
    interrupt_catch();
    raise(SIGTERM);
    assert_int_equal(devices_attach(&f->host, &config, 5, &e), -EINTR);
    assert_string_equal(e.text, "web: interrupted by SIGTERM");
    assert_int_equal(sleeps, 0);
    backend_left();
    signal(SIGTERM, SIG_IGN); /* else it would end us now */
    interrupt_release();
    signal(SIGTERM, SIG_DFL);
}

static void checks_before(void **state)
{
    struct disk_config disk = disks[0];
    struct nic_config nic = nics[0];
    struct domain_config c = {
        .name = (char *)"web", .disks = &disk, .nr_disks = 1, .nics = &nic, .nr_nics = 1};
    struct error e = {0};

    (void)state;
    assert_int_equal(devices_check(&c, &e), 0);
    disk.source = (char *)"/missing";
    assert_int_equal(devices_check(&c, &e), -ENOENT);
    assert_non_null(strstr(e.text, "web: <disk> 'xvda': /missing: No such file"));
    disk.source = (char *)"/srv/a.img";
    disk.kind = DISK_BLOCK;
    e.code = 0;
    assert_int_equal(devices_check(&c, &e), -ENOTBLK);
    c.nr_disks = 0;
    nic.bridge = (char *)"br9";
    e.code = 0;
    assert_int_equal(devices_check(&c, &e), -ENODEV);
    assert_non_null(strstr(e.text, "there is no bridge 'br9'"));
}

static void any_call_may_fail(void **state)
{
    uint64_t at;

    (void)state;
    for (at = 1;; at++) {
        struct error e = {0};
        int rc;

        f->calls = 0;
        f->fail_at = at;
        f->failed_call = NULL;
        /* The driver has taken the device up by the time somebody looks. */
        rc = devices_attach(&f->host, &config, 5, &e);
        f->fail_at = 0;
        if (!f->failed_call) {
            assert_int_equal(rc, 0);
            backend_left();
            break;
        }
        if (rc == 0) {
            fail_msg("%s failed and nobody minded", f->failed_call);
        }
        assert_true(e.text[0]);
        backend_left();
    }
    assert_true(at > 40);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(attaches),      T(absent_drivers_are_named), T(system_may_refuse),
        T(checks_before), T(any_call_may_fail),        T(signals_end_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
