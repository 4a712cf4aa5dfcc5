/* SPDX-License-Identifier: MIT */
/*
 * Disks and interfaces that come to a domain while it lives, and leave it: what the store and the
 * kept configuration have then, what is refused in which words, and that nothing is left of what
 * was refused, failed, or came to a domain that has gone. The drivers are played by the waits.
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "devices.h"
#include "kept.h"
#include "lifecycle_support.h"
#include "plain_devices.h"
#include "pvctl_support.h"
#include "reap.h"
#include "restart.h"
#include "state.h"
#include "unlimited.h"

static struct fake_domain *web;
/* What guest and kernel do meanwhile, and who has typed the command. */
static bool lets_go, backs_come, driver, domain_goes, somebody_stops;
static int loops, waits;
static char loop_of[256][32]; /* what a loop device is made of, by number */

static int identify_path(const char *path, struct disk_id *out)
{
    *out = (struct disk_id){.dev = 1};
    for (; *path; path++)
        out->ino = out->ino * 31 + (unsigned char)*path;
    return 0;
}

static int identify_number(unsigned int major, unsigned int minor, struct disk_id *out)
{
    (void)major;
    return identify_path(loop_of[minor], out);
}

static int check_file(const char *path, bool readonly)
{
    (void)readonly;
    return strcmp(path, "/missing") == 0 ? -ENOENT : 0;
}

static int loop_attach(const char *path, bool readonly, char *dev, size_t size)
{
    (void)readonly;
    snprintf(loop_of[loops], sizeof(loop_of[0]), "%s", path);
    snprintf(dev, size, "/dev/loop%d", loops++);
    return 100;
}

static void loop_let_go(int fd)
{
    (void)fd;
}

static int check_bridge(const char *bridge)
{
    return strcmp(bridge, "xenbr0") == 0 ? 0 : -ENODEV;
}

static int bridge_join(const char *ifname, const char *rename, const char *bridge)
{
    (void)ifname, (void)rename, (void)bridge;
    return 0;
}

static void answer(struct fake_entry *e)
{
    const char *to = strcmp(e->value, "1") == 0 && backs_come ? (driver ? "4" : "2")
                     : strcmp(e->value, "5") == 0 && lets_go  ? "6"
                                                              : NULL;

    if (to) {
        free(e->value);
        e->value = strdup(to);
    }
}

static void sleep_ms(unsigned int ms)
{
    (void)ms;
    waits++;
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        struct fake_entry *e = &f->entries[i];

        if (e->path && e->value && strncmp(e->path, "/local/domain/0/backend/", 24) == 0 &&
            strcmp(e->path + strlen(e->path) - 6, "/state") == 0)
            answer(e);
    }
    if (domain_goes)
        web->d.dying = true;
    if (somebody_stops)
        raise(SIGINT);
}

static const struct device_system model = {
    PLAIN_DEVICES,
    .identify_path = identify_path,
    .identify_number = identify_number,
    .check_file = check_file,
    .loop_attach = loop_attach,
    .loop_let_go = loop_let_go,
    UNLIMITED,
    .check_bridge = check_bridge,
    .bridge_join = bridge_join,
    .sleep_ms = sleep_ms,
};

static int setup(void **state)
{
    int rc = lifecycle_setup(state);

    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    device_system = &model;
    lets_go = backs_come = driver = true;
    domain_goes = somebody_stops = false;
    loops = waits = 0;
    if (rc == 0)
        web = pvctl_runs("web");
    return rc;
}

static const char *back(const char *rest)
{
    static char path[128];

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s", rest);
    return fake_read(f, path);
}

/* The store's entry of the domain's device: "vbd", "51728/mode". */
static const char *of(const char *kind, const char *rest)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/%u/%s", kind, web->d.domid, rest);
    return back(path);
}

