/* SPDX-License-Identifier: MIT */
/*
 * Scripts of interfaces (nic_script.c, script_process.c): real ones, of the machine's own shell.
 *
 * They get what libxl gives them and nothing of ours, when the back end waits and while the entries
 * are there; one that fails, hangs, prints a great deal or leaves a process behind holds nobody up,
 * and what there is to say of it is one line. Who takes a domain away never waits for one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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

#include "device_nic.h"
#include "devices.h"
#include "fake_host.h"
#include "interrupt.h"
#include "nic_script.h"
#include "reap.h"
#include "script_process.h"
#include "unlimited.h"

#define BACK "/local/domain/0/backend/vif/5/0"

static struct fake_host *f;
static char dir[32], path[64];
static bool fast;    /* waiting takes no time: a limit is soon over */
static int stops_at; /* somebody stops us at that turn; 0 = nobody */

static bool has_interface(const char *ifname)
{
    assert_string_equal(ifname, "vif5.0");
    return true;
}

static bool starting(void)
{
    return false;
}

static bool backend_lives(const char *device)
{
    (void)device;
    return false;
}

static void sleep_ms(unsigned int ms)
{
    fake_backends_take_up(f, "2");
    usleep(fast ? 100 : ms * 1000);
    if (stops_at && --stops_at == 0)
        raise(SIGTERM);
}

static const struct device_system model = {.has_interface = has_interface,
                                           .starting = starting,
                                           .backend_lives = backend_lives,
                                           .sleep_ms = sleep_ms,
                                           .script_check = script_check,
                                           .script_start = script_start,
                                           .script_look = script_look,
                                           .script_kill = script_kill,
                                           UNLIMITED};

static struct nic_config nic = {.mac = {0x00, 0x16, 0x3e, 1, 2, 3},
                                .mac_given = true,
                                .bridge = (char *)"of-the-script",
                                .ifname = (char *)"web0",
                                .ip = (char *)"10.0.0.2",
                                .script = path};
static const struct domain_config config = {.name = (char *)"web", .nics = &nic, .nr_nics = 1};

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/scripts.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/vif-of'ours", dir);
    device_system = &model;
    f = fake_new();
    fast = false;
    stops_at = 0;
    return 0;
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    fake_free(f);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

/* The script is this, in its folder. */
static void write_script(const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    fprintf(out, "#!/bin/sh\ncd %s\n%s\n", dir, text);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

/* What it wrote there. */
static char *written(const char *name)
{
    static char text[4096];
    char file[96];
    FILE *in;

    snprintf(file, sizeof(file), "%s/%s", dir, name);
    in = fopen(file, "re");
    if (!in)
        fail_msg("it has not written %s", name);
    text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
    fclose(in);
    return text;
}

static bool is_there(const char *name)
{
    char file[96];

    snprintf(file, sizeof(file), "%s/%s", dir, name);
    return access(file, F_OK) == 0;
}

static void touch(const char *name)
{
    char file[96];
    int fd;

    snprintf(file, sizeof(file), "%s/%s", dir, name);
    fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void forget(const char *name)
{
    char file[96];

    snprintf(file, sizeof(file), "%s/%s", dir, name);
    assert_int_equal(unlink(file), 0);
}

static void write_entry(const char *entry, const char *value)
{
    assert_int_equal(f->host.ops->store_write(&f->host, 0, entry, value), 0);
}

static void attached(int code, const char *text)
{
    struct error e = {0};
    int rc = devices_attach(&f->host, &config, 5, &e);

    if (rc != code || strcmp(e.text, text) != 0)
        fail_msg("%d: '%s', not %d: '%s'", rc, e.text, code, text);
}

/* "web: <interface> vif5.0: script PATH: WHY" */
static void fails(int code, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text), "web: <interface> vif5.0: script %s: %s", path, why);
    attached(code, text);
    f->host.ops->store_rm(&f->host, 0, BACK);
}

