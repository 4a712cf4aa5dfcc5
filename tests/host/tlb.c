/* SPDX-License-Identifier: MIT */
/*
 * What CPUs may still know of page tables: a model of the TLB and of the paging-structure cache,
 * and the oracle over it.
 *
 * The model is the guests' best friend. Each vCPU that may run has a CPU of its own, which runs all
 * the time, also while the hypervisor is in the middle of something for another. Such a CPU learns
 * everything at once: each translation that can be reached from its CR3, each entry of a higher
 * table on the way there, each descriptor page of its vCPU; and it forgets only what a flush takes
 * away, and learns anew as soon as that is done. It walks on from tables that it remembers,
 * although nothing refers to them any more.
 *
 * A full flush takes all. INVLPG takes the translations of one page, and all entries of higher
 * tables. A load of CR3 that keeps global pages takes all but those. A vCPU that may not run has
 * left its CPU, which knows nothing of it any more.
 *
 * Who flushes where and when is the hypervisor's own protocol (core/base/tlb.c), between these
 * CPUs: each has its struct cpu, is kicked, and serves at once. They have no part in anything else.
 * The CPU on which the tests run is that of the current vCPU: when another becomes current the two
 * exchange numbers, so that nothing is forgotten on the way. (Where each CPU is a thread nothing is
 * modelled but what the protocol sees.)
 *
 * The oracle, after each operation: what a CPU knows as
 *   writable     is no table, no descriptor page, and of the same owner as when it was learned
 *   readable     is of the same owner
 *   a table      is one of that level, or out of use and not given to anyone
 *   descriptors  are those of the vCPU's slots now, and checked
 * A frame on its way through the heap, or without a use at the moment, harms nobody: the flush may
 * come when it gets its next. The control domain is trusted with what it mapped of others.
 */
#include "tlb_threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/base/tlb.h>
#include <core/domain/domain_table.h>
#include <pv/mm.h>
#include <pv/pv.h>

#define MOST_CPUS   64
#define FIRST_MODEL 16 /* those between are for tests that have further CPUs of their own */
#define CHAINS      1024u
#define NONE        0xffffffffu
#define DESCRIPTORS 5 /* a level that is none */

extern mfn_t pv_zero_page; /* pv/domain_ops.c */

struct known {
    uint64_t key;  /* the address, without the bits below what the level tells apart */
    uint32_t mfn;  /* level 0: what is mapped; 1 to 4: a table of that level */
    uint32_t next; /* of its chain */
    domid_t owner; /* when it was learned */
    uint8_t level;
    bool rw, global;
};

struct tlb {
    struct vcpu *v; /* NULL: the CPU is idle */
    domid_t domid;
    unsigned int vcpu_id;
    mfn_t root; /* what CR3 holds; 0: no page tables */
    unsigned int n, size;
    struct known *known;
    uint32_t chain[CHAINS];
};

static struct tlb tlbs[MOST_CPUS]; /* by CPU */
static struct cpu models[MOST_CPUS];

unsigned int host_flushes, host_cache_flushes;
void (*host_on_flush)(void);

static void forget_all(struct tlb *t)
{
    t->n = 0;
    memset(t->chain, 0xff, sizeof(t->chain));
}

static uint32_t *chain_of(struct tlb *t, const struct known *k)
{
    uint64_t h = (k->key * 5 + k->level + k->mfn * 7919ull) * 0x9e3779b97f4a7c15ull;

    return &t->chain[h >> 54 & (CHAINS - 1)];
}

static void link_known(struct tlb *t, uint32_t i)
{
    uint32_t *head = chain_of(t, &t->known[i]);

    t->known[i].next = *head;
    *head = i;
}

static void learn(struct tlb *t, struct known k)
{
    for (uint32_t i = *chain_of(t, &k); i != NONE; i = t->known[i].next) {
        const struct known *o = &t->known[i];

        if (o->key == k.key && o->mfn == k.mfn && o->level == k.level && o->rw == k.rw &&
            o->global == k.global && o->owner == frame_table[k.mfn].owner)
            return;
    }
    if (t->n == t->size) {
        t->size = t->size ? t->size * 2 : 256;
        t->known = realloc(t->known, t->size * sizeof(*t->known));
        if (!t->known)
            abort();
    }
    k.owner = frame_table[k.mfn].owner;
    t->known[t->n] = k;
    link_known(t, t->n++);
}

