/* SPDX-License-Identifier: MIT */
/*
 * pvctl destroy: ends a domain without asking it, and frees all that it has.
 *
 * One that ends and starts again all the time is hardly ever there to be found: between two lives
 * there is none, or parvisd is making one. So that is given up first.
 *
 * What libxl made (xl, virsh) it takes away itself: it ran scripts for the devices, and knows which
 * undo them. Where it is not there, or does not do it, the domain goes all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pvctl.h"

static bool is_libxls(struct host *h, uint32_t domid)
{
    char path[32], **names;
    unsigned int n;

    snprintf(path, sizeof(path), "/libxl/%u", domid);
    if (h->ops->store_list(h, 0, path, &names, &n))
        return false;
    free(names);
    return true;
}

/* `xl destroy`, without its words: what it did not do is done, or told, by us. */
static bool destroyed_by_xl(uint32_t domid)
{
    char id[16];
    int status = 0, null;
    pid_t pid;

    snprintf(id, sizeof(id), "%u", domid);
    pid = fork();
    if (pid == 0) {
        null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execlp("xl", "xl", "destroy", id, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
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
    if (!l.ours && is_libxls(c->h, l.d.domid) && destroyed_by_xl(l.d.domid))
        return EXIT_OK;
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