/* A process whose number the script wrote is no more, or what is left of it does nothing. */
static void assert_killed(const char *name)
{
    char stat[64], word = ' ';
    int pid = atoi(written(name));

    assert_true(pid > 1);
    snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
    for (int i = 0; i < 5000 && word != 'Z'; i++) {
        FILE *in = fopen(stat, "re");

        if (!in)
            return;
        if (fscanf(in, "%*d (%*[^)]) %c", &word) != 1)
            word = 'Z'; /* it went while we read */
        fclose(in);
        usleep(1000);
    }
    assert_int_equal(word, 'Z');
}

/* What it is given, and what it finds open, blocked and ignored: of ours nothing. */
static void is_called_as_by_libxl(void **state)
{
    char expected[512];
    int ours = dup2(STDERR_FILENO, 77);
    sigset_t blocked;

    (void)state;
    assert_int_equal(ours, 77);
    setenv("ip", "of who runs it", 1);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    write_script("exec 9>&1; echo \"$#:$1:$2\" >arguments\n"
                 "tr '\\0' '\\n' </proc/$$/environ >environment\n"
                 "{ read x; echo \"input $?\"; [ -e /proc/$$/fd/77 ] && echo 'open: 77'\n"
                 "[ /proc/$$/fd/9 -ef /proc/$$/fd/2 ] && echo 'one output'\n"
                 "[ $(cut -d ' ' -f 5 /proc/$$/stat) = $$ ] && echo 'its own group'\n"
                 "sed -n 's/^SigBlk:.//p; s/^SigIgn:.*\\(.\\)...$/\\1/p' /proc/self/status\n"
                 "} >found");
    attached(0, "");
    assert_string_equal(written("arguments"), "2:online:type_if=vif\n");
    snprintf(expected, sizeof(expected),
             "script=%s\nXENBUS_TYPE=vif\nXENBUS_PATH=backend/vif/5/0\nXENBUS_BASE_PATH=backend\n"
             "netdev=\nvif=vif5.0\n"
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
             path);
    assert_string_equal(written("environment"), expected);
    assert_string_equal(written("found"),
                        "input 1\none output\nits own group\n0000000000000000\n0\n");
    unsetenv("ip");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_DFL);
    close(ours);
}

/* The entries that it reads, which nobody else can write; that the two ends may connect is said by
 * the script alone. */
static void finds_its_entries(void **state)
{
    static const struct {
        const char *key, *value;
    } entries[] = {
        {"script", path}, {"bridge", "of-the-script"},  {"vifname", "web0"}, {"ip", "10.0.0.2"},
        {"handle", "0"},  {"mac", "00:16:3e:01:02:03"}, {"type", "vif"},     {"frontend-id", "5"}};

    (void)state;
    write_script("");
    attached(0, "");
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char entry[64];

        snprintf(entry, sizeof(entry), BACK "/%s", entries[i].key);
        if (!fake_read(f, entry))
            fail_msg("there is no %s", entry);
        assert_string_equal(fake_read(f, entry), entries[i].value);
        assert_string_equal(fake_perms(f, entry), "n0 r5");
    }
    assert_string_equal(fake_perms(f, BACK), "n0 r5");
    assert_string_equal(fake_perms(f, "/local/domain/0/backend/vif/5"), "n0");
    assert_string_equal(fake_read(f, BACK "/hotplug-status"), "");
}

static void failures_are_one_line(void **state)
{
    (void)state;
    write_script("exit 3");
    fails(-EIO, "it ended with status 3");
    write_script("kill -TERM $$");
    fails(-EIO, "it was ended by SIGTERM");
    write_script("kill -40 $$");
    fails(-EIO, "it was ended by signal 40"); /* of real time: without a name */
}

/* What it says itself in the store is its reason, as one line. */
static void its_own_words(void **state)
{
    char text[128];
    struct error e = {0};

    (void)state;
    write_script("exit 1");
    write_entry(BACK "/hotplug-error", "no route\nto \x1b[2J");
    assert_int_equal(nic_script_online(&f->host, path, "web", 5, 0, &e), -EIO);
    snprintf(text, sizeof(text), "web: <interface> vif5.0: script %s: no route?to ?[2J", path);
    assert_string_equal(e.text, text);
}

