/* SPDX-License-Identifier: MIT */
/*
 * What is found in a configuration: errors, for which it is not accepted, and notes on what has no
 * effect. Readers go on behind an error where they can, so that whoever brings a file from
 * elsewhere hears of everything at once; each finding is one line with its place in the file.
 */
#ifndef PARVIS_TOOLS_FINDINGS_H
#define PARVIS_TOOLS_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"

struct finding {
    long line; /* 0: of the file as a whole */
    int code;  /* negative errno of an error; 0: a note */
    char *text;
};

struct findings {
    struct finding *list;
    size_t nr;
    int code;      /* of the first error, by its place once they are sorted; 0: there is none */
    bool too_many; /* some are not kept */
    bool unread;   /* what is in the file is not known: it, or memory for it, was not to be had */
};

/* The same text of the same line is kept once. */
void findings_error(struct findings *f, int code, long line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void findings_note(struct findings *f, long line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Forgets what was found in a line of the file. */
void findings_drop_line(struct findings *f, long line);
/* In the order of the file; a note that several lines have is one, with all of them. */
void findings_sort(struct findings *f);
/* "PREFIXfile:7: <vcpu>: ..." each, notes with "note: " before their text. */
void findings_print(const struct findings *f, const char *prefix, const char *file, FILE *out);
/* Records the first error, if there is any, and returns its code. */
int __must_check findings_first(const struct findings *f, const char *file, struct error *e);
void findings_free(struct findings *f);

#endif
