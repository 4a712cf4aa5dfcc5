/* SPDX-License-Identifier: MIT */
/*
 * The type machine: what a frame may be used for.
 *
 *                 first reference                last reference given back
 *     untyped  ---------------------->  in change  <-------------------- typed (validated, count n)
 *     (count 0)                         (count 1, neither validated nor partial)
 *        ^                               |    |  ^
 *        |   contents refused, or        |    |  | taken up again
 *        +--- all entries undone --------+    v  |
 *                                        partial (count 1)
 *
 * A frame's type is fixed while its type count is above 0; types exclude each other, so no table is
 * ever writable by a guest. The first reference moves the frame to its type: stale TLB entries of
 * its old use are flushed, then the contents are checked and each entry of a table takes references
 * on what it names (page_promote.c); the last one gives those back. Both can be long and are then
 * pre-empted.
 *
 * One rule makes pre-emption safe (XSA-45, 58, 290, 299, 309, 310): in the state `partial`, the one
 * type reference and one general reference belong to the state itself, to no caller. nr_validated
 * says that exactly the entries below it hold references. Whoever comes next, promoting or
 * demoting, takes the state over by clearing PGT_partial; a caller that got -XEN_ERESTART holds
 * nothing and simply asks again. So no caller has to remember what it half holds, and nothing is
 * given back twice.
 *
 * Linear page tables are refused, so types only refer downwards (XSA-240, 286): waiting for another
 * CPU's change cannot form a cycle.
 */
#include <core/base/hypercall.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <port/wait.h>
#include <pv/pv_mm.h>

/*
 * The last reference of a frame in change goes: from now on it is x, with a count of 0.
 *
 * XSA-241. Race: the stamp is read when nobody holds a reference: the frame is in change, and the
 * compare and exchange that made it so was a full barrier after the last entry was cleared. A CPU
 * whose last flush began when the clock was beyond the stamp has flushed since. Whoever takes the
 * first reference after the store sees the stamp.
 */
static void end_use(struct page_info *pg, uint64_t x)
{
    pg->tlb_stamp = tlb_clock();                           /* model: end_use.stamp */
    __atomic_store_n(&pg->type_info, x, __ATOMIC_RELEASE); /* model: end_use.out */
}

/* Undoes "in change" on failure, or ends an undoing: the type count goes to 0. */
static void drop_to_untyped(struct page_info *pg)
{
    end_use(pg, READ_ONCE(pg->type_info) & PGT_type_mask); /* model: drop_to_untyped.out */
}

/* Leaves a change half done: the state gets references of its own. The caller's general reference
 * keeps the frame meanwhile. */
static void leave_partial(struct page_info *pg)
{
    atomic_add_return(&pg->count_info, 1);
    atomic_or(&pg->type_info, PGT_partial);
}

/*
 * Remembers pg, whose undoing goes on with that of child, if child was given up first. Two tables
 * that have nothing to do with each other are put off where both base tables of a context go back
 * at once; all else that puts off finishes first what was put off before.
 */
static void put_off(struct page_info *pg, struct domain *d, mfn_t child)
{
    mfn_t *slot = current->arch.pv.old_guest_table, mfn = page_to_mfn(pg);

    /* No reference to be had: another CPU took it up and ended it, and it is free. */
    if (mfn_eq(slot[0], mfn) || mfn_eq(slot[1], mfn) || !get_page(pg, d))
        return;
    if (slot[0].n && !mfn_eq(slot[0], child))
        slot++;
    if (slot->n)
        put_page(mfn_to_page(*slot));
    *slot = mfn;
}

/* The frame is in change (ours alone) with nr_validated set: checks the rest of its contents. */
static int promote(struct page_info *pg, uint64_t type, struct domain *d)
{
    int rc = 0, undo;

    if (type != PGT_writable_page)
        rc = promote_contents(pg, type, d);
    if (likely(rc == 0)) {
        atomic_or(&pg->type_info, PGT_validated); /* model: promote.validated */
        return 0;
    }
    if (rc != -XEN_ERESTART) {
        undo = 0;
        if (table_level(type) > 1 && hypercall_preempt_check())
            undo = -XEN_ERESTART; /* the way here has used up the slice: each level puts it off */
        else if (is_table_type(type))
            undo = demote_contents(pg, type, d);
        if (!undo) {
            drop_to_untyped(pg);
            return rc;
        }
        /* XSA-310: giving up may be as long as going on was. */
        put_off(pg, d, pg->child_partial ? pte_mfn(*table_entry(pg, pg->nr_validated)) : MFN(0));
    }
    leave_partial(pg);
    return rc;
}

