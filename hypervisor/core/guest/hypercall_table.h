/* SPDX-License-Identifier: MIT */
/*
 * What the table of a kind of guest is made of. The file with the table includes the kind's rows
 * (core/base/hypercall_rows.h and its own) once for each of these, as HYPERCALL.
 *
 * Registers are 64 bits wide and a parameter may be narrower, so each row has a function of its own
 * between table and handler, which converts each argument to the type that the handler has: what
 * stands above is lost. A wrong number of parameters does not compile, nor do two rows of one
 * number. Rows for the control domain ask who calls.
 */
#ifndef CORE_HYPERCALL_TABLE_H
#define CORE_HYPERCALL_TABLE_H

#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <port/current.h>

/* clang-format off */
#define HYPERCALL_ARGS_0
#define HYPERCALL_ARGS_1 a
#define HYPERCALL_ARGS_2 a, b
#define HYPERCALL_ARGS_3 a, b, c
#define HYPERCALL_ARGS_4 a, b, c, d
#define HYPERCALL_ARGS_5 a, b, c, d, e
#define HYPERCALL_ARGS_6 a, b, c, d, e, f
#define HYPERCALL_GATE_HC_ANY
#define HYPERCALL_GATE_HC_CONTROL                                                                  \
    if (unlikely(!current->domain->is_control))                                                    \
        return refused(-XEN_EPERM, "only the control domain may call this");

#define HYPERCALL_TRAMPOLINE(name, who, n, ...)                                                    \
    static long call_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) \
    {                                                                                              \
        long rc;                                                                                   \
                                                                                                   \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;                                      \
        HYPERCALL_GATE_##who                                                                       \
        rc = do_##name(HYPERCALL_ARGS_##n);                                                        \
        HYPERCALL_DONE(n, rc); /* the kind's */                                                    \
        return rc;                                                                                 \
    }
#define HYPERCALL_ENTRY(name, who, n, ...) [__HYPERVISOR_##name] = call_##name,
#define HYPERCALL_NAME(name, who, n, ...)  [__HYPERVISOR_##name] = #name,
/* clang-format on */

/* What stands where there is no row. */
long unknown_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

#endif
