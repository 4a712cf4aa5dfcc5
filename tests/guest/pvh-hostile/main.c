/* SPDX-License-Identifier: MIT */
/*
 * Not a test that succeeds: guests of kind pvh that lend pages to a paravirtual one and do, while
 * that has them, what a lender must not (do=NAME), and the borrower, which is the same program
 * started as a paravirtual guest. tests/system/test_bad_pvh.py runs them.
 */
#include "hostile.h"

const char test_name[] = "pvh-hostile";

void test_main(void)
{
    if (is_pv())
        borrower();
    else
        lender();
}
