/* SPDX-License-Identifier: MIT */
/*
 * Domains that are defined: define, undefine, start, autostart, list --all and dumpxml, in a folder
 * that has all sorts of things in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pvctl.h" /* before cmocka's: both have a fail() */

#include <cmocka.h>

#include "definition.h"
#include "lifecycle_support.h"
#include "pvctl_support.h"
#include "state.h"

static char folder[96], file[160];
static pid_t daemon_pid;

/* A daemon that says yes to all. */
static void say_yes(int listener)
{
    char any[4096];

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (recv(fd, any, sizeof(any), 0) > 0)
            send(fd, "k", 1, MSG_NOSIGNAL);
        close(fd);
    }
}

static int start_daemon(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", state_path("parvisd.sock"));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) || listen(fd, 64))
        return -1;
    daemon_pid = fork();
    if (daemon_pid == 0)
        say_yes(fd);
    close(fd);
    return daemon_pid < 0;
}

static int setup(void **state)
{
    if (lifecycle_setup(state) || state_prepare(NULL))
        return -1;
    snprintf(folder, sizeof(folder), "%s", state_path("defined"));
    setenv("PARVIS_DOMAINS", folder, 1);
    return start_daemon();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    kill(daemon_pid, SIGKILL);
    waitpid(daemon_pid, NULL, 0);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    unlink(file);
    unlink(state_path("parvisd.sock"));
    return lifecycle_teardown(state);
}

/* A file of a domain; more: elements of it. */
static const char *xml(const char *name, const char *more)
{
    struct domain_config c = config("kernel"); /* there is one: it has its path */
    FILE *out;

    snprintf(file, sizeof(file), "%s", state_path("%s.xml", "given"));
    out = fopen(file, "w");
    fprintf(out,
            "<domain type='xen'><name>%s</name><memory>4096</memory><os><type>linux</type>"
            "<kernel>%s</kernel></os>%s</domain>",
            name, c.kernel, more);
    fclose(out);
    domain_config_free(&c);
    return file;
}

static void define(const char *name, const char *more)
{
    char line[256];

    snprintf(line, sizeof(line), "define %s", xml(name, more));
    pvctl_ends(line, 0, ": defined\n");
}

static void refuses(const char *name, const char *more, const char *says)
{
    char line[256];

    snprintf(line, sizeof(line), "define %s", xml(name, more));
    pvctl_ends(line, 1, says);
}

static void put(const char *name, const char *text)
{
    char path[160];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
}

static struct definition read_back(const char *name)
{
    struct definition d;
    struct error e = {0};

    if (definition_read(name, &d, &e))
        fail_msg("%s", e.text);
    return d;
}

#define NIC    "<interface type='ethernet'/>"
#define ONE    "<uuid>00000000-0000-0000-0000-000000000001</uuid>"
#define TWO    "<uuid>00000000-0000-0000-0000-000000000002</uuid>"
#define DEV(x) "<devices>" x "</devices>"

/* Defined anew, it is the same domain: its uuid, its MAC addresses. */
static void keeps_who_it_is(void **state)
{
    struct definition first, again;

    (void)state;
    define("web", DEV(NIC));
    first = read_back("web");
    assert_true(first.cfg.uuid_given && first.cfg.nics[0].mac_given);
    assert_int_equal(first.order, AUTOSTART_NONE);
    define("web", "<title>new</title>" DEV(NIC NIC));
    again = read_back("web");
    assert_string_equal(again.cfg.title, "new");
    assert_memory_equal(first.cfg.uuid, again.cfg.uuid, 16);
    assert_memory_equal(first.cfg.nics[0].mac, again.cfg.nics[0].mac, 6);
    assert_memory_not_equal(again.cfg.nics[0].mac, again.cfg.nics[1].mac, 6);
    domain_config_free(&first.cfg);
    domain_config_free(&again.cfg);
    refuses("web", ONE, "it is defined with another one, ");
    define("db", ONE);
    define("db", ONE);
    refuses("mail", ONE, "pvctl: mail: <uuid>: db is defined with this uuid\n");
    refuses("db", TWO, "00000000-0000-0000-0000-000000000001; `pvctl undefine db` goes before");
    pvctl_ends("undefine db", 0, "");
    define("mail", ONE);
    pvctl_ends("undefine db mail", 3, "pvctl: db: no domain of this name is defined\n");
    pvctl_ends("undefine mail", 3, "pvctl: mail: no domain of this name is defined\n");
}

