/* SPDX-License-Identifier: MIT */
/*
 * grant_table_op: the hypercall. Operations on many elements go through them one by one, write each
 * status back, and give way between two of them; -XEN_EFAULT ends the call where it stands. What
 * concerns version 2 or page transfer is refused. Elements that unmap share a flush of the TLBs.
 */
#include <core/base/count.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/domain/subop.h>
#include <core/grant/grant_internal.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/nospec.h>

/* The operation on each of the elements that are left. */
static long each(const struct subop *row, unsigned int cmd, gva_t at, unsigned int left,
                 void *about)
{
    long rc = 0;

    while (left) {
        rc = subop_at(row, at, about);
        if (rc == -XEN_ERESTART)
            break;
        if (rc || !--left)
            return rc;
        if (!guest_index(at, 1, row->size, &at))
            return -XEN_EFAULT;
        if (hypercall_preempt_check())
            break;
    }
    return left ? hypercall_create_continuation(cmd, at, left) : 0;
}

static long map_one(struct gnttab_map_grant_ref *op)
{
    op->status = (int16_t)grant_map(op);
    count_events(current, COUNTER_grants_mapped, op->status == GNTST_okay);
    return 0;
}

static long copy_one(struct gnttab_copy *op)
{
    op->status = (int16_t)grant_copy(op);
    count_events(current, COUNTER_grants_copied, op->status == GNTST_okay);
    return 0;
}

static long transfer(struct gnttab_transfer *op)
{
    op->status = GNTST_general_error;
    return 0;
}

/* The status of one unmap, unless it has to be tried again. */
static long unmapped(int rc, int16_t *status)
{
    if (rc == -XEN_ERESTART)
        return rc;
    *status = (int16_t)rc;
    return 0;
}

static long unmap_one(void *batch, struct gnttab_unmap_grant_ref *op)
{
    return unmapped(grant_unmap(batch, op->handle, op->host_addr, op->dev_bus_addr, 0),
                    &op->status);
}

static long replace_one(void *batch, struct gnttab_unmap_and_replace *op)
{
    return unmapped(grant_unmap(batch, op->handle, op->host_addr, 0, op->new_addr), &op->status);
}

/* The domain whose table is asked about. 0 or GNTST_*. */
static int16_t table_owner(domid_t id, struct domain **d)
{
    int rc = get_domain_permitted(id, d);

    return !rc ? 0 : rc == -XEN_EPERM ? GNTST_permission_denied : GNTST_bad_domain;
}

/* Tells where frame i of d's table is. 0, GNTST_* */
static int tell_frame(struct domain *d, gva_t list, unsigned int i)
{
    uint64_t number;
    gva_t at;
    mfn_t mfn;

    if (grant_table_frame(d, i, &mfn))
        return GNTST_general_error;
    number = number_of_frame(d, mfn);
    if (!guest_index(list, i, sizeof(number), &at) || copy_word_to_guest(at, number))
        return GNTST_bad_virt_addr;
    return 0;
}

/* 0, GNTST_*, or -XEN_ERESTART when it has to give way: frames that were added stay. */
static int setup_table(struct gnttab_setup_table *op)
{
    struct domain *d;
    int rc = table_owner(op->dom, &d);
    unsigned int before;

    if (rc)
        return rc;
    before = READ_ONCE(d->grant->nr_frames);
    if (op->nr_frames > d->grant->max_frames)
        rc = refused(GNTST_general_error, "setup_table: %u frames; at most %u", op->nr_frames,
                     d->grant->max_frames);
    for (unsigned int i = 0; i < op->nr_frames && !rc; i++)
        rc = i > before && hypercall_preempt_check() ? -XEN_ERESTART
                                                     : tell_frame(d, op->frame_list, i);
    put_domain(d);
    return rc;
}

static long setup_table_op(struct gnttab_setup_table *op)
{
    int rc = setup_table(op);

    if (rc == -XEN_ERESTART)
        return rc;
    op->status = (int16_t)rc;
    return 0;
}

static long query_size(struct gnttab_query_size *op)
{
    struct domain *d;

    op->status = table_owner(op->dom, &d);
    if (op->status)
        return 0;
    op->nr_frames = READ_ONCE(d->grant->nr_frames);
    op->max_nr_frames = d->grant->max_frames;
    put_domain(d);
    return 0;
}

static long dump_table(struct gnttab_dump_table *op)
{
    struct domain *d;
    int rc;

    op->status = current->domain->is_control ? table_owner(op->dom, &d) : GNTST_permission_denied;
    if (op->status)
        return 0;
    rc = grant_table_dump(d);
    put_domain(d);
    return rc;
}