/* The frame is in change, nr_validated set: gives the references of its entries back. */
static int demote(struct page_info *pg, uint64_t type, struct domain *d)
{
    int rc = demote_contents(pg, type, d);

    if (rc)
        leave_partial(pg);
    else
        drop_to_untyped(pg);
    return rc;
}

/* The count was 0, and type_info is `type | 1` now, ours alone. x is what it was. */
static int change_type(struct page_info *pg, uint64_t x, uint64_t type, struct domain *d)
{
    uint64_t old = x & PGT_type_mask;

    /*
     * XSA-241, 286, 408: whatever the frame was used for, no TLB (and no paging-structure cache)
     * may still know it: a guest could write to a table, or the CPU walk a page that is written.
     * The new type does not matter. A frame that had no type was flushed when it was allocated.
     * XSA-401: others wait, because PGT_validated is set only after this.
     */
    if (old != PGT_none && old != type)
        flush_tlb_stamp(d, pg->tlb_stamp); /* model: change_type.flush */
    /* XSA-402: memory that was written around the caches is read here through them. */
    if (unlikely(READ_ONCE(pg->count_info) & PGC_noncoherent) && type != PGT_writable_page) {
        atomic_and(&pg->count_info, ~PGC_noncoherent);
        flush_cache_all();
    }
    pg->nr_validated = 0;
    pg->child_partial = 0;
    pg->used = 0;
    return promote(pg, type, d);
}

static int take_up_promotion(struct page_info *pg, uint64_t type, struct domain *d)
{
    int rc = promote(pg, type, d);

    put_page(pg); /* the state's own */
    return rc;
}

/* Another CPU has the frame in change, for no longer than its slice. */
static __noinline void wait_for_change(const struct page_info *pg, uint64_t x)
{
    struct wait w = WAIT("a frame's change of type", NO_CPU);

    while (READ_ONCE(pg->type_info) == x)
        spin_wait(&w);
}

/* Another CPU writes to the table. */
static __noinline void wait_for_unlock(const struct page_info *pg)
{
    struct wait w = WAIT("the lock of a page table", NO_CPU);

    while (READ_ONCE(pg->type_info) & PGT_locked)
        spin_wait(&w);
}

/* Not inline: who finds the type as it is saves no registers for the rest. */
static __noinline int get_page_type_slow(struct page_info *pg, uint64_t type, struct domain *d)
{
    for (;;) {
        uint64_t x = READ_ONCE(pg->type_info);

        if ((x & PGT_count_mask) == 0 && !(x & PGT_validated && (x & PGT_type_mask) == type)) {
            if (cmpxchg(&pg->type_info, x, type | 1) == x) /* model: get_page_type_slow.in_change */
                return change_type(pg, x, type, d);
        } else if ((x & PGT_type_mask) != type || (x & PGT_count_mask) == PGT_count_mask) {
            return -XEN_EINVAL;
        } else if (x & PGT_validated) {
            if (cmpxchg(&pg->type_info, x, x + 1) == x)
                return 0;
        } else if (x & PGT_partial) {
            if (cmpxchg(&pg->type_info, x, x & ~PGT_partial) == x)
                return take_up_promotion(pg, type, d);
        } else {
            wait_for_change(pg, x); /* model: get_page_type_slow.wait */
        }
    }
}

int get_page_type(struct page_info *pg, uint64_t type, struct domain *d)
{
    return take_type(pg, type) ? 0 : get_page_type_slow(pg, type, d);
}

bool get_page_and_writable(struct page_info *pg, struct domain *d)
{
    if (!get_page(pg, d))
        return false;
    if (!get_page_type(pg, PGT_writable_page, d))
        return true;
    put_page(pg);
    return false;
}

/* The last reference of a frame that is no table: its type stays noted, with the time until when
 * TLBs may know it. Who wants a reference meanwhile waits: one that came and went unseen could be
 * younger than the stamp. */