static void nothing_of(const char *kind, unsigned int id)
{
    char below[96];

    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        const char *path = f->entries[i].path;

        snprintf(below, sizeof(below), "%s/%u/%u", kind, web->d.domid, id);
        if (path && strstr(path, below))
            fail_msg("%s is left", path);
        snprintf(below, sizeof(below), "device/%s/%u", kind, id);
        if (path && strstr(path, below))
            fail_msg("%s is left", path);
    }
}

static bool kept_has(const char *text)
{
    char *xml;
    bool has;

    assert_int_equal(state_read_xml(web->d.domid, &xml), 0);
    has = strstr(xml, text) != NULL;
    free(xml);
    return has;
}

static void a_disk_comes_and_goes(void **state)
{
    (void)state;
    pvctl_ends("attach-disk web /srv/b.img xvdb --json", 0, "\"target\": \"xvdb\"");
    assert_string_equal(of("vbd", "51728/mode"), "w");
    assert_string_equal(of("vbd", "51728/source"), "/srv/b.img");
    assert_string_equal(of("vbd", "51728/state"), "4");
    assert_true(kept_has("<source file='/srv/b.img'/>"));
    pvctl_ends("block-attach web phy:/srv/c.img xvdc r", 0, "");
    assert_string_equal(of("vbd", "51744/mode"), "r");
    assert_string_equal(of("vbd", "51744/source"), "/srv/c.img");
    pvctl_ends("block-attach web vdev=xvdd,target=/srv/d,e.img", 0, "");
    assert_string_equal(of("vbd", "51760/source"), "/srv/d,e.img");
    waits = 0;
    pvctl_ends("detach-disk web xvdb", 0, "");
    assert_true(waits > 0); /* the guest was asked */
    nothing_of("vbd", 51728);
    assert_false(kept_has("/srv/b.img"));
    assert_true(kept_has("/srv/c.img"));
    pvctl_ends("block-detach web 51744", 0, "");
    nothing_of("vbd", 51744);
    pvctl_ends("attach-disk web -r /srv/b.img xvdb", 0, "");
    assert_string_equal(of("vbd", "51728/mode"), "r");
}

static void an_interface_comes_and_goes(void **state)
{
    (void)state;
    pvctl_ends("attach-interface web", 0, "web: interface 0, 00:16:3e:");
    assert_string_equal(of("vif", "0/bridge"), "xenbr0");
    pvctl_ends("attach-interface web bridge xenbr0 --mac 00:16:3e:00:00:07", 0,
               "interface 1, 00:16:3e:00:00:07");
    pvctl_ends("network-attach web mac=00:16:3e:00:00:08 rate=8Mb/s", 0, "interface 2, ");
    assert_string_equal(of("vif", "2/mac"), "00:16:3e:00:00:08");
    assert_true(kept_has("00:16:3e:00:00:08"));
    pvctl_ends("detach-interface web", 1, "pvctl: web: which interface? it has 00:16:3e:");
    pvctl_ends("attach-interface web --mac 00:16:3E:00:00:07", 1, "3e:00:00:07 already\n");
    pvctl_ends("detach-interface web bridge --mac 00:16:3E:00:00:07", 0, "");
    nothing_of("vif", 1);
    assert_false(kept_has("00:16:3e:00:00:07"));
    pvctl_ends("attach-interface web", 0, "web: interface 1, "); /* the least that is free */
    pvctl_ends("detach-interface web 0", 0, "");
    pvctl_ends("detach-interface web 2", 0, "");
    pvctl_ends("detach-interface web", 0, "");
    assert_false(kept_has("<interface"));
    pvctl_ends("detach-interface web", 1, "pvctl: web: it has no interface\n");
}

