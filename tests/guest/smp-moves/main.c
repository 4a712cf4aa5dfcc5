/* SPDX-License-Identifier: MIT */
/*
 * Shows: a vCPU that gets another CPU finds all there that is its own: the registers of x87, SSE
 * and AVX, and whether it has AVX at all; GDT and LDT, segment registers and bases; a breakpoint on
 * data. And what the hypervisor tells it about itself goes on: time area and run-state area.
 *
 * Each vCPU has values of these that no other has, and looks again and again whether they are
 * still there; between two looks it computes, yields or sleeps, and there should be more vCPUs than
 * CPUs. XSA-52 and XSA-165 are about such registers, XSA-12 about breakpoints.
 *
 * On which CPU it is, a vCPU sees by CPUID, which a PV guest may execute. moves=N on the command
 * line: each looks until it has found itself on another CPU so often.
 */
#include <xen/domctl.h>

#include "test.h"

const char test_name[] = "smp-moves";

#define MOST    8u
#define LOOKS   100u
#define LONGEST 60000000000ul /* ns: then those that have not moved so often have failed */
#define NAP     300000ul      /* ns */

#define SEGMENT     0x0040f30000000000ull /* data, DPL 3, present, a limit in bytes */
#define GDT_SEGMENT 0xbu
#define LDT_SEGMENT 0x7u
#define CR4_OSXSAVE (1ul << 18)
#define XCR0_SSE    3u
#define XCR0_AVX    7u
#define WATCH_WRITE 0xd0402u /* DR7: DR0 watches writes of four bytes */

/* As XSAVE writes it, and FXSAVE its first 512 bytes. */
struct registers {
    uint16_t control, status;
    uint8_t tags, ours[19];
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16]; /* ten bytes each are a register */
    uint8_t xmm[16][16];
    uint8_t unused[96];
    uint64_t present, compact, zero[6];
    uint8_t ymm_high[16][16];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct registers) == 832, "as the CPU has it");

static struct own {
    struct registers want, got;
    uint64_t *gdt, *ldt;
    struct vcpu_runstate_info *state;
    vcpu_time_info_t *time;
    volatile uint32_t watched;
    uint64_t name; /* FS points here */
    unsigned int cpu, moves;
    uint64_t entered;
    uint32_t random, xcr0;
    bool begun;
    vcpu_guest_context_t others;
} vcpus[MOST];

enum { REGISTERS, AVX, SEGMENTS, BASES, BREAKPOINT, TIME, STATE, OTHERS, KINDS };

static const char *const kept[KINDS] = {
    "keeps x87 and SSE registers",
    "has AVX or not, and keeps its registers",
    "keeps selectors, GDT and LDT",
    "keeps its segment bases",
    "keeps its breakpoint",
    "is told the same time in both places",
    "is told that it runs, and since when",
    "is seen by another as it is",
};
static unsigned int lost[KINDS];
static bool has_avx;
static uint64_t wanted;

static void look_for(unsigned int kind, bool is_there)
{
    if (!is_there)
        __atomic_fetch_add(&lost[kind], 1, __ATOMIC_SEQ_CST);
}

/* ---- the FPU ---- */

/* Others each time, so that what a CPU still has of this vCPU's last stay is wrong. */
static void choose_registers(struct own *o, unsigned int id)
{
    struct registers *r = &o->want;
    uint32_t any = test_random(&o->random) & 0x1f;

    r->control = (uint16_t)(0x37f ^ (id & 3) << 10);
    r->mxcsr = 0x1f80 ^ (id & 3) << 13;
    r->tags = 0xff;
    r->present = XCR0_AVX;
    for (unsigned int i = 0; i < 16; i++)
        for (unsigned int b = 0; b < 16; b++) {
            r->xmm[i][b] = (uint8_t)(id << 5 ^ any ^ i << 3 ^ b);
            r->ymm_high[i][b] = (uint8_t)~r->xmm[i][b];
            if (i < 8 && b < 10)
                r->st[i][b] = r->xmm[i][b] | 0x80; /* a number */
        }
}

/* Every second vCPU has AVX, where there is any. */
static void choose_xcr0(struct own *o, unsigned int id)
{
    uint64_t cr4;

    o->xcr0 = has_avx && id % 2 == 0 ? XCR0_AVX : has_avx ? XCR0_SSE : 0;
    if (!has_avx)
        return;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE));
    __asm__ volatile("xsetbv" : : "a"(o->xcr0), "d"(0), "c"(0));
}

