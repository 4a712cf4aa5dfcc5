/* SPDX-License-Identifier: MIT */
/*
 * The decoder of the instructions that touch a device's memory: each form of address as assemblers
 * write it; what looks like one and is none; and any bytes, against another decoder of the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <hvm/mmio.h>

#include "hvm_mmio_check.h"

enum { READ, WRITE, CONSTANT };

/* clang-format off */
static const struct {
    unsigned int bits;
    const char *code;
    unsigned int n;
    unsigned int what, reg;
    uint32_t value;
} forms[] = {
    {64, "\x89\x07", 2, WRITE, 0, 0},                              /* mov %eax,(%rdi)               */
    {64, "\x45\x89\x8a\x80\x00\x00\x00", 7, WRITE, 9, 0},          /* mov %r9d,0x80(%r10)           */
    {64, "\x8b\x50\x20", 3, READ, 2, 0},                           /* mov 0x20(%rax),%edx           */
    {64, "\x44\x8b\x3c\x24", 4, READ, 15, 0},                      /* mov (%rsp),%r15d              */
    {64, "\x8b\x84\x8b\x00\x03\x00\x00", 7, READ, 0, 0},           /* mov 0x300(%rbx,%rcx,4),%eax   */
    {64, "\x8b\x04\x8d\x00\x03\x00\x00", 7, READ, 0, 0},           /* mov 0x300(,%rcx,4),%eax       */
    {64, "\x8b\x45\xfc", 3, READ, 0, 0},                           /* mov -4(%rbp),%eax             */
    {64, "\x8b\x05\x10\x00\x00\x00", 6, READ, 0, 0},               /* mov 0x10(%rip),%eax           */
    {64, "\x67\x89\x40\x10", 4, WRITE, 0, 0},                      /* mov %eax,0x10(%eax)           */
    {64, "\x64\x8b\x48\x30", 4, READ, 1, 0},                       /* mov %fs:0x30(%rax),%ecx       */
    {64, "\x65\x8b\x0c\x25\x30\x00\x00\x00", 8, READ, 1, 0},       /* mov %gs:0x30,%ecx             */
    {64, "\xc7\x87\x80\x03\x00\x00\x78\x56\x34\x12", 10, CONSTANT, 0, 0x12345678}, /* 0x380(%rdi)   */
    {64, "\x41\xc7\x04\x24\xff\xff\xff\xff", 8, CONSTANT, 0, 0xffffffff},          /* (%r12)        */
    {64, "\xc7\x05\x10\x00\x00\x00\x07\x00\x00\x00", 10, CONSTANT, 0, 7},          /* 0x10(%rip)    */
    {64, "\x41\x89\x75\x00", 4, WRITE, 6, 0},                      /* mov %esi,0(%r13)              */
    {64, "\x8b\x04\x25\x20\xd0\x5f\xff", 7, READ, 0, 0},           /* mov 0xffffffffff5fd020,%eax   */
    {64, "\xf3\x89\x07", 3, WRITE, 0, 0},                          /* a hint                        */
    {32, "\x89\x0d\xb0\x00\xe0\xfe", 6, WRITE, 1, 0},              /* mov %ecx,0xfee000b0           */
    {32, "\x89\x07", 2, WRITE, 0, 0},                              /* mov %eax,(%edi)               */
    {32, "\x8b\x84\x8b\x00\x03\x00\x00", 7, READ, 0, 0},           /* mov 0x300(%ebx,%ecx,4),%eax   */
    {32, "\x8b\x2c\x24", 3, READ, 5, 0},                           /* mov (%esp),%ebp               */
    {32, "\x64\x8b\x48\x30", 4, READ, 1, 0},                       /* mov %fs:0x30(%eax),%ecx       */
    {32, "\xc7\x05\x00\x03\xe0\xfe\x01\x00\x00\x00", 10, CONSTANT, 0, 1},          /* 0xfee00300    */
    {32, "\x8b\x1d\x20\x00\xe0\xfe", 6, READ, 3, 0},               /* mov 0xfee00020,%ebx           */
};
static const struct {
    unsigned int bits;
    const char *code;
    unsigned int n;
} refused[] = {
    {64, "\x48\x89\x07", 3},                 /* mov %rax,(%rdi): eight bytes    */
    {64, "\x66\x8b\x07", 3},                 /* mov (%rdi),%ax                  */
    {64, "\x88\x07", 2},                     /* mov %al,(%rdi)                  */
    {64, "\x89\xc7", 2},                     /* mov %eax,%edi                   */
    {64, "\x8b\xc7", 2},
    {64, "\xf0\x89\x07", 3},                 /* lock                            */
    {64, "\xc7\x0f\x01\x00\x00\x00", 6},     /* no MOV                          */
    {64, "\xc7\xf8\x01\x00\x00\x00", 6},     /* XBEGIN                          */
    {64, "\xc6\x07\x01", 3},                 /* movb $1,(%rdi)                  */
    {64, "\x87\x07", 2},                     /* xchg %eax,(%rdi)                */
    {64, "\x01\x07", 2},                     /* add %eax,(%rdi)                 */
    {64, "\x0f\xb1\x0f", 3},                 /* cmpxchg %ecx,(%rdi)             */
    {64, "\xa3\xb0\x00\xe0\xfe\x00\x00\x00\x00", 9}, /* movabs %eax,0xfee000b0  */
    {64, "\x40\x66\x89\x07", 4},             /* REX is not the last             */
    {64, "", 0},
    {32, "\x67\x89\x00", 3},                 /* mov %eax,(%bx,%si)              */
    {32, "\x41\x8b\x07", 3},                 /* inc %ecx, and then one of those */
    {32, "\x40\x89\x07", 3},
    {32, "\x66\x89\x07", 3},
    {16, "\x89\x07", 2},
    {16, "\x66\x89\x07", 3},
    {0, "\x89\x07", 2},
};
/* clang-format on */

static void known_forms(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
        const uint8_t *code = (const uint8_t *)forms[i].code;
        struct mmio_access a;

        for (unsigned int n = 0; n < forms[i].n; n++)
            assert_false(mmio_decode(code, n, forms[i].bits, &a));
        assert_true(mmio_decode(code, forms[i].n, forms[i].bits, &a));
        assert_int_equal(a.length, forms[i].n);
        assert_int_equal(a.write, forms[i].what != READ);
        assert_int_equal(a.immediate, forms[i].what == CONSTANT);
        assert_int_equal(a.reg, forms[i].reg);
        assert_int_equal(a.value, forms[i].value);
    }
}

static void what_is_none(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++) {
        struct mmio_access a;

        assert_false(
            mmio_decode((const uint8_t *)refused[i].code, refused[i].n, refused[i].bits, &a));
    }
}

static void any_bytes(void **state)
{
    static const uint8_t likely_bytes[] = {0x89, 0x8b, 0xc7, 0x64, 0x67, 0x66, 0xf3, 0x44,
                                           0x40, 0x04, 0x05, 0x84, 0x2e, 0xf0, 0x4f, 0x00};
    unsigned int decoded = 0;
    uint64_t seed = 1;

    (void)state;
    for (unsigned int i = 0; i < 400000; i++) {
        uint8_t code[20];

        for (unsigned int k = 0; k < sizeof(code); k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            code[k] = seed >> 33 & 3 ? likely_bytes[seed >> 40 & 15] : (uint8_t)(seed >> 40);
        }
        decoded += mmio_check(code, i % sizeof(code), i & 32 ? 64 : 32) != 0;
    }
    assert_true(decoded > 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_forms),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
