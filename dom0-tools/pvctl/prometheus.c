/* SPDX-License-Identifier: MIT */
/*
 * pvctl stats --prometheus: all that there is to count, in the text format that node_exporter's
 * textfile collector takes.
 *
 * Each family of metrics stands together, behind its HELP and TYPE. A series is told by the
 * domain's name and number: of two domains that have one name, while the former goes, none is lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "plain.h"
#include "stats.h"
#include "traffic.h"
#include "version.h"

struct exported {
    const struct samples *s;
    struct traffic t;
    struct host_physinfo machine;
    struct host_version version;
    uint64_t idle_ns[CPUSET_CPUS];
    unsigned int nr_idle;
};

static void family(const char *name, const char *type, const char *help)
{
    printf("# HELP parvis_%s %s\n# TYPE parvis_%s %s\n", name, help, name, type);
}

/* ABI: three characters are escaped; the format is UTF-8, and another's name may be anything. */
static void put_label(const char *name, const char *value)
{
    char text[PLAIN_GROWS * 128 + 5];
    struct plain p = {0};
    size_t len = strlen(value);

    text[plain_text(&p, value, len < 128 ? len : 128, text)] = '\0';
    printf("%s=\"", name);
    for (const char *at = text; *at; at++) {
        if (*at == '\\' || *at == '"')
            putchar('\\');
        if (*at == '\n')
            fputs("\\n", stdout);
        else
            putchar(*at);
    }
    putchar('"');
}

static void begin(const char *name, const struct live_domain *l)
{
    printf("parvis_%s{", name);
    put_label("domain", l->name);
    printf(",id=\"%u\"", l->d.domid);
}

static void label(const char *name, const char *value)
{
    putchar(',');
    put_label(name, value);
}

static void end(uint64_t value)
{
    printf("} %" PRIu64 "\n", value);
}

/* ---- the machine ---- */

static void put_machine(const struct exported *x)
{
    family("build_info", "gauge", "Version of Parvis's tools, and of the interface they use.");
    printf("parvis_build_info{version=\"" PARVIS_VERSION "\",interface=\"%u.%u\"} 1\n",
           x->version.major, x->version.minor);
    family("cpus", "gauge", "CPUs that the machine runs domains on.");
    printf("parvis_cpus %u\n", x->machine.nr_cpus);
    family("cpu_idle_seconds_total", "counter", "Time that the CPU had nothing to run.");
    for (unsigned int i = 0; i < x->nr_idle; i++)
        printf("parvis_cpu_idle_seconds_total{cpu=\"%u\"} %.9f\n", i, (double)x->idle_ns[i] / 1e9);
    family("memory_size_bytes", "gauge", "Memory of the machine.");
    printf("parvis_memory_size_bytes %" PRIu64 "\n", x->machine.total_pages * HOST_PAGE_SIZE);
    family("memory_free_bytes", "gauge", "Memory that no domain has.");
    printf("parvis_memory_free_bytes %" PRIu64 "\n", x->machine.free_pages * HOST_PAGE_SIZE);
}

/* ---- domains ---- */

static double cpu_seconds(const struct host_domain *d)
{
    return (double)d->cpu_time_ns / 1e9;
}

static double vcpus(const struct host_domain *d)
{
    return d->online_vcpus;
}

static double memory(const struct host_domain *d)
{
    return (double)d->nr_pages * HOST_PAGE_SIZE;
}

/* clang-format off */
/* What is one number of each domain. */
static const struct {
    const char *name, *type, *help;
    int digits;
    double (*value)(const struct host_domain *d);
} numbers[] = {
    {"domain_cpu_seconds_total", "counter", "CPU time that the domain has used.", 9, cpu_seconds},
    {"domain_vcpus", "gauge", "vCPUs that are online.", 0, vcpus},
    {"domain_memory_bytes", "gauge", "Memory that the domain has.", 0, memory},
};

static const char *const states[] = {"running", "runnable", "blocked", "paused", "shutdown", "crashed", "dying"};
/* clang-format on */

static const char *state_of(const struct host_domain *d)
{
    if (d->dying)
        return "dying";
    if (d->shutdown)
        return strcmp(shutdown_reason_word(d->shutdown_reason), "crash") == 0 ? "crashed"
                                                                              : "shutdown";
    return d->paused ? "paused" : d->running ? "running" : d->blocked ? "blocked" : "runnable";
}

