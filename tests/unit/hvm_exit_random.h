/* SPDX-License-Identifier: MIT */
/*
 * Random exits of a fully virtualized domain: tests/unit/hvm_exit_random.c says what is played and
 * what is checked.
 */
#ifndef TESTS_HVM_EXIT_RANDOM_H
#define TESTS_HVM_EXIT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void exit_random_run(const uint8_t *data, size_t size);

#endif
