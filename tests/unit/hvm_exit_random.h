/* SPDX-License-Identifier: MIT */
/* Between the files of the random exits: hvm_exit_random.c says what they are. */
#ifndef TESTS_UNIT_HVM_EXIT_RANDOM_H
#define TESTS_UNIT_HVM_EXIT_RANDOM_H

#include "hvm_whole.h"

/* The next bytes; 0 when there are no more. */
uint64_t take(unsigned int bytes);
/* A number, often one that means something. */
uint64_t take_value(void);
/* Where the domain's memory at gpa is; NULL: it has given it away. */
uint8_t *memory_at(uint64_t gpa);

/* --- hvm_exit_calls.c --- */
void call_hypervisor(struct vcpu *w);
/* The domain grants some of its frames to itself, and the control domain copies between them. */
void copy_grants(void);

#endif
