/* SPDX-License-Identifier: MIT */
/*
 * What a console said: a stream of bytes of which the beginning and the end are kept.
 *
 * Early output tells how a domain was born, late output how it died; when something must
 * go, it is the middle. So the first HISTORY_HEAD bytes are kept for good and the last
 * HISTORY_TAIL in a ring. A reader holds a position in the stream; one that falls into the
 * gap gets a line that says how much is missing, and goes on behind it.
 *
 * A flood costs HISTORY_HEAD + HISTORY_TAIL bytes of memory and no more.
 */
#ifndef PARVIS_HISTORY_H
#define PARVIS_HISTORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

#define HISTORY_HEAD (64u << 10)
#define HISTORY_TAIL (192u << 10)

struct history {
    char *head;     /* HISTORY_HEAD bytes */
    char *tail;     /* HISTORY_TAIL bytes, ring: byte p of the stream is at p % HISTORY_TAIL */
    uint64_t total; /* bytes that ever came */
    unsigned int cleared; /* so often: a position is one of the stream since then */
};

int __must_check history_init(struct history *h);
void history_free(struct history *h);
void history_clear(struct history *h);
void history_add(struct history *h, const char *data, size_t len);
/* Copies what follows *pos, at most size (>= 128) bytes, and moves *pos. 0 = no more. */
size_t history_read(const struct history *h, uint64_t *pos, char *buf, size_t size);
/* Bytes that a reader at pos has still to get. */
uint64_t history_behind(const struct history *h, uint64_t pos);
void history_save(const struct history *h, FILE *f);

#endif
