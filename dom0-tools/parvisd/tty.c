/* SPDX-License-Identifier: MIT */
/*
 * Consoles' terminals: see tty.h.
 */
#define _GNU_SOURCE
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "console.h"
#include "daemon.h"
#include "pts.h"

/* Descriptors that are not for terminals: clients, and what the libraries open. */
#define FDS_KEPT      (MAX_CLIENTS + 128)
#define PARTS_STEP_MS 50

struct tty {
    struct tty *next;
    struct console *console; /* NULL: it parts */
    int master, slave, watch;
    unsigned int number; /* it is /dev/pts/NUMBER */
    unsigned int opens;  /* by others */
    unsigned int found;  /* of them and ours, when it was looked up */
    bool unsure;         /* `opens` was looked up: not by so many closes it is 0 */
    uint64_t pos;        /* in the history */
    uint32_t waits_for;  /* EPOLLIN: somebody types; EPOLLOUT: there is room */
    char out[1024];      /* read from the history, not written yet */
    size_t out_at, out_len;
    uint64_t parts_ms;
};

static struct tty *ttys;
static int events = -1, notify = -1;

int tty_start(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    struct rlimit l;
    int err;

    if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
        l.rlim_cur = l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l); /* two a domain; without this there are fewer */
    }
    events = epoll_create1(EPOLL_CLOEXEC);
    notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (events >= 0 && notify >= 0 && epoll_ctl(events, EPOLL_CTL_ADD, notify, &e) == 0)
        return events;
    err = errno;
    tty_stop();
    return -err;
}

