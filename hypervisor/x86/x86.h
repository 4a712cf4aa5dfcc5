/* SPDX-License-Identifier: MIT */
/*
 * What the files of x86/ offer to each other, and to that part of a kind of guest which only a
 * machine can run (pv/cpu/). The rest of the hypervisor uses the port headers; boot/ has
 * hv/x86_init.h.
 */
#ifndef X86_X86_H
#define X86_X86_H

#include <core/state/domain.h>
#include <hv/types.h>
#include <port/machine.h>
#include <hv/x86_bits.h>
#include <hv/x86_init.h>
#include <parvis/boot_info.h>

struct cpu_block; /* percpu.h */

/* --- the image (hypervisor.lds) --- */
extern char text_end[], rodata_end[]; /* and image_start, image_end: hv/x86_init.h */

/* --- virtual addresses of the hypervisor (docs/architecture.md) --- */
#define M2P_GUEST_VIRT   0xffff800000000000ull
#define M2P_VIRT         0xffff828000000000ull
#define FRAME_TABLE_VIRT 0xffff82a000000000ull
#define IMAGE_VIRT       0xffff82d040000000ull
#define MMIO_VIRT        0xffff82d080000000ull
#define MMIO_VIRT_END    0xffff82e000000000ull
#define DIRECT_MAP_VIRT  0xffff830000000000ull
#define DIRECT_MAP_END   0xffff880000000000ull
/* What a paravirtual guest may have of the addresses: so many at the top, and those below one. */
#define GUEST_TOP   (0 - DIRECT_MAP_END)
#define GUEST_BELOW M2P_GUEST_VIRT

/* --- selectors: the last pages of every GDT are the CPU's own --- */
#define HV_CS        0xe008
#define HV_DS        0xe010
#define TSS_SELECTOR 0xe040
#define LDT_SELECTOR 0xe050

/* --- features.c: what this CPU has --- */
/* clang-format off */
#define CPU_FLAGS(F) \
    F(nx) F(pages_1g) F(pge) F(smep) F(smap) F(umip) F(xsave) F(xsaveopt) F(x2apic) F(tsc_deadline) \
    F(invariant_tsc) F(tsc_adjust) F(syscall) F(pat) F(sysenter) F(is_amd) F(svm) F(nested_paging) F(invpcid)
/* clang-format on */
#define CPU_FLAG(name) name,
struct cpu_features {
    bool CPU_FLAGS(CPU_FLAG) has_apic;
    bool below_hypervisor; /* another's */
    bool tcg;              /* QEMU's software emulation, which says so */
    unsigned int phys_bits;
    uint32_t xcr0; /* states that XSAVE knows */
};
extern struct cpu_features cpu_has; /* the boot CPU, and therefore all */
void detect_features(void);
const char *missing_feature(void); /* what the boot CPU has and this one has not; NULL: nothing */
void init_control_registers(void); /* CR0, CR4, EFER, PAT: the same on every CPU */
extern uint64_t cr4_base;          /* what CR4 holds without the bits a guest may choose */

/* --- descriptors.c --- */
void init_descriptors(void); /* the boot CPU's, and the IDT of all */
/* Of a CPU with this block; gdt: an empty page. Then load_descriptors(), on that CPU. */
void make_descriptors(struct cpu_block *block, void *gdt, paddr_t gdt_phys);
void load_descriptors(void);
/* Loads GDTR and LDTR; of the 16 pages at gdt the 15th is this CPU's own (arch.gdt_page_pte). */
void load_tables(uint64_t gdt, uint64_t ldt, unsigned int ldt_entries);
uint64_t own_gdt(void); /* the one that has no page but this CPU's own */

uint64_t idt_address(void);

/* --- isolation.c --- */
static inline uint64_t hv_global(void)
{
    return isolating ? 0 : PTE_GLOBAL;
}
/* For a CPU that is to run guests, whose block is mapped. False: no memory. */
bool __must_check isolation_prepare(struct cpu_block *block);
/* Nothing of the vCPU that ran here is shown to the one that is to run. */
void isolation_switch(struct cpu_block *block);
void isolate_guest(struct cpu *c); /* on the way out to a guest (pv/cpu/entry.asm) */

