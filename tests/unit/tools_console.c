/* SPDX-License-Identifier: MIT */
/*
 * Consoles: history from the first byte, rings of hostile guests, floods; and when their reader,
 * `pvctl console`, ends.
 *
 * The daemon's part runs against the model of the machine. The reader is a process.
 */
#define _GNU_SOURCE /* ptsname */
#include <errno.h>
#include <fcntl.h>
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

#include <xen/io/console.h>

#include "daemon_support.h"
#include "policy.h"
#include "state.h"

#define PATIENCE_MS 20000

int pvctl_main(int argc, char **argv); /* main() of pvctl.c, by another name */
int console_attach(int fd, const char *name, bool to_its_end);

int host_open_xen(struct host **out, struct error *e)
{
    (void)out;
    return error_set(e, -ENODEV, "a console needs no hypervisor");
}

/* ---- history ---- */

static void history_keeps_both_ends(void **state)
{
    const size_t size = 1 << 20;
    struct history h;
    char *all = malloc(size), *out = malloc(size), buf[999];
    uint64_t pos = 0;
    size_t n, got = 0;
    char *marker;

    (void)state;
    assert_int_equal(history_init(&h), 0);
    for (size_t i = 0; i < size; i++)
        all[i] = (char)('a' + i % 26);
    for (size_t at = 0; at < size; at += n) {
        n = size - at < 777 ? size - at : 777;
        history_add(&h, all + at, n);
    }
    while ((n = history_read(&h, &pos, buf, sizeof(buf))) > 0) {
        memcpy(out + got, buf, n);
        got += n;
    }
    assert_int_equal(pos, size);
    assert_memory_equal(out, all, HISTORY_HEAD);
    assert_memory_equal(out + got - HISTORY_TAIL, all + size - HISTORY_TAIL, HISTORY_TAIL);
    out[got - HISTORY_TAIL] = '\0';
    marker = out + HISTORY_HEAD;
    snprintf(buf, sizeof(buf), "\r\n[parvisd: %zu bytes of console output are not kept]\r\n",
             size - HISTORY_HEAD - HISTORY_TAIL);
    assert_string_equal(marker, buf);
    history_free(&h);
    free(all);
    free(out);
}

/* Every length around the borders of head and tail reads back whole. */
static void history_at_the_borders(void **state)
{
    static const size_t lengths[] = {0,
                                     1,
                                     HISTORY_HEAD - 1,
                                     HISTORY_HEAD,
                                     HISTORY_HEAD + 1,
                                     HISTORY_HEAD + HISTORY_TAIL - 1,
                                     HISTORY_HEAD + HISTORY_TAIL};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct history h;
        char buf[512];
        uint64_t pos = 0;
        size_t n, got = 0;

        assert_int_equal(history_init(&h), 0);
        for (size_t at = 0; at < lengths[i]; at++) {
            char byte = (char)('a' + at % 26);

            history_add(&h, &byte, 1);
        }
        while ((n = history_read(&h, &pos, buf, sizeof(buf))) > 0) {
            for (size_t k = 0; k < n; k++, got++)
                assert_int_equal(buf[k], 'a' + got % 26);
        }
        assert_int_equal(got, lengths[i]);
        history_free(&h);
    }
}

/* ---- the ring ---- */

static void keeps_the_first_byte(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = make_guest("web", "destroy", &domid);
    struct error e = {0};

    (void)state;
    /* Said before the daemon was there. */
    say(ring, "first", 5);
    assert_int_equal(console_serve(&f->host, domid, "web", &e), 0);
    history_says("web", "first");
    say(ring, " second", 7);
    fire("web");
    history_says("web", "first second");
    assert_int_equal(ring->out_cons, ring->out_prod);
    assert_true(f->ports[console_by_name("web")->port].notified >= 2);
    /* Said as its last words, with no event sent. */
    say(ring, " last", 5);
    policy_release(&f->host, domid, "destroyed");
    history_says("web", "first second last");
}

static void ring_wraps(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    char *have;

    (void)state;
    ring->out_cons = ring->out_prod = console_by_name("web")->out_cons = UINT32_MAX - 3;
    for (int i = 0; i < 1000; i++) {
        say(ring, "0123456789", 10);
        clock_ms += CONSOLE_WINDOW_MS;
        fire("web");
    }
    have = history_text(console_by_name("web"));
    assert_int_equal(strlen(have), 10000);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(have[i], '0' + i % 10);
    free(have);
}

