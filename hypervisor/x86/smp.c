/* SPDX-License-Identifier: MIT */
/*
 * The start of the other CPUs.
 *
 * The boot CPU wakes them one after another: INIT, then twice "start up at this page of real mode"
 * (Intel SDM volume 3, 9.4), where the trampoline (trampoline.asm) lies for so long. What a CPU
 * needs is made for it before: its block (percpu.h), mapped page by page with the guards left out,
 * within reach of a displacement from the image, and its GDT page. A CPU that answers checks that
 * it has what the boot CPU has, sets itself up as that one did, compares its clock with that one's,
 * and gets the next id: ids are dense, and machine_nr_cpus() counts only CPUs that run. Then it
 * idles until there is work.
 *
 * One that does not answer in time, hangs before it is ready, or lacks something, is said and left
 * out. It gets INIT once more, and its block is nobody's for ever, so that it harms nobody if it
 * wakes after all. Race: a CPU goes from one step of its start to the next, and is given up, by an
 * exchange of the same word: it goes on, or it finds that nobody waits for it, and halts. The last
 * such step is the end of the comparison; after it nothing is left that can be waited for in vain.
 */
#include <core/base/log.h>
#include <core/frame/frame.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <port/wait.h>

#include "acpi.h"
#include "fpu.h"
#include "insn.h"
#include "percpu.h"
#include "speculation.h"
#include "stop.h"
#include "x86.h"

_Static_assert(NR_CPUS == BOOT_MAX_CPUS && NR_CPUS == ACPI_MAX_CPUS, "one limit");
_Static_assert(CPU_BLOCKS_VIRT + NR_CPUS * CPU_BLOCK_SIZE <= MMIO_VIRT, "room for all blocks");

/* struct arch_cpu.start: how far a CPU came */
enum { AWAITED, GIVEN_UP, ANSWERED, LEFT_OUT, SET_UP, RUNNING };

#define AFTER_INIT    MILLISECS(1) /* the 10 ms of the manual are for CPUs of 32 bits */
#define AFTER_STARTUP MICROSECS(200)
#define PATIENCE      SECONDS(2)
#define LOW_LIMIT     0xa0000 /* above: adapters */

extern const uint8_t ap_trampoline[], ap_trampoline_cr3[], ap_trampoline_end[];
extern uint64_t ap_stack;
void __noreturn ap_main(void);

struct cpu_block cpu0_block;
static struct cpu *cpus[NR_CPUS] = {&cpu0_block.cpu};
static unsigned int nr_cpus = 1;

struct cpu *cpu_by_id(unsigned int id)
{
    BUG_ON(id >= NR_CPUS || !cpus[id]);
    return cpus[id];
}

unsigned int machine_nr_cpus(void)
{
    return __atomic_load_n(&nr_cpus, __ATOMIC_ACQUIRE);
}

uint32_t machine_apic_id(unsigned int cpu)
{
    return cpu_by_id(cpu)->arch.apic_id;
}

/* One step further, if the boot CPU still waits for it. */
static bool advance(struct cpu *c, uint32_t from, uint32_t to)
{
    return cmpxchg(&c->arch.start, from, to) == from;
}

/* A CPU that was woken, on the stack of its own block. */
void ap_main(void)
{
    struct cpu *c = this_cpu();

    if (!advance(c, AWAITED, ANSWERED))
        halt_for_good();
    c->arch.lacks = missing_feature(); /* first: it may not read pages of 1 GiB */
    if (!c->arch.lacks)
        c->arch.lacks = missing_measure();
    if (c->arch.lacks) {
        (void)advance(c, ANSWERED, LEFT_OUT);
        halt_for_good();
    }
    load_descriptors();
    init_control_registers();
    start_speculation();
    init_fpu();
    machine_load_cr3(hv_l4_phys, false); /* nothing is left of the boot tables */
    start_apic();
    apic_start_timer();
    c->arch.apic_id = apic_id();
    if (!advance(c, ANSWERED, SET_UP) || !tsc_compare_ap())
        halt_for_good();
    cpus[c->id] = c;
    cpu_init();
    __atomic_store_n(&nr_cpus, c->id + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&c->arch.start, RUNNING, __ATOMIC_RELEASE);
    machine_idle();
}

/* --- the boot CPU's side --- */

static uint32_t read_start(const uint32_t *start)
{
    return __atomic_load_n(start, __ATOMIC_ACQUIRE);
}

/* Waits so long, at most until the CPU of this state has left it. */
static void wait_for(const uint32_t *start, uint32_t state, s_time_t ns)
{
    uint64_t end = clock_ticks() + clock_ticks_for(ns);
    struct wait w = WAIT("the start of a CPU", NO_CPU);

    while (read_start(start) == state && (int64_t)(clock_ticks() - end) < 0)
        spin_wait(&w);
}

/* The same with all patience. False: it is given up. */
static bool leaves(uint32_t *start, uint32_t state)
{
    wait_for(start, state, PATIENCE);
    return cmpxchg(start, state, GIVEN_UP) != state;
}

static void send_init(uint32_t id)
{
    static const uint32_t nobody = AWAITED;

    apic_send_ipi(id, IPI_INIT);
    wait_for(&nobody, AWAITED, AFTER_INIT);
}

/* The trampoline's page: RAM below 1 MiB that is nobody's, but not the first. */
static paddr_t find_low_page(const struct boot_info *bi)
{
    for (unsigned int i = bi->nr_mem; i-- > 0;) {
        const struct boot_mem *m = &bi->mem[i];
        uint64_t end = MIN(m->start + m->size, (uint64_t)LOW_LIMIT) & PAGE_MASK;

        if (m->type == BOOT_MEM_RAM && end >= 2 * PAGE_SIZE && end - PAGE_SIZE >= m->start)
            return end - PAGE_SIZE;
    }
    return 0;
}

