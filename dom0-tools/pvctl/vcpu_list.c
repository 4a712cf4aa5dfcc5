/* SPDX-License-Identifier: MIT */
/*
 * pvctl vcpu-list: where each vCPU is, what it does, and where it may run. One that has not run yet
 * has no CPU. What the hypervisor tells of a vCPU is that it runs, or waits for an event; whether
 * one that does neither waits for a CPU or rests for its domain's cap, it does not.
 */
#include <stdlib.h>

#include "cpuset.h"
#include "pvctl.h"

const char *vcpu_state_text(const struct host_domain *d, const struct host_vcpu *v)
{
    if (!v->online)
        return "offline";
    if (d->paused || d->shutdown || d->dying)
        return "paused";
    return v->running ? "running" : v->blocked ? "blocked" : "runnable";
}

bool vcpu_has_run(const struct host_vcpu *v)
{
    return v->running || v->cpu_time_ns;
}

void affinity_text(uint64_t cpus, unsigned int nr_cpus, bool all_by_name, char out[CPUSET_TEXT])
{
    uint64_t there = cpus & cpuset_first(nr_cpus);

    if (all_by_name && there == cpuset_first(nr_cpus))
        snprintf(out, CPUSET_TEXT, "all");
    else
        cpuset_format(there, out);
}

static void print_vcpu(const struct call *c, const struct live_domain *l, uint32_t vcpu,
                       const struct host_vcpu *v, const char *affinity)
{
    char cpu[16] = "-";

    if (vcpu_has_run(v))
        snprintf(cpu, sizeof(cpu), "%u", v->cpu);
    if (!(c->options & OPT_JSON)) {
        printf("%-24s %5u %5u %4s  %-9s %10.1f  %s\n", l->name, l->d.domid, vcpu, cpu,
               vcpu_state_text(&l->d, v), (double)v->cpu_time_ns / 1e9, affinity);
        return;
    }
    json_open('{');
    json_string("name", l->name);
    json_number("id", l->d.domid);
    json_number("vcpu", vcpu);
    if (vcpu_has_run(v))
        json_number("cpu", v->cpu);
    json_string("state", vcpu_state_text(&l->d, v));
    json_number("cpu_time_ns", v->cpu_time_ns);
    json_string("affinity", affinity);
    json_close('}');
}

static void print_domain(const struct call *c, const struct live_domain *l, unsigned int nr_cpus)
{
    struct host_vcpu v;
    char affinity[CPUSET_TEXT];
    uint64_t cpus;

    /* A vCPU that does not answer is one of a domain that goes at this moment. */
    for (uint32_t i = 0; i <= l->d.max_vcpu_id && i < CONFIG_MAX_VCPUS; i++) {
        if (c->h->ops->vcpu_info(c->h, l->d.domid, i, &v) ||
            c->h->ops->vcpu_get_affinity(c->h, l->d.domid, i, &cpus))
            continue;
        affinity_text(cpus, nr_cpus, !(c->options & OPT_JSON), affinity);
        print_vcpu(c, l, i, &v, affinity);
    }
}

static int run(const struct call *c)
{
    bool json = c->options & OPT_JSON;
    struct host_physinfo p;
    struct live_domain *l;
    struct error e = {0};
    size_t n;
    int rc = chosen_domains(c, &l, &n), failed;

    if (rc && !n)
        return rc;
    failed = c->h->ops->physinfo(c->h, &p);
    if (failed) {
        free(l);
        error_errno(&e, failed, "asking how many CPUs there are");
        return fail(&e);
    }
    if (json)
        json_open('[');
    else
        printf("%-24s %5s %5s %4s  %-9s %10s  %s\n", "Name", "ID", "vCPU", "CPU", "State",
               "Time(s)", "May run on");
    for (size_t i = 0; i < n; i++)
        print_domain(c, &l[i], p.nr_cpus);
    if (json)
        json_close(']');
    free(l);
    return rc;
}

const struct verb verb_vcpu_list = {
    .name = "vcpu-list",
    .arg = "[NAME...]",
    .options = OPT_JSON,
    .run = run,
    .summary = "list the vCPUs: CPU, state, CPU time, and where each may run",
    .help = "States: running; runnable: it waits for a CPU, or rests for its domain's cap (`pvctl "
            "sched`);\n"
            "blocked: it waits for an event; paused: its domain is, or has ended; offline: its "
            "guest has\n"
            "turned it off, or has not started it. A vCPU that has not run yet has no CPU: -, and "
            "in JSON\n"
            "no member cpu.\n",
    .examples = "pvctl vcpu-list\n"
                "pvctl vcpu-list --json web\n",
};
