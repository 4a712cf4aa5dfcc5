/* SPDX-License-Identifier: MIT */
/*
 * pvctl stats, what it prints: a table of what tells most, or all events of each domain; as JSON,
 * the events of each vCPU.
 */
#include <string.h>

#include <xen/xen.h>

#include <xen/arch-x86/xen-mca.h>

#include "stats.h"

/* Hypercalls without a name have their number. */
static const char *const names[NR_COUNTERS] = {
#define X(name, ...) [COUNTER_##name] = #name,
    COUNTERS_OF_ALL(X) COUNTERS_OF_PV(X) COUNTERS_OF_HVM(X) COUNTERS_OF_EXITS(X)
#undef X
#define X(name) [COUNTER_hypercall + __HYPERVISOR_##name] = "hypercall_" #name,
        COUNTERS_OF_HYPERCALLS(X)
#undef X
};

/* Of a vCPU, or of all of a domain; within so many seconds (0: since they were made). */
struct shown {
    double seconds;
    uint64_t cpu_time_ns;
    uint64_t events[NR_COUNTERS];
};

/* Even of what has no vCPU. */
static struct shown nothing_yet(const struct samples *now, const struct samples *before)
{
    return (struct shown){.seconds = before ? (double)(now->at_ns - before->at_ns) / 1e9 : 0};
}

/* That of a vCPU of the domain; NULL: it was not there. */
static const struct vcpu_sample *find(const struct samples *s, const struct host_domain *d,
                                      uint32_t vcpu)
{
    for (size_t i = 0; i < s->nr_vcpus; i++) {
        const struct host_domain *other = &s->domains[s->vcpus[i].domain].d;

        if (s->vcpus[i].vcpu == vcpu && other->domid == d->domid &&
            memcmp(other->uuid, d->uuid, sizeof(d->uuid)) == 0)
            return &s->vcpus[i];
    }
    return NULL;
}

static void add(struct shown *to, const struct vcpu_sample *v, const struct samples *now,
                const struct samples *before)
{
    static const struct vcpu_sample new;
    const struct vcpu_sample *old = NULL;

    if (before)
        old = find(before, &now->domains[v->domain].d, v->vcpu);
    old = old ? old : &new;
    to->cpu_time_ns += v->cpu_time_ns - old->cpu_time_ns;
    for (unsigned int i = 0; i < NR_COUNTERS; i++)
        to->events[i] += v->counter[i] - old->counter[i];
}

static struct shown of_domain(size_t i, const struct samples *now, const struct samples *before)
{
    struct shown s = nothing_yet(now, before);

    for (size_t k = 0; k < now->nr_vcpus; k++)
        if (now->vcpus[k].domain == i)
            add(&s, &now->vcpus[k], now, before);
    return s;
}

static double cpu_percent(const struct shown *s)
{
    return (double)s->cpu_time_ns / s->seconds / 1e7;
}

bool stats_has_name(unsigned int counter)
{
    return names[counter] != NULL;
}

const char *stats_event_name(unsigned int counter)
{
    static char number[32];

    if (names[counter])
        return names[counter];
    snprintf(number, sizeof(number), "hypercall_%u", counter - COUNTER_hypercall);
    return number;
}

/* Each is the sum of the counters from `first` to before `end`. */
static const struct column {
    const char *title, *key;
    unsigned int first, end;
} columns[] = {
    {"Syscalls", "syscalls", COUNTER_syscalls, COUNTER_syscalls + 1},
    {"Hypercalls", "hypercalls", COUNTER_hypercall, NR_COUNTERS},
    {"Upcalls", "upcalls", COUNTER_upcalls, COUNTER_upcalls + 1},
    {"Exits", "exits", COUNTER_exit_npt_fault, COUNTER_hypercall},
    {"Switches", "switches", COUNTER_switches, COUNTER_switches + 1},
    {"Grants", "grants", COUNTER_grants_mapped, COUNTER_grants_copied + 1},
};
#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static uint64_t sum(const struct shown *s, const struct column *c)
{
    uint64_t all = 0;

    for (unsigned int i = c->first; i < c->end; i++)
        all += s->events[i];
    return all;
}

