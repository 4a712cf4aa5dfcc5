/* SPDX-License-Identifier: MIT */
/*
 * The word that was meant: see near.h.
 */
#include "near.h"

#include <string.h>

#define MAX_LEN 48u

static unsigned int least(unsigned int a, unsigned int b)
{
    return a < b ? a : b;
}

/* Row by row: how far the beginnings of a and b are from each other. Three rows are needed. */
static unsigned int distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned int rows[3][MAX_LEN + 1];

    for (size_t i = 0; i <= na; i++) {
        unsigned int *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        row[0] = (unsigned int)i;
        for (size_t j = 1; j <= nb; j++) {
            if (i == 0) {
                row[j] = (unsigned int)j;
                continue;
            }
            row[j] = least(least(row[j - 1], last[j]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

void near_try(struct near *n, const char *typed, const char *word)
{
    size_t na = strlen(typed), nb = strlen(word);
    unsigned int away;

    /* What they differ in length they are from each other at least. */
    if (na > MAX_LEN || nb > MAX_LEN || (na > nb ? na - nb : nb - na) * 3 > na + 1)
        return;
    away = distance(typed, na, word, nb);
    /* A third of it is another word. */
    if (away * 3 <= na + 1 && (!n->word || away < n->away))
        *n = (struct near){word, away};
}
