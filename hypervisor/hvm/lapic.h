/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of a fully virtualized vCPU: hvm/lapic.c has its registers, and says who may touch
 * what.
 *
 * Unless it says otherwise a function is for v's own CPU (or for whoever has v paused), with no
 * lock held.
 */
#ifndef HVM_LAPIC_H
#define HVM_LAPIC_H

#include <core/sched/timer.h>
#include <hv/types.h>

struct vcpu;

#define LAPIC_ADDRESS   0xfee00000ul /* where its registers are, in xAPIC mode: one page */
#define LAPIC_TIMER_KHZ 1000000ul    /* what its timer counts, before it is divided */

struct lapic {
    uint64_t base;          /* MSR 1Bh */
    uint32_t reg[64];       /* by offset / 16, which is MSR - 800h; IRR is atomic */
    uint32_t errors;        /* since ESR was last written: atomic */
    uint8_t startup;        /* hvm/lapic_startup.c: d->lock */
    uint8_t startup_vector; /* likewise */
    struct timer timer;     /* hvm/lapic_timer.c, and what follows */
    s_time_t due;           /* when it expires next: atomic */
    s_time_t period;        /* 0: it expires once */
    uint64_t deadline;      /* MSR 6E0h */
};

/* While v is made: the state after power-up. v must be 0-filled. */
void lapic_init(struct vcpu *v);
/* As firmware leaves it: on, and the PIC's interrupts go through it (virtual wire mode). */
void lapic_virtual_wire(struct vcpu *v);
/* Nothing of it runs any more. Any CPU, again and again. */
void lapic_kill(struct vcpu *v);

/* 32 bits at an offset in the page. Where there are no registers in memory now, or not there: all
 * ones; lost. */
uint32_t lapic_mmio_read(struct vcpu *v, unsigned int offset);
void lapic_mmio_write(struct vcpu *v, unsigned int offset, uint32_t value);
/* MSRs 1Bh, 6E0h, 800h to 83Fh. False: #GP for the guest. */
bool __must_check lapic_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value);
bool __must_check lapic_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value);
uint64_t lapic_cr8(const struct vcpu *v);
void lapic_set_cr8(struct vcpu *v, uint64_t cr8); /* its reserved bits are for the caller to see */

/* An interrupt for v: wakes it, and has its CPU look. Any CPU, with any lock below RANK_POLL. */
void lapic_raise(struct vcpu *v, uint8_t vector);
/* The vector that v may take now, interrupts being on; -1: none */
int lapic_pending(const struct vcpu *v);
/* v takes it: it was just pending. */
void lapic_accept(struct vcpu *v, uint8_t vector);
/* The PIC's interrupts go to v. Any CPU */
bool lapic_takes_extint(const struct vcpu *v);

/* INIT and SIPI: hvm/lapic_startup.c says the protocol. */
enum lapic_startup {
    LAPIC_RUNS,   /* nothing came: v goes on */
    LAPIC_WAITS,  /* v may not be entered: it is down, and its CPU is to choose again */
    LAPIC_STARTS, /* v begins anew, as after INIT, at the page of the vector */
};
/* On v's way to the guest, each time. */
enum lapic_startup __must_check lapic_take_startup(struct vcpu *v, uint8_t *vector);
/* That has something to do: it ends HLT. */
bool lapic_startup_pending(const struct vcpu *v);

#endif
