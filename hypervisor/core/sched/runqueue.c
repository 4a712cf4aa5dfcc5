/* SPDX-License-Identifier: MIT */
/*
 * The run queue: who waits, in which order, and what each has used.
 *
 * Weight is a domain's. Its virtual time is the CPU time that all its vCPUs used while anybody
 * waited, scaled by 256 / weight; it goes on while they run, so many times faster as there are of
 * them. The queue is a list of the domains that have vCPUs waiting; who has the least virtual time
 * is next, with that of its vCPUs that used least (they stay near each other). The list is short
 * and has no order, for virtual times move while it stands; whoever chooses looks at each.
 *
 * rq->vtime is the system's virtual time: about the least of those that wait. It never goes back,
 * but for all alike, when gaps are narrowed. Those that compete stay near it by themselves. Who
 * does not is brought near:
 *   - who lags, because it slept or has too few vCPUs to use its share, is brought to within
 *     rq->latitude of it, once none of its vCPUs waits; most_lag() says how near who rests is, or
 *     is pinned. So nothing worth mentioning is saved up by sleeping. The latitude is what one of
 *     those that wait leaps ahead in one slice on all its CPUs, the lightest that has most: others
 *     lag so much in the ordinary course of things.
 *   - who leads because it had CPUs that others might not use (affinity) leads more and more. Those
 *     that share such CPUs stay near each other, at a level of their own. Their order counts, and
 *     which level is above which; how far it is from one to the next does not, and is made no more
 *     than needed to tell them apart: from time to time, gaps between levels are narrowed. Several
 *     may be below rq->vtime, while nobody waits there: where vCPUs are pinned those lag so far.
 *
 * But rq->vtime goes no further than the latitude before those that run, do not wait just now, and
 * were kept waiting lately. While some of a heavy domain's vCPUs sleep, only light ones wait, and
 * leap ahead. If all others were brought near then, what each of them had used would be forgotten,
 * and who wakes for a moment with many vCPUs would come that much before the heavy one each time.
 * The light one stands on a level of its own instead. (Who may not run anywhere with all its vCPUs
 * is on such a level already, and holds nothing back.) Those that compete meanwhile are at
 * rq->front, the least of those that wait: by that go leads that end, and new domains.
 *
 * Virtual time goes by a clock that stands still while nobody waits, `contended`: each has all
 * that it wants then, and a lead lasts until others had their turn. (Else it would pay to sleep for
 * a moment with all vCPUs at once.) Only levels end then: nobody keeps a greater lead than what it
 * leaps ahead in one slice on all its vCPUs.
 *
 * Another clock, `parts`, says what each would have had meanwhile of the CPUs that were used, by
 * weight. Who had no idle CPU to go to is moved by the difference: who had less, most of all who
 * slept, comes nearer to the front, else who wants little would soon wait for as long as it ran;
 * who had more goes back, else others would pay for that. But nobody further than others are in the
 * ordinary course of things: no more than rq->latitude before rq->vtime, or a leap behind. For who
 * may run anywhere only the time counts in which no CPU idled: `scarce`.
 *
 * A vCPU that leaves its CPU and can go on counts as waiting from the choice on, not only when it
 * is queued: else a domain, or the queue, would look empty for a moment.
 *
 * Lock: runqueue.lock.
 */
#include <core/sched/runqueue.h>
#include <port/current.h>
#include <port/machine.h>

#define MOST_APART   MILLISECS(500)
#define NARROW_EVERY MILLISECS(100)
#define LEVEL_KEPT   SECONDS(1)
#define KEPT_WAITING MICROSECS(500) /* who waits for less was about to have a CPU */

struct runqueue runqueue = {.lock = SPINLOCK_INIT(RANK_SCHED)};

/* Those that compete are not further apart by themselves. With light domains it is some slices. */
static uint64_t most_apart(void)
{
    return MAX((uint64_t)MOST_APART, 8 * runqueue.latitude);
}

/* Everybody's part of so long: the CPUs that are used, by weight. But no more than any of those
 * that run has that may not run anywhere: it could have no more, and who shares its CPUs is not
 * better off for sleeping. Where somebody runs there are weights: both change at one `now`, until
 * which time has passed before. */
