/* SPDX-License-Identifier: MIT */
/*
 * torture SCENARIO [SECONDS [SEED [CPUS]]]: rounds of a scenario for that long (torture.h).
 *
 * The seed of each round follows from the first; the one of a round that fails is said, and given
 * as SEED with SECONDS 0 makes that round alone. What threads do to each other is not in it: a
 * failure may need some tries. Without a SEED, 0 seconds are a mistake.
 */
#include "vm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <core/sched/pause.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <hvm/hvm_ops.h>

#define FRAMES 4096

static const struct scenario *const scenarios[] = {&torture_events,   &torture_life,
                                                   &torture_timers,   &torture_grants,
                                                   &torture_contexts, &torture_pages};
const struct scenario *scenario;
static struct guest guests[MOST_DOMAINS][MOST_VCPUS];
static uint64_t seed, steps, operations;
static unsigned int rounds;

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

unsigned int chance(struct guest *g, unsigned int n)
{
    return (unsigned int)(next_random(&g->random) >> 32) % n;
}

struct guest *guest_of(unsigned int domain, unsigned int vcpu)
{
    return &guests[domain][vcpu];
}

void torture_failed(const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s, seed %lu: %s\n", scenario->name, (unsigned long)seed, text);
    abort();
}

static void __noreturn on_panic(const char *text)
{
    torture_failed("%s", text);
}

bool torture_is_vm(domid_t id)
{
    return scenario->vms >> id & 1;
}

const struct guest_ops *torture_kind(domid_t id)
{
    return guest_kinds[torture_is_vm(id)];
}

static step_fn *first_step(const struct domain *d)
{
    if (is_vm(d))
        return vm_begin;
    return scenario->domains && d->is_control ? guest_bind_timer : scenario->start;
}

static void start_vcpu(struct vcpu *v)
{
    unsigned int id = v->domain->domain_id, n = id * MOST_VCPUS + v->vcpu_id;
    uint64_t state = seed + (n + 1) * 0x12345678ull + (uint64_t)clock_now();

    guests[id][v->vcpu_id] = (struct guest){.v = v,
                                            .random = next_random(&state),
                                            .left = scenario->operations,
                                            .next = first_step(v->domain),
                                            .args = HOST_GUEST_BASE + 4 * n * PAGE_SIZE};
    v->vcpu_info->evtchn_upcall_mask = 0;
    if (is_vm(v->domain)) {
        vm_start_vcpu(v);
        return;
    }
    if (scenario->up && v->vcpu_id >= scenario->up && !v->domain->is_control) {
        __atomic_store_n(&v->initialised, false, __ATOMIC_RELAXED);
        atomic_or(&v->pause_flags, VPF_down);
        vcpu_sleep(v);
        return;
    }
    __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE);
    atomic_and(&v->pause_flags, ~VPF_down);
}

void torture_start(domid_t id)
{
    struct domain *d = get_domain_by_id(id);
    struct vcpu *v;

    if (scenario->born)
        scenario->born(id);
    for_each_vcpu (d, v)
        start_vcpu(v);
    put_domain(d);
}

void torture_frames(domid_t id, uint64_t *frames, unsigned int n)
{
    struct domain *d = get_domain_by_id(id);
    struct page_info *pg = page_list_first(&d->pages);

    for (unsigned int i = 0; i < n; i++) {
        put(&frames[i], page_to_mfn(pg).n);
        pg = pg->next == PAGE_LIST_END ? NULL : &frame_table[pg->next];
    }
    put_domain(d);
}

struct domain *torture_domain(domid_t id, bool control, unsigned int vcpus, uint64_t pages)
{
    bool vm = torture_is_vm(id);
    struct domain *d = host_domain_of(torture_kind(id), id, control, vcpus, vm ? 0 : pages);

    if (vm)
        vm_born(d, pages);
    torture_start(id);
    return d;
}

