/* SPDX-License-Identifier: MIT */
/*
 * pvctl where it speaks with parvisd about a domain: what it says of one that cannot listen, that
 * has a button to press, that is to be saved, or that parvisd does not know. It is a process, with
 * a copy of the model of the machine, or, where it changes that, a thread; parvisd's part runs
 * here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
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
#include <xen/sched.h>

#include "daemon_support.h"
#include "loader_support.h"
#include "policy.h"
#include "pvctl_process.h"
#include "restart.h"
#include "state.h"

/* Whoever makes the next life of web has ended, if so. */
static void hear_of_the_maker(int how)
{
    const struct console *c = console_by_name("web");
    pid_t maker = c ? c->restarter : 0;
    int is;

    if (maker && waitpid(maker, &is, how) == maker)
        policy_child(&f->host, maker, is);
}

static void hear(void)
{
    hear_of_the_maker(WNOHANG);
}

static void ends(const char *line, int status, const char *says)
{
    process_ends(line, status, says, hear);
}

/* A domain that listens, as far as the store knows. */
static struct fake_domain *listens(const char *name, bool paused)
{
    struct fake_domain *d;
    uint32_t domid;
    char path[64];

    serve(name, "destroy", &domid);
    snprintf(path, sizeof(path), "/local/domain/%u/vm", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "/vm/0"), 0);
    d = fake_domain(f, domid);
    d->d.paused = paused;
    return d;
}

/* Who is paused does nothing, and whoever waits for it is told so, once. */
static void a_paused_one_is_told(void **state)
{
    (void)state;
    listens("web", true);
    ends("shutdown --wait --timeout 1 web", 1,
         "pvctl: web: it is paused: `pvctl unpause` lets it go on\n"
         "pvctl: web: not ended within 1 s; `pvctl destroy` does not ask\n");
    ends("reboot --wait --timeout 1 web", 1,
         "pvctl: web: it is paused: `pvctl unpause` lets it go on\n"
         "pvctl: web: not ended within 1 s; `pvctl destroy` does not ask\n");
    ends("shutdown web", 0, "pvctl: web: it is paused: `pvctl unpause` lets it go on\n");
    listens("other", false);
    ends("shutdown other", 0, "");
    ends("shutdown --wait --timeout 1 other", 1,
         "pvctl: other: not ended within 1 s; `pvctl destroy` does not ask\n");
}

/* A guest that takes each request, and does nothing about it. */
static const struct host_ops *all;

static int taken_at_once(struct host *h, host_txn_t t, const char *path, const char *value)
{
    if (strcmp(value, "poweroff") == 0)
        printf("taken\n");
    return all->store_write(h, t, path, "");
}

static void who_takes_it_and_goes_on_is_asked_again(void **state)
{
    struct host_ops ops = *f->host.ops;

    (void)state;
    all = f->host.ops;
    listens("web", false);
    ops.store_write = taken_at_once;
    f->host.ops = &ops;
    ends("shutdown --wait --timeout 11 web", 1,
         "pvctl: web: still waiting for its end\n"
         "pvctl: web: not ended within 11 s; `pvctl destroy` does not ask\n"
         "taken\ntaken\n"); /* (what goes to a file goes at the end) */
    f->host.ops = all;
    ends("shutdown --wait --timeout 11 web", 1, /* it takes none: it is not asked again */
         "pvctl: web: still waiting for its end\n"
         "pvctl: web: not ended within 11 s; `pvctl destroy` does not ask\n");
}

/* `pvctl VERB NAME`, which waits for nobody, on this model itself. */
static int here(const char *verb, const char *name)
{
    char *argv[] = {(char *)(uintptr_t) "pvctl", (char *)(uintptr_t)verb, (char *)(uintptr_t)name,
                    NULL};

    return pvctl_main(3, argv);
}

