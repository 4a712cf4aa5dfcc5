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
#include <unistd.h>

#include <cmocka.h>

#include "devices.h"
#include "fake_host.h"
#include "fake_parts.h"
#include "interrupt.h"
#include "unlimited.h"

static struct fake_host *f;
static int loops, next_loop, joined, sleeps, not_yet, fail_system, lingering, opens_late;
static const struct device_system *real_system;
static const char *backend_state; /* what the back ends' drivers answer */

/* Block devices, and names of files: what is behind each. Loop devices take the place of a name. */
static const struct {
    const char *path;
    unsigned int major, minor;
    struct disk_id id;
} names[] = {
    {"/dev/sda", 8, 0, {.block = true, .dev = 0x800}},
    {"/dev/sda1", 8, 1, {.block = true, .dev = 0x801, .whole = 0x800}},
    {"/dev/sda2", 8, 2, {.block = true, .dev = 0x802, .whole = 0x800}},
    {"/dev/sdb", 8, 0x1f, {.block = true, .dev = 0x81f}},
    {"/srv/a.img", 0, 0, {.dev = 1, .ino = 2}},
    {"/srv/hard.img", 0, 0, {.dev = 1, .ino = 2}},
    {"/srv/b.img", 0, 0, {.dev = 1, .ino = 3}},
    {"/mnt/b.img", 0, 0, {.dev = 2, .ino = 2}},
    {"/srv/of-sda", 0, 0, {.dev = 0x800}},
};
#define NR_NAMES (sizeof(names) / sizeof(names[0]))
static const char *loop_of[16]; /* what a loop device is made of, by number */

static int m_identify_path(const char *path, struct disk_id *out)
{
    for (size_t i = 0; i < NR_NAMES; i++) {
        if (strcmp(names[i].path, path) == 0) {
            *out = names[i].id;
            return 0;
        }
    }
    return -ENOENT;
}

static int m_identify_number(unsigned int major, unsigned int minor, struct disk_id *out)
{
    if (major == 7)
        return m_identify_path(loop_of[minor % 16], out);
    for (size_t i = 0; i < NR_NAMES; i++) {
        if (names[i].major && names[i].major == major && names[i].minor == minor) {
            *out = names[i].id;
            return 0;
        }
    }
    return -ENODEV;
}

static int m_block_number(const char *path, unsigned int *major, unsigned int *minor)
{
    if (sscanf(path, "/dev/loop%u", minor) == 1) {
        *major = 7;
        return 0;
    }
    for (size_t i = 0; i < NR_NAMES; i++) {
        if (names[i].major && strcmp(names[i].path, path) == 0) {
            *major = names[i].major;
            *minor = names[i].minor;
            return 0;
        }
    }
    return -ENOTBLK;
}

static int m_check_file(const char *path, bool readonly)
{
    (void)readonly;
    return strcmp(path, "/missing") == 0 ? -ENOENT : 0;
}

static int m_loop_attach(const char *path, bool readonly, char *dev, size_t size)
{
    (void)readonly;
    if (fail_system == 1)
        return -EBUSY;
    loops++;
    snprintf(dev, size, "/dev/loop%d", next_loop);
    loop_of[next_loop++ % 16] = path;
    return 100;
}

static void m_loop_let_go(int fd)
{
    assert_int_equal(fd, 100);
    loops--;
}

static bool m_starting(void)
{
    return false;
}

static int m_check_bridge(const char *bridge)
{
    return strcmp(bridge, "xenbr0") == 0 ? 0 : -ENODEV;
}

static int m_bridge_join(const char *ifname, const char *rename, const char *bridge)
{
    (void)ifname, (void)rename, (void)bridge;
    if (fail_system == 2)
        return -EPERM;
    if (not_yet-- > 0)
        return -ENODEV;
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
    if (backend_state)
        fake_backends_take_up(f, backend_state);
}

static const struct device_system model = {
    .block_number = m_block_number,
    .identify_path = m_identify_path,
    .identify_number = m_identify_number,
    .check_file = m_check_file,
    .loop_attach = m_loop_attach,
    .loop_let_go = m_loop_let_go,
    UNLIMITED,
    .check_bridge = m_check_bridge,
    .bridge_join = m_bridge_join,
    .backend_lives = m_backend_lives,
    .backend_serves = m_backend_serves,
    .sleep_ms = m_sleep_ms,
    .starting = m_starting,
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
    real_system = real_system ? real_system : device_system;
    device_system = &model;
    f = fake_new();
    loops = next_loop = joined = sleeps = not_yet = fail_system = lingering = opens_late = 0;
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
    if (!fake_read(f, path))
        fail_msg("%s is not there", path);
    assert_string_equal(fake_read(f, path), value);
}

