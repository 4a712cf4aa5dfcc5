/* SPDX-License-Identifier: MIT */
/*
 * All that a fully virtualized guest may call: in profile hvm nothing, it knows of no hypervisor.
 */
#include <core/guest/hypercall_table.h>
#include <hvm/hvm_ops.h>

static const char *const names[NR_HYPERCALLS];

const struct hypercall_set hvm_hypercalls = {
    .fn = {[0 ... NR_HYPERCALLS - 1] = unknown_hypercall},
    .name = names,
};
