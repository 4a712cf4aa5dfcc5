/* SPDX-License-Identifier: MIT */
/*
 * The domains that a command line names, and who may not be meant.
 */
#include <errno.h>
#include <stdlib.h>

#include "definition.h"
#include "pvctl.h"

/* Only for names of domains that others made; without an answer they have none. */
#define STORE_PATIENCE_MS 300u

int fail_to_find(const char *name, const struct error *e)
{
    struct error why = {0};
    int rc = e->code == -ESRCH ? definition_find(name, &why) : -ESRCH;

    if (rc)
        return fail(rc == -ESRCH ? e : &why);
    fprintf(stderr, "pvctl: %s: it does not run, it is defined: `pvctl start %s`\n", name, name);
    return EXIT_NO_DOMAIN;
}

int need_domain(const struct call *c, struct live_domain *l)
{
    struct error e = {0};

    return lifecycle_find(c->h, c->arg, l, &e) ? fail_to_find(c->arg, &e) : 0;
}

int defined_domains(struct definition **list, size_t *n)
{
    struct findings bad = {0};
    int rc = EXIT_OK;

    definitions_come();
    *list = NULL;
    *n = 0;
    if (definition_list(list, n, &bad))
        rc = EXIT_REFUSED;
    else if (bad.nr)
        rc = EXIT_CONFIG;
    for (size_t i = 0; i < bad.nr; i++)
        fprintf(stderr, "pvctl: %s\n", bad.list[i].text);
    findings_free(&bad);
    return rc;
}

int need_whole(const struct call *c, struct live_domain *l)
{
    int rc = need_domain(c, l);

    if (rc == 0 && l->maker) {
        fprintf(stderr, "pvctl: %s: it is being created by process %d\n", l->name, (int)l->maker);
        rc = EXIT_REFUSED;
    }
    return rc;
}

int need_guest(const struct call *c, const char *what, struct live_domain *l)
{
    int rc = need_whole(c, l);

    if (rc == 0 && l->d.domid == 0) {
        fprintf(stderr, "pvctl: %s: the control domain cannot %s itself\n", c->arg, what);
        rc = EXIT_REFUSED;
    }
    return rc;
}

int need_asked(const struct call *c, struct live_domain *l)
{
    int rc = need_whole(c, l);

    if (rc)
        return rc;
    if (l->d.kind == KIND_HVM)
        fprintf(stderr,
                "pvctl: %s: it is an hvm guest, which knows of no store: it cannot be asked\n",
                l->name);
    else if (l->d.shutdown || l->d.dying)
        fprintf(stderr, "pvctl: %s: it has ended (%s)\n", l->name, domain_state_text(&l->d));
    else
        return 0;
    return EXIT_REFUSED;
}

int chosen_domains(const struct call *c, struct live_domain **l, size_t *n)
{
    struct error e = {0};
    int rc = 0;

    c->h->store_patience_ms = STORE_PATIENCE_MS;
    *n = 0;
    *l = NULL;
    if (!c->arg)
        return lifecycle_list(c->h, l, n, &e) ? fail(&e) : 0;
    *l = calloc(c->nr_args, sizeof(**l));
    if (!*l) {
        error_errno(&e, -ENOMEM, "%s", c->arg);
        return fail(&e);
    }
    for (size_t i = 0; i < c->nr_args; i++) {
        struct call one = *c;
        int found;

        one.arg = c->args[i];
        found = need_domain(&one, *l + *n);
        rc = worse(rc, found);
        *n += found == 0;
    }
    if (*n == 0) {
        free(*l);
        *l = NULL;
    }
    return rc;
}
