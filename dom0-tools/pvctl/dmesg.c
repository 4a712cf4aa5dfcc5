/* SPDX-License-Identifier: MIT */
/*
 * pvctl dmesg: the hypervisor's log, where refused hypercalls are explained.
 */
#include "pvctl.h"

int verb_dmesg(const struct call *c)
{
    char buf[16384];
    struct error e = {0};
    uint32_t index = 0, len, clear_len = 0;
    int rc;

    do {
        len = sizeof(buf);
        rc = c->h->ops->readconsole(c->h, buf, &len, &index, false);
        if (rc == 0) {
            fwrite(buf, 1, len, stdout);
        }
    } while (rc == 0 && len > 0);
    if (rc == 0 && (c->options & OPT_CLEAR)) {
        rc = c->h->ops->readconsole(c->h, buf, &clear_len, &index, true);
    }
    if (rc) {
        error_errno(&e, rc, "reading the hypervisor's log");
        return fail(&e);
    }
    return EXIT_OK;
}
