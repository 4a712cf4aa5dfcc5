/* SPDX-License-Identifier: MIT */
/*
 * pvctl shutdown: asks a domain, or all, to power off; `reboot` is alike. The wish comes by the
 * store, of which an hvm guest is not told: it has a power button to press.
 *
 * With --wait the wait is registered with the daemon before the wish is written: an end that
 * comes at once is not missed. It has a limit, since a domain need not listen. A reboot is
 * over when the new life is there. A paused domain can't listen: it is asked all the same, as
 * somebody may let it go on, and that it is paused is said.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"
#include "end_all.h"
#include "progress.h"
#include "pvctl.h"
#include "restart.h"
#include "wish.h"

#define DEFAULT_TIMEOUT 120u
#define PROGRESS_MS     10000 /* a person who waits for several is told so often */

/* A domain that has been asked. */
struct asked {
    char name[65];
    bool again; /* it is to live again */
    bool ended; /* it has, and how it ended was told */
};

bool end_is_crash(const char *how)
{
    return strncmp(how, "crashed", 7) == 0 || strncmp(how, "killed by", 9) == 0;
}

/* The socket on which its end is told, -1 without --wait; or an exit status in *rc. */
static int ask(const struct call *c, const struct live_domain *l, const char *wish, int *rc)
{
    struct error e = {0};
    char id[16];
    int fd = -1;

    if (c->options & OPT_WAIT) {
        snprintf(id, sizeof(id), "%u", l->d.domid);
        fd = daemon_ask(D_WAIT, id, &e);
    }
    if (e.code || wish_for(c, l, wish, &e)) {
        *rc = fail(&e);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static void say(const char *name, const char *how)
{
    printf("%s: %s\n", name, how);
    fflush(stdout);
}

/* One message about a domain. Returns an exit status, or -1: there is more to come. */
static int told(struct asked *a, int fd)
{
    char text[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int type = daemon_receive(fd, text, &len);

    if (type == D_NEXT) {
        printf("%s: domain %s\n", a->name, text);
        return EXIT_OK;
    }
    if (type == D_END) {
        say(a->name, text);
        if (a->ended) {
            return EXIT_REFUSED; /* it could not be started again */
        }
        a->ended = true;
        return end_is_crash(text) ? EXIT_CRASHED : a->again ? -1 : EXIT_OK;
    }
    if (a->ended && !restart_intended(a->name)) {
        return EXIT_OK; /* its <on_reboot> is not to live again */
    }
    fprintf(stderr, "pvctl: %s: parvisd ended before the domain %s\n", a->name,
            a->ended ? "was started again; the next parvisd does that" : "did");
    return EXIT_NO_HOST;
}

/* Those that are waited for and have ended, or have not. */
static void tell_some(const struct asked *a, const struct pollfd *p, size_t n, bool ended,
                      const char *text)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (p[i].fd < 0 || a[i].ended != ended)
            continue;
        fprintf(stderr, "%s %s", any ? "" : "pvctl:", a[i].name);
        any = true;
    }
    if (any)
        fprintf(stderr, ": %s\n", text);
}

static void tell_waiting(const struct asked *a, const struct pollfd *p, size_t n)
{
    tell_some(a, p, n, false, "still waiting for its end");
    tell_some(a, p, n, true, "it has ended; still waiting for its start");
}

static void tell_limit(const struct asked *a, const struct pollfd *p, size_t n,
                       unsigned int seconds)
{
    char text[96];

    snprintf(text, sizeof(text), "not ended within %u s; `pvctl destroy` does not ask", seconds);
    tell_some(a, p, n, false, text);
    snprintf(text, sizeof(text), "it has ended, and was not started again within %u s", seconds);
    tell_some(a, p, n, true, text);
}

static void ask_again(const struct call *c, const struct live_domain *l, const struct asked *a,
                      const struct pollfd *p, size_t n, const char *wish)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i].fd >= 0 && !a[i].ended)
            wish_again(c, &l[i], wish);
    }
}

/* Whom a person waits for: the first of them. */
static const char *waiting_for(const struct asked *a, const struct pollfd *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i].fd >= 0)
            return a[i].name;
    return "";
}

static int wait_all(const struct call *c, const struct live_domain *l, struct asked *a,
                    struct pollfd *p, size_t n, const char *wish)
{
    unsigned int seconds = c->options & OPT_TIMEOUT ? c->number[AT_TIMEOUT] : DEFAULT_TIMEOUT;
    uint64_t start = now_ms(), limit = (uint64_t)seconds * 1000;
    size_t left = 0;
    int rc = EXIT_OK;

