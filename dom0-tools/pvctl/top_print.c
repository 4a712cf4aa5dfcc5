/* SPDX-License-Identifier: MIT */
/*
 * pvctl top, what it prints: xentop's columns, JSON, and the rows of a file for `pvctl plot`.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "config.h"
#include "plain.h"
#include "top.h"

/* ABI: xentop's six letters. */
static void put_state(const struct top_sample *s, const struct top_row *r, char *out, size_t size)
{
    const struct host_domain *d = &r->l.d;
    bool crashed = d->shutdown && d->shutdown_reason == SHUTDOWN_crash;

    (void)s;
    snprintf(out, size, "%c%c%c%c%c%c", d->dying ? 'd' : '-', d->shutdown ? 's' : '-',
             d->blocked ? 'b' : '-', crashed ? 'c' : '-', d->paused ? 'p' : '-',
             d->running ? 'r' : '-');
}

static void put_name(const struct top_sample *s, const struct top_row *r, char *out, size_t size)
{
    (void)s;
    snprintf(out, size, "%10.10s", r->l.name);
    plain_line(out); /* it may end in the midst of a character */
}

static void put_ssid(const struct top_sample *s, const struct top_row *r, char *out, size_t size)
{
    (void)s, (void)r;
    snprintf(out, size, "%4u", 0u); /* there are no labels */
}

static double percent_of_machine(const struct top_sample *s, uint64_t pages)
{
    return s->machine.total_pages ? 100.0 * (double)pages / (double)s->machine.total_pages : 0;
}

static void put_memory_percent(const struct top_sample *s, const struct top_row *r, char *out,
                               size_t size)
{
    snprintf(out, size, "%6.1f", percent_of_machine(s, r->l.d.nr_pages));
}

/* More than any machine has: the control domain may have what there is. */
static bool has_limit(const struct top_row *r)
{
    return r->l.d.max_pages < UINT32_MAX;
}

static void put_limit(const struct top_sample *s, const struct top_row *r, char *out, size_t size)
{
    (void)s;
    if (has_limit(r))
        snprintf(out, size, "%10" PRIu64, r->l.d.max_pages * 4);
    else
        snprintf(out, size, "%10s", "no limit");
}

static void put_limit_percent(const struct top_sample *s, const struct top_row *r, char *out,
                              size_t size)
{
    if (has_limit(r))
        snprintf(out, size, "%9.1f", percent_of_machine(s, r->l.d.max_pages));
    else
        snprintf(out, size, "%9s", "n/a");
}

/* A column of a number: its key, and how it is put. */
#define NUMBER(name, width, format, value)                                                         \
    static double key_##name(const struct top_row *r)                                              \
    {                                                                                              \
        return (double)(value);                                                                    \
    }                                                                                              \
    static void put_##name(const struct top_sample *s, const struct top_row *r, char *out,         \
                           size_t size)                                                            \
    {                                                                                              \
        (void)s;                                                                                   \
        snprintf(out, size, "%*" format, width, value);                                            \
    }
#define OF_DISKS(name, width, value)                                                               \
    static double key_##name(const struct top_row *r)                                              \
    {                                                                                              \
        return (double)(value);                                                                    \
    }                                                                                              \
    static void put_##name(const struct top_sample *s, const struct top_row *r, char *out,         \
                           size_t size)                                                            \
    {                                                                                              \
        (void)s;                                                                                   \
        if (r->disks_counted)                                                                      \
            snprintf(out, size, "%*" PRIu64, width, value);                                        \
        else                                                                                       \
            snprintf(out, size, "%*c", width, '-');                                                \
    }

NUMBER(cpu, 10, PRIu64, r->l.d.cpu_time_ns / 1000000000)
NUMBER(cpu_percent, 6, ".1f", r->cpu_percent)
NUMBER(memory, 10, PRIu64, r->l.d.nr_pages * 4)
NUMBER(vcpus, 5, PRIu32, r->l.d.online_vcpus)
NUMBER(nets, 4, "u", r->nets)
NUMBER(net_tx, 8, PRIu64, r->net_tx / 1024)
NUMBER(net_rx, 8, PRIu64, r->net_rx / 1024)
NUMBER(disks, 4, "u", r->disks)
OF_DISKS(waited, 8, r->waited)
OF_DISKS(reads, 8, r->reads)
OF_DISKS(writes, 8, r->writes)
OF_DISKS(read_sectors, 10, r->read_sectors)
OF_DISKS(written_sectors, 10, r->written_sectors)

static double key_limit(const struct top_row *r)
{
    return (double)r->l.d.max_pages;
}

static double key_state(const struct top_row *r)
{
    return r->l.d.running * 2 + r->l.d.blocked;
}

static double key_none(const struct top_row *r)
{
    return r->l.d.domid;
}