static void write_trampoline(paddr_t page)
{
    uint8_t *at = phys_ptr(page);
    uint32_t cr3 = (uint32_t)((uint64_t)boot_tables - IMAGE_VIRT + image_phys);

    memcpy(at, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    memcpy(at + (ap_trampoline_cr3 - ap_trampoline), &cr3, sizeof(cr3));
}

/* NULL: no memory, or no number. */
static struct cpu_block *make_block(void)
{
    static unsigned int number;
    struct cpu_block *block = cpu_block(++number);
    void *gdt = number < NR_CPUS ? alloc_hv_pages(0) : NULL;

    if (!gdt)
        return NULL;
    for (uint64_t at = 0; at < CPU_BLOCK_SIZE; at += PAGE_SIZE) {
        void *page = is_guard_page(at) ? NULL : alloc_hv_pages(0);

        if (page)
            map_page_4k((uint64_t)block + at, frame_of(page).n << PAGE_SHIFT, PTE_RW | PTE_NX);
        else if (!is_guard_page(at))
            return NULL;
    }
    memset(gdt, 0, PAGE_SIZE);
    memset(&block->cpu, 0, CPU_BLOCK_SIZE - CPU_OFFSET);
    block->number = number;
    block->cpu.id = nr_cpus;
    make_descriptors(block, gdt, frame_of(gdt).n << PAGE_SHIFT);
    return isolation_prepare(block) ? block : NULL;
}

/* Wakes a CPU that is to have this block. NULL: it runs; else why not. */
static const char *wake(uint32_t id, struct cpu_block *block, paddr_t page)
{
    uint32_t *start = &block->cpu.arch.start, startup = IPI_STARTUP((uint32_t)(page >> PAGE_SHIFT));
    struct wait w = WAIT("its start", block->cpu.id);

    __atomic_store_n(&ap_stack, (uint64_t)&block->cpu, __ATOMIC_RELEASE);
    apic_send_ipi(id, startup);
    wait_for(start, AWAITED, AFTER_STARTUP);
    if (read_start(start) == AWAITED)
        apic_send_ipi(id, startup);
    if (!leaves(start, AWAITED))
        return "it does not answer";
    if (!leaves(start, ANSWERED))
        return "it hung when it had answered";
    if (read_start(start) == LEFT_OUT)
        return "it lacks what the boot CPU has";
    if (!tsc_compare_boot(&block->cpu))
        return "it hung when it had been set up";
    while (read_start(start) != RUNNING)
        spin_wait(&w);
    return NULL;
}

/* False: it is left out, and that is said. */
static bool start_one(uint32_t id, paddr_t page)
{
    struct cpu_block *block = make_block();
    const char *why = block ? wake(id, block, page) : "there is no memory for it", *lacks;

    if (!why)
        return true;
    lacks = block ? block->cpu.arch.lacks : NULL;
    log_warning("CPU with APIC id %#x: left out, %s%s%s", id, why, lacks ? ": " : "",
                lacks ? lacks : "");
    return false;
}

/* A CPU that runs, of those with a number below `below`, is a thread of that one's core. */
static bool shares_core(uint32_t id, unsigned int below)
{
    for (unsigned int i = 0; i < below; i++)
        if (same_core(id, machine_apic_id(i)))
            return true;
    return false;
}

static unsigned int second_threads(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < nr_cpus; i++)
        nr += shares_core(machine_apic_id(i), i);
    return nr;
}

/* How many were tried, or are not to be; of them, the second threads that smt = no leaves alone. */
static unsigned int start_all(paddr_t page, unsigned int most, bool no_smt,
                              unsigned int *left_alone)
{
    unsigned int tried = 0;

    write_trampoline(page);
    for (unsigned int i = 0; i < acpi.nr_cpus && nr_cpus < most; i++) {
        uint32_t id = acpi.cpu_apic_id[i];

        if (id == apic_id())
            continue;
        tried++;
        if (no_smt && shares_core(id, nr_cpus)) {
            log_info("CPU with APIC id %#x: left alone, a core's second thread (smt = no)", id);
            ++*left_alone;
            continue;
        }
        if (!apic_can_reach(id)) {
            log_warning("CPU with APIC id %#x: left out, only an x2APIC could reach it", id);
            continue;
        }
        send_init(id);
        if (!start_one(id, page))
            send_init(id);
    }
    memset(phys_ptr(page), 0, PAGE_SIZE);
    return tried;
}

void machine_start_cpus(const struct boot_info *bi)
{
    unsigned int most = bi->cpus ? bi->cpus : NR_CPUS, listed = acpi.nr_cpus + acpi.cpus_beyond;
    paddr_t page = find_low_page(bi);
    unsigned int rest, left_alone = 0;

    for (unsigned int i = 0; i < acpi.nr_cpus; i++)
        listed -= acpi.cpu_apic_id[i] == apic_id();
    if (!page)
        log_warning("no RAM below 1 MiB: no other CPU can be started");
    rest = listed - (page ? start_all(page, most, bi->no_smt, &left_alone) : 0);
    if (rest)
        log_info("CPUs: %u; left alone: %u, as at most %u are used", nr_cpus, rest, most);
    else
        log_info("CPUs: %u", nr_cpus);
    threads_run(second_threads(), left_alone);
    if (nr_cpus > 1)
        tsc_report();
    if (bi->cpus > listed + 1)
        log_info("parvis.cfg: cpus = %u, but there are only %u", bi->cpus, listed + 1);
}