/* Keeps what `keep` says. */
static void forget(struct tlb *t, bool (*keep)(const struct known *, gva_t), gva_t va)
{
    unsigned int n = t->n;

    forget_all(t);
    for (unsigned int i = 0; i < n; i++) {
        if (!keep(&t->known[i], va))
            continue;
        t->known[t->n] = t->known[i];
        link_known(t, t->n++);
    }
}

static bool keep_global_pages(const struct known *k, gva_t va)
{
    (void)va;
    return k->level == 0 && k->global;
}

static bool keep_but_one(const struct known *k, gva_t va)
{
    return k->level == DESCRIPTORS || (k->level == 0 && k->key != va >> PAGE_SHIFT);
}

/* What one entry of a table that is known says. The table may be free by now: the CPU does not care
 * (nor may the sanitizer). */
__attribute__((no_sanitize("address"))) static void look_at(struct tlb *t, uint32_t at)
{
    const struct known table = t->known[at];
    const uint64_t *entries = map_frame(MFN(table.mfn));

    for (unsigned int i = 0; i < 512; i++) {
        uint64_t e = entries[i];

        if ((e & (PTE_PRESENT | PTE_USER)) != (PTE_PRESENT | PTE_USER) || !mfn_valid(pte_mfn(e)) ||
            (table.level == 4 && i >= HYPERVISOR_L4_FIRST && i <= HYPERVISOR_L4_LAST))
            continue;
        learn(t, (struct known){.key = table.key << 9 | i,
                                .mfn = (uint32_t)pte_mfn(e).n,
                                .level = table.level - 1,
                                .rw = table.rw && (e & PTE_RW),
                                .global = table.level == 1 && (e & PTE_GLOBAL)});
    }
}

static void learn_all(struct tlb *t)
{
    if (!t->v || !t->root.n)
        return;
    learn(t, (struct known){.mfn = (uint32_t)t->root.n, .level = 4, .rw = true});
    for (uint32_t i = 0; i < t->n; i++) /* grows on the way */
        if (t->known[i].level >= 1 && t->known[i].level <= 4)
            look_at(t, i);
    for (unsigned int i = 0; t->v->arch.pv.perdomain_l1 && i < 32; i++) {
        uint64_t e = t->v->arch.pv.perdomain_l1[i];

        if (e & PTE_PRESENT)
            learn(t, (struct known){.key = i, .mfn = (uint32_t)pte_mfn(e).n, .level = DESCRIPTORS});
    }
}

/* v may be gone, and its domain another of the same id. */
static bool is_running(const struct tlb *t)
{
    struct domain *d = NULL;

    while ((d = next_domain(d)) != NULL)
        if (d->domain_id == t->domid && !d->dying && domain_vcpu(d, t->vcpu_id) == t->v)
            return vcpu_runnable(t->v) && t->v->initialised;
    return false;
}

static void flush(struct tlb *t)
{
    forget_all(t);
    learn_all(t);
}

static struct tlb *this_tlb(void)
{
    return &tlbs[this_cpu()->id];
}

static struct tlb *tlb_of(const struct vcpu *v)
{
    for (unsigned int i = 0; i < MOST_CPUS; i++)
        if (v && tlbs[i].v == v && tlbs[i].domid == v->domain->domain_id)
            return &tlbs[i];
    return NULL;
}

struct cpu *host_tlb_cpu(unsigned int id)
{
    return id >= FIRST_MODEL && id < MOST_CPUS ? &models[id] : NULL;
}

static void play(const struct tlb *t)
{
    host_play(cpu_by_id((unsigned int)(t - tlbs)));
}

/* ---- who is on which CPU ---- */

