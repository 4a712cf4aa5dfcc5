/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the console daemon share: see daemon_support.h.
 */
#define _GNU_SOURCE /* nftw */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#include "child.h"
#include "client.h"
#include "client_ask.h"
#include "clock.h"
#include "collector.h"
#include "daemon.h"
#include "daemon_support.h"
#include "kept.h"
#include "lifecycle.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"
#include "unlimited.h"

static char dir[64];
struct fake_host *f;
int listener;
uint64_t clock_ms = 1000;
char dumps[96];

uint64_t now_ms(void)
{
    return clock_ms;
}

uint64_t now_ns(void)
{
    return clock_ms * 1000000;
}

int daemon_setup(void **state)
{
    (void)state;
    /* In memory where that is to be had: much is made and removed. */
    snprintf(dir, sizeof(dir), "%s/parvis-test-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(dir))
        return -1;
    setenv("PARVIS_RUN", dir, 1);
    child_set_pvctl("/bin/false");
    f = fake_new();
    listener = client_listen(state_path("parvisd.sock"));
    return state_prepare(NULL) || listener < 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int daemon_teardown(void **state)
{
    (void)state;
    client_close_all();
    reaper_close(&f->host);
    console_close_all(&f->host);
    close(listener);
    fake_free(f);
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A guest as the builder leaves it: ring granted, port open, entries written, name taken. */
struct xencons_interface *make_guest(const char *name, const char *on_poweroff, uint32_t *domid)
{
    struct host_create c = {.max_vcpus = 1};
    struct host_grant g = {GNTTAB_RESERVED_CONSOLE, 0, 0};
    struct host *h = &f->host;
    char path[64], text[16], xml[512];
    unsigned int done;
    uint32_t port;

    c.uuid[0] = (uint8_t)name[0];
    assert_int_equal(h->ops->domain_create(h, &c, domid), 0);
    assert_int_equal(h->ops->domain_max_vcpus(h, *domid, 1), 0);
    h->ops->domain_max_mem(h, *domid, 64);
    h->ops->populate_physmap(h, *domid, 1, 0, &g.frame, &done);
    h->ops->grant_seed(h, *domid, &g, 1);
    h->ops->evtchn_alloc_unbound(h, *domid, 0, &port);
    snprintf(path, sizeof(path), "/local/domain/%u/console/port", *domid);
    snprintf(text, sizeof(text), "%u", port);
    h->ops->store_write(h, 0, path, text);
    snprintf(xml, sizeof(xml),
             "<domain type='xen'><name>%s</name><memory>8192</memory><os><type>linux</type>"
             "<kernel>/k</kernel></os><on_poweroff>%s</on_poweroff>"
             "<on_crash>preserve</on_crash></domain>",
             name, on_poweroff);
    assert_int_equal(state_claim(h, name, c.uuid, false, NULL), 0);
    assert_int_equal(state_claim_number(name, *domid, c.uuid, NULL), 0);
    assert_int_equal(state_keep(name, *domid, xml, NULL), 0);
    assert_int_equal(state_commit(name, *domid, c.uuid, NULL), 0);
    return fake_frame(f, g.frame);
}

uint32_t console_port(uint32_t domid)
{
    char path[64], *text;
    uint32_t port;

    snprintf(path, sizeof(path), "/local/domain/%u/console/port", domid);
    assert_int_equal(f->host.ops->store_read(&f->host, 0, path, &text), 0);
    port = (uint32_t)strtoul(text, NULL, 10);
    free(text);
    return port;
}

struct xencons_interface *serve(const char *name, const char *on_poweroff, uint32_t *domid)
{
    struct xencons_interface *ring = make_guest(name, on_poweroff, domid);
    struct error e = {0};

    if (console_adopt(&f->host, *domid, name, &e))
        fail_msg("%s", e.text);
    return ring;
}

uint32_t serve_with(const char *ends)
{
    uint32_t domid;
    char xml[512];

    serve("web", "destroy", &domid);
    snprintf(xml, sizeof(xml),
             "<domain type='xen'><name>web</name><uuid>77000000-0000-0000-0000-000000000000</uuid>"
             "<memory>8192</memory><os><type>linux</type><kernel>/k</kernel></os>"
             "%s</domain>",
             ends);
    assert_int_equal(state_write_file(state_path("domains/%u.xml", domid), xml), 0);
    return domid;
}

uint32_t serve_one(const char *on_crash)
{
    char ends[64];

    snprintf(ends, sizeof(ends), "<on_crash>%s</on_crash>", on_crash);
    return serve_with(ends);
}

void fake_pvctl(const char *does)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof(path), "%s", state_path("pvctl"));
    out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "#!/bin/sh\necho \"$*\" >>%s\n", state_path("called"));
    fprintf(out, "test -f \"$2\" && cat \"$2\" >%s\n%s\n", state_path("given"), does);
    fclose(out);
    chmod(path, 0700);
    child_set_pvctl(path);
}

void wait_child(void)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);

    assert_true(pid > 0);
    policy_child(&f->host, pid, status);
}

void crash(uint32_t domid)
{
    clock_ms += 2 * RESTART_MIN_MS;
    fake_shutdown(f, domid, SHUTDOWN_crash);
    policy_check(&f->host);
}

void give_name(uint32_t domid, const char *from, const char *to)
{
    assert_int_equal(state_claim(&f->host, to, (const uint8_t[16]){1}, true, NULL), 0);
    console_rename(console_by_domid(domid), to);
    assert_int_equal(kept_rename(from, to, getpid()), 0);
}

