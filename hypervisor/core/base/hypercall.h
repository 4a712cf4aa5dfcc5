/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: handlers, continuations and pre-emption.
 *
 * hypercall_rows.h has one row a hypercall. A handler is decode (copy arguments in once), check
 * (may fail, changes nothing), commit (cannot fail). A long one calls hypercall_preempt_check() in
 * its loop and, when told, returns hypercall_create_continuation(...): the arguments are replaced
 * and the call is issued again after whatever is due has been done.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <core/state/domain.h>
#include <hv/types.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/xen.h>

typedef long hypercall_fn_t(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

#define NR_HYPERCALLS 64
/* What a kind of guest may call, by number (struct guest_ops). */
struct hypercall_set {
    hypercall_fn_t *fn[NR_HYPERCALLS]; /* all are there; must come first: pv/cpu/entry.asm */
    const char *const *name;           /* NULL: there is none of that number */
};
const char *hypercall_name(const struct vcpu *v); /* of the one that v is in */
/* v->hc_nr, which has been found to be below NR_HYPERCALLS, also for a CPU that runs ahead of what
 * found that. (Of the number itself the compiler knows it, and would not compute anything.) */
static inline unsigned int hypercall_index(const struct vcpu *v)
{
    return READ_ONCE(v->hc_nr) % NR_HYPERCALLS;
}

/* Prototypes of the handlers that all kinds have, from the rows. */
#define HYPERCALL(name, who, n, ...) long do_##name(__VA_ARGS__);
#include <core/base/hypercall_rows.h>
#undef HYPERCALL

/* regs.entry_vector when a hypercall brought v into the hypervisor, and no exception or interrupt:
 * what is refused then is the hypercall, else an instruction of v's. */
#define ENTRY_HYPERCALL 0xffffffffu
static inline bool in_hypercall(const struct vcpu *v)
{
    return v->regs.entry_vector == ENTRY_HYPERCALL;
}

/* Is rc, of the hypercall that runs, the wish to be issued again? iret gives the guest's RAX,
 * get_debugreg a value of the guest's: any number, and no error. */
static inline bool hypercall_gave_way(const struct vcpu *v, long rc)
{
    return unlikely(rc == -XEN_ERESTART) && v->hc_nr != __HYPERVISOR_iret &&
           v->hc_nr != __HYPERVISOR_get_debugreg;
}
/* A hypercall's slice: cpu->slice_end is 0 when an entry begins it and is set at its first look. */
#define HYPERCALL_SLICE MICROSECS(60)
bool hypercall_slice_used(struct cpu *c);
/* Flushes, if others wait for that, and says whether there is more to do. */
bool work_waits(struct cpu *c);

/* True when the running request used up its slice, or work waits for this CPU. Cheap, but it reads
 * the clock: call it every few entries of a batch, after at least one is done (else it never gets
 * anywhere). */
static inline bool hypercall_preempt_check(void)
{
    struct cpu *c = this_cpu();
    return (unlikely(__atomic_load_n(&c->pending, __ATOMIC_RELAXED) != 0) && work_waits(c)) ||
           hypercall_slice_used(c);
}

/* The same between steps that are short, or look themselves: the clock is read at some of them. */
#define STEPS_PER_LOOK 8u
static inline bool hypercall_preempt_check_step(void)
{
    struct cpu *c = this_cpu();
    return (unlikely(__atomic_load_n(&c->pending, __ATOMIC_RELAXED) != 0) && work_waits(c)) ||
           (unlikely(++c->steps % STEPS_PER_LOOK == 0) && hypercall_slice_used(c));
}

/*
 * The same where most of the work is short, but how long it takes is for other CPUs to say as soon
 * as it flushes or waits: looks only if it did. So cheap that it may stand behind each entry.
 */
static inline bool hypercall_delayed_check(void)
{
    struct cpu *c = this_cpu();

    if (likely(!c->delayed))
        return false;
    c->delayed = false;
    return hypercall_preempt_check();
}

/* Asks that the running hypercall be issued again with these arguments, each converted to
 * uint64_t; the handler returns what this returns (-XEN_ERESTART). */
#define hypercall_create_continuation(...)                                                         \
    hypercall_continue((const uint64_t[]){__VA_ARGS__},                                            \
                       sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
long hypercall_continue(const uint64_t *args, unsigned int n);

#endif
