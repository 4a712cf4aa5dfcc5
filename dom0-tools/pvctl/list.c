/* SPDX-License-Identifier: MIT */
/*
 * pvctl list: one hypercall and one directory, however many domains there are.
 */
#include <stdlib.h>

#include "config.h"
#include "config_units.h"
#include "pvctl.h"

static void print_json(const struct live_domain *l, size_t n)
{
    json_open('[');
    for (size_t i = 0; i < n; i++) {
        const struct host_domain *d = &l[i].d;
        char uuid[37];

        uuid_format(d->uuid, uuid);
        json_open('{');
        json_string("name", l[i].name);
        json_number("id", d->domid);
        json_string("uuid", uuid);
        json_string("kind", kind_name(d->kind));
        json_number("memory_kib", d->nr_pages * 4);
        json_number("vcpus", d->online_vcpus);
        json_string("state", l[i].maker                 ? "creating"
                             : d->shutdown && !d->dying ? "shutdown"
                                                        : domain_state_text(d));
        if (d->shutdown)
            json_string("reason", shutdown_reason_word(d->shutdown_reason));
        json_number("cpu_time_ns", d->cpu_time_ns);
        json_close('}');
    }
    json_close(']');
}

/* Pages in the unit, with a digit behind the point where they are not exact in it. */
static void memory_text(uint64_t pages, uint64_t unit, char out[24])
{
    if (pages * 4096 % unit)
        snprintf(out, 24, "%.1f", (double)pages * 4096 / (double)unit);
    else
        snprintf(out, 24, "%llu", (unsigned long long)(pages * 4096 / unit));
}

static void print_table(const struct live_domain *l, size_t n, const char *unit)
{
    char memory[24];

    snprintf(memory, sizeof(memory), "Mem(%s)", unit_name(unit));
    printf("%-24s %5s %10s %5s  %-12s %10s  %s\n", "Name", "ID", memory, "vCPUs", "State",
           "Time(s)", "Kind");
    for (size_t i = 0; i < n; i++) {
        const struct host_domain *d = &l[i].d;

        memory_text(d->nr_pages, unit_bytes(unit), memory);
        printf("%-24s %5u %10s %5u  %-12s %10.1f  %s\n", l[i].name, d->domid, memory,
               d->online_vcpus, l[i].maker ? "creating" : domain_state_text(d),
               (double)d->cpu_time_ns / 1e9, kind_name(d->kind));
    }
}

static int run(const struct call *c)
{
    const char *unit = c->options & OPT_UNIT ? c->text[AT_UNIT] : "KiB";
    struct live_domain *l;
    size_t n;
    int rc;

    if (!unit_name(unit))
        return usage_error(&verb_list, "there is no such unit: ", unit);
    rc = chosen_domains(c, &l, &n);
    if (rc && !n)
        return rc;
    if (c->options & OPT_JSON)
        print_json(l, n);
    else
        print_table(l, n, unit);
    free(l);
    return rc;
}

const struct verb verb_list = {
    .name = "list",
    .arg = "[NAME...]",
    .options = OPT_UNIT | OPT_JSON,
    .run = run,
    .summary = "list domains: name, number, memory, vCPUs, state, CPU time, kind",
    .help =
        "vCPUs are those online. A domain is running when one of its vCPUs is; runnable: one wants "
        "to\n"
        "run, and waits for a CPU or rests for the domain's cap; blocked: all wait for events.\n",
    .examples = "pvctl list\n"
                "pvctl list web db\n"
                "pvctl list --unit MiB\n"
                "pvctl list --json\n",
};
