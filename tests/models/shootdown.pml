/* SPDX-License-Identifier: MIT */
/*
 * A domain's CPUs change entries and flush them, of one address or all, with every plain store of the protocol in a store buffer
 * (first in, first out, as on x86): of entries, and of tlb_time. What flush.pml takes for granted of them is checked here.
 *
 * Two entries; each is cleared at most once, by any CPU, which flushes then. CPUs idle and come back meanwhile, and page walkers fill
 * their TLBs at any time.
 *
 * Shown: when a flush returns, no CPU knows the entry that was cleared. Mutants: see runs.py.
 */
#define HV 0
#define D1 1
#define DOMAINS 2
#define ENTRIES 2
#define TIME 100
#define ALL_CPUS 255

bool entry[ENTRIES] = 1;
bool taken[ENTRIES];        /* somebody clears it */
byte tlb[NCPU];             /* a bit per entry */
chan buffer[NCPU] = [3] of { byte, byte };      /* what is stored to, the value */

/* ---- the machine ---- */

inline arrives(c) { buffer[c] ? at, value; if :: at == TIME -> tlb_time[c] = value :: else -> entry[at] = value fi; at = 0; value = 0 }
inline drain(c) { do :: nempty(buffer[c]) -> arrives(c) :: empty(buffer[c]) -> break od }
#define change_cr3(c, whose) cr3[c] = whose; tlb[c] = 0
#define STORE_TIME(c, time) own_time[c] = time; buffer[c] ! TIME, time

#include "tlb.pml"

inline flush_tlb_one_domain(c, d, cpus, e)
{
    LOCKED_DO(c, skip);                                 /* model: flush_tlb_one_domain.barrier */
    if
    :: (cpus & bit(c)) && (dirty_cpus[d] & bit(c)) ->
        d_step { drain(c); tlb[c] = tlb[c] & ~bit(e) };     /* model: flush_tlb_one_domain.local */
#ifdef M_ONE_COUNTS
        began = tlb_clock; STORE_TIME(c, began)
#endif
    :: else
    fi;
    stamp = tlb_clock;
    flush_cpus(c, d, cpus & ~bit(c), stamp);            /* model: flush_tlb_one_domain.others */
    stamp = 0
}

inline clear_and_flush(c, e)
{
    buffer[c] ! e, 0;
    if
#ifdef M_NO_MB
    :: stamp = tlb_clock; flush_cpus(c, D1, ALL_CPUS, stamp); stamp = 0
#else
    :: flush_tlb_domain(c, D1, ALL_CPUS)
#endif
    :: flush_tlb_one_domain(c, D1, ALL_CPUS, e)
    fi;
    assert(!((tlb[0] | tlb[1]) & bit(e)))
}

proctype cpu(byte c)
{
    byte prev, began, need, i, stamp, n, at, value;

end_guest:
    do
    :: work_flush[c] -> serve_flush(c); began = 0
    :: n < OPS ->
        n++;
        if
        :: atomic { cr3[c] == D1 && !taken[0] -> taken[0] = 1 } -> clear_and_flush(c, 0)
        :: atomic { cr3[c] == D1 && !taken[1] -> taken[1] = 1 } -> clear_and_flush(c, 1)
        :: cr3[c] == D1 -> context_switch(c, HV)
        :: cr3[c] == HV -> context_switch(c, D1)
        fi;
        if :: work_flush[c] -> serve_flush(c); began = 0 :: else fi     /* the exit path */
    od
}

#define WALK(c, e) :: atomic { cr3[c] == D1 && entry[e] && !(tlb[c] & bit(e)) -> tlb[c] = tlb[c] | bit(e) }
proctype machine()
{
    byte at, value;
end_machine:
    do
    WALK(0, 0) WALK(0, 1) WALK(1, 0) WALK(1, 1)
    :: d_step { nempty(buffer[0]) -> arrives(0) }
    :: d_step { nempty(buffer[1]) -> arrives(1) }
    od
}

init
{
    atomic {
        cr3[0] = D1; cr3[1] = D1; dirty_cpus[D1] = 3;
        tlb_time[0] = 1; tlb_time[1] = 1; own_time[0] = 1; own_time[1] = 1;
        run cpu(0); run cpu(1); run machine()
    }
}
