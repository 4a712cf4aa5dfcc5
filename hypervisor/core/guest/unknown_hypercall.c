/* SPDX-License-Identifier: MIT */
/*
 * A number that names no hypercall of the caller's kind.
 */
#include <core/guest/hypercall_table.h>

long unknown_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return refused(-XEN_ENOSYS, "there is no hypercall %u", current->hc_nr);
}
