/* SPDX-License-Identifier: MIT */
/*
 * Sets of physical CPUs as people write them: "0-3,5,^2". A number or a range puts CPUs in, ^
 * before it takes them out again, "all" is all; from left to right.
 *
 * A set is a word with a bit for each CPU. What a list says is known before the machine is: so
 * "all" has the CPUs that no machine has, too, and whoever knows the machine asks cpuset_absent().
 */
#ifndef PARVIS_TOOLS_CPUSET_H
#define PARVIS_TOOLS_CPUSET_H

#include <stddef.h>
#include <stdint.h>

#define CPUSET_CPUS 64u
#define CPUSET_TEXT 192u /* of the longest list: every other CPU */

/* NULL, or what is wrong with the list: "a range ends before it begins". */
const char *cpuset_parse(const char *text, uint64_t *set);
/* The shortest list of the set. */
void cpuset_format(uint64_t set, char out[CPUSET_TEXT]);
/* The CPUs 0 to nr - 1. */
uint64_t cpuset_first(unsigned int nr);
/* Which CPUs of the set a machine with so many lacks. None, if the set has all that any machine
 * lacks: then it was written with "all". */
uint64_t cpuset_absent(uint64_t set, unsigned int nr_cpus);

#endif
