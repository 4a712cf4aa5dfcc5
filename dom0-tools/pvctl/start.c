/* SPDX-License-Identifier: MIT */
/*
 * pvctl start: makes domains from their definitions. With --autostart, what the control domain does
 * when it starts: those that are marked, in order; one that cannot be started is told, and the next
 * is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "definition.h"
#include "pvctl.h"

/* A file that somebody put there by hand may have no uuid: it keeps the one that it gets now, so
 * that it is the same domain the next time. Where that cannot be written, it starts all the same.
 */
static void keep_identity(struct domain_config *cfg)
{
    struct error e = {0};
    bool whole = cfg->uuid_given;

    for (size_t i = 0; i < cfg->nr_nics; i++)
        whole = whole && cfg->nics[i].mac_given;
    if (!whole && definition_write(cfg, &e))
        fprintf(stderr, "pvctl: note: %s: what makes it the same domain next time is not kept\n",
                e.text);
}

static int start_one(const struct call *c, const char *name)
{
    struct definition d;
    struct error e = {0};
    int rc;

    definitions_come();
    if (definition_read(name, &d, &e)) {
        rc = fail(&e);
        return rc == EXIT_NO_DOMAIN ? rc : EXIT_CONFIG;
    }
    keep_identity(&d.cfg);
    rc = create_domain(c, &d.cfg);
    domain_config_free(&d.cfg);
    return rc;
}

static int by_order(const void *a, const void *b)
{
    const struct definition *x = a, *y = b;

    return x->order != y->order ? (x->order < y->order ? -1 : 1) : strcmp(x->cfg.name, y->cfg.name);
}

/* One that runs already, whoever has made it, is left alone. */
static int start_marked(const struct call *c, const struct definition *d)
{
    struct live_domain l;
    struct error none = {0};

    if (lifecycle_find(c->h, d->cfg.name, &l, &none))
        return start_one(c, d->cfg.name);
    printf("%s: domain %u, runs already\n", l.name, l.d.domid);
    return EXIT_OK;
}

static int start_all_marked(const struct call *c)
{
    struct definition *list;
    size_t n, started = 0, failed = 0;
    int rc = defined_domains(&list, &n);

    if (n)
        qsort(list, n, sizeof(*list), by_order);
    for (size_t i = 0; i < n; i++) {
        int one;

        if (list[i].order == AUTOSTART_NONE)
            continue;
        one = start_marked(c, &list[i]);
        fflush(stdout);
        if (one)
            fprintf(stderr, "pvctl: %s: not started\n", list[i].cfg.name);
        *(one ? &failed : &started) += 1;
        rc = worse(rc, one);
    }
    definition_list_free(list, n);
    if (failed)
        fprintf(stderr, "pvctl: %zu started, %zu not\n", started, failed);
    return rc;
}

static int start_named(const struct call *c)
{
    bool list = (c->options & OPT_JSON) && c->nr_args > 1;
    int rc = EXIT_OK;

    if (list)
        json_open('[');
    for (size_t i = 0; i < c->nr_args; i++)
        rc = worse(rc, start_one(c, c->args[i]));
    if (list)
        json_close(']');
    return rc;
}

static int run(const struct call *c)
{
    bool marked = c->options & OPT_AUTOSTART;

    if (marked == (c->arg != NULL))
        return usage_error(&verb_start, "either a name or --autostart", "");
    if (marked && (c->options & (OPT_CONSOLE | OPT_PAUSED | OPT_JSON)))
        return usage_error(&verb_start, "--autostart goes alone", "");
    return marked ? start_all_marked(c) : start_named(c);
}

const struct verb verb_start = {
    .name = "start",
    .arg = "[NAME...]",
    .options = OPT_CONSOLE | OPT_PAUSED | OPT_AUTOSTART | OPT_JSON,
    .run = run,
    .summary = "create a domain from what define has kept",
    .help = "All else is as with create. With --autostart, those that `pvctl autostart` has marked "
            "and that\n"
            "do not run; the control domain does so when it starts.\n",
    .examples = "pvctl start web\n"
                "pvctl start --console web\n"
                "pvctl start --autostart\n",
};