/* What nobody takes up is there all the same, and why it is of no use yet is told. */
static void a_guest_without_a_driver(void **state)
{
    (void)state;
    driver = false;
    pvctl_ends("attach-disk web /srv/b.img xvdb", 0, "");
    assert_string_equal(pvctl_said,
                        "pvctl: note: web: xvdb is attached, and the guest does not use "
                        "it yet (waiting): it needs a driver for it\n");
    assert_true(kept_has("/srv/b.img"));
    web->d.paused = true;
    pvctl_ends("attach-interface web", 0,
               "pvctl: note: web: interface 0 is attached, and the guest does not use it yet "
               "(waiting): it is paused\n");
    driver = true;
    web->d.paused = false;
    pvctl_ends("attach-disk web /srv/c.img xvdc", 0, "");
    assert_string_equal(pvctl_said, "");
}

/* ^C when all is done but that it is told: the signal ends it then, and nothing else. */
static void who_has_it_attached_stops(void **state)
{
    int is;

    (void)state;
    somebody_stops = true;
    signal(SIGINT, SIG_DFL); /* whatever started the tests may have it ignored */
    if (fork() == 0)
        _exit(pvctl_run("attach-disk web /srv/b.img xvdb"));
    assert_true(wait(&is) > 0 && WIFSIGNALED(is) && WTERMSIG(is) == SIGINT);
}

static void what_is_there_or_not(void **state)
{
    (void)state;
    pvctl_ends("attach-disk web /srv/b.img xvdb", 0, "");
    pvctl_ends("attach-disk web /srv/c.img xvdb", 1, "pvctl: web: it has a disk xvdb already\n");
    pvctl_ends("attach-disk web /srv/b.img xvdc", 1, "pvctl: web: <disk> 'xvdc': /srv/b.img is ");
    pvctl_ends("attach-disk web /missing xvdc", 1, "'xvdc': /missing: No such file or directory\n");
    pvctl_ends("attach-disk web /srv/c.img floppy", 2, "pvctl attach-disk: target 'floppy' is ");
    pvctl_ends("attach-disk web /srv/c.img xvdc never", 2, "pvctl attach-disk: ");
    pvctl_ends("attach-disk web format=qcow2,vdev=xvdc,target=/srv/c.img", 2, "images are raw");
    pvctl_ends("attach-disk web /srv/c.img,raw", 2, "no vdev specified");
    pvctl_ends("attach-disk Domain-0 /srv/c.img xvdc", 1, "attach a disk to itself");
    pvctl_ends("attach-disk nobody /srv/c.img xvdc", 3, "nobody: no such domain");
    nothing_of("vbd", 51744);
    assert_false(kept_has("/srv/c.img"));
    pvctl_ends("detach-disk web xvdc", 1, "pvctl: web: there is no disk xvdc; it has xvdb\n");
    pvctl_ends("attach-interface web nobridge", 1, "there is no bridge 'nobridge'");
    pvctl_ends("attach-interface web --mac 1:2", 2, "pvctl attach-interface: mac: '1:2' is not ");
    pvctl_ends("attach-interface web --mac 01:00:5e:00:00:01", 2, "is a group address; `pvctl ");
    nothing_of("vif", 0);
    web->d.shutdown = true;
    pvctl_ends("detach-disk web xvdb", 3, "pvctl: web: it has ended: ");
}

/* A guest that does not let go keeps it, as if nobody had asked; --force takes it. */
static void the_guest_keeps_it(void **state)
{
    char front[64];

    (void)state;
    pvctl_ends("attach-disk web /srv/b.img xvdb", 0, "");
    snprintf(front, sizeof(front), "/local/domain/%u/device/vbd/51728/state", web->d.domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, front, "4"), 0);
    lets_go = false;
    pvctl_ends("detach-disk web xvdb", 1, "pvctl: web: xvdb: the guest does not let it go: ");
    assert_string_equal(of("vbd", "51728/state"), "4");
    assert_string_equal(of("vbd", "51728/online"), "1");
    assert_true(kept_has("/srv/b.img"));
    /* Its driver has begun: it is not called back, and ends it when it can. */
    assert_int_equal(f->host.ops->store_write(&f->host, 0, front, "5"), 0);
    pvctl_ends("detach-disk web xvdb", 1, "the guest does not let it go: ");
    assert_string_equal(of("vbd", "51728/state"), "5");
    assert_string_equal(of("vbd", "51728/online"), "0");
    waits = 0;
    pvctl_ends("detach-disk web xvdb --force", 0, "");
    assert_int_equal(waits, 0);
    nothing_of("vbd", 51728);
    assert_false(kept_has("/srv/b.img"));
}

