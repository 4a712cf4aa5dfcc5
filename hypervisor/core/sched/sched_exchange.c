/* SPDX-License-Identifier: MIT */
/*
 * A CPU for a vCPU that waits: an idle one, or one whose vCPU gives way; by itself, or by an
 * exchange.
 *
 * With affinity the least virtual time on each CPU is not enough. v may run on CPU 0 alone, u there
 * is before it, but could as well go to CPU 1, which is idle, or where somebody runs who comes
 * after v: then v is kept waiting without need. In general there is a chain: from the CPUs where v
 * may run, through the CPUs where may run who runs there, and so on, to one that is idle or whose
 * vCPU comes after v. Whoever can be reached so can give way to v, and the one who used most
 * should: the sets of vCPUs that can run at once are the independent sets of a matroid, where
 * taking the first who fits, each in turn, is best if all chains are looked at.
 *
 * Only the first link of a chain is made here: the CPU is told to take v (cpu->next), whoever is
 * before v. Who has to leave it is queued then, looks for a CPU in the same way, and finds the rest
 * of the chain as it is by then. Each takes the place of one who used more, so it ends.
 *
 * Sets of CPUs are words, each CPU is looked at once.
 *
 * Lock: runqueue.lock.
 */
#include <core/sched/runqueue.h>
#include <port/current.h>

#define WAKE_GRAIN MICROSECS(500)
#define LEAST_RUN  MICROSECS(100) /* a switch costs little of it */

/* What is searched, from v on. */
struct search {
    const struct vcpu *v;
    bool wakes;
    s_time_t now;
    uint64_t reached;
    uint8_t by[NR_CPUS]; /* of those reached: the first CPU of the chain there */
    struct cpu *victim;  /* where the one who used most runs, if it comes after v */
    uint64_t most;
};

/* From c: by the CPU by which that was reached; NULL: each is the first itself. */
static void reach(struct search *s, uint64_t cpus, const struct cpu *c)
{
    s->reached |= cpus;
    for (; cpus; cpus &= cpus - 1) {
        unsigned int id = (unsigned int)__builtin_ctzll(cpus);

        s->by[id] = c ? s->by[c->id] : (uint8_t)id;
    }
}

/* Who runs on c: comes after v, by more than anybody so far? */
static void weigh(struct search *s, struct cpu *c)
{
    const struct vcpu *u = c->running, *v = s->v;

    if (u->domain == v->domain) {
        /* A brother, when there is no stranger; not by a chain: who makes room for v comes before
         * both, and could as well take its CPU back */
        if (!s->victim && v->affinity & bit_of(c) &&
            sched_used(u, s->now) > v->sched.used + (uint64_t)WAKE_GRAIN)
            s->victim = c;
        return;
    }
    sched_account(u->domain, s->now);
    if (u->domain->sched.vtime > s->most) {
        s->most = u->domain->sched.vtime;
        s->victim = c;
    }
}

/* Several may wake at one moment: c is about to choose, and sees v too. To make room there for v
 * would be to pass over who woke first. */
static bool sees(const struct search *s, const struct cpu *c)
{
    return s->wakes && s->v->affinity & bit_of(c) && READ_ONCE(c->pending) & CPU_WORK_SCHEDULE;
}

/* Looks at all CPUs in reach. NULL, or one that is idle. */
static struct cpu *look(struct search *s)
{
    const struct runqueue *rq = &runqueue;
    uint64_t todo = s->v->affinity & rq->busy_cpus;

    reach(s, todo, NULL);
    while (todo) {
        uint64_t next = 0;

        for (; todo; todo &= todo - 1) {
            struct cpu *c = lowest(todo);
            uint64_t further = c->running->affinity & (rq->busy_cpus | rq->idle_cpus) & ~s->reached;

            if (sees(s, c))
                continue;
            weigh(s, c);
            reach(s, further, c);
            if (further & rq->idle_cpus)
                return lowest(further & rq->idle_cpus);
            next |= further;
        }
        todo = next;
    }
    return NULL;
}

static void tell(struct cpu *c)
{
    runqueue.told_cpus |= bit_of(c);
    runqueue.idle_cpus &= ~bit_of(c);
    runqueue.alone_cpus &= ~bit_of(c);
    cpu_raise(c, CPU_WORK_SCHEDULE);
}