/* An hvm guest, which knows of no store, has its power button pressed; a reboot has no button. */
static void an_hvm_guest_has_a_button(void **state)
{
    const char *const no_reboot =
        "pvctl: full: an hvm guest can be asked to power off, and not to reboot: do that from "
        "inside\n";
    struct fake_domain *d;
    uint32_t domid;

    (void)state;
    serve("full", "destroy", &domid);
    d = fake_domain(f, domid);
    d->d.kind = KIND_HVM;
    d->d.paused = false;
    ends("reboot full", 1, no_reboot);
    ends("reboot --wait full", 1, no_reboot);
    assert_int_equal(here("reboot", "full"), 1);
    assert_false(d->pressed);
    ends("shutdown --wait --timeout 1 full", 1,
         "pvctl: full: not ended within 1 s; `pvctl destroy` does not ask\n");
    ends("shutdown --all", 0, "full: asked to end\n");
    assert_int_equal(here("shutdown", "full"), 0);
    assert_true(d->pressed);
}

/* Of the others none is pressed: they are asked by the store. */
static void others_are_asked_by_the_store(void **state)
{
    (void)state;
    for (enum guest_kind kind = KIND_PV; kind <= KIND_PVH; kind += KIND_PVH - KIND_PV) {
        struct fake_domain *d = listens(kind == KIND_PV ? "web" : "pvh", false);
        char path[64];

        d->d.kind = kind;
        snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", d->d.domid);
        assert_int_equal(here("shutdown", kind == KIND_PV ? "web" : "pvh"), 0);
        assert_string_equal(fake_read(f, path), "poweroff");
        assert_int_equal(here("reboot", kind == KIND_PV ? "web" : "pvh"), 0);
        assert_string_equal(fake_read(f, path), "reboot");
        assert_false(d->pressed);
    }
}

/* It says that it cannot, of each kind; of what is no guest, that. Nothing changes. */
static void none_can_be_saved(void **state)
{
    struct fake_domain *d = listens("web", false);

    (void)state;
    for (enum guest_kind kind = KIND_PV; kind <= KIND_PVH; kind++) {
        d->d.kind = kind;
        ends("save web web.save", 1,
             "pvctl: web: a domain cannot be saved yet: it goes on as it was\n");
        assert_int_not_equal(access("web.save", F_OK), 0);
    }
    ends("save nobody web.save", 3, "pvctl: nobody: no such domain\n");
}

/* As the hypervisor starts one by parvis.cfg: neither the store nor parvisd has heard of it. */
static void one_of_parvis_cfg_is_told(void **state)
{
    const struct host_create c = {.uuid = {7}, .max_vcpus = 1};
    const char *const not_watched =
        "parvisd does not watch this domain: it was not created by pvctl";
    char line[64], says[256];
    uint32_t domid;

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &domid), 0);
    fake_domain(f, domid)->d.paused = false;
    snprintf(line, sizeof(line), "console %u", domid);
    snprintf(says, sizeof(says), "pvctl: %u: %s\n", domid, not_watched);
    ends(line, 1, says);
    snprintf(
        says, sizeof(says),
        "pvctl: domain %u: it cannot be asked, for the store has no entries of it (it has none "
        "of those of parvis.cfg); `pvctl destroy` does not ask\n",
        domid);
    snprintf(line, sizeof(line), "shutdown --wait %u", domid);
    ends(line, 1, says);
    snprintf(line, sizeof(line), "reboot --wait %u", domid);
    ends(line, 1, says);
    snprintf(line, sizeof(line), "shutdown %u", domid);
    ends(line, 1, says);
    snprintf(line, sizeof(line), "console (domain-%u)", domid);
    snprintf(says, sizeof(says), "pvctl: (domain-%u): %s\n", domid, not_watched);
    ends(line, 1, says);
    ends("console 1000", 3, "pvctl: 1000: no such domain, nor a console kept of one\n");
    ends("shutdown --wait 1000", 3, "pvctl: 1000: no such domain\n");
}

/* One of ours that parvisd has not taken up. */
static void one_of_ours_is_told(void **state)
{
    uint32_t domid;

    (void)state;
    make_guest("web", "destroy", &domid);
    ends("console web", 1, "pvctl: web: parvisd does not watch this domain\n");
}

static void is_given_up(int fd, const char *how)
{
    char *ended = state_read_ended("web");

    next_is(fd, D_OK, "");
    close(fd);
    assert_string_equal(ended, how);
    free(ended);
    assert_false(restart_intended("web"));
    assert_false(console_by_name("web")->restarting || console_by_name("web")->restarter);
    turn();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child */
    assert_null(fake_is_clean(f));
}

