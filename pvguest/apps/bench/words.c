/* SPDX-License-Identifier: MIT */
/*
 * The words of the command line, each key=value: one that is misspelt, or has no number where one
 * is wanted, would measure something else than what was meant, so it is refused.
 */
#include <guest/kernel.h>

#include "bench.h"

/* clang-format off */
static const struct {
    bool has_number;
    const char *key;
} words[] = {
    {true, "rounds"}, {true, "loops"}, {false, "only"}, {true, "answer"}, {true, "peer"},
    {true, "port"}, {true, "calibrate"},
    {false, "console"}, /* not ours: a kernel of kind pvh is told it unless somebody says more */
};
/* clang-format on */

static size_t until_equals(const char *word, size_t len)
{
    size_t n = 0;

    while (n < len && word[n] != '=')
        n++;
    return n;
}

static bool is_known(const char *word, size_t len)
{
    size_t key = until_equals(word, len);
    uint64_t n;

    for (unsigned int i = 0; key < len && i < ARRAY_SIZE(words); i++)
        if (strlen(words[i].key) == key && !memcmp(words[i].key, word, key))
            return !words[i].has_number || parse_number(word + key + 1, len - key - 1, &n);
    return false;
}

bool words_are_known(void)
{
    size_t at = 0, len;
    const char *word;

    while (cmdline_next(&at, &word, &len))
        if (!is_known(word, len)) {
            printf("bench: \"%.*s\" is not understood; there are rounds=N loops=N only=NAME[,NAME] "
                   "answer=1 peer=N port=N calibrate=1\n",
                   (int)len, word);
            return false;
        }
    return true;
}