static void __noreturn sleeps(const struct vcpu *v, const struct guest *g)
{
    const struct vcpu_info *info = v->vcpu_info;
    const struct shared_info *s = v->domain->shared_info;

    torture_failed(
        "d%uv%u sleeps (flags %#x, upcall %u, masked %u, selector %#lx, ports %#lx, "
        "masked %#lx, operation %u, poll port %u, poll mask %#lx) and has %u operations left",
        v->domain->domain_id, v->vcpu_id, v->pause_flags, info->evtchn_upcall_pending,
        info->evtchn_upcall_mask, (unsigned long)info->evtchn_pending_sel,
        (unsigned long)s->evtchn_pending[0], (unsigned long)s->evtchn_mask[0], g->last,
        v->poll_port, (unsigned long)v->domain->poll_mask, g->left);
}

/* Who neither runs nor rests was forgotten. */
static void check_rest(void)
{
    struct domain *d = NULL;
    struct vcpu *v;

    while ((d = next_domain(d)) != NULL) {
        if (is_vm(d) && !d->pause_count && scenario->vm->check)
            scenario->vm->check(d);
        for_each_vcpu (d, v) {
            const struct guest *g = guest_of(d->domain_id, v->vcpu_id);

            if (d->pause_count || v->pause_count || (v->pause_flags & VPF_down))
                continue;
            if (g->left || g->next || g->calling || !(v->pause_flags & VPF_blocked))
                sleeps(v, g);
            if (vcpu_event_pending(v))
                torture_failed("d%uv%u rests, but has events", d->domain_id, v->vcpu_id);
            operations += scenario->operations - g->left;
        }
    }
}

static void round_of(uint64_t s, unsigned int cpus)
{
    uint64_t before;

    seed = s;
    host_init(scenario->frames ? scenario->frames : FRAMES);
    host_on_panic = on_panic;
    vm_machine();
    host_set_cpus(cpus);
    if (scenario->machine)
        scenario->machine();
    before = heap_free_frames();
    (scenario->setup ? scenario->setup : control_setup)();
    steps += host_run_threads(guest_run);
    host_run_on(0);
    host_check_invariants();
    check_rest();
    if (scenario->check)
        scenario->check();
    host_destroy_all();
    host_exit_path();
    host_check_invariants();
    if (heap_free_frames() != before)
        torture_failed("%ld frames are lost", (long)(before - heap_free_frames()));
    rounds++;
}

/* One race is enough: what comes behind it may be its fault. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "halt_on_error=1:history_size=4";
}

/* The argument there, or what it is when it is not given. False: it is no number. */
static bool number(const char *text, uint64_t otherwise, uint64_t *out)
{
    char *end;

    *out = otherwise;
    if (!text)
        return true;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return isdigit((unsigned char)*text) && !*end && !errno;
}

static int usage(void)
{
    fprintf(stderr, "usage: torture SCENARIO [SECONDS [SEED [CPUS]]]\n");
    for (unsigned int i = 0; i < ARRAY_SIZE(scenarios); i++)
        fprintf(stderr, "  %-8s %s\n", scenarios[i]->name, scenarios[i]->what);
    return 2;
}

int main(int argc, char **argv)
{
    const char *args[5] = {NULL};
    uint64_t seconds, first, state, cpus;
    time_t end;

    for (int i = 1; i < argc && i < 5; i++)
        args[i] = argv[i];
    for (unsigned int i = 0; i < ARRAY_SIZE(scenarios) && args[1]; i++)
        if (!strcmp(args[1], scenarios[i]->name))
            scenario = scenarios[i];
    if (!scenario || argc > 5 || !number(args[2], 5, &seconds) ||
        !number(args[3], (uint64_t)time(NULL), &first) || !number(args[4], 4, &cpus) ||
        (!seconds && !args[3]) || seconds > INT32_MAX || !cpus || cpus > HOST_MOST_CPUS)
        return usage();
    end = time(NULL) + (time_t)seconds;
    state = first;
    printf("%s: seed %lu, %u CPUs\n", scenario->name, (unsigned long)first, (unsigned int)cpus);
    fflush(stdout);
    do
        round_of(rounds ? next_random(&state) : first, (unsigned int)cpus);
    while (time(NULL) < end);
    printf("%s: %u rounds, %lu operations, %lu steps\n", scenario->name, rounds,
           (unsigned long)operations, (unsigned long)steps);
    return 0;
}
