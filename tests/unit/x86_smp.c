/* SPDX-License-Identifier: MIT */
/*
 * The start of the other CPUs (x86/smp.c, with the comparison of x86/tsc_compare.c): each is a
 * thread that ap_main() runs on, from the first "start up" that it gets. CPUs that never answer,
 * hang in their own set-up or in the comparison, or lack something are named and left out, the
 * others get dense ids; and one that comes alive late finds that nobody waits for it, and halts:
 * nothing is counted of it, nothing that is another's by then is touched.
 *
 * Time passes for who waits while all others hang or are at rest, and nearly stands still else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include <cmocka.h>

#include "x86_log.h"
#include "x86_names.h"
#include <core/base/log.h>
#include <core/frame/frame.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <port/wait.h>
#include <x86/acpi.h>
#include <x86/fpu.h>
#include <x86/speculation.h>
#include <x86/stop.h>
#include <x86/x86.h>

#define CPUS      6
#define LOW_PAGE  0x9f000
#define BOOT_ID   40
#define ID(i)     (first_id + 0x10u * (i)) /* APIC id of the i-th that is listed */
#define ONE_CLOCK (1ull << 40)

/* What becomes of a CPU. */
enum fate { FINE, SILENT, HANGS_IN_SETUP, HANGS_IN_COMPARISON, LACKS, LACKS_MEASURE };

static struct ap {
    enum fate fate;
    thrd_t thread;
    bool woken, begun, hangs, freed, halted, idles; /* atomic */
    struct cpu_block *block;
    int64_t ahead; /* its TSC */
} aps[CPUS];

static struct cpu_block blocks[NR_CPUS];
static __thread struct ap *me; /* NULL: the boot CPU */
static uint64_t ticks;
static uint8_t low_page[PAGE_SIZE];
static char ipis[1024];
static unsigned int inited, differing;
static uint32_t first_id;
static bool two_threads; /* a core: their APIC ids differ in 0x10 alone */
static bool no_smt;
static unsigned int second_ones, left_alone;
static bool no_tables;            /* the next CPU gets none */
static struct ap *free_meanwhile; /* when the next CPU is compared */

struct cpu_features cpu_has = {.tsc_adjust = true};
struct acpi_info acpi;
paddr_t hv_l4_phys, image_phys;
char boot_tables[1];
uint64_t ap_stack;
__asm__(".pushsection .rodata\n\t.globl ap_trampoline, ap_trampoline_cr3, ap_trampoline_end\n"
        "ap_trampoline: .quad 1\nap_trampoline_cr3: .long 0\nap_trampoline_end:\n\t.popsection");
void __noreturn ap_main(void);

static bool is(const bool *what)
{
    return __atomic_load_n(what, __ATOMIC_SEQ_CST);
}

static void set(bool *what)
{
    __atomic_store_n(what, true, __ATOMIC_SEQ_CST);
}

/* It will do nothing by itself. */
static bool at_rest(const struct ap *ap)
{
    return !ap->woken || is(&ap->idles) || is(&ap->halted) || (is(&ap->hangs) && !is(&ap->freed));
}

/* ---- the machine ---- */

struct cpu_block *fake_this_block(void)
{
    return me ? me->block : &cpu0_block;
}

struct cpu *this_cpu(void)
{
    return &fake_this_block()->cpu;
}

struct cpu_block *fake_cpu_block(unsigned int number)
{
    return number ? &blocks[number] : &cpu0_block;
}

static void hang(enum fate where)
{
    if (!me || me->fate != where || is(&me->freed))
        return;
    set(&me->hangs);
    while (!is(&me->freed))
        thrd_sleep(&(struct timespec){.tv_nsec = MICROSECS(100)}, NULL);
}

static int run(void *ap)
{
    me = ap;
    me->block = (struct cpu_block *)(xchg(&ap_stack, 0) - CPU_OFFSET);
    set(&me->begun);
    hang(SILENT); /* on the way through the trampoline */
    ap_main();
}

void halt_for_good(void)
{
    set(&me->halted);
    thrd_exit(0);
}

void machine_idle(void)
{
    set(&me->idles);
    thrd_exit(0);
}

void apic_send_ipi(uint32_t id, uint32_t what)
{
    struct ap *ap = &aps[(id - first_id) / 0x10];

    snprintf(ipis + strlen(ipis), sizeof(ipis) - strlen(ipis), "%x:%x ", id, what);
    assert_true(id % 0x10 == 0 && (id - first_id) / 0x10 < CPUS);
    if ((what & 0x700) != IPI_STARTUP(0) || ap->woken)
        return;
    ap->woken = true;
    if (thrd_create(&ap->thread, run, ap) != thrd_success)
        abort();
    while (!at_rest(ap) && (!is(&ap->begun) || !READ_ONCE(ap->block->cpu.arch.start)))
        thrd_yield();
}

static void free_it(struct ap *ap)
{
    set(&ap->freed);
    thrd_join(ap->thread, NULL);
    ap->woken = false;
}

