/* SPDX-License-Identifier: MIT */
/*
 * pvctl console: a terminal on a domain's console.
 *
 * parvisd has the console; this is a reader of it. Of a domain that another program made, that
 * program's console daemon has it, and this is at the terminal that it serves (others_console.c).
 * The terminal is put into raw mode, so that each key goes to the guest; ^] alone is ours, and
 * detaches. Input that is not a terminal is copied to the guest until it ends, each byte of it;
 * then no terminal is the guest's, and what it prints is text: it may neither move a cursor nor ask
 * for answers, which our shell would read.
 *
 * Output is copied until the domain ends; by `pvctl console`, only until there is no more to
 * expect once the input has ended: `echo uname | pvctl console web` is a question, and ends with
 * its answer. Nothing says where an answer ends, so what ends it is that the console is quiet.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "daemon.h"
#include "plain.h"
#include "pvctl.h"
#include "write_all.h"

#define DETACH      0x1d /* ^] */
#define INPUT_CHUNK 512
#define QUIET_MS    2000

static struct termios cooked;
static bool at_a_terminal; /* of others: bytes, not messages */
static volatile sig_atomic_t is_raw;

/* What a guest may have left switched on, which would make the shell hard to use: its characters,
 * colours, insertion, no wrapping, no cursor, a keypad and a mouse that send, marks around what is
 * pasted. The cursor stays where it is. */
static void terminal_reset(void)
{
    static const char usual[] = "\017\033[m\033[4l\033[?7h\033[?25h\033>\033[?1l\033[?1000l"
                                "\033[?1002l\033[?1003l\033[?1006l\033[?2004l";

    if (isatty(STDOUT_FILENO) && write(STDOUT_FILENO, usual, sizeof(usual) - 1) < 0)
        return; /* it is gone */
}

/* What is on its way in may be the terminal's answers to the guest, and is not for the shell. */
static void terminal_restore(void)
{
    if (is_raw) {
        terminal_reset();
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &cooked);
        is_raw = false;
    }
}

/* Ended from outside: the terminal is given back first. (Nobody can do that for SIGKILL but who
 * started us; bash does, elsewhere `stty sane` does.) */
static void restore_and_end(int signal_number)
{
    if (is_raw) {
        terminal_reset();
        tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void terminal_raw(void)
{
    struct termios t;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &cooked) < 0)
        return;
    t = cooked;
    cfmakeraw(&t);
    signal(SIGTERM, restore_and_end);
    signal(SIGHUP, restore_and_end);
    signal(SIGINT, restore_and_end);
    signal(SIGQUIT, restore_and_end);
    signal(SIGPIPE, restore_and_end); /* `pvctl console web | head` */
    atexit(terminal_restore);
    is_raw = true; /* before it is: a signal may come in between */
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &t) < 0)
        is_raw = false;
}

int console_write(const char *data, size_t len)
{
    static struct plain unfinished;
    static char out[DAEMON_MAX_MESSAGE * PLAIN_GROWS + 4];

    int rc = 0;

    if (!isatty(STDOUT_FILENO))
        return write_all(STDOUT_FILENO, data, len);
    for (size_t n; len > 0 && rc == 0; data += n, len -= n) { /* all that a console ever said */
        n = len < DAEMON_MAX_MESSAGE ? len : DAEMON_MAX_MESSAGE;
        rc = write_all(STDOUT_FILENO, out, plain_text(&unfinished, data, n, out));
    }
    return rc;
}

static int written(int rc)
{
    if (rc == 0)
        return -1;
    terminal_restore();
    fprintf(stderr, "pvctl: standard output: %s\n", strerror(-rc));
    return EXIT_REFUSED;
}

static int receive(int fd, char buf[DAEMON_MAX_MESSAGE + 1], size_t *len)
{
    ssize_t n;

    if (!at_a_terminal)
        return daemon_receive(fd, buf, len);
    n = read(fd, buf, DAEMON_MAX_MESSAGE);
    *len = n > 0 ? (size_t)n : 0;
    if (n <= 0)
        snprintf(buf, DAEMON_MAX_MESSAGE, "its console has ended");
    return n > 0 ? D_DATA : D_END;
}

/* One message of the daemon; -1 = go on, otherwise the exit status. */
static int from_daemon(int fd, const char *name)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int type = receive(fd, buf, &len);

    if (type == D_DATA || type == D_HISTORY)
        return written(type == D_DATA && is_raw ? write_all(STDOUT_FILENO, buf, len)
                                                : console_write(buf, len));
    terminal_restore();
    if (type == D_END) {
        fprintf(stderr, "\n[%s: %s]\n", name, buf);
        return end_is_crash(buf) ? EXIT_CRASHED : EXIT_OK;
    }
    fprintf(stderr, "\npvctl: %s: parvisd ended the connection\n", name);
    return EXIT_NO_HOST;
}

