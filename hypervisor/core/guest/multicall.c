/* SPDX-License-Identifier: MIT */
/*
 * multicall: a list of hypercalls in one.
 *
 * Each entry is copied in, run, and gets its result. An error of one entry does not stop the rest.
 * An entry that gives way (a continuation) has its arguments rewritten in the guest's list; the
 * multicall is then re-issued from that entry on.
 *
 * XSA-213: an entry may switch the guest to its user mode (iret). What follows would then run as
 * the guest kernel with another address space loaded. So such a hypercall ends the list, whatever
 * mode it went to, and the rest is not run; its result is that of the whole, RAX of the new
 * context, and nothing is written to the entry. ABI: a multicall within a multicall is refused.
 */
#include <core/base/count.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/current.h>
#include <xen/errno.h>

static long run_entry(struct vcpu *v, hypercall_fn_t *const *fn, const struct multicall_entry *e)
{
    const xen_ulong_t *a = e->args;
    uint64_t nr = e->op;

    if (unlikely(nr >= NR_HYPERCALLS))
        return -XEN_ENOSYS;
    v->hc_nr = (unsigned int)nr;
    nr = hypercall_index(v);
    count_event(v, COUNTER_hypercall + (unsigned int)nr);
    return fn[nr](a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The entry gave way: its new arguments go to the guest's list. */
static long rewrite_entry(struct vcpu *v, gva_t at)
{
    gva_t args = at + offsetof(struct multicall_entry, args);

    if (!v->continuation)
        return 0;
    v->continuation = false;
    return copy_to_guest(args, v->hc_args, v->hc_nr_args * sizeof(v->hc_args[0]));
}

/* What is left of the list, from `at` on, is to be issued again. */
static long give_way(struct vcpu *v, gva_t at, uint64_t left)
{
    v->in_multicall = false;
    v->hc_nr = __HYPERVISOR_multicall;
    return hypercall_create_continuation(at, left);
}

long do_multicall(gva_t at, uint64_t left)
{
    struct vcpu *v = current;
    hypercall_fn_t *const *fn = v->domain->ops->hypercalls->fn;
    struct multicall_entry e __uninitialized;
    long rc = 0;

    if (v->in_multicall)
        return refused(-XEN_EINVAL, "a multicall in a multicall");
    if (!guest_range_ok(at, left > UINT64_MAX / sizeof(e) ? UINT64_MAX : left * sizeof(e)))
        return -XEN_EFAULT;
    v->in_multicall = true;
    while (left) {
        long result;

        if (copy_from_guest(&e, at, sizeof(e))) {
            rc = -XEN_EFAULT;
            break;
        }
        result = run_entry(v, fn, &e);
        if (hypercall_gave_way(v, result)) {
            rc = rewrite_entry(v, at);
            if (!rc)
                return give_way(v, at, left);
            break;
        }
        if (unlikely(!v->in_multicall)) /* hc_nr still says whose result this is */
            return result;
        if (copy_word_to_guest(at + offsetof(struct multicall_entry, result),
                               (xen_ulong_t)result)) {
            rc = -XEN_EFAULT;
            break;
        }
        at += sizeof(e);
        if (--left && hypercall_preempt_check_step())
            return give_way(v, at, left);
    }
    v->in_multicall = false;
    v->hc_nr = __HYPERVISOR_multicall;
    return rc;
}
