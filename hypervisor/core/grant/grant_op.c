/* SPDX-License-Identifier: MIT */
/*
 * grant_table_op: the hypercall. Operations on many elements go through them one by one, write each
 * status back, and give way between two of them; -XEN_EFAULT ends the call where it stands. What
 * concerns version 2 or page transfer is refused.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/grant/grant_internal.h>

#define UNMAP_BATCH 16 /* elements for one TLB flush */

/* Runs fn on elements of `size`, which fit `arg`. Each is copied in, done, copied back. */
static long each(unsigned int cmd, gva_t uop, unsigned int count, size_t size, void *arg,
                 void (*fn)(void *arg))
{
    for (unsigned int i = 0; i < count; i++) {
        gva_t at;

        if (i && hypercall_preempt_check())
            return guest_index(uop, i, size, &at)
                       ? hypercall_create_continuation(cmd, at, count - i)
                       : -XEN_EFAULT;
        /* The place for the status is tried before anything is done. */
        if (!guest_index(uop, i, size, &at) || copy_from_guest(arg, at, size) ||
            copy_to_guest(at, arg, size))
            return -XEN_EFAULT;
        fn(arg);
        if (copy_to_guest(at, arg, size))
            return -XEN_EFAULT;
    }
    return 0;
}

static void map_fn(void *arg)
{
    grant_map_one(arg);
}

static void copy_fn(void *arg)
{
    grant_copy_one(arg);
}

static void transfer_fn(void *arg)
{
    ((struct gnttab_transfer *)arg)->status = GNTST_general_error;
}

static int read_unmap(unsigned int cmd, gva_t at, struct grant_unmap *u)
{
    struct gnttab_unmap_and_replace replace;
    struct gnttab_unmap_grant_ref plain;

    if (cmd == GNTTABOP_unmap_and_replace) {
        if (copy_from_guest(&replace, at, sizeof(replace)))
            return -XEN_EFAULT;
        *u = (struct grant_unmap){
            .host_addr = replace.host_addr, .new_addr = replace.new_addr, .handle = replace.handle};
        return 0;
    }
    if (copy_from_guest(&plain, at, sizeof(plain)))
        return -XEN_EFAULT;
    *u = (struct grant_unmap){
        .host_addr = plain.host_addr, .dev_bus_addr = plain.dev_bus_addr, .handle = plain.handle};
    return 0;
}

static int write_unmap(unsigned int cmd, gva_t at, const struct grant_unmap *u)
{
    size_t offset = cmd == GNTTABOP_unmap_and_replace
                        ? offsetof(struct gnttab_unmap_and_replace, status)
                        : offsetof(struct gnttab_unmap_grant_ref, status);

    return copy_to_guest(at + offset, &u->status, sizeof(u->status));
}

static long unmap_batch(unsigned int cmd, gva_t uop, unsigned int n, size_t size)
{
    struct grant_unmap batch[UNMAP_BATCH] __uninitialized;
    unsigned int begun;
    long rc = 0;
    gva_t at;

    for (begun = 0; begun < n; begun++) {
        if (!guest_index(uop, begun, size, &at) || read_unmap(cmd, at, &batch[begun])) {
            rc = -XEN_EFAULT;
            break;
        }
        grant_unmap_begin(&batch[begun]);
    }
    flush_tlb_domain(current->domain);
    for (unsigned int i = 0; i < begun; i++) {
        grant_unmap_complete(&batch[i]);
        if (!guest_index(uop, i, size, &at) || write_unmap(cmd, at, &batch[i]))
            rc = -XEN_EFAULT;
    }
    return rc;
}

static long unmap(unsigned int cmd, gva_t uop, unsigned int count)
{
    size_t size = cmd == GNTTABOP_unmap_and_replace ? sizeof(struct gnttab_unmap_and_replace)
                                                    : sizeof(struct gnttab_unmap_grant_ref);

    for (unsigned int done = 0; done < count;) {
        unsigned int n = MIN(count - done, (unsigned int)UNMAP_BATCH);
        gva_t at;
        long rc;

        if (!guest_index(uop, done, size, &at))
            return -XEN_EFAULT;
        if (done && hypercall_preempt_check())
            return hypercall_create_continuation(cmd, at, count - done);
        rc = unmap_batch(cmd, at, n, size);
        if (rc)
            return rc;
        done += n;
    }
    return 0;
}

/* The domain whose table is asked about: one's own, or any for the control domain. 0 or GNTST_*. */
static int table_owner(domid_t id, struct domain **d)
{
    *d = get_domain_for_guest(id);
    if (!*d)
        return GNTST_bad_domain;
    if (*d == current->domain || current->domain->is_control)
        return 0;
    put_domain(*d);
    return GNTST_permission_denied;
}

/* 0, GNTST_*, or -XEN_ERESTART when it has to give way: frames that were added stay. */
static int setup_table(struct gnttab_setup_table *op)
{
    struct domain *d;
    int rc = table_owner(op->dom, &d);
    unsigned int before;

    if (rc)
        return rc;
    before = d->grant->nr_frames;
    if (op->nr_frames > d->grant->max_frames)
        rc = refused(GNTST_general_error, "setup_table: %u frames; at most %u", op->nr_frames,
                     d->grant->max_frames);
    for (unsigned int i = 0; i < op->nr_frames && !rc; i++) {
        gva_t at;
        mfn_t mfn;

        if (i > before && hypercall_preempt_check())
            rc = -XEN_ERESTART;
        else if (grant_table_frame(d, i, &mfn))
            rc = GNTST_general_error;
        else if (!guest_index(op->frame_list, i, sizeof(mfn.n), &at) ||
                 copy_to_guest(at, &mfn.n, sizeof(mfn.n)))
            rc = GNTST_bad_virt_addr;
    }
    put_domain(d);
    return rc;
}