static long get_status_frames(struct gnttab_get_status_frames *op)
{
    op->status = GNTST_general_error;
    return 0;
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

static long swap_refs(struct gnttab_swap_grant_ref *op)
{
    struct grant_table *gt = current->domain->grant;

    spin_lock(&gt->lock);
    op->status = (int16_t)swap(gt, op->ref_a, op->ref_b);
    spin_unlock(&gt->lock);
    return 0;
}

/* ABI: the version that there is goes back with an error too. */
static long set_version(const gva_t *uop)
{
    struct gnttab_set_version op;
    uint32_t asked;

    if (copy_from_guest(&op, *uop, sizeof(op)))
        return -XEN_EFAULT;
    asked = op.version;
    op.version = 1;
    if (copy_to_guest(*uop, &op, sizeof(op)))
        return -XEN_EFAULT;
    return asked == 1 ? 0 : asked == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
}

static long get_version(struct gnttab_get_version *op)
{
    op->version = 1;
    return 0;
}

/* clang-format off */
#define OPS(OP)                                                                                       \
    OP(GNTTABOP_map_grant_ref,     map_one,           struct gnttab_map_grant_ref,     SUBOP_INOUT)   \
    OP(GNTTABOP_copy,              copy_one,          struct gnttab_copy,              SUBOP_INOUT)   \
    OP(GNTTABOP_transfer,          transfer,          struct gnttab_transfer,          SUBOP_INOUT)   \
    OP(GNTTABOP_swap_grant_ref,    swap_refs,         struct gnttab_swap_grant_ref,    SUBOP_INOUT)   \
    OP(GNTTABOP_setup_table,       setup_table_op,    struct gnttab_setup_table,       SUBOP_INOUT)   \
    OP(GNTTABOP_query_size,        query_size,        struct gnttab_query_size,        SUBOP_INOUT)   \
    OP(GNTTABOP_dump_table,        dump_table,        struct gnttab_dump_table,        SUBOP_INOUT)   \
    OP(GNTTABOP_get_status_frames, get_status_frames, struct gnttab_get_status_frames, SUBOP_INOUT)   \
    OP(GNTTABOP_set_version,       set_version,       const gva_t,                     SUBOP_ADDRESS) \
    OP(GNTTABOP_get_version,       get_version,       struct gnttab_get_version,       SUBOP_INOUT)
SUBOPS(operations, OPS, -XEN_ENOSYS)

#define UNMAPS(OP)                                                                                      \
    OP(GNTTABOP_unmap_grant_ref,   unmap_one,         struct gnttab_unmap_grant_ref,     SUBOP_INOUT) \
    OP(GNTTABOP_unmap_and_replace, replace_one,       struct gnttab_unmap_and_replace,   SUBOP_INOUT)
SUBOPS_OF(unmaps, UNMAPS, -XEN_ENOSYS)
/* clang-format on */

static long unmap(unsigned int cmd, gva_t uop, unsigned int count)
{
    struct grant_unmaps batch __uninitialized;
    long rc;

    batch.nr = 0;
    rc = each(&unmaps.row[index_nospec(cmd, unmaps.nr_rows)], cmd, uop, count, &batch);
    grant_unmap_complete(&batch);
    return rc;
}

/* Does this kind of guest? */
static inline bool maps_grants(void)
{
    return current->domain->ops->grant_map;
}

long do_grant_table_op(unsigned int cmd, gva_t uop, unsigned int count)
{
    if ((int)count < 0)
        return -XEN_EINVAL;
    switch (cmd) {
    case GNTTABOP_unmap_grant_ref:
    case GNTTABOP_unmap_and_replace:
        return maps_grants() ? unmap(cmd, uop, count) : -XEN_ENOSYS;
    case GNTTABOP_map_grant_ref:
        if (!maps_grants())
            return -XEN_ENOSYS;
        __attribute__((fallthrough));
    case GNTTABOP_copy:
    case GNTTABOP_transfer:
    case GNTTABOP_swap_grant_ref:
        return each(&operations.row[index_nospec(cmd, operations.nr_rows)], cmd, uop, count, NULL);
    case GNTTABOP_cache_flush:
        return -XEN_EOPNOTSUPP;
    default: /* ABI: the rest are about one table */
        return cmd < GNTTABOP_cache_flush && count != 1 ? -XEN_EINVAL
                                                        : subop_run(&operations, cmd, uop, NULL);
    }
}
