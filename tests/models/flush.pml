/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes: the clock, stamps, the CPUs that may know a domain's translations, and changes of a frame's type.
 *
 * One frame F, of domain D1 at first. CPU c changes slot c of D1's page tables: a slot is empty, maps F writable, or refers to F as
 * a page table. tlb[c] says what of that CPU c has cached. The walker fills a TLB at ANY time that a CR3 of D1 is loaded there
 * (speculation; also while the hypervisor runs), from memory. A store of a page-table entry is plain: it waits in the CPU's store
 * buffer sb[c] until a locked instruction, a CR3 load, or the drainer. Everything else that is one C statement on shared memory is
 * one step. A wait is a guard that blocks; who waits in spin_wait() also serves a flush request.
 *
 * Shown: when F becomes a table no CPU can write to it, and when it becomes writable no CPU walks it; when it leaves the heap nobody
 * knows it; and nobody waits for ever (to spin: an invalid end state).
 *
 * NCPU CPUs do OPS operations each (or OPS0, OPS1, OPS2). LOCKED: flushes under PGT_locked too. ONE_SLOT: only CPU 0 has a slot, the
 * others pin and unpin F. DIRECTED: the operations of an ABA of the type word only; with AHEAD, of a frame that one CPU gives back and
 * another one clears ahead. NO_BUFFER: stores are seen at once.
 * Mutants: see models.py.
 */
#ifdef OPS0
#define OPS (c == 0 -> OPS0 : (c == 1 -> OPS1 : OPS2))
#endif
#ifdef AHEAD        /* CPU 0 unmaps F and gives it back, CPU 1 clears it ahead; both switch and may take it */
#define MAY(c, op) ((op) == SWITCH || (op) == ALLOC || (c) == 0 && ((op) == UNMAP || (op) == GIVE_BACK) || (c) == 1 && (op) == CLEAR)
#elif DIRECTED      /* CPU 0 unmaps F and makes it a table, CPU 1 maps, unmaps and switches, CPU 2 flushes */
#define MAY(c, op) ((c) == 0 && (op) <= UNMAP || (c) == 1 && ((op) <= UNMAP || (op) == SWITCH) || (c) == 2 && (op) == FLUSH)
#else
#define MAY(c, op) 1
#endif
#define MAP 0
#define UNMAP 1
#define GIVE_BACK 2
#define ALLOC 3
#define FLUSH 4
#define SWITCH 5
#define CLEAR 6

/* Owners, and whose CR3 is loaded: HV is none, so the heap, and an idle CPU. */
#define HV 0
#define D1 1
#define D2 2
#define DOMAINS 3
#define TAKEN 3         /* off the free list, not handed out yet */

/* pg->type_info: PGT_type | PGT_validated | count */
#define UNTYPED 0
#define WRITABLE 16
#define TABLE 32
#define VALIDATED 8
#define count(x) ((x) & 7)
#define type(x) ((x) & 48)

/* What a slot says and a TLB knows of F. */
#define AS_WRITABLE 1
#define AS_TABLE 2

#define EMPTY_BUFFER 3
#define NOBODY 255
#define ALL_CPUS 255

byte type_info;
byte count_info;
bool allocated;             /* PGC_allocated */
byte owner;
byte tlb_stamp;             /* pg->tlb_stamp */
bool clear;                 /* PGC_clear */
bool heap_locked;           /* heap_lock, of who clears ahead */
byte page_locked = NOBODY;  /* PGT_locked of some other table */

byte slot[NCPU];
byte sb[NCPU];              /* a store to slot[c] that only CPU c sees */
byte tlb[NCPU];

#if NCPU == 3
#define somebody_knows_F(how) ((tlb[0] | tlb[1] | tlb[2]) & (how))
#else
#define somebody_knows_F(how) ((tlb[0] | tlb[1]) & (how))
#endif

/* ---- the machine ---- */

#ifdef NO_BUFFER
#define STORE_PTE(c, value) slot[c] = value
#else
#define STORE_PTE(c, value) sb[c] = value
#endif
inline drain(c) { if :: sb[c] != EMPTY_BUFFER -> slot[c] = sb[c]; sb[c] = EMPTY_BUFFER :: else fi }
#define change_cr3(c, whose) cr3[c] = whose; tlb[c] = 0
#define STORE_TIME(c, time) d_step { tlb_time[c] = time; own_time[c] = time }

#include "tlb.pml"

/* ---- pv/page_type.c ---- */