static void enter(struct tlb *t, struct vcpu *v)
{
    play(t);
    tlb_switch_begin(NULL, v->domain);
    t->v = v;
    t->domid = v->domain->domain_id;
    t->vcpu_id = v->vcpu_id;
    v->cpu_stack = this_cpu();
    load_cr3(v->arch.pv.cr3);
    tlb_switch_end(NULL, v->domain);
    host_play(NULL);
}

/* The domain may be gone already, its struct too. */
static void leave(struct tlb *t)
{
    struct domain *d = NULL;

    while ((d = next_domain(d)) != NULL && d->domain_id != t->domid)
        ;
    play(t);
    t->v = NULL;
    if (d)
        tlb_switch_begin(d, NULL);
    load_cr3(0);
    tlb_switch_end(d, NULL);
    host_play(NULL);
}

static void let_leave(void)
{
    for (unsigned int i = 0; i < MOST_CPUS; i++)
        if (tlbs[i].v && !is_running(&tlbs[i]))
            leave(&tlbs[i]);
}

static struct tlb *free_tlb(void)
{
    for (unsigned int i = FIRST_MODEL; i < MOST_CPUS; i++)
        if (!tlbs[i].v)
            return &tlbs[i];
    return NULL;
}

static void let_enter(struct vcpu *v)
{
    struct tlb *t = v == current ? this_tlb() : free_tlb();

    if (tlb_of(v) || !t || !v->arch.pv.cr3 || !vcpu_runnable(v) || !v->initialised ||
        v->domain->dying)
        return;
    if (t->v)
        leave(t);
    enter(t, v);
}

static void stay(struct tlb *t)
{
    if (t->v)
        t->v->cpu_stack = cpu_by_id((unsigned int)(t - tlbs));
}

/* Two CPUs exchange numbers. */
static void exchange(struct tlb *t, struct tlb *u)
{
    struct cpu *a = cpu_by_id((unsigned int)(t - tlbs)), *b = cpu_by_id((unsigned int)(u - tlbs));
    uint64_t bits = 1ull << a->id | 1ull << b->id, time = a->tlb_time;
    struct domain *d = NULL;
    struct tlb was = *t;

    *t = *u;
    *u = was;
    stay(t);
    stay(u);
    a->tlb_time = b->tlb_time;
    b->tlb_time = time;
    while ((d = next_domain(d)) != NULL)
        if (d->dirty_cpus & bits && ~d->dirty_cpus & bits)
            d->dirty_cpus ^= bits;
}

/* v is current from now on: this CPU is its own. */
static void bring(struct vcpu *v)
{
    struct tlb *here = this_tlb(), *t;

    if (here->v == v)
        return;
    if (here->v && (t = free_tlb()) != NULL)
        exchange(here, t);
    else if (here->v)
        leave(here);
    t = tlb_of(v);
    if (t)
        exchange(here, t);
    else if (!is_idle(v))
        enter(here, v);
}

bool host_no_tlbs;
void host_tlb_init(void);
void host_tlb_init(void)
{
    host_no_tlbs = false;
    tlb_cpus = 0;
    for (unsigned int i = 0; i < MOST_CPUS; i++) {
        tlbs[i].v = NULL;
        forget_all(&tlbs[i]);
        memset(&models[i], 0, sizeof(models[i]));
        models[i].id = i;
        if (i >= FIRST_MODEL)
            tlb_init_cpu(&models[i]);
    }
    tlb_clock_line.now = 1;
    host_flushes = 0;
}

/* ---- the port ---- */

void host_tlb_kick(unsigned int id)
{
    const struct cpu *c = cpu_by_id(id);

    if (!c || !(c->pending & CPU_WORK_FLUSHES))
        return;
    if (tlbs[id].v && !is_running(&tlbs[id]))
        leave(&tlbs[id]);
    play(&tlbs[id]);
    serve_flush();
    host_play(NULL);
}

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    struct tlb *t = this_tlb();

    this_cpu()->arch.cr3 = cr3;
    this_cpu()->arch.flushes += !keep_global;
    if (host_threads) {
        host_thread_load_cr3(cr3, keep_global);
        return;
    }
    t->root = MFN(cr3 >> PAGE_SHIFT);
    if (keep_global) {
        forget(t, keep_global_pages, 0);
        learn_all(t);
    } else {
        flush(t);
    }
}

