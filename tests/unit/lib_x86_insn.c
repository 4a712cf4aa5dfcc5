/* SPDX-License-Identifier: MIT */
/*
 * The decoder of instructions: each form of address, what is too short, and any bytes at all; and
 * the instructions that write memory, whose results and flags are held against this very CPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "insn_check.h"

#include <hv/x86_bits.h>

#define FLAGS 0x8d5u /* OF SF ZF AF PF CF */

/* MOV %rax to memory in each form: registers hold their number times 0x1000, code is at 0. */
static const struct {
    const char *code;
    unsigned int n;
    uint64_t address;
} forms[] = {
    {"\x48\x89\x07", 3, 0x7000},                                  /* (%rdi)                   */
    {"\x48\x89\x47\x10", 4, 0x7010},                              /* 0x10(%rdi)               */
    {"\x48\x89\x47\xf0", 4, 0x6ff0},                              /* -0x10(%rdi)              */
    {"\x48\x89\x87\x00\x00\x01\x00", 7, 0x17000},                 /* 0x10000(%rdi)            */
    {"\x48\x89\x05\x10\x00\x00\x00", 7, 0x17},                    /* 0x10(%rip)               */
    {"\x48\xc7\x05\xf0\xff\xff\xff\x05\x00\x00\x00", 11, -5ull},  /* movq $5, -0x10(%rip)     */
    {"\x48\x89\x04\x24", 4, 0x4000},                              /* (%rsp)                   */
    {"\x48\x89\x04\x6f", 4, 0x7000 + 0x5000 * 2},                 /* (%rdi,%rbp,2)            */
    {"\x48\x89\x44\x6f\x08", 5, 0x7008 + 0x5000 * 2},             /* 8(%rdi,%rbp,2)           */
    {"\x48\x89\x04\xed\x00\x10\x00\x00", 8, 0x1000 + 0x5000 * 8}, /* 0x1000(,%rbp,8)          */
    {"\x48\x89\x04\x25\x00\x10\x00\x00", 8, 0x1000},              /* 0x1000                   */
    {"\x48\x89\x45\x00", 4, 0x5000},                              /* 0(%rbp)                  */
    {"\x4b\x89\x04\xec", 4, 0xc000 + 0xd000 * 8},                 /* (%r12,%r13,8)            */
    {"\x4a\x89\x04\x20", 4, 0 + 0xc000},                          /* (%rax,%r12)              */
    {"\x49\x89\x45\x00", 4, 0xd000},                              /* 0(%r13)                  */
    {"\x49\x89\x04\x24", 4, 0xc000},                              /* (%r12)                   */
    {"\x3e\x48\x89\x07", 4, 0x7000},                              /* DS                       */
    {"\x67\x48\x89\x47\xf0", 5, 0x6ff0},                          /* -0x10(%edi)              */
    {"\x67\x48\x89\x40\xf0", 5, 0xfffffff0},                      /* -0x10(%eax)              */
    {"\x66\xf0\x0f\xba\x6f\x01\x05", 7, 0x7001},                  /* lock btsw $5, 1(%rdi)    */
    {"\x66\x81\x07\x34\x12", 5, 0x7000},                          /* addw $0x1234, (%rdi)     */
};

static void addresses(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
        struct cpu_user_regs r = {0};
        struct x86_insn in;

        for (unsigned int k = 0; k < 16; k++)
            *x86_reg(&r, k) = k * 0x1000;
        assert_true(x86_decode((const uint8_t *)forms[i].code, forms[i].n, &in));
        assert_true(in.has_memory);
        assert_int_equal(in.length, forms[i].n);
        assert_int_equal(x86_address(&in, &r), forms[i].address);
    }
}

static void fields(void **state)
{
    struct x86_insn in;

    (void)state;
    assert_true(x86_decode((const uint8_t *)"\x65\x66\xf3\x6d", 4, &in));
    assert_true(in.segment == 0x65 && in.rep == 0xf3 && in.opsize && in.bytes == 2);
    assert_true(x86_decode((const uint8_t *)"\x44\x0f\x22\xc7", 4, &in));
    assert_true(in.opcode == 0x0f22 && in.reg == 8 && in.rm == 7 && !in.has_memory);
    assert_true(x86_decode((const uint8_t *)"\xe5\xfe", 2, &in));
    assert_true(in.bytes == 4 && (in.imm & 0xff) == 0xfe);
    assert_true(x86_decode((const uint8_t *)"\x48\x83\x27\xfe", 4, &in));
    assert_int_equal(in.imm, -2);
    assert_true(x86_decode((const uint8_t *)"\x0f\x01\xd1", 3, &in));
    assert_true(in.opcode == 0x0f01 && in.modrm == 0xd1);
    assert_false(x86_decode((const uint8_t *)"\x0f\x0b", 2, &in));
    assert_false(x86_decode((const uint8_t *)"\x48\x66\x89\x07", 4, &in)); /* REX stands last */
    assert_false(x86_decode((const uint8_t *)"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66"
                                             "\x66\x66\x66\x66\x89\x07",
                            16, &in)); /* longer than an instruction may be */
}