static void hostile_indices(void **state)
{
    static const uint32_t prods[] = {2049, 0x80000000, UINT32_MAX, 1u << 20};
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    struct console *c = console_by_name("web");

    (void)state;
    for (size_t i = 0; i < sizeof(prods) / sizeof(prods[0]); i++) {
        uint64_t before = c->history.total;

        clock_ms += CONSOLE_WINDOW_MS;
        ring->out_prod = c->out_cons + prods[i];
        ring->out_cons = 12345; /* ours, but the guest may write there */
        fire("web");
        assert_true(c->history.total - before < 200);
        /* It goes on behind the break. */
        clock_ms += CONSOLE_WINDOW_MS;
        assert_int_equal(ring->out_cons, ring->out_prod);
        before = c->history.total;
        say(ring, "ok", 2);
        fire("web");
        assert_int_equal(c->history.total, before + 2);
    }
    /* Input into a ring whose consumer index lies. */
    c->input_len = 4;
    memcpy(c->input, "abcd", 4);
    ring->in_cons = c->in_prod + 1;
    console_pump(&f->host, c);
    assert_int_equal(c->input_len, 4);
    ring->in_cons = c->in_prod;
    console_pump(&f->host, c);
    assert_int_equal(c->input_len, 0);
    assert_memory_equal(ring->in, "abcd", 4);
}

static void floods_wait(void **state)
{
    uint32_t domid, other;
    struct xencons_interface *ring = serve("flood", "destroy", &domid);
    struct xencons_interface *quiet = serve("quiet", "destroy", &other);
    struct console *c = console_by_name("flood");
    char text[sizeof(ring->out)];
    uint64_t taken;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 10000; i++) {
        say(ring, text, sizeof(text));
        fire("flood");
    }
    taken = c->history.total;
    assert_true(taken <= CONSOLE_BURST + sizeof(ring->out));
    assert_true(c->masked);
    /* The other console is served in the same window. */
    say(quiet, "hello", 5);
    fire("quiet");
    history_says("quiet", "hello");
    assert_true(console_pump_waiting(&f->host) > 0);
    assert_int_equal(c->history.total, taken);
    clock_ms += CONSOLE_WINDOW_MS;
    assert_int_equal(console_pump_waiting(&f->host), -1);
    assert_int_equal(c->history.total, taken + sizeof(ring->out));
    assert_false(c->masked);
}

/* Events without a byte are bounded as well. */
static void event_storms_wait(void **state)
{
    uint32_t domid;

    (void)state;
    serve("web", "destroy", &domid);
    for (int i = 0; i < 10000; i++)
        fire("web");
    assert_true(console_by_name("web")->masked);
}

static void serving_may_fail(void **state)
{
    uint32_t domid;

    (void)state;
    make_guest("web", "destroy", &domid);
    for (uint64_t at = 1; at <= 3; at++) {
        struct error e = {0};

        f->calls = 0;
        f->fail_at = at;
        assert_int_equal(console_serve(&f->host, domid, "web", &e), -ENOMEM);
        assert_non_null(strstr(e.text, "web: reaching the console ring"));
        f->fail_at = 0;
        for (unsigned int i = 0; i < FAKE_PORTS; i++)
            assert_false(f->ports[i].bound);
        for (unsigned int i = 0; i < FAKE_MAPPINGS; i++)
            assert_null(f->mappings[i].va);
    }
}

/* ---- the reader ---- */

/* Its exit status, -1 while it goes on. */
static int status_of(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, WNOHANG) != pid)
        return -1;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int out_file(const char *name)
{
    return open(state_path("%s.out", name), O_RDWR | O_CREAT, 0600);
}

/* Input that ends behind this. */
static int typed(const char *input)
{
    int in[2];

    assert_int_equal(pipe(in), 0);
    assert_int_equal(write(in[1], input, strlen(input)), strlen(input));
    close(in[1]);
    return in[0];
}