static void load_registers(struct own *o, unsigned int id)
{
    choose_registers(o, id);
    if (o->xcr0 == XCR0_AVX)
        __asm__ volatile("xrstor64 %0" : : "m"(o->want), "a"(XCR0_AVX), "d"(0));
    else
        __asm__ volatile("fxrstor64 %0" : : "m"(o->want));
}

static void look_at_registers(struct own *o)
{
    const struct registers *w = &o->want, *g = &o->got;
    bool same;

    memset(&o->got, 0, sizeof(o->got));
    if (o->xcr0 == XCR0_AVX)
        __asm__ volatile("xsave64 %0" : "+m"(o->got) : "a"(XCR0_AVX), "d"(0));
    else
        __asm__ volatile("fxsave64 %0" : "+m"(o->got));
    same = w->control == g->control && w->mxcsr == g->mxcsr && w->tags == g->tags &&
           !memcmp(w->xmm, g->xmm, sizeof(w->xmm));
    for (unsigned int i = 0; i < 8; i++)
        same = same && !memcmp(w->st[i], g->st[i], 10);
    look_for(REGISTERS, same);
    if (o->xcr0 == XCR0_AVX)
        look_for(AVX, !memcmp(w->ymm_high, g->ymm_high, sizeof(w->ymm_high)));
    if (o->xcr0) {
        uint32_t xcr0;

        __asm__ volatile("xgetbv" : "=a"(xcr0) : "c"(0) : "rdx");
        look_for(AVX, xcr0 == o->xcr0);
    }
}

/* ---- segments ---- */

static uint64_t *table(unsigned int selector, unsigned int limit)
{
    uint64_t *page = test_page();

    page[selector >> 3] = SEGMENT | limit;
    if (test_page_protect(page, false))
        panic("a page cannot be made read-only");
    return page;
}

static unsigned int limit_of(unsigned int selector)
{
    unsigned int limit;
    bool is_one;

    __asm__ volatile("lsl %2, %0" : "=r"(limit), "=@ccz"(is_one) : "r"(selector));
    return is_one ? limit : 0;
}

static bool choose_segments(struct own *o, unsigned int id)
{
    xen_ulong_t gdt = virt_to_mfn(o->gdt);

    if (HYPERVISOR_set_gdt(&gdt, 512) || test_mmuext(MMUEXT_SET_LDT, (unsigned long)o->ldt, 512) ||
        HYPERVISOR_set_segment_base(SEGBASE_FS, (unsigned long)&o->name))
        return false;
    o->name = id;
    __asm__ volatile("mov %0, %%ds; mov %1, %%es" : : "r"(GDT_SEGMENT), "r"(LDT_SEGMENT));
    return true;
}

static void look_at_segments(unsigned int id)
{
    unsigned int ds, es;
    uint64_t name;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1" : "=r"(ds), "=r"(es));
    look_for(SEGMENTS, ds == GDT_SEGMENT && es == LDT_SEGMENT);
    look_for(SEGMENTS, limit_of(GDT_SEGMENT) == 0x1000 + id);
    look_for(SEGMENTS, limit_of(LDT_SEGMENT) == 0x2000 + id);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(name));
    look_for(BASES, name == id && this_cpu()->id == id);
}

/* ---- what is told ---- */

static bool choose_areas(struct own *o, unsigned int id)
{
    struct vcpu_register_runstate_memory_area r = {0};
    vcpu_register_time_memory_area_t t = {0};

    r.addr.p = (uint64_t)(uintptr_t)o->state;
    t.addr.v = o->time;
    return !HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, id, &r) &&
           !HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, id, &t);
}

static void look_at_time(const struct own *o)
{
    const volatile vcpu_time_info_t *a = &this_cpu()->info->time, *b = o->time;
    uint32_t version;
    bool same;

    do {
        version = a->version;
        same = !(b->version & 1) && a->tsc_timestamp == b->tsc_timestamp &&
               a->system_time == b->system_time && a->tsc_to_system_mul == b->tsc_to_system_mul;
    } while (version != a->version);
    look_for(TIME, same);
}

/* Where it is, and since when it runs: both of one moment. */
static void look_at_state(struct own *o)
{
    const volatile struct vcpu_runstate_info *state = o->state;
    uint64_t entered;
    unsigned int cpu;
    bool runs;

    do {
        entered = state->state_entry_time;
        runs = state->state == RUNSTATE_running;
        cpu = test_physical_cpu();
    } while (entered != state->state_entry_time);
    look_for(STATE, runs && entered <= time_system_ns());
    look_for(STATE, cpu == o->cpu ? entered >= o->entered : entered > o->entered);
    o->moves += cpu != o->cpu;
    o->cpu = cpu;
    o->entered = entered;
}