/* Somebody destroys what is between two lives: before the next is begun, while it is made, and by
 * the number of the life that has just ended. */
static void next_life_is_given_up(void **state)
{
    const uint8_t uuid[16] = {'w'}; /* of each life */
    uint32_t domid;
    int fd;

    (void)state;
    fake_pvctl("exec sleep 60");
    for (unsigned int i = 0; i < 3; i++) {
        clock_ms += RESTART_MIN_MS;
        serve("web", "restart", &domid);
        clock_ms += RESTART_MIN_MS;
        fake_shutdown(f, domid, SHUTDOWN_poweroff);
        policy_check(&f->host);
        assert_true(restart_intended("web"));
        if (i > 0)
            turn();
        assert_int_equal(console_by_name("web")->restarter != 0, i > 0);
        fd = i < 2 ? ask(D_STOP, "web") : ask(D_REAP, destroys(domid, uuid, "web"));
        if (i > 0)
            hear_of_the_maker(0);
        turn();
        is_given_up(fd, i < 2 ? "powered off; not created again: destroyed" : "destroyed");
    }
    fd = ask(D_STOP, "nobody");
    next_is(fd, D_OK, "");
    close(fd);
}

/* One that ends and is started again all the time can be destroyed between two lives. */
static void what_is_started_again_is_destroyed(void **state)
{
    uint32_t domid;

    (void)state;
    fake_pvctl("exec sleep 60");
    serve("web", "restart", &domid);
    clock_ms += RESTART_MIN_MS;
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host);
    turn();
    assert_true(console_by_name("web")->restarter > 0);
    ends("destroy web", 0, "");
    ends("destroy web", 3,
         "pvctl: web: no such domain (the last of this name: powered off; not created again: "
         "destroyed)\n");
}

/* An xl that writes down what it is told, and ends so. */
static void fake_xl(int status)
{
    const char *path = state_path("tmp/xl");
    FILE *file = fopen(path, "w");

    fprintf(file, "#!/bin/sh\necho \"$@\" >>%s\necho words\nexit %d\n", state_path("xl.did"),
            status);
    fclose(file);
    assert_int_equal(chmod(state_path("tmp/xl"), 0700), 0);
}

static uint32_t others_domain(const char *made_by)
{
    const struct host_create made = {.max_vcpus = 1, .uuid = {9}};
    uint32_t domid;
    char path[64];

    assert_int_equal(f->host.ops->domain_create(&f->host, &made, &domid), 0);
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "shop"), 0);
    snprintf(path, sizeof(path), "/%s/%u/type", made_by, domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "pv"), 0);
    return domid;
}

/* What xl and virsh made, xl takes away; where it does not, it goes all the same. */
static void what_libxl_made_is_destroyed_by_it(void **state)
{
    char path[256], *did = NULL, wants[64];
    uint32_t domid = others_domain("somebody");

    (void)state;
    snprintf(path, sizeof(path), "%s:/usr/bin:/bin", state_path("tmp"));
    setenv("PATH", path, 1);
    fake_xl(0);
    ends("destroy shop", 0, "");
    assert_null(fake_domain(f, domid));
    assert_int_equal(access(state_path("xl.did"), F_OK), -1);
    domid = others_domain("libxl");
    ends("destroy shop", 0, "");
    assert_int_equal(state_read_file(state_path("xl.did"), &did), 0);
    snprintf(wants, sizeof(wants), "destroy %u\n", domid);
    assert_string_equal(did, wants);
    free(did);
    fake_xl(1);
    ends("destroy shop", 0, "");
    assert_null(fake_domain(f, domid));
}