    for (size_t i = 0; i < n; i++)
        left += p[i].fd >= 0;
    while (left > 0) {
        uint64_t passed = now_ms() - start;
        bool last = seconds && limit < passed + PROGRESS_MS; /* its end is told soon enough */

        if (seconds && passed >= limit) {
            tell_limit(a, p, n, seconds);
            return worse(rc, EXIT_REFUSED);
        }
        if (progress_poll(p, n, last ? (int)(limit - passed) : PROGRESS_MS, waiting_for(a, p, n),
                          "waiting") == 0 &&
            !last) {
            tell_waiting(a, p, n);
            ask_again(c, l, a, p, n, wish);
        }
        for (size_t i = 0; i < n; i++) {
            int one = p[i].fd >= 0 && p[i].revents ? told(&a[i], p[i].fd) : -1;

            if (one >= 0) {
                close(p[i].fd);
                p[i].fd = -1;
                rc = worse(rc, one);
                left--;
            }
        }
    }
    return rc;
}

/* Asks all of these, then waits for all. */
static int ask_all(const struct call *c, const struct live_domain *l, size_t n, const char *wish)
{
    struct asked *a = calloc(n + 1, sizeof(*a));
    struct pollfd *p = calloc(n + 1, sizeof(*p));
    int rc = EXIT_OK;

    if (!a || !p) {
        struct error e = {0};

        error_errno(&e, -ENOMEM, "asking for %s", wish);
        rc = fail(&e);
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        int one = EXIT_OK;

        snprintf(a[i].name, sizeof(a[i].name), "%s", l[i].name);
        a[i].again = strcmp(wish, "reboot") == 0;
        p[i] = (struct pollfd){.fd = ask(c, &l[i], wish, &one), .events = POLLIN};
        rc = worse(rc, one);
    }
    if (n && (c->options & OPT_WAIT))
        rc = worse(rc, wait_all(c, l, a, p, n, wish));
    free(a);
    free(p);
    return rc;
}

/* All guests that can be asked; the others are named. */
static int request_all(const struct call *c, const char *wish)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n, some = 0;
    int rc;

    if (lifecycle_list(c->h, &l, &n, &e))
        return fail(&e);
    for (size_t i = 0; i < n; i++) {
        if (l[i].d.domid == 0 || l[i].d.shutdown || l[i].d.dying)
            continue;
        if (l[i].d.paused || l[i].maker) {
            fprintf(stderr, "pvctl: %s: it is %s and cannot be asked\n", l[i].name,
                    l[i].maker ? "being created" : "paused");
            continue;
        }
        say(l[i].name, "asked to end");
        l[some++] = l[i];
    }
    rc = ask_all(c, l, some, wish);
    free(l);
    return rc;
}

/* One that was named, and can be asked. 0 or an exit status, after it has been told. */
static int named(const struct call *c, const char *name, const char *wish, struct live_domain *l)
{
    struct call one = *c;
    struct error e = {0};
    int rc;

    one.arg = name;
    rc = need_guest(&one, strcmp(wish, "reboot") == 0 ? "reboot" : "shut down", l);
    if (rc)
        return rc;
    if (l->d.shutdown || l->d.dying) {
        error_set(&e, 0, "%s: it has ended already (%s)", l->name, domain_state_text(&l->d));
        return fail(&e);
    }
    if (l->d.paused)
        fprintf(stderr, "pvctl: %s: it is paused: `pvctl unpause` lets it go on\n", l->name);
    return 0;
}

int request_end(const struct call *c, const char *wish)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n = 0;
    int rc = EXIT_OK;

    if (c->options & OPT_ALL)
        return request_all(c, wish);
    l = calloc(c->nr_args, sizeof(*l));
    if (!l) {
        error_errno(&e, -ENOMEM, "asking for %s", wish);
        return fail(&e);
    }
    for (size_t i = 0; i < c->nr_args; i++) {
        int one = named(c, c->args[i], wish, &l[n]);

        rc = worse(rc, one);
        n += one == 0;
    }
    rc = worse(rc, ask_all(c, l, n, wish));
    free(l);
    return rc;
}

static int run(const struct call *c)
{
    unsigned int seconds = c->options & OPT_TIMEOUT ? c->number[AT_TIMEOUT] : DEFAULT_TIMEOUT;

    if (!(c->options & OPT_DESTROY))
        return request_end(c, "poweroff");
    if (!(c->options & OPT_ALL))
        return usage_error(&verb_shutdown, "--destroy is for --all", "");
    return end_all(c, seconds);
}

const struct verb verb_shutdown = {
    .name = "shutdown",
    .arg = "NAME...",
    .options = OPT_ALL | OPT_WAIT | OPT_TIMEOUT | OPT_DESTROY,
    .run = run,
    .summary = "ask a domain, or all, to power off",
    .help = "The domain does it by itself, if it listens; `destroy` does not ask. An hvm guest "
            "finds its power\n"
            "button pressed: something in it has to act on that, such as acpid.\n",
    .examples = "pvctl shutdown web\n"
                "pvctl shutdown --wait web db\n"
                "pvctl shutdown --all --timeout 60 --destroy\n",
};
