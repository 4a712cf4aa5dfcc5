/* SPDX-License-Identifier: MIT */
/*
 * The memory of a fully virtualized domain, and the judge of its start of day.
 *
 * The frames of struct pvh_memory are those of a struct memory (loader_support.h), in the order of
 * guest frame numbers, the page of ACPI tables last; a frame number that the domain does not have
 * ends the test.
 *
 * check_pvh_domain() is the oracle, used by the unit tests and the fuzzer: it goes from the
 * register that the guest is given, by the structures that the guest finds, and asks the plan only
 * which pages hold the kernel.
 */
#ifndef PVH_JUDGE_H
#define PVH_JUDGE_H

#include <parvis/loader_pvh.h>

#include "loader_support.h"

struct pvh_memory {
    struct memory m;
    uint64_t ram; /* pages */
    struct loader_target target;
};

void pvh_memory_init(struct pvh_memory *p, uint64_t nr_pages);
/* The bytes of a range of physical memory that lies in one piece; NULL: it is not all there. */
const uint8_t *pvh_bytes(const struct pvh_memory *p, uint64_t paddr, uint64_t size);

/* NULL if everything is as a guest may expect, else the rule that is broken. */
const char *check_pvh_domain(const struct pvh_memory *p, const struct loader_pvh_layout *layout,
                             const struct loader_image *image, const struct loader_config *config);

#endif
