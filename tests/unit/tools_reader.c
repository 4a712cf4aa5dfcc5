/* SPDX-License-Identifier: MIT */
/*
 * `pvctl console`, the reader of a console: when it ends, what is a terminal's, and how it leaves
 * one. It is a process; parvisd's part runs here, against the model of the machine.
 */
#define _GNU_SOURCE /* ptsname */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
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

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_stat(const char *path, struct stat *st);
int __real_stat(const char *path, struct stat *st);
int __wrap_unlink(const char *path);
int __real_unlink(const char *path);

/* The file that who has a terminal holds is the whole machine's: here it is the test's own, as
 * another test, or somebody's console, may be at theirs. */
static const char *own_lock(const char *path)
{
    return strncmp(path, "/var/lock/", 10) == 0 ? state_path("%s", path + 10) : path;
}

int __wrap_open(const char *path, int flags, ...)
{
    return __real_open(own_lock(path), flags, 0600);
}

int __wrap_stat(const char *path, struct stat *st)
{
    return __real_stat(own_lock(path), st);
}

int __wrap_unlink(const char *path)
{
    return __real_unlink(own_lock(path));
}

int host_open_xen(struct host **out, struct error *e)
{
    (void)e;
    *out = &f->host;
    return 0;
}

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

/* A process that reads the console `name`, with this input and output, which are closed here; -1
 * is no input at all. */
static pid_t reader(const char *name, bool to_its_end, int in, int out)
{
    char *argv[] = {(char *)(uintptr_t) "pvctl", (char *)(uintptr_t) "console",
                    (char *)(uintptr_t)name, NULL};
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct error e = {0};

        if (in < 0)
            close(STDIN_FILENO);
        else
            dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        if (to_its_end)
            exit(console_attach(daemon_ask(D_CONSOLE, name, &e), name, true));
        exit(pvctl_main(3, argv));
    }
    if (in >= 0)
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

static size_t read_all(int fd, char *to, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while (len < size && (n = read(fd, to + len, size - len)) > 0)
        len += (size_t)n;
    return len;
}

/* A terminal is the guest's until it is left: all comes as it is; then it is as it was, and what
 * had come in is nobody's. */
