/* SPDX-License-Identifier: MIT */
/*
 * Limits of a disk's rate, from the domain's file to the device: what a file may say, that a
 * limited disk is a loop device whose limit is there before the disk and goes before it, and which
 * disks of the control domain's own no guest gets. The kernel's side is tools_linux.c's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "devices.h"
#include "fake_host.h"
#include "fake_parts.h"
#include "plain_devices.h"

#define BACK "/local/domain/0/backend/vbd/5/51712"

static struct fake_host *f;
static struct disk_rates limited; /* what the loop device has */
static int held_loops, sweeps, no_limits;
static const char *mounted; /* a name of what this domain has mounted */

static int identify_path(const char *path, struct disk_id *out)
{
    *out = (struct disk_id){.dev = 1, .ino = (uint64_t)strlen(path)};
    return 0;
}

static int identify_number(unsigned int major, unsigned int minor, struct disk_id *out)
{
    (void)major, (void)minor;
    return identify_path("/dev/sdb", out);
}

static int check_file(const char *path, bool readonly)
{
    (void)path, (void)readonly;
    return 0;
}

static int held(const char *path, const struct disk_id *id, bool readonly)
{
    (void)id, (void)readonly;
    return mounted && strcmp(path, mounted) == 0 ? -EBUSY : 0;
}

static int loop_attach(const char *path, bool readonly, char *dev, size_t size)
{
    (void)readonly;
    assert_string_equal(path, "/dev/sdb");
    snprintf(dev, size, "/dev/loop4");
    return ++held_loops;
}

static void loop_let_go(int fd)
{
    assert_int_equal(fd, held_loops--);
}

/* Nobody may know of the disk before. */
static int limit(unsigned int major, unsigned int minor, const struct disk_rates *rates)
{
    assert_int_equal(major, 7);
    assert_int_equal(minor, 4);
    assert_int_equal(held_loops, 1);
    assert_null(fake_read(f, BACK "/state"));
    limited = no_limits ? limited : *rates;
    return no_limits;
}

/* The back end may still be at what it was asked for. */
static void unlimit(const char *device, unsigned int major, unsigned int minor)
{
    assert_string_equal(device, "vbd-5-51712");
    assert_int_equal(major, 7);
    assert_int_equal(minor, 4);
    assert_non_null(fake_read(f, BACK "/state"));
    limited = (struct disk_rates){{0}};
}

static void sweep_limits(void)
{
    assert_int_equal(held_loops, 0); /* ours would not be swept */
    sweeps++;
}

static void sleep_ms(unsigned int ms)
{
    (void)ms;
    fake_backends_take_up(f, "2");
}

static const struct device_system model = {
    PLAIN_DEVICES,
    .identify_path = identify_path,
    .identify_number = identify_number,
    .check_file = check_file,
    .held = held,
    .loop_attach = loop_attach,
    .loop_let_go = loop_let_go,
    .limit = limit,
    .unlimit = unlimit,
    .sweep_limits = sweep_limits,
    .sleep_ms = sleep_ms,
};

static int setup(void **state)
{
    (void)state;
    device_system = &model;
    f = fake_new();
    held_loops = sweeps = no_limits = 0;
    mounted = NULL;
    limited = (struct disk_rates){{0}};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_free(f);
    return 0;
}

static int parse(const char *tune, struct domain_config *c, struct error *e)
{
    char xml[1024];

    *e = (struct error){0};
    snprintf(xml, sizeof(xml),
             "<domain type='xen'><name>web</name><memory unit='MiB'>64</memory><os>"
             "<type>linux</type><kernel>/k</kernel></os><devices><disk type='block'>\n"
             "<source dev='/dev/sdb'/><target dev='xvda'/>\n<iotune>%s</iotune>"
             "</disk></devices></domain>",
             tune);
    return domain_config_parse(xml, strlen(xml), "t.xml", c, e);
}