static uint64_t part_of(s_time_t time)
{
    uint64_t used = 0, least = UINT64_MAX, worth = (uint64_t)time * SCHED_WEIGHT_DEFAULT;

    for (uint64_t m = runqueue.busy_cpus; m; m &= m - 1) {
        const struct vcpu *v = lowest(m)->running;
        const struct sched_domain *s = &v->domain->sched;

        used += worth;
        if (unlikely(!sched_may_run_anywhere(v)))
            least = MIN(least, worth * s->running / s->weight);
    }
    return used ? MIN(used / runqueue.weights, least) : 0;
}

/* So long nobody waited. */
static __noinline void pass_in_plenty(s_time_t elapsed)
{
    struct sched_clocks *c = &runqueue.clocks;
    uint64_t part = part_of(elapsed);

    c->parts += part;
    if (!runqueue.idle_cpus) {
        c->scarce += elapsed;
        c->scarce_parts += part;
    }
}

/* Brings the clocks up to now; before anything changes that they go by: who waits, who runs, which
 * CPU idles, and weights. */
static void pass_time(s_time_t now)
{
    struct sched_clocks *c = &runqueue.clocks;
    s_time_t elapsed = now - c->passed;

    if (elapsed <= 0)
        return;
    c->passed = now;
    if (list_empty(&runqueue.domains))
        pass_in_plenty(elapsed);
    else
        c->contended += elapsed;
}

/* Which step of a ladder this is; all that is beyond the last stands there. */
static unsigned int step_of(uint64_t vtime, uint64_t lowest, uint64_t width)
{
    return vtime > lowest ? (unsigned int)MIN((vtime - lowest) / width, 63ull) : 0;
}

/* By the steps below it that go. */
static void come_down(uint64_t *vtime, uint64_t lowest, uint64_t width, uint64_t gone)
{
    for (uint64_t m = gone & ((1ull << step_of(*vtime, lowest, width)) - 1); m; m &= m - 1)
        *vtime -= width;
}

/* Of steps where nobody stands one goes if the one below it is empty too. The lowest is where one
 * stands that runs, waits or rests. All come down alike, so nothing changes within a level; also
 * who sleeps, and finds its own when it is back. Who sleeps for long comes down too, but keeps
 * nobody up. The latitude shrinks as often. */
static void narrow_gaps(s_time_t now)
{
    struct runqueue *rq = &runqueue;
    uint64_t width = most_apart() / 2, low = rq->vtime, taken, gone;
    uint64_t down = rq->vtime >> 62 << 61;
    struct sched_domain *s;

    rq->narrowed = now;
    list_for_each (s, &rq->all, in_all)
        if (s->running || !list_empty(&s->link) || !list_empty(&s->resting)) {
            sched_account(container_of(s, struct domain, sched), now);
            low = MIN(low, s->vtime);
        }
    taken = 1 | 1ull << step_of(rq->vtime, low, width);
    list_for_each (s, &rq->all, in_all)
        if (now - s->seen.passed < LEVEL_KEPT)
            taken |= 1ull << step_of(s->vtime, low, width);
    gone = ~taken & ~taken << 1;
    come_down(&rq->vtime, low, width, gone);
    come_down(&rq->front, low, width, gone);
    rq->vtime -= down; /* so that it never wraps */
    rq->front -= down;
    list_for_each (s, &rq->all, in_all) {
        come_down(&s->vtime, low, width, gone);
        s->vtime -= MIN(s->vtime, down);
    }
    rq->latitude -= rq->latitude / 4; /* slowly: the lightest may have a CPU just now */
}

/* A sleeper that may not run anywhere comes back to those that may run where it may, and run or
 * wait: it is as far behind as they are, but for a slice. */
static uint64_t lag_there(const struct domain *d)
{
    uint64_t cpus = d->vcpu[0]->affinity, least = runqueue.vtime, lag;
    const struct sched_domain *s;

    list_for_each (s, &runqueue.domains, link)
        if (s->waiting_for & cpus)
            least = MIN(least, s->vtime);
    for (uint64_t m = runqueue.busy_cpus; m; m &= m - 1)
        if (lowest(m)->running->affinity & cpus)
            least = MIN(least, lowest(m)->running->domain->sched.vtime);
    lag = runqueue.vtime - least;
    return MAX(lag - MIN(lag, d->sched.slice_worth), runqueue.latitude);
}

/* So far behind may be who has nobody waiting: a little. Who rests for its cap is no better off
 * than a sleeper, who would never come before it. But among the pinned the order counts: who runs
 * or rests stays at its level. */