void machine_flush_tlb(void)
{
    this_cpu()->arch.flushes++;
    if (host_threads) {
        host_thread_flush();
        return;
    }
    host_flushes++;
    if (host_on_flush)
        host_on_flush();
    flush(this_tlb());
}

void flush_tlb_one_local(gva_t va)
{
    if (host_threads) {
        host_thread_flush_one(va);
        return;
    }
    forget(this_tlb(), keep_but_one, va & ((1ull << 48) - 1));
    learn_all(this_tlb());
}

void machine_flush_cache(void)
{
    WRITE_ONCE(host_cache_flushes, host_cache_flushes + 1);
}

void machine_context_switch(struct vcpu *prev, struct vcpu *next)
{
    WRITE_ONCE(next->cpu_stack, this_cpu());
    if (host_no_tlbs)
        return;
    if (host_threads) {
        host_thread_switch(prev, next);
        return;
    }
    let_leave();
    bring(next);
    this_cpu()->arch.cr3 = next->arch.pv.cr3;
}

/* ---- the oracle ---- */

static void wrong(const struct tlb *t, const struct known *k, const char *what)
{
    const struct page_info *pg = &frame_table[k->mfn];

    fprintf(stderr,
            "d%uv%u's CPU still knows frame %#x (level %u, key %#lx, %s, of d%u): %s\n"
            "now: owner d%u, count %#lx, type %#lx\n",
            t->domid, t->vcpu_id, k->mfn, k->level, (unsigned long)k->key,
            k->rw ? "writable" : "read-only", k->owner, what, pg->owner,
            (unsigned long)pg->count_info, (unsigned long)pg->type_info);
    abort();
}

static void check_one(const struct tlb *t, const struct known *k)
{
    const struct page_info *pg = &frame_table[k->mfn];
    uint64_t type = pg->type_info & PGT_type_mask;
    bool used = pg->type_info & PGT_count_mask;
    bool trusted = t->v->domain->is_control && k->owner != t->domid;

    if (k->level == DESCRIPTORS) {
        uint64_t e = t->v->arch.pv.perdomain_l1[k->key];

        if (!(e & PTE_PRESENT) || pte_mfn(e).n != k->mfn)
            wrong(t, k, "not what the descriptor slot maps now");
        if (k->mfn != pv_zero_page.n && used && type != PGT_seg_desc_page)
            wrong(t, k, "descriptors, but no checked ones");
        return;
    }
    if (pg->count_info & PGC_free)
        return;
    if (pg->owner != k->owner)
        wrong(t, k, "has another owner");
    if (!used || trusted)
        return;
    if (k->level == 0 && k->rw && type != PGT_writable_page)
        wrong(t, k, "writable, but has a type that may not be");
    if (k->level >= 1 && type != (uint64_t)k->level << PGT_type_shift)
        wrong(t, k, "a table that is none, or of another level");
}

void host_tlb_check(void)
{
    struct domain *d = NULL;
    struct vcpu *v;

    let_leave();
    while ((d = next_domain(d)) != NULL)
        for_each_vcpu (d, v)
            let_enter(v);
    for (unsigned int i = 0; i < MOST_CPUS; i++) {
        struct tlb *t = &tlbs[i];

        if (!t->v || !t->root.n)
            continue;
        if (t->root.n != t->v->arch.pv.cr3 >> PAGE_SHIFT)
            wrong(t, &t->known[0], "the vCPU has another CR3, which was not loaded");
        learn_all(t);
        for (unsigned int k = 0; k < t->n; k++)
            check_one(t, &t->known[k]);
    }
}

bool host_tlb_lookup(gva_t va, bool write, mfn_t *out)
{
    struct tlb *t = tlb_of(current);

    for (unsigned int i = 0; t && i < t->n; i++) {
        const struct known *k = &t->known[i];

        if (k->level || k->key != (va & ((1ull << 48) - 1)) >> PAGE_SHIFT || (write && !k->rw) ||
            (frame_table[k->mfn].count_info & PGC_free))
            continue;
        *out = MFN(k->mfn);
        return true;
    }
    return false;
}