static void at_a_terminal(void **state)
{
    static const char begin[] = "[web: attached; ^] detaches]\r\n\033[2J\033[5n\033[?25l";
    static const char end[] = "\n[web: detached]\n";
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    struct termios before = {0}, after;
    int master, slave;
    char got[512];
    pid_t pid;
    size_t n;

    (void)state;
    cfmakeraw(&before);
    before.c_lflag |= ICANON;
    assert_int_equal(openpty(&master, &slave, NULL, &before, NULL), 0);
    assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    pid = reader("web", false, dup(slave), dup(slave));
    say(ring, "\033[2J\033[5n\033[?25l", 14);
    fire("web");
    for (n = 0; n < sizeof(begin) - 1; usleep(1000)) {
        turn();
        n += read_all(master, got + n, sizeof(begin) - 1 - n);
    }
    assert_memory_equal(got, begin, sizeof(begin) - 1);
    assert_int_equal(write(master, "ls\035\033[0n", 7), 7);
    assert_int_equal(ended(pid), 0);
    assert_memory_equal(ring->in, "ls", 2);
    assert_int_equal(ring->in_prod, 2);
    n = read_all(master, got, sizeof(got) - 1);
    got[n] = '\0';
    assert_non_null(strstr(got, "\033[?25h")); /* the cursor is there again */
    assert_string_equal(got + n - strlen(end), end);
    assert_int_equal(tcgetattr(slave, &after), 0);
    assert_int_equal(after.c_lflag, before.c_lflag);
    assert_int_equal(after.c_iflag, before.c_iflag);
    assert_int_equal(fcntl(slave, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(slave, got, sizeof(got)), -1);
    close(master);
    close(slave);
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

/* ^] is a key. In what comes from a file or a pipe it is a byte like others, and the domain's. */
static void keys_are_a_terminals(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    pid_t pid = reader("web", true, typed("a\035b"), out_file("web"));

    (void)state;
    while (ring->in_prod != 3) {
        assert_int_equal(status_of(pid), -1);
        turn();
    }
    assert_memory_equal(ring->in, "a\035b", 3);
    policy_release(&f->host, domid, "powered off");
    assert_int_equal(ended(pid), 0);
    printed("web", "\n[web: powered off]\n");
}

/* No input is one that has ended: what the domain prints is not typed to it. */
static void no_input(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    pid_t pid = reader("web", false, -1, out_file("web"));

    (void)state;
    say(ring, "hello", 5);
    fire("web");
    assert_int_equal(ended(pid), 0);
    printed("web", "hello\n[web: detached]\n");
    assert_int_equal(ring->in_prod, 0);
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

/* A new terminal. */
static int new_terminal(void)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);

    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        skip();
    return terminal;
}

/* A terminal to which a domain prints, and from which it gets no keys, is not the domain's. */
static void a_terminal_without_keys(void **state)
{
    int terminal = new_terminal();
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    const struct console *c = console_by_name("web");
    char shown[256] = "";
    ssize_t n = 0, more;
    pid_t pid;

    (void)state;
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

static bool takes_lines(int tty)
{
    struct termios t;

    assert_int_equal(tcgetattr(tty, &t), 0);
    return (t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG);
}

/* Nobody reads what it prints: it ends, and the terminal that was the domain's is as before. */
static void the_output_goes_away(void **state)
{
    int terminal = new_terminal(), tty = open(ptsname(terminal), O_RDWR | O_NOCTTY), out[2], status;
    uint32_t domid;
    pid_t pid;

    (void)state;
    serve("web", "destroy", &domid);
    assert_true(takes_lines(tty));
    assert_int_equal(pipe(out), 0);
    close(out[0]);
    pid = reader("web", false, dup(tty), out[1]);
    while (waitpid(pid, &status, WNOHANG) != pid)
        turn();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    assert_true(takes_lines(tty));
    close(tty);
    close(terminal);
}

/* So many keys, for a domain that takes none. */
static void type_on(int terminal, uint32_t size)
{
    char keys[100];
    uint32_t done = 0;

    memset(keys, 'k', sizeof(keys));
    for (int i = 0; done < size; i++) {
        ssize_t n = write(terminal, keys, size - done < 100 ? size - done : 100);

        assert_true(i < PATIENCE_MS);
        if (n > 0)
            done += (uint32_t)n;
        else
            usleep(1000);
        turn();
    }
}

/* Whatever was typed, ^] is heard, though the domain takes nothing; and when it does, all comes. */
static void takes_no_keys(void **state)
{
    const uint32_t size = 200000;
    int terminal = new_terminal(), tty = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    pid_t pid = reader("web", false, dup(tty), out_file("web"));

    (void)state;
    while (takes_lines(tty))
        usleep(1000);
    assert_int_equal(fcntl(terminal, F_SETFL, O_NONBLOCK), 0);
    type_on(terminal, size);
    for (int i = 0; ring->in_prod != size; i++) {
        assert_true(i < PATIENCE_MS);
        ring->in_cons = ring->in_prod;
        fire("web");
        turn();
        usleep(1000);
    }
    type_on(terminal, size);
    while (write(terminal, "\035", 1) != 1)
        usleep(1000);
    assert_int_equal(ended(pid), 0);
    assert_true(takes_lines(tty));
    close(tty);
    close(terminal);
}

/* pvctl console shop, to the end. */
static int reads_shop(const char *to)
{
    char *argv[] = {(char *)(uintptr_t) "pvctl", (char *)(uintptr_t) "console",
                    (char *)(uintptr_t) "shop", NULL};
    int out = out_file(to);
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2(typed("ls\n"), STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        exit(pvctl_main(3, argv));
    }
    close(out);
    return ended(pid);
}

static void store_says(uint32_t domid, const char *key, const char *value)
{
    char node[64];

    snprintf(node, sizeof(node), "/local/domain/%u/%s", domid, key);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, node, value), 0);
}

/* xl's, at the terminal that xenconsoled serves: what it names, and no other file; and not while
 * somebody else has it. */
static void of_a_domain_that_others_made(void **state)
{
    int terminal = new_terminal(), tty = open(ptsname(terminal), O_RDWR | O_NOCTTY), other;
    const struct host_create c = {.max_vcpus = 1, .uuid = {9}};
    char lock[64], got[4] = "";
    struct termios raw;
    uint32_t domid;

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &domid), 0);
    store_says(domid, "name", "shop");
    cfmakeraw(memset(&raw, 0, sizeof(raw)));
    assert_int_equal(tcsetattr(tty, TCSANOW, &raw), 0);
    assert_int_equal(write(terminal, "login: ", 7), 7);
    assert_int_equal(reads_shop("none"), 1);
    store_says(domid, "console/tty", "/etc/passwd");
    assert_int_equal(reads_shop("none"), 1);
    store_says(domid, "console/tty", ptsname(terminal));
    snprintf(lock, sizeof(lock), "/var/lock/xenconsole.%u", domid);
    other = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(other >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0);
    assert_int_equal(reads_shop("busy"), 1);
    close(other);
    assert_int_equal(reads_shop("shop"), 0);
    printed("shop", "login: \n[shop: detached]\n");
    assert_int_equal(read(terminal, got, 3), 3);
    assert_string_equal(got, "ls\n");
    close(tty);
    close(terminal);
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(at_a_terminal),
        T(input_ends),
        T(keys_are_a_terminals),
        T(no_input),
        T(much_both_ways),
        T(a_terminal_without_keys),
        T(the_output_goes_away),
        T(takes_no_keys),
        T(of_a_domain_that_others_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
