/* SPDX-License-Identifier: MIT */
/*
 * flush_cache_all() (core/base/tlb.c): every CPU writes its caches back, for one or several who ask at once. The clock ticks for each
 * who asks; a CPU notes what it was when its last flush began.
 *
 * Shown: when it returns, each CPU has flushed since it was called, and it returns. Mutants: see runs.py.
 */
byte cache_clock;
byte cache_time[NCPU];
bool work_wbinvd[NCPU];             /* CPU_WORK_WBINVD in cpu->pending, with an interrupt */
bool done_for[NCPU * NCPU];         /* [asker * NCPU + c]: c has flushed since the asker's call */

inline serve_flush(c)
{
    work_wbinvd[c] = 0;                             /* model: serve_flush.taken */
    began = cache_clock;                            /* model: serve_flush.cache_clock */
#ifdef M_CLOCK_AFTER
    skip;
#endif
    d_step { i = 0; do :: i < NCPU -> done_for[i * NCPU + c] = 1; i++ :: else -> break od; i = 0 };     /* model: serve_flush.cache */
#ifdef M_CLOCK_AFTER
    began = cache_clock;
#endif
    cache_time[c] = began;                          /* model: serve_flush.cache_time */
    began = 0
}

#ifdef M_NO_SERVE
#define OR_SPIN_WAIT(c)
#else
#define OR_SPIN_WAIT(c) :: work_wbinvd[c] -> serve_flush(c)
#endif

inline flush_cache_all(c)
{
    d_step { i = 0; do :: i < NCPU -> done_for[c * NCPU + i] = 0; i++ :: else -> break od; i = 0 };
#ifdef M_NO_TICK
    wanted = cache_clock;
#else
    atomic { cache_clock++; wanted = cache_clock };     /* model: flush_cache_all.tick */
#endif
    k = 0;
    do
    :: k < NCPU -> work_wbinvd[k] = 1; k++          /* model: flush_cache_all.ask */
    :: else -> break
    od;
    k = 0;
    do
    :: k < NCPU ->
        do
        :: cache_time[k] >= wanted -> break         /* model: flush_cache_all.wait */
        OR_SPIN_WAIT(c)
        od;
        k++
    :: else -> break
    od;
    k = 0; wanted = 0;
    assert(done_for[c * NCPU] && done_for[c * NCPU + 1] && done_for[c * NCPU + NCPU - 1])
}

proctype cpu(byte c)
{
    byte began, i, k, wanted, n;
end_guest:
    do
    :: work_wbinvd[c] -> serve_flush(c)
    :: n < OPS -> n++; flush_cache_all(c)
    od
}

init
{
    atomic {
        run cpu(0); run cpu(1);
#if NCPU == 3
        run cpu(2)
#endif
    }
}
