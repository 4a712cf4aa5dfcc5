/* SPDX-License-Identifier: MIT */
/*
 * A hypercall that gives way, and the way back into it.
 *
 * A handler that has done a part returns -XEN_ERESTART. hypercall_create_continuation() left the
 * arguments for the rest; without it they are the same again. The kind of the guest re-issues the
 * call (it sets the guest back onto its instruction), so that whatever is pending is done in
 * between, and the guest sees nothing of it. In a multicall the entry's arguments are replaced
 * instead. A guest may change its registers and memory in between: a re-issued call checks
 * everything again (XSA-111, XSA-296, XSA-454: what comes back in the arguments is a request like
 * any other).
 */
#include <core/base/hypercall.h>
#include <core/base/tlb.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/current.h>

const char *hypercall_name(const struct vcpu *v)
{
    const struct guest_ops *ops = v->domain->ops;
    const char *name = ops && v->hc_nr < NR_HYPERCALLS ? ops->hypercalls->name[v->hc_nr] : NULL;

    return name ? name : "unknown hypercall";
}

bool work_waits(struct cpu *c)
{
    if (READ_ONCE(c->pending) & CPU_WORK_FLUSHES)
        serve_flush();
    return READ_ONCE(c->pending) != 0;
}

bool hypercall_slice_used(struct cpu *c)
{
    s_time_t now = clock_now();

    if (unlikely(c->slice_end == 0)) {
        c->slice_end = now + HYPERCALL_SLICE;
        return false;
    }
    return now > c->slice_end;
}

long hypercall_continue(const uint64_t *args, unsigned int n)
{
    struct vcpu *v = current;

    BUG_ON(n > ARRAY_SIZE(v->hc_args));
    memcpy(v->hc_args, args, n * sizeof(*args));
    v->hc_nr_args = (uint8_t)n;
    v->continuation = true;
    return -XEN_ERESTART;
}
