/* SPDX-License-Identifier: MIT */
/*
 * pvctl dmesg: the hypervisor's log, where refused hypercalls are explained. Guests write into
 * it too, so what would control a terminal is made visible.
 */
#include "plain.h"
#include "pvctl.h"

static int run(const struct call *c)
{
    static char buf[16384], text[sizeof(buf) * PLAIN_GROWS + 4];
    struct plain unfinished = {0};
    struct error e = {0};
    uint32_t index = 0, len, clear_len = 0;
    int rc;

    do {
        len = sizeof(buf);
        rc = c->h->ops->readconsole(c->h, buf, &len, &index, false);
        if (rc == 0)
            fwrite(text, 1, plain_text(&unfinished, buf, len, text), stdout);
    } while (rc == 0 && len > 0);
    if (rc == 0 && (c->options & OPT_CLEAR))
        rc = c->h->ops->readconsole(c->h, buf, &clear_len, &index, true);
    if (rc) {
        error_errno(&e, rc, "reading the hypervisor's log");
        return fail(&e);
    }
    return EXIT_OK;
}

const struct verb verb_dmesg = {
    .name = "dmesg",
    .options = OPT_CLEAR,
    .run = run,
    .summary = "print the hypervisor's log",
    .examples = "pvctl dmesg\n"
                "pvctl dmesg --clear >before.log\n",
};
