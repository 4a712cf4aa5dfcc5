/* SPDX-License-Identifier: MIT */
/*
 * Port, downwards: what core and the kinds of guests ask of the machine. x86/ implements it on the
 * metal, tests/host on plain memory. What the machine calls of them is in port/upcalls.h.
 *
 * Beside this header stand only what is so small that it is compiled into its users (atomic.h,
 * current.h, lock.h, sanitize.h) and the access to a guest's memory (guest_access.h). Nothing else
 * of x86/ is seen above; hv/x86_bits.h and hv/x86_insn.h are the architecture's numbers, and no
 * one's.
 */
#ifndef PORT_MACHINE_H
#define PORT_MACHINE_H

#include <hv/types.h>

struct boot_info;
struct domain;
struct parvis_sysctl_speculation;
struct vcpu;

/* --- the start: hypervisor_main() calls these in this order; each ends in panic() when the machine
 * lacks what is needed --- */

/* CPU features, descriptor tables, fault handlers, UART. The log may be used from here on. */
void machine_init_early(const struct boot_info *bi);
/* Own page tables, direct map, frame table, M2P; gives free RAM to the heap (heap_init() is called
 * in it). */
void machine_init_memory(const struct boot_info *bi);
/* ACPI tables, interrupt controllers, clock. After it machine_arm_timer() works. */
void machine_init_late(const struct boot_info *bi);
/* The other CPUs: each calls cpu_init(), and idles. Those that do not start are said. */
void machine_start_cpus(const struct boot_info *bi);
/* The idle loop, on the empty stack of this CPU: never returns. */
void __noreturn machine_idle(void);

/* --- memory, time, CPUs --- */

/* The hypervisor's own mapping of a frame of RAM (direct map; all RAM is always mapped, nothing to
 * unmap), to be read; and to be written, which is for few (tests/style.py). */
static inline const void *read_frame(mfn_t mfn);
static inline void *map_frame(mfn_t mfn);
mfn_t frame_of(const void *mapped);

/* Nanoseconds since start: monotonic, the same on all CPUs. Wall clock at that zero, in ns since
 * 1970. */
s_time_t clock_now(void);
uint64_t clock_ticks(void); /* raw TSC: the tsc_timestamp domain of pvclock */
/* The last of them at which clock_now() was a whole number of ns by the scale: who counts on from
 * there never disagrees with who counts from another. */
uint64_t clock_stamp(void);
/* What clock_now() said, or will say, at that reading of clock_ticks() */
s_time_t clock_at(uint64_t ticks);
uint64_t clock_wall_at_zero(void); /* ns since 1970 when clock_now() was 0 */
/* TSC frequency as pvclock wants it: ns = ((ticks << shift) * mul) >> 32. */
void clock_scale(uint32_t *mul, int8_t *shift);
uint64_t clock_khz(void);
/* All CPUs' TSCs are one clock, at one rate, for good: guests may be told so. */
bool clock_stable(void);
/* For how long what a vCPU was told of the clock holds; 0: not when it gets another CPU. */
extern s_time_t clock_told_holds;

/* Arms this CPU's one-shot timer interrupt; a past deadline fires at once; INT64_MAX disarms. */
void machine_arm_timer(s_time_t deadline);

/* Makes cpu look at its pending work soon. */
void machine_kick(unsigned int cpu);
unsigned int machine_nr_cpus(void);
uint32_t machine_apic_id(unsigned int cpu);
uint32_t machine_acpi_id(unsigned int cpu); /* what ACPI calls it; all ones: nothing */
/* CPUs with the same core of the same socket are threads of one core. */
void machine_cpu_place(unsigned int cpu, uint32_t *core, uint32_t *socket);

/* --- TLBs and caches --- */

/* Of this CPU alone. When others flush, and who must, is for core/base/tlb.c to say. */
void machine_flush_tlb(void);       /* all, by loading the same CR3 again */
void flush_tlb_one_local(gva_t va); /* one address */
void machine_flush_cache(void);     /* WBINVD */

/* --- the vCPU on this CPU --- */

/* Switches this CPU from prev to next: the stack of the entries and the FPU, and what else the
 * kinds of the two have in registers (struct guest_ops; general registers stay in place in struct
 * vcpu). The return to next happens on the exit path. */
void machine_context_switch(struct vcpu *prev, struct vcpu *next);
/* Brings v's FPU state into struct vcpu, if it is in registers. What is changed there afterwards is
 * loaded again. */
void machine_sync_fpu(struct vcpu *v);
/* CR3 of this CPU. keep_global: it is the switch between kernel and user of one process. Else it
 * flushes all, and load_cr3() calls it. */
void machine_load_cr3(uint64_t cr3, bool keep_global);
/* Whether nothing was at va, for the guest that came here by a page fault, because of what its CPU
 * has of its L4 alone: it has that anew when it goes on. */
bool isolation_lacked(gva_t va);
extern bool isolating; /* else it never is so: guests run on their own page tables */
uint32_t machine_io_read(unsigned int port, unsigned int bytes);
void machine_io_write(unsigned int port, unsigned int bytes, uint32_t value);
bool machine_rdmsr_safe(uint32_t msr, uint64_t *value); /* false: it faulted */
/* eax ebx ecx edx of the real CPU */
void machine_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]);
bool machine_xsetbv_safe(uint64_t xcr0); /* false: the machine has not all of it */