static long setup_table_op(gva_t uop)
{
    struct gnttab_setup_table op;
    int rc;

    if (copy_from_guest(&op, uop, sizeof(op)) || copy_to_guest(uop, &op, sizeof(op)))
        return -XEN_EFAULT;
    rc = setup_table(&op);
    if (rc == -XEN_ERESTART)
        return hypercall_create_continuation(GNTTABOP_setup_table, uop, 1);
    op.status = (int16_t)rc;
    return copy_to_guest(uop, &op, sizeof(op));
}

static void query_size_fn(void *arg)
{
    struct gnttab_query_size *op = arg;
    struct domain *d;

    op->status = (int16_t)table_owner(op->dom, &d);
    if (op->status)
        return;
    op->nr_frames = d->grant->nr_frames;
    op->max_nr_frames = d->grant->max_frames;
    put_domain(d);
}

static void dump_table_fn(void *arg)
{
    struct gnttab_dump_table *op = arg;
    struct domain *d;

    op->status =
        current->domain->is_control ? (int16_t)table_owner(op->dom, &d) : GNTST_permission_denied;
    if (op->status)
        return;
    grant_table_dump(d);
    put_domain(d);
}

static void get_status_frames_fn(void *arg)
{
    ((struct gnttab_get_status_frames *)arg)->status = GNTST_general_error;
}

static int swap(struct grant_table *gt, grant_ref_t a, grant_ref_t b)
{
    struct grant_entry_v1 *ea, *eb, tmp;
    const struct active_grant *x, *y;

    if (a >= grant_entries(gt) || b >= grant_entries(gt)) /* XSA-18 */
        return refused(GNTST_bad_gntref, "swap_grant_ref: %u and %u of %lu", a, b,
                       (unsigned long)grant_entries(gt));
    x = grant_active(gt, a);
    y = grant_active(gt, b);
    if (x->readers || x->writers || y->readers || y->writers)
        return GNTST_eagain;
    ea = grant_shared(gt, a);
    eb = grant_shared(gt, b);
    if (!ea || !eb)
        return GNTST_general_error;
    tmp = *ea;
    *ea = *eb;
    *eb = tmp;
    return 0;
}

static void swap_fn(void *arg)
{
    struct gnttab_swap_grant_ref *op = arg;
    struct grant_table *gt = current->domain->grant;

    spin_lock(&gt->lock);
    op->status = (int16_t)swap(gt, op->ref_a, op->ref_b);
    spin_unlock(&gt->lock);
}

static long set_version(gva_t uop)
{
    struct gnttab_set_version op;
    uint32_t asked;

    if (copy_from_guest(&op, uop, sizeof(op)))
        return -XEN_EFAULT;
    asked = op.version;
    op.version = 1;
    if (copy_to_guest(uop, &op, sizeof(op)))
        return -XEN_EFAULT;
    return asked == 1 ? 0 : asked == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
}

static void get_version_fn(void *arg)
{
    ((struct gnttab_get_version *)arg)->version = 1;
}

long do_grant_table_op(unsigned int cmd, gva_t uop, unsigned int count)
{
    union {
        struct gnttab_map_grant_ref map;
        struct gnttab_copy copy;
        struct gnttab_get_status_frames status_frames;
        uint64_t words[8];
    } arg;

    if ((int)count < 0)
        return -XEN_EINVAL;
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return each(cmd, uop, count, sizeof(arg.map), &arg, map_fn);
    case GNTTABOP_unmap_grant_ref:
    case GNTTABOP_unmap_and_replace:
        return unmap(cmd, uop, count);
    case GNTTABOP_copy:
        return each(cmd, uop, count, sizeof(arg.copy), &arg, copy_fn);
    case GNTTABOP_transfer:
        return each(cmd, uop, count, sizeof(struct gnttab_transfer), &arg, transfer_fn);
    case GNTTABOP_swap_grant_ref:
        return each(cmd, uop, count, sizeof(struct gnttab_swap_grant_ref), &arg, swap_fn);
    case GNTTABOP_cache_flush:
        return -XEN_EOPNOTSUPP;
    }
    if (cmd <= GNTTABOP_cache_flush && count != 1) /* ABI: the rest are about one table */
        return -XEN_EINVAL;
    switch (cmd) {
    case GNTTABOP_setup_table:
        return setup_table_op(uop);
    case GNTTABOP_query_size:
        return each(cmd, uop, 1, sizeof(struct gnttab_query_size), &arg, query_size_fn);
    case GNTTABOP_dump_table:
        return each(cmd, uop, 1, sizeof(struct gnttab_dump_table), &arg, dump_table_fn);
    case GNTTABOP_get_status_frames:
        return each(cmd, uop, 1, sizeof(arg.status_frames), &arg, get_status_frames_fn);
    case GNTTABOP_set_version:
        return set_version(uop);
    case GNTTABOP_get_version:
        return each(cmd, uop, 1, sizeof(struct gnttab_get_version), &arg, get_version_fn);
    default:
        return -XEN_ENOSYS;
    }
}
