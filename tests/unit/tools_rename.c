/* SPDX-License-Identifier: MIT */
/*
 * A domain gets another name (`pvctl rename`), beside others who want that name: parvisd's part
 * runs here, pvctl is a process with a copy of the model of the machine.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "daemon_support.h"
#include "policy.h"
#include "pvctl_process.h"
#include "state.h"

static void ends(const char *line, int status, const char *says)
{
    process_ends(line, status, says, NULL);
}

static bool is_named(const char *name)
{
    struct state_entry s;

    return state_get(name, &s) == 0;
}

static void gets_another_name(void **state)
{
    char text[96];
    uint32_t domid, other;
    struct xencons_interface *ring = serve("web", "destroy", &domid);

    (void)state;
    serve("db", "destroy", &other);
    say(ring, "hello", 5);
    fire("web");
    turn();
    ends("rename web shop", 0, "");
    assert_true(is_named("shop"));
    assert_false(is_named("web"));
    assert_null(console_by_name("web"));
    assert_ptr_equal(console_by_name("shop"), console_by_domid(domid));
    ends("log shop", 0, "hello");
    snprintf(text, sizeof(text), "pvctl: db: a domain of this name exists already (domain %u)\n",
             other);
    ends("rename shop db", 1, text);
    snprintf(text, sizeof(text), "pvctl: shop: a domain of this name exists already (domain %u)\n",
             domid);
    ends("rename shop shop", 1, text);
    ends("rename shop 5", 2,
         "pvctl rename: a name has letters, digits and _.+-, at most 64, and is no number: 5; "
         "`pvctl help rename` explains\n");
    ends("rename shop a/b", 2,
         "pvctl rename: a name has letters, digits and _.+-, at most 64, and is no number: a/b; "
         "`pvctl help rename` explains\n");
    ends("rename nobody x", 3, "pvctl: nobody: no such domain\n");
    ends("rename Domain-0 x", 1, "pvctl: Domain-0: the control domain cannot rename itself\n");
    ends("rename shop", 2,
         "pvctl rename: missing argument NEWNAME; `pvctl help rename` explains\n");
    assert_true(is_named("shop"));
    /* The name of one that has ended may be had, its console and how it ended are forgotten. */
    policy_release(&f->host, other, "powered off");
    state_release("db", other, fake_domain(f, other)->d.uuid);
    assert_int_equal(f->host.ops->domain_destroy(&f->host, other), 0);
    ends("rename shop db", 0, "");
    ends("log db", 0, "hello");
    assert_null(state_read_ended("db"));
}

/* Of one who makes a domain and one who gives another its name the first to claim it has it, and
 * the second alone is refused, by what the first does. */
static void of_two_one_has_it(void **state)
{
    const uint8_t uuid[16] = {1};
    struct error e = {0};
    char text[128];
    uint32_t domid;
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    fd = ask(D_MAKE, "db"); /* and has not claimed it yet */
    ends("rename web db", 0, "");
    assert_int_equal(state_claim(&f->host, "db", uuid, true, &e), -EEXIST);
    snprintf(text, sizeof(text), "db: a domain of this name exists already (domain %u)", domid);
    assert_string_equal(e.text, text);
    close(fd);
    turn();
    assert_true(is_named("db"));
    assert_ptr_equal(console_by_name("db"), console_by_domid(domid));
    assert_int_equal(state_claim(&f->host, "shop", uuid, true, NULL), 0);
    snprintf(text, sizeof(text),
             "pvctl: shop: a domain of this name is being created by process %d\n", (int)getpid());
    ends("rename db shop", 1, text);
    state_release("shop", UINT32_MAX, uuid);
    assert_int_equal(state_claim_for(&f->host, "shop", "db", uuid, NULL), 0);
    e.code = 0;
    assert_int_equal(state_claim(&f->host, "shop", (const uint8_t[16]){2}, true, &e), -EEXIST);
    snprintf(text, sizeof(text), "shop: db is being given this name, by process %d", (int)getpid());
    assert_string_equal(e.text, text);
    state_release("shop", UINT32_MAX, uuid);
    assert_true(is_named("db"));
}

/* While somebody claims a name nobody's becomes another, and no claim is given up: it could be
 * another's by then. */
static void not_while_one_claims(void **state)
{
    const uint8_t uuid[16] = {1};
    struct state_entry s;
    char text[64];
    uint32_t domid;
    int fd, lock;

    (void)state;
    serve("web", "destroy", &domid);
    assert_int_equal(state_claim(&f->host, "shop", uuid, true, NULL), 0);
    lock = state_lock(0);
    assert_true(lock >= 0);
    snprintf(text, sizeof(text), "%u web shop", domid);
    fd = ask(D_RENAME, text);
    next_is(fd, D_REFUSED, "-16 web: a process that claims another name is slow: try again later");
    close(fd);
    assert_true(is_named("web"));
    assert_string_equal(console_by_domid(domid)->name, "web");
    state_release("shop", UINT32_MAX, uuid);
    assert_int_equal(state_get("shop", &s), 0);
    close(lock);
    state_release("shop", UINT32_MAX, uuid);
    assert_int_equal(state_get("shop", &s), -ENOENT);
}

