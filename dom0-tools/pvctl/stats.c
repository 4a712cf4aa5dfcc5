/* SPDX-License-Identifier: MIT */
/*
 * pvctl stats: the event counters of domains, since their vCPUs were made; or, with --interval,
 * what they went up by, a second.
 *
 * The counters of a vCPU are read while it goes on, and those of one vCPU after those of another.
 */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "config.h"

static void forget(struct samples *s)
{
    free(s->domains);
    free(s->vcpus);
    *s = (struct samples){0};
}

static uint32_t vcpus_of(const struct host_domain *d)
{
    return d->max_vcpu_id < CONFIG_MAX_VCPUS ? d->max_vcpu_id + 1 : CONFIG_MAX_VCPUS;
}

/* A vCPU that does not answer is one of a domain that goes at this moment, or has not come. */
static int take_domain(const struct call *c, size_t i, struct samples *s)
{
    const struct host_domain *d = &s->domains[i].d;

    for (uint32_t vcpu = 0; vcpu < vcpus_of(d); vcpu++) {
        struct vcpu_sample *v = &s->vcpus[s->nr_vcpus];
        struct host_vcpu info;
        int rc = c->h->ops->vcpu_info(c->h, d->domid, vcpu, &info);

        if (rc == 0)
            rc = c->h->ops->vcpu_counters(c->h, d->domid, vcpu, v->counter);
        if (rc == -ESRCH)
            continue;
        if (rc)
            return rc;
        v->domain = i;
        v->vcpu = vcpu;
        v->cpu_time_ns = info.cpu_time_ns;
        s->nr_vcpus++;
    }
    return 0;
}

/* 0, or an exit status, after it has been told. */
static int take(const struct call *c, struct samples *s)
{
    struct error e = {0};
    size_t most = 0;
    int rc;

    *s = (struct samples){0};
    rc = chosen_domains(c, &s->domains, &s->nr_domains);
    if (rc) {
        free(s->domains);
        return rc;
    }
    for (size_t i = 0; i < s->nr_domains; i++)
        most += vcpus_of(&s->domains[i].d);
    s->vcpus = calloc(most ? most : 1, sizeof(*s->vcpus));
    rc = s->vcpus ? 0 : -ENOMEM;
    s->at_ns = now_ns();
    for (size_t i = 0; i < s->nr_domains && rc == 0; i++)
        rc = take_domain(c, i, s);
    if (rc == 0)
        return 0;
    forget(s);
    if (rc == -EOPNOTSUPP)
        error_set(&e, rc, "this hypervisor has no event counters");
    else if (rc == -EPROTO)
        error_set(&e, rc, "this hypervisor has other event counters: it is of another version");
    else
        error_errno(&e, rc, "reading the event counters");
    return fail(&e);
}

static void wait_until(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / UINT64_C(1000000000)),
                         .tv_nsec = (long)(ns % UINT64_C(1000000000))};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

/* Until a signal ends the process, nobody reads what it prints, or the domain that is named has
 * gone. */
static int repeat(const struct call *c)
{
    struct samples before, now;
    uint64_t next = now_ns();
    int rc = take(c, &before);

    while (rc == 0) {
        next += c->number[AT_INTERVAL] * UINT64_C(1000000000);
        wait_until(next);
        rc = take(c, &now);
        if (rc)
            break;
        stats_print(c, &now, &before);
        forget(&before);
        before = now;
        if (fflush(stdout) != 0)
            rc = EXIT_REFUSED;
    }
    forget(&before);
    return rc;
}

static int run(const struct call *c)
{
    struct samples s;
    int rc;

    if ((c->options & OPT_PROMETHEUS) && (c->options & (OPT_INTERVAL | OPT_EVENTS | OPT_JSON)))
        return usage_error(&verb_stats, "--prometheus has all events, once, and is no JSON", "");
    if (c->options & OPT_INTERVAL)
        return repeat(c);
    rc = take(c, &s);
    if (rc)
        return rc;
    if (c->options & OPT_PROMETHEUS)
        rc = stats_print_prometheus(c, &s);
    else
        stats_print(c, &s, NULL);
    forget(&s);
    return rc;
}

const struct verb verb_stats = {
    .name = "stats",
    .arg = "[NAME...]",
    .options = OPT_EVENTS | OPT_INTERVAL | OPT_PROMETHEUS | OPT_JSON,
    .run = run,
    .summary = "show what the hypervisor counted: system calls, hypercalls, exits, ...",
    .help = "Of all vCPUs of the domain, or of each domain, since they were made. With --events "
            "each event\n"
            "that there was, by its name, in JSON for each vCPU; include/parvis/counters.h of "
            "Parvis's\n"
            "sources says what each one is. With --interval, until it is stopped: CPU time in "
            "percent of one\n"
            "CPU, and events a second. Grants are those mapped and copied. --prometheus is for\n"
            "node_exporter's textfile collector.\n",
    .examples = "pvctl stats web\n"
                "pvctl stats --interval 5\n"
                "pvctl stats --events --json web\n"
                "pvctl stats --prometheus >parvis.new && mv parvis.new parvis.prom\n",
};
