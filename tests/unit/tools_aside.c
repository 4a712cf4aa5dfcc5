/* SPDX-License-Identifier: MIT */
/*
 * What the daemon puts aside of a domain that has ended: its core (coredump-destroy,
 * coredump-restart), or the domain itself by another name (rename-restart).
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "aside.h"
#include "client.h"
#include "collector.h"
#include "daemon_support.h"
#include "devices.h"
#include "kept.h"
#include "lifecycle.h"
#include "policy.h"
#include "restart.h"
#include "state.h"

static void called_with(const char *text)
{
    char *have;

    assert_int_equal(state_read_file(state_path("called"), &have), 0);
    if (!strstr(have, text))
        fail_msg("pvctl was not called with %s: %s", text, have);
    free(have);
}

static int waits_for(uint32_t domid)
{
    char id[16];
    int fd;

    snprintf(id, sizeof(id), "%u", domid);
    fd = ask(D_WAIT, id);
    next_is(fd, D_OK, "");
    return fd;
}

static bool hears(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
}

static void ended_is(const char *name, const char *begins, const char *ends)
{
    char *how = state_read_ended(name);

    assert_non_null(how);
    if (strncmp(how, begins, strlen(begins)) != 0 || !strstr(how, ends))
        fail_msg("it ended so: %s", how);
    free(how);
}

/* The core first; then it goes, and whoever waits is told where the core is. */
static void dumps_and_destroys(void **state)
{
    uint32_t domid = serve_one("coredump-destroy");
    int fd = waits_for(domid);
    char call[160];

    (void)state;
    fake_pvctl("exit 0");
    crash(domid);
    turn();
    assert_false(hears(fd));
    assert_non_null(fake_domain(f, domid));
    policy_check(&f->host); /* it is acted upon once */
    wait_child();
    snprintf(call, sizeof(call), "dump-core %u %s/web-2", domid, dumps);
    called_with(call);
    turn();
    next_is(fd, D_END, NULL);
    close(fd);
    ended_is("web", "crashed; its core is in ", ".core");
    assert_null(fake_is_clean(f));
}

/* No core: why is said, and what follows is done all the same. */
static void without_a_core(void **state)
{
    char folder[128];
    uint32_t domid;

    (void)state;
    fake_pvctl("echo 'pvctl: no room' >&2; exit 1");
    crash(serve_one("coredump-destroy"));
    wait_child();
    turn();
    ended_is("web", "crashed; no core: no room", "");
    setenv("PARVIS_DUMPS", "/proc/none", 1);
    domid = serve_one("coredump-destroy");
    crash(domid);
    turn();
    ended_is("web", "crashed; no core: /proc/none/web-", "No such file or directory");
    assert_null(fake_domain(f, domid));
    /* Not by a path that is cut: 125 and "/web-20261128T155801Z.core" are one too many. */
    snprintf(folder, sizeof(folder), "/%0124d", 0);
    setenv("PARVIS_DUMPS", folder, 1);
    domid = serve_one("coredump-destroy");
    crash(domid);
    turn();
    ended_is("web",
             "crashed; no core: $PARVIS_DUMPS makes its path 151 characters long, 150 at most are "
             "taken",
             "");
    assert_null(fake_domain(f, domid));
    assert_null(fake_is_clean(f));
}

/* A guest that crashes again and again has so many cores and no more; others' are left alone. The
 * older ones go when the new one is there, and not where it cannot be written; they are those of
 * the name by which it is written, whatever the domain is called by then. */