/* Bytes as operands: the second bytes of the first four registers, unless there is a REX. */
static void byte_registers(void **state)
{
    struct cpu_user_regs r = {.rax = 0x1122334455667788, .rsp = 0xaabb};
    struct x86_insn in;
    struct x86_write w;

    (void)state;
    assert_true(x86_decode((const uint8_t *)"\x86\x27", 2, &in)); /* xchg %ah, (%rdi) */
    assert_true(x86_write_of(&in, &r, &w));
    assert_int_equal(w.src, 0x77);
    x86_write_done(&w, &r, 0x42);
    assert_int_equal(r.rax, 0x1122334455664288);
    assert_true(x86_decode((const uint8_t *)"\x40\x86\x27", 3, &in)); /* xchg %spl, (%rdi) */
    assert_true(x86_write_of(&in, &r, &w));
    assert_int_equal(w.src, 0xbb);
    x86_write_done(&w, &r, 0x42);
    assert_int_equal(r.rsp, 0xaa42);
}

/* What one instruction makes of a memory word, a register and flags, on this CPU. */
#define NATIVE(insn)                                                                               \
    static uint64_t native_##insn(uint64_t *m, uint64_t src, uint64_t *rax)                        \
    {                                                                                              \
        uint64_t flags;                                                                            \
        __asm__ volatile(#insn " %3, %0\n\tpushfq\n\tpopq %1"                                      \
                         : "+m"(*m), "=r"(flags), "+a"(*rax)                                       \
                         : "r"(src)                                                                \
                         : "cc");                                                                  \
        return flags;                                                                              \
    }
#define NATIVE32(insn)                                                                             \
    static uint64_t native_##insn(uint64_t *m, uint64_t src, uint64_t *rax)                        \
    {                                                                                              \
        uint64_t flags;                                                                            \
        __asm__ volatile(#insn " %k3, %0\n\tpushfq\n\tpopq %1"                                     \
                         : "+m"(*m), "=r"(flags), "+a"(*rax)                                       \
                         : "r"(src)                                                                \
                         : "cc");                                                                  \
        return flags;                                                                              \
    }
NATIVE(addq)
NATIVE(subq)
NATIVE(andq)
NATIVE(orq)
NATIVE(xorq)
NATIVE(cmpxchgq)
NATIVE32(addl)
NATIVE32(subl)
NATIVE32(xorl)
NATIVE32(cmpxchgl)

static const struct {
    const char *code; /* op %rcx,(%rdi) */
    unsigned int n;
    uint64_t (*native)(uint64_t *m, uint64_t src, uint64_t *rax);
    unsigned int undefined; /* flags that the manual leaves open */
} against_cpu[] = {
    {"\x48\x01\x0f", 3, native_addq, 0},    {"\x48\x29\x0f", 3, native_subq, 0},
    {"\x48\x21\x0f", 3, native_andq, 0x10}, {"\x48\x09\x0f", 3, native_orq, 0x10},
    {"\x48\x31\x0f", 3, native_xorq, 0x10}, {"\x48\x0f\xb1\x0f", 4, native_cmpxchgq, 0},
    {"\x01\x0f", 2, native_addl, 0},        {"\x29\x0f", 2, native_subl, 0},
    {"\x31\x0f", 2, native_xorl, 0x10},     {"\x0f\xb1\x0f", 3, native_cmpxchgl, 0},
};

static void same_as_this_cpu(void **state)
{
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      0x7f,
                                      0x80,
                                      0xff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      0x123456789abcdef0,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      ~0ull};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(against_cpu) * 13 * 13 * 13; i++) {
        unsigned int k = i / (13 * 13 * 13);
        struct cpu_user_regs r = {.rcx = values[i % 13], .rax = values[i / 13 % 13], .rdi = 0x1000};
        uint64_t m = values[i / 169 % 13], rax = r.rax, result = m, old, flags, mask;
        struct x86_insn in;
        struct x86_write w;

        assert_true(x86_decode((const uint8_t *)against_cpu[k].code, against_cpu[k].n, &in));
        assert_int_equal(in.length, against_cpu[k].n);
        assert_true(x86_write_of(&in, &r, &w));
        assert_int_equal(w.addr, 0x1000);
        mask = x86_size_mask(w.bytes);
        old = m & mask;
        if (x86_write_compute(&w, &r, old, &result))
            result |= m & ~mask;
        x86_write_done(&w, &r, old);
        flags = against_cpu[k].native(&m, r.rcx, &rax);
        assert_int_equal(result, m);
        /* a 32-bit CMPXCHG that succeeds leaves or clears the upper half of RAX as the CPU likes */
        assert_int_equal(r.rax & mask, rax & mask);
        assert_int_equal(r.rflags & FLAGS & ~against_cpu[k].undefined,
                         flags & FLAGS & ~against_cpu[k].undefined);
    }
}

/* Any bytes at all. */
static void any_bytes(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned int i = 0; i < 400000; i++) {
        uint8_t code[20];

        for (unsigned int k = 0; k < sizeof(code); k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            code[k] = (uint8_t)(seed >> 40);
        }
        if (i & 64)
            code[i & 3] = 0x0f;
        insn_check(code, i % sizeof(code), seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),      cmocka_unit_test(fields),
        cmocka_unit_test(byte_registers), cmocka_unit_test(same_as_this_cpu),
        cmocka_unit_test(any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