static void detach(void)
{
    struct device_list l;

    devices_let_go(&f->host, 5, &l);
    while (!devices_gone(&l))
        m_sleep_ms(1);
    device_list_free(&l);
}

static void attaches(void **state)
{
    struct error e = {0};

    (void)state;
    not_yet = 3;
    opens_late = 4;
    if (devices_attach(&f->host, &config, 5, &e))
        fail_msg("%s", e.text);
    is("/local/domain/0/backend/vbd/5/51712/physical-device", "7:0");
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
            strncmp(f->entries[i].path, "/local/domain/0/backend/vbd/5", 29) == 0)
            fail_msg("%s is left", f->entries[i].path);
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
    assert_int_equal(devices_check(&f->host, &c, &e), 0);
    disk.source = (char *)"/missing";
    assert_int_equal(devices_check(&f->host, &c, &e), -ENOENT);
    assert_non_null(strstr(e.text, "web: <disk> 'xvda': /missing: No such file"));
    disk.source = (char *)"/srv/a.img";
    disk.kind = DISK_BLOCK;
    e.code = 0;
    assert_int_equal(devices_check(&f->host, &c, &e), -ENOTBLK);
    c.nr_disks = 0;
    nic.bridge = (char *)"br9";
    e.code = 0;
    assert_int_equal(devices_check(&f->host, &c, &e), -ENODEV);
    assert_non_null(strstr(e.text, "there is no bridge 'br9'"));
}

/* ---- who may have a disk beside whom ---- */

enum sharing { WRITES, READS, SHARES, READS_AND_SHARES };

static struct disk_config disk_of(const char *path, enum sharing how)
{
    return (struct disk_config){.kind = strncmp(path, "/dev/", 5) ? DISK_FILE : DISK_BLOCK,
                                .source = (char *)(uintptr_t)path,
                                .target = (char *)"xvdc",
                                .vdev = 51744,
                                .readonly = how == READS || how == READS_AND_SHARES,
                                .shareable = how == SHARES || how == READS_AND_SHARES};
}

/* Domain 5 has the first; may domain 6 have the second? Asked before it is made, and when it is. */
static void assert_beside(const char *first, enum sharing a, const char *second, enum sharing b,
                          bool allowed)
{
    struct disk_config mine = disk_of(first, a), yours = disk_of(second, b);
    struct domain_config one = {.name = (char *)"one", .disks = &mine, .nr_disks = 1};
    struct domain_config two = {.name = (char *)"two", .disks = &yours, .nr_disks = 1};
    struct error e = {0};
    char text[300];

    assert_int_equal(fake_store_write(&f->host, 0, "/local/domain/5/name", "one"), 0);
    assert_int_equal(devices_attach(&f->host, &one, 5, &e), 0);
    assert_int_equal(devices_check(&f->host, &two, &e), allowed ? 0 : -EBUSY);
    if (!allowed) {
        snprintf(text, sizeof(text),
                 "two: <disk> 'xvdc': %s is in use by domain 5 (one), which may %s it; both need "
                 "<readonly/>, or both <shareable/>",
                 second, mine.readonly ? "only read" : "write");
        assert_string_equal(e.text, text);
    }
    e.code = 0;
    assert_int_equal(devices_attach(&f->host, &two, 6, &e), allowed ? 0 : -EBUSY);
    if (!allowed) {
        assert_string_equal(e.text, text);
        assert_null(fake_read(f, "/local/domain/0/backend/vbd/6/51744/state"));
    }
    fake_store_rm(&f->host, 0, "/local/domain/0/backend/vbd");
    fake_store_rm(&f->host, 0, "/local/domain");
}