static void few_cores_are_kept(void **state)
{
    static const char *const names[] = {"web-20200101T000000Z.core",
                                        "web-20200101T000001Z.core",
                                        "web-20200101T000002Z.core",
                                        "web-a-20200101T000000Z.core",
                                        "web.core",
                                        "web-of-thomas-late.core",
                                        "web-20200101T00000xZ.core",
                                        "a-20200101T000000Z.core"};
    const size_t nr = sizeof(names) / sizeof(names[0]);
    char path[160];
    uint32_t domid;

    (void)state;
    assert_int_equal(mkdir(dumps, 0700), 0);
    for (size_t i = 0; i < nr; i++) {
        snprintf(path, sizeof(path), "%s/%s", dumps, names[i]);
        assert_int_equal(state_write_file(path, "core"), 0);
    }
    fake_pvctl("echo 'pvctl: no room' >&2; exit 1");
    crash(serve_one("coredump-destroy"));
    wait_child();
    turn();
    ended_is("web", "crashed; no core: no room; 3 earlier ones are kept", "");
    for (size_t i = 0; i < nr; i++)
        assert_true(dump_is_there(names[i]));
    fake_pvctl("for core; do :; done; test -e ${core%-*}-20200101T000000Z.core && >$core");
    domid = serve_one("coredump-destroy");
    crash(domid);
    give_name(domid, "web", "a");
    wait_child();
    for (size_t i = 0; i < nr; i++)
        assert_int_equal(dump_is_there(names[i]), i >= 3 - (ASIDE_CORES - 1));
    turn();
    ended_is("a", "crashed; its core is in ", ".core");
}

/* Each second has one already, as far as is looked: none is written over. */
static void no_second_is_free(void **state)
{
    const time_t now = time(NULL);
    char path[160], when[24];

    (void)state;
    fake_pvctl("echo 'pvctl: written' >&2; exit 1");
    assert_int_equal(mkdir(dumps, 0700), 0);
    for (time_t at = now; at < now + 120; at++) {
        struct tm tm;

        gmtime_r(&at, &tm);
        strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
        snprintf(path, sizeof(path), "%s/web-%s.core", dumps, when);
        assert_int_equal(state_write_file(path, "core"), 0);
    }
    crash(serve_one("coredump-destroy"));
    turn();
    ended_is("web", "crashed; no core: ", "/dumps/web-2");
    ended_is("web", "crashed; no core: ", ": File exists");
    assert_null(fake_is_clean(f));
}

static void dumps_and_restarts(void **state)
{
    uint32_t domid = serve_one("coredump-restart");
    int fd = waits_for(domid);
    char call[160];

    (void)state;
    fake_pvctl("exit 0");
    crash(domid);
    assert_false(restart_intended("web"));
    wait_child();
    assert_true(restart_intended("web"));
    turn();
    next_is(fd, D_END, NULL);
    snprintf(call, sizeof(call), "create %s", restart_path("web"));
    assert_true(console_by_name("web")->restarter > 0);
    serve("web", "destroy", &domid);
    wait_child();
    called_with(call);
    next_is(fd, D_NEXT, NULL);
    close(fd);
}

/* It is destroyed while its core is written by a pvctl that takes its time. */
static void destroy_dumped(uint32_t domid)
{
    int fd;

    fake_pvctl("exec sleep 60");
    crash(domid);
    assert_true(console_by_name("web")->dumper > 0);
    fd = ask(D_REAP, destroys(domid, NULL, "web"));
    next_is(fd, D_OK, "");
    close(fd);
}

/* That pvctl was told to end. */
static void dumper_ends(void)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    policy_child(&f->host, pid, status);
    turn();
}

