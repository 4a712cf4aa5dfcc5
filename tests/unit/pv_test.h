/* SPDX-License-Identifier: MIT */
/* What the tests of a paravirtual guest's ways in and out share: cmocka with its order of includes,
 * a control domain, and a guest that runs on page tables of its own (pv_mm_support.h). */
#ifndef TESTS_UNIT_PV_TEST_H
#define TESTS_UNIT_PV_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pv_mm_support.h"

#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <xen/errno.h>

#define HANDLER  0x1000u /* of exception n: this + n */
#define NO_CANON 0x0000800000000000ull
#define CODE     (MM_SPARE + 1) /* the page where a test puts instructions */

static struct mm_guest control, g;

static inline int pv_setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&control, 0, true);
    mm_guest_init(&g, 1, false);
    host_walk = true;
    host_run_as(g.v);
    return 0;
}

static inline int pv_teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

#endif
