/* SPDX-License-Identifier: MIT */
/*
 * The flush protocol: which CPUs may still know an old translation, and how they forget it.
 *
 * A CPU may know translations of a domain from before it loads one of the domain's tables until
 * after it has loaded another's; d->dirty_cpus says which CPUs are so. Each load of CR3 but the
 * change between kernel and user flushes all that the CPU knows, and an idle CPU runs on the
 * hypervisor's own table and knows nothing (TLB_EMPTY). So nobody asks a CPU that does not run the
 * domain.
 *
 * Few flushes are needed at all. The clock ticks when somebody needs one. A frame that stops being
 * mapped is stamped with the clock; each CPU notes what the clock was when its last flush began
 * (tlb_time). A CPU whose flush began when the clock was beyond the stamp has flushed since. Before
 * the frame gets another use, the others are asked, by a bit of cpu->pending and an interrupt, and
 * waited for; whoever flushed for another reason meanwhile is done too. A CPU serves the request on
 * the exit path, in spin_wait() and in hypercall_preempt_check(). It is asked in the hypervisor
 * too: copies to and from the guest go through the same TLB.
 *
 * Race: the CPU notes its time and sets its bit, has a full barrier, walks the tables. Who flushes
 * has changed the tables, has a full barrier, reads bits and times. Whoever comes second sees what
 * the other did: either the CPU is asked, or it can only see the new entry.
 *
 * Old stamps: a CPU flushes at least every 2^30 ticks (tlb_keep_young()). A stamp more than 2^31
 * ticks old looks like one of the future and is taken for one of now: one flush too many.
 *
 * No lock. Whoever waits here may hold any, as who waits for those serves flushes meanwhile.
 */
#include <core/base/count.h>
#include <core/base/tlb.h>
#include <core/state/domain.h>
#include <port/wait.h>

#define MOST_TICKS (1u << 30)

struct tlb_clock tlb_clock_line = {.now = 1};
static uint32_t cache_clock;
uint64_t tlb_cpus;

static uint64_t bit_of(const struct cpu *c)
{
    return 1ull << c->id;
}

void tlb_init_cpu(struct cpu *c)
{
    c->tlb_time = TLB_EMPTY;
    atomic_or(&tlb_cpus, bit_of(c));
}

void tlb_switch_begin(struct domain *prev, struct domain *next)
{
    struct cpu *me = this_cpu();

    if (next && !prev) /* not empty any more; before the bit */
        /* model: tlb_switch_begin.not_empty */
        __atomic_store_n(&me->tlb_time, tlb_clock(), __ATOMIC_RELAXED);
    if (next && next != prev)                     /* a full barrier, before CR3 */
        atomic_or(&next->dirty_cpus, bit_of(me)); /* model: tlb_switch_begin.bit */
}

void tlb_switch_end(struct domain *prev, struct domain *next)
{
    struct cpu *me = this_cpu();

    if (!next)
        /* model: tlb_switch_end.empty */
        __atomic_store_n(&me->tlb_time, TLB_EMPTY, __ATOMIC_RELEASE);
    if (prev && prev != next)
        atomic_and(&prev->dirty_cpus, ~bit_of(me)); /* model: tlb_switch_end.bit */
}

void flush_tlb_local(void)
{
    struct cpu *me = this_cpu();
    /* model: flush_tlb_local.clock */
    uint32_t began = tlb_clock(); /* before the flush, as in load_cr3() */

    if (__atomic_load_n(&me->tlb_time, __ATOMIC_RELAXED) & TLB_EMPTY)
        return;
    machine_flush_tlb();                                      /* model: flush_tlb_local.flush */
    __atomic_store_n(&me->tlb_time, began, __ATOMIC_RELEASE); /* model: flush_tlb_local.time */
}

static bool flushed_since(const struct cpu *c, uint32_t stamp)
{
    uint64_t time = __atomic_load_n(&c->tlb_time, __ATOMIC_ACQUIRE);

    return (time & TLB_EMPTY) || (int32_t)((uint32_t)time - stamp) > 0;
}

/* Those of the CPUs that have guests (of d's, if not NULL). */
static uint64_t in_use(const struct domain *d, uint64_t cpus)
{
    return cpus & __atomic_load_n(d ? &d->dirty_cpus : &tlb_cpus, __ATOMIC_ACQUIRE);
}

/* Those of the CPUs that may know what was mapped until stamp. */
static __noinline uint64_t may_know(uint64_t cpus, uint32_t stamp)
{
    uint64_t left, need = 0;

    for (left = cpus; left; left &= left - 1)
        if (!flushed_since(cpu_by_id((unsigned int)__builtin_ctzll(left)), stamp))
            need |= left & -left;
    return need;
}