static void files_say_limits(void **state)
{
    const struct disk_rates all = {{4096, 1000000000000000, 1, 999999999}};
    struct domain_config c, again;
    struct error e = {0};
    char *xml;

    (void)state;
    assert_int_equal(parse("<write_iops_sec>999999999</write_iops_sec>"
                           "<write_bytes_sec>1000000000000000</write_bytes_sec>"
                           "<read_bytes_sec>4096</read_bytes_sec><read_iops_sec>1</read_iops_sec>",
                           &c, &e),
                     0);
    assert_memory_equal(&c.disks[0].rates, &all, sizeof(all));
    xml = domain_config_to_xml(&c, 5);
    assert_int_equal(domain_config_parse(xml, strlen(xml), "again", &again, &e), 0);
    assert_memory_equal(&again.disks[0].rates, &all, sizeof(all));
    free(xml);
    domain_config_free(&c);
    domain_config_free(&again);
    assert_int_equal(parse("<read_bytes_sec>0</read_bytes_sec>", &c, &e), 0);
    assert_false(disk_rates_any(&c.disks[0].rates));
    xml = domain_config_to_xml(&c, 5);
    assert_null(strstr(xml, "iotune"));
    free(xml);
    domain_config_free(&c);
}

static void what_is_no_limit_is_refused(void **state)
{
    static const struct {
        const char *tune, *said;
    } cases[] = {
        {"<read_bytes_sec>4095</read_bytes_sec>",
         "t.xml:3: <read_bytes_sec>: 4095 a second is not between 4096 and 1000000000000000"},
        {"<write_bytes_sec>1000000000000001</write_bytes_sec>", "1000000000000001 a second"},
        {"<write_bytes_sec>10000000000000000</write_bytes_sec>", "10000000000000000"},
        {"<read_iops_sec>-5</read_iops_sec>", "'-5'"},
        {"<read_iops_sec>fast</read_iops_sec>", "'fast'"},
        {"<read_iops_sec>1</read_iops_sec><read_iops_sec>2</read_iops_sec>", "read_iops_sec"},
        {"<total_iops_sec>5</total_iops_sec>", "t.xml:3: <total_iops_sec>: reading and writing"},
        {"<read_iops_sec_max>5</read_iops_sec_max>", "<read_iops_sec_max>: a limit holds at all"},
        {"<group_name>all</group_name>", "<group_name>: each disk has its limit for itself"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct domain_config c;
        struct error e;

        if (parse(cases[i].tune, &c, &e) == 0 || !strstr(e.text, cases[i].said))
            fail_msg("%s: %s", cases[i].tune, e.text);
    }
}

static struct disk_config disk = {.kind = DISK_BLOCK,
                                  .source = (char *)"/dev/sdb",
                                  .target = (char *)"xvda",
                                  .vdev = 51712,
                                  .rates.of = {1 << 20, 0, 20, 0}};
static const struct domain_config config = {.name = (char *)"web", .disks = &disk, .nr_disks = 1};

static void go(void)
{
    struct device_list l;

    devices_let_go(&f->host, 5, &l);
    assert_true(devices_gone(&l));
    device_list_free(&l);
    assert_null(fake_read(f, BACK "/state"));
    assert_false(disk_rates_any(&limited));
}

static void limits_are_loops(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(devices_attach(&f->host, &config, 5, &e), 0);
    assert_string_equal(fake_read(f, BACK "/params"), "/dev/loop4");
    assert_string_equal(fake_read(f, BACK "/source"), "/dev/sdb");
    assert_memory_equal(&limited, &disk.rates, sizeof(limited));
    assert_int_equal(held_loops, 0);
    assert_int_equal(sweeps, 0);
    go();
}

static void no_limits_no_disk(void **state)
{
    struct error e = {0};

    (void)state;
    no_limits = -ENOENT;
    assert_int_equal(devices_attach(&f->host, &config, 5, &e), -ENOENT);
    assert_non_null(strstr(e.text, "web: <disk> 'xvda': <iotune>: limits are cgroup v1's"));
    assert_int_equal(sweeps, 1);
    assert_null(fake_read(f, BACK "/state"));
}

static void mounted_disks_are_refused(void **state)
{
    struct disk_config own = {
        .kind = DISK_FILE, .source = (char *)"/srv/a.img", .target = (char *)"xvda"};
    const struct domain_config c = {.name = (char *)"web", .disks = &own, .nr_disks = 1};
    struct error e = {0};

    (void)state;
    assert_int_equal(devices_check(&f->host, &c, &e), 0);
    mounted = own.source;
    assert_int_equal(devices_check(&f->host, &c, &e), -EBUSY);
    assert_non_null(strstr(e.text, "/srv/a.img is in use in the control domain itself"));
    own.shareable = true;
    assert_int_equal(devices_check(&f->host, &c, &e), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(files_say_limits),  T(what_is_no_limit_is_refused), T(limits_are_loops),
        T(no_limits_no_disk), T(mounted_disks_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