/* --- fault.c, dump.c --- */
void report_nmi(void); /* says what an NMI could not: called where no lock is held */
void dump_stack(uint64_t rip, uint64_t rbp);

/* --- paging.c, memory.c --- */
#define MAP_UNCACHED 1u
/* Maps physical memory that is not RAM, or tables of the firmware, for good. NULL when there is no
 * more room. */
void *map_physical(paddr_t start, uint64_t size, unsigned int flags);

extern paddr_t hv_l4_phys; /* idle vCPUs run on it */
void init_paging(const struct boot_info *bi);
void *phys_ptr(paddr_t pa);                    /* how RAM is reached at this stage of the start */
bool is_ram(const struct boot_mem *m);         /* whatever it holds now */
bool is_ram_frame(mfn_t mfn);                  /* whoever owns it */
bool boot_mapping_active(void);                /* the boot tables are still loaded */
void map_table_2m(uint64_t va, paddr_t table); /* an L1 table made by hand */
paddr_t boot_alloc_page(void);
paddr_t boot_alloc_2m(void); /* 0: there is none */
void boot_alloc_init(const struct boot_info *bi);
void boot_alloc_done(void (*give)(paddr_t start, paddr_t end));
/* Maps [va, va + size) to pa in the hypervisor's own tables with the largest pages that fit. */
void map_range(uint64_t va, paddr_t pa, uint64_t size, uint64_t flags);
void map_page_4k(uint64_t va, paddr_t pa, uint64_t flags);

/* --- apic.c --- */
void init_apic(void);  /* the boot CPU's */
void start_apic(void); /* this CPU's, as the boot CPU's is */
void apic_eoi(void);
uint32_t apic_id(void);
/* A vector, or one of these: to the CPU with that APIC id. */
#define IPI_NMI           0x400u
#define IPI_INIT          0x500u
#define IPI_STARTUP(page) (0x600u | (page)) /* goes on in real mode at that page */
void apic_send_ipi(uint32_t id, uint32_t what);
bool apic_can_reach(uint32_t id);
void apic_timer_init(void);
void apic_start_timer(void); /* this CPU's; apic_timer_init() has measured */
void pic_disable(void);

/* --- ioapic.c --- */
void init_ioapics(void);

/* --- topology.c --- */
bool same_core(uint32_t a, uint32_t b); /* CPUs with these APIC ids are threads of one */

/* --- time.c, rtc.c --- */
void init_time(bool exact_wall_clock, bool tsc_stable);
uint64_t clock_ticks_for(s_time_t ns);
void tsc_differs(void);             /* the CPUs' TSCs are not one clock */
uint64_t rtc_read_ns(bool at_tick); /* ns since 1970; at_tick: waits up to a second to be exact */

/* --- tsc_compare.c --- */
/* When CPU ap starts: both at the same time, one ap after the other. Before, ap has no clock.
 * False, on both: ap did not answer in time, and is nobody's. */
bool __must_check tsc_compare_boot(struct cpu *ap);
bool __must_check tsc_compare_ap(void);
void tsc_report(void); /* all have started */

/* --- uart.c --- */
void uart_drain(void); /* waits, within bounds, until the last byte is on the line */
extern uint16_t uart_base;
extern uint8_t uart_irq;

/* --- spinlock.c --- */
void ignore_locks(void); /* the end is near: locks are not waited for any more */

/* --- efi_tables.c --- */
void init_efi(paddr_t system_table); /* 0: not started by UEFI */

/* --- irq.c --- */
/* Of those that wait the highest is taken first. The kick is the lowest: a CPU that is kicked
 * without end takes all others before it, and each way out of the hypervisor does what it was
 * kicked for. */
#define VECTOR_KICK     0x20
#define VECTOR_TIMER    0xf0
#define VECTOR_SPURIOUS 0xff
#define VECTOR_FIRST    0x21 /* of devices */
#define VECTOR_LAST     0xef
void handle_interrupt(unsigned int vector);
void init_irq(void);

/* --- entry.asm --- */
void __noreturn enter_guest(void); /* leaves the C stack for cpu->running */

#endif
