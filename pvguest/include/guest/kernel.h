/* SPDX-License-Identifier: MIT */
/*
 * What the kernel offers a program beside memory, events and traps: start-of-day facts,
 * processors, scheduling, and the end. A program is one function, guest_main(); when it
 * returns 0 the domain powers off, otherwise it crashes (so that a failure is seen outside).
 */
#ifndef GUEST_KERNEL_H
#define GUEST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <guest/events.h>
#include <guest/hypercall.h>
#include <guest/kind.h>
#include <guest/lib.h>
#include <guest/memory.h>
#include <guest/traps.h>

int guest_main(void);

/* As the builder wrote it; fully virtualized: what PVH told, in the same words (hvm_start.c). */
extern start_info_t *start_info;
extern shared_info_t *shared_info; /* mapped by the kernel */

static inline bool is_control_domain(void)
{
    return start_info->flags & SIF_INITDOMAIN;
}

/* This domain's number, as others see it; DOMID_INVALID when it cannot be found out. */
domid_t own_domid(void);

/* The next word of the command line from *at on, which then is behind it; false: there is none. */
bool cmdline_next(size_t *at, const char **word, size_t *len);
/* The value of key=value on the command line, copied to buf. False when the key is absent. */
bool cmdline_get(const char *key, char *buf, size_t size);
unsigned long cmdline_number(const char *key, unsigned long otherwise);

/* ---- processors ---- */

#define MAX_VCPUS 32 /* those with a vcpu_info in the shared info page */
#define MOST_CPUS 64 /* where there is no such page */

/* Per-vCPU block of the kernel; the GS base points to it. */
struct percpu {
    struct percpu *self;
    unsigned int id;
    vcpu_info_t *info;
    struct trap_catch *catching; /* innermost trap_catch() */
    void *stack;
};

static inline struct percpu *this_cpu(void)
{
    struct percpu *cpu;

    __asm__("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Also the CPU's descriptor tables, where they are the kernel's own. */
void percpu_init(unsigned int id);
/* guest_main(), and the end that it asks for. */
void guest_run(void) __attribute__((noreturn));

/* Starts another vCPU (fully virtualized: by INIT and SIPI) on a stack of its own; fn runs there
 * with events on, and may return. */
int smp_start(unsigned int vcpu, void (*fn)(void *arg), void *arg);
/* By a hypercall, whatever it does; it goes on where it was when it is started. 0 or -XEN_E*. */
int smp_stop(unsigned int vcpu);
/* By INIT: it begins anew when it is started. */
void smp_reset(unsigned int vcpu);

/* ---- scheduling and the end ---- */

void sched_yield(void);
/* Sleeps until one of the ports is pending or until the time (0: no limit). 0 or -XEN_E*. */
int sched_poll(evtchn_port_t *ports, unsigned int count, uint64_t deadline_ns);
/* reason: SHUTDOWN_* of <xen/sched.h>. */
void shutdown_domain(unsigned int reason) __attribute__((noreturn));

#endif
