/* SPDX-License-Identifier: MIT */
/*
 * The way through an operation: find its row, read its argument once, try the place of its result,
 * run it, write the result back.
 *
 * The place is tried as if what was just read were written there. Where the guest's addresses are
 * not the CPU's it is written, which who writes there at the same time, in another vCPU of the same
 * guest, could tell.
 */
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <core/domain/subop.h>
#include <core/state/domain.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/nospec.h>

void (*subop_show)(const struct subop *row, const void *arg, long rc);

static __noinline int not_there(const struct subop_family *f, unsigned int cmd)
{
    return refused(f->unknown, "there is no operation %u", cmd);
}

static __noinline int not_his(const struct subop *row)
{
    return refused(-XEN_EPERM, "%s: only the control domain may ask this", row->name);
}

static inline int find(const struct subop_family *f, unsigned int cmd, const struct subop **row)
{
    const struct subop *r = &f->row[index_nospec(cmd, f->nr_rows)];

    if (unlikely(cmd >= f->nr_rows || !r->fn))
        return not_there(f, cmd);
    if (unlikely(r->flags & SUBOP_CONTROL) && !current->domain->is_control)
        return not_his(r);
    *row = r;
    return 0;
}

/* One with a result. */
static __inlined long call_and_write(const struct subop *row, gva_t arg, void *op, void *about)
{
    long rc;

    if (try_guest(arg, op, row->size))
        return -XEN_EFAULT;
    if (!(row->flags & SUBOP_IN))
        memset(op, 0, row->size);
    rc = row->fn(about, op);
    if ((rc >= 0 || rc == -XEN_ERESTART || row->flags & SUBOP_ALWAYS) &&
        copy_to_guest(arg, op, row->size))
        rc = -XEN_EFAULT;
    return rc;
}

/* A part of subop_at(), the way of most hypercalls. */
static __inlined long finish(const struct subop *row, gva_t arg, void *op, void *about)
{
    struct vcpu *v = current;
    long rc;

    v->hc_subop = row->name;
    if (row->flags & SUBOP_ADDRESS)
        *(gva_t *)op = arg;
    rc = row->flags & SUBOP_OUT ? call_and_write(row, arg, op, about) : row->fn(about, op);
    v->hc_subop = NULL;
    if (unlikely(subop_show))
        subop_show(row, op, rc);
    return rc;
}

long subop_finish(const struct subop *row, gva_t arg, void *op, void *about)
{
    return finish(row, arg, op, about);
}

long subop_at(const struct subop *row, gva_t arg, void *about)
{
    uint64_t op[SUBOP_MOST_BYTES / sizeof(uint64_t)] __uninitialized; /* read, or cleared */

    if (row->size && copy_from_guest(op, arg, row->size))
        return -XEN_EFAULT;
    return finish(row, arg, op, about);
}

long subop_run(const struct subop_family *f, unsigned int cmd, gva_t arg, void *about)
{
    const struct subop *row = NULL; /* set where find() is 0, which GCC does not see */
    int rc = find(f, cmd, &row);

    return rc ? rc : subop_at(row, arg, about);
}

int subop_read_control(const struct subop_family *f, gva_t arg, void *op, const struct subop **row)
{
    const uint32_t *word = op; /* cmd, interface_version */

    if (copy_from_guest(op, arg, f->size))
        return -XEN_EFAULT;
    if (word[1] != f->version)
        return refused(-XEN_EACCES, "interface version %#x, this is %#x", word[1], f->version);
    return find(f, word[0], row);
}

long subop_run_control(const struct subop_family *f, gva_t arg)
{
    uint64_t op[SUBOP_MOST_BYTES / sizeof(uint64_t)] __uninitialized; /* read, or cleared */
    const struct subop *row;
    int rc = subop_read_control(f, arg, op, &row);

    return rc ? rc : subop_finish(row, arg, op, NULL);
}
