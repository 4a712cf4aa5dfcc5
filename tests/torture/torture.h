/* SPDX-License-Identifier: MIT */
/*
 * Torture: many vCPUs on a thread for each CPU, and what they do chosen by chance.
 *
 * A scenario is a machine with domains, and a program for their vCPUs. A round makes the machine,
 * lets each vCPU do its number of operations and then rest, until all CPUs have halted for good;
 * then nothing may be lost, nothing broken, and after the end of all domains memory is what it was.
 *
 * A program is written in steps, as the vCPU may be taken off its CPU, or be destroyed, between any
 * two: a step makes one hypercall at most, and says what comes next. What a step wants to keep is
 * in struct guest, which only the CPU touches that runs the vCPU: that this is one at a time is the
 * scheduler's business, and the thread sanitizer sees whether it is. What vCPUs share is touched by
 * atomic operations, or belongs to the test's own atomics below, which make no order between CPUs.
 */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include "host.h"
#include <port/atomic.h>
#include <xen/errno.h>

#define MOST_DOMAINS 8
#define MOST_VCPUS   8

struct guest;
typedef void step_fn(struct guest *g);

/* Of a fully virtualized vCPU. */
struct vm_state {
    bool eoi, returns, nmi, nmi_returns; /* handlers that it is in end so */
    uint8_t pic_eoi;
    uint64_t nmi_flags;
    bool timer_came, by_tsc;
    uint64_t ns;
    uint32_t icr;
    step_fn *then;
};

struct guest {
    struct vcpu *v;
    uint64_t random, progress; /* steps that it made; in rbx too */
    unsigned int left;         /* operations until it rests */
    step_fn *next;             /* what it does now; NULL: an operation by chance */
    void (*done)(struct guest *g, long rc);
    bool calling;      /* a hypercall that gave way: it is issued again */
    bool entered;      /* the step made a hypercall */
    unsigned int last; /* which operation it did last: for who looks what went wrong */
    gva_t args;        /* room for the arguments of its hypercalls: 4 pages */
    uint64_t a[4], b;  /* of an operation that takes several steps */
    struct vm_state vm;
};

/* What fully virtualized vCPUs do. */
struct vm_program {
    step_fn *start, *operation, *rest;
    void (*vector)(struct guest *g, unsigned int vector); /* an interrupt, or NMI, came. Or NULL */
    void (*check)(const struct domain *d);                /* of one that is not paused. Or NULL */
};

struct scenario {
    const char *name, *what;
    unsigned int operations; /* of each vCPU in a round */
    /* With a control domain as in control.c: how many domains, with it, an odd number; and what
     * each other has. */
    unsigned int domains, vcpus, pages;
    unsigned int vms; /* which of them are fully virtualized: a bit each */
    const struct vm_program *vm;
    unsigned int frames; /* of the machine; 0: plenty */
    unsigned int up;     /* the other vCPUs are down and have no context at first; 0: none is */
    bool contexts;       /* the control domain sets some */
    step_fn *control;    /* what it does beside, or NULL */
    void (*born)(domid_t id); /* is told before its vCPUs start */
    void (*machine)(void);    /* what it wants of the machine; NULL: guests without page tables */
    void (*setup)(void);      /* makes the domains */
    step_fn *start, *operation, *rest;                  /* what a vCPU does first, then, at last */
    void (*event)(struct guest *g, evtchn_port_t port); /* a port of its is pending */
    void (*check)(void);                                /* when all rest */
};
extern const struct scenario torture_events, torture_life, torture_timers, torture_grants,
    torture_contexts, torture_pages;
extern const struct scenario *scenario;

/* --- of a round (torture.c) --- */

/* Is this one fully virtualized? And the kind of it. */
bool torture_is_vm(domid_t id);
const struct guest_ops *torture_kind(domid_t id);
/* 0 to n - 1 */
unsigned int chance(struct guest *g, unsigned int n);
struct guest *guest_of(unsigned int domain, unsigned int vcpu);
/* A domain with all vCPUs up, each with its program from the start. */
struct domain *torture_domain(domid_t id, bool control, unsigned int vcpus, uint64_t pages);
/* The same with one that is there, paused, its vCPUs down: they start with the next unpause. */
void torture_start(domid_t id);
/* The first n of the frames that the domain has. */
void torture_frames(domid_t id, uint64_t *frames, unsigned int n);
void __noreturn __printf(1, 2) torture_failed(const char *fmt, ...);

/* --- of a vCPU (guest.c) --- */

bool guest_run(struct vcpu *v, bool entered);
void guest_step(struct guest *g); /* what comes next */
/* It runs, and has something that interrupts it, or not: its CPU is kicked in time. */
void guest_expect_kick(const struct guest *g, bool has_event);
/* Makes a hypercall; done(), when not NULL, gets its result. */
void guest_call(struct guest *g, unsigned int nr, const uint64_t args[6],
                void (*done)(struct guest *g, long rc));
#define CALL(g, done, name, ...)                                                                   \
    guest_call(g, __HYPERVISOR_##name, (const uint64_t[6]){__VA_ARGS__}, done)
/* The same with a structure, which is put into the vCPU's page; the result comes to be there. */
#define CALL_WITH(g, done, name, cmd, ...)                                                         \
    do {                                                                                           \
        memcpy(host_guest((g)->args), (__VA_ARGS__), sizeof(*(__VA_ARGS__)));                      \
        CALL(g, done, name, cmd, (g)->args);                                                       \
    } while (0)
#define ARGS(g, type) ((struct type *)host_guest((g)->args))
/* Steps of several scenarios. The first is what programs begin with: VIRQ_TIMER. Who is about to
 * wait for an event masks them all until it blocks, which unmasks. */
void guest_bind_timer(struct guest *g);
void guest_set_timer(struct guest *g, uint64_t ns); /* from now */
void guest_block(struct guest *g);
void guest_block_for_a_while(struct guest *g);
void guest_yield(struct guest *g);
void guest_compute(struct guest *g); /* up to 50 turns of nothing but time */
void guest_mask_all(struct guest *g);
void guest_unmask_all(struct guest *g);
void guest_unmask(struct guest *g, evtchn_port_t port);

/* --- of the control domain (control.c) --- */

void control_setup(void);
void control_operation(struct guest *g);

/* Words that several vCPUs use: no order between CPUs comes from them. */
#define get(p)    __atomic_load_n(p, __ATOMIC_RELAXED)
#define put(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define count(p)  __atomic_add_fetch(p, 1, __ATOMIC_RELAXED)

#endif
