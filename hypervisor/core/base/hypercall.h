/* SPDX-License-Identifier: MIT */
/*
 * The hypercall table, continuations and pre-emption.
 *
 * hypercall_table.h has one row a hypercall. A handler is decode (copy arguments in once), check
 * (may fail, changes nothing), commit (cannot fail). A long one calls hypercall_preempt_check() in
 * its loop and, when told, returns hypercall_continuation(...): the arguments are replaced and the
 * guest's instruction pointer is set back to the SYSCALL, so that after whatever is due has been
 * done, it is issued again. Inside a multicall the entry's arguments are replaced instead.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <core/state/domain.h>
#include <hv/types.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/xen.h>

enum hypercall_class { HC_ANY, HC_CONTROL };

typedef long (*hypercall_fn_t)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

#define NR_HYPERCALLS 64
extern const hypercall_fn_t hypercall_table[NR_HYPERCALLS]; /* unknown numbers: a handler that
                                                               returns -XEN_ENOSYS (asm-offsets) */
const char *hypercall_name(unsigned int nr);

/* Prototypes of all handlers, from the table. */
#define HYPERCALL(name, who, n, ...) long do_##name(__VA_ARGS__);
#include <core/guest/hypercall_table.h>
#undef HYPERCALL

/* The number of the hypercall that v is in: for messages. */
static inline unsigned int hypercall_running(const struct vcpu *v)
{
    return v->hc_nr;
}

/* Entry (asm or C): runs hypercall nr with the vCPU's registers as arguments, leaves the result in
 * rax or sets up the re-issue. */
void hypercall_dispatch(struct vcpu *v);
/* Is rc, of the hypercall that runs, the wish to be issued again? (It may only look so.) */
bool hypercall_gave_way(const struct vcpu *v, long rc);
/* Entry, when a handler returned -XEN_ERESTART: arguments and instruction pointer as the re-issue
 * needs them, a new slice. */
void hypercall_reissue(struct vcpu *v);

/* A hypercall's slice: cpu->slice_end is 0 when an entry begins it and is set at its first look. */
#define HYPERCALL_SLICE MICROSECS(60)
bool hypercall_slice_used(struct cpu *c);

/* True when the running request used up its slice, or work waits for this CPU. Cheap, but it reads
 * the clock: call it every few entries of a batch, after at least one is done (else it never gets
 * anywhere). */
static inline bool hypercall_preempt_check(void)
{
    struct cpu *c = this_cpu();
    return unlikely(__atomic_load_n(&c->pending, __ATOMIC_RELAXED) != 0) || hypercall_slice_used(c);
}

/* Asks that the running hypercall be issued again with these n arguments; the handler returns what
 * this returns (-XEN_ERESTART). */
long hypercall_continuation(unsigned int n, ...); /* n arguments, each uint64_t */

#endif