uint64_t clock_ticks(void)
{
    /* An answer takes long: some rounds are enough. Who waits for it has all the time. */
    uint64_t step = me ? MICROSECS(100) : 1;
    uint64_t now = __atomic_fetch_add(&ticks, step, __ATOMIC_SEQ_CST);

    hang(HANGS_IN_COMPARISON);
    if (me && free_meanwhile && me != free_meanwhile) {
        set(&free_meanwhile->freed); /* it runs on, beside this one */
        free_meanwhile = NULL;
    }
    return ONE_CLOCK + now + (uint64_t)(me ? me->ahead : 0);
}

uint64_t clock_ticks_for(s_time_t ns)
{
    return (uint64_t)ns;
}

void spin_wait(struct wait *w)
{
    bool all = !me;

    (void)w;
    for (unsigned int i = 0; i < CPUS && all; i++)
        all = at_rest(&aps[i]);
    if (all)
        __atomic_fetch_add(&ticks, (uint64_t)MILLISECS(10), __ATOMIC_SEQ_CST);
    thrd_yield();
}

uint32_t apic_id(void)
{
    return me ? ID(me - aps) : BOOT_ID;
}

bool apic_can_reach(uint32_t id)
{
    (void)id;
    return true;
}

const char *missing_feature(void)
{
    return me->fate == LACKS ? "smep" : NULL;
}

const char *missing_measure(void)
{
    return me->fate == LACKS_MEASURE ? "a measure against speculation" : NULL;
}

void start_speculation(void)
{
}

void init_fpu(void)
{
    hang(HANGS_IN_SETUP);
}

void cpu_init(void)
{
    inited++;
}

void load_descriptors(void)
{
}
void init_control_registers(void)
{
}
void start_apic(void)
{
}
void apic_start_timer(void)
{
}

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    (void)cr3, (void)keep_global;
}

void make_descriptors(struct cpu_block *block, void *gdt, paddr_t gdt_phys)
{
    (void)block, (void)gdt, (void)gdt_phys;
}

void map_page_4k(uint64_t va, paddr_t pa, uint64_t flags)
{
    (void)va, (void)pa, (void)flags;
}

bool isolation_prepare(struct cpu_block *block)
{
    bool can = block && !no_tables;

    no_tables = false;
    return can;
}

void *alloc_hv_pages(unsigned int order)
{
    static uint8_t pages[NR_CPUS * 16][PAGE_SIZE];
    static unsigned int used;

    assert_int_equal(order, 0);
    assert_true(used < ARRAY_SIZE(pages));
    return pages[used++];
}

mfn_t frame_of(const void *mapped)
{
    return MFN((uint64_t)mapped >> PAGE_SHIFT);
}

void *phys_ptr(paddr_t pa)
{
    assert_int_equal(pa, LOW_PAGE);
    return low_page;
}

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    (void)msr;
    *value = 0;
    return true;
}

bool same_core(uint32_t a, uint32_t b)
{
    return two_threads ? (a | 0x10) == (b | 0x10) : a == b;
}

void threads_run(unsigned int nr, unsigned int nr_left_alone)
{
    second_ones = nr;
    left_alone = nr_left_alone;
}

void tsc_differs(void)
{
    differing++;
}

