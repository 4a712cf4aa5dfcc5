/* SPDX-License-Identifier: MIT */
/*
 * One disk or one interface in xl's words, as on its command line: see config_xl.h.
 */
#include "config_xl.h"

#include <errno.h>
#include <stdlib.h>

#include "config_check.h"
#include "config_xl_internal.h"

/* Reads with Xen's library, which wants a stream for what it says. */
static int with_library(struct xl *x, int (*read)(struct xl *x, char *spec), char *spec)
{
    int rc = -ENOMEM;

    x->report = open_memstream(&x->said, &x->said_len);
    if (x->report && xl_begin(x) == 0) {
        rc = read(x, spec);
        xlu_cfg_destroy(x->cfg);
    }
    x->c->line.format = CONFIG_XL; /* in the words of what was read */
    if (rc == 0 && !x->f->code)
        config_check_devices(x->c, x->f);
    if (x->report)
        fclose(x->report);
    free(x->said);
    if (rc)
        findings_error(x->f, rc, 0, "%s", error_reason(rc));
    return x->f->code;
}

static int read_disk(struct xl *x, char *spec)
{
    x->c->disks = calloc(1, sizeof(*x->c->disks));
    return x->c->disks ? xl_fill_disk(x, spec, 0) : -ENOMEM;
}

static int read_nic(struct xl *x, char *spec)
{
    x->c->nics = calloc(1, sizeof(*x->c->nics));
    if (!x->c->nics)
        return -ENOMEM;
    x->c->nr_nics = 1;
    return xl_fill_nic(x, &x->c->nics[0], spec);
}

int config_xl_disk(char *spec, struct domain_config *c, struct findings *f)
{
    static const struct config_how how = {0};
    struct xl x = {.how = &how, .c = c, .f = f};

    return with_library(&x, read_disk, spec);
}

int config_xl_nic(char *spec, struct domain_config *c, struct findings *f)
{
    static const struct config_how how = {0};
    struct xl x = {.how = &how, .c = c, .f = f};

    return with_library(&x, read_nic, spec);
}