/* What the daemon refuses has not been done. */
static void keeps_its_name(void **state)
{
    char text[64];
    uint32_t domid;
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    snprintf(text, sizeof(text), "%u other db", domid);
    fd = ask(D_RENAME, text);
    next_is(fd, D_REFUSED, "-3 other: parvisd does not watch this domain");
    close(fd);
    snprintf(text, sizeof(text), "%u web ../db", domid);
    fd = ask(D_RENAME, text);
    next_is(fd, D_REFUSED, NULL);
    close(fd);
    snprintf(text, sizeof(text), "%u web", domid);
    fd = ask(D_RENAME, text);
    next_is(fd, D_REFUSED, NULL);
    close(fd);
    assert_true(is_named("web"));
}

/* Why is said as it is. */
static void the_last_of_that_name_is_not_done(void **state)
{
    static const char *const why[] = {"is to live again", "is having its core written",
                                      "is still there", "is having its console read"};
    const uint8_t uuid[16] = {1};
    char text[96];
    uint32_t domid;
    struct console *c;
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    assert_int_equal(state_claim(&f->host, "shop", uuid, true, NULL), 0);
    assert_int_equal(console_expect("shop"), 0);
    c = console_by_name("shop");
    for (unsigned int i = 0; i < sizeof(why) / sizeof(why[0]); i++) {
        c->restarting = c->successor = i == 0;
        c->dumper = i == 1 ? getpid() : 0;
        c->domid = i == 2 ? 99 : CONSOLE_NONE;
        c->listeners = i == 3;
        snprintf(text, sizeof(text), "%u web shop", domid);
        fd = ask(D_RENAME, text);
        snprintf(text, sizeof(text), "-16 shop: the last domain of this name %s", why[i]);
        next_is(fd, D_REFUSED, text);
        close(fd);
        c->domid = CONSOLE_NONE;
    }
    c->listeners = 0;
    state_release("shop", UINT32_MAX, uuid);
}

/* While the daemon does not answer, whoever makes another domain goes on; the new name is nobody
 * else's. */
static void who_renames_holds_nobody_up(void **state)
{
    const uint8_t uuid[16] = {1};
    FILE *out = tmpfile();
    struct state_entry s;
    struct error e = {0};
    uint32_t domid;
    pid_t pid;
    int is;

    (void)state;
    serve("web", "destroy", &domid);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        process_becomes("rename web shop", out);
    for (int i = 0; i < 20000 && state_get("shop", &s); i++)
        usleep(1000);
    assert_int_equal(state_get("shop", &s), 0);
    assert_int_equal(s.maker, pid);
    assert_int_equal(state_claim(&f->host, "other", uuid, true, &e), 0);
    state_release("other", UINT32_MAX, uuid);
    assert_int_equal(state_claim(&f->host, "shop", uuid, true, &e), -EEXIST);
    assert_true(is_named("web"));
    while (waitpid(pid, &is, WNOHANG) != pid) {
        turn();
        usleep(1000);
    }
    assert_int_equal(is, 0);
    assert_int_equal(state_get("shop", &s), 0);
    assert_true(s.maker == 0 && s.domid == domid);
    assert_false(is_named("web"));
    assert_int_not_equal(access(state_path("making/shop"), F_OK), 0);
    fclose(out);
}

/* A name that nobody has claimed is not given: somebody may be about to claim it;
 * and what the last of that name said stays. */
static void an_unclaimed_name_is_not_given(void **state)
{
    const uint8_t uuid[16] = {1};
    char text[64];
    uint32_t domid;
    int fd;

    (void)state;
    say(serve("shop", "destroy", &domid), "last words", 10);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
    serve("web", "destroy", &domid);
    snprintf(text, sizeof(text), "%u web shop", domid);
    fd = ask(D_RENAME, text);
    next_is(fd, D_REFUSED, NULL);
    close(fd);
    assert_true(is_named("web"));
    assert_string_equal(console_by_domid(domid)->name, "web");
    history_says("shop", "last words");
    assert_int_equal(state_claim(&f->host, "shop", uuid, true, NULL), 0);
    fd = ask(D_RENAME, text);
    next_is(fd, D_OK, "");
    close(fd);
    assert_true(is_named("shop"));
    history_says("shop", "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
    const struct CMUnitTest tests[] = {
        T(gets_another_name),
        T(of_two_one_has_it),
        T(not_while_one_claims),
        T(the_last_of_that_name_is_not_done),
        T(keeps_its_name),
        T(who_renames_holds_nobody_up),
        T(an_unclaimed_name_is_not_given),
    };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