/* get_page_type(F, t, D1): ok */
inline get_page_type(c, t)
{
    do
    :: x = type_info;
        if
        :: type(x) == t && (x & VALIDATED) ->
            if :: CMPXCHG(c, type_info, x, x + 1) -> ok = 1; break :: else fi
        :: count(x) == 0 && !(type(x) == t && (x & VALIDATED)) ->
            if
            :: CMPXCHG(c, type_info, x, t | 1) ->                       /* model: get_page_type_slow.in_change */
                if
                :: type(x) != UNTYPED && type(x) != t ->
                    stamp = tlb_stamp;
                    flush_cpus(c, D1, ALL_CPUS, stamp);                 /* model: change_type.flush */
                    stamp = 0
                :: else
                fi;
                assert(t != TABLE || !somebody_knows_F(AS_WRITABLE));   /* nobody can write to a table */
                assert(t != WRITABLE || !somebody_knows_F(AS_TABLE));   /* nobody walks what can be written */
                LOCKED_DO(c, type_info = type_info | VALIDATED);        /* model: promote.validated */
                ok = 1; break
            :: else
            fi
        :: count(x) != 0 && type(x) != t -> ok = 0; break
        :: count(x) != 0 && type(x) == t && !(x & VALIDATED) ->         /* another CPU is at it */
            do
            :: type_info != x -> break                                  /* model: get_page_type_slow.wait */
            OR_SPIN_WAIT(c)
            od
        fi
    od;
    x = 0
}

inline end_use(c, to)
{
    now = tlb_clock; tlb_stamp = now;                   /* model: end_use.stamp */
    type_info = to                                      /* model: end_use.out */
}

/* The last of a plain frame: false (x is no more what it was) leaves the loop in put_page_type() going. */
inline put_last_plain(c)
{
#ifdef M_STAMP_FIRST
    now = tlb_clock; tlb_stamp = now;
    if :: CMPXCHG(c, type_info, x, x - 1) -> break :: else fi
#else
    if
#ifdef M_NO_BARRIER
    :: d_step { type_info == x -> type_info = x & ~VALIDATED } ->
#else
    :: CMPXCHG(c, type_info, x, x & ~VALIDATED) ->      /* model: put_last_plain.in_change */
#endif
        end_use(c, x - 1);                              /* model: put_last_plain.out */
        break
    :: else
    fi
#endif
}

inline put_page_type(c)
{
    do
    :: x = type_info;
        if
        :: count(x) == 1 && type(x) == TABLE ->         /* put_page_type_preemptible() */
            if
            :: CMPXCHG(c, type_info, x, x & ~VALIDATED) ->      /* model: put_page_type_slow.in_change */
                end_use(c, type(x));                            /* model: drop_to_untyped.out */
                break
            :: else
            fi
        :: count(x) == 1 && type(x) != TABLE -> put_last_plain(c)
        :: count(x) > 1 -> if :: CMPXCHG(c, type_info, x, x - 1) -> break :: else fi
        fi
    od;
    x = 0; now = 0
}

/* ---- frames: core/frame ---- */

#define get_page(c) d_step { owner == D1 && count_info > 0 -> count_info++; drain(c) }

inline put_page(c)
{
    d_step { count_info--; drain(c); ok = (count_info == 0) };
    if
    :: ok -> now = tlb_clock; d_step { tlb_stamp = now; type_info = 0; owner = HV }; now = 0    /* model: free_frames_as.stamp */
    :: else
    fi;
    ok = 0
}

/* ---- what CPUs do ---- */

inline map(c)                       /* take the references, then store */
{
    if
    :: get_page(c) ->
        if :: t = WRITABLE :: t = TABLE fi;
        get_page_type(c, t);
        if
        :: ok -> ok = 0; mine = (t == WRITABLE -> AS_WRITABLE : AS_TABLE); d_step { drain(c); STORE_PTE(c, mine) }
        :: else -> put_page(c)
        fi;
        t = 0
    :: else
    fi
}

inline unmap(c)                     /* store, then give the references back; the guest does not flush */
{
    mine = 0;
    d_step { drain(c); STORE_PTE(c, 0) };
    put_page_type(c);
    put_page(c)
}

inline pin_and_unpin(c)
{
    if
    :: get_page(c) ->
        get_page_type(c, TABLE);
        if :: ok -> ok = 0; put_page_type(c) :: else fi;
        put_page(c)
    :: else
    fi
}

inline allocate(c)                  /* alloc_frames() for D2, with the frame off the free list */
{
    if
    :: !clear ->
        stamp = tlb_stamp;
        flush_cpus(c, HV, ALL_CPUS, stamp)              /* model: forget_block.flush */
    :: else                                             /* was_unknown() */
    fi;
    assert(!somebody_knows_F(AS_WRITABLE | AS_TABLE));  /* nobody knows the frame of a new owner */
    owner = D2; stamp = 0
}

inline heap_clear_ahead(c)          /* F stays on the free list, and whoever takes it waits for heap_lock */
{
    ok = 1;
#ifndef M_NO_FORGOT
    stamp = tlb_stamp;
    tlb_forgot(stamp);                                  /* model: heap_clear_ahead.forgot */
#endif
    if
    :: ok ->
        assert(owner == HV);                            /* nobody has got it meanwhile */
        assert(!somebody_knows_F(AS_WRITABLE));         /* nobody writes to what is clear */
        clear = 1                                       /* model: heap_clear_ahead.clear */
    :: else
    fi;
    heap_locked = 0; ok = 0; stamp = 0
}

