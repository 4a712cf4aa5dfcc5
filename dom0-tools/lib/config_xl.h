/* SPDX-License-Identifier: MIT */
/*
 * Configurations in the format of Xen's command xl.
 *
 * Xen's own library, libxlutil, reads them: what it takes for a string, a list or a disk is what xl
 * takes. It tells lines of faults, but neither which keys a file has nor where they are: a scan of
 * the text does (config_xl_scan.c). Each key is read, passed over or refused, as the table of keys
 * says (config_xl_keys.c); one that is in no table is a mistake, as xl itself would not say. The
 * result is the same struct domain_config as of domain XML, and the same checks follow.
 */
#ifndef PARVIS_TOOLS_CONFIG_XL_H
#define PARVIS_TOOLS_CONFIG_XL_H

#include <libxlutil.h>

#include "config.h"
#include "config_policy.h"

int __must_check config_xl_read(const char *text, size_t len, const struct config_how *how,
                                struct domain_config *out, struct findings *f);

/* A disk, or an interface, as xl's command line has it, becomes c's only one: the code of the first
 * error. The text is changed. */
int __must_check config_xl_disk(char *spec, struct domain_config *c, struct findings *f);
int __must_check config_xl_nic(char *spec, struct domain_config *c, struct findings *f);

/* ---- between its parts ---- */

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

/* Finds, as errors, what the library has said since the last time; line: what it says no line to.
 */
void xl_heard(struct xl *x, const char *what, long line);
/* A string without blanks around it, malloc'ed; NULL: there is none, or what it is has been told.
 */
char *xl_string(const struct xl *x, const char *key);
/* A list's item, as xl_string(). */
char *xl_item(const struct xl *x, const char *key, const XLU_ConfigList *list, int item);

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