static __noinline uint64_t most_lag(const struct domain *d)
{
    const struct sched_domain *s = &d->sched;
    const struct vcpu *rests = sched_first_resting(s), *v = rests ? rests : domain_vcpu(d, 0);

    if (v && !sched_may_run_anywhere(v))
        return s->running || rests ? UINT64_MAX : lag_there(d);
    return rests && !s->running ? 0 : runqueue.latitude;
}

static uint64_t behind(uint64_t lag)
{
    return runqueue.vtime - MIN(runqueue.vtime, lag);
}

/* Nobody waited for so long. Who could have had a CPU that idled was short of nothing; for those
 * that may not run anywhere the CPUs that idle are asked now, and not of all that time. */
static __noinline void had_all(struct domain *d, s_time_t time)
{
    const struct runqueue *rq = &runqueue;
    struct sched_domain *s = &d->sched;
    const struct vcpu *v = domain_vcpu(d, 0); /* NULL: it has none yet */
    uint64_t most = rq->front + s->slice_worth * d->max_vcpus, least = behind(rq->latitude);
    uint64_t part = rq->clocks.parts - s->seen.parts, had;

    s->vtime = MIN(s->vtime, most);
    if (v && sched_may_run_anywhere(v)) {
        time = rq->clocks.scarce - s->seen.scarce;
        part = rq->clocks.scarce_parts - s->seen.scarce_parts;
    } else if (!v || v->affinity & rq->idle_cpus) {
        return;
    }
    had = (uint64_t)time * s->running * SCHED_WEIGHT_DEFAULT / s->weight;
    if (had > part)
        s->vtime = MIN(s->vtime + (had - part), most);
    else
        s->vtime -= MIN(part - had, s->vtime - MIN(s->vtime, least));
}

static __noinline void account(struct domain *d, s_time_t now)
{
    struct sched_domain *s = &d->sched;
    s_time_t elapsed, counts;
    uint64_t used, least;

    pass_time(now);
    elapsed = runqueue.clocks.passed - s->seen.passed;
    counts = runqueue.clocks.contended - s->seen.contended;
    if (unlikely(s->cap))
        sched_cap_charge(s, elapsed);
    if (counts && s->running) {
        used = (uint64_t)counts * s->running * SCHED_WEIGHT_DEFAULT + s->rest;
        s->vtime += used / s->weight;
        s->rest = (uint16_t)(used % s->weight);
    }
    if (elapsed > counts)
        had_all(d, elapsed - counts);
    s->seen = runqueue.clocks;
    if (!s->waiting) {
        least = behind(most_lag(d));
        s->vtime = MAX(s->vtime, least);
    }
}

void sched_account(struct domain *d, s_time_t now)
{
    const struct sched_domain *s = &d->sched;

    /* No time has passed since the last time, and who has somebody waiting is not brought near. */
    if (now > runqueue.clocks.passed || s->seen.passed != runqueue.clocks.passed || !s->waiting)
        account(d, now);
}

uint64_t sched_used(const struct vcpu *v, s_time_t now)
{
    bool runs = v->sched.on_cpu && v->sched.on_cpu->running == v;

    return v->sched.used + (uint64_t)(runs ? MAX(now - v->sched.switched_in, 0) : 0);
}

struct vcpu *sched_first_of(const struct list *queue, uint64_t cpus)
{
    struct vcpu *v;

    list_for_each (v, queue, sched.link)
        if (likely(v->affinity & cpus))
            return v;
    return NULL;
}

/* What v used while no brother wanted its CPU, or did not use when it slept, is not remembered. */
static __noinline void stay_near_brothers(struct vcpu *v, s_time_t now)
{
    const struct sched_domain *s = &v->domain->sched;
    const uint64_t slice = (uint64_t)SCHED_SLICE, cpus = s->cap ? ~0ull : v->affinity;
    const struct vcpu *u = sched_first_resting(s);
    uint64_t least = u ? u->sched.used : UINT64_MAX;

    u = sched_first_of(&s->vcpus, cpus);
    if (u)
        least = MIN(least, u->sched.used);
    for (uint64_t m = s->running ? runqueue.busy_cpus : 0; m; m &= m - 1) {
        u = lowest(m)->running;
        if (u->domain == v->domain && u->affinity & cpus)
            least = MIN(least, sched_used(u, now));
    }
    if (least == UINT64_MAX)
        return;
    v->sched.used = MAX(v->sched.used, least - MIN(least, slice));
    v->sched.used = MIN(v->sched.used, least + 2 * slice);
}