/* Bytes as they are: no echo, no lines, no signals. */
static int make_raw(int fd)
{
    struct termios t;

    if (tcgetattr(fd, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static int open_pair(struct tty *t, char *path, size_t size)
{
    struct rlimit l;
    int rc;

    t->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (t->master < 0 || unlockpt(t->master) < 0)
        return -errno;
    t->slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (t->slave < 0 || fchmod(t->slave, 0600) < 0)
        return -errno;
    rc = make_raw(t->slave);
    if (rc)
        return rc;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && (rlim_t)t->slave + FDS_KEPT >= l.rlim_cur)
        return -EMFILE;
    if (ioctl(t->master, TIOCGPTN, &t->number) < 0)
        return -errno;
    return -ptsname_r(t->master, path, size);
}

static int listen_to(struct tty *t, const char *path)
{
    struct epoll_event e = {.events = t->waits_for, .data.ptr = t};

    t->watch = inotify_add_watch(notify, path, IN_OPEN | IN_CLOSE);
    if (t->watch < 0 || epoll_ctl(events, EPOLL_CTL_ADD, t->master, &e) < 0)
        return -errno;
    return 0;
}

static int publish(struct host *h, const struct console *c, const char *path)
{
    static const char *const nodes[] = {"console/tty", "serial/0/tty"};
    struct host_domain d = {.kind = KIND_PV};
    unsigned int n;
    int rc = h->ops->domain_list(h, c->domid, &d, 1, &n);

    for (unsigned int i = 0; i < (d.kind == KIND_PV ? 1u : 2u) && rc == 0; i++) {
        char node[64];

        snprintf(node, sizeof(node), "/local/domain/%u/%s", c->domid, nodes[i]);
        rc = h->ops->store_write(h, 0, node, path);
    }
    return rc;
}

static void close_one(struct tty *t)
{
    struct tty **at;

    for (at = &ttys; *at && *at != t; at = &(*at)->next) {
    }
    if (*at)
        *at = t->next;
    if (t->watch >= 0)
        inotify_rm_watch(notify, t->watch);
    if (t->slave >= 0)
        close(t->slave);
    if (t->master >= 0)
        close(t->master);
    free(t);
}

void tty_open(struct host *h, struct console *c)
{
    struct tty *t = events < 0 ? NULL : calloc(1, sizeof(*t));
    char path[64];
    int rc;

    if (events < 0)
        return;
    if (t)
        *t = (struct tty){
            .console = c, .master = -1, .slave = -1, .watch = -1, .waits_for = EPOLLIN};
    rc = t ? open_pair(t, path, sizeof(path)) : -ENOMEM;
    rc = rc ? rc : listen_to(t, path);
    rc = rc ? rc : publish(h, c, path);
    if (rc) {
        fprintf(stderr,
                "parvisd: %s: no terminal for `xl console`: %s; `pvctl console` needs none\n",
                c->name, strerror(-rc));
        if (t)
            close_one(t);
        return;
    }
    t->next = ttys;
    ttys = t;
    c->tty = t;
}

static void wait_for(struct tty *t, uint32_t what)
{
    struct epoll_event e = {.events = what, .data.ptr = t};

    if (what != t->waits_for && epoll_ctl(events, EPOLL_CTL_MOD, t->master, &e) == 0)
        t->waits_for = what;
}

/* Returns false when the terminal has no room. */
static bool write_out(struct tty *t)
{
    while (t->out_at < t->out_len) {
        ssize_t n = write(t->master, t->out + t->out_at, t->out_len - t->out_at);

        if (n <= 0)
            return false;
        t->out_at += (size_t)n;
    }
    return true;
}

void tty_pump(struct console *c)
{
    struct tty *t = c->tty;
    bool room = true;

    if (!t)
        return;
    while (t->opens && (room = write_out(t))) {
        t->out_at = 0;
        t->out_len = history_read(&c->history, &t->pos, t->out, sizeof(t->out));
        if (!t->out_len)
            break;
    }
    wait_for(t, (c->input_len < CONSOLE_INPUT ? (uint32_t)EPOLLIN : 0) |
                    (room ? 0 : (uint32_t)EPOLLOUT));
}

/* Nobody has it open any more, or somebody again: what another one left unread is not for him. */
static void start_over(struct tty *t)
{
    tcflush(t->slave, TCIFLUSH);
    t->pos = 0;
    t->out_at = t->out_len = 0;
}

static void make_ready(const struct tty *t)
{
    if (make_raw(t->slave))
        fprintf(stderr, "parvisd: a terminal is not as it was made\n");
}

static void found_open(unsigned int number)
{
    for (struct tty *t = ttys; t; t = t->next) {
        if (t->number == number)
            t->found++;
    }
}

/* Who has which is looked up. What is told of the time before counts no more. */
static void recount(void)
{
    char told[4096];
    int rc;

    while (read(notify, told, sizeof(told)) > 0) {
    }
    for (struct tty *t = ttys; t; t = t->next)
        t->found = 0;
    rc = pts_each(found_open);
    if (rc)
        fprintf(stderr, "parvisd: who has consoles' terminals open is not known: %s\n",
                strerror(-rc));
    for (struct tty *t = ttys; t; t = t->next) {
        unsigned int others = t->found - (t->found > 0); /* one is our own end */

        if (rc && others < t->opens)
            others = t->opens; /* who was not looked at may have it */
        if (others == 0)
            start_over(t);
        else if (t->opens == 0)
            make_ready(t);
        t->opens = others;
        t->unsure = rc || t->opens > 0;
        if (t->console)
            tty_pump(t->console);
    }
}

/* Returns false when it is to be looked who has what. */
static bool opened_or_closed(const struct inotify_event *e)
{
    struct tty *t;

    for (t = ttys; t && t->watch != e->wd; t = t->next) {
    }
    if (!t || !(e->mask & (IN_OPEN | IN_CLOSE)))
        return !(e->mask & IN_Q_OVERFLOW);
    if (e->mask & IN_CLOSE && t->unsure)
        return false;
    if (e->mask & IN_OPEN) {
        if (t->opens++ == 0)
            make_ready(t);
    } else if (t->opens && --t->opens == 0) {
        start_over(t);
    }
    if (t->console)
        tty_pump(t->console);
    return true;
}

static void read_notes(void)
{
    char buf[4096] __attribute__((aligned(8)));
    ssize_t len = read(notify, buf, sizeof(buf));

    for (ssize_t at = 0; at < len;) {
        const struct inotify_event *e = (const void *)(buf + at);

        if (!opened_or_closed(e)) {
            recount();
            return;
        }
        at += (ssize_t)(sizeof(*e) + e->len);
    }
}

static void read_typed(struct host *h, const struct tty *t)
{
    struct console *c = t->console;
    ssize_t n = read(t->master, c->input + c->input_len, CONSOLE_INPUT - c->input_len);

    if (n > 0)
        c->input_len += (uint32_t)n;
    console_pump(h, c);
}

void tty_events(struct host *h)
{
    struct epoll_event e[16];
    int n = epoll_wait(events, e, 16, 0);

    for (int i = 0; i < n; i++) {
        struct tty *t = e[i].data.ptr;

        if (!t)
            read_notes();
        else if (!t->console)
            continue;
        else if (e[i].events & EPOLLIN)
            read_typed(h, t);
        else
            tty_pump(t->console);
    }
}

void tty_part(struct console *c)
{
    struct tty *t = c->tty;

    if (!t)
        return;
    tty_pump(c);
    c->tty = NULL;
    t->console = NULL;
    t->parts_ms = now_ms();
    wait_for(t, 0);
}

/* Has somebody still to read what it holds? What was written is there a moment later only. */
static bool is_read_from(const struct tty *t)
{
    uint64_t age = now_ms() - t->parts_ms;
    int held = 0;

    if (!t->opens || age >= TTY_PARTS_MS)
        return false;
    return age < PARTS_STEP_MS || (ioctl(t->slave, FIONREAD, &held) == 0 && held > 0);
}

int tty_go_on(void)
{
    struct tty *t, *next;
    int wait = -1;

    for (t = ttys; t; t = next) {
        next = t->next;
        if (t->console)
            continue;
        if (is_read_from(t))
            wait = PARTS_STEP_MS;
        else
            close_one(t);
    }
    return wait;
}

void tty_stop(void)
{
    while (ttys)
        close_one(ttys);
    if (events >= 0)
        close(events);
    if (notify >= 0)
        close(notify);
    events = notify = -1;
}
