/* SPDX-License-Identifier: MIT */
/*
 * pvctl uptime: how long domains have been there. Who makes one writes into the store when it did,
 * as libxl does; the control domain's own kernel counts.
 */
#include <stdlib.h>
#include <time.h>

#include "config.h"
#include "pvctl.h"
#include "store.h"

/* Seconds, -1 = it is not known. */
static long long uptime_of(const struct call *c, const struct host_domain *d)
{
    char path[256], *vm, *text;
    double up = -1;

    if (d->domid == 0) {
        FILE *f = fopen("/proc/uptime", "re");

        if (f && fscanf(f, "%lf", &up) != 1)
            up = -1;
        if (f)
            fclose(f);
        return (long long)up;
    }
    if (store_domain_get(c->h, d->domid, "vm", &vm))
        return -1;
    snprintf(path, sizeof(path), "%s/start_time", vm);
    free(vm);
    if (c->h->ops->store_read(c->h, 0, path, &text))
        return -1;
    up = (double)time(NULL) - strtod(text, NULL);
    free(text);
    return up < 0 ? 0 : (long long)up; /* the clock may have been set back */
}

static void print(const struct call *c, const struct live_domain *l)
{
    long long up = uptime_of(c, &l->d);

    if (c->options & OPT_JSON) {
        json_open('{');
        json_string("name", l->name);
        json_number("id", l->d.domid);
        if (up >= 0)
            json_number("uptime_s", (unsigned long long)up);
        json_close('}');
    } else if (up < 0) {
        printf("%-24s %5u -\n", l->name, l->d.domid);
    } else {
        printf("%-24s %5u %lld day%s %02lld:%02lld:%02lld\n", l->name, l->d.domid, up / 86400,
               up / 86400 == 1 ? " " : "s", up / 3600 % 24, up / 60 % 60, up % 60);
    }
}

static int run(const struct call *c)
{
    struct live_domain *l;
    size_t n;
    int rc = chosen_domains(c, &l, &n);

    if (rc && !n)
        return rc;
    if (c->options & OPT_JSON)
        json_open('[');
    else
        printf("%-24s %5s %s\n", "Name", "ID", "Uptime");
    for (size_t i = 0; i < n; i++)
        print(c, &l[i]);
    if (c->options & OPT_JSON)
        json_close(']');
    free(l);
    return rc;
}

const struct verb verb_uptime = {
    .name = "uptime",
    .arg = "[NAME...]",
    .options = OPT_JSON,
    .run = run,
    .summary = "show how long domains have been there",
    .help = "Since the beginning of this life: a reboot begins another. Where who made the domain "
            "did not\n"
            "say when, it is -, and in JSON there is no member uptime_s.\n",
    .examples = "pvctl uptime\n"
                "pvctl uptime --json web\n",
};