static void what_cannot_be_run_is_said_before(void **state)
{
    struct error e = {0};
    char text[128];

    (void)state;
    assert_int_equal(devices_check(&f->host, &config, &e), -ENOENT);
    snprintf(text, sizeof(text), "web: <interface>: script %s: No such file or directory", path);
    assert_string_equal(e.text, text);
    assert_int_equal(mkdir(path, 0755), 0);
    e.code = 0;
    assert_int_equal(devices_check(&f->host, &config, &e), -EISDIR);
    assert_int_equal(rmdir(path), 0);
    write_script("");
    assert_int_equal(chmod(path, 0644), 0);
    e.code = 0;
    assert_int_equal(devices_check(&f->host, &config, &e), -EACCES);
    snprintf(text, sizeof(text), "web: <interface>: script %s cannot be executed", path);
    assert_string_equal(e.text, text);
    assert_int_equal(chmod(path, 0755), 0);
    e.code = 0;
    assert_int_equal(devices_check(&f->host, &config, &e), 0); /* its bridge is the script's */
    /* It goes between the check and the start; what is no program needs a first line. */
    assert_int_equal(unlink(path), 0);
    fails(-ENOENT, "No such file or directory");
    write_script("");
    assert_int_equal(truncate(path, 0), 0);
    fails(-ENOEXEC, "Exec format error");
}

/* It and what it has started are killed, when its time is over and when somebody stops us. */
static void hanging_ends(void **state)
{
    static const char hangs[] = "sleep 1000 & echo $! >child\necho $$ >own; wait";

    (void)state;
    write_script(hangs);
    interrupt_catch();
    stops_at = 10;
    attached(-EINTR, "web: interrupted by SIGTERM");
    f->host.ops->store_rm(&f->host, 0, BACK);
    signal(SIGTERM, SIG_IGN); /* else it would end us now */
    interrupt_release();
    signal(SIGTERM, SIG_DFL);
    if (is_there("own"))
        assert_killed("own");
    if (is_there("child"))
        assert_killed("child");
    stops_at = 0;
    fast = true;
    fails(-ETIMEDOUT, "it had not ended after 40 s, and was killed");
}

/* What it leaves behind lives on, and nobody waits for it; nor for all that it prints. */
static void what_it_leaves_and_prints(void **state)
{
    char file[64];
    struct stat st;
    int out, was = dup(STDERR_FILENO);

    (void)state;
    snprintf(file, sizeof(file), "%s/printed", dir);
    out = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(dup2(out, STDERR_FILENO), STDERR_FILENO);
    write_script("sleep 1000 & echo $! >child\nhead -c 300000 /dev/zero; head -c 7 /dev/zero >&2");
    attached(0, "");
    dup2(was, STDERR_FILENO);
    close(was);
    assert_int_equal(fstat(out, &st), 0);
    assert_int_equal(st.st_size, 300007);
    close(out);
    assert_int_equal(kill(atoi(written("child")), SIGKILL), 0); /* it lived */
}

/* Two interfaces of ours, one that we bridge, and one that another tool attached. */
static void write_interfaces(void)
{
    write_entry(BACK "/script", path);
    write_entry("/local/domain/0/backend/vif/5/1/script", "none");
    write_entry("/local/domain/0/backend/vif/5/2/script", path);
    write_entry("/local/domain/0/backend/vif/5/3/script", "/etc/xen/scripts/vif-not-there");
    write_entry("/local/domain/5/device/vif/0/state", "4");
}

/* Their scripts run beside each other, and their entries stay until they have ended; each step
 * returns at once. */
static void reaping_runs_them_first(void **state)
{
    const uint8_t uuid[16] = {1};
    unsigned int ms, steps = 0;
    struct reap r;

    (void)state;
    setenv("PARVIS_RUN", dir, 1);
    write_script(
        "echo $1 $XENBUS_PATH >of-$vif; >begun-$vif; until [ -e go ]; do sleep 0.01; done\n"
        "[ $vif != vif5.2 ]");
    write_interfaces();
    reap_begin(&r, 5, uuid, "web", "");
    do {
        ms = reap_step(&f->host, &r, steps++);
        if (!is_there("go"))
            assert_non_null(fake_read(f, BACK "/script"));
        if (is_there("begun-vif5.0") && is_there("begun-vif5.2"))
            touch("go");
        usleep(1000 * ms);
    } while (ms);
    assert_int_equal(r.stage, REAP_DONE);
    assert_string_equal(written("of-vif5.0"), "offline backend/vif/5/0\n");
    assert_string_equal(written("of-vif5.2"), "offline backend/vif/5/2\n");
    assert_false(is_there("of-vif5.1"));
    assert_null(fake_read(f, BACK "/script"));
    unsetenv("PARVIS_RUN");
}

