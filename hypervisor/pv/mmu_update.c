/* SPDX-License-Identifier: MIT */
/*
 * mmu_update: a batch of changes to page-table entries and to M2P (core/frame/m2p.h).
 *
 * Requests are copied in a few at a time, each is carried out on the copy. Neighbouring requests
 * mostly hit the same table: it stays locked from one to the next, and all locks are dropped before
 * the batch gives way or another table is taken.
 *
 * A frame that is no table may be named too: the word is then plainly written, under a writable
 * type reference, as the guest could itself.
 */
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/frame/m2p.h>
#include <pv/pv_mm.h>

#define CHUNK 16u

struct batch {
    struct vcpu *v;
    struct domain *pt_owner;  /* whose tables are written     */
    struct domain *pg_owner;  /* whose frames they may map    */
    bool translated;          /* which that one numbers in its own way */
    struct page_info *locked; /* the table under lock, or NULL */
    unsigned int other;       /* requests done that wrote no entry */
};

static void release_table(struct batch *b)
{
    if (b->locked)
        page_unlock(b->locked);
    b->locked = NULL;
}

/* A frame that is no table: an ordinary write. */
static int write_plain(struct batch *b, struct page_info *pg, unsigned int index, uint64_t val)
{
    uint64_t *words;

    if (!get_page_and_writable(pg, b->pt_owner))
        return refused(-XEN_EINVAL, "mmu_update: frame %#lx is neither a table nor writable",
                       page_to_mfn(pg).n);
    words = map_guest_frame(b->pt_owner, page_to_mfn(pg));
    WRITE_ONCE(words[index], val);
    unmap_guest_frame(b->pt_owner, words);
    put_page_and_type(pg);
    b->other++;
    return 0;
}

static inline unsigned int index_of(uint64_t ptr)
{
    return (unsigned int)(ptr & ~PAGE_MASK) / sizeof(uint64_t);
}

static int update_entry(struct batch *b, uint64_t ptr, uint64_t val, enum pte_write how)
{
    const uint64_t *entry;
    mfn_t mfn = MFN(ptr >> PAGE_SHIFT);
    struct page_info *pg;

    if (unlikely(!b->locked || !mfn_eq(page_to_mfn(b->locked), mfn))) {
        release_table(b);
        if (unlikely(!mfn_valid(mfn)))
            return refused(-XEN_EINVAL, "mmu_update: %#lx is not RAM", ptr);
        pg = mfn_to_page_nospec(mfn);
        if (unlikely(!page_lock(pg, b->pt_owner)))
            return write_plain(b, pg, index_of(ptr), val);
        b->locked = pg;
    }
    entry = table_entry(b->locked, index_of(ptr));
    return write_pte(b->pt_owner, b->locked, entry, READ_ONCE(*entry), val, how, b->pg_owner);
}

static int update_translated(struct batch *b, uint64_t ptr, uint64_t val, enum pte_write how)
{
    int rc = unlikely(b->translated) ? pv_translate_entry(&val, b->pg_owner) : 0;

    return unlikely(rc) ? rc : update_entry(b, ptr, val, how);
}

static int update_m2p(struct batch *b, uint64_t ptr, uint64_t pfn)
{
    struct page_info *pg;

    if (b->pt_owner != b->v->domain)
        return -XEN_EPERM;
    if (b->translated)
        return refused(-XEN_EOPNOTSUPP, "MMU_MACHPHYS_UPDATE: d%u's entries say it themselves",
                       b->pg_owner->domain_id);
    pg = get_page_from_mfn(MFN(ptr >> PAGE_SHIFT), b->pg_owner);
    if (!pg)
        return refused(-XEN_EINVAL, "MMU_MACHPHYS_UPDATE: %#lx is not a frame of d%u", ptr,
                       b->pg_owner->domain_id);
    set_gpfn(page_to_mfn(pg), 0, pfn);
    put_page(pg); /* XSA-113: on every path */
    b->other++;
    return 0;
}

static int do_request(struct batch *b, const struct mmu_update *req)
{
    switch (req->ptr & (sizeof(uint64_t) - 1)) {
    case MMU_NORMAL_PT_UPDATE:
        return update_translated(b, req->ptr, req->val, PTE_WRITE);
    case MMU_PT_UPDATE_NO_TRANSLATE:
        return update_entry(b, req->ptr, req->val, PTE_WRITE);
    case MMU_PT_UPDATE_PRESERVE_AD:
        return update_translated(b, req->ptr, req->val, PTE_WRITE_PRESERVE_AD);
    case MMU_MACHPHYS_UPDATE:
        return update_m2p(b, req->ptr, req->val);
    default:
        return -XEN_ENOSYS;
    }
}

/* An entry of an upper table may bring in, and let go, all that an L1 table maps; a table given up
 * is first undone, before another can be. */
static bool changed_upper(const struct batch *b)
{
    return b->locked && table_level(READ_ONCE(b->locked->type_info)) > 1;
}