/* ABI: xentop's heads, their order and widths. */
/* clang-format off */
const struct top_column top_columns[] = {
    {"NAME",      10, put_name,            NULL,                true},
    {"STATE",      6, put_state,           key_state,           false},
    {"CPU(sec)",  10, put_cpu,             key_cpu,             false},
    {"CPU(%)",     6, put_cpu_percent,     key_cpu_percent,     false},
    {"MEM(k)",    10, put_memory,          key_memory,          false},
    {"MEM(%)",     6, put_memory_percent,  key_memory,          false},
    {"MAXMEM(k)", 10, put_limit,           key_limit,           false},
    {"MAXMEM(%)",  9, put_limit_percent,   key_limit,           false},
    {"VCPUS",      5, put_vcpus,           key_vcpus,           false},
    {"NETS",       4, put_nets,            key_nets,            false},
    {"NETTX(k)",   8, put_net_tx,          key_net_tx,          false},
    {"NETRX(k)",   8, put_net_rx,          key_net_rx,          false},
    {"VBDS",       4, put_disks,           key_disks,           false},
    {"VBD_OO",     8, put_waited,          key_waited,          false},
    {"VBD_RD",     8, put_reads,           key_reads,           false},
    {"VBD_WR",     8, put_writes,          key_writes,          false},
    {"VBD_RSECT", 10, put_read_sectors,    key_read_sectors,    false},
    {"VBD_WSECT", 10, put_written_sectors, key_written_sectors, false},
    {"SSID",       4, put_ssid,            key_none,            true},
    {NULL, 0, NULL, NULL, false},
};
/* clang-format on */

void top_head(char *out, size_t size)
{
    size_t n = 0;

    for (const struct top_column *c = top_columns; c->head && n < size; c++)
        n += (size_t)snprintf(out + n, size - n, "%s%*s", n ? " " : "", c->width, c->head);
}

void top_line(const struct top_sample *s, const struct top_row *r, char *out, size_t size)
{
    size_t n = 0;

    for (const struct top_column *c = top_columns; c->head && n < size; c++) {
        char text[32];

        c->put(s, r, text, sizeof(text));
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? " " : "", text);
    }
}

static void print_row_json(const struct top_row *r)
{
    const struct host_domain *d = &r->l.d;

    json_open('{');
    json_string("name", r->l.name);
    json_number("id", d->domid);
    json_string("state", domain_state_text(d));
    json_number("cpu_time_ns", d->cpu_time_ns);
    json_decimal("cpu_percent", r->cpu_percent);
    json_number("memory_kib", d->nr_pages * 4);
    if (has_limit(r))
        json_number("max_memory_kib", d->max_pages * 4);
    json_number("vcpus", d->online_vcpus);
    json_number("interfaces", r->nets);
    json_number("received_bytes", r->net_tx);
    json_number("sent_bytes", r->net_rx);
    json_number("disks", r->disks);
    if (r->disks_counted) {
        json_number("requests_waited", r->waited);
        json_number("reads", r->reads);
        json_number("writes", r->writes);
        json_number("read_bytes", r->read_sectors * 512);
        json_number("written_bytes", r->written_sectors * 512);
    }
    json_close('}');
}

static uint64_t wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void top_print_json(const struct top_sample *s)
{
    json_open('{');
    json_number("time_ms", wall_ms());
    json_number("cpus", s->machine.nr_cpus);
    json_number("memory_kib", s->machine.total_pages * 4);
    json_number("free_memory_kib", s->machine.free_pages * 4);
    json_key("domains");
    json_open('[');
    for (size_t i = 0; i < s->nr; i++)
        print_row_json(&s->row[i]);
    json_close(']');
    json_close('}');
}

int top_record_open(const char *path, FILE **out, struct error *e)
{
    FILE *file = fopen(path, "ae"); /* what is there stays there, whoever writes it meanwhile */
    struct stat st;

    if (!file)
        return error_set(e, -errno, "%s: %s", path, strerror(errno));
    if (fstat(fileno(file), &st) < 0 || (S_ISREG(st.st_mode) && st.st_size > 0)) {
        fclose(file);
        return error_set(e, -EEXIST, "%s: it has something in it already: name a new file", path);
    }
    fputs(TOP_RECORD_HEAD, file);
    *out = file;
    return 0;
}

/* A name that these tools give has nothing that CSV minds; another's may. */
static void put_csv(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++)
        fprintf(file, *text == '"' ? "\"%c" : "%c", *text);
    fputc('"', file);
}

int top_record(FILE *file, const char *path, const struct top_sample *s, struct error *e)
{
    uint64_t now = wall_ms();

    for (size_t i = 0; i < s->nr; i++) {
        const struct top_row *r = &s->row[i];
        const struct host_domain *d = &r->l.d;

        fprintf(file, "%" PRIu64 ".%03u,", now / 1000, (unsigned int)(now % 1000));
        put_csv(file, r->l.name);
        fprintf(file,
                ",%u,%s,%.3f,%.1f,%" PRIu64 ",%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
                d->domid, domain_state_text(d), (double)d->cpu_time_ns / 1e9, r->cpu_percent,
                d->nr_pages * 4, d->online_vcpus, r->net_tx, r->net_rx, r->read_sectors * 512,
                r->written_sectors * 512);
    }
    if (fflush(file) != 0 || ferror(file))
        return error_set(e, -errno, "%s: %s", path, strerror(errno));
    return 0;
}