/* Somebody destroys it meanwhile: its dumper is told to end, and nothing follows. */
static void destroyed_while_it_is_dumped(void **state)
{
    (void)state;
    destroy_dumped(serve_one("coredump-restart"));
    dumper_ends();
    assert_false(restart_intended("web"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_null(fake_is_clean(f));
}

/* Its dumper ends when the next of its name lives already: nothing happens to that one. */
static void dumper_is_slow(void **state)
{
    uint32_t next;

    (void)state;
    destroy_dumped(serve_one("coredump-destroy"));
    serve("web", "destroy", &next);
    dumper_ends();
    assert_non_null(fake_domain(f, next));
    assert_string_equal(name_of(next), "web");
}

/* It stays by another name, with another uuid, without its devices; a next life has its own. */
static void renames_and_restarts(void **state)
{
    static struct device_system model;
    const struct device_system *real = device_system;
    uint32_t domid = serve_one("rename-restart"), next;
    int fd = waits_for(domid);
    char call[160], other[65], *xml;

    (void)state;
    model = *real;
    model.backend_lives = still_there;
    device_system = &model;
    lingering = 1;
    add_disk(domid);
    fake_pvctl("exit 0");
    crash(domid);
    assert_non_null(fake_domain(f, domid));
    snprintf(other, sizeof(other), "%s", name_of(domid));
    assert_int_equal(strncmp(other, "web-2", 5), 0);
    assert_int_not_equal(fake_domain(f, domid)->d.uuid[0], 0x77);
    next_is(fd, D_END, NULL);
    assert_false(hears(fd)); /* who waits is told of the next life, too */
    assert_string_equal(console_by_domid(domid)->name, other);
    assert_int_equal(state_read_xml(domid, &xml), 0);
    assert_non_null(strstr(xml, other));
    assert_non_null(strstr(xml, "<on_crash>preserve</on_crash>"));
    free(xml);
    assert_int_equal(state_read_file(restart_path("web"), &xml), 0);
    assert_non_null(strstr(xml, "<name>web</name><uuid>77000000"));
    free(xml);
    turn(); /* a back end has its disk still */
    assert_int_equal(console_by_name("web")->restarter, 0);
    clock_ms += 100;
    turn();
    turn();
    assert_true(console_by_name("web")->restarter > 0);
    serve("web", "destroy", &next);
    wait_child();
    snprintf(call, sizeof(call), "create %s", restart_path("web"));
    called_with(call);
    snprintf(call, sizeof(call), "%u", next);
    next_is(fd, D_NEXT, call);
    close(fd);
    device_system = real;
    /* The next daemon leaves it as it is. */
    console_close_all(&f->host);
    collector_look(&f->host);
    policy_check(&f->host);
    assert_string_equal(name_of(domid), other);
    assert_non_null(fake_domain(f, next));
}

static const struct host_ops *usual;
static bool looked;

static int new_uuid_under_the_lock(struct host *h, uint32_t domid, const uint8_t uuid[16])
{
    looked = true;
    assert_int_equal(state_lock(0), -EBUSY);
    return usual->domain_set_uuid(h, domid, uuid);
}

/* Nobody claims the name before its entry has gone. */
static void puts_aside_under_the_lock(void **state)
{
    struct host_ops ours = *f->host.ops;
    struct state_entry s;

    (void)state;
    usual = f->host.ops;
    ours.domain_set_uuid = new_uuid_under_the_lock;
    f->host.ops = &ours;
    crash(serve_one("rename-restart"));
    f->host.ops = usual;
    assert_true(looked);
    assert_int_equal(state_get("web", &s), -ENOENT);
}

/* Somebody else makes the next life: who waits is told of that one. */
static void somebody_else_is_faster(void **state)
{
    uint32_t domid = serve_one("rename-restart"), next;
    int fd = waits_for(domid), maker;
    char text[32];

    (void)state;
    crash(domid);
    next_is(fd, D_END, NULL);
    maker = ask(D_MAKE, "web");
    make_guest("web", "destroy", &next);
    snprintf(text, sizeof(text), "%u %u web", next, console_port(next));
    close(ask(D_SERVE, text));
    snprintf(text, sizeof(text), "%u", next);
    next_is(fd, D_NEXT, text);
    close(fd);
    close(maker);
}

/* What cannot be renamed is preserved by its own name. */
static void what_cannot_be_renamed(void **state)
{
    uint32_t domid = serve_one("rename-restart");

    (void)state;
    unlink(state_path("domains/%u.xml", domid));
    assert_int_equal(state_write_file(restart_path("web"),
                                      "<domain type='xen'><name>web</name><memory>8192</memory><os>"
                                      "<type>linux</type><kernel>/k</kernel></os>"
                                      "<on_crash>rename-restart</on_crash></domain>"),
                     0);
    crash(domid);
    assert_string_equal(name_of(domid), "web");
    ended_is("web", "crashed; not restarted: its configuration: No such file", "(preserved)");
    assert_false(restart_intended("web"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup_dumps, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(dumps_and_destroys),
        T(without_a_core),
        T(dumps_and_restarts),
        T(few_cores_are_kept),
        T(destroyed_while_it_is_dumped),
        T(dumper_is_slow),
        T(renames_and_restarts),
        T(what_cannot_be_renamed),
        T(somebody_else_is_faster),
        T(puts_aside_under_the_lock),
        T(no_second_is_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