/* ^C while xl is at it: neither goes on behind the prompt. */
static void xl_is_interrupted(void **state)
{
    char path[256], *pid_text;
    uint32_t domid = others_domain("libxl");
    FILE *file, *out = tmpfile();
    pid_t pid;
    int is;

    (void)state;
    snprintf(path, sizeof(path), "%s:/usr/bin:/bin", state_path("tmp"));
    setenv("PATH", path, 1);
    file = fopen(state_path("tmp/xl"), "w");
    fprintf(file, "#!/bin/sh\necho $$ >%s\nkill -INT $PPID\nexec sleep 600\n",
            state_path("xl.pid"));
    fclose(file);
    assert_int_equal(chmod(state_path("tmp/xl"), 0700), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL); /* whatever started the tests may have it ignored */
        process_becomes("destroy shop", out);
    }
    assert_int_equal(waitpid(pid, &is, 0), pid);
    assert_true(WIFSIGNALED(is) && WTERMSIG(is) == SIGINT);
    rewind(out);
    process_said[fread(process_said, 1, sizeof(process_said) - 1, out)] = '\0';
    fclose(out);
    assert_string_equal(process_said, "pvctl: shop: interrupted by SIGINT\n");
    assert_non_null(fake_domain(f, domid));
    assert_int_equal(state_read_file(state_path("xl.pid"), &pid_text), 0);
    assert_true(kill(atoi(pid_text), 0) < 0 && errno == ESRCH);
    free(pid_text);
}

/* A kernel, and a configuration that has it; returns the path of that. */
static const char *configuration(void)
{
    const struct simple_kernel k = {.virt_base = 0xffffffff80000000,
                                    .paddr = 0x100000,
                                    .size = 0x3000,
                                    .hypercall_page = 0xffffffff80101000};
    static char path[128];
    size_t size;
    uint8_t *image = make_simple_kernel(&k, &size);
    FILE *file = fopen(state_path("kernel"), "w");

    assert_int_equal(fwrite(image, 1, size, file), size);
    fclose(file);
    free(image);
    snprintf(path, sizeof(path), "%s", state_path("web.xml"));
    file = fopen(path, "w");
    fprintf(file,
            "<domain type='xen'><name>web</name><memory>4096</memory><os><type>linux</type>"
            "<kernel>%s</kernel></os></domain>",
            state_path("kernel"));
    fclose(file);
    return path;
}

static _Atomic bool over;
static int status;

static void *creates(void *path)
{
    char *argv[] = {(char *)(uintptr_t) "pvctl",
                    (char *)(uintptr_t) "create",
                    (char *)(uintptr_t) "--console",
                    (char *)(uintptr_t) "--paused",
                    path,
                    NULL};

    status = pvctl_main(5, argv);
    over = true;
    return NULL;
}

/* Who watches the console of a domain that is paused from the start is told why nothing comes. */
static void a_paused_console_is_told(void **state)
{
    const char *path = configuration();
    int in = dup(STDIN_FILENO), err = dup(STDERR_FILENO), nothing = open("/dev/null", O_RDONLY);
    FILE *out = tmpfile();
    struct state_entry made;
    pthread_t thread;

    (void)state;
    dup2(nothing, STDIN_FILENO);
    dup2(fileno(out), STDERR_FILENO);
    over = false;
    assert_int_equal(pthread_create(&thread, NULL, creates, (void *)(uintptr_t)path), 0);
    /* Until it is whole: both write files, and the process has one name for what it writes. */
    while (!over && (state_get("web", &made) || made.maker))
        turn();
    if (!over)
        policy_release(&f->host, console_by_name("web")->domid, "destroyed");
    while (!over)
        turn();
    pthread_join(thread, NULL);
    dup2(in, STDIN_FILENO);
    dup2(err, STDERR_FILENO);
    close(in);
    close(err);
    close(nothing);
    rewind(out);
    process_said[fread(process_said, 1, sizeof(process_said) - 1, out)] = '\0';
    fclose(out);
    assert_string_equal(process_said, "[web: paused: `pvctl unpause` elsewhere lets it go on]\n"
                                      "\n[web: destroyed]\n");
    assert_int_equal(status, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_paused_one_is_told),      T(who_takes_it_and_goes_on_is_asked_again),
        T(an_hvm_guest_has_a_button), T(others_are_asked_by_the_store),
        T(none_can_be_saved),         T(one_of_parvis_cfg_is_told),
        T(one_of_ours_is_told),       T(a_paused_console_is_told),
        T(next_life_is_given_up),     T(what_is_started_again_is_destroyed),
        T(xl_is_interrupted),         T(what_libxl_made_is_destroyed_by_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
