/* SPDX-License-Identifier: MIT */
/*
 * Port: what core and pv ask of the machine. x86/ implements it on the metal, tests/host implements
 * it on plain memory.
 */
#ifndef PORT_MACHINE_H
#define PORT_MACHINE_H

#include <hv/types.h>

struct vcpu;
struct domain;

/* The hypervisor's own mapping of a frame of RAM (direct map; all RAM is always mapped, nothing to
 * unmap), to be read; and to be written, which is for few (tests/style.py). */
static inline const void *read_frame(mfn_t mfn);
static inline void *map_frame(mfn_t mfn);
mfn_t frame_of(const void *mapped);

/* Nanoseconds since start: monotonic, the same on all CPUs. Wall clock at that zero, in ns since
 * 1970. */
s_time_t clock_now(void);
uint64_t clock_ticks(void); /* raw TSC: the tsc_timestamp domain of pvclock */
/* What clock_now() said, or will say, at that reading of clock_ticks() */
s_time_t clock_at(uint64_t ticks);
uint64_t clock_wall_at_zero(void); /* ns since 1970 when clock_now() was 0 */
/* TSC frequency as pvclock wants it: ns = ((ticks << shift) * mul) >> 32. */
void clock_scale(uint32_t *mul, int8_t *shift);
uint64_t clock_khz(void);

/* Arms this CPU's one-shot timer interrupt; a past deadline fires at once; INT64_MAX disarms. */
void machine_arm_timer(s_time_t deadline);

/* Makes cpu look at its pending work soon. */
void machine_kick(unsigned int cpu);
unsigned int machine_nr_cpus(void);
uint32_t machine_apic_id(unsigned int cpu);

/* TLB clock: counts this machine's full flushes. A frame stamped s may still be in a TLB unless
 * tlb_flushed_since(s). */
uint32_t tlb_clock(void);
bool tlb_flushed_since(uint32_t stamp);

/* TLB flushes; done when they return. */
void flush_tlb_local(void);              /* this CPU, all but hypervisor's global entries */
void flush_tlb_one_local(gva_t va);      /* this CPU, one address */
void flush_tlb_domain(struct domain *d); /* every CPU that runs or ran d since its last flush */
void flush_tlb_all(void);                /* every CPU */
void flush_tlb_one_domain(struct domain *d, gva_t va);
void flush_cache_all(void); /* WBINVD on every CPU */

/* Switches this CPU from prev to next (registers stay in place in struct vcpu; this moves FPU,
 * segments, debug registers, descriptor tables, CR3, TSS). The return to next happens on the exit
 * path. */
void machine_context_switch(struct vcpu *prev, struct vcpu *next);
/* Brings the machine state of v that lives in CPU registers (segment bases, FPU) into struct vcpu,
 * if it is loaded. */
void machine_sync_vcpu(struct vcpu *v);

/* I/O memory that d may map: not RAM; for the control domain, but not the local APIC, the IOAPICs
 * and what the hypervisor drives itself. */
bool iomem_access_permitted(const struct domain *d, mfn_t mfn);
bool ioport_access_permitted(const struct domain *d, unsigned int port, unsigned int bytes);

/* CPUID feature words of this machine, for people to read: leaf 1 edx, ecx, 0x80000001 edx, ecx, 7
 * ebx; n words. */
void machine_cpu_features(uint32_t *words, unsigned int n);

/* What UEFI left behind: machine address of its configuration tables. False: the machine was not
 * started by it. */
struct machine_efi {
    uint64_t tables;
    uint32_t version, nr_tables;
};
bool machine_efi(struct machine_efi *out);

/* One byte of the console UART out (false: it has no room now) and in (-1: none). */
bool machine_console_putc(char c);
int machine_console_getc(void);
/* Whether it interrupts (console_poll()) when there is room; what is the case already makes an
 * interrupt anew. */
void machine_console_interrupts(bool on);

/* Ends. machine_stop() ends the whole machine: STOP_REBOOT starts it anew, the others switch it
 * off. What has a number is written to the debug-exit port first, if one is configured, and QEMU
 * ends by that. */
enum stop_kind {
    STOP_POWEROFF = 0,
    STOP_CRASHED = 1,     /* a boot-time domain, or the control domain */
    STOP_PANIC = 2,       /* the hypervisor itself */
    STOP_NOT_STARTED = 3, /* parvis.cfg, or what it names, cannot be used */
    STOP_ASKED_REBOOT =
        4, /* the last boot-time guest did; with no control domain, nobody reboots it */
    STOP_REBOOT = 0x100,
};
void __noreturn machine_stop(enum stop_kind kind);
void __noreturn __printf(1, 2) panic(const char *fmt, ...);

#define BUG_ON(cond)                                                                               \
    do {                                                                                           \
        if (unlikely(cond))                                                                        \
            panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond);                                  \
    } while (0)

#if defined(DEBUG) && DEBUG
#define ASSERT(cond) BUG_ON(!(cond))
#else
#define ASSERT(cond) ((void)sizeof(cond))
#endif

extern char *frame_map;  /* where frame 0 is mapped; set before the first use, once */
extern uint64_t max_mfn; /* core/frame/frame.h */

static inline void *map_frame(mfn_t mfn)
{
    ASSERT(mfn.n <= max_mfn);
    return frame_map + (mfn.n << PAGE_SHIFT);
}

static inline const void *read_frame(mfn_t mfn)
{
    return map_frame(mfn);
}

#endif
