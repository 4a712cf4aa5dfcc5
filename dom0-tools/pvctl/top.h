/* SPDX-License-Identifier: MIT */
/*
 * pvctl top: what the domains do, again and again: on the screen (top_screen.c), as lines that
 * xentop would print, as JSON, and into a file (top_print.c). What there is to see at a moment is a
 * sample (top_sample.c).
 */
#ifndef PVCTL_TOP_H
#define PVCTL_TOP_H

#include "pvctl.h"

struct top_row {
    struct live_domain l;
    double cpu_percent; /* of one CPU, since the sample before; 0 where there is none */
    unsigned int nets, disks;
    bool disks_counted; /* one of its back ends counts, or it has none */
    /* Of all its interfaces, as the control domain sees them; of all its disks. */
    uint64_t net_rx, net_tx, waited, reads, writes, read_sectors, written_sectors;
};

struct top_sample {
    struct top_row *row;
    size_t nr;
    uint64_t at_ns;
    struct host_physinfo machine;
};

/* By number. before: may be NULL. */
int __must_check top_take(struct host *h, const struct top_sample *before, struct top_sample *out,
                          struct error *e);
void top_forget(struct top_sample *s);

/* The columns are xentop's. */
struct top_column {
    const char *head;
    int width;
    void (*put)(const struct top_sample *s, const struct top_row *r, char *out, size_t size);
    double (*key)(const struct top_row *r); /* NULL: by name */
    bool rises;                             /* the least stands first */
};
extern const struct top_column top_columns[]; /* ends with head NULL */
enum { TOP_BY_NAME = 0, TOP_BY_CPU = 3 };     /* places in it */
void top_sort(struct top_sample *s, const struct top_column *by);

/* A line, without its end. */
void top_head(char *out, size_t size);
void top_line(const struct top_sample *s, const struct top_row *r, char *out, size_t size);
void top_print_json(const struct top_sample *s);

/* A file of what was seen, one row a domain and a moment. Its first line: `pvctl plot` reads it. */
#define TOP_RECORD_HEAD                                                                            \
    "time,name,id,state,cpu_seconds,cpu_percent,memory_kib,vcpus,received_bytes,sent_bytes,"       \
    "read_bytes,written_bytes\n"
int __must_check top_record_open(const char *path, FILE **out, struct error *e);
int __must_check top_record(FILE *file, const char *path, const struct top_sample *s,
                            struct error *e);

/* Seconds from one sample to the next. */
unsigned int top_delay(const struct call *c);

/* On a terminal, until somebody ends it. */
int __must_check top_screen(const struct call *c, FILE *record);

#endif
