/* SPDX-License-Identifier: MIT */
/*
 * pvctl shutdown: asks the domain, through the store, to power off; `reboot` is alike.
 *
 * The wait is registered with the daemon before the wish is written: an end that comes at
 * once is not missed.
 */
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "pvctl.h"
#include "store.h"

bool end_is_crash(const char *how)
{
    return strncmp(how, "crashed", 7) == 0 || strncmp(how, "killed by", 9) == 0;
}

static int wait_end(int fd, const char *name)
{
    char how[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int type;

    do {
        type = daemon_receive(fd, how, &len);
    } while (type > 0 && type != D_END);
    if (type != D_END) {
        fprintf(stderr, "pvctl: %s: parvisd ended before the domain did\n", name);
        return EXIT_NO_HOST;
    }
    printf("%s: %s\n", name, how);
    return end_is_crash(how) ? EXIT_CRASHED : EXIT_OK;
}

int request_end(const struct call *c, const char *wish)
{
    struct live_domain l;
    struct error e = {0};
    char id[16];
    int rc = need_guest(c, "shut down", &l), fd = -1;

    if (rc) {
        return rc;
    }
    if (l.d.shutdown || l.d.dying) {
        error_set(&e, 0, "%s: it has ended already (%s)", l.name, domain_state_text(&l.d));
        return fail(&e);
    }
    if (c->options & OPT_WAIT) {
        snprintf(id, sizeof(id), "%u", l.d.domid);
        fd = daemon_ask(D_WAIT, id, &e);
        if (fd < 0) {
            return fail(&e);
        }
    }
    if (store_request_shutdown(c->h, l.d.domid, wish, &e)) {
        rc = fail(&e);
    } else if (fd >= 0) {
        rc = wait_end(fd, l.name);
    }
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

int verb_shutdown(const struct call *c)
{
    return request_end(c, "poweroff");
}