static void put_domains(const struct samples *s)
{
    family("domain_info", "gauge", "A domain that there is.");
    for (size_t i = 0; i < s->nr_domains; i++) {
        char uuid[37];

        uuid_format(s->domains[i].d.uuid, uuid);
        begin("domain_info", &s->domains[i]);
        label("uuid", uuid);
        label("kind", kind_name(s->domains[i].d.kind));
        end(1);
    }
    family("domain_state", "gauge", "Whether the domain is in this state.");
    for (size_t i = 0; i < s->nr_domains; i++) {
        for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
            begin("domain_state", &s->domains[i]);
            label("state", states[k]);
            end(strcmp(states[k], state_of(&s->domains[i].d)) == 0);
        }
    }
    for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
        family(numbers[k].name, numbers[k].type, numbers[k].help);
        for (size_t i = 0; i < s->nr_domains; i++) {
            begin(numbers[k].name, &s->domains[i]);
            printf("} %.*f\n", numbers[k].digits, numbers[k].value(&s->domains[i].d));
        }
    }
}

static void put_events(const struct samples *s)
{
    family("domain_events_total", "counter",
           "Events that the hypervisor counted, of all vCPUs of the domain.");
    for (size_t i = 0; i < s->nr_domains; i++) {
        uint64_t sum[NR_COUNTERS] = {0};

        for (size_t k = 0; k < s->nr_vcpus; k++)
            for (unsigned int n = 0; n < NR_COUNTERS && s->vcpus[k].domain == i; n++)
                sum[n] += s->vcpus[k].counter[n];
        for (unsigned int n = 0; n < NR_COUNTERS; n++) {
            if (!stats_has_name(n) && !sum[n])
                continue;
            begin("domain_events_total", &s->domains[i]);
            label("event", stats_event_name(n));
            end(sum[n]);
        }
    }
}

/* ---- devices ---- */

/* clang-format off */
static const struct {
    bool disk;
    unsigned int count, times;
    const char *name, *help;
} counts[] = {
    /* As the guest sees it: the control domain sends what it receives. */
    {false, NET_TX_BYTES,   1, "domain_network_receive_bytes_total",    "Bytes that the domain received."},
    {false, NET_TX_PACKETS, 1, "domain_network_receive_packets_total",  "Packets that the domain received."},
    {false, NET_RX_BYTES,   1, "domain_network_transmit_bytes_total",   "Bytes that the domain sent."},
    {false, NET_RX_PACKETS, 1, "domain_network_transmit_packets_total", "Packets that the domain sent."},
    {true, DISK_READS,           1,   "domain_disk_reads_total",        "Requests to read that were done."},
    {true, DISK_READ_SECTORS,    512, "domain_disk_read_bytes_total",   "Bytes that the domain read."},
    {true, DISK_WRITES,          1,   "domain_disk_writes_total",       "Requests to write that were done."},
    {true, DISK_WRITTEN_SECTORS, 512, "domain_disk_written_bytes_total", "Bytes that the domain wrote."},
    {true, DISK_WAITED,          1,   "domain_disk_waits_total",        "Times that requests ran out."},
};
/* clang-format on */

static const struct live_domain *owner(const struct samples *s, const struct traffic_device *d)
{
    for (size_t i = 0; i < s->nr_domains; i++)
        if (s->domains[i].d.domid == d->domid)
            return &s->domains[i];
    return NULL;
}

static void put_devices(const struct exported *x)
{
    for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
        family(counts[k].name, "counter", counts[k].help);
        for (size_t i = 0; i < x->t.nr; i++) {
            const struct traffic_device *d = &x->t.device[i];
            const struct live_domain *l = owner(x->s, d);

            if (!l || d->disk != counts[k].disk || !d->counted)
                continue;
            begin(counts[k].name, l);
            label(d->disk ? "device" : "interface", d->name);
            end(d->count[counts[k].count] * counts[k].times);
        }
    }
}

int stats_print_prometheus(const struct call *c, const struct samples *s)
{
    struct exported x = {.s = s};
    struct error e = {0};
    int rc = c->h->ops->physinfo(c->h, &x.machine);

    rc = rc ? rc : c->h->ops->version(c->h, &x.version);
    rc = rc ? rc : c->h->ops->cpu_idle(c->h, x.idle_ns, CPUSET_CPUS, &x.nr_idle);
    rc = rc ? rc : traffic_read(&x.t);
    if (rc) {
        error_errno(&e, rc, "what the machine has counted");
        return fail(&e);
    }
    put_machine(&x);
    put_domains(s);
    put_events(s);
    put_devices(&x);
    traffic_free(&x.t);
    return EXIT_OK;
}