static void no_back_end(void **state)
{
    (void)state;
    backs_come = false;
    pvctl_ends("attach-disk web /srv/b.img xvdb", 1, "no back end took it up");
    nothing_of("vbd", 51728);
    assert_false(kept_has("/srv/b.img"));
}

/* It ends while the device comes: nothing is left, whoever was first. */
static void the_domain_goes(void **state)
{
    struct reap r;

    (void)state;
    domain_goes = true;
    pvctl_ends("attach-disk web /srv/b.img xvdb", 3, "pvctl: web: it has ended meanwhile\n");
    nothing_of("vbd", 51728);
    domain_goes = web->d.dying = false;
    reap_begin(&r, web->d.domid, web->d.uuid, "web", "");
    r.stage = REAP_DESTROY; /* its devices have been looked for */
    pvctl_ends("attach-disk web /srv/c.img xvdc", 0, "");
    assert_int_equal(reap_wait(&f->host, &r, NULL), 0);
    nothing_of("vbd", 51744);
}

static void write_at(const char *fmt, uint32_t domid)
{
    char path[96];

    snprintf(path, sizeof(path), fmt, domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "4"), 0);
}

/* What xl has given to a domain of ours is xl's to take. */
static void of_another_tool(void **state)
{
    uint32_t id = web->d.domid;

    (void)state;
    write_at("/local/domain/0/backend/vbd/%u/51728/state", id);
    write_at("/libxl/%u/device/vbd/51728/frontend", id);
    write_at("/local/domain/0/backend/vif/%u/0/state", id);
    write_at("/libxl/%u/device/vif/0/frontend", id);
    pvctl_ends("detach-disk web 51728", 1, "pvctl: web: 51728: pvctl has not attached it: ");
    pvctl_ends("detach-disk web xvdb --force", 1, "pvctl: web: xvdb: pvctl has not attached it: ");
    pvctl_ends("detach-interface web", 1, "pvctl: web: its interface: pvctl has not attached it: ");
    pvctl_ends("attach-disk web /srv/b.img xvdb", 1,
               "pvctl: web: another tool (xl, virsh) has attached device vbd 51728\n");
    assert_string_equal(of("vbd", "51728/state"), "4");
    assert_string_equal(of("vif", "0/state"), "4");
    assert_false(kept_has("/srv/b.img"));
    pvctl_ends("attach-interface web", 0, "interface 1, ");
    /* xl is faster: what could not come is not taken from it. */
    pvctl_ends("attach-disk web /srv/c.img xvdc", 0, "");
    write_at("/local/domain/0/backend/vbd/%u/51760/state", id);
    write_at("/libxl/%u/device/vbd/51760/frontend", id);
    pvctl_ends("attach-disk web /srv/c.img xvdd", 1, "");
    assert_string_equal(of("vbd", "51760/state"), "4");
}

static struct live_domain found(const char *name)
{
    struct live_domain l;
    struct error e = {0};

    assert_int_equal(lifecycle_find(&f->host, name, &l, &e), 0);
    return l;
}

static int count(struct domain_config *cfg, void *nr)
{
    cfg->vcpus = 2;
    ++*(int *)nr;
    return 0;
}

/* Another process changes this one, and another one. */
static int change_others(struct domain_config *cfg, void *nr)
{
    const struct kept_change k = {.change = count, .arg = nr};
    struct error e = {0};

    assert_int_equal(kept_change_of(found("web").d.domid, "web", &k, &e), -EBUSY);
    assert_non_null(strstr(e.text, " is changing it"));
    assert_int_equal(kept_change_of(found("db").d.domid, "db", &k, &e), 0);
    cfg->vcpus = 1;
    return 0;
}

