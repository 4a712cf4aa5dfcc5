/* SPDX-License-Identifier: MIT */
/*
 * Operations of a hypercall that has many: one table and one way through all of them.
 *
 * A family lists its operations in a macro, a row each:
 *
 *     #define OPS(OP)                                                            \
 *         OP(EVTCHNOP_close, close_port, struct evtchn_close, SUBOP_IN)          \
 *         OP(EVTCHNOP_bind_virq, bind_virq, struct evtchn_bind_virq, SUBOP_INOUT)
 *     SUBOPS(operations, OPS, -XEN_ENOSYS)
 *
 * and answers its hypercall with subop_run(). The function of an operation gets a pointer to the
 * hypervisor's copy of its struct, and no address of the guest: it was read once. Where the
 * operation has a result, its place has been tried before the function runs, so that a result that
 * cannot be written is -XEN_EFAULT with nothing changed. The result is written when the function
 * returns 0 or more; and when it gives way, with how far it came.
 *
 * SUBOPS_OF: its functions get in front what the operation is about (a domain, a vCPU).
 */
#ifndef CORE_SUBOP_H
#define CORE_SUBOP_H

#include <hv/types.h>
#include <xen/errno.h>

#define SUBOP_IN      1u /* the struct is read                                          */
#define SUBOP_OUT     2u /* the struct is written; without SUBOP_IN the function gets zeros */
#define SUBOP_INOUT   (SUBOP_IN | SUBOP_OUT)
#define SUBOP_ADDRESS 4u  /* the function gets the address itself, as a gva_t            */
#define SUBOP_NONE    0u  /* no argument: struct nothing                                 */
#define SUBOP_CONTROL 8u  /* the control domain's alone                                  */
#define SUBOP_ALWAYS  16u /* the struct is written whatever the function answers         */

#define SUBOP_MOST_BYTES 256

struct nothing {
};

struct subop {
    long (*fn)(void *about, void *arg);
    const char *name; /* of its number, in include/xen */
    uint16_t size;
    uint8_t flags;
};

struct subop_family {
    const struct subop *row; /* by number */
    unsigned int nr_rows;
    int unknown;      /* the answer to a number that has no row */
    uint32_t version; /* of control operations: subop_read_control() */
    uint16_t size;    /* of their struct */
};

/* clang-format off */
#define SUBOP_FN(name, type, call)                                                                 \
    static long name(void *about, void *arg)                                                       \
    {                                                                                              \
        type *typed = arg;                                                                         \
        _Static_assert(sizeof(type) <= SUBOP_MOST_BYTES, "room for the argument of " #name);       \
        (void)about;                                                                               \
        return call;                                                                               \
    }
#define SUBOP_CALL(number, function, type, how)    SUBOP_FN(call_##number, type, function(typed))
#define SUBOP_CALL_OF(number, function, type, how)                                                 \
    SUBOP_FN(call_##number, type, function(about, typed))
#define SUBOP_ROW(number, function, type, how)                                                     \
    [number] = {call_##number, #number, (how) & SUBOP_ADDRESS ? 0 : sizeof(type), how},
#define SUBOP_TABLE(table, OPS, answer, ...)                                                       \
    static const struct subop table##_rows[] = {OPS(SUBOP_ROW)};                                   \
    static const struct subop_family table = {                                                     \
        .row = table##_rows, .nr_rows = ARRAY_SIZE(table##_rows), .unknown = answer, __VA_ARGS__};
#define SUBOPS(table, OPS, ...)    OPS(SUBOP_CALL) SUBOP_TABLE(table, OPS, __VA_ARGS__, )
#define SUBOPS_OF(table, OPS, ...) OPS(SUBOP_CALL_OF) SUBOP_TABLE(table, OPS, __VA_ARGS__, )
/* clang-format on */

/* Operation number `cmd` of the family, with its argument at `arg`. */
long subop_run(const struct subop_family *f, unsigned int cmd, gva_t arg, void *about);

/* The same for who has its row. */
long subop_at(const struct subop *row, gva_t arg, void *about);

/* The same in pieces, for control operations, whose number and interface version stand in the
 * argument's first two words: reads f->size bytes to op, checks, finds the row; subop_finish()
 * calls its function and writes back. */
int __must_check subop_read_control(const struct subop_family *f, gva_t arg, void *op,
                                    const struct subop **row);
long subop_finish(const struct subop *row, gva_t arg, void *op, void *about);
/* Both, for who needs nothing in between. */
long subop_run_control(const struct subop_family *f, gva_t arg);

/* Whoever wants to show operations sets this: called after each, with the argument as it is then.
 * No lock is held. */
extern void (*subop_show)(const struct subop *row, const void *arg, long rc);

#endif
