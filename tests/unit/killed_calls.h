/* SPDX-License-Identifier: MIT */
/*
 * For tests whose processes are killed at each step: a test that is linked with killed_calls.c has
 * unlink(), rename() and renameat2() among the steps, besides the model's own.
 */
#ifndef PARVIS_TESTS_KILLED_CALLS_H
#define PARVIS_TESTS_KILLED_CALLS_H

#include <stdbool.h>

/* Where the test is built with LeakSanitizer: what a killed process had allocated goes with it. */
void expect_leaks(bool yes);

#endif
