/* SPDX-License-Identifier: MIT */
/*
 * Reading a file of xl, between its parts. From the bottom to the top: where things stand in the
 * text (config_xl_scan.c), what the library says and has read (config_xl_library.c), what becomes
 * of each key (config_xl_keys.c), the keys of one value (config_xl_fill.c), disks and interfaces
 * (config_xl_devices.c), and upon them a whole file (config_xl.c) or one device (config_xl_spec.c).
 */
#ifndef PARVIS_TOOLS_CONFIG_XL_INTERNAL_H
#define PARVIS_TOOLS_CONFIG_XL_INTERNAL_H

#include <libxlutil.h>

#include "config.h"
#include "config_policy.h"

/* A key, or an item of the list behind it, and its line. */
struct xl_place {
    char name[48];
    int item;  /* -1: the key */
    bool adds; /* += */
    int next;  /* of a key: the first item that its list has not yet */
    long line;
};

struct xl_places {
    struct xl_place *list;
    size_t nr;
};

/* All that a file may have of both: whoever looks for one looks at each. */
#define XL_MAX_PLACES 4096u

/* 0, -ENOMEM, or -E2BIG: there are more than XL_MAX_PLACES. What is no key, in a file that the
 * library refuses, is left out. */
int __must_check xl_scan(const char *text, struct xl_places *out);
/* Of the last that has this name; 0: there is none. */
long xl_line(const struct xl_places *p, const char *name, int item);

/* What is being read. */
struct xl {
    XLU_Config *cfg;
    FILE *report; /* what the library says: a stream into said */
    char *said;
    size_t said_len;
    struct xl_places places;
    const struct config_how *how;
    struct domain_config *c;
    struct findings *f;
};

/* The library begins anew: x->report is its stream. 0 or -ENOMEM. */
int __must_check xl_begin(struct xl *x);
/* In what xl_heard() finds: a list is not ended. */
#define XL_NOT_ENDED "a comma or a ] is missing before it"
/* Finds, as errors, what the library has said since the last time; line: what it says no line to.
 */
void xl_heard(struct xl *x, const char *what, long line);
/* A string without blanks around it, malloc'ed; NULL: there is none, or what it is has been told.
 */
char *xl_string(const struct xl *x, const char *key);
/* A list's item, as xl_string(). */
char *xl_item(const struct xl *x, const char *key, const XLU_ConfigList *list, int item);
/* Is this path, which did not come by these two, the same when it is kept as XML and read again? If
 * not, that has been told. */
bool xl_keeps(const struct xl *x, const char *key, const char *path, long line);

/* The keys that are read, with blanks between them. */
extern const char xl_read_keys[];

/* Others that are known: what becomes of them. */
struct xl_rule {
    const char *keys; /* the same; NULL ends the table */
    enum treatment treatment;
    const char *words; /* why; NULL of what is passed over silently */
};

extern const struct xl_rule xl_rules[];

/* Keys that are not read: told of, by the table. */
void xl_check_keys(const struct xl *x);
/* Tells that a key is missing, unless it is there misspelt: that is told. */
void xl_missing(const struct xl *x, const char *key);
/* Each -ENOMEM, or 0. */
int __must_check xl_fill(const struct xl *x);
int __must_check xl_fill_disks(struct xl *x);
int __must_check xl_fill_nics(struct xl *x);
int __must_check xl_fill_disk(struct xl *x, const char *spec, long line);
int __must_check xl_fill_nic(struct xl *x, struct nic_config *n, char *spec);

#endif
