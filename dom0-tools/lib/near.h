/* SPDX-License-Identifier: MIT */
/*
 * The word that was meant: of those that are known, the one with the fewest letters put in, left
 * out, changed or exchanged with the next.
 */
#ifndef PARVIS_TOOLS_NEAR_H
#define PARVIS_TOOLS_NEAR_H

#include <stddef.h>

struct near {
    const char *word; /* the nearest so far, NULL = none is near */
    unsigned int away;
};

/* Takes the word, if it is nearer to what was typed than those before it. */
void near_try(struct near *n, const char *typed, const char *word);

#endif