/* --- devices: who may touch them, their interrupts --- */

/* I/O memory that d may map: not RAM; for the control domain, but not the local APIC, the IOAPICs
 * and what the hypervisor drives itself. */
bool iomem_access_permitted(const struct domain *d, mfn_t mfn);
bool ioport_access_permitted(const struct domain *d, unsigned int port, unsigned int bytes);

/*
 * An irq is a number: 0 to irq_nr_gsis() - 1 are the IOAPICs' lines, those above are messages (MSI,
 * MSI-X) that core gave a number. Each irq goes to at most one domain: when it comes, pirq_raise()
 * is called on the CPU that took it. A level line is masked from its interrupt until
 * irq_unmask(); edges and messages are acknowledged at once. Guarded by a lock of RANK_IRQ inside.
 */
#define NR_IRQS 256u

unsigned int irq_nr_gsis(void);
/* Trigger and polarity of a line; masked until attached. -XEN_EINVAL: no such line. -XEN_EBUSY: the
 * hypervisor's own. */
int __must_check irq_setup_gsi(unsigned int gsi, bool level, bool active_low);
bool irq_is_level(unsigned int irq);
/* From now on the interrupt is raised in d, and is unmasked. -XEN_EBUSY: somebody has it. */
int __must_check irq_attach(unsigned int irq, struct domain *d);
/* Masks it and forgets who had it. Messages: see irq_free_msi(). */
void irq_detach(unsigned int irq);
void irq_unmask(unsigned int irq);
/* It is to come on that CPU from now on. Does nothing where the CPU cannot be reached by it, or
 * when it was moved just before. */
void irq_set_cpu(unsigned int irq, unsigned int cpu);

struct pci_function {
    uint16_t segment;
    uint8_t bus, devfn;
};

/* A message of a PCI function. table_base 0: its MSI capability; else MSI-X entry `entry` of the
 * table at that machine address. */
struct pci_message {
    struct pci_function f;
    uint16_t entry;
    uint64_t table_base;
};

/* Makes the message the irq of that number, which no other is: writes address and data to the
 * function (enabled, but masked until attached where it can be masked). -XEN_ENODEV no such
 * capability or table, -XEN_ENOSPC no vector. */
int __must_check irq_setup_msi(unsigned int irq, const struct pci_message *message);
void irq_free_msi(unsigned int irq);
/* Writes the function's messages again (PHYSDEVOP_restore_msi). -XEN_ESRCH: it has none. */
int __must_check irq_restore_msi(struct pci_function f);

/* PCI configuration space by mechanism 1: address as in port 0xcf8, offset 0 to 3 within it. */
uint32_t pci_config_read(uint32_t address, unsigned int offset, unsigned int bytes);
void pci_config_write(uint32_t address, unsigned int offset, unsigned int bytes, uint32_t value);
/* An MMCONFIG window that the control domain vouches for. */
void pci_mmcfg_trust(uint64_t address, uint16_t segment, uint8_t first_bus, uint8_t last_bus,
                     bool trust);

/* IOAPIC registers as PHYSDEVOP_apic_read/write show them. -XEN_EINVAL: no IOAPIC at that address.
 */
int __must_check ioapic_guest_read(uint64_t base, uint32_t reg, uint32_t *value);

/* --- what the machine is --- */

/* CPUID feature words of this machine, for people to read: leaf 1 edx, ecx, 0x80000001 edx, ecx, 7
 * ebx; n words. */
void machine_cpu_features(uint32_t *words, unsigned int n);

/* What speculation lets out on these CPUs, and what is done about it, as the control domain sees it
 * (parvis/speculation.h). */
void machine_speculation(struct parvis_sysctl_speculation *out);
/* A guest's kernel may keep its programs from each other's training, where CPUs have the barrier
 * (MSR PRED_CMD); and from loads that pass older stores (SSBD, which is all that it has of MSR
 * SPEC_CTRL: v->arch.spec_ctrl). v is current. False: there is none, or it is another bit. */
bool machine_has_ssbd(void);
bool machine_pred_cmd(uint64_t value);
bool machine_spec_ctrl(struct vcpu *v, uint64_t value);
/* What CPUID shows a guest of that, and of what CPUs have not: leaves 0x80000008 and 0x80000021. */
void machine_cpuid_speculation(uint32_t leaf, uint32_t out[4]);

/* What UEFI left behind: machine address of its configuration tables. False: the machine was not
 * started by it. */
struct machine_efi {
    uint64_t tables;
    uint32_t version, nr_tables;
};
bool machine_efi(struct machine_efi *out);

/* --- the console, the end --- */

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
    /* The last boot-time guest did; with no control domain, nobody reboots it */
    STOP_ASKED_REBOOT = 4,
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

/* XSA-273: bits of an entry which, where it is not present, some CPUs read memory by, if that is in
 * their first cache. 0: not these CPUs. */
extern uint64_t absent_frame_bits;
extern char *frame_map;           /* where frame 0 is mapped; set before the first use, once */
extern uint64_t *machine_to_phys; /* M2P, max_mfn + 1 entries: core/frame/m2p.h */
/* The hypervisor's own top-level page table. Slots 256 and 261 to 271 of it go into every table
 * that a guest runs on. */
extern uint64_t *hv_l4;
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
