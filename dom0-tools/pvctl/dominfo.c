/* SPDX-License-Identifier: MIT */
/*
 * pvctl dominfo: one domain and its vCPUs.
 */
#include <errno.h>
#include <stdlib.h>

#include "config.h"
#include "definition.h"
#include "pvctl.h"
#include "state.h"

static void json_vcpus(const struct call *c, const struct host_domain *d)
{
    json_key("vcpu");
    json_open('[');
    for (uint32_t i = 0; i <= d->max_vcpu_id && i < CONFIG_MAX_VCPUS; i++) {
        struct host_vcpu v;

        if (c->h->ops->vcpu_info(c->h, d->domid, i, &v) == 0) {
            json_open('{');
            json_number("id", i);
            json_string("state", vcpu_state_text(d, &v));
            if (vcpu_has_run(&v))
                json_number("cpu", v.cpu);
            json_number("cpu_time_ns", v.cpu_time_ns);
            json_close('}');
        }
    }
    json_close(']');
}

static void print_json(const struct call *c, const struct live_domain *l)
{
    const struct host_domain *d = &l->d;
    char uuid[37];

    uuid_format(d->uuid, uuid);
    json_open('{');
    json_string("name", l->name);
    json_number("id", d->domid);
    json_string("uuid", uuid);
    json_string("kind", kind_name(d->kind));
    json_string("state", l->maker                   ? "creating"
                         : d->shutdown && !d->dying ? "shutdown"
                                                    : domain_state_text(d));
    if (d->shutdown) {
        char *how = state_read_ended(l->name);

        json_string("reason", shutdown_reason_word(d->shutdown_reason));
        json_string("ended", how ? how : shutdown_reason_text(d->shutdown_reason));
        free(how);
    }
    json_bool("paused", d->paused);
    json_number("memory_kib", d->nr_pages * 4);
    json_number("max_memory_kib", d->max_pages * 4);
    json_number("vcpus", d->online_vcpus);
    json_number("cpu_time_ns", d->cpu_time_ns);
    json_vcpus(c, d);
    json_close('}');
}

static void print_text(const struct call *c, const struct live_domain *l)
{
    const struct host_domain *d = &l->d;
    char uuid[37];

    uuid_format(d->uuid, uuid);
    printf("%-12s %s\n%-12s %u\n%-12s %s\n", "name", l->name, "id", d->domid, "uuid", uuid);
    printf("%-12s %s\n", "kind", kind_name(d->kind));
    printf("%-12s %s\n", "state", l->maker ? "creating" : domain_state_text(d));
    if (d->shutdown) {
        char *how = state_read_ended(l->name);

        printf("%-12s %s\n", "ended", how ? how : "just now");
        free(how);
    }
    printf("%-12s %llu KiB, at most %llu KiB\n", "memory", (unsigned long long)d->nr_pages * 4,
           (unsigned long long)d->max_pages * 4);
    printf("%-12s %.3f s\n", "CPU time", (double)d->cpu_time_ns / 1e9);
    for (uint32_t i = 0; i <= d->max_vcpu_id && i < CONFIG_MAX_VCPUS; i++) {
        struct host_vcpu v;
        char cpu[16] = "-";

        if (c->h->ops->vcpu_info(c->h, d->domid, i, &v))
            continue;
        if (vcpu_has_run(&v))
            snprintf(cpu, sizeof(cpu), "%u", v.cpu);
        printf("vCPU %-7u %s, CPU %s, %.3f s\n", i, vcpu_state_text(d, &v), cpu,
               (double)v.cpu_time_ns / 1e9);
    }
}

/* ---- one that does not run ---- */

static void json_defined(const struct domain_config *cfg, const char *uuid, bool autostart)
{
    json_open('{');
    json_string("name", cfg->name);
    if (cfg->uuid_given)
        json_string("uuid", uuid);
    json_string("kind", kind_name(cfg->kind));
    json_string("state", "off");
    json_number("memory_kib", cfg->current_kib);
    json_number("max_memory_kib", cfg->memory_kib);
    json_number("vcpus", cfg->vcpus);
    json_bool("autostart", autostart);
    json_close('}');
}

static int print_defined(const struct call *c)
{
    struct definition d;
    struct error e = {0};
    bool autostart;
    char uuid[37];

    if (definition_read(c->arg, &d, &e))
        return worse(fail(&e), e.code == -ESRCH ? EXIT_OK : EXIT_CONFIG);
    uuid_format(d.cfg.uuid, uuid);
    autostart = d.order != AUTOSTART_NONE;
    if (c->options & OPT_JSON) {
        json_defined(&d.cfg, uuid, autostart);
    } else {
        printf("%-12s %s\n%-12s %s\n", "name", d.cfg.name, "uuid", d.cfg.uuid_given ? uuid : "-");
        printf("%-12s %s\n%-12s off: `pvctl start %s`\n", "kind", kind_name(d.cfg.kind), "state",
               d.cfg.name);
        printf("%-12s %llu KiB, at most %llu KiB\n", "memory",
               (unsigned long long)d.cfg.current_kib, (unsigned long long)d.cfg.memory_kib);
        printf("%-12s %u\n%-12s %s\n", "vCPUs", d.cfg.vcpus, "autostart", autostart ? "yes" : "no");
    }
    domain_config_free(&d.cfg);
    return EXIT_OK;
}

static int run(const struct call *c)
{
    struct live_domain l;
    struct error e = {0}, none = {0};

    if (lifecycle_find(c->h, c->arg, &l, &e)) {
        if (e.code == -ESRCH)
            definitions_come();
        if (e.code != -ESRCH || definition_find(c->arg, &none) == -ESRCH)
            return fail(&e);
        return print_defined(c);
    }
    if (c->options & OPT_JSON)
        print_json(c, &l);
    else
        print_text(c, &l);
    return EXIT_OK;
}

const struct verb verb_dominfo = {
    .name = "dominfo",
    .arg = "NAME...",
    .each = true,
    .options = OPT_JSON,
    .run = run,
    .summary = "show a domain, by name or number",
    .help = "`pvctl help vcpu-list` explains the states of its vCPUs. One that has not run yet has "
            "no CPU:\n"
            "-, and in JSON no member cpu. Of one that is defined and does not run: what it is "
            "defined\n"
            "with.\n",
    .examples = "pvctl dominfo web\n"
                "pvctl dominfo --json web db\n",
};