inline flush_under_page_lock(c)     /* put_page_from_l1e() of an entry that needs one */
{
    do
    :: d_step { page_locked == NOBODY -> page_locked = c; drain(c) } -> break
    OR_SPIN_WAIT(c)                                     /* model: page_lock_later.wait */
    od;
    flush_tlb_domain(c, cr3[c], ALL_CPUS);
    page_locked = NOBODY
}

proctype cpu(byte c)
{
    byte x, t, now, prev, began, need, i, stamp, mine, n;
    bool ok;

#if defined(ONE_SLOT) || defined(DIRECTED)
    if :: c == 0 -> mine = AS_WRITABLE :: else fi;
#else
    if :: c < 2 -> mine = AS_WRITABLE :: else fi;
#endif
end_guest:                          /* in the guest, or idle: interrupts are on */
    do
    :: work_flush[c] -> serve_flush(c); began = 0
    :: n < (OPS) ->
        n++;
        in_hv[c] = 1;
        if
#ifdef ONE_SLOT
        :: c == 0 && cr3[c] == D1 && mine == 0 -> map(c)
        :: c != 0 && cr3[c] == D1 -> pin_and_unpin(c)
#else
        :: MAY(c, MAP) && cr3[c] == D1 && mine == 0 -> map(c)
#endif
        :: MAY(c, UNMAP) && cr3[c] == D1 && mine != 0 -> unmap(c)
        :: d_step { MAY(c, GIVE_BACK) && cr3[c] == D1 && allocated -> allocated = 0 } -> put_page(c)
        :: d_step { MAY(c, ALLOC) && owner == HV && !heap_locked -> owner = TAKEN } -> allocate(c)
#ifdef AHEAD
#ifdef M_NO_HEAP_LOCK
        :: d_step { MAY(c, CLEAR) && owner == HV && !clear -> drain(c) } -> heap_clear_ahead(c)
#else
        :: d_step { MAY(c, CLEAR) && owner == HV && !clear && !heap_locked -> heap_locked = 1; drain(c) } -> heap_clear_ahead(c)
#endif
#endif
        :: MAY(c, FLUSH) && cr3[c] != HV -> flush_tlb_domain(c, cr3[c], ALL_CPUS)
        :: MAY(c, SWITCH) && cr3[c] != D2 -> context_switch(c, D2)
        :: MAY(c, SWITCH) && cr3[c] != D1 -> context_switch(c, D1)
        :: MAY(c, SWITCH) && cr3[c] != HV -> context_switch(c, HV)
#ifdef LOCKED
        :: cr3[c] == D1 -> flush_under_page_lock(c)
#endif
        fi;
        began = 0;
        if :: work_flush[c] -> serve_flush(c); began = 0 :: else fi;      /* the exit path, interrupts still off */
        in_hv[c] = 0
    od
}

/* The page walkers of all CPUs; a slot of another owner's frame is not to be there. */
#define WALK(c, s) :: atomic { cr3[c] == D1 && slot[s] && !(tlb[c] & slot[s]) -> tlb[c] = tlb[c] | slot[s]; \
    assert(owner == D1 && type(type_info) == (slot[s] == AS_WRITABLE -> WRITABLE : TABLE)) }
proctype walker()
{
end_walk:
    do
    WALK(0, 0) WALK(1, 0)
#ifndef ONE_SLOT
    WALK(0, 1) WALK(1, 1)
#endif
#if NCPU == 3
    WALK(2, 0)
#ifndef ONE_SLOT
    WALK(2, 1) WALK(0, 2) WALK(1, 2) WALK(2, 2)
#endif
#endif
    od
}

proctype drainer()
{
end_drain:
    do
    :: d_step { sb[0] != EMPTY_BUFFER -> drain(0) }
    :: d_step { sb[1] != EMPTY_BUFFER -> drain(1) }
#if NCPU == 3
    :: d_step { sb[2] != EMPTY_BUFFER -> drain(2) }
#endif
    od
}

init
{
    atomic {
        allocated = 1; owner = D1;
#if defined(ONE_SLOT) || defined(DIRECTED)
        slot[0] = AS_WRITABLE;
        type_info = WRITABLE | VALIDATED | 1; count_info = 2;
#else
        slot[0] = AS_WRITABLE; slot[1] = AS_WRITABLE;
        type_info = WRITABLE | VALIDATED | 2; count_info = 3;
#endif
        sb[0] = EMPTY_BUFFER; sb[1] = EMPTY_BUFFER;
        cr3[0] = D1; cr3[1] = D1;
        tlb_time[0] = 1; tlb_time[1] = 1; own_time[0] = 1; own_time[1] = 1;
        dirty_cpus[D1] = 3;
#if NCPU == 3
        sb[2] = EMPTY_BUFFER; cr3[2] = D2; tlb_time[2] = 1; own_time[2] = 1; dirty_cpus[D2] = 4;
        run cpu(2);
#endif
        run cpu(0); run cpu(1); run walker(); run drainer()
    }
}