enum input { INPUT_GOES_ON, INPUT_ENDED, INPUT_DETACH };

/* What was typed, and has no room yet on its way to a domain that takes nothing. Of a terminal all
 * is read even so, as ^] ends the wait; what is more than this is lost. */
static char typed[1 << 20];
static size_t nr_typed;

/* May keys be sent without a wait? A domain that has printed more than we read does not read. */
static bool has_room(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) != 0;
}

/* Returns how many bytes are done with. */
static size_t send_some(int fd, const char *data, size_t n)
{
    ssize_t written;

    if (!at_a_terminal)
        return daemon_send(fd, D_DATA, data, n) ? nr_typed : n;
    written = write(fd, data, n);
    return written > 0 ? (size_t)written : errno == EAGAIN ? 0 : nr_typed;
}

/* As much as has room. Where nobody takes it any more, from_daemon() tells why. */
static void send_typed(int fd)
{
    size_t sent = 0;

    while (sent < nr_typed && has_room(fd)) {
        size_t n = nr_typed - sent < INPUT_CHUNK ? nr_typed - sent : INPUT_CHUNK;

        n = send_some(fd, typed + sent, n);
        if (n == 0)
            break;
        sent = n < nr_typed - sent ? sent + n : nr_typed;
    }
    nr_typed -= sent;
    memmove(typed, typed + sent, nr_typed);
}

static enum input from_input(int fd)
{
    size_t keep = sizeof(typed) - nr_typed;
    char buf[INPUT_CHUNK];
    ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
    const char *detach;

    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN) ? INPUT_GOES_ON : INPUT_ENDED;
    detach = is_raw ? memchr(buf, DETACH, (size_t)n) : NULL;
    if (detach)
        n = detach - buf;
    if (keep > (size_t)n)
        keep = (size_t)n;
    memcpy(typed + nr_typed, buf, keep);
    nr_typed += keep;
    send_typed(fd);
    return detach ? INPUT_DETACH : INPUT_GOES_ON;
}

int console_open(const char *name, bool take, struct error *e)
{
    return daemon_ask(take ? D_TAKE : D_CONSOLE, name, e);
}

static int detached(const char *name)
{
    terminal_restore();
    fprintf(stderr, "\n[%s: detached]\n", name);
    return EXIT_OK;
}

int console_attach(int fd, const char *name, bool to_its_end)
{
    struct pollfd p[2] = {{.fd = fd}, {.events = POLLIN}};
    bool input = true;
    int rc = -1;

    terminal_raw();
    if (is_raw)
        fprintf(stderr, "[%s: attached; ^] detaches]\r\n", name);
    while (rc < 0) {
        int ready;

        p[0].events = nr_typed ? POLLIN | POLLOUT : POLLIN;
        p[1].fd = input && (!nr_typed || is_raw) ? STDIN_FILENO : -1;
        ready = poll(p, 2, input || to_its_end ? -1 : QUIET_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            rc = ready == 0 ? detached(name) : EXIT_REFUSED;
            break;
        }
        if (p[0].revents & POLLOUT)
            send_typed(fd);
        if (p[0].revents & ~POLLOUT)
            rc = from_daemon(fd, name);
        if (rc < 0 && p[1].revents) {
            switch (from_input(fd)) {
            case INPUT_DETACH:
                rc = detached(name);
                break;
            case INPUT_ENDED:
                input = false;
                break;
            case INPUT_GOES_ON:
                break;
            }
        }
    }
    terminal_restore();
    close(fd);
    return rc;
}

static int run(const struct call *c)
{
    struct error e = {0};
    int fd = console_open(c->arg, c->options & OPT_FORCE, &e), rc;

    if (fd == -ENODATA)
        fd = others_console(c->h, c->arg, &e);
    if (fd < 0)
        return fail_to_find(c->arg, &e);
    at_a_terminal = isatty(fd);
    rc = console_attach(fd, c->arg, false);
    if (at_a_terminal)
        others_console_done();
    return rc;
}

const struct verb verb_console = {
    .name = "console",
    .arg = "NAME",
    .options = OPT_FORCE,
    .run = run,
    .summary = "attach to a console: all from the first byte, then live; ^] detaches",
    .help =
        "One reader at a time; with --force it is taken from who has it. Of a domain that xl or\n"
        "virsh made it is the terminal that `xl console` opens. Works for a domain that has\n"
        "ended, too, until its name is used again. Where its standard input ends, it ends when\n"
        "the console has printed nothing for two seconds: `echo uname | pvctl console NAME`\n"
        "shows the answer. A terminal gets all that the guest prints, as it is.\n",
    .examples = "pvctl console web\n"
                "pvctl console --force web\n"
                "echo uname | pvctl console web\n",
};
