/* SPDX-License-Identifier: MIT */
/*
 * core/base/tlb.c, for the models that flush. Before it: NCPU, the machine's drain(c), change_cr3(c, whose) and STORE_TIME(c, time).
 *
 * cr3[c] says whose tables are loaded there; HV: the hypervisor's own, on an idle CPU. A wait is a guard that blocks, with
 * OR_SPIN_WAIT(c) beside it.
 */
#define TLB_EMPTY 255

byte cr3[NCPU];
byte dirty_cpus[DOMAINS];   /* d->dirty_cpus */
byte tlb_clock = 1;
byte tlb_time[NCPU];        /* cpu->tlb_time, as others see it */
byte own_time[NCPU];        /* ... and as its own CPU does */
bool work_flush[NCPU];      /* CPU_WORK_FLUSH in cpu->pending, with an interrupt */
bool in_hv[NCPU];           /* M_SKIP_HV */

#define bit(c) (1 << (c))
#define LOCKED_DO(c, what) d_step { drain(c); what }
#define CMPXCHG(c, word, old, new) d_step { word == (old) -> word = new; drain(c) }

/* Of the CPUs that `set` has, does i know what was mapped until the stamp? */
#define knows(set, i, stamp) ((set & bit(i)) && tlb_time[i] != TLB_EMPTY && tlb_time[i] <= (stamp))

inline load_cr3(c, whose)
{
#ifndef M_CLOCK_AFTER
    began = tlb_clock;                                  /* model: load_cr3.clock */
#endif
    d_step { drain(c); change_cr3(c, whose) };          /* model: load_cr3.flush */
#ifdef M_CLOCK_AFTER
    began = tlb_clock;
#endif
    STORE_TIME(c, began)                                /* model: load_cr3.time */
}

inline tlb_switch_begin(c, prev, next)
{
    if
    :: next != HV && prev == HV ->
        began = tlb_clock;
        STORE_TIME(c, began)                            /* model: tlb_switch_begin.not_empty */
    :: else
    fi;
    if
    :: next != HV && next != prev -> LOCKED_DO(c, dirty_cpus[next] = dirty_cpus[next] | bit(c))     /* model: tlb_switch_begin.bit */
    :: else
    fi
}

inline tlb_switch_end(c, prev, next)
{
    if
    :: next == HV -> STORE_TIME(c, TLB_EMPTY)           /* model: tlb_switch_end.empty */
    :: else
    fi;
    if
    :: prev != HV && next != prev -> LOCKED_DO(c, dirty_cpus[prev] = dirty_cpus[prev] & ~bit(c))    /* model: tlb_switch_end.bit */
    :: else
    fi
}

/* machine_context_switch() */
inline context_switch(c, next)
{
    prev = cr3[c];
#ifndef M_BIT_LATE
    tlb_switch_begin(c, prev, next);                    /* model: machine_context_switch.begin */
#endif
#ifdef M_END_EARLY
    tlb_switch_end(c, prev, next);
#endif
    load_cr3(c, next);                                  /* model: machine_context_switch.cr3 */
#ifdef M_BIT_LATE
    tlb_switch_begin(c, prev, next);
#endif
#ifndef M_END_EARLY
    tlb_switch_end(c, prev, next);                      /* model: machine_context_switch.end */
#endif
    prev = 0; began = 0
}

inline flush_tlb_local(c)
{
    began = tlb_clock;                                  /* model: flush_tlb_local.clock */
    if
    :: own_time[c] != TLB_EMPTY ->
#ifdef M_CLOCK_AFTER
        d_step { drain(c); change_cr3(c, cr3[c]) };
        began = tlb_clock;
#else
        d_step { drain(c); change_cr3(c, cr3[c]) };     /* model: flush_tlb_local.flush */
#endif
        STORE_TIME(c, began)                            /* model: flush_tlb_local.time */
    :: else
    fi
}

inline serve_flush(c)
{
    LOCKED_DO(c, work_flush[c] = 0);                    /* model: serve_flush.taken */
    flush_tlb_local(c)                                  /* model: serve_flush.flush */
}

/* One more way out of a loop that waits: spin_wait(). */
#ifdef M_NO_SERVE
#define OR_SPIN_WAIT(c)
#else
#define OR_SPIN_WAIT(c) :: work_flush[c] -> serve_flush(c)
#endif

#ifdef M_SKIP_HV
#define asked(i) (!in_hv[i])
#else
#define asked(i) 1
#endif

/* Of d's entries (HV: of anybody's), in the TLBs of `cpus`. The caller has changed the entries, and done a locked instruction. */
inline flush_cpus(c, d, cpus, stamp)
{
    need = (d == HV -> bit(NCPU) - 1 : dirty_cpus[d]) & (cpus);         /* model: flush_cpus.who */
    i = 0;
    do
    :: i < NCPU -> if :: !knows(need, i, stamp) -> need = need & ~bit(i) :: else fi; i++
    :: else -> break
    od;
    i = 0;
    if
    :: need == 0
    :: else ->
#ifndef M_NO_TICK
        atomic { drain(c); if :: tlb_clock == stamp -> tlb_clock++ :: else fi };    /* model: flush_cpus.tick */
#endif
        do
        :: i < NCPU ->
            if
            :: i != c && (need & bit(i)) && asked(i) -> work_flush[i] = 1           /* model: flush_cpus.ask */
            :: i != c && (need & bit(i)) && !asked(i) -> need = need & ~bit(i)
            :: else
            fi;
            i++
        :: else -> break
        od;
        if :: need & bit(c) -> flush_tlb_local(c) :: else fi;                       /* model: flush_cpus.local */
        i = 0;
        do
        :: i < NCPU ->
            if
            :: i != c && (need & bit(i)) ->
                do
                :: !knows((d == HV -> bit(i) : dirty_cpus[d]), i, stamp) -> break   /* model: flush_cpus.wait */
                OR_SPIN_WAIT(c)
                od
            :: else
            fi;
            i++
        :: else -> break
        od
    fi;
    i = 0; need = 0; began = 0
}

/* ok: no TLB knows what was mapped until the stamp. One CPU is looked at after the other. */
inline tlb_forgot(stamp)
{
    i = 0;
    do
    :: i < NCPU && knows(bit(NCPU) - 1, i, stamp) -> ok = 0; break      /* model: tlb_forgot.look */
    :: i < NCPU && !knows(bit(NCPU) - 1, i, stamp) -> i++
    :: i == NCPU -> ok = 1; break
    od;
    i = 0
}

inline flush_tlb_domain(c, d, cpus)
{
    d_step { drain(c); stamp = tlb_clock };             /* model: flush_tlb_domain.barrier */
    flush_cpus(c, d, cpus, stamp);                      /* model: flush_tlb_domain.flush */
    stamp = 0
}