/* What is no definition is named, each in one line, and the others are there. */
static void garbage_is_named(void **state)
{
    static const char *const lines[] = {
        "/broken.xml:1: ",
        "/empty.xml: ",
        "/notes.txt: it is no definition: those are called NAME.xml\n",
        "/other.xml: it is of a domain web, and not of other\n",
        "/12.xml: it is no definition",
        "/folder.xml: not a regular file\n",
        "/autostart/07-gone: no domain of this name is defined\n",
        "/autostart/web: files here are called NN-NAME\n",
    };
    char path[512];
    size_t told = 0;

    (void)state;
    define("web", "");
    define("db", "");
    put("broken.xml", "<domain type='xen'>");
    put("empty.xml", "");
    put("notes.txt", "to do");
    put("12.xml", "<domain/>");
    put(".web.xml.swp", "an editor's");
    put(".new", "of a writer that was killed");
    snprintf(path, sizeof(path), "cp %s/web.xml %s/other.xml; mkdir %s/autostart %s/folder.xml",
             folder, folder, folder, folder);
    assert_int_equal(system(path), 0);
    put("autostart/07-gone", "");
    put("autostart/web", "");
    assert_int_equal(pvctl_run("list --all"), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (!strstr(pvctl_said, lines[i]))
            fail_msg("not told of %s: %s", lines[i], pvctl_said);
    }
    for (const char *at = pvctl_said; (at = strstr(at, "pvctl: ")); at++)
        told++;
    assert_int_equal(told, sizeof(lines) / sizeof(lines[0]));
    assert_non_null(strstr(pvctl_said, "\nweb "));
    assert_non_null(strstr(pvctl_said, "\ndb "));
    assert_null(strstr(pvctl_said, "\nother "));
    assert_int_equal(pvctl_run("start broken"), 4);
    assert_int_equal(pvctl_run("start other"), 4);
    define("broken", ""); /* what cannot be read is replaced */
    assert_int_equal(pvctl_run("start --autostart"), 4);
}

static void starts_what_is_defined(void **state)
{
    struct live_domain l;
    struct error e = {0};

    (void)state;
    pvctl_ends("start web", 3, "pvctl: web: no domain of this name is defined\n");
    define("web", ONE);
    assert_int_equal(pvctl_run("dumpxml web"), 0);
    assert_non_null(strstr(pvctl_said, "<domain type='xen'>\n  <name>web</name>"));
    pvctl_ends("start web", 0, "web: domain ");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    assert_int_equal(l.d.uuid[15], 1);
    pvctl_ends("start web", 1, "pvctl: web: a domain of this name exists already (domain ");
    define("web", "<title>next</title>");
    assert_int_equal(pvctl_run("dumpxml web"), 0);
    assert_null(strstr(pvctl_said, "next"));
    assert_non_null(strstr(pvctl_said, "<domain type='xen' id='"));
    assert_int_equal(pvctl_run("dumpxml --inactive web"), 0);
    assert_non_null(strstr(pvctl_said, "next"));
    pvctl_ends("dumpxml --inactive nobody", 3, "pvctl: nobody: no domain of this name is defined");
    pvctl_ends("undefine web", 0, "");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    pvctl_ends("start", 2, "either a name or --autostart");
    pvctl_ends("start web --autostart", 2, "either a name or --autostart");
    pvctl_ends("start --autostart --paused", 2, "--autostart goes alone");
}

/* A file that somebody put there keeps the uuid that it gets at its first start. */
static void a_file_by_hand_gets_a_uuid(void **state)
{
    struct definition d;
    struct live_domain l;
    struct error e = {0};
    char line[400];

    (void)state;
    mkdir(folder, 0700);
    snprintf(line, sizeof(line), "cp %s %s/web.xml", xml("web", ""), folder);
    assert_int_equal(system(line), 0);
    pvctl_ends("start web", 0, "web: domain ");
    assert_int_equal(lifecycle_find(&f->host, "web", &l, &e), 0);
    d = read_back("web");
    assert_true(d.cfg.uuid_given);
    assert_memory_equal(d.cfg.uuid, l.d.uuid, 16);
    domain_config_free(&d.cfg);
}

