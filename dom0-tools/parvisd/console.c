/* SPDX-License-Identifier: MIT */
/*
 * The consoles that the daemon keeps: see console.h.
 */
#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/io/console.h>

#include "clock.h"
#include "config.h"
#include "console_file.h"
#include "state.h"

/* An event without bytes is work too: it counts as so many bytes of the window. */
#define EVENT_COST 512u

struct console *consoles;

struct console *console_by_name(const char *name)
{
    struct console *c;

    for (c = consoles; c && strcmp(c->name, name) != 0; c = c->next) {
    }
    return c;
}

struct console *console_by_domid(uint32_t domid)
{
    struct console *c;

    for (c = consoles; c && c->domid != domid; c = c->next) {
    }
    return domid == CONSOLE_NONE ? NULL : c;
}

static void drop(struct console *c)
{
    struct console **at;

    for (at = &consoles; *at != c; at = &(*at)->next) {
    }
    *at = c->next;
    history_free(&c->history);
    free(c);
}

/* Nothing is left of it in the state directory either: that is memory, and names are without end.
 */
static void forget(struct console *c)
{
    unlink(state_path("console/%s.log", c->name));
    unlink(state_path("ended/%s", c->name));
    drop(c);
}

/* NULL: it is not. */
static const char *use_of(const struct console *c)
{
    return c->restarting || c->restarter ? "is to live again"
           : c->dumper                   ? "is having its core written"
           : c->domid != CONSOLE_NONE    ? "is still there"
           : c->reader || c->listeners   ? "is having its console read"
                                         : NULL;
}

static bool is_in_use(const struct console *c)
{
    return use_of(c) != NULL;
}

/* There are newer ones enough that were put aside of the same name; the newest stand first. */
static bool is_surplus(const struct console *c)
{
    unsigned int newer = 0;

    for (const struct console *o = consoles; *c->aside_of && o != c; o = o->next)
        newer += strcmp(o->aside_of, c->aside_of) == 0;
    return newer >= CONSOLES_ASIDE;
}

/* Ended consoles are at most CONSOLES_ENDED; the oldest stand at the end of the list. Not where a
 * console is made: who goes through the list makes some (policy_check()). */
static void drop_old(void)
{
    struct console *c, *next, *last = NULL;
    unsigned int n = 0;

    for (c = consoles; c; c = next) {
        next = c->next;
        if (is_in_use(c))
            continue;
        if (is_surplus(c)) {
            forget(c);
        } else {
            n++;
            last = c;
        }
    }
    if (n > CONSOLES_ENDED)
        forget(last);
}

static struct console *make(const char *name)
{
    struct console *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    if (history_init(&c->history)) {
        free(c);
        return NULL;
    }
    snprintf(c->name, sizeof(c->name), "%s", name);
    c->domid = CONSOLE_NONE;
    c->next = consoles;
    consoles = c;
    return c;
}

static int bind_ring(struct host *h, struct console *c, uint32_t domid, uint32_t remote)
{
    uint32_t port;
    void *ring;
    int rc = h->ops->grant_map(h, domid, GNTTAB_RESERVED_CONSOLE, HOST_READ | HOST_WRITE, &ring);

    if (rc)
        return rc;
    rc = h->ops->evtchn_bind(h, domid, remote, &port);
    if (rc) {
        h->ops->grant_unmap(h, ring);
        return rc;
    }
    c->ring = ring;
    c->port = port;
    c->domid = domid;
    c->out_cons = c->ring->out_cons;
    c->in_prod = c->ring->in_prod;
    c->masked = false;
    return 0;
}

static int not_reached(struct error *e, int rc, const char *name, uint32_t domid)
{
    return error_errno(e, rc, "%s: reaching the console ring of domain %u", name, domid);
}

/* Of a life that begins now, or that a daemon before this one has served. */
static void begin(struct host *h, struct console *c)
{
    if (!c->restarting) { /* what the last of this name said has been kept until here */
        history_clear(&c->history);
        c->reader_pos = 0;
        c->quick = 0;
    }
    c->ended = c->handled = c->restarting = c->successor = false;
    c->aside_of[0] = '\0'; /* that was another domain */
    c->input_len = 0;
    c->started_ms = now_ms();
    tty_open(h, c);
    console_pump(h, c);
    drop_old();
}

