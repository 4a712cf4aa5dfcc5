/* SPDX-License-Identifier: MIT */
/*
 * All that a fully virtualized guest may call: what every kind has. In profile hvm it calls
 * nothing: it knows of no hypervisor.
 */
#include <core/guest/hypercall_table.h>
#include <hvm/hvm_ops.h>
#include <xen/arch-x86/xen-mca.h>

#define HYPERCALL_DONE(n, rc) ((void)0)
#define HYPERCALL             HYPERCALL_TRAMPOLINE
#include <core/base/hypercall_rows.h>
#undef HYPERCALL

#define HYPERCALL HYPERCALL_NAME
static const char *const names[NR_HYPERCALLS] = {
#include <core/base/hypercall_rows.h>
};
#undef HYPERCALL

/* clang-format off */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* the rows override the range */
#define HYPERCALL HYPERCALL_ENTRY
const struct hypercall_set hvm_hypercalls = {
    .fn = {
        [0 ... NR_HYPERCALLS - 1] = unknown_hypercall,
#include <core/base/hypercall_rows.h>
    },
    .name = names,
};
#undef HYPERCALL
#pragma GCC diagnostic pop
/* clang-format on */
