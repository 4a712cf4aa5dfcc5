/* SPDX-License-Identifier: MIT */
/*
 * What a console said: see history.h.
 */
#include "history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int history_init(struct history *h)
{
    h->head = malloc(HISTORY_HEAD);
    h->tail = malloc(HISTORY_TAIL);
    h->total = 0;
    h->cleared = 0;
    if (!h->head || !h->tail) {
        history_free(h);
        return -ENOMEM;
    }
    return 0;
}

void history_free(struct history *h)
{
    free(h->head);
    free(h->tail);
    h->head = h->tail = NULL;
}

void history_clear(struct history *h)
{
    h->total = 0;
    h->cleared++;
}

void history_add(struct history *h, const char *data, size_t len)
{
    while (len > 0) {
        size_t at, n;
        char *to;

        if (h->total < HISTORY_HEAD) {
            at = (size_t)h->total;
            n = HISTORY_HEAD - at;
            to = h->head + at;
        } else {
            at = (size_t)(h->total % HISTORY_TAIL);
            n = HISTORY_TAIL - at;
            to = h->tail + at;
        }
        n = n < len ? n : len;
        memcpy(to, data, n);
        data += n;
        len -= n;
        h->total += n;
    }
}

/* First position of the stream that the tail still has. */
static uint64_t tail_start(const struct history *h)
{
    if (h->total <= (uint64_t)HISTORY_HEAD + HISTORY_TAIL)
        return HISTORY_HEAD;
    return h->total - HISTORY_TAIL;
}

size_t history_read(const struct history *h, uint64_t *pos, char *buf, size_t size)
{
    const char *from;
    size_t n;

    if (*pos >= h->total)
        return 0;
    if (*pos < HISTORY_HEAD) {
        uint64_t end = h->total < HISTORY_HEAD ? h->total : HISTORY_HEAD;

        from = h->head + *pos;
        n = (size_t)(end - *pos);
    } else if (*pos < tail_start(h)) {
        uint64_t lost = tail_start(h) - *pos;

        *pos = tail_start(h);
        return (size_t)snprintf(
            buf, size, "\r\n[parvisd: %" PRIu64 " bytes of console output are not kept]\r\n", lost);
    } else {
        size_t at = (size_t)(*pos % HISTORY_TAIL);

        from = h->tail + at;
        n = HISTORY_TAIL - at;
        n = n < h->total - *pos ? n : (size_t)(h->total - *pos);
    }
    n = n < size ? n : size;
    memcpy(buf, from, n);
    *pos += n;
    return n;
}

uint64_t history_behind(const struct history *h, uint64_t pos)
{
    return pos < h->total ? h->total - pos : 0;
}

void history_save(const struct history *h, FILE *f)
{
    char buf[4096];
    uint64_t pos = 0;
    size_t n;

    while ((n = history_read(h, &pos, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, n, f);
}
