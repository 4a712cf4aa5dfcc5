/* SPDX-License-Identifier: MIT */
/*
 * One instruction a function: all inline assembly of the hypervisor but for memory copies and state
 * areas is here.
 *
 * Those named _safe may fault on what a guest asked for; they have an entry in the exception table
 * (fault.c) and return false when they did.
 */
#ifndef X86_INSN_H
#define X86_INSN_H

#include <hv/types.h>
#include <parvis/speculation.h>

/* If the instruction at `from` faults in the hypervisor, go on at `to`. */
#define EXTABLE(from, to)                                                                          \
    ".pushsection .extable, \"a\"\n\t.balign 4\n\t.long " from " - .\n\t.long " to                 \
    " - .\n\t.popsection\n\t"

#define PORT_ACCESS(suffix, type)                                                                  \
    static inline void out##suffix(uint16_t port, type v)                                          \
    {                                                                                              \
        __asm__ volatile("out" #suffix " %0, %1" : : "a"(v), "Nd"(port) : "memory");               \
    }                                                                                              \
    static inline type in##suffix(uint16_t port)                                                   \
    {                                                                                              \
        type v;                                                                                    \
        __asm__ volatile("in" #suffix " %1, %0" : "=a"(v) : "Nd"(port) : "memory");                \
        return v;                                                                                  \
    }
PORT_ACCESS(b, uint8_t)
PORT_ACCESS(w, uint16_t)
PORT_ACCESS(l, uint32_t)
#undef PORT_ACCESS

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
static inline bool rdmsr_safe(uint32_t msr, uint64_t *v)
{
    uint32_t lo = 0, hi = 0, ok = 0;
    __asm__ volatile("1: rdmsr\n\tmovl $1, %2\n2:\n\t" EXTABLE("1b", "2b")
                     : "+a"(lo), "+d"(hi), "+r"(ok)
                     : "c"(msr));
    *v = (uint64_t)hi << 32 | lo;
    return ok;
}
#define WRITE_SAFE(name, insn)                                                                     \
    static inline bool name(uint32_t index, uint64_t v)                                            \
    {                                                                                              \
        uint32_t ok = 0;                                                                           \
        __asm__ volatile("1: " insn "\n\tmovl $1, %0\n2:\n\t" EXTABLE("1b", "2b")                  \
                         : "+r"(ok)                                                                \
                         : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))                  \
                         : "memory");                                                              \
        return ok;                                                                                 \
    }
WRITE_SAFE(wrmsr_safe, "wrmsr")
WRITE_SAFE(xsetbv_safe, "xsetbv")
#undef WRITE_SAFE

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(sub));
}

/* Not before what stands before it is done: a CPU that heard of another's reading makes a later
 * one. */
static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

/* Control and debug registers. */
#define REGISTER(name)                                                                             \
    static inline uint64_t read_##name(void)                                                       \
    {                                                                                              \
        uint64_t v;                                                                                \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(v));                                         \
        return v;                                                                                  \
    }                                                                                              \
    static inline void write_##name(uint64_t v)                                                    \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory");                                \
    }
REGISTER(cr0)
REGISTER(cr2)
REGISTER(cr3)
REGISTER(cr4)
REGISTER(dr0)
REGISTER(dr1)
REGISTER(dr2)
REGISTER(dr3)
REGISTER(dr6)
REGISTER(dr7)
#undef REGISTER

/* A device's register in memory: one access of just this width. */
static inline uint32_t mmio_read(const volatile uint32_t *at)
{
    return *at;
}
static inline void mmio_write(volatile uint32_t *at, uint32_t v)
{
    *at = v;
}

static inline void clts(void)
{
    __asm__ volatile("clts");
}
static inline void invlpg(uint64_t va)
{
    __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
/* Of all translations, the global ones too. */
static inline void invpcid_all(void)
{
    static const uint64_t ignored[2];

    __asm__ volatile("invpcid %0, %1" : : "m"(ignored), "r"(2ull) : "memory");
}
static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

struct table_pointer { /* operand of LGDT and LIDT */
    uint16_t limit;
    uint64_t base;
} __packed;

static inline void lgdt(const struct table_pointer *p)
{
    __asm__ volatile("lgdt %0" : : "m"(*p));
}
static inline void lidt(const struct table_pointer *p)
{
    __asm__ volatile("lidt %0" : : "m"(*p));
}
static inline void lldt(uint16_t selector)
{
    __asm__ volatile("lldt %0" : : "r"(selector));
}
static inline void ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector));
}
/* Of a code segment, among them ACCESS_RIGHTS_L for one of 64 bits. 0: there is no such segment. */
#define ACCESS_RIGHTS_L (1u << 21)
static inline uint32_t access_rights(uint16_t selector)
{
    uint32_t rights = 0;

    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"((uint32_t)selector) : "cc");
    return rights;
}
static inline void swapgs(void)
{
    __asm__ volatile("swapgs" : : : "memory");
}

/* Data segment registers: a guest may leave any selector there; a load of a bad one faults (false:
 * the register holds 0). */
#define SEGMENT_REGISTER(name)                                                                     \
    static inline uint16_t read_##name(void)                                                       \
    {                                                                                              \
        uint16_t v;                                                                                \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(v));                                         \
        return v;                                                                                  \
    }                                                                                              \
    static inline bool load_##name##_safe(uint16_t v)                                              \
    {                                                                                              \
        uint32_t bad = 1, zero = 0;                                                                \
        __asm__ volatile("1: mov %2, %%" #name "\n\txorl %0, %0\n\tjmp 3f\n"                       \
                         "2: mov %1, %%" #name "\n3:\n\t" EXTABLE("1b", "2b")                      \
                         : "+r"(bad)                                                               \
                         : "r"(zero), "r"((uint32_t)v)                                             \
                         : "memory");                                                              \
        return !bad;                                                                               \
    }
SEGMENT_REGISTER(ds)
SEGMENT_REGISTER(es)
SEGMENT_REGISTER(fs)
SEGMENT_REGISTER(gs)
#undef SEGMENT_REGISTER

/* a * b / c with a 128-bit product; the caller knows that the result has 64 bits. */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t high;

    __asm__("mulq %3; divq %4" : "=a"(a), "=&d"(high) : "a"(a), "r"(b), "r"(c) : "cc");
    return a;
}

static inline void mfence_lfence(void)
{
    __asm__ volatile("mfence; lfence" : : : "memory");
}

/* Nothing that follows begins before what stands before it is done. Where that is no measure
 * (MEASURE_LOCK), x86/spec_sites.c writes a NOP over it. */
static inline void lock_barrier(void)
{
    __asm__ volatile("1: lfence\n\t.pushsection .spec_sites, \"a\"\n\t.balign 4\n\t"
                     ".long 1b - ., 3, %c0\n\t.popsection"
                     :
                     : "i"(1u << MEASURE_LOCK)
                     : "memory");
}

static inline void cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}
/* The CPU takes no interrupt between STI and the instruction behind it. */
static inline void sti_nop_cli(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
}
static inline void sti_hlt_cli(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

#endif