/* The first link of the chain to c; when that CPU is in another chain, v's turn comes. */
static void take_up(struct search *s, struct vcpu *v, const struct cpu *c)
{
    struct cpu *first = cpu_by_id(s->by[c->id]);

    if (first != c) {
        if (first->next)
            return;      /* model: take_up.other */
        first->next = v; /* model: take_up.next */
        v->sched.wanted_by = first;
    }
    tell(first);
}

/* Their timers go off on this CPU, so they are late by what it stays in the hypervisor. (If those
 * CPUs were told to choose instead, one guest whose vCPUs wake each other would interrupt all
 * others at each turn.) */
void sched_nobody_is_alone(s_time_t now)
{
    for (; runqueue.alone_cpus; runqueue.alone_cpus &= runqueue.alone_cpus - 1) {
        struct cpu *c = lowest(runqueue.alone_cpus);

        sched_account(c->running->domain, now);
        sched_set_turn(c, now + sched_slice_of(c->running->domain, false));
    }
}

/* c is v's by right, but a stranger has just begun there: it goes on for a moment. Else two that
 * send each other events would change places at each of them. (A brother would spend it waiting:
 * a kernel that interrupts another of its vCPUs often spins until it has the answer.) */
static bool is_spared(const struct search *s, struct cpu *c)
{
    const struct vcpu *u = c->running;
    s_time_t until = u->sched.switched_in + LEAST_RUN;

    if (!s->wakes || u->domain == s->v->domain || s->by[c->id] != c->id || until <= s->now)
        return false;
    runqueue.alone_cpus &= ~bit_of(c);
    if (until < c->turn_ends)
        sched_set_turn(c, until);
    return true;
}

void sched_find_cpu(struct vcpu *v, bool wakes, s_time_t now)
{
    uint64_t idle = runqueue.idle_cpus & v->affinity;
    struct search s __uninitialized; /* as far as it comes */
    struct cpu *c;

    if (v->sched.wanted_by)
        return;
    if (idle) {
        tell(idle & 1ull << v->sched.last_cpu ? cpu_by_id(v->sched.last_cpu) : lowest(idle));
        return;
    }
    sched_account(v->domain, now);
    s.v = v;
    s.wakes = wakes;
    s.now = now;
    s.reached = 0;
    s.victim = NULL;
    s.most = v->domain->sched.vtime + (uint64_t)WAKE_GRAIN;
    c = look(&s);
    if (!c)
        c = s.victim;
    if (c && !is_spared(&s, c))
        take_up(&s, v, c);
    sched_nobody_is_alone(now);
}

uint64_t sched_leads_to_idle(void)
{
    uint64_t from = runqueue.idle_cpus, before = 0;

    while (from != before) {
        before = from;
        for (uint64_t m = runqueue.busy_cpus & ~from; m; m &= m - 1)
            if (lowest(m)->running->affinity & from)
                from |= m & -m;
    }
    return from;
}

bool sched_is_told_of(const struct vcpu *v)
{
    return v->affinity & runqueue.told_cpus || v->sched.wanted_by;
}

struct vcpu *sched_waits_for(const struct list *queue, uint64_t *for_cpus, uint64_t cpus)
{
    uint64_t all = 0;
    struct vcpu *v;

    if (!(*for_cpus & cpus))
        return NULL;
    list_for_each (v, queue, sched.link) {
        if (v->affinity & cpus && !sched_is_told_of(v))
            return v;
        all |= v->affinity;
    }
    *for_cpus = all; /* without who went meanwhile: the next look is one at the word */
    return NULL;
}

/* Race: a CPU that was told to take one may have chosen another, who came meanwhile and may run
 * there alone. So whoever has chosen looks at all that idle, not at itself alone: one walk, for
 * one who waits. The CPU that is told chooses, and looks for the next. */
void sched_fill_idle(s_time_t now)
{
    struct runqueue *rq = &runqueue;
    uint64_t best = UINT64_MAX, from;
    struct vcpu *v = NULL;
    struct sched_domain *s;

    if (likely((list_empty(&rq->domains) && list_empty(&rq->resting)) || !rq->idle_cpus))
        return;
    from = sched_leads_to_idle();
    list_for_each (s, &rq->domains, link) {
        struct vcpu *u = s->vtime < best ? sched_waits_for(&s->vcpus, &s->waiting_for, from) : NULL;

        if (!u)
            continue;
        v = u;
        best = s->vtime;
    }
    if (v)
        sched_find_cpu(v, false, now);
    else
        sched_cap_fill_idle(now);
}
