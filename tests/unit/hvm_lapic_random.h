/* SPDX-License-Identifier: MIT */
/* Plays the input as what four vCPUs do to their local APICs: hvm_lapic_random.c. */
#ifndef TESTS_UNIT_HVM_LAPIC_RANDOM_H
#define TESTS_UNIT_HVM_LAPIC_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void lapic_random_run(const uint8_t *data, size_t n);

#endif
