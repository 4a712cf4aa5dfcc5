#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the hypervisor on purpose, one line at a time, and says which test notices.

A mutant is a safety measure left out: a flush, a stamp, a check. For each, the one file is compiled with the change and linked in front
of libcore.a into the programs that are named, unit tests or scenarios of torture, and these run until one fails, or does not end. A mutant that
no program notices is a hole in the tests, and the exit status is 1. `make mutants` builds what is needed and runs all; with names as arguments, those alone.

A change names the text that it replaces, which must stand in exactly one file of the hypervisor, once:
tests/style.py looks at that, so that who changes such a line changes it here too.
"""
import os
import re
import subprocess
import sys
import time

OUT = "build/mutants"
PAGING = ["pv_tlb", "pv_mm_fuzz", "pv_random"]
PROTOCOL = ["core_tlb"]
WORLDS = ["core_affinity", "core_sched", "core_worlds"]
CLOCK = ["x86_time"]
MOMENTS = ["core_races", "core_races_frames", "core_races_ports"]
HVM_COUNTS = ["hvm_counters"]
PV_COUNTS = ["pv_counters"]
EXITS = ["hvm_exit", "hvm_exit_io", "hvm_exceptions", "hvm_pause"]
PHYSMAP = ["hvm_xen_memory"]
UPCALLS = ["hvm_upcall"]
TABLES = ["hvm_msr_cpuid"]
TORTURE_SECONDS = 180   # of a scenario that is to notice, which is a matter of luck
# Seconds of a program: what does not end by itself is noticed too, as by the limit that each test has.
LIMIT = 300 * float(os.environ.get("PARVIS_TIMEOUT_SCALE", "1"))
TOLD = re.compile("still knows|LINE|differ|, seed |invariant|panic|lock of rank|runtime error|SUMMARY")    # the line that says most
MUTANTS = {
    # name: (text, replacement, programs that may notice)
    "no flush at a type change": ("flush_tlb_stamp(d, pg->tlb_stamp);", ";", PAGING),
    "no stamp when a use ends": ("    pg->tlb_stamp = tlb_clock();\n    __atomic_store_n(", "    __atomic_store_n(", PAGING),
    "no flush at exchange": ("if (page_list_first(&f->taken))\n        flush_tlb_domain(d, ALL_CPUS);", "", PAGING),
    "no flush in the heap": ("    flush_tlb_stamp(NULL, now - least);\n", "", PAGING),
    "no stamp of free frames": ("uint32_t stamp = tlb_clock();", "uint32_t stamp = 0;", PAGING),
    "the oldest stamp of a block": ("least = MIN(least, age > INT32_MAX ? 0 : age)", "least = least == UINT32_MAX ? age : MAX(least, age)", ["core_heap"]),
    "loose frames are joined for nobody": ("        if (order && !fitting(zone, order))\n            join_loose(zone);\n", "        (void)join_loose;\n", ["core_heap"]),
    "no flush at a foreign entry": ("    if (cpus)\n        flush_tlb_domain(d, cpus);\n    g->forgotten", "    g->forgotten", PAGING),
    "no flush at a grant's unmap": ("    if (batch->nr)\n        flush_tlb_domain(ld, ALL_CPUS);", "", PAGING + ["core_grants_fuzz"]),
    "no flush when an LDT goes": ("    if (unlikely(cpus))\n        flush_tlb_domain(v->domain, cpus);", "", PAGING),
    "no flush when a GDT is set": ("flush_tlb_local(); /* the slots' old translations */", "", PAGING),
    "a page of descriptors is held by the first alone": ("if (pg && get_page_type(pg, PGT_seg_desc_page, d)) {", "if (pg && (pg->type_info & PGT_type_mask) != PGT_seg_desc_page && get_page_type(pg, PGT_seg_desc_page, d)) {", ["pv_context"]),
    "a new base table is not loaded": ("load_cr3(v->arch.pv.cr3);\n    if (!mfn_eq(old, mfn)", "if (!mfn_eq(old, mfn)", PAGING),
    "an absent L1 entry names RAM": ("        return refused_absent(val, 1);\n", "        ;\n", ["pv_mm_types"]),
    "an absent upper entry names RAM": ("        return refused_absent(val, level);\n", "", ["pv_mm_types"]),
    "a new L1 table's absent entry names RAM": ("        if (!(e & PTE_PRESENT) && likely(!absent_names_ram(d, e)))", "        if (!(e & PTE_PRESENT))", ["pv_mm_types"]),
    "a new upper table's absent entry names RAM": ("is_hypervisor_slot(level, i) || (!(e & PTE_PRESENT) && likely(!absent_names_ram(d, e))))", "is_hypervisor_slot(level, i) || !(e & PTE_PRESENT))", ["pv_mm_types"]),
    "a hypercall of Xen's that is not there is told": ("if (likely((xens | READ_ONCE(v->domain->unknown_hypercalls)) & bit))", "(void)xens;\n    if (READ_ONCE(v->domain->unknown_hypercalls) & bit)", ["core_hypercall"]),
    "a number of nobody's is told each time": ("    atomic_or(&v->domain->unknown_hypercalls, bit);\n", "", ["core_hypercall"]),
    "a number of nobody's is not told": ("((xens | READ_ONCE(v->domain->unknown_hypercalls)) & bit)", "(xens | ~0ull)", ["core_hypercall"]),
    # speculation
    "a guest writes any command": ("if (!machine_has_ibpb() || value & ~(uint64_t)PRED_CMD_IBPB)", "if (!machine_has_ibpb())", ["x86_speculation"]),
    "a guest's barrier is none": ("(void)wrmsr_safe(MSR_PRED_CMD, value);", ";", ["x86_speculation"]),
    "second threads are started though they are not to be": ("if (no_smt && shares_core(id, nr_cpus))", "if (0)", ["x86_smp"]),
    "a core whose first thread does not run has none": ("if (no_smt && shares_core(id, nr_cpus))", "if (no_smt && id & 0x10)", ["x86_smp"]),
    "second threads are not counted": ("nr += shares_core(machine_apic_id(i), i);", "nr += 0;", ["x86_smp"]),
    "threads are no hole": ("    choice.open |= HOLE(THREADS);\n", "", ["x86_speculation"]),
    "what is no jump becomes a return": ("if (*code == 0xe9 && code + sizeof(instead) + behind == thunk)", "if (code + sizeof(instead) + behind == thunk)", ["x86_spec"]),
    "a jump elsewhere becomes a return": ("if (*code == 0xe9 && code + sizeof(instead) + behind == thunk)", "if (*code == 0xe9)", ["x86_spec"]),
    "returns stay jumps on all CPUs": ("if (!(choice.measures & MEASURE(ITS)))", "if (0)", ["x86_speculation"]),
    "a short sequence for long histories": ("return IS_ONE_OF(c, long_histories) ? 0 : HOLE(BHI);", "return HOLE(BHI);", ["x86_spec"]),
    "a register of AMD's loses its other bits": ("(void)wrmsr_safe(msr, (v & ~clear) | set);", "(void)wrmsr_safe(msr, set);", ["x86_speculation"]),
    # page-table isolation
    "the hypervisor's image is shown": ("{PERDOMAIN_SLOT, PERDOMAIN_SLOT + 1}", "{PERDOMAIN_SLOT, IMAGE_SLOT + 1}", ["x86_isolation"]),
    "a domain's descriptor tables are not shown": ("{PERDOMAIN_SLOT, PERDOMAIN_SLOT + 1}", "{PERDOMAIN_SLOT, PERDOMAIN_SLOT}", ["x86_isolation"]),
    "a copy is made anew at a new CR3 alone": ("if (c->arch.isolated_from == c->arch.cr3)", "if (c->arch.isolated_from)", ["x86_isolation"]),
    "a copy is kept for ever": ("    c->arch.isolated_from = c->arch.cr3;\n", "    c->arch.isolated_from |= c->arch.cr3;\n", ["x86_isolation"]),
    "a page of the entry code is not shown": ("at < entry_end; at += PAGE_SIZE)", "at < entry_end - PAGE_SIZE; at += PAGE_SIZE)", ["x86_isolation"]),
    "a page more than the entry code is shown": ("at < entry_end; at += PAGE_SIZE)", "at <= entry_end; at += PAGE_SIZE)", ["x86_isolation"]),
    "the CPU's stack is shown": ("show_page(l4, block->tss.ist[i - 1] - PAGE_SIZE);", "show_page(l4, block->tss.ist[i - 1] - PAGE_SIZE) && show_page(l4, (uint64_t)&block->cpu - PAGE_SIZE);", ["x86_isolation"]),
    "no memory for a table of a stack's": ("        done &= show_page(l4, block->tss.ist", "        (void)show_page(l4, block->tss.ist", ["x86_isolation"]),
    "registers are left at the door": ("    memset(block->door, 0, sizeof(block->door));\n", "", ["x86_isolation"]),
    "no memory for the IDT's table": ("&& show_page(l4, idt_address());", "&& (show_page(l4, idt_address()), true);", ["x86_isolation"]),
    "a CPU without page tables is started": ("return isolation_prepare(block) ? block : NULL;", "(void)!isolation_prepare(block);\n    return block;", ["x86_smp"]),
    "the copy stays as it was behind what is brought in": ("    if (isolating)\n        isolate_guest(this_cpu());\n", "", ["x86_fault"]),
    "a fault by the copy is the guest's": ("    if (!(error & PFEC_PRESENT) && isolation_lacked(cr2))\n        return;\n", "", ["pv_traps"]),
    "what the copy has lacks": ("return READ_ONCE(l4[slot]) & ~c->isolated_l4[slot] & PTE_PRESENT;", "return READ_ONCE(l4[slot]) & PTE_PRESENT;", ["x86_isolation"]),
    "the hypervisor's slots lack": ("if (!isolating || !is_shown(slot))", "if (!isolating)", ["x86_isolation"]),
    # full virtualization
    "no flush when a frame is taken out": ("    flush_tlb_domain(d, ALL_CPUS);\n    put_page(mfn_to_page(mfn));", "    put_page(mfn_to_page(mfn));", ["hvm_npt"]),
    "another frame than was found is taken out": ("    if (!mfn_valid(mfn) || !mfn_eq(npt_lookup(d, gfn), mfn))", "    mfn = npt_lookup(d, gfn);\n    if (!mfn_valid(mfn))", ["hvm_npt"]),
    "a type is taken of a frame that has none": ("        if (!(e & PTE_RW) || !(likely(pg_owner == l1_owner) || has_types(pg_owner)) ||\n", "        if (!(e & PTE_RW) ||\n", ["hvm_foreign"]),
    "a type is not taken of another's frame": ("!(likely(pg_owner == l1_owner) || has_types(pg_owner)) ||", "pg_owner != l1_owner ||", ["pv_random"]),
    "a type is given back that nobody took": ("    if ((l1e & PTE_RW) && has_types(owner_of_page(pg)))\n", "    if (l1e & PTE_RW)\n", ["hvm_foreign", "pv_random"]),
    "what is another's by now is written to": ("    return get_page(pg, d);\n}\n\nstatic uint32_t hvm_features", "    (void)d;\n    return get_page(pg, owner_of_page(pg));\n}\n\nstatic uint32_t hvm_features", ["hvm_foreign"]),
    "a flush is asked for at one look": ("    if (h->flushes != now)\n        h->vmcb->control.tlb_control =", "    h->vmcb->control.tlb_control = h->flushes == now ? TLB_CONTROL_NOTHING :", ["hvm_inject"]),
    "#DB does not exit": ("[EXIT_EXCEPTION + TRAP_debug] = debug,", "[EXIT_EXCEPTION + 31] = debug,", ["hvm_exit"]),
    "debug registers do not exit": ("code != EXIT_VINTR && code != EXIT_IRET)", "code != EXIT_VINTR && code != EXIT_IRET && code / 16 != 3)", ["hvm_exit"]),
    "machine checks end a guest": ("save.cr4 = cr4 | X86_CR4_MCE;", "save.cr4 = cr4;", ["hvm_msr_cpuid"]),
    "a guest reads the machine's CR4": ("    [EXIT_CR4_READ] = hvm_exit_cr4_read,\n", "", ["hvm_exit"]),
    "a guest has memory types": ("b->save.pat = PAT_ALL_WB;", "b->save.pat = PAT_RESET;", ["hvm_msr_cpuid"]),
    "the machine's state is a guest's": ("if (!machine && hvm_fetch", "(void)machine;\n    if (hvm_fetch", ["hvm_exit"]),
    "an address is cut to 32 bits": ("    if (!(g.efer & EFER_LMA) && (va + n) >> 32)\n        return -XEN_EFAULT;\n", "", ["hvm_xen"]),
    "users make hypercalls": ("return !b->save.cpl && (b->save.efer & EFER_LMA)", "return (b->save.efer & EFER_LMA)", ["hvm_xen"]),
    "profile hvm has VMMCALL": ("    if (!v->domain->arch.hvm.xen) {\n        hvm_inject_exception", "    if (0) {\n        hvm_inject_exception", ["hvm_xen"]),
    "a guest says where its store is": ("if (set && setter[index] != GUEST && ", "if (0 && ", ["hvm_upcall"]),
    "an event before the vector is lost": ("    if (READ_ONCE(v->vcpu_info->evtchn_upcall_pending))\n        hvm_upcall(v);\n", "", ["hvm_upcall"]),
    "events tell no local APIC": ("    if (v->domain->ops->upcall)\n        v->domain->ops->upcall(v);\n    vcpu_unblock", "    vcpu_unblock", ["hvm_upcall"]),
    "a frame in the way is kept": ("    if (!rc && !(READ_ONCE(pg->count_info) & PGC_xenheap))\n        (void)clear_allocated(pg);", "", ["hvm_xen_memory"]),
    "a frame that finds no place is kept": ("    for (unsigned int i = 0; i < 1u << b->order; i++)\n        take_back(b->d, &pg[i]);", "", ["hvm_xen_memory"]),
    # shorter ways, which must do what the longer ones do
    "an entry is not noted": ("    if (unlikely(!set_pte(d, table, p, old, val, how))) {\n        put_page_from_l1e", "    if (unlikely(!store_pte(d, p, old, val, how))) {\n        put_page_from_l1e", ["pv_mm_used"]),
    "an entry of a higher table is not noted": ("    if (unlikely(!set_pte(d, table, p, old, val, how))) {\n        if (val", "    if (unlikely(!store_pte(d, p, old, val, how))) {\n        if (val", ["pv_mm_used"]),
    "a grant's entry is not noted": ("    set_pte(v->domain, e->table, e->at,", "    store_pte(v->domain, e->at,", ["pv_mm_used"]),
    "entries of a new L1 table are not noted": ("adjust_l1e(e), PTE_WRITE);\n        note_used(pg, i);", "adjust_l1e(e), PTE_WRITE);", ["pv_mm_used"]),
    "entries of a new table are not noted": ("        if (e & PTE_PRESENT)\n            note_used(pg, i);\n", "", ["pv_mm_used"]),
    "the hypervisor's slots are not noted": ("        set_pte(d, l4, p, old, val, PTE_WRITE);\n}", "        store_pte(d, p, old, val, PTE_WRITE);\n}", ["pv_mm_used"]),
    "what the last table had is noted": ("    pg->used = 0;\n", "", ["pv_mm_used"]),
    "a part of one entry is empty": ("        n = MIN(n, end);\n", "        n = MIN(n, end) - (end < n);\n", ["pv_mm_used"]),
    "one entry of any frame is written": ("    if (unlikely(!page_lock(table, d)))\n        return update_many(v, ureq, 1, 0, DOMID_SELF);\n", "    (void)page_lock(table, d);\n", ["pv_mm_one"]),
    "one entry is written as it is not asked": ("                 req.ptr % sizeof(uint64_t) != MMU_NORMAL_PT_UPDATE ||\n", "", ["pv_mm_one"]),
    "one request is not told to be done": ("    if (likely(count == 1 && !pdone && foreigndom == DOMID_SELF &&\n               !v->arch.pv.old_guest_table[0].n))\n        return update_one", "    if (likely(count == 1 && foreigndom == DOMID_SELF && !v->arch.pv.old_guest_table[0].n))\n        return update_one", ["pv_mm_one"]),
    "one request is for the caller's own frames": ("    if (likely(count == 1 && !pdone && foreigndom == DOMID_SELF &&\n               !v->arch.pv.old_guest_table[0].n))\n        return update_one", "    if (likely(count == 1 && !pdone && !v->arch.pv.old_guest_table[0].n))\n        return update_one", ["pv_mm_update"]),
    "one entry is not counted": ("    if (likely(!rc))\n        count_event(v, COUNTER_ptes_written);\n    return mmu_conclude", "    return mmu_conclude", ["pv_mm_one"]),
    "an operand that is at another register": ("base | (rex & X86_REX_B ? 8 : 0)) != cr2)", "base) != cr2)", ["pv_mm_ptwr"]),
    "an operand that comes from another register": ("modrm >> 3 | (rex & X86_REX_R ? 8 : 0));", "modrm >> 3);", ["pv_mm_ptwr"]),
    "an address with a displacement is simple": (" || modrm >> 6 || base == 4 ||", " || modrm >> 7 || base == 4 ||", ["pv_mm_ptwr"]),
    "an address after RIP is simple": ("        base == 5 || cr2 % 8", "        cr2 % 8", ["pv_mm_ptwr"]),
    "an operand across two entries is simple": ("        base == 5 || cr2 % 8 ||", "        base == 5 ||", ["pv_mm_ptwr"]),
    "what the CPU set meanwhile is lost": ("*source, PTE_WRITE_IF_SAME, v->domain);", "*source, PTE_WRITE, v->domain);", ["pv_mm_ptwr"]),
    "what the CPU set meanwhile is the guest's fault": ("        return rc == -XEN_EAGAIN;", "        return false;", ["pv_mm_ptwr"]),
    "XCHG leaves its register": ("    if (exchange)\n        *source = old;\n", "    (void)exchange;\n", ["pv_mm_ptwr"]),
    "a walk by an entry that changed is good": ("    note_tables_changed(d);\n    if (old", "    if (old", ["pv_mm_walk"]),
    "a walk by a table made anew is good": ("    note_tables_changed(d);\n    for (i", "    for (i", ["pv_mm_walk"]),
    "global pages stay": ("        write_cr4(cr4 & ~X86_CR4_PGE);\n", "", ["x86_tlb"]),
    "global pages stay that INVPCID takes": ("    if (flush_way == FLUSH_BY_INVPCID)\n        invpcid_all();\n", "", ["x86_tlb"]),
    "CR4 is written where it is an exit": ("    if (flush_way == FLUSH_BY_CR4) {", "    if (flush_way != FLUSH_BY_INVPCID) {", ["x86_tlb"]),
    # how long a stretch gets
    "a flush is not noticed": ("    c->delayed = true;\n    /* A flush", "    /* A flush", ["pv_flushes"]),
    "a promotion does not give way": ("        if (unlikely(hypercall_delayed_check() ||\n", "        if (0 && (hypercall_delayed_check() ||\n", ["pv_flushes"]),
    "a batch does not give way": ("if (unlikely(hypercall_delayed_check()) && *i < count)", "if (0)", ["pv_flushes"]),
    "a table's entries flush each": ("if (g->forgotten)", "if (0)", ["pv_flushes"]),
    # the flush protocol
    "the clock does not tick": ("(void)cmpxchg(&tlb_clock_line.now, stamp, stamp + 1);", "", PROTOCOL),
    "a flush reads the clock late": ("    machine_flush_tlb();\n    __atomic_store_n(&me->tlb_time, began,", "    machine_flush_tlb();\n    began = tlb_clock();\n    __atomic_store_n(&me->tlb_time, began,", PROTOCOL),
    "not empty after the change of CR3": ("if (next && !prev) /* not", "if (0) /* not", PROTOCOL),
    "no bit before CR3": ("if (next && next != prev)", "if (0)", PROTOCOL),
    "empty before CR3": ("    if (next && next != prev)", "    if (!next)\n        me->tlb_time = TLB_EMPTY;\n    if (next && next != prev)", PROTOCOL),
    "the bit goes before CR3": ("    if (next && next != prev)", "    if (prev && prev != next)\n        atomic_and(&prev->dirty_cpus, ~bit_of(me));\n    if (next && next != prev)", PROTOCOL),
    "nobody is waited for": ("while (may_know(in_use(d, cpus & -cpus), stamp))\n            spin_wait(&w);", "(void)w;", PROTOCOL),
    "this CPU is left out": ("if (me)\n        flush_tlb_local();", "", PROTOCOL),
    "who waits does not serve": ("& CPU_WORK_FLUSHES))\n        serve_flush();\n    this_cpu()->delayed", "& 0))\n        serve_flush();\n    this_cpu()->delayed", ["core_wait"]),
    "the exit path does not serve": ("serve_flush(); /* first: others wait */", ";", ["core_hypercall"]),
    "a long hypercall does not serve": ("    if (READ_ONCE(c->pending) & CPU_WORK_FLUSHES)\n        serve_flush();\n    return", "    return", ["core_hypercall"]),
    "the caches' clock is read late": ("        machine_flush_cache();\n", "        machine_flush_cache();\n        began = cache_clock;\n", PROTOCOL),
    "the clock may go round": (">= MOST_TICKS", ">= MOST_TICKS * 4ull", PROTOCOL),
    # timers, and what guests are told of time
    "a timer moves while its callback runs": ("|| q->running == t ||", "||", ["core_timer"]),
    "a dead timer is set": ("    if (likely(!t->dead)) {", "    if (1) {", ["core_timer"]),
    "a callback sets over another's set": ("if (!t->rank && !t->dead)\n        put_in(", "if (!t->dead)\n        put_in(", ["core_timer"]),
    "no arming for what is set meanwhile": ("earliest(q) != before && !q->running", "earliest(q) != before", ["core_timer"]),
    "the copy of the time looks whole": ("copy.version = v->time_stamp.version | 1;", "copy.version = v->time_stamp.version;", ["core_time"]),
    "time is told once for all CPUs": ("(uint64_t)clock_told_holds", "1000000000ull", ["core_time"]),
    "a stamp is the count itself": ("return base + ((rdtsc() - base) & ~(unit - 1));", "(void)base, (void)unit;\n    return rdtsc();", CLOCK),
    "a stamp forgets the shift": ("(1ull << (32 - SCALE_ZEROS)) << MAX(-scale_shift, 0)", "(1ull << (32 - SCALE_ZEROS))", CLOCK),
    "the scale is not cut": (" & ~((1u << SCALE_ZEROS) - 1);", ";", CLOCK),
    # the scheduler
    "a chain is not looked for": ("            if (further & rq->idle_cpus)\n                return lowest(further & rq->idle_cpus);\n", "", WORLDS),
    "nobody looks at the CPUs that idle": ("    if (!prev->sched.leaving)\n        sched_fill_idle(now);\n    spin_unlock(", "    spin_unlock(", WORLDS),
    "a brother gives way by a chain": ("!s->victim && v->affinity & bit_of(c) &&", "!s->victim &&", WORLDS),
    "two chains by one CPU": ("        if (first->next)\n            return;", "", WORLDS),
    "who is to rest goes on": ("           !sched_cap_over(&v->domain->sched);", "           true;", WORLDS),
    "who runs where it may not stays": ("if (c && !(cpus & bit_of(c)))", "if (0)", WORLDS),
    "who is told of does not move": ("    if (v->sched.wanted_by)\n        sched_drop_next(v->sched.wanted_by);\n    if (c &&", "    if (c &&", WORLDS),
    "who went is told of": ("    if (v->sched.wanted_by)\n        sched_drop_next(v->sched.wanted_by);\n    sched_end_wait", "    sched_end_wait", WORLDS),
    "where others may run is forgotten": ("v->domain->sched.waiting_for |= cpus;", ";", ["core_affinity"]),
    "a pin is not obeyed": ("set(v, 1ull << cpu);", ";", WORLDS),
    "who was alone stays without a slice": ("rq->alone_cpus = alone ? rq->alone_cpus | me :", "rq->alone_cpus = 0 ? rq->alone_cpus | me :", ["core_farmers", "core_rhythms"]),
    "a long slice goes on beside who waits": ("        sched_set_turn(c, now + sched_slice_of(c->running->domain, false));\n", "", ["core_farmers", "core_rhythms"]),
    "weights do not count": ("s->vtime += used / s->weight;", "s->vtime += used / SCHED_WEIGHT_DEFAULT;", WORLDS),
    "what is less than one of virtual time is lost": ("+ s->rest;", "+ 0;", ["core_sched"]),
    "a part is more than who is pinned can have": ("if (unlikely(!sched_may_run_anywhere(v)))\n            least =", "if (0)\n            least =", ["core_farmers", "core_rhythms"]),
    "who sleeps where it is pinned comes back far in front": ("UINT64_MAX : lag_there(d);", "UINT64_MAX : rests ? 0 : runqueue.latitude;", ["core_waits"]),
    "levels below those that wait become one": ("UINT64_MAX : lag_there(d);", "most_apart() : lag_there(d);", ["core_shares"]),
    "gaps below those that wait are not narrowed": ("            low = MIN(low, s->vtime);\n", "", ["core_shares"]),
    "the system's virtual time is no step of the ladder": ("taken = 1 | 1ull << step_of(rq->vtime, low, width);", "taken = 1;", ["core_shares"]),
    "virtual time wraps": ("down = rq->vtime >> 62 << 61;", "down = 0;", ["core_sched"]),
    "a cap is not charged": ("(s_time_t)s->cap - 100 * (s_time_t)s->running;", "(s_time_t)s->cap;", ["core_sched"]),
    "nobody is active in the place of who sleeps": ("    if (unlikely(d->sched.cap))\n        sched_cap_look(d, clock_now());", "", ["core_worlds"]),
    "who leaves its CPU is not looked at for its brothers": ("    another_may(v->domain);\n    if (counted)\n", "    if (counted)\n", ["core_worlds"]),
    "who waits in vain keeps others back": ("    if (s->waiting > s->stuck && could_wait_elsewhere(s))\n        soon = STUCK_LATE;\n", "", ["core_shares"]),
    "who waits in vain is found stuck late": (" || (elsewhere && waited >= STUCK);", ";", ["core_shares"]),
    "a CPU idles beside who waits in vain": ("(run && !sched_is_told_of(v)) ||", "", ["core_shares", "core_worlds"]),
    "a CPU that idles is for who used least": ("v = s->stuck ? could_run(s) : sched_first_resting(s);", "v = sched_first_resting(s);", ["core_sched"]),
    "who could have a CPU at once comes before its turn": ("v = s->stuck ? could_run(s) : sched_first_resting(s);", "v = could_run(s);", ["core_shares"]),
    "another waits where one waits in vain": ("        if (!v)\n            v = could_wait_elsewhere(s);\n", "", ["core_sched"]),
    "who is about to have a CPU waits in vain": ("(run && !sched_is_told_of(v)) ||", "run ||", ["core_shares"]),
    "a CPU that runs somebody is told of in silence": ("return v->affinity & runqueue.told_cpus ||", "return v->affinity & runqueue.told_cpus & ~runqueue.busy_cpus ||", ["core_shares"]),
    "who waits in vain has to do so again": ("        v->sched.stuck |= ", "        v->sched.stuck = ", ["core_shares"]),
    "who is overdrawn rests beside a CPU that idles": ("rate(s) < 0 && !(prev->affinity & sched_leads_to_idle()) &&", "rate(s) < 0 &&", ["core_late"]),
    "of those that rest some are not looked at": ("!is_dry(s, left(s)) || !could_run(s))", "!is_dry(s, left(s)))", ["core_worlds"]),
    "what may be overdrawn is not gathered": ("could_run(s) || left(s) < portion(s) ?", "could_run(s) ?", ["core_sched"]),
    "nobody looks when affinities change": ("    sched_cap_look(v->domain, now);\n    /* There", "    /* There", ["core_worlds"]),
    "who leaves its CPU leaves others at rest": ("    if (counted)\n        sched_fill_idle(now);", "", ["core_worlds"]),
    "an exchange is crossed": ("    if (!prev->sched.leaving)\n        sched_fill_idle(now);", "    sched_fill_idle(now);", ["core_shares", "core_late"]),
    "a weight that is set fills the account": ("    if (cap != s->cap)\n        s->cap_left = 0;", "    s->cap_left = portion(s);", ["core_farmers", "core_rhythms"]),
    # what another CPU does at the worst moment
    "the owner of a frame is looked at once": ("    if (likely(READ_ONCE(pg->owner) == d->domain_id))\n        return true;\n    put_page(pg);\n    return false;", "    return true;", MOMENTS),
    "a frame is stolen without a reference": ("    if (!get_page(pg, d))\n        return -XEN_EINVAL;\n    /* XSA-214", "    if (READ_ONCE(pg->owner) != d->domain_id)\n        return -XEN_EINVAL;\n    atomic_add_return(&pg->count_info, 1);\n    /* XSA-214", MOMENTS),
    "the owner of a locked table is looked at before": ("    if (likely(READ_ONCE(pg->owner) == d->domain_id))\n        return LOCKED;\n    page_unlock(pg);\n    return REFUSED;", "    return LOCKED;", MOMENTS),
    "the dead get a port": ("    if (d->dying)\n        return -XEN_EINVAL;\n    for (evtchn_port_t port", "    for (evtchn_port_t port", MOMENTS),
    "the dying lend": ("if (!e || READ_ONCE(rd->dying))", "if (!e)", MOMENTS),
    "a domain that goes is taken": ("    while (d && !get_domain(d))\n        d = next_domain(d);", "    if (d)\n        (void)get_domain(d);", MOMENTS),
    "an exchange is not waited for": ("    if (__atomic_load_n(&d->in_flight.busy, __ATOMIC_ACQUIRE))\n        return -XEN_ERESTART;\n", "", MOMENTS),
    "who writes to a table has the last reference": ("return unlikely(x & PGT_locked) && (x & PGT_count_mask) == 2;", "(void)x;\n    return false;", ["pv_mm_types"]),
    "a pin at the end stays": ("if (unlikely(dying) && drop_pin(pg, d))", "if (0 && drop_pin(pg, d))", ["pv_mm_types"]),
    # what torture is for: it needs two CPUs at the wrong moment
    "tortured: nobody is waited for": ("while (may_know(in_use(d, cpus & -cpus), stamp))\n            spin_wait(&w);", "(void)w;", ["torture pages"]),
    "tortured: no flush at a type change": ("flush_tlb_stamp(d, pg->tlb_stamp);", ";", ["torture pages"]),
    "tortured: no flush in the heap": ("    flush_tlb_stamp(NULL, now - least);\n", "", ["torture pages"]),
    "tortured: a page of an LDT is lost": ("for (left = xchg(&v->arch.pv.ldt_mapped, 0); left;", "for (WRITE_ONCE(v->arch.pv.ldt_mapped, 0); left;", ["torture pages"]),
    "blocks without a look": ("    if (vcpu_event_pending(v))\n        atomic_and(&v->pause_flags, ~VPF_blocked);\n    else\n        vcpu_sleep(v);", "    vcpu_sleep(v);", ["torture events"]),
    "a poller is not woken": ("    if (unlikely(READ_ONCE(d->poll_mask)))\n        wake_pollers(d, port);", "", ["torture events"]),
    "who runs is not kicked": ("ops->upcall(v);\n    vcpu_unblock(v);\n    vcpu_kick(v);", "ops->upcall(v);\n    vcpu_unblock(v);", ["torture events"]),
    "who leaves is not looked at": ("    if (vcpu_runnable(v)) {\n        if (!counted)", "    if (0) {\n        if (!counted)", ["torture life"]),
    "a pause does not wait": ("while (v != current && (c = __atomic", "while (0 && (c = __atomic", ["torture life"]),
    "a lead goes when nobody waits": ("most = rq->front + s->slice_worth * d->max_vcpus,", "most = rq->vtime + s->slice_worth,", ["core_farmers", "core_rhythms"]),
    "a lead stays for good": ("    s->vtime = MIN(s->vtime, most);\n", "", ["core_waits"]),
    "what is used alone counts": ("counts = runqueue.clocks.contended - s->seen.contended;", "counts = elapsed;", ["core_waits"]),
    "what nobody looked at is not charged": ("    if (counts && s->running) {", "    if (counts && s->running && !list_empty(&runqueue.domains)) {", ["core_waits"]),
    "who sleeps beside those that are alone gets nothing for it": ("        s->vtime -= MIN(part - had,", "        s->vtime -= MIN(0 * part,", ["core_farmers", "core_rhythms", "core_waits"]),
    "who had more than its part does not pay for it": ("        s->vtime = MIN(s->vtime + (had - part), most);", "        ;", ["core_farmers", "core_rhythms"]),
    "CPUs that idle are asked for when one is looked at": ("    if (v && sched_may_run_anywhere(v)) {", "    if (0) {", ["core_rhythms"]),
    "a CPU that idles is nothing to who may use it": ("    if (!runqueue.idle_cpus) {", "    if (1) {", ["core_rhythms"]),
    "who is pinned was so before": ("    sched_account(v->domain, now); /* by what it might use until now */\n", "", ["core_waits"]),
    "who is new has slept all the time": ("    sched_account(d, clock_now());\n    d->sched.vtime", "    d->sched.vtime", ["core_waits"]),
    "who could have an idle CPU is short of something": ("    } else if (!v || v->affinity & rq->idle_cpus) {", "    } else if (!v) {", ["core_farmers", "core_rhythms", "core_waits"]),
    "virtual time leaves who was kept waiting behind": ("MIN(least, last + latitude)", "least", ["core_rhythms"]),
    "the latitude shrinks until who was kept waiting is behind": ("MIN(latitude, rq->vtime - MIN(rq->vtime, last))", "0ull", ["core_rhythms"]),
    "who was kept waiting is soon left behind": ("d->sched.kept_waiting >= LEVEL_KEPT", "d->sched.kept_waiting >= 2 * SCHED_SLICE", ["core_rhythms"]),
    "who was kept waiting is never left behind": ("now - d->sched.kept_waiting >= LEVEL_KEPT", "0", ["core_farmers", "core_rhythms"]),
    "virtual time is held back for who is pinned": ("LEVEL_KEPT ||\n            !all_may_run_anywhere(d))", "LEVEL_KEPT)", ["core_shares"]),
    "who runs where it is pinned has no level": ("return s->running || rests ? UINT64_MAX : lag_there(d);", "return lag_there(d);", ["core_shares"]),
    "who runs where it may is asked for all its brothers": ("    for_each_vcpu (d, v)\n        if (!sched_may_run_anywhere(v))", "    for_each_vcpu (d, v)\n        if (v->sched.on_cpu && !sched_may_run_anywhere(v))", ["core_shares"]),
    "leads end at who was kept waiting": ("most = rq->front + s->slice_worth", "most = rq->vtime + s->slice_worth", ["core_rhythms"]),
    "a new domain is where one was kept waiting": ("d->sched.vtime = runqueue.front;", "d->sched.vtime = runqueue.vtime;", ["core_waits"]),
    "a light one's brothers take long turns": ("v->sched.used + (uint64_t)s->slice))", "v->sched.used + (uint64_t)SCHED_SLICE))", ["core_rhythms"]),
    "who has a CPU at once was kept waiting": (">= KEPT_WAITING)", ">= 0)", ["core_farmers", "core_rhythms"]),
    "those that wake together want one CPU": ("            if (sees(s, c))\n", "            if (0)\n", ["core_rhythms"]),
    "who does not wake leaves CPUs out that were told": ("return s->wakes && s->v->affinity & bit_of(c) &&", "return s->v->affinity & bit_of(c) &&", ["core_affinity"]),
    "who wakes is given the CPU of one who woke before": ("            if (sees(s, c))\n                continue;\n            weigh(s, c);", "            if (!sees(s, c))\n                weigh(s, c);", ["core_rhythms"]),
    "a wait in vain is looked for when nobody gains": ("s->waiting > s->stuck && could_wait_elsewhere(s))", "s->waiting > s->stuck)", ["core_sched"]),
    "who is put out looks before its brothers": ("if (first->affinity == v->affinity && !first->sched.wanted_by)", "if (first == v)", ["core_affinity"]),
    "who wakes leaves CPUs out that do not see it": ("return s->wakes && s->v->affinity & bit_of(c) &&", "return s->wakes &&", ["core_affinity"]),
    "of those that are level any is first": ("best->domain->sched.vtime + (d == c->running->domain) <=", "best->domain->sched.vtime <=", ["core_sched"]),
    "who goes to an idle CPU is called back": ("v->affinity & cpus && !sched_is_told_of(v))", "v->affinity & cpus && !v->sched.wanted_by)", ["core_late"]),
    "only who runs there is there": ("        if (lowest(m)->running->affinity & cpus)\n", "        if (m & -m & cpus)\n", ["core_rhythms"]),
    "a cap that is new is used up": ("return s->cap && (left(s)", "return (left(s)", ["core_waits"]),
    "who was told to look is forgotten": ("return !(~v->affinity & started_cpus());", "return !(~v->affinity & (runqueue.busy_cpus | runqueue.idle_cpus));", ["core_affinity"]),
    "a yield is for one who cannot come": ("sched_first_of(&s->resting, bit_of(c));", "sched_first_of(&s->resting, ~0ull);", ["core_shares"]),
    "who rests comes before who sleeps": ("return rests && !s->running ? 0 :", "return rests && !s->running ? most_apart() :", ["core_waits"]),
    "what a vCPU used alone is remembered": ("    v->sched.used = MIN(v->sched.used, least + 2 * slice);", "", ["core_waits"]),
    "what a vCPU did not use asleep is saved up": ("    v->sched.used = MAX(v->sched.used, least - MIN(least, slice));\n", "", ["core_waits"]),
    "the latitude shrinks when it is looked at": ("    rq->latitude = MAX(rq->latitude, leap);", "    rq->latitude = MAX(rq->latitude - rq->latitude / 64, leap);", ["core_waits"]),
    "who is paused as it rests waits on": ("    } else if (v->sched.state == RUNSTATE_runnable) {", "    } else if (counted) {", ["core_races"]),
    "an idle CPU is not told": ("    runqueue.alone_cpus &= ~bit_of(c);\n    cpu_raise(c, CPU_WORK_SCHEDULE);", "    runqueue.alone_cpus &= ~bit_of(c);", ["torture life"]),
    "a handle is unmapped twice": ("        if (x & BEING_UNMAPPED)\n            return -XEN_ERESTART;\n", "", ["core_grants_lock"]),
    "two give a context": ("if (xchg(&v->context_busy, true))", "if (0)", ["core_races", "torture contexts"]),
    "a callback is not waited for": ("while (q->running == t) {", "(void)w;\n    while (0) {", ["torture timers"]),
    # short ways of the scheduler, timers and events
    "a poll whose time has passed waits": (" || (until && until <= clock_now()))", ")", ["core_races"]),
    "who has another CPU is told here": ("__ATOMIC_RELAXED) == this_cpu();", "__ATOMIC_RELAXED);", ["torture life"]),
    "a slice that began meanwhile has no end": ("    else if (c->turn_ends < INT64_MAX)\n        timer_set(&c->slice, c->turn_ends);\n", "", ["core_farmers"]),
    "a slice's timer goes off on another CPU": (" &&\n           READ_ONCE(t->queue) == &this_cpu()->timers;", ";", ["core_timer"]),
    "a slice's timer goes off too late": ("READ_ONCE(t->rank) && READ_ONCE(t->deadline) <= at", "READ_ONCE(t->rank)", ["core_timer"]),
    "a timer that is not set goes off": ("    return READ_ONCE(t->rank) && READ_ONCE(t->deadline) <= at", "    return READ_ONCE(t->deadline) <= at", ["core_timer"]),
    "a timer stays before its parent": ("(!t->parent || t->parent->deadline <= deadline) &&", "1 &&", ["core_timer"]),
    "a timer stays behind its left child": ("(!t->left || deadline <= t->left->deadline) &&", "1 &&", ["core_timer"]),
    "a timer stays behind its right child": (" &&\n           (!t->right || deadline <= t->right->deadline);", ";", ["core_timer"]),
    "who was accounted for is not again": ("now > runqueue.clocks.passed || s->seen.passed != runqueue.clocks.passed ||", "now > runqueue.clocks.passed ||", ["core_sched"]),
    "an unmasked interrupt does not come again": ("        pirq_unmasked(d, chn->u.pirq);\n", "        ;\n", ["core_physdev"]),
    "an unmasked port has no event": ("    if (came && v)\n        select_word(v, port / 64);\n", "    (void)v;\n", ["core_evtchn"]),
    # the second kind of guests
    "tortured: a nested frame goes without a flush": ("    flush_tlb_domain(d, ALL_CPUS);\n    put_page(mfn_to_page(mfn));\n    return 0;", "    put_page(mfn_to_page(mfn));\n    return 0;", ["torture pages"]),
    "a nested entry holds no reference": ("            break;\n        }\n        if (is_mapped(d, MFN(mfn + taken)))", "            break;\n        }\n        put_page(mfn_to_page(MFN(mfn + taken)));\n        if (is_mapped(d, MFN(mfn + taken)))", ["hvm_npt"]),
    "a walk marks what is another by now": ("    ok = cmpxchg((uint64_t *)place, e, e | bits) == e;", "    *(uint64_t *)place = e | bits, ok = true;", ["hvm_walk_moment"]),
    "a flush is asked for for ever": ("    b->control.tlb_control = TLB_CONTROL_NOTHING;\n", "", ["hvm_inject"]),
    "tortured: an interrupt is set by two": ("    atomic_or(&l->reg[LAPIC_IRR + vector / 32], 1u << vector % 32);", "    l->reg[LAPIC_IRR + vector / 32] |= 1u << vector % 32;", ["torture events"]),
    "tortured: a start has no lock": ("    spin_lock(&v->domain->lock);\n    startup = take(v, vector);\n    spin_unlock(&v->domain->lock);", "    startup = take(v, vector);", ["torture life"]),
    "who is reset is not looked for": ("STARTUP_INIT);\n    spin_unlock(&v->domain->lock);\n    vcpu_unblock(v);\n    vcpu_kick(v);", "STARTUP_INIT);\n    spin_unlock(&v->domain->lock);\n    vcpu_kick(v);", ["torture life"]),
    "tortured: an expiry is everybody's": ("    if (cmpxchg(&l->due, due, next) != due)\n        return READ_ONCE(l->due);", "    WRITE_ONCE(l->due, next);", ["hvm_lapic_threads", "hvm_lapic_moment"]),
    "tortured: a flush is asked for at one look": ("    if (h->flushes != now)\n        h->vmcb->control.tlb_control =", "    h->vmcb->control.tlb_control = h->flushes == now ? TLB_CONTROL_NOTHING :", ["torture pages"]),
    "tortured: a type is given back that nobody took": ("    if ((l1e & PTE_RW) && has_types(owner_of_page(pg)))\n", "    if (l1e & PTE_RW)\n", ["torture pages"]),
    "tortured: two take out one nested frame": ("    spin_lock(&d->arch.hvm.npt_lock);\n    rc = clear_entry(d, gfn, mfn);\n    spin_unlock(&d->arch.hvm.npt_lock);", "    rc = clear_entry(d, gfn, mfn);", ["torture pages"]),
    "what an exit interrupted is lost": ("    hvm_keep_event(v);\n", "", ["hvm_inject"]),
    "an IRET ends run after run": ("waits_behind(v) && takes_interrupts(v)", "waits_behind(v)", ["hvm_inject"]),
    "a step is in the frame of a fault": ("        v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF;\n        make_step(v, false);", "        make_step(v, false);", ["hvm_nmi"]),
    "who faults at the end of an NMI is given another": ("        vmcb_intercept(b, EXIT_IRET, true);\n    }", "        v->nmi_masked = false;\n    }", ["hvm_nmi"]),
    "faults do not exit in the midst of a step": ("vmcb_intercept(vmcb_of(v), EXIT_EXCEPTION + i, on);", "vmcb_intercept(vmcb_of(v), EXIT_EXCEPTION + i, on && i == TRAP_page_fault);", ["hvm_nmi"]),
    "QEMU's first CPU is a guest's": ("machine_nr_cpus() > 1 ? ~1ull", "0 ? ~1ull", ["hvm_svm"]),
    "erratum 383 is nothing": ("(r[0] & 0xff00f00) == 0x100f00", "(r[0] & 0xff00f00) == 0x200f00", ["hvm_svm"]),
    "an NMI in an NMI's IRET": ("    v->nmi_masked = !(v->regs.rflags & X86_EFLAGS_TF);", "    v->nmi_masked = false;", ["hvm_nmi"]),
    "an interrupt's IRET is the step": (" || is_step(v)) /* of another handler */", ")", ["hvm_nmi"]),
    "an NMI from before SIPI": ("        WRITE_ONCE(v->nmi_pending, false);\n        set_startup", "        set_startup", ["hvm_lapic_startup"]),
    "an NMI waits for an exit": ("        hvm_cpu_leave_at_once();\n", "", ["hvm_inject"]),
    "what cannot be put in is an heir's": ("    if (!get_page(pg, d))\n        return;\n    (void)clear_allocated(pg);\n    put_page(pg);", "    (void)d;\n    (void)clear_allocated(pg);", ["hvm_control"]),
    "a stamp of the future": ("(int32_t)(now - stamp) < 0 ? now : stamp", "stamp", PROTOCOL),
    # the event counters
    "not counted: a VMMCALL": ("    count_event(v, COUNTER_hypercall + nr);\n", "", HVM_COUNTS),
    "not counted: an exit": ("    count_exit(v, code);\n", "", HVM_COUNTS),
    "an exit counts twice": ("    count_exit(v, code);\n", "    count_exit(v, code);\n    count_exit(v, code);\n", HVM_COUNTS),
    "a nested fault has no row": ("code == EXIT_NPF ? COUNTER_exit_npt_fault : COUNTER_exit_other", "COUNTER_exit_other", HVM_COUNTS),
    "two rows of exits are one another's": ("counter_of[code])", "counter_of[code ^ (code == EXIT_INTR || code == EXIT_NMI)])", HVM_COUNTS),
    "an exit beyond the rows has one": ("likely(code < ARRAY_SIZE(counter_of))", "(code %= ARRAY_SIZE(counter_of)) < ARRAY_SIZE(counter_of)", HVM_COUNTS),
    "not counted: an interrupt sent by the local APIC": ("    count_event(v, COUNTER_ipis);\n    for_each", "    for_each", HVM_COUNTS),
    "an interrupt counts for each that gets it": ("        if (mode != IPI_LOWEST)\n            deliver(t, icr);", "        count_event(v, COUNTER_ipis);\n        if (mode != IPI_LOWEST)\n            deliver(t, icr);", HVM_COUNTS),
    "not counted: a local APIC's timer": ("        count_event_anywhere(v, COUNTER_timers);\n        lapic_raise", "        lapic_raise", HVM_COUNTS),
    "a masked timer counts": ("    if (!(lvt & LVT_MASKED)) {\n        count_event_anywhere(v, COUNTER_timers);\n", "    count_event_anywhere(v, COUNTER_timers);\n    if (!(lvt & LVT_MASKED)) {\n", HVM_COUNTS),
    "not counted: an upcall by a vCPU's own vector": ("    count_event_anywhere(v, COUNTER_upcalls);\n    lapic_raise", "    lapic_raise", HVM_COUNTS),
    "not counted: an upcall by the vector of all": ("            count_event_anywhere(v, COUNTER_upcalls); /* as hvm_upcall() does */\n", "", HVM_COUNTS),
    "not counted: an exception given": ("    count_event(v, COUNTER_injections);\n    vmcb_of(v)->", "    vmcb_of(v)->", HVM_COUNTS),
    "not counted: an NMI given": ("    count_event(v, COUNTER_injections);\n    b->control.event_inj", "    b->control.event_inj", HVM_COUNTS),
    "not counted: an interrupt given": ("        count_event(v, COUNTER_injections);\n        if (upcall", "        if (upcall", HVM_COUNTS),
    "not counted: an entry by update_va_mapping": ("    count_event(v, COUNTER_ptes_written);\n    return flush_after", "    return flush_after", PV_COUNTS),
    "not counted: an instruction emulated": ("        count_event(v, COUNTER_emulated_instructions);\n", "", PV_COUNTS),
    "not counted: CPUID as Xen's guests ask for it": ("    count_event(v, COUNTER_emulated_instructions);\n    emulate_cpuid", "    emulate_cpuid", PV_COUNTS),
    "not counted: an entry by an ordinary write": ("        count_event(v, COUNTER_ptes_written);\n    return rc;", "        ;\n    return rc;", PV_COUNTS),
    "not counted: a write emulated": ("    count_event(v, COUNTER_emulated_writes);\n    x86_write_done", "    x86_write_done", PV_COUNTS),
    "not counted: a write emulated without the decoder": ("    count_event(v, COUNTER_emulated_writes);\n    if (exchange)", "    if (exchange)", ["pv_mm_ptwr"]),
    "not counted: an exception bounced": ("    count_event(v, COUNTER_exceptions);\n", "", PV_COUNTS),
    "not counted: a system call bounced": ("    count_event(v, COUNTER_syscalls);\n", "", PV_COUNTS),
    "not counted: an upcall of a paravirtual guest": ("    count_event(v, COUNTER_upcalls);\n    if (!call_back", "    if (!call_back", PV_COUNTS),
    "not counted: an entry for a grant": ("    count_event(v, COUNTER_ptes_written);\n}", "}", PV_COUNTS),
    "not counted: entries by mmu_update": ("        count_events(v, COUNTER_ptes_written, *i - b.other);\n", "", PV_COUNTS),
    "what is no entry counts as one": ("*i - b.other);", "*i);", PV_COUNTS),
    "not counted: a new base table": ("    count_event(v, COUNTER_cr3_loads);\n    load_cr3", "    load_cr3", PV_COUNTS),
    "not counted: a change between kernel and user": ("    count_event(v, COUNTER_cr3_loads);\n    if (unlikely", "    if (unlikely", PV_COUNTS),
    "not counted: a flush of CPUs": ("    count_event(v, one ? COUNTER_flushes_of_one : COUNTER_flushes);\n    if (!one)", "    if (!one)", PV_COUNTS),
    "a flush of all counts as one of an address": ("count_event(v, one ? COUNTER_flushes_of_one : COUNTER_flushes);\n    if (!one)", "count_event(v, one ? COUNTER_flushes : COUNTER_flushes_of_one);\n    if (!one)", PV_COUNTS),
    "not counted: a switch": ("        count_event(next, COUNTER_switches);\n", "", PV_COUNTS),
    "not counted: a grant mapped": ("    count_events(current, COUNTER_grants_mapped, op->status == GNTST_okay);\n", "", PV_COUNTS),
    "a refused grant counts as mapped": ("COUNTER_grants_mapped, op->status == GNTST_okay", "COUNTER_grants_mapped, 1", PV_COUNTS),
    "not counted: a grant copied": ("    count_events(current, COUNTER_grants_copied, op->status == GNTST_okay);\n", "", PV_COUNTS),
    "a refused copy counts": ("COUNTER_grants_copied, op->status == GNTST_okay", "COUNTER_grants_copied, 1", PV_COUNTS),
    "not counted: an interrupt by a port": ("        count_event(current, COUNTER_ipis);\n", "", PV_COUNTS),
    "not counted: a timer, once": ("    count_event_anywhere(data, COUNTER_timers);\n", "", PV_COUNTS),
    "not counted: a periodic timer": ("    count_event_anywhere(v, COUNTER_timers);\n    send_vcpu_virq", "    send_vcpu_virq", PV_COUNTS),
    "not counted: a flush that others are asked for": ("    count_event(current, COUNTER_flushes_of_others);\n", "", ["core_tlb"]),
    "not counted: a call of a multicall": ("    count_event(v, COUNTER_hypercall + (unsigned int)nr);\n", "", PV_COUNTS),
    "counters are told in 32 bits": ("        values[i] = READ_ONCE(v->counter[i]);", "        values[i] = (uint32_t)READ_ONCE(v->counter[i]);", PV_COUNTS),
    "each counter is told as the next": ("        values[i] = READ_ONCE(v->counter[i]);", "        values[i] = READ_ONCE(v->counter[i ? i - 1 : 0]);", PV_COUNTS),
    "more counters are told than there are": ("MIN(a.nr, (uint32_t)NR_COUNTERS) * sizeof(values[0])", "a.nr * sizeof(values[0])", PV_COUNTS),
    "vCPU 0's counters are told for all's": ("    v = domain_vcpu(d, a.vcpu);\n    if (!v)\n        return -XEN_ESRCH;\n    for (unsigned int i = 0; i < NR_COUNTERS", "    v = d->vcpu[0];\n    for (unsigned int i = 0; i < NR_COUNTERS", PV_COUNTS),
    # exits
    "DR7 has no handler": ("    [EXIT_DR_WRITE + 7] = hvm_exit_dr,\n", "", EXITS),
    "#AC has no handler": ("    [EXIT_EXCEPTION + TRAP_alignment_check] = fault,\n", "", EXITS),
    "PAUSE yields nothing": ("    hvm_skip(v, 2);\n    vcpu_yield();", "    hvm_skip(v, 2);", EXITS),
    "users write XCR0": ("if (vmcb_of(v)->save.cpl || (uint32_t)v->regs.rcx ||", "if ((uint32_t)v->regs.rcx ||", EXITS + ["hvm_msr_cpuid"]),
    "XCR0 is whatever is written": (" || !machine_xsetbv_safe(value)) {", ") {", EXITS + ["hvm_msr_cpuid"]),
    "the shadow of STI outlasts an instruction": ("    b->control.int_state &= ~INT_STATE_SHADOW;\n    if (unlikely", "    if (unlikely", EXITS + ["hvm_inject"]),
    "RIP of 32-bit code is wide": ("b->save.cs.attributes & SEGMENT_CODE_LONG ? rip : (uint32_t)rip;", "rip;", EXITS),
    "where the CPU goes on is not asked for": ("next ? next : v->regs.rip + bytes", "v->regs.rip + bytes", EXITS),
    "CR0.NW without CD is run": ("    if (unlikely(has_bad_cr0(v)))", "    if (0)", EXITS),
    "HLT behind STI is left to the CPU": ("&& halts_behind_sti(v))", "&& 0)", ["hvm_inject"]),
    "users halt": ("code[0] == 0xf4 && !vmcb_of(v)->save.cpl;", "code[0] == 0xf4;", ["hvm_inject"]),
    "XCR0 is not read back": ("    take_xcr0(v);\n", "", EXITS + ["hvm_msr_cpuid"]),
    "XCR0 that was not offered is kept": ("    if (machine_xsetbv_safe(xcr0))\n", "    if (1)\n", EXITS + ["hvm_msr_cpuid"]),
    "strings go one way": ("set_masked(index, mask, *index + (r->rflags & X86_EFLAGS_DF ? -(uint64_t)bytes : bytes));", "set_masked(index, mask, *index + bytes);", EXITS),
    "REP does not count": ("            set_masked(&v->regs.rcx, mask, v->regs.rcx - 1);\n", "            ;\n", EXITS),
    "INS writes by DS": ("in ? b->save.es.base : b->save.ds.base", "b->save.ds.base", EXITS),
    "the hypervisor copies as a user": ("    g.cpl = 0;\n    return guest_walk_copy", "    return guest_walk_copy", EXITS + ["hvm_xen"]),
    "a walk's fault is an access": ("return (b->control.exit_info1 & NPF_FINAL) && !", "return !", EXITS),
    "a fault of a delivery is an access": ("(b->control.exit_info1 & NPF_FINAL) && !(b->control.exit_int_info & EVENT_VALID)", "(b->control.exit_info1 & NPF_FINAL)", EXITS),
    "a constant is a register": ("value = a->immediate ? a->value :", "value =", EXITS),
    "there are registers where there are none": ("    if (!in_memory(lapic_of(v), offset))\n        return ~0u;\n", "", ["hvm_lapic"]),
    "registers are written where there are none": ("    if (in_memory(lapic_of(v), offset) && access_at", "    if (access_at", ["hvm_lapic"]),
    # what a guest that is told of Xen asks for
    "any frame of grants is asked for": ("        if (a->idx >= grant_table_max_frames(d))\n            return -XEN_EINVAL;\n", "", PHYSMAP),
    "what was in the way is kept for ever": ("    if (!rc && !(READ_ONCE(pg->count_info) & PGC_xenheap))\n        (void)clear_allocated(pg);\n    put_page", "    put_page", PHYSMAP),
    "a shared page in the way is given back": ("    if (!rc && !(READ_ONCE(pg->count_info) & PGC_xenheap))\n", "    if (!rc)\n", PHYSMAP),
    "a frame that moves stays too": ("    rc = npt_unmap(d, GFN(READ_ONCE(machine_to_phys[mfn.n])), mfn);\n", "    rc = 0;\n", PHYSMAP),
    "a frame that is there goes on a journey": ("    if (mfn_eq(npt_lookup(d, to), mfn))\n        return 0;\n", "", PHYSMAP),
    "a frame that is nowhere is not put in": ("if (!rc || rc == -XEN_ENOENT) /* or", "if (!rc) /* or", PHYSMAP),
    "nothing is taken out of the way": ("        rc = evict(d, to);\n", "        rc = 0;\n", PHYSMAP),
    "a frame that moves keeps a reference": ("    rc = move(d, mfn, GFN(a->gpfn));\n    put_page(pg);", "    rc = move(d, mfn, GFN(a->gpfn));", PHYSMAP),
    "any parameter is there": ("if (!setter[index])", "if (index >= HVM_PARAMS)", UPCALLS + ["hvm_xen"]),
    "any callback is taken": ("    if (set && index == HVM_PARAM_CALLBACK_IRQ && !hvm_is_callback(*value))", "    if (0)", UPCALLS),
    "any callback has a vector": ("return via >> 56 == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (uint8_t)via : 0;", "return (uint8_t)via;", UPCALLS),
    "a vector of exceptions tells of events": ("#define LOWEST_VECTOR 16\n\n/* What HVM", "#define LOWEST_VECTOR 15\n\n/* What HVM", UPCALLS),
    "a vCPU's own vector and that of all": ("READ_ONCE(v->arch.hvm.upcall_vector) ||\n        ", "", UPCALLS),
    "there is always an event": (" ||\n        !READ_ONCE(v->vcpu_info->evtchn_upcall_pending))\n        return -1;", ")\n        return -1;", UPCALLS),
    "events wait behind the local APIC": ("    if (upcall < 0 && !extint && vector < 0)\n", "    if (vector >= 0)\n        upcall = -1;\n    if (upcall < 0 && !extint && vector < 0)\n", UPCALLS),
    # CPUID and MSRs
    "CPUID has every leaf": ("        out[0] = MIN(out[0], 0xdu);\n        break;\n    case 1:\n        leaf_1(v, out);\n        break;\n    case 4:", "        break;\n    case 1:\n        leaf_1(v, out);\n        break;\n    case 4:", TABLES),
    "any feature of leaf 1's ECX is shown": ("out[2] = (out[2] & ecx) |", "out[2] = out[2] |", TABLES),
    "any feature of leaf 1's EDX is shown": ("out[3] = (out[3] & L1_EDX) |", "out[3] = out[3] |", TABLES),
    "profile hvm is told of a hypervisor": ("    if (v->domain->arch.hvm.xen)\n        out[2] |= L1", "    if (1)\n        out[2] |= L1", TABLES + ["hvm_xen"]),
    "OSXSAVE is always there": ("xsave && (vmcb_of(v)->save.cr4 & X86_CR4_OSXSAVE)", "xsave", TABLES),
    "a local APIC that is off is shown": ("        out[3] &= ~B(9);\n", "        ;\n", TABLES),
    "any extended feature of ECX is shown": ("        out[2] &= E1_ECX;\n        if (cores", "        if (cores", TABLES),
    "any extended feature of EDX is shown": ("            out[2] |= E1_ECX_CMP_LEGACY;\n        out[3] &= E1_EDX;\n", "            out[2] |= E1_ECX_CMP_LEGACY;\n", TABLES),
    "a TSC that is none is invariant": ("out[3] = clock_stable() ? B(8) : 0;", "out[3] = B(8);", TABLES),
    "what is not known is shown": ("    default: /* monitor, performance counters, topology, SVM, and what is new: not shown */\n        memset(out, 0, 4 * sizeof(*out));", "    default:\n        ;", TABLES),
    "caches are shared as the machine's": ("        out[0] &= 0x3fff; /*", "        /*", TABLES),
    "no leaf says which vCPU it is": ("        if (leaf == XEN_CPUID_LEAF(4))\n            leaf_numbers(v, out);\n", "", TABLES + ["hvm_xen"]),
    "EFER.SVME is shown": ("~(EFER_SVME | EFER_LME)) |", "~EFER_LME) |", TABLES),
    "EFER has any bit": ("    if (value & ~EFER_GUEST)\n        return false;\n", "", TABLES),
    "EFER.LME changes under paging": ("    if ((b->save.cr0 & X86_CR0_PG) && !(value & EFER_LME) == v->arch.hvm.lme)\n        return false;\n", "", TABLES),
    "EFER.LMA is written": ("(value & ~EFER_LMA) | (b->save.efer & EFER_LMA) | EFER_SVME", "value | EFER_SVME", TABLES),
    "EFER.SVME goes": ("(b->save.efer & EFER_LMA) | EFER_SVME;", "(b->save.efer & EFER_LMA);", TABLES),
    "EFER changes without a flush": ("    hvm_show_lme(v);\n    hvm_forget_translations(v);\n    return true;", "    hvm_show_lme(v);\n    return true;", TABLES),
    "PAT has any type": ("        if (type > 7 || type == 2 || type == 3)\n            return false;\n", "", TABLES),
    "the MSR of hypercalls is profile hvm's too": ("        *value = 0;\n        return v->domain->arch.hvm.xen;", "        *value = 0;\n        return true;", TABLES + ["hvm_xen"]),
    "profile hvm has a page of hypercalls": ("return v->domain->arch.hvm.xen && hvm_write_hypercall_page", "return hvm_write_hypercall_page", TABLES + ["hvm_xen"]),
    # ports
    "a wide access resets the machine": ("return (r->alone && bytes != 1) || ", "return ", ["hvm_ports"]),
    "a guest that is told of Xen has a UART": (" || (r->read == uart_read && h->domain->arch.hvm.xen)\n", "\n", ["hvm_ports", "hvm_xen"]),
    "where no device is reads as 0": ("(r ? r->read(h, port + i) : 0xff) << i * 8;", "(r ? r->read(h, port + i) : 0) << i * 8;", ["hvm_ports"]),
    "a wide read reads one byte again": ("(r ? r->read(h, port + i) : 0xff) << i * 8;", "(r ? r->read(h, port) : 0xff) << i * 8;", ["hvm_ports"]),
    "a wide write writes one byte again": ("(uint8_t)(value >> i * 8)", "(uint8_t)value", ["hvm_ports"]),
    "the dying tell of their console": ("h->notify && !READ_ONCE(d->dying)", "h->notify", ["hvm_ports", "hvm_uart_ring", "hvm_uart"]),
    "S5 is not the end": ("    if (ends)\n        domain_shutdown(d, end_code);", "", ["hvm_ports"]),
    "a closed port is told for ever": ("    if (notify && evtchn_send(d, port))\n        hvm_uart_attach(d, NULL, 0);", "    if (notify)\n        (void)!evtchn_send(d, port);", ["hvm_ports", "hvm_uart_ring", "hvm_uart"]),
    "a nested frame goes before the flush": ("    flush_tlb_domain(d, ALL_CPUS);\n    put_page(mfn_to_page(mfn));\n    return 0;", "    put_page(mfn_to_page(mfn));\n    flush_tlb_domain(d, ALL_CPUS);\n    return 0;", ["hvm_npt"]),
}


def plain(source):
    """Without the comments that name steps of models (model_labels.py)."""
    return re.sub(r"^[ ]*/\* model: [\w.]+ \*/\n|[ ]*/\* model: [\w.]+ \*/", "", source, flags=re.M)


def find(text):
    """The one source file that has the text."""
    found = []
    for path in subprocess.run(["git", "ls-files", "hypervisor/*.c"], check=True, capture_output=True, text=True).stdout.split():
        with open(path, encoding="utf-8") as source:
            found += [path] * plain(source.read()).count(text)
    if len(found) != 1:
        sys.exit(f"mutants: {text!r} stands {len(found)} times: {' '.join(found)}")
    return found[0]


def build(name, path, text, replacement):
    """The mutated file's object, or None."""
    folder = os.path.join(OUT, name.replace(" ", "-"))
    os.makedirs(folder, exist_ok=True)
    source = os.path.join(folder, os.path.basename(path))
    with open(path, encoding="utf-8") as original, open(source, "w", encoding="utf-8") as mutated:
        mutated.write(plain(original.read()).replace(text, replacement))
    flags = os.environ["MUTANT_CFLAGS"].split() + ["-iquote", os.path.dirname(path), "-Wno-error"]
    if os.path.dirname(path) in ("hypervisor/x86", "hypervisor/hvm/cpu"):
        flags += ["-include", "tests/unit/x86_names.h"]
    subprocess.run(["gcc", *flags, "-w", "-c", source, "-o", source[:-1] + "o"], check=True)
    return source[:-1] + "o"