static void lists_what_is_off(void **state)
{
    (void)state;
    define("web", ONE "<vcpu>3</vcpu>");
    define("db", "");
    pvctl_ends("autostart db", 0, "");
    pvctl_ends("start db", 0, "");
    assert_int_equal(pvctl_run("list"), 0);
    assert_null(strstr(pvctl_said, "web"));
    assert_int_equal(pvctl_run("list --all"), 0);
    assert_non_null(strstr(pvctl_said,
                           "\nweb                          -       4096     3  off       "
                           "            -  pv   no\n"));
    assert_non_null(strstr(pvctl_said, "  pv   yes\n"));
    assert_non_null(strstr(pvctl_said, "  pv   not defined\n")); /* the control domain */
    assert_int_equal(pvctl_run("list -a --json"), 0);
    assert_non_null(strstr(pvctl_said, "\"state\": \"off\",\n    \"defined\": true,\n    "
                                       "\"autostart\": false\n  }\n]\n"));
    assert_non_null(strstr(pvctl_said, "\"autostart\": true,\n    \"order\": 50\n"));
    pvctl_ends("list --all web", 2, "either names or --all");
}

/* Those that there are by their numbers, then those that are off by their names. */
static void lists_in_order(void **state)
{
    static const char *const names[] = {"\nDomain-0 ", "\nweb ",  "\ndb ",
                                        "\nalpha ",    "\nmail ", "\nzeta "};
    const char *at;

    (void)state;
    define("mail", "");
    define("web", "");
    define("zeta", "");
    define("db", "");
    define("alpha", "");
    pvctl_ends("start web", 0, "");
    pvctl_ends("start db", 0, "");
    assert_int_equal(pvctl_run("list --all"), 0);
    at = pvctl_said;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        at = strstr(at, names[i]);
        if (!at)
            fail_msg("%s is not there, or not in its place: %s", names[i], pvctl_said);
    }
}

static void shows_what_is_off(void **state)
{
    (void)state;
    define("web", ONE "<currentMemory>2048</currentMemory><vcpu>3</vcpu>");
    pvctl_ends("autostart web", 0, "");
    assert_int_equal(pvctl_run("dominfo web"), 0);
    assert_non_null(strstr(pvctl_said, "\nstate        off: `pvctl start web`\n"
                                       "memory       2048 KiB, at most 4096 KiB\n"
                                       "vCPUs        3\nautostart    yes\n"));
    assert_int_equal(pvctl_run("dominfo --json web"), 0);
    assert_non_null(strstr(pvctl_said, "\"state\": \"off\",\n  \"memory_kib\": 2048,\n"
                                       "  \"max_memory_kib\": 4096,\n  \"vcpus\": 3,\n"
                                       "  \"autostart\": true\n}\n"));
    pvctl_ends("dominfo nobody", 3, "pvctl: nobody: no such domain\n");
}

/* What stands behind the name, of verbs that want more; NULL: it works on what is off, or asks
 * parvisd (tools_log.c). */
static const struct {
    const char *verb, *rest;
} behind_name[] = {
    {"undefine", NULL},         {"start", NULL},         {"autostart", NULL}, {"dominfo", NULL},
    {"dumpxml", NULL},          {"console", NULL},       {"log", NULL},       {"events", NULL},
    {"rename", "shop"},         {"save", "file"},        {"dump-core", "/x"}, {"sysrq", "h"},
    {"trigger", "nmi"},         {"mem-set", "4096"},     {"mem-max", "4096"}, {"vcpu-set", "1"},
    {"attach-disk", "/x xvda"}, {"detach-disk", "xvda"}, {"pin", "0 0"},
};

/* Each verb of pvctl's that takes a domain says how one that is off is started. */
static void says_how_it_is_started(void **state)
{
    unsigned int asked = 0;

    (void)state;
    define("web", ONE);
    for (const struct verb *const *v = verbs; *v; v++) {
        const char *rest = "";
        char line[128];

        if (!(*v)->arg || !strstr((*v)->arg, "NAME"))
            continue;
        for (size_t i = 0; i < sizeof(behind_name) / sizeof(behind_name[0]); i++)
            if (strcmp(behind_name[i].verb, (*v)->name) == 0)
                rest = behind_name[i].rest;
        if (!rest)
            continue;
        snprintf(line, sizeof(line), "%s web %s", (*v)->name, rest);
        pvctl_ends(line, 3, "pvctl: web: it does not run, it is defined: `pvctl start web`\n");
        asked++;
    }
    assert_true(asked > 20);
}

