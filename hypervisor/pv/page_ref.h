/* SPDX-License-Identifier: MIT */
/*
 * The type machine (page_type.c) where nothing is in the way: a type that a frame has already, one
 * reference of several, a table that nobody else writes to. Without a call, as each change of an
 * entry has some of them; all else is said, and done, there.
 */
#ifndef PV_PAGE_REF_H
#define PV_PAGE_REF_H

#include <port/atomic.h>
#include <pv/mm.h>

static inline uint64_t table_type(unsigned int level)
{
    return (uint64_t)level << PGT_type_shift;
}

/* 1..4 for a page table, else what is no level: 0, 5 (descriptors), 7 (writable). */
static inline unsigned int table_level(uint64_t type_info)
{
    return (unsigned int)(type_info >> PGT_type_shift);
}

static inline bool is_table_type(uint64_t type_info)
{
    unsigned int level = table_level(type_info);
    return level >= 1 && level <= 4;
}

/* get_page_type() of a frame that has the type, or had it last and nothing else since; and whose
 * count does not wrap (XSA-37). */
static inline bool take_type(struct page_info *pg, uint64_t type)
{
    uint64_t x = READ_ONCE(pg->type_info);

    return likely((x & (PGT_type_mask | PGT_validated)) == (type | PGT_validated)) &&
           likely((x + 1) & PGT_count_mask) && likely(cmpxchg(&pg->type_info, x, x + 1) == x);
}

/* put_page_type_preemptible() of one reference of several, when nobody has it locked. */
static inline bool give_type(struct page_info *pg)
{
    uint64_t x = READ_ONCE(pg->type_info);

    return likely((x & PGT_count_mask) > 1) && likely(!(x & PGT_locked)) &&
           likely(cmpxchg(&pg->type_info, x, x - 1) == x);
}

static inline void page_unlock(struct page_info *pg)
{
    atomic_sub_return(&pg->type_info, 1 | PGT_locked);
}

enum locked { REFUSED, LOCKED, ANOTHERS };
enum locked page_is_lost(struct page_info *pg); /* it was another's when it was locked */

/*
 * Race: as a table it keeps its owner, who is looked at when it is locked; and before, so that who
 * names tables of others neither locks them nor waits for who does.
 */
static inline enum locked lock_now(struct page_info *pg, const struct domain *d)
{
    uint64_t x;

    do {
        x = READ_ONCE(pg->type_info);
        /* Its count: 0 would be no table, all ones a guest that tries to make it overflow. */
        if (unlikely(READ_ONCE(pg->owner) != d->domain_id || !(x & PGT_validated) ||
                     !is_table_type(x) || ((x + 1) & PGT_count_mask) <= 1))
            return REFUSED;
        if (unlikely(x & PGT_locked))
            return ANOTHERS;
    } while (unlikely(cmpxchg(&pg->type_info, x, (x + 1) | PGT_locked) != x));
    return likely(READ_ONCE(pg->owner) == d->domain_id) ? LOCKED : page_is_lost(pg);
}

/* When another CPU has unlocked it. */
bool __must_check page_lock_later(struct page_info *pg, const struct domain *d);

/* The lock of a page table: one writer of entries at a time. Fails (false) unless it is a validated
 * page table of d. Holds a type reference, and the last other type reference is not dropped
 * meanwhile, so no general reference is needed beside it. No page_lock is taken while another is
 * held. */
static inline bool __must_check page_lock(struct page_info *pg, const struct domain *d)
{
    enum locked how = lock_now(pg, d);

    return likely(how == LOCKED) || (how == ANOTHERS && page_lock_later(pg, d));
}

#endif
