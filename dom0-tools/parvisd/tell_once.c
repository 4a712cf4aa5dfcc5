/* SPDX-License-Identifier: MIT */
/*
 * What is told once: see tell_once.h.
 */
#include "tell_once.h"

#include <stdint.h>
#include <stdio.h>

/* By what they hash to (FNV-1a): 0 is nothing's. */
static struct {
    uint64_t name, text;
} told[TOLD_MOST];
static unsigned int next;

static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return h;
}

void tell_once(const char *name, const char *text)
{
    uint64_t n = hash(name), t = hash(text);

    for (unsigned int i = 0; i < TOLD_MOST; i++) {
        if (told[i].name == n && told[i].text == t)
            return;
    }
    fprintf(stderr, "parvisd: %s\n", text);
    told[next].name = n;
    told[next].text = t;
    next = (next + 1) % TOLD_MOST;
}

void tell_again(const char *name)
{
    uint64_t n = hash(name);

    for (unsigned int i = 0; i < TOLD_MOST; i++) {
        if (told[i].name == n)
            told[i].name = 0;
    }
}
