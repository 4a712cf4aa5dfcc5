/* SPDX-License-Identifier: MIT */
/*
 * All that a paravirtual guest may call: the topmost file, which knows every handler.
 * pv/cpu/entry.asm calls through the table, and so does a multicall.
 */
#include <core/guest/hypercall_table.h>
#include <pv/hypercall.h>
#include <xen/arch-x86/xen-mca.h>

_Static_assert(offsetof(struct hypercall_set, fn) == 0, "entry.asm takes it for the table");

#define HYPERCALL HYPERCALL_TRAMPOLINE
#include <core/base/hypercall_rows.h>
#include <pv/hypercall_rows.h>
#undef HYPERCALL

#define HYPERCALL HYPERCALL_NAME
static const char *const names[NR_HYPERCALLS] = {
#include <core/base/hypercall_rows.h>
#include <pv/hypercall_rows.h>
};
#undef HYPERCALL

/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* the rows override the range; two rows of one number: see names */
#define HYPERCALL HYPERCALL_ENTRY
const struct hypercall_set pv_hypercalls = {
    .fn = {
        [0 ... NR_HYPERCALLS - 1] = unknown_hypercall,
#include <core/base/hypercall_rows.h>
#include <pv/hypercall_rows.h>
    },
    .name = names,
};
#undef HYPERCALL
#pragma GCC diagnostic pop
/* clang-format on */