const char *name_of(uint32_t domid)
{
    static char name[65];
    struct live_domain *l;
    struct error e = {0};
    size_t n;

    name[0] = '\0';
    assert_int_equal(lifecycle_list(&f->host, &l, &n, &e), 0);
    for (size_t i = 0; i < n; i++) {
        if (l[i].d.domid == domid)
            snprintf(name, sizeof(name), "%s", l[i].name);
    }
    free(l);
    return name;
}

uint32_t say(struct xencons_interface *ring, const char *text, size_t len)
{
    uint32_t n = 0;

    while (n < len && ring->out_prod - ring->out_cons < sizeof(ring->out))
        ring->out[ring->out_prod++ & (sizeof(ring->out) - 1)] = text[n++];
    return n;
}

char *history_text(const struct console *c)
{
    char *out = NULL;
    size_t len;
    FILE *m = open_memstream(&out, &len);

    history_save(&c->history, m);
    fclose(m);
    return out;
}

void history_says(const char *name, const char *text)
{
    char *have = history_text(console_by_name(name));

    assert_string_equal(have, text);
    free(have);
}

void fire(const char *name)
{
    struct console *c = console_by_name(name);

    console_event(&f->host, c->port);
}

/* One turn of the daemon's loop. */
void turn(void)
{
    struct pollfd p[MAX_CLIENTS];
    unsigned int n;

    client_accept(listener);
    n = client_poll_set(p);
    poll(p, n, 0);
    client_serve(&f->host, p, n, client_request);
    collector_run(&f->host);
    policy_go_on();
    client_go_on(&f->host);
}

int ask(enum daemon_message type, const char *text)
{
    struct error e = {0};
    int fd = daemon_connect(&e);

    assert_true(fd >= 0);
    assert_int_equal(daemon_send(fd, type, text, strlen(text)), 0);
    turn();
    return fd;
}

const char *destroys(uint32_t domid, const uint8_t *uuid, const char *name)
{
    static char text[160];
    char of[37];

    uuid_format(uuid ? uuid : fake_domain(f, domid)->d.uuid, of);
    snprintf(text, sizeof(text), "%u %s %s destroyed", domid, of, name);
    return text;
}

void next_is(int fd, int type, const char *text)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;

    assert_int_equal(daemon_receive(fd, buf, &len), type);
    if (text)
        assert_string_equal(buf, text);
}

int lingering;

bool still_there(const char *device)
{
    assert_non_null(strstr(device, "vbd-"));
    return lingering > 0 && lingering--;
}

void add_disk(uint32_t domid)
{
    char path[96];

    snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/51712/state", domid);
    f->host.ops->store_write(&f->host, 0, path, "4");
}

/* ---- a Linux that takes up at once whatever it is asked for ---- */

static int first_loop(const char *path, unsigned int *major, unsigned int *minor)
{
    (void)path;
    *major = 7;
    *minor = 0;
    return 0;
}

static int same_disk(const char *path, struct disk_id *out)
{
    (void)path;
    *out = (struct disk_id){.dev = 1, .ino = 2};
    return 0;
}

static int same_number(unsigned int major, unsigned int minor, struct disk_id *out)
{
    (void)major, (void)minor;
    return same_disk(NULL, out);
}

static int good_file(const char *path, bool readonly)
{
    (void)path, (void)readonly;
    return 0;
}

static int attach(const char *path, bool readonly, char *dev, size_t size)
{
    (void)path, (void)readonly;
    snprintf(dev, size, "/dev/loop0");
    return 1000; /* no descriptor of ours */
}

static void let_go(int fd)
{
    assert_int_equal(fd, 1000);
}

static int good_bridge(const char *bridge)
{
    (void)bridge;
    return 0;
}

static int join(const char *ifname, const char *new_name, const char *bridge)
{
    (void)ifname, (void)new_name, (void)bridge;
    return 0;
}

static bool is_gone(const char *device)
{
    (void)device;
    return false;
}

static bool serves(const char *device)
{
    (void)device;
    return true;
}

/* The drivers come to their turn: back ends wait for their front ends. */
static void take_up(unsigned int ms)
{
    (void)ms;
    fake_backends_take_up(f, "2");
}

static bool all_there(void)
{
    return false;
}

int daemon_setup_dumps(void **state)
{
    int rc = daemon_setup(state);

    snprintf(dumps, sizeof(dumps), "%s", state_path("dumps"));
    setenv("PARVIS_DUMPS", dumps, 1);
    return rc;
}

bool dump_is_there(const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", dumps, name);
    return access(path, F_OK) == 0;
}

static FILE *logged;
static int terminal;

void daemon_hear(void)
{
    logged = tmpfile();
    assert_non_null(logged);
    terminal = dup(STDERR_FILENO);
    dup2(fileno(logged), STDERR_FILENO);
}

const char *daemon_heard(void)
{
    static char text[1 << 14];

    dup2(terminal, STDERR_FILENO);
    close(terminal);
    rewind(logged);
    text[fread(text, 1, sizeof(text) - 1, logged)] = '\0';
    fclose(logged);
    return text;
}

const struct device_system willing_system = {
    .block_number = first_loop,
    .identify_path = same_disk,
    .identify_number = same_number,
    .check_file = good_file,
    .loop_attach = attach,
    .loop_let_go = let_go,
    .check_bridge = good_bridge,
    .bridge_join = join,
    .backend_lives = is_gone,
    .backend_serves = serves,
    .sleep_ms = take_up,
    .starting = all_there,
    UNLIMITED,
};
