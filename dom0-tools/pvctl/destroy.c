/* SPDX-License-Identifier: MIT */
/*
 * pvctl destroy: ends a domain without asking it, and frees all that it has.
 *
 * One that ends and starts again all the time is hardly ever there to be found: between two lives
 * there is none, or parvisd is making one. So that is given up first.
 *
 * What libxl made (xl, virsh) it takes away itself: it ran scripts for the devices, and knows which
 * undo them. Where it is not there, does not do it, or not in time, the domain goes all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interrupt.h"
#include "limit.h"
#include "pvctl.h"

#define XL_LIMIT_MS 30000u /* its scripts may hang, and it waits for drivers */

static void libxls(char path[32], uint32_t domid)
{
    snprintf(path, 32, "/libxl/%u", domid);
}

/* Its exit status; who is not done when the time is over, or we are told to stop, is killed, with
 * its children: it is not in the terminal's group, so that it goes as a whole. */
static int wait_for(pid_t pid)
{
    int status = -1;
    pid_t done;

    limit_set(XL_LIMIT_MS);
    do {
        done = waitpid(pid, &status, 0);
    } while (done < 0 && errno == EINTR && !limit_passed() && !interrupt_came());
    limit_clear();
    if (done == pid)
        return status;
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* `xl destroy`, without its words: what it did not do is done, or told, by us. */
static bool destroyed_by_xl(uint32_t domid)
{
    char id[16];
    int status, null;
    pid_t pid;

    snprintf(id, sizeof(id), "%u", domid);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execlp("xl", "xl", "destroy", id, (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        return false;
    setpgid(pid, pid); /* whoever of the two comes first */
    status = wait_for(pid);
    return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* 1: it has done it; 0: it has not, or not in time; or -EINTR: somebody wants us to stop. */
static int ask_xl(const struct live_domain *l, struct error *e)
{
    bool done;

    interrupt_catch();
    done = destroyed_by_xl(l->d.domid);
    return done ? 1 : interrupt_check(l->name, e);
}

/* What libxl made goes its way, as far as there is one. */
static int destroy_libxls(const struct call *c, const struct live_domain *l)
{
    struct error e = {0};
    char path[32];
    int rc = ask_xl(l, &e);

    if (rc < 0)
        fail(&e);
    interrupt_release(); /* which ends us */
    if (rc)
        return rc > 0 ? EXIT_OK : EXIT_REFUSED;
    if (lifecycle_reap(c->h, &l->d, l->name, "destroyed", &console_by_daemon, &e))
        return fail(&e);
    libxls(path, l->d.domid);
    c->h->ops->store_rm(c->h, 0, path);
    return EXIT_OK;
}

static int run(const struct call *c)
{
    struct live_domain l = {.name = ""};
    struct error none = {0}, e = {0};
    const char *name = lifecycle_find(c->h, c->arg, &l, &none) ? c->arg : l.name;
    bool restarts = lifecycle_restarts(name);
    int rc;

    if (restarts && lifecycle_give_up(name, &e))
        return fail(&e);
    none.code = 0;
    if (restarts && lifecycle_find(c->h, name, &l, &none) == -ESRCH)
        return EXIT_OK;
    rc = need_guest(c, "destroy", &l);
    if (rc)
        return rc;
    if (!l.ours && lifecycle_libxls(c->h, l.d.domid) > 0)
        return destroy_libxls(c, &l);
    return lifecycle_reap(c->h, &l.d, l.name, "destroyed", &console_by_daemon, &e) ? fail(&e)
                                                                                   : EXIT_OK;
}

const struct verb verb_destroy = {
    .name = "destroy",
    .arg = "NAME...",
    .options = OPT_ALL,
    .each = true,
    .run = run,
    .summary = "end a domain at once and free all that it has",
    .examples = "pvctl destroy web db\n"
                "pvctl destroy --all\n",
};