static void one_disk_one_writer(void **state)
{
    (void)state;
    assert_beside("/srv/a.img", WRITES, "/srv/a.img", WRITES, false);
    assert_beside("/srv/a.img", WRITES, "/srv/a.img", READS, false);
    assert_beside("/srv/a.img", READS, "/srv/a.img", WRITES, false);
    assert_beside("/srv/a.img", READS, "/srv/a.img", READS, true);
    assert_beside("/srv/a.img", SHARES, "/srv/a.img", WRITES, false);
    assert_beside("/srv/a.img", WRITES, "/srv/a.img", SHARES, false);
    assert_beside("/srv/a.img", SHARES, "/srv/a.img", SHARES, true);
    assert_beside("/srv/a.img", SHARES, "/srv/a.img", READS, false);
    assert_beside("/srv/a.img", SHARES, "/srv/a.img", READS_AND_SHARES, true);
    /* by another name; another file of the same number on another file system is another disk */
    assert_beside("/srv/a.img", WRITES, "/srv/hard.img", WRITES, false);
    assert_beside("/srv/a.img", WRITES, "/srv/b.img", WRITES, true);
    assert_beside("/srv/a.img", WRITES, "/mnt/b.img", WRITES, true);
    /* block devices; partitions and the disk that they are on */
    assert_beside("/dev/sda", WRITES, "/dev/sda", READS, false);
    assert_beside("/dev/sda", WRITES, "/dev/sdb", WRITES, true);
    assert_beside("/dev/sda1", WRITES, "/dev/sda2", WRITES, true);
    assert_beside("/dev/sda1", WRITES, "/dev/sda", READS, false);
    assert_beside("/dev/sda", READS, "/dev/sda2", WRITES, false);
    assert_beside("/dev/sda", WRITES, "/srv/of-sda", WRITES, true);
}

/* The same within one configuration. */
static void one_domain_one_name(void **state)
{
    struct disk_config pair[] = {disk_of("/srv/a.img", WRITES), disk_of("/srv/hard.img", READS)};
    struct domain_config c = {.name = (char *)"web", .disks = pair, .nr_disks = 2};
    struct error e = {0};

    (void)state;
    pair[1].target = (char *)"xvdb";
    pair[1].vdev = 51728;
    assert_int_equal(devices_check(&f->host, &c, &e), -EBUSY);
    assert_string_equal(e.text, "web: <disk> 'xvdb': /srv/hard.img is the disk of 'xvdc' too, and "
                                "can be written");
    e.code = 0;
    assert_int_equal(devices_attach(&f->host, &c, 5, &e), -EBUSY);
    detach();
    pair[0].readonly = true;
    assert_int_equal(devices_check(&f->host, &c, &e), 0);
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
        if (rc == 0)
            fail_msg("%s failed and nobody minded", f->failed_call);
        assert_true(e.text[0]);
        backend_left();
    }
    assert_true(at > 40);
}

/* The real side, as far as any Linux can show it: what is not there, or not of the right kind. */
static void real_linux(void **state)
{
    char path[] = "/tmp/parvis-disk-XXXXXX", loop[64];
    int fd = mkstemp(path), held;
    unsigned int major, minor;

    (void)state;
    assert_int_equal(real_system->check_file("/no/such/file", true), -ENOENT);
    assert_int_equal(real_system->check_file("/tmp", true), -EISDIR);
    assert_int_equal(real_system->check_file("/dev/null", true), -EINVAL);
    assert_int_equal(real_system->check_file(path, false), -ENODATA);
    assert_int_equal(ftruncate(fd, 512), 0);
    assert_int_equal(real_system->check_file(path, false), 0);
    assert_int_equal(real_system->block_number("/dev/null", &major, &minor), -ENOTBLK);
    assert_int_equal(real_system->block_number("/no/such/file", &major, &minor), -ENOENT);
    assert_int_equal(real_system->check_bridge("no-bridge"), -ENODEV);
    assert_int_equal(real_system->bridge_join("vif999.0", NULL, "no-bridge"), -ENODEV);
    assert_false(real_system->backend_lives("vbd-999-1"));
    assert_false(real_system->backend_serves("vbd-999-1"));
    assert_true(real_system->loop_attach("/no/such/file", true, loop, sizeof(loop)) < 0);
    held = real_system->loop_attach(path, true, loop, sizeof(loop));
    if (held >= 0) { /* who may have loop devices gets one, which ends with its descriptor */
        assert_int_equal(strncmp(loop, "/dev/loop", 9), 0);
        real_system->loop_let_go(held);
    }
    real_system->sleep_ms(1);
    close(fd);
    unlink(path);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(attaches),      T(absent_drivers_are_named), T(system_may_refuse),
        T(checks_before), T(any_call_may_fail),        T(signals_end_the_wait),
        T(real_linux),    T(one_disk_one_writer),      T(one_domain_one_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