/* When their time is over they are killed, and the domain goes; who can wait for nothing does not.
 */
static void reaping_ends(void **state)
{
    const uint8_t uuid[16] = {1};
    const uint64_t times[] = {1000 + NIC_SCRIPT_MS, UINT64_MAX};

    (void)state;
    setenv("PARVIS_RUN", dir, 1);
    write_script("echo $$ >n$vif; mv n$vif $vif; while :; do sleep 1000; done");
    for (size_t i = 0; i < 2; i++) {
        struct reap r;

        write_interfaces();
        reap_begin(&r, 5, uuid, "web", "");
        assert_int_not_equal(reap_step(&f->host, &r, 1000), 0);
        while (!is_there("vif5.0") || !is_there("vif5.2"))
            usleep(1000);
        assert_int_not_equal(reap_step(&f->host, &r, times[0] - 1), 0);
        assert_non_null(fake_read(f, BACK "/script"));
        while (reap_step(&f->host, &r, times[i]) > 0)
            usleep(i == 0 ? 1000 : 0);
        assert_int_equal(r.stage, REAP_DONE);
        assert_null(fake_read(f, BACK "/script"));
        assert_killed("vif5.0");
        assert_killed("vif5.2");
        forget("vif5.0");
        forget("vif5.2");
    }
    unsetenv("PARVIS_RUN");
}

/* One that another tool attached, by way of a device that its configuration named. */
static void of_another_tool(void **state)
{
    (void)state;
    write_script("echo $1 $netdev >called");
    write_entry(BACK "/script", path);
    write_entry(BACK "/gatewaydev", "eth9");
    nic_script_offline(&f->host, 5, 0);
    assert_string_equal(written("called"), "offline eth9\n");
}

/* Meanwhile the domain is gone, and its number another's: those that run are killed, no child of
 * ours is left, and what the other has is not touched. */
static void number_given_again(void **state)
{
    const uint8_t uuid[16] = {1};
    const struct host_create other = {.uuid = {2}, .max_vcpus = 1};
    uint32_t number = 0;
    struct reap r;

    (void)state;
    setenv("PARVIS_RUN", dir, 1);
    write_script("echo $$ >n$vif; mv n$vif $vif; while :; do sleep 1000; done");
    write_interfaces();
    reap_begin(&r, 5, uuid, "web", "");
    assert_int_not_equal(reap_step(&f->host, &r, 0), 0);
    while (!is_there("vif5.0") || !is_there("vif5.2"))
        usleep(1000);
    while (number != 5)
        assert_int_equal(f->host.ops->domain_create(&f->host, &other, &number), 0);
    while (reap_step(&f->host, &r, 0) > 0)
        usleep(1000);
    assert_int_equal(r.stage, REAP_DONE);
    assert_int_equal(waitpid(atoi(written("vif5.0")), NULL, WNOHANG), -1);
    assert_int_equal(waitpid(atoi(written("vif5.2")), NULL, WNOHANG), -1);
    assert_non_null(fake_read(f, BACK "/script"));
    assert_non_null(fake_domain(f, 5));
    unsetenv("PARVIS_RUN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_called_as_by_libxl, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_its_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_are_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(its_own_words, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_run_is_said_before, setup, teardown),
        cmocka_unit_test_setup_teardown(hanging_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(what_it_leaves_and_prints, setup, teardown),
        cmocka_unit_test_setup_teardown(reaping_runs_them_first, setup, teardown),
        cmocka_unit_test_setup_teardown(reaping_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(of_another_tool, setup, teardown),
        cmocka_unit_test_setup_teardown(number_given_again, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
