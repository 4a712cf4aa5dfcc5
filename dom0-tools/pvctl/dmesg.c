/* SPDX-License-Identifier: MIT */
/*
 * pvctl dmesg: the hypervisor's log, where refused hypercalls are explained. Guests write into
 * it too, so what would control a terminal is made visible.
 */
#include <time.h>

#include "plain.h"
#include "pvctl.h"

/* What there is from *index on. */
static int print_log(const struct call *c, struct plain *unfinished, uint32_t *index)
{
    static char buf[16384], text[sizeof(buf) * PLAIN_GROWS + 4];
    uint32_t len;
    int rc;

    do {
        len = sizeof(buf);
        rc = c->h->ops->readconsole(c->h, buf, &len, index, false);
        if (rc == 0)
            fwrite(text, 1, plain_text(unfinished, buf, len, text), stdout);
    } while (rc == 0 && len > 0);
    return rc;
}

static int run(const struct call *c)
{
    const struct timespec again = {.tv_nsec = 250000000};
    struct plain unfinished = {0};
    struct error e = {0};
    uint32_t index = 0, clear_len = 0;
    char none[1];
    int rc = print_log(c, &unfinished, &index);

    while (rc == 0 && (c->options & OPT_FOLLOW)) {
        if (fflush(stdout) != 0)
            return EXIT_REFUSED; /* nobody reads it any more */
        nanosleep(&again, NULL);
        rc = print_log(c, &unfinished, &index);
    }
    if (rc == 0 && (c->options & OPT_CLEAR))
        rc = c->h->ops->readconsole(c->h, none, &clear_len, &index, true);
    if (rc) {
        error_errno(&e, rc, "reading the hypervisor's log");
        return fail(&e);
    }
    return EXIT_OK;
}

const struct verb verb_dmesg = {
    .name = "dmesg",
    .options = OPT_FOLLOW | OPT_CLEAR,
    .run = run,
    .summary = "print the hypervisor's log",
    .examples = "pvctl dmesg\n"
                "pvctl dmesg --follow\n"
                "pvctl dmesg --clear >before.log\n",
};