static bool put_last_plain(struct page_info *pg, uint64_t x)
{
    /* model: put_last_plain.in_change */
    if (unlikely(cmpxchg(&pg->type_info, x, x & ~PGT_validated) != x))
        return false;
    end_use(pg, x - 1); /* model: put_last_plain.out */
    return true;
}

/* XSA-242: the lock's reference is never the last. */
static bool must_wait(uint64_t x)
{
    return unlikely(x & PGT_locked) && (x & PGT_count_mask) == 2;
}

/* One attempt to drop one of several references, or the last of a plain frame; false: type_info is
 * no longer x. */
static bool try_put(struct page_info *pg, uint64_t x)
{
    ASSERT(x & PGT_count_mask);
    if ((x & PGT_count_mask) == 1)
        return put_last_plain(pg, x);
    return cmpxchg(&pg->type_info, x, x - 1) == x;
}

void put_page_type(struct page_info *pg)
{
    uint64_t x;

    do {
        x = READ_ONCE(pg->type_info);
        BUG_ON(is_table_type(x)); /* that may be locked, and the last may take long: see below */
    } while (unlikely(!try_put(pg, x)));
}

/* Not inline, as above. */
static __noinline int put_page_type_slow(struct page_info *pg, struct domain *d)
{
    for (;;) {
        uint64_t x = READ_ONCE(pg->type_info);

        if (must_wait(x)) {
            wait_for_unlock(pg);
        } else if ((x & PGT_count_mask) != 1 || !is_table_type(x)) {
            if (try_put(pg, x))
                return 0;
            /* model: put_page_type_slow.in_change */
        } else if (cmpxchg(&pg->type_info, x, x & ~PGT_validated) == x) {
            /* Not validated any more: others wait, or see `partial`. */
            pg->nr_validated = TABLE_ENTRIES;
            pg->child_partial = 0;
            return demote(pg, x & PGT_type_mask, d);
        }
    }
}

int put_page_type_preemptible(struct page_info *pg, struct domain *d)
{
    return give_type(pg) ? 0 : put_page_type_slow(pg, d);
}

void put_page_and_type(struct page_info *pg)
{
    put_page_type(pg);
    put_page(pg);
}

int put_page_and_type_preemptible(struct page_info *pg, struct domain *d)
{
    int rc = put_page_type_preemptible(pg, d);

    put_page(pg);
    return rc;
}

int resume_demotion(struct page_info *pg, struct domain *d)
{
    int rc = 0;

    if (!get_page(pg, d))
        return 0;
    for (;;) {
        uint64_t x = READ_ONCE(pg->type_info);

        if (!(x & PGT_partial))
            break;
        if (cmpxchg(&pg->type_info, x, x & ~PGT_partial) == x) {
            rc = demote(pg, x & PGT_type_mask, d);
            put_page(pg); /* the state's own */
            break;
        }
    }
    put_page(pg);
    return rc;
}

void defer_demotion(struct page_info *pg, struct domain *d)
{
    put_off(pg, d, MFN(0));
}

static __noinline void put_table_slow(struct page_info *pg, struct domain *d)
{
    if (unlikely(put_page_and_type_preemptible(pg, d)))
        defer_demotion(pg, d);
}

void put_table(struct domain *d, mfn_t mfn)
{
    struct page_info *pg = mfn_to_page(mfn);

    if (give_type(pg))
        put_page(pg);
    else
        put_table_slow(pg, d);
}

int pv_finish_put_off(struct vcpu *v)
{
    mfn_t *slot = v->arch.pv.old_guest_table;

    while (slot[0].n) {
        struct page_info *pg = mfn_to_page(slot[0]);
        /* The reference in the slot keeps the owner, which may be another domain that this one
         * builds. */
        struct domain *owner = owner_of_page(pg);
        int rc = owner ? resume_demotion(pg, owner) : 0;

        if (rc)
            return rc;
        slot[0] = slot[1];
        slot[1] = MFN(0);
        put_page(pg);
    }
    return 0;
}

enum locked page_is_lost(struct page_info *pg)
{
    page_unlock(pg);
    return REFUSED;
}

bool page_lock_later(struct page_info *pg, const struct domain *d)
{
    enum locked how;

    do {
        wait_for_unlock(pg); /* model: page_lock_later.wait */
        how = lock_now(pg, d);
    } while (how == ANOTHERS);
    return how == LOCKED;
}
