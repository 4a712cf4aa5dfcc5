/* SPDX-License-Identifier: MIT */
/*
 * What clients ask the daemon for: see client_ask.h. Each request has its own function, which
 * answers at once or leaves the client to wait for what it asked for.
 */
#include "client_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cause.h"
#include "client_internal.h"
#include "collector.h"
#include "config.h"
#include "kept.h"
#include "events.h"
#include "lifecycle.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"

/* We know no domain of this name or number. Is there one? Others make some, and so does the
 * hypervisor when it starts. `missing` is said behind "no such domain". */
static void refuse_unwatched(struct host *h, struct client *cl, const char *which,
                             const char *missing)
{
    struct error none = {0}, e = {0};
    struct live_domain l;

    if (lifecycle_find(h, which, &l, &none) == 0)
        error_set(&e, -ENODATA, "%s: parvisd does not watch this domain%s", which,
                  l.ours ? "" : ": it was not created by pvctl");
    else
        error_set(&e, -ESRCH, "%s: no such domain%s", which, missing);
    client_answer(cl, e.code, &e);
    client_drop(cl);
}

/* What we keep is of one that has ended, while another program's domain has the name. */
static bool is_others_now(struct host *h, const struct console *c)
{
    struct error none = {0};
    struct live_domain l;

    return c->domid == CONSOLE_NONE && !c->restarting &&
           lifecycle_find(h, c->name, &l, &none) == 0 && !l.ours;
}

/* NULL: there is none, and the client is told. */
static struct console *find_console(struct host *h, struct client *cl, const char *name)
{
    uint32_t domid;
    struct console *c =
        lifecycle_number(name, &domid) ? console_by_domid(domid) : console_by_name(name);

    if (c && !is_others_now(h, c))
        return c;
    refuse_unwatched(h, cl, name, ", nor a console kept of one");
    return NULL;
}

/* Who has it is told that he has it no more. */
static void take_over(struct console *c, pid_t by)
{
    char text[64];

    for (unsigned int i = 0; i < nr_clients; i++) {
        if (clients[i].fd >= 0 && c->reader == &clients[i]) {
            snprintf(text, sizeof(text), "its console was taken over by process %d", (int)by);
            client_send_end(&clients[i], text);
        }
    }
}

static void ask_console(struct host *h, struct client *cl, const char *name, bool take)
{
    struct console *c = find_console(h, cl, name);
    struct error e = {0};

    if (!c)
        return;
    console_try_again(h, c);
    if (c->domid != CONSOLE_NONE && !c->ring) {
        error_set(&e, -EPIPE, "%s: " CONSOLE_TAKEN "; `pvctl log` shows what it printed", name);
        client_answer(cl, e.code, &e);
        client_drop(cl);
        return;
    }
    if (take)
        take_over(c, cl->pid);
    if (c->reader) {
        client_answer(cl,
                      error_set(&e, -EBUSY, "%s: its console is in use already, by process %d",
                                name, (int)c->reader_pid),
                      &e);
        client_drop(cl);
        return;
    }
    cl->kind = READING;
    cl->console = c;
    c->reader = cl;
    c->reader_pid = cl->pid;
    c->reader_pos = 0;
    client_answer(cl, 0, &e);
}

static void ask_log(struct host *h, struct client *cl, const char *name, bool follows)
{
    struct console *c = find_console(h, cl, name);
    const struct error none = {0};

    if (!c)
        return;
    cl->kind = LISTENING;
    cl->console = c;
    cl->follows = follows;
    cl->pos = 0;
    cl->to = c->history.total;
    cl->cleared = c->history.cleared;
    c->listeners++;
    client_answer(cl, 0, &none);
}

/* All that says its name, and the name itself as the last, which the client has claimed: killed
 * before that, the next daemon lets all say the old one again (policy_adopt()), and behind it there
 * is nothing more to do. */