static void json_amount(const char *key, uint64_t value, const struct shown *s)
{
    if (s->seconds > 0)
        json_decimal(key, (double)value / s->seconds);
    else
        json_number(key, value);
}

static void json_cpu(const struct shown *s)
{
    if (s->seconds > 0)
        json_decimal("cpu_percent", cpu_percent(s));
    else
        json_number("cpu_time_ns", s->cpu_time_ns);
}

static void json_events(const struct shown *s)
{
    json_key("events");
    json_open('{');
    for (unsigned int i = 0; i < NR_COUNTERS; i++)
        if (names[i] || s->events[i])
            json_amount(stats_event_name(i), s->events[i], s);
    json_close('}');
}

static void json_vcpus(size_t domain, const struct samples *now, const struct samples *before)
{
    json_key("vcpu");
    json_open('[');
    for (size_t k = 0; k < now->nr_vcpus; k++) {
        struct shown s = nothing_yet(now, before);

        if (now->vcpus[k].domain != domain)
            continue;
        add(&s, &now->vcpus[k], now, before);
        json_open('{');
        json_number("id", now->vcpus[k].vcpu);
        json_cpu(&s);
        json_events(&s);
        json_close('}');
    }
    json_close(']');
}

static void print_json(const struct call *c, const struct samples *now,
                       const struct samples *before)
{
    json_open('[');
    for (size_t i = 0; i < now->nr_domains; i++) {
        struct shown s = of_domain(i, now, before);

        json_open('{');
        json_string("name", now->domains[i].name);
        json_number("id", now->domains[i].d.domid);
        json_cpu(&s);
        if (c->options & OPT_EVENTS)
            json_vcpus(i, now, before);
        for (size_t k = 0; k < NR_COLUMNS && !(c->options & OPT_EVENTS); k++)
            json_amount(columns[k].key, sum(&s, &columns[k]), &s);
        json_close('}');
    }
    json_close(']');
}

static void print_amount(unsigned int width, uint64_t value, const struct shown *s)
{
    if (s->seconds > 0)
        printf(" %*.1f", (int)width, (double)value / s->seconds);
    else
        printf(" %*llu", (int)width, (unsigned long long)value);
}

static void print_cpu(const struct shown *s)
{
    if (s->seconds > 0)
        printf(" %9.1f", cpu_percent(s));
    else
        printf(" %9.1f", (double)s->cpu_time_ns / 1e9);
}

static void print_table(const struct samples *now, const struct samples *before)
{
    printf("%-24s %5s %9s", "Name", "ID", before ? "CPU(%)" : "Time(s)");
    for (size_t k = 0; k < NR_COLUMNS; k++)
        printf(" %11s", columns[k].title);
    putchar('\n');
    for (size_t i = 0; i < now->nr_domains; i++) {
        struct shown s = of_domain(i, now, before);

        printf("%-24s %5u", now->domains[i].name, now->domains[i].d.domid);
        print_cpu(&s);
        for (size_t k = 0; k < NR_COLUMNS; k++)
            print_amount(11, sum(&s, &columns[k]), &s);
        putchar('\n');
    }
}

/* Those that there were; of all vCPUs together. */
static void print_events(const struct samples *now, const struct samples *before)
{
    for (size_t i = 0; i < now->nr_domains; i++) {
        struct shown s = of_domain(i, now, before);

        printf("%s, number %u, %s", now->domains[i].name, now->domains[i].d.domid,
               before ? "CPU(%):" : "CPU time(s):");
        print_cpu(&s);
        putchar('\n');
        for (unsigned int k = 0; k < NR_COUNTERS; k++) {
            if (!s.events[k])
                continue;
            printf("  %-40s", stats_event_name(k));
            print_amount(14, s.events[k], &s);
            putchar('\n');
        }
    }
}

void stats_print(const struct call *c, const struct samples *now, const struct samples *before)
{
    if (c->options & OPT_JSON)
        print_json(c, now, before);
    else if (c->options & OPT_EVENTS)
        print_events(now, before);
    else
        print_table(now, before);
}