int console_serve(struct host *h, uint32_t domid, uint32_t port, const char *name, struct error *e)
{
    struct console *c = console_by_name(name);
    bool fresh = !c;
    int rc;

    if (!domain_name_ok(name))
        return error_set(e, -EINVAL, "'%.64s' is not a name of a domain", name);
    if (c && c->domid != CONSOLE_NONE)
        return error_set(e, -EEXIST, "%s: the console of domain %u has this name", name, c->domid);
    if (!c)
        c = make(name);
    if (!c)
        return error_errno(e, -ENOMEM, "%s: its console", name);
    rc = bind_ring(h, c, domid, port);
    if (rc) {
        if (fresh)
            drop(c);
        return not_reached(e, rc, name, domid);
    }
    begin(h, c);
    return 0;
}

bool console_port_number(const char *text, uint32_t *port)
{
    unsigned long long value = strtoull(text, NULL, 10);

    *port = (uint32_t)value;
    return *text && strlen(text) <= 10 && strspn(text, "0123456789") == strlen(text) &&
           value <= UINT32_MAX;
}

static int read_port(struct host *h, uint32_t domid, uint32_t *port)
{
    char path[64], *text;
    int rc;

    snprintf(path, sizeof(path), "/local/domain/%u/console/port", domid);
    rc = h->ops->store_read(h, 0, path, &text);
    if (rc == 0) {
        rc = console_port_number(text, port) ? 0 : -EINVAL;
        free(text);
    }
    return rc;
}

static void note(struct console *c, const char *text)
{
    history_add(&c->history, text, strlen(text));
}

/* It is watched all the same. */
static int serve_without_ring(struct host *h, uint32_t domid, const char *name, struct error *e)
{
    struct console *c = console_by_name(name);

    if (!c)
        c = make(name);
    if (!c)
        return error_errno(e, -ENOMEM, "%s: its console", name);
    c->domid = domid;
    c->masked = false;
    begin(h, c);
    note(c, "\r\n[parvisd: the guest has taken its console away; what it prints is not seen]\r\n");
    return 0;
}

/* It has taken back the grant of its ring, or closed its end of the channel. What else fails is not
 * its doing, and may not fail the next time. */
static bool is_its_own_doing(int rc)
{
    return rc == -EINVAL || rc == -ENOENT || rc == -EAGAIN;
}

int console_adopt(struct host *h, uint32_t domid, const char *name, struct error *e)
{
    struct error why = {0};
    uint32_t port;
    int rc = read_port(h, domid, &port);

    rc = rc ? not_reached(&why, rc, name, domid) : console_serve(h, domid, port, name, &why);
    if (rc && !is_its_own_doing(rc))
        return error_set(e, rc, "%s", why.text);
    if (rc == 0)
        return 0;
    fprintf(stderr, "parvisd: %s: it is watched without one\n", why.text);
    return serve_without_ring(h, domid, name, e);
}

void console_try_again(struct host *h, struct console *c)
{
    uint32_t port;

    if (c->ring || c->domid == CONSOLE_NONE || read_port(h, c->domid, &port) ||
        bind_ring(h, c, c->domid, port))
        return;
    note(c, "\r\n[parvisd: the guest has given its console back]\r\n");
    console_pump(h, c);
}

/* Guest to history: at most `limit` bytes. Returns how many. */
static uint32_t take_output(struct console *c, uint32_t limit)
{
    const uint32_t size = sizeof(c->ring->out);
    uint32_t prod = __atomic_load_n(&c->ring->out_prod, __ATOMIC_ACQUIRE);
    uint32_t n = prod - c->out_cons, taken = 0;

    if (n > size) {
        note(c, "\r\n[parvisd: the guest broke its console ring; what it held is skipped]\r\n");
        c->out_cons = prod;
        __atomic_store_n(&c->ring->out_cons, prod, __ATOMIC_RELEASE);
        return size; /* counts as a full ring: doing this over and over is a flood */
    }
    n = n < limit ? n : limit;
    while (taken < n) {
        uint32_t at = c->out_cons & (size - 1);
        uint32_t run = size - at < n - taken ? size - at : n - taken;
        char copy[sizeof(c->ring->out)];

        memcpy(copy, c->ring->out + at, run);
        history_add(&c->history, copy, run);
        c->out_cons += run;
        taken += run;
    }
    __atomic_store_n(&c->ring->out_cons, c->out_cons, __ATOMIC_RELEASE);
    return n;
}