/* Carries out requests from ureqs on: *i is how many were done, whatever the result. */
static int run_batch(struct batch *b, gva_t ureqs, unsigned int count, unsigned int *i)
{
    struct mmu_update req[CHUNK] __uninitialized;
    int rc = 0;

    while (*i < count && !rc) {
        unsigned int n = MIN(count - *i, CHUNK);
        gva_t from = ureqs + (uint64_t)*i * sizeof(req[0]);

        if (*i && hypercall_preempt_check())
            return -XEN_ERESTART;
        /* Only the last requests of the list may be unreadable; those before them are still done.
         */
        if (copy_from_guest(req, from, n * sizeof(req[0]))) {
            n = 1;
            if (copy_from_guest(req, from, sizeof(req[0])))
                return -XEN_EFAULT;
        }
        for (unsigned int k = 0; k < n; k++) {
            rc = do_request(b, &req[k]);
            if (unlikely(rc))
                break;
            ++*i;
            if (unlikely(changed_upper(b)) && *i < count &&
                (b->v->arch.pv.old_guest_table[0].n || hypercall_preempt_check_step()))
                return -XEN_ERESTART;
            if (unlikely(hypercall_delayed_check()) && *i < count)
                return -XEN_ERESTART;
        }
    }
    return rc;
}

/* The domain whose tables are written: high half of foreigndom, 1 + id; 0: the caller. */
static int get_pt_owner(struct domain *d, unsigned int foreigndom, struct domain **out)
{
    unsigned int id = foreigndom >> 16;

    *out = d;
    if (likely(!id) || id - 1 == d->domain_id)
        return 0;
    return get_domain_permitted((domid_t)(id - 1), out);
}

static int with_owners(struct vcpu *v, gva_t ureqs, unsigned int count, unsigned int foreigndom,
                       unsigned int *i)
{
    struct batch b = {.v = v};
    int rc = get_pt_owner(v->domain, foreigndom, &b.pt_owner);

    if (unlikely(rc))
        return rc;
    rc = get_pg_owner((domid_t)foreigndom, &b.pg_owner);
    if (likely(!rc)) {
        b.translated = is_translated(b.pg_owner);
        rc = run_batch(&b, ureqs, count, i);
        release_table(&b);
        count_events(v, COUNTER_ptes_written, *i - b.other);
        put_pg_owner(b.pg_owner);
    }
    if (unlikely(b.pt_owner != v->domain))
        put_domain(b.pt_owner);
    return rc;
}

static __noinline long update_many(struct vcpu *v, gva_t ureqs, unsigned int count, gva_t pdone,
                                   unsigned int foreigndom)
{
    unsigned int i = 0, done = 0;
    long rc;

    if (unlikely(pv_finish_old_table(v)))
        return hypercall_create_continuation(ureqs, count, pdone, foreigndom);
    /* All was done but for a table given up, which now is; the result travels in foreigndom. */
    if (unlikely(count == MMU_UPDATE_PREEMPTED && !ureqs))
        return (int)foreigndom;
    if (unlikely(count & MMU_UPDATE_PREEMPTED)) {
        count &= ~MMU_UPDATE_PREEMPTED;
        if (pdone && copy_from_guest(&done, pdone, sizeof(done)))
            done = 0; /* the guest took its counter away: it counts from here */
    }
    if (unlikely(!guest_range_ok(ureqs, (uint64_t)count * sizeof(struct mmu_update))))
        return -XEN_EFAULT;

    rc = with_owners(v, ureqs, count, foreigndom, &i);
    if (pdone) {
        done += i;
        if (copy_to_guest(pdone, &done, sizeof(done)) && !rc)
            log_guest(v->domain, "d%u: mmu_update cannot report how much was done",
                      v->domain->domain_id);
    }
    return mmu_conclude(v, rc, ureqs + i * sizeof(struct mmu_update), count - i, pdone, foreigndom);
}

/* One entry of a table of the caller's own, as kernels mostly ask: what the batch would do, which
 * gets what turns out to be something else. */
static long update_one(struct vcpu *v, gva_t ureq)
{
    struct mmu_update req __uninitialized;
    struct domain *d = v->domain;
    struct page_info *table;
    const uint64_t *entry;
    long rc;

    if (unlikely(copy_from_guest(&req, ureq, sizeof(req)) ||
                 req.ptr % sizeof(uint64_t) != MMU_NORMAL_PT_UPDATE ||
                 !mfn_in_table(MFN(req.ptr >> PAGE_SHIFT))))
        return update_many(v, ureq, 1, 0, DOMID_SELF);
    table = mfn_to_page_nospec(MFN(req.ptr >> PAGE_SHIFT));
    if (unlikely(!page_lock(table, d)))
        return update_many(v, ureq, 1, 0, DOMID_SELF);
    entry = table_entry(table, index_of(req.ptr));
    rc = write_pte(d, table, entry, READ_ONCE(*entry), req.val, PTE_WRITE, d);
    page_unlock(table);
    if (likely(!rc))
        count_event(v, COUNTER_ptes_written);
    return mmu_conclude(v, rc, ureq, 1, 0, DOMID_SELF);
}

long do_mmu_update(gva_t ureqs, unsigned int count, gva_t pdone, unsigned int foreigndom)
{
    struct vcpu *v = current;

    if (likely(count == 1) && is_plain(v, pdone, foreigndom))
        return update_one(v, ureqs);
    return update_many(v, ureqs, count, pdone, foreigndom);
}