void sched_begin_wait(struct domain *d, s_time_t now)
{
    if (d->sched.waiting++)
        return;
    pass_time(now);
    list_insert_before(&runqueue.domains, &d->sched.link);
}

void sched_end_wait(struct domain *d, s_time_t now)
{
    if (--d->sched.waiting)
        return;
    pass_time(now);
    list_del(&d->sched.link);
}

void sched_insert(struct vcpu *v, s_time_t now)
{
    struct sched_domain *s = &v->domain->sched;
    struct list *queue = v->sched.resting ? &s->resting : &s->vcpus, *before = queue;
    uint64_t *for_cpus = v->sched.resting ? &s->resting_for : &s->waiting_for;
    struct vcpu *u;

    if (v->domain->max_vcpus > 1)
        stay_near_brothers(v, now);
    if (v->sched.resting && list_empty(&s->resting))
        list_insert_before(&runqueue.resting, &s->in_resting);
    *for_cpus = v->affinity | (list_empty(queue) ? 0 : *for_cpus);
    list_for_each (u, queue, sched.link)
        if (u->sched.used > v->sched.used) {
            before = &u->sched.link;
            break;
        }
    list_insert_before(before, &v->sched.link);
    v->sched.queued = true;
}

void sched_remove(struct vcpu *v, s_time_t now)
{
    list_del(&v->sched.link);
    v->sched.queued = false;
    if (unlikely(v->sched.resting)) {
        v->sched.resting = false;
        if (list_empty(&v->domain->sched.resting))
            list_del(&v->domain->sched.in_resting);
        return;
    }
    v->domain->sched.stuck -= v->sched.stuck;
    v->sched.stuck = false;
    if (now - MAX(v->sched.state_since, v->sched.switched_in) >= KEPT_WAITING)
        v->domain->sched.kept_waiting = now;
    if (v->sched.wanted_by)
        sched_drop_next(v->sched.wanted_by); /* model: sched_remove.drop */
    sched_end_wait(v->domain, now);
}

static bool all_may_run_anywhere(const struct domain *d)
{
    const struct vcpu *v;

    for_each_vcpu (d, v)
        if (!sched_may_run_anywhere(v))
            return false;
    return true;
}

/* The least virtual time of those that run and do not wait, but did lately. */
static uint64_t least_that_waited(s_time_t now)
{
    uint64_t least = UINT64_MAX >> 1;

    for (uint64_t m = runqueue.busy_cpus; m; m &= m - 1) {
        struct domain *d = lowest(m)->running->domain;

        if (d->sched.waiting || now - d->sched.kept_waiting >= LEVEL_KEPT ||
            !all_may_run_anywhere(d))
            continue;
        sched_account(d, now);
        least = MIN(least, d->sched.vtime);
    }
    return least;
}

struct vcpu *sched_first_for(const struct cpu *c, s_time_t now)
{
    struct runqueue *rq = &runqueue;
    uint64_t least = UINT64_MAX, leap = 0, latitude = rq->latitude, last;
    struct vcpu *best = NULL, *v;
    struct domain *d;

    if (list_empty(&rq->domains))
        return NULL;
    list_for_each (d, &rq->domains, sched.link) {
        sched_account(d, now);
        least = MIN(least, d->sched.vtime);
        leap = MAX(leap, d->sched.slice_worth * (d->sched.running + 1));
        if (best && best->domain->sched.vtime + (d == c->running->domain) <= d->sched.vtime)
            continue; /* of those that are level, who runs here: else its vCPUs take no turns */
        v = sched_first_of(&d->sched.vcpus, bit_of(c));
        if (v)
            best = v;
    }
    last = least_that_waited(now);
    WRITE_ONCE(rq->vtime, MAX(rq->vtime, MIN(least, last + latitude)));
    rq->front = MAX(rq->vtime, least);
    leap = MAX(leap, MIN(latitude, rq->vtime - MIN(rq->vtime, last))); /* nor is it brought near */
    if (unlikely(now - rq->narrowed >= NARROW_EVERY))
        narrow_gaps(now);
    rq->latitude = MAX(rq->latitude, leap);
    return best;
}

bool sched_before(const struct vcpu *u, const struct vcpu *v, s_time_t now)
{
    if (u->domain == v->domain)
        return sched_used(u, now) <= sched_used(v, now);
    return u->domain->sched.vtime <= v->domain->sched.vtime;
}