/* What was typed to guest. Returns how many bytes. */
static uint32_t give_input(struct console *c)
{
    const uint32_t size = sizeof(c->ring->in);
    uint32_t used = c->in_prod - __atomic_load_n(&c->ring->in_cons, __ATOMIC_ACQUIRE);
    uint32_t n;

    if (used >= size) {
        return 0; /* full, or an index that cannot be: nothing to write into */
    }
    n = size - used < c->input_len ? size - used : c->input_len;
    for (uint32_t i = 0; i < n; i++)
        c->ring->in[(c->in_prod + i) & (size - 1)] = c->input[i];
    c->in_prod += n;
    __atomic_store_n(&c->ring->in_prod, c->in_prod, __ATOMIC_RELEASE);
    memmove(c->input, c->input + n, c->input_len - n);
    c->input_len -= n;
    return n;
}

static bool reader_is_slow(const struct console *c)
{
    return c->reader && history_behind(&c->history, c->reader_pos) > HISTORY_TAIL / 2;
}

static bool window_is_full(struct console *c)
{
    if (now_ms() - c->window_ms >= CONSOLE_WINDOW_MS) {
        c->window_ms = now_ms();
        c->window_bytes = 0;
    }
    return c->window_bytes >= CONSOLE_BURST;
}

static void move_bytes(struct host *h, struct console *c)
{
    uint32_t moved = 0, n;

    if (!reader_is_slow(c) && !window_is_full(c)) {
        n = take_output(c, CONSOLE_BURST);
        c->window_bytes += n;
        moved += n;
        if (c->masked) {
            c->masked = false;
            h->ops->evtchn_unmask(h, c->port);
        }
    }
    moved += give_input(c);
    if (moved)
        h->ops->evtchn_notify(h, c->port);
}

void console_pump(struct host *h, struct console *c)
{
    if (c->ring)
        move_bytes(h, c);
    if (c->domid != CONSOLE_NONE)
        tty_pump(c);
}

/* Takes what is in the ring, lets go of ring and port. */
static void unbind_ring(struct host *h, struct console *c)
{
    if (c->ring) {
        take_output(c, sizeof(c->ring->out));
        h->ops->evtchn_unbind(h, c->port);
        h->ops->grant_unmap(h, c->ring);
        c->ring = NULL;
    }
}

int console_pump_waiting(struct host *h)
{
    int wait = -1;

    for (struct console *c = consoles; c; c = c->next) {
        if (c->ring && c->masked) {
            console_pump(h, c);
            /* A slow reader calls for the next try itself, when it has read. */
            if (c->masked && !reader_is_slow(c))
                wait = CONSOLE_WINDOW_MS / 2;
        }
    }
    return wait;
}

void console_event(struct host *h, uint32_t port)
{
    for (struct console *c = consoles; c; c = c->next) {
        if (c->ring && c->port == port) {
            c->masked = true;
            c->window_bytes += EVENT_COST;
            console_pump(h, c);
            return;
        }
    }
}

int console_expect(const char *name)
{
    struct console *c = console_by_name(name);

    if (!c) {
        c = make(name);
        if (!c)
            return -ENOMEM;
        console_resume(c);
    }
    if (c->domid == CONSOLE_NONE && !c->restarting) {
        c->restarting = c->successor = c->ended = true;
        carried_load(name, &c->carried);
        snprintf(c->how, sizeof(c->how), "ended");
    }
    return 0;
}

const char *console_use(const char *name)
{
    const struct console *c = console_by_name(name);

    return c ? use_of(c) : NULL;
}

void console_rename(struct console *c, const char *name)
{
    struct console *former = console_by_name(name);

    if (former)
        drop(former);
    snprintf(c->name, sizeof(c->name), "%s", name);
}

void console_set_ended(struct console *c, const char *how)
{
    int rc;

    c->ended = true;
    snprintf(c->how, sizeof(c->how), "%s", how);
    rc = state_write_ended(c->name, c->how);
    if (rc)
        fprintf(stderr, "parvisd: %s: keeping how it ended: %s\n", c->name, error_reason(rc));
}

void console_release(struct host *h, struct console *c, const char *how)
{
    if (c->domid == CONSOLE_NONE)
        return;
    unbind_ring(h, c);
    tty_part(c);
    c->domid = CONSOLE_NONE;
    if (c->restarting) {
        /* Nothing is written before the successor's configuration: there may be no room for it. */
        c->ended = true;
        snprintf(c->how, sizeof(c->how), "%s", how);
        return;
    }
    if (!c->ended)
        console_set_ended(c, how);
    console_save(c);
}

void console_close_all(struct host *h)
{
    while (consoles) {
        struct console *c = consoles;

        unbind_ring(h, c);
        if (c->domid != CONSOLE_NONE || c->restarting)
            console_save(c);
        tty_part(c);
        drop(c);
    }
}