static __noinline void ask(uint64_t cpus)
{
    count_event(current, COUNTER_flushes_of_others);
    for (; cpus; cpus &= cpus - 1)
        cpu_raise(cpu_by_id((unsigned int)__builtin_ctzll(cpus)), CPU_WORK_FLUSH);
}

static __noinline void wait_for(uint64_t cpus, const struct domain *d, uint32_t stamp)
{
    for (; cpus; cpus &= cpus - 1) {
        struct wait w = WAIT("its flush", (unsigned int)__builtin_ctzll(cpus));

        while (may_know(in_use(d, cpus & -cpus), stamp))
            spin_wait(&w);
    }
}

/* A full barrier lies between the change of the tables and here. */
static void flush_cpus(const struct domain *d, uint64_t cpus, uint32_t stamp)
{
    struct cpu *c = this_cpu();
    uint64_t others = in_use(d, cpus), me = others & bit_of(c); /* model: flush_cpus.who */

    others &= ~me;
    if (me && flushed_since(c, stamp))
        me = 0;
    if (others)
        others = may_know(others, stamp);
    if (!(me | others))
        return;
    c->delayed = true;
    /* A flush that begins from here on counts. Not the stamp any more: the clock is beyond. */
    (void)cmpxchg(&tlb_clock_line.now, stamp, stamp + 1); /* model: flush_cpus.tick */
    if (others)
        ask(others); /* model: flush_cpus.ask */
    if (me)
        flush_tlb_local(); /* model: flush_cpus.local */
    if (others)
        wait_for(others, d, stamp); /* model: flush_cpus.wait */
}

void flush_tlb_stamp(struct domain *d, uint32_t stamp)
{
    uint32_t now = tlb_clock();

    flush_cpus(d, ALL_CPUS, (int32_t)(now - stamp) < 0 ? now : stamp);
}

/* The same barrier lies before, by the lock of whoever has the stamp. */
bool tlb_forgot(uint32_t stamp)
{
    return !may_know(in_use(NULL, ALL_CPUS), stamp); /* model: tlb_forgot.look */
}

void flush_tlb_domain(struct domain *d, uint64_t cpus)
{
    smp_mb();                         /* model: flush_tlb_domain.barrier */
    flush_cpus(d, cpus, tlb_clock()); /* model: flush_tlb_domain.flush */
}

void flush_tlb_one_domain(struct domain *d, uint64_t cpus, gva_t va)
{
    uint64_t me = bit_of(this_cpu());

    smp_mb(); /* model: flush_tlb_one_domain.barrier */
    if (cpus & me & READ_ONCE(d->dirty_cpus))
        flush_tlb_one_local(va);            /* model: flush_tlb_one_domain.local */
    flush_cpus(d, cpus & ~me, tlb_clock()); /* model: flush_tlb_one_domain.others */
}

/* As with TLBs, with a clock that ticks for each; and idle CPUs have caches too. */
void flush_cache_all(void)
{
    uint32_t wanted = atomic_add_return(&cache_clock, 1); /* model: flush_cache_all.tick */
    uint64_t left;

    for (left = READ_ONCE(tlb_cpus); left; left &= left - 1)
        /* model: flush_cache_all.ask */
        cpu_raise(cpu_by_id((unsigned int)__builtin_ctzll(left)), CPU_WORK_WBINVD);
    for (left = READ_ONCE(tlb_cpus); left; left &= left - 1) {
        struct cpu *c = cpu_by_id((unsigned int)__builtin_ctzll(left));
        struct wait w = WAIT("the flush of its cache", c->id);

        /* model: flush_cache_all.wait */
        while ((int32_t)(__atomic_load_n(&c->cache_time, __ATOMIC_ACQUIRE) - wanted) < 0)
            spin_wait(&w);
    }
}

void serve_flush(void)
{
    struct cpu *me = this_cpu();
    /* Race: the bits go first. Who sets them again meanwhile is served once more. */
    /* model: serve_flush.taken */
    uint32_t asked = __atomic_fetch_and(&me->pending, ~CPU_WORK_FLUSHES, __ATOMIC_SEQ_CST);

    if (asked & CPU_WORK_FLUSH)
        flush_tlb_local(); /* model: serve_flush.flush */
    if (asked & CPU_WORK_WBINVD) {
        /* model: serve_flush.cache_clock */
        uint32_t began = __atomic_load_n(&cache_clock, __ATOMIC_ACQUIRE);

        machine_flush_cache(); /* model: serve_flush.cache */
        /* model: serve_flush.cache_time */
        __atomic_store_n(&me->cache_time, began, __ATOMIC_RELEASE);
    }
}

void tlb_keep_young(void)
{
    if (unlikely(tlb_clock() - (uint32_t)this_cpu()->tlb_time >= MOST_TICKS))
        flush_tlb_local();
}