static void change_again(void *nr)
{
    const struct kept_change k = {.change = count, .arg = nr};
    struct error e = {0};

    assert_int_equal(kept_change_of(found("web").d.domid, "web", &k, &e), -EBUSY);
}

static int ends_meanwhile(struct domain_config *cfg, void *arg)
{
    (void)cfg, (void)arg;
    return restart_intend("web", web->d.domid);
}

static int is_put_aside_meanwhile(struct domain_config *cfg, void *arg)
{
    (void)arg;
    cfg->vcpus = 1;
    return state_write_file(state_path("domains/%u.xml", web->d.domid), "<put-aside/>");
}

/* One at a time changes what is kept of a domain, and does not wait for who changes another's; a
 * change that comes when the next life begins is not lost without a word. */
static void what_is_kept(void **state)
{
    struct kept_change k = {.change = change_others, .then = change_again};
    struct live_domain l = found("web");
    struct error e = {0};
    char *xml;
    int nr = 0;

    (void)state;
    pvctl_runs("db");
    k.arg = &nr;
    assert_int_equal(kept_change_of(l.d.domid, "web", &k, &e), 0);
    assert_int_equal(nr, 1);
    assert_true(kept_has("current='1'"));
    assert_int_equal(kept_change(&l, count, &nr, &e), 0); /* who was first is done */
    assert_false(kept_has("current='1'"));
    assert_int_equal(state_read_xml(l.d.domid, &xml), 0);
    assert_int_equal(kept_change(&l, is_put_aside_meanwhile, NULL, &e), -ESRCH);
    assert_true(kept_has("<put-aside/>"));
    assert_int_equal(state_write_file(state_path("domains/%u.xml", l.d.domid), xml), 0);
    free(xml);
    assert_int_equal(kept_change(&l, ends_meanwhile, NULL, &e), -ESRCH);
    assert_string_equal(e.text, "web: it has ended meanwhile");
    assert_int_equal(access(state_path("domains/%u.xml", l.d.domid), F_OK), -1);
    pvctl_ends("vcpu-set web 1", 3, "pvctl: web: it has ended meanwhile\n");
    pvctl_ends("detach-disk web xvdb", 3, "pvctl: web: it has ended meanwhile\n");
}

/* Whichever call fails: one line, and the device is there or is not. */
static void any_call_fails(void **state)
{
    int nth = 1, status;

    (void)state;
    for (;; nth++) {
        f->calls = 0;
        f->failed_call = NULL;
        f->fail_at = nth;
        f->fail_with = -EIO;
        status = pvctl_run("attach-disk web /srv/b.img xvdb");
        f->fail_at = 0;
        if (!f->failed_call)
            break;
        if (status == 0) {
            pvctl_ends("detach-disk web xvdb", 0, ""); /* it can be done without that call */
            continue;
        }
        if (!strchr(pvctl_said, '\n'))
            fail_msg("call %d, %s: said '%s'", nth, f->failed_call, pvctl_said);
        assert_null(strchr(strchr(pvctl_said, '\n') + 1, '\n'));
        assert_false(kept_has("/srv/b.img"));
    }
    assert_in_range(nth, 10, 200);
    assert_int_equal(status, 0);
    assert_true(kept_has("/srv/b.img"));
    assert_string_equal(of("vbd", "51728/state"), "4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_disk_comes_and_goes, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(an_interface_comes_and_goes, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(a_guest_without_a_driver, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(who_has_it_attached_stops, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(what_is_there_or_not, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(the_guest_keeps_it, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(no_back_end, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(the_domain_goes, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(of_another_tool, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(what_is_kept, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(any_call_fails, setup, lifecycle_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