static int give_name(struct host *h, uint32_t domid, const char *from, const char *to,
                     pid_t claimer, struct error *e)
{
    struct error why = {0};
    struct live_domain l;
    int rc = lifecycle_find(h, from, &l, e);

    if (rc == 0 && l.d.domid != domid)
        rc = error_set(e, -ESRCH, "%s: it has ended meanwhile", from);
    if (rc)
        return rc;
    rc = kept_write_name(h, &l, to, e);
    if (rc == 0) {
        rc = kept_rename(from, to, claimer);
        if (rc == -EBUSY)
            error_set(e, rc, "%s: a process that claims another name is slow: try again later",
                      from);
        else if (rc)
            error_errno(e, rc, "%s: giving it the name %s", from, to);
    }
    if (rc && kept_write_name(h, &l, from, &why)) {
        fprintf(stderr, "parvisd: %s\n", why.text);
        console_by_domid(domid)->unsettled = true;
        collector_again();
    }
    return rc;
}

/* "OLD NEW" */
static void ask_rename(struct host *h, struct client *cl, uint32_t domid, char *text)
{
    struct console *c = console_by_domid(domid);
    char *to = strchr(text, ' ');
    struct error e = {0};

    if (to)
        *to++ = '\0';
    if (!to || !c || strcmp(c->name, text) != 0 || !domain_name_ok(to))
        error_set(&e, -ESRCH, "%s: parvisd does not watch this domain", text);
    else if (!kept_is_claimed(to, cl->pid))
        error_set(&e, -EEXIST, "%s: process %d has not claimed this name", to, (int)cl->pid);
    else if (console_use(to))
        error_set(&e, -EBUSY, "%s: the last domain of this name %s", to, console_use(to));
    else if (give_name(h, domid, text, to, cl->pid, &e) == 0)
        console_rename(c, to);
    client_answer(cl, e.code, &e);
    client_drop(cl);
}

/* false: it is none, and the client is told. */
static bool read_number(struct client *cl, const char *text, uint32_t *domid)
{
    struct error e = {0};

    if (lifecycle_number(text, domid))
        return true;
    error_set(&e, -EPROTO, "parvisd does not understand which domain: '%.20s' is no number of one",
              text);
    client_answer(cl, e.code, &e);
    client_drop(cl);
    return false;
}

static void ask_wait(struct host *h, struct client *cl, const char *number)
{
    const struct console *c;
    struct error e = {0};
    uint32_t domid;
    char how[256];

    if (!read_number(cl, number, &domid))
        return;
    c = console_by_domid(domid);
    if (!c && (domid == 0 || has_ended(h, domid, how, sizeof(how)))) {
        refuse_unwatched(h, cl, number, "");
        return;
    }
    if (c && c->handled) {
        client_answer(cl, error_set(&e, -ESRCH, "domain %u has ended", domid), &e);
        client_drop(cl);
        return;
    }
    cl->kind = WAITING;
    cl->domid = domid;
    client_answer(cl, 0, &e);
}

/* "PORT NAME", of a domain made just now: the file of a former one of its name is not its history.
 */
static int serve_new(struct host *h, uint32_t domid, char *text, pid_t maker, struct error *e)
{
    char *name = text + strcspn(text, " ");
    const struct console *c;
    uint32_t port;
    bool goes_on;
    int rc;

    if (*name)
        *name++ = '\0';
    if (!console_port_number(text, &port))
        return error_set(e, -EPROTO, "%.64s: '%.20s' is no number of a port", name, text);
    c = console_by_name(name);
    goes_on = c && c->restarting;
    rc = console_serve(h, domid, port, name, e);
    if (rc)
        return rc;
    if (!goes_on)
        unlink(state_path("console/%s.log", name));
    policy_served(h, console_by_name(name), maker);
    events_look(h);
    return 0;
}

/* Its maker gives it up: it does not end, it never was. */
static bool is_given_up(const char *name, uint32_t domid)
{
    struct state_entry s;

    return state_get(name, &s) == 0 && s.maker && s.domid == domid;
}

/* -ESRCH: it has gone, and the number or the name is another domain's. */
static int refuse_gone(struct host *h, uint32_t domid, const uint8_t uuid[16], const char *name,
                       struct error *e)
{
    struct state_entry s;
    struct host_domain d;
    unsigned int n = 0;
    int rc = h->ops->domain_list(h, domid, &d, 1, &n);