bool clock_stable(void)
{
    return true;
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

/* ---- the tests ---- */

/* Starts so many more CPUs: there is no way back, so a test begins where the one before ended. */
static unsigned int start(unsigned int n, const enum fate *fates)
{
    static const struct boot_mem ram = {
        .start = 0, .size = LOW_PAGE + PAGE_SIZE, .type = BOOT_MEM_RAM};
    static struct boot_info bi;
    unsigned int before = machine_nr_cpus();

    bi.nr_mem = 1;
    bi.mem[0] = ram;
    bi.cpus = before + n;
    bi.no_smt = no_smt;
    said[0] = ipis[0] = 0;
    inited = differing = 0;
    memset(aps, 0, sizeof(aps));
    acpi.nr_cpus = n + 1;
    acpi.cpu_apic_id[n] = BOOT_ID;
    for (unsigned int i = 0; i < n; i++) {
        acpi.cpu_apic_id[i] = ID(i);
        aps[i].fate = fates[i];
        aps[i].ahead = fates[i] == FINE ? 0 : 1 << 30;
    }
    machine_start_cpus(&bi);
    for (unsigned int i = 0; i < n; i++) {
        if (fates[i] == FINE || fates[i] == LACKS || fates[i] == LACKS_MEASURE)
            thrd_join(aps[i].thread, NULL);
        assert_int_equal(is(&aps[i].idles), fates[i] == FINE);
    }
    for (unsigned int i = 0; i < sizeof(low_page); i++)
        assert_int_equal(low_page[i], 0);
    return machine_nr_cpus() - before;
}

/* The i-th has the n-th of the new ids. */
static void has_id(unsigned int i, unsigned int id)
{
    assert_int_equal(machine_apic_id(id), ID(i));
    assert_int_equal(aps[i].block->cpu.id, id);
    assert_ptr_equal(cpu_by_id(id), &aps[i].block->cpu);
}

static void all_start(void **state)
{
    (void)state;
    assert_int_equal(start(3, (enum fate[]){FINE, FINE, FINE}), 3);
    for (unsigned int i = 0; i < 3; i++)
        has_id(i, 1 + i);
    assert_int_equal(inited, 3);
    assert_non_null(strstr(said, "CPUs: 4\n"));
    assert_string_equal(ipis, "0:500 0:69f 10:500 10:69f 20:500 20:69f ");
}

/* One hangs at this point, another starts after it and gets the id; then it comes alive. */
static void late(enum fate fate, const char *why)
{
    unsigned int before = machine_nr_cpus(), id = before;
    struct cpu_block *block;
    char line[128];

    assert_int_equal(start(2, (enum fate[]){fate, FINE}), 1);
    snprintf(line, sizeof(line), "CPU with APIC id 0: left out, %s\n", why);
    assert_non_null(strstr(said, line));
    has_id(1, id);
    block = aps[1].block;
    free_it(&aps[0]);
    assert_true(is(&aps[0].halted) && !is(&aps[0].idles));
    assert_int_equal(inited, 1);
    assert_int_equal(machine_nr_cpus(), id + 1);
    assert_ptr_equal(cpu_by_id(id), &block->cpu);
    assert_ptr_not_equal(aps[0].block, block);
}

static void never_answers(void **state)
{
    (void)state;
    late(SILENT, "it does not answer");
    assert_string_equal(ipis, "0:500 0:69f 0:69f 0:500 10:500 10:69f ");
}

static void hangs_in_its_setup(void **state)
{
    (void)state;
    late(HANGS_IN_SETUP, "it hung when it had answered");
    assert_string_equal(ipis, "0:500 0:69f 0:500 10:500 10:69f ");
}

static void hangs_in_the_comparison(void **state)
{
    (void)state;
    late(HANGS_IN_COMPARISON, "it hung when it had been set up");
    assert_null(strstr(said, "its TSC"));
}

/* Its clock is another: were its answer taken for the next CPU's, that would be said to differ. */
static void comes_alive_while_the_next_is_compared(void **state)
{
    (void)state;
    free_meanwhile = &aps[0];
    late(HANGS_IN_COMPARISON, "it hung when it had been set up");
    assert_null(free_meanwhile);
    assert_int_equal(differing, 0);
}

static void lacks_something(void **state)
{
    (void)state;
    assert_int_equal(start(2, (enum fate[]){LACKS, FINE}), 1);
    assert_non_null(strstr(said, "id 0: left out, it lacks what the boot CPU has: smep\n"));
    assert_int_equal(start(2, (enum fate[]){LACKS_MEASURE, FINE}), 1);
    assert_non_null(strstr(said, "boot CPU has: a measure against speculation\n"));
    assert_true(is(&aps[0].halted));
    has_id(1, machine_nr_cpus() - 1);
}

/* Without smt a core's second thread is left alone, unless the first does not run; with it those
 * that run are counted. */
static void threads_of_a_core(void **state)
{
    unsigned int before;

    (void)state;
    two_threads = true;
    first_id = 0x1000;
    assert_int_equal(start(1, (enum fate[]){FINE}), 1);
    before = second_ones;
    first_id = 0x2000;
    no_smt = true;
    assert_int_equal(start(6, (enum fate[]){FINE, SILENT, SILENT, FINE, FINE, SILENT}), 3);
    assert_non_null(strstr(said, "CPU with APIC id 0x2010: left alone, a core's second thread"));
    assert_non_null(strstr(said, "CPU with APIC id 0x2020: left out, it does not answer"));
    assert_non_null(strstr(said, "CPU with APIC id 0x2050: left alone, a core's second thread"));
    assert_null(strstr(ipis, "2010:"));
    assert_int_equal(second_ones, before);
    assert_int_equal(left_alone, 2);
    first_id = 0x3000;
    no_smt = false;
    assert_int_equal(start(3, (enum fate[]){FINE, FINE, FINE}), 3);
    assert_int_equal(second_ones, before + 1);
    assert_int_equal(left_alone, 0);
    first_id = 0;
    two_threads = false;
}

static void has_no_page_tables(void **state)
{
    (void)state;
    no_tables = true;
    assert_int_equal(start(2, (enum fate[]){SILENT, FINE}), 1);
    assert_non_null(strstr(said, "id 0: left out, there is no memory for it\n"));
    assert_string_equal(ipis, "0:500 0:500 10:500 10:69f "); /* it was never told to start */
    has_id(1, machine_nr_cpus() - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_start),
        cmocka_unit_test(never_answers),
        cmocka_unit_test(hangs_in_its_setup),
        cmocka_unit_test(hangs_in_the_comparison),
        cmocka_unit_test(comes_alive_while_the_next_is_compared),
        cmocka_unit_test(lacks_something),
        cmocka_unit_test(threads_of_a_core),
        cmocka_unit_test(has_no_page_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