/* A process that reads the console `name`, with this input and output, which are closed here. */
static pid_t reader(const char *name, bool to_its_end, int in, int out)
{
    char *argv[] = {(char *)(uintptr_t) "pvctl", (char *)(uintptr_t) "console",
                    (char *)(uintptr_t)name, NULL};
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct error e = {0};

        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        if (to_its_end)
            exit(console_attach(daemon_ask(D_CONSOLE, name, &e), name, true));
        exit(pvctl_main(3, argv));
    }
    close(in);
    close(out);
    while (!console_by_name(name)->reader) {
        assert_int_equal(status_of(pid), -1);
        turn();
    }
    return pid;
}

static int ended(pid_t pid)
{
    int status;

    while ((status = status_of(pid)) < 0) {
        turn();
        usleep(1000);
    }
    return status;
}

static void printed(const char *name, const char *text)
{
    char have[256];
    FILE *file = fopen(state_path("%s.out", name), "r");

    assert_non_null(file);
    have[fread(have, 1, sizeof(have) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(have, text);
}

/* At the end of its input `pvctl console` waits for the answer and ends; `pvctl create --console`
 * stays until the domain ends. */
static void input_ends(void **state)
{
    uint32_t domid, other;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    pid_t stays, asks;

    (void)state;
    serve("other", "destroy", &other);
    stays = reader("other", true, typed(""), out_file("other"));
    say(ring, "login: ", 7);
    fire("web");
    asks = reader("web", false, typed("root\n"), out_file("web"));
    while (ring->in_prod != 5)
        turn();
    assert_memory_equal(ring->in, "root\n", 5);
    ring->in_cons = 5;
    say(ring, "hello", 5);
    fire("web");
    assert_int_equal(ended(asks), 0);
    printed("web", "login: hello\n[web: detached]\n");
    turn();
    assert_null(console_by_name("web")->reader);
    assert_int_equal(status_of(stays), -1); /* though it was quiet for longer */
    policy_release(&f->host, other, "powered off");
    assert_int_equal(ended(stays), 0);
    printed("other", "\n[other: powered off]\n");
}

/* A domain that prints more than is kept for a reader, and only then takes its input, of which
 * there is more than can be on its way: the reader goes on reading. */
static void much_both_ways(void **state)
{
    const uint32_t size = 400000;
    uint32_t domid, said = 0;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    const struct console *c = console_by_name("web");
    int in = out_file("in");
    pid_t pid;

    (void)state;
    assert_int_equal(ftruncate(in, size), 0);
    pid = reader("web", true, in, out_file("web"));
    for (int i = 0; said < size || c->reader_pos != c->history.total; i++) {
        assert_true(i < PATIENCE_MS);
        while (said < size && say(ring, "x", 1))
            said++;
        clock_ms += CONSOLE_WINDOW_MS;
        fire("web");
        turn();
        usleep(1000);
    }
    while (ring->in_prod != size) {
        ring->in_cons = ring->in_prod;
        fire("web");
        turn();
    }
    policy_release(&f->host, domid, "powered off");
    assert_int_equal(ended(pid), 0);
}

/* A terminal to which a domain prints, and from which it gets no keys, is not the domain's. */
static void a_terminal_without_keys(void **state)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    const struct console *c = console_by_name("web");
    char shown[256] = "";
    ssize_t n = 0, more;
    pid_t pid;

    (void)state;
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        skip();
    say(ring, "\033[6nhello", 9);
    fire("web");
    pid = reader("web", true, typed(""), open(ptsname(terminal), O_RDWR | O_NOCTTY));
    while (c->reader_pos != c->history.total)
        turn(); /* it lives, as far as the reader knows */
    policy_release(&f->host, domid, "powered off");
    assert_int_equal(ended(pid), 0);
    /* It comes in pieces, and ends in an error: nobody has the terminal any more. */
    while ((more = read(terminal, shown + n, sizeof(shown) - 1 - (size_t)n)) > 0)
        n += more;
    close(terminal);
    assert_string_equal(shown, "^[[6nhello\r\n[web: powered off]\r\n");
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_keeps_both_ends),
        cmocka_unit_test(history_at_the_borders),
        T(keeps_the_first_byte),
        T(ring_wraps),
        T(hostile_indices),
        T(floods_wait),
        T(event_storms_wait),
        T(serving_may_fail),
        T(input_ends),
        T(much_both_ways),
        T(a_terminal_without_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