    if (rc)
        return error_errno(e, rc, "%s: listing the domains", name);
    if (n == 1 && d.domid == domid && memcmp(d.uuid, uuid, 16) != 0)
        return error_set(e, -ESRCH, "%s: it has ended; domain %u is another one now", name, domid);
    if ((n == 0 || d.domid != domid) && state_get(name, &s) == 0 && !s.maker && s.domid != domid &&
        s.domid != UINT32_MAX)
        return error_set(e, -ESRCH, "%s: domain %u has ended; this is the name of domain %u now",
                         name, domid, s.domid);
    return 0;
}

/* "UUID NAME HOW"; the name of a domain that others made may be anything but has no blank. */
static void ask_reap(struct host *h, struct client *cl, uint32_t domid, char *text)
{
    char *name = strchr(text, ' '), *how = name ? strchr(name + 1, ' ') : NULL;
    struct error e = {0};
    uint8_t uuid[16];

    if (how) {
        *name++ = '\0';
        *how++ = '\0';
    }
    if (!how || domid == 0 || !uuid_parse(text, uuid))
        error_set(&e, -EPROTO, "parvisd does not understand what to take away");
    if (e.code || refuse_gone(h, domid, uuid, name, &e)) {
        client_answer(cl, e.code, &e);
        client_drop(cl);
        return;
    }
    cl->kind = REAPING;
    cl->domid = domid;
    if (!console_by_domid(domid))
        policy_give_up(name); /* it has ended by itself meanwhile */
    policy_release(h, domid, how);
    reaper_start(h, domid, uuid, name, is_given_up(name, domid) ? "" : how);
}

/* "DOMID ...", of a domain that the client has made, named, or ended. */
static void ask_of_one(struct host *h, struct client *cl, int type, char *text)
{
    char *rest = text + strcspn(text, " ");
    struct error e = {0};
    uint32_t domid;

    if (*rest)
        *rest++ = '\0';
    if (!read_number(cl, text, &domid))
        return;
    if (type == D_REAP) {
        ask_reap(h, cl, domid, rest);
    } else if (type == D_RENAME) {
        ask_rename(h, cl, domid, rest);
    } else {
        client_answer(cl, serve_new(h, domid, rest, cl->pid, &e), &e);
        if (cl->kind != MAKING) /* it goes on being made */
            client_drop(cl);
    }
}

void client_request(struct host *h, struct client *cl, int type, char *text)
{
    struct state_entry former;
    struct error e = {0};

    switch (type) {
    case D_SERVE:
    case D_REAP:
    case D_RENAME:
        ask_of_one(h, cl, type, text);
        break;
    case D_MAKE:
        snprintf(cl->name, sizeof(cl->name), "%.64s", text);
        cl->kind = TO_MAKE; /* answered by client_go_on() */
        if (state_get(cl->name, &former) == 0)
            collector_look(h);
        break;
    case D_STOP:
        snprintf(cl->name, sizeof(cl->name), "%.64s", text);
        cl->kind = STOPPING; /* answered by client_go_on() */
        policy_give_up(cl->name);
        break;
    case D_CONSOLE:
    case D_TAKE:
        ask_console(h, cl, text, type == D_TAKE);
        break;
    case D_LOG:
    case D_FOLLOW:
        ask_log(h, cl, text, type == D_FOLLOW);
        break;
    case D_EVENTS:
        events_begin(h);
        cl->kind = WATCHING;
        client_answer(cl, 0, &e);
        break;
    case D_WAIT:
        ask_wait(h, cl, text);
        break;
    default:
        client_answer(cl, error_set(&e, -EPROTO, "parvisd does not know this request"), &e);
        client_drop(cl);
    }
}

void client_go_on(struct host *h)
{
    struct error none = {0};

    if (client_maker_left())
        collector_look(h);
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd >= 0 && cl->kind == TO_MAKE && !reaper_has_name(cl->name)) {
            cl->kind = MAKING;
            client_answer(cl, 0, &none);
        }
        if (cl->fd >= 0 && cl->kind == STOPPING && !policy_is_making(cl->name) &&
            !reaper_has_name(cl->name)) {
            client_answer(cl, 0, &none);
            client_drop(cl);
        }
    }
}