def link(program, mutant):
    """Links a unit program with the mutated object; `make` has named its objects in the environment."""
    program, *arguments = program.split()
    out = os.path.join(os.path.dirname(mutant), program)
    objects = os.environ["OBJECTS_" + program].split()
    objects = [o for o in objects if not o.endswith(tuple(room + os.path.basename(mutant) for room in ("/base/", "/x86/", "/hvm/", "/cpu/")))]
    subprocess.run(["gcc", "-fsanitize=address,undefined", "-o", out, *objects, mutant,
                    "build/host/gcc/libcore.a", "-lcmocka", "-lm"], check=True)
    return [out, *arguments, str(TORTURE_SECONDS), "1"] if arguments else [out]


def failure(command):
    """Why the program failed, or None."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"did not end in {LIMIT} s"
    if not ran.returncode:
        return None
    said = (ran.stderr + ran.stdout).splitlines() or [f"status {ran.returncode}"]
    return next(filter(TOLD.search, said), said[-1]).strip()


def killer(name):
    """The first program that fails with the mutant, or None."""
    text, replacement, programs = MUTANTS[name]
    mutant = build(name, find(text), text, replacement)
    for program in programs:
        why = failure(link(program, mutant))
        if why:
            return f"{program}: {why}"
    return None


def main():
    survivors = 0
    names = sys.argv[1:] or list(MUTANTS)
    for name in names:
        start = time.monotonic()
        by = killer(name)
        survivors += by is None
        print(f"{name:34} {by or 'SURVIVES'} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"{survivors} of {len(names)} mutants survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
