/* SPDX-License-Identifier: MIT */
/*
 * Sets of physical CPUs as people write them: see cpuset.h.
 */
#include "cpuset.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNTAX "it is no list of CPUs such as 0-3,5,^2 or all"

uint64_t cpuset_first(unsigned int nr)
{
    return nr < CPUSET_CPUS ? (UINT64_C(1) << nr) - 1 : UINT64_MAX;
}

uint64_t cpuset_absent(uint64_t set, unsigned int nr_cpus)
{
    uint64_t lacking = ~cpuset_first(nr_cpus);

    return (set & lacking) == lacking ? 0 : set & lacking;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* A CPU's number at *at, which goes on behind it. */
static const char *take_number(const char **at, unsigned long *n)
{
    char *end;

    if (**at < '0' || **at > '9')
        return SYNTAX;
    *n = strtoul(*at, &end, 10);
    *at = end;
    return *n < CPUSET_CPUS ? NULL : "there is no CPU above 63";
}

/* A number, a range, or "all". */
static const char *take_item(const char **at, uint64_t *item)
{
    unsigned long first, last;
    const char *wrong;

    if (strncmp(*at, "all", 3) == 0) {
        *at += 3;
        *item = UINT64_MAX;
        return NULL;
    }
    wrong = take_number(at, &first);
    if (wrong)
        return wrong;
    last = first;
    if (**at == '-') {
        (*at)++;
        wrong = take_number(at, &last);
    }
    if (wrong)
        return wrong;
    if (last < first)
        return "a range ends before it begins";
    *item = cpuset_first((unsigned int)last + 1) & ~cpuset_first((unsigned int)first);
    return NULL;
}

const char *cpuset_parse(const char *text, uint64_t *set)
{
    const char *at = skip_blanks(text);
    uint64_t sum = 0, item;

    for (;; at++) {
        bool out = *(at = skip_blanks(at)) == '^';
        const char *wrong;

        at += out;
        wrong = take_item(&at, &item);
        if (wrong)
            return wrong;
        sum = out ? sum & ~item : sum | item;
        at = skip_blanks(at);
        if (!*at)
            break;
        if (*at != ',')
            return SYNTAX;
    }
    if (!sum)
        return "it names no CPU";
    *set = sum;
    return NULL;
}

void cpuset_format(uint64_t set, char out[CPUSET_TEXT])
{
    size_t n = 0;

    out[0] = '\0';
    for (unsigned int cpu = 0; cpu < CPUSET_CPUS; cpu++) {
        unsigned int last = cpu;

        if (!(set >> cpu & 1))
            continue;
        while (last + 1 < CPUSET_CPUS && set >> (last + 1) & 1)
            last++;
        n += (size_t)snprintf(out + n, CPUSET_TEXT - n, "%s%u", n ? "," : "", cpu);
        if (last > cpu)
            n += (size_t)snprintf(out + n, CPUSET_TEXT - n, "-%u", last);
        cpu = last;
    }
}