/* By order, then by name; who runs is left alone, who cannot be started is told, once each. */
static void starts_in_order(void **state)
{
    static const char *const order[] = {"c: domain", "b: domain", "a: domain"};
    const char *at = pvctl_said;

    (void)state;
    pvctl_ends("autostart a", 3,
               "pvctl: a: no domain of this name is defined: `pvctl define` goes");
    for (const char *name = "a\0b\0c\0d\0e\0"; *name; name += 2)
        define(name, strcmp(name, "d") == 0 ? "<title>d</title>" : "");
    define("late", "");
    pvctl_ends("autostart b c d e", 0, "");
    pvctl_ends("autostart --order 99 a", 0, "");
    pvctl_ends("autostart --order 9 c", 0, "");
    pvctl_ends("autostart --order 1 late", 0, "");
    pvctl_ends("autostart e late --disable", 0, "");
    pvctl_ends("autostart e --disable --order 3", 2, "either --order or --disable");
    pvctl_ends("autostart e --order 100", 2, "from 0 to 99");
    put("d.xml", "<domain type='xen'><name>d</name><memory>4096</memory><os><type>linux</type>"
                 "<kernel>/none</kernel></os></domain>");
    pvctl_ends("start c", 0, "");
    assert_int_equal(pvctl_run("start --autostart"), 1);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        at = strstr(at, order[i]);
        if (!at)
            fail_msg("%s is not where it should be: %s", order[i], pvctl_said);
    }
    assert_non_null(strstr(pvctl_said, ", runs already\n"));
    assert_non_null(strstr(pvctl_said, "pvctl: d: not started\n"));
    assert_null(strstr(pvctl_said, "\ne: "));
    assert_null(strstr(pvctl_said, "late"));
    assert_non_null(strstr(pvctl_said, "pvctl: 3 started, 1 not\n"));
}

/* Where nothing can be written, nothing is changed. */
static void says_what_cannot_be_written(void **state)
{
    (void)state;
    setenv("PARVIS_DOMAINS", "/proc/none", 1);
    refuses("web", "", "pvctl: /proc/none: ");
    assert_int_equal(pvctl_run("list --all"), 0);
    setenv("PARVIS_DOMAINS", file, 1); /* a file */
    refuses("web", "", "Not a directory\n");
    pvctl_ends("list --all", 1, "Not a directory\n");
    setenv("PARVIS_DOMAINS", "/dev/shm/parvis-define", 1);
    if (mkdir("/dev/shm/parvis-define", 0700) == 0) {
        define("web", "");
        if (definition_is_lost_at_the_end())
            assert_non_null(strstr(pvctl_said, "lies in memory until the machine ends"));
        nftw("/dev/shm/parvis-define", remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    setenv("PARVIS_DOMAINS", folder, 1);
}

/* In a process of its own: once the other one has said something, there is no folder; then there
 * is. */
static void disk_comes_later(const struct stat *before, const char *away)
{
    char said[64];
    struct stat now;

    snprintf(said, sizeof(said), "/proc/%d/fd/2", (int)getppid());
    do {
        usleep(1000);
    } while (stat(said, &now) == 0 && (now.st_ino == before->st_ino || now.st_size == 0));
    if (access(folder, F_OK) == 0 || rename(away, folder))
        _exit(1);
    rmdir(state_path("definitions-starting"));
    _exit(0);
}

static void waits(const char *line, int status, const char *says)
{
    char away[128];
    struct stat before;
    int later, how;

    assert_int_equal(mkdir(state_path("definitions-starting"), 0700), 0);
    snprintf(away, sizeof(away), "%s.away", folder);
    assert_int_equal(rename(folder, away), 0);
    assert_int_equal(fstat(2, &before), 0);
    later = fork();
    if (later == 0)
        disk_comes_later(&before, away);
    how = pvctl_run(line);
    if (how != status || !strstr(pvctl_said, "may yet come") || !strstr(pvctl_said, says))
        fail_msg("`pvctl %s` ended with %d and said: %s", line, how, pvctl_said);
    assert_int_equal(waitpid(later, &how, 0), later);
    assert_int_equal(how, 0);
}

/* Who asks for definitions before their disk is mounted waits, and says so. */
static void waits_for_their_disk(void **state)
{
    char define_late[256];

    (void)state;
    define("web", "");
    assert_null(strstr(pvctl_said, "may yet come"));
    snprintf(define_late, sizeof(define_late), "define %s", xml("late", ""));
    waits(define_late, 0, "late: defined\n");
    waits("list --all", 0, "\nweb ");
    waits("dominfo web", 0, "\nname         web\n");
    waits("dumpxml web", 0, "<name>web</name>");
    waits("dumpxml --inactive web", 0, "<name>web</name>");
    waits("autostart web", 0, "");
    waits("start web", 0, "\nweb: domain ");
    waits("undefine web", 0, "");
    waits("dominfo nobody", 3, "pvctl: nobody: no such domain\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_who_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_what_is_defined, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_by_hand_gets_a_uuid, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_what_is_off, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(shows_what_is_off, setup, teardown),
        cmocka_unit_test_setup_teardown(says_how_it_is_started, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_cannot_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_their_disk, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