/* ---- a vCPU ---- */

/* By one for all: pages are given out by nobody who knows of several vCPUs. */
static void prepare(struct own *o, unsigned int id)
{
    o->gdt = table(GDT_SEGMENT, 0x1000 + id);
    o->ldt = table(LDT_SEGMENT, 0x2000 + id);
    o->state = test_page();
    o->time = test_page();
    o->random = id + 1;
}

static void write_watched(void *arg)
{
    ((struct own *)arg)->watched++;
}

/* A control domain may say where it runs: so that it comes back to a CPU where nobody was. */
static void pin(uint32_t any)
{
    struct sched_pin_override p = {.pcpu = -1};

    HYPERVISOR_sched_op(SCHEDOP_pin_override, &p);
    p.pcpu = any % 4; /* or stays, where there is none */
    HYPERVISOR_sched_op(SCHEDOP_pin_override, &p);
}

/* And it may ask how another is, which may ask the same of this one. */
static void ask(struct own *o, unsigned int id)
{
    unsigned int of = (id + 1) % test_vcpus();
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpucontext,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                            .u.vcpucontext.vcpu = of};

    set_xen_guest_handle(op.u.vcpucontext.ctxt, &o->others);
    if (of < MOST && __atomic_load_n(&vcpus[of].begun, __ATOMIC_SEQ_CST))
        look_for(OTHERS, !hypercall1(__HYPERVISOR_domctl, (unsigned long)&op) &&
                             o->others.fs_base == (unsigned long)&vcpus[of].name);
}

static void pass_time(struct own *o, unsigned int id)
{
    uint32_t r = test_random(&o->random);

    if (is_control_domain()) {
        pin(r >> 8);
        ask(o, id);
    }
    if (r % 4 == 0)
        sched_poll(NULL, 0, time_system_ns() + NAP);
    else if (r % 4 == 1)
        sched_yield();
    else
        for (unsigned int i = 0; i < r >> 18; i++)
            cpu_relax();
}

static bool begin(struct own *o, unsigned int id)
{
    choose_xcr0(o, id);
    load_registers(o, id);
    o->cpu = test_physical_cpu();
    if (!choose_segments(o, id) || !choose_areas(o, id) ||
        HYPERVISOR_set_debugreg(0, (unsigned long)&o->watched) ||
        HYPERVISOR_set_debugreg(7, WATCH_WRITE))
        return false;
    __atomic_store_n(&o->begun, true, __ATOMIC_SEQ_CST);
    return true;
}

static void look(struct own *o, unsigned int id)
{
    look_at_registers(o);
    load_registers(o, id);
    look_at_segments(id);
    look_for(BREAKPOINT, probe_call(write_watched, o, NULL) == TRAP_DEBUG);
    look_at_time(o);
    look_at_state(o);
}

static void live(unsigned int id)
{
    struct own *o = &vcpus[id];
    uint64_t end = time_system_ns() + LONGEST;

    if (id >= MOST)
        return;
    if (!begin(o, id)) {
        test_error("vCPU %u cannot have what it wants", id);
        return;
    }
    for (unsigned int i = 0; i < LOOKS || (o->moves < wanted && time_system_ns() < end); i++) {
        pass_time(o, id);
        look(o, id);
    }
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0));
}

void test_main(void)
{
    unsigned int n = test_vcpus(), least = ~0u;
    uint32_t eax = 1, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    has_avx = ecx & 1u << 28 && ecx & 1u << 26;
    wanted = cmdline_number("moves", 0);
    for (unsigned int i = 0; i < n && i < MOST; i++)
        prepare(&vcpus[i], i);
    NEED(test_on_all(live));
    for (unsigned int i = 0; i < n && i < MOST; i++)
        least = vcpus[i].moves < least ? vcpus[i].moves : least;
    printf("smp-moves: %u vCPUs%s, each moved %u times or more\n", n, has_avx ? ", AVX" : "",
           least);
    CHECK(least >= wanted, "each vCPU has moved as often as it was asked to");
    for (unsigned int k = 0; k < KINDS; k++)
        CHECK_EQ(lost[k], 0, kept[k]);
}
