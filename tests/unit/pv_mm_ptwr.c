/* SPDX-License-Identifier: MIT */
/*
 * Writable page tables: the instructions that kernels write entries with, and what is left to be
 * the guest's fault. (What the instructions do: lib_x86_insn.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pv_mm_support.h"

#include <pv/pv_bits.h>

#define CODE  (HOST_GUEST_BASE + 0x10000)
#define ENTRY 100u

static struct mm_guest g;

static int setup(void **state)
{
    (void)state;
    mm_init(512);
    mm_guest_init(&g, 1, false);
    g.d->vm_assist = 1u << VMASST_TYPE_writable_pagetables;
    g.v->arch.pv.cr3 = g.frame[MM_L4].n << PAGE_SHIFT;
    host_run_as(g.v);
    memset(&g.v->regs, 0, sizeof(g.v->regs));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

/* Where the guest sees its L1's entry. */
static gva_t entry_va(unsigned int i)
{
    return mm_va(MM_L1) + i * 8;
}

static uint64_t entry(unsigned int i)
{
    return mm_words(&g, MM_L1)[i];
}

/* Runs the n bytes at CODE into a write fault at cr2. */
static bool fault(const char *code, unsigned int n, gva_t cr2)
{
    bool done;

    memcpy(host_guest(CODE), code, n);
    g.v->regs.rip = CODE;
    done = pv_ptwr_fault(g.v, cr2);
    assert_int_equal(g.v->regs.rip, done ? CODE + n : CODE);
    assert_int_equal(host_recount(), 0);
    return done;
}

#define FAULT(code, cr2) fault(code, sizeof(code) - 1, cr2)

static void mov_and_xchg(void **state)
{
    struct cpu_user_regs *r = &g.v->regs;
    uint64_t rw = mm_pte(g.frame[MM_SPARE], MM_RW);

    (void)state;
    r->rdi = entry_va(ENTRY);
    r->rax = rw;
    assert_true(FAULT("\x48\x89\x07", entry_va(ENTRY))); /* mov %rax,(%rdi) */
    assert_int_equal(entry(ENTRY), rw | PTE_GLOBAL);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 2);
    r->rsi = 0;
    assert_true(FAULT("\x48\x87\x37", entry_va(ENTRY))); /* xchg %rsi,(%rdi) */
    assert_int_equal(r->rsi, rw | PTE_GLOBAL);
    assert_int_equal(entry(ENTRY), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 1);
    /* through other addressing: mov %r9,0x8(%r8,%rcx,8); movq $0,disp32(%rip) */
    r->r8 = entry_va(0);
    r->rcx = ENTRY;
    r->r9 = mm_pte(g.frame[MM_SPARE], MM_RO);
    assert_true(FAULT("\x4d\x89\x4c\xc8\x08", entry_va(ENTRY + 1)));
    assert_int_equal(entry(ENTRY + 1), r->r9 | PTE_GLOBAL);
    assert_true(FAULT("\x49\xc7\x44\xc8\x08\x00\x00\x00\x00", entry_va(ENTRY + 1)));
    assert_int_equal(entry(ENTRY + 1), 0);
}

static void read_modify_write(void **state)
{
    struct cpu_user_regs *r = &g.v->regs;
    uint64_t rw = mm_pte(g.frame[MM_SPARE], MM_RW) | PTE_GLOBAL;

    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(ENTRY), rw, 0), 0);
    r->rdi = entry_va(ENTRY);
    /* Lock andb $0xfd,(%rdi): write protect */
    assert_true(FAULT("\xf0\x80\x27\xfd", entry_va(ENTRY)));
    assert_int_equal(entry(ENTRY), rw & ~PTE_RW);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 1);
    /* Lock btrq $5,(%rdi): accessed */
    assert_true(FAULT("\xf0\x48\x0f\xba\x37\x05", entry_va(ENTRY)));
    assert_int_equal(r->rflags & 1, 1);
    assert_int_equal(entry(ENTRY), rw & ~(PTE_RW | PTE_ACCESSED));
    r->rdx = 1;
    assert_true(FAULT("\xf0\x48\x0f\xab\x17", entry_va(ENTRY))); /* lock bts %rdx,(%rdi): RW */
    assert_int_equal(mm_type_count(&g, MM_SPARE), 2);
    assert_int_equal(r->rflags & 1, 0);
    /* a bit number beyond the word moves the address, back too (XSA-195) */
    r->rdx = (uint64_t)-64 * 2 + 1;
    r->rdi = entry_va(ENTRY + 2);
    assert_true(FAULT("\x48\x0f\xb3\x17", entry_va(ENTRY))); /* btr %rdx,(%rdi) */
    assert_int_equal(mm_type_count(&g, MM_SPARE), 1);
    r->rdi = entry_va(ENTRY);
    r->rcx = PTE_RW;
    assert_true(FAULT("\xf0\x09\x0f", entry_va(ENTRY))); /* lock or %ecx,(%rdi) */
    assert_int_equal(entry(ENTRY), (rw & ~PTE_ACCESSED));
    assert_true(FAULT("\x48\x83\x27\x00", entry_va(ENTRY))); /* andq $0,(%rdi) */
    assert_int_equal(entry(ENTRY), 0);
}

static void compare_and_exchange(void **state)
{
    struct cpu_user_regs *r = &g.v->regs;
    uint64_t rw = mm_pte(g.frame[MM_SPARE], MM_RW) | PTE_GLOBAL;

    (void)state;
    r->rbx = entry_va(ENTRY);
    r->rcx = rw;
    r->rax = 5;
    assert_true(FAULT("\xf0\x48\x0f\xb1\x0b", entry_va(ENTRY))); /* lock cmpxchg %rcx,(%rbx) */
    assert_int_equal(r->rax, 0);
    assert_int_equal(entry(ENTRY), 0);
    assert_int_equal(r->rflags & 0x40, 0);
    assert_true(FAULT("\xf0\x48\x0f\xb1\x0b", entry_va(ENTRY)));
    assert_int_equal(entry(ENTRY), rw);
    assert_int_equal(r->rflags & 0x40, 0x40);
}

static void left_to_the_guest(void **state)
{
    struct cpu_user_regs *r = &g.v->regs;

    (void)state;
    r->rdi = entry_va(ENTRY);
    r->rax = mm_pte(g.frame[MM_L4], MM_RW);
    assert_false(FAULT("\x48\x89\x07", entry_va(ENTRY))); /* a table, writable */
    r->rax = 0;
    assert_false(FAULT("\x48\x89\x07", entry_va(ENTRY) + PAGE_SIZE * 8)); /* not where it faulted */
    assert_false(FAULT("\x48\x89\x07", mm_va(MM_L2)));                    /* not an L1 */
    assert_false(FAULT("\x48\x89\xc7", entry_va(ENTRY)));     /* no memory operand (XSA-123) */
    assert_false(FAULT("\x65\x48\x89\x07", entry_va(ENTRY))); /* GS */
    assert_false(FAULT("\x0f\xc7\x0f", entry_va(ENTRY)));     /* cmpxchg8b */
    assert_false(FAULT("\x48\x8b\x07", entry_va(ENTRY)));     /* a read */
    r->rdi = entry_va(ENTRY) + 4;
    assert_false(FAULT("\x48\x89\x07", entry_va(ENTRY) + 4)); /* across two entries */
    r->rdi = mm_va(MM_L2);
    assert_false(FAULT("\x48\x89\x07", mm_va(MM_L2))); /* an L2 table is not emulated */
    r->rdi = entry_va(ENTRY);
    g.d->vm_assist = 0;
    assert_false(FAULT("\x48\x89\x07", entry_va(ENTRY)));
}

/* The instruction ends where its page does, and the next page is not there. */
static void fetch_at_the_end_of_a_page(void **state)
{
    char *end = host_guest(CODE + PAGE_SIZE);

    (void)state;
    memcpy(end - 3, "\x48\x89\x07", 3);
    host_fault = CODE + PAGE_SIZE;
    host_fault_end = host_fault + PAGE_SIZE;
    g.v->regs.rip = CODE + PAGE_SIZE - 3;
    g.v->regs.rdi = entry_va(ENTRY);
    assert_true(pv_ptwr_fault(g.v, entry_va(ENTRY)));
    end[-1] = '\x47'; /* needs one more byte */
    g.v->regs.rip = CODE + PAGE_SIZE - 3;
    assert_false(pv_ptwr_fault(g.v, entry_va(ENTRY)));
    g.v->regs.rip = 0x10;
    assert_false(pv_ptwr_fault(g.v, entry_va(ENTRY)));
}

/* A single step over an instruction that was carried out for the guest traps behind it. */
static void single_step(void **state)
{
    (void)state;
    g.v->regs.rdi = entry_va(ENTRY);
    g.v->regs.rax = 0;
    g.v->regs.rflags = X86_EFLAGS_TF | X86_EFLAGS_RF;
    g.v->regs.rsp = mm_va(MM_SPARE) + PAGE_SIZE;
    g.v->arch.pv.traps[TRAP_debug].address = 0x1000;
    memcpy(host_guest(CODE), "\x48\x89\x07", 3);
    g.v->regs.rip = CODE;
    host_walk = true;
    assert_true(pv_ptwr_fault(g.v, entry_va(ENTRY)));
    assert_int_equal(g.v->regs.rip, 0x1000);
    assert_int_equal(mm_words(&g, MM_SPARE)[507], CODE + 3);
    assert_int_equal(mm_words(&g, MM_SPARE)[509] & (X86_EFLAGS_TF | X86_EFLAGS_RF), X86_EFLAGS_TF);
    assert_true(g.v->arch.pv.debugreg[6] & X86_DR6_BS);
}

/* ---- the way without the decoder, beside the decoder's ---- */

/* What there is to see of an instruction that was, or was not, carried out. */
struct seen {
    bool done;
    struct cpu_user_regs regs;
    uint64_t entry, types, counted[2], frame[7], dr6;
};

static struct cpu_user_regs begin;

/* From `begin`, with `old` in the entry; with a prefix that says nothing only the decoder knows the
 * instruction. */
static struct seen carry_out(const uint8_t *code, unsigned int n, gva_t cr2, uint64_t old,
                             bool prefix)
{
    uint64_t before[2] = {g.v->counter[COUNTER_ptes_written],
                          g.v->counter[COUNTER_emulated_writes]};
    uint64_t *stack = &mm_words(&g, MM_SPARE + 1)[505];
    uint8_t *at = host_guest(CODE);
    struct seen s;

    memset(&s, 0, sizeof(s));
    assert_int_equal(mm_update_va(&g, mm_va(ENTRY), old, 0), 0);
    before[0]++;
    memset(stack, 0, sizeof(s.frame));
    *at = 0x3e;
    memcpy(at + prefix, code, n);
    g.v->arch.pv.debugreg[6] = 0;
    g.v->regs = begin;
    g.v->regs.rip = CODE;
    s.done = pv_ptwr_fault(g.v, cr2);
    s.regs = g.v->regs;
    s.entry = entry(ENTRY);
    s.types = mm_type_count(&g, MM_SPARE);
    s.counted[0] = g.v->counter[COUNTER_ptes_written] - before[0];
    s.counted[1] = g.v->counter[COUNTER_emulated_writes] - before[1];
    memcpy(s.frame, stack, sizeof(s.frame));
    s.dr6 = g.v->arch.pv.debugreg[6];
    if (prefix && s.done && s.regs.rip == CODE + n + 1)
        s.regs.rip--;
    if (prefix && s.frame[2])
        s.frame[2]--; /* where a step trapped */
    return s;
}

/* Both ways; whether it was carried out. */
static bool alike(const uint8_t *code, unsigned int n, gva_t cr2, uint64_t old)
{
    struct seen one = carry_out(code, n, cr2, old, false);
    struct seen other = carry_out(code, n, cr2, old, true);

    assert_memory_equal(&one, &other, sizeof(one));
    assert_int_equal(host_recount(), 0);
    return one.done;
}

/* Registers have what to write, but for the base, which has the entry's address; or it has not, and
 * those that it could be taken for have. */
static bool with_registers(unsigned int rex, unsigned int opcode, unsigned int modrm, uint64_t val,
                           bool elsewhere)
{
    const uint8_t code[] = {(uint8_t)rex, (uint8_t)opcode, (uint8_t)modrm, 0, 0, 0, 0, 0};
    struct x86_insn in;

    for (unsigned int i = 0; i < 16; i++)
        *x86_reg(&begin, i) = elsewhere && i % 8 == modrm % 8 ? entry_va(ENTRY) : val;
    if (!x86_decode(code, sizeof(code), &in))
        return false;
    if (in.base != X86_NO_REG)
        *x86_reg(&begin, in.base) = elsewhere ? val : entry_va(ENTRY);
    return alike(code, in.length, entry_va(ENTRY), val ? 0 : mm_pte(g.frame[MM_SPARE], MM_RW));
}

static void all_registers(void **state)
{
    static const unsigned int opcodes[] = {0x86, 0x87, 0x88, 0x89, 0x8b, 0x09};
    const uint64_t pte = mm_pte(g.frame[MM_SPARE], MM_RO);
    unsigned int done = 0;

    (void)state;
    for (unsigned int rex = 0x40; rex < 0x50; rex++)
        for (unsigned int modrm = 0; modrm < 256; modrm++)
            for (unsigned int k = 0; k < ARRAY_SIZE(opcodes); k++) {
                done += with_registers(rex, opcodes[k], modrm, modrm & 1 ? 0 : pte, false);
                assert_false(with_registers(rex, opcodes[k], modrm, pte, true));
            }
    assert_true(done > 10000);
}

/* xchg %rsi,(%rdi) and mov %rsi,(%rdi) */
static const uint8_t simple[2][3] = {{0x48, 0x87, 0x37}, {0x48, 0x89, 0x37}};

static void all_values(void **state)
{
    const uint64_t vals[] = {0,
                             mm_pte(g.frame[MM_SPARE], MM_RW),
                             mm_pte(g.frame[MM_SPARE], MM_RO),
                             mm_pte(g.frame[MM_SPARE], MM_RO & ~PTE_ACCESSED),
                             mm_pte(g.frame[MM_SPARE], MM_RW) & ~PTE_PRESENT,
                             mm_pte(g.frame[MM_L1], MM_RW), /* a table: refused */
                             mm_pte(MFN(0xfffff), MM_RO)};
    unsigned int refused = 0;

    (void)state;
    memset(&begin, 0, sizeof(begin));
    begin.rdi = entry_va(ENTRY);
    for (unsigned int i = 0; i < 5; i++)
        for (unsigned int k = 0; k < 2 * ARRAY_SIZE(vals); k++) {
            begin.rsi = vals[k / 2];
            refused += !alike(simple[k % 2], 3, entry_va(ENTRY), vals[i]);
        }
    assert_int_equal(refused, 5 * 2 * 2);
}

/* Where the operand is not what faulted, lies across two entries, or the guest steps. */
static void other_circumstances(void **state)
{
    (void)state;
    memset(&begin, 0, sizeof(begin));
    begin.rsi = mm_pte(g.frame[MM_SPARE], MM_RO);
    for (unsigned int k = 0; k < 2; k++) {
        begin.rdi = entry_va(ENTRY);
        assert_true(alike(simple[k], 3, entry_va(ENTRY), 0));
        assert_true(alike(simple[k], 3, entry_va(ENTRY) + 8, 0)); /* the operand counts */
        assert_true(alike(simple[k], 3, entry_va(ENTRY) + 1, 0));
        assert_false(alike(simple[k], 3, entry_va(ENTRY) + PAGE_SIZE, 0));
        for (unsigned int by = 1; by < 8; by++) {
            begin.rdi = entry_va(ENTRY) + by;
            assert_false(alike(simple[k], 3, begin.rdi, 0));
        }
        begin.rdi = entry_va(ENTRY);
        begin.rflags = X86_EFLAGS_RF | X86_EFLAGS_IF;
        assert_true(alike(simple[k], 3, entry_va(ENTRY), 0));
        begin.rflags |= X86_EFLAGS_TF;
        begin.rsp = mm_va(MM_SPARE + 1) + PAGE_SIZE;
        g.v->arch.pv.traps[TRAP_debug].address = 0x1000;
        host_walk = true;
        memcpy(host_guest(CODE), simple[k], 3);
        assert_true(alike(simple[k], 3, entry_va(ENTRY), 0));
        host_walk = false;
        begin.rflags = 0;
    }
}

/* ---- a bit that the CPU sets in the entry between the look and the write is not lost ---- */

static uint64_t *meanwhile;
static unsigned int times;

/* The table is read-only until the write comes. */
static void set_accessed(int signal)
{
    (void)signal;
    if (times++ ||
        mprotect((void *)((uintptr_t)meanwhile & PAGE_MASK), PAGE_SIZE, PROT_READ | PROT_WRITE))
        abort();
    *meanwhile |= PTE_ACCESSED;
}

static void accessed_meanwhile(void **state)
{
    const uint64_t old = mm_pte(g.frame[MM_SPARE], MM_RO & ~PTE_ACCESSED);
    const uint64_t vals[] = {0, mm_pte(g.frame[MM_SPARE], MM_RW),
                             mm_pte(g.frame[MM_SPARE + 1], MM_RO),
                             mm_pte(g.frame[MM_SPARE], MM_RO & ~PTE_ACCESSED)};
    struct sigaction before;

    (void)state;
    meanwhile = &mm_words(&g, MM_L1)[ENTRY];
    assert_int_equal(sigaction(SIGSEGV, &(struct sigaction){.sa_handler = set_accessed}, &before),
                     0);
    for (unsigned int i = 0; i < 2 * ARRAY_SIZE(vals); i++) {
        assert_int_equal(mm_update_va(&g, mm_va(ENTRY), old, 0), 0);
        memcpy(host_guest(CODE), simple[i & 1], 3);
        g.v->regs.rip = CODE;
        g.v->regs.rdi = entry_va(ENTRY);
        g.v->regs.rsi = vals[i / 2];
        times = 0;
        assert_int_equal(mprotect((void *)((uintptr_t)meanwhile & PAGE_MASK), PAGE_SIZE, PROT_READ),
                         0);
        assert_true(pv_ptwr_fault(g.v, g.v->regs.rdi));
        assert_int_equal(times, 1);
        assert_int_equal(g.v->regs.rip, CODE); /* the guest runs into it again */
        assert_int_equal(g.v->regs.rsi, vals[i / 2]);
        assert_int_equal(*meanwhile & ~PTE_GLOBAL, old | PTE_ACCESSED);
        assert_int_equal(host_recount(), 0);
        assert_true(pv_ptwr_fault(g.v, g.v->regs.rdi));
        assert_int_equal(g.v->regs.rip, CODE + 3);
        assert_int_equal(*meanwhile & ~PTE_GLOBAL, vals[i / 2]);
        if (!(i & 1))
            assert_int_equal(g.v->regs.rsi & ~PTE_GLOBAL, old | PTE_ACCESSED);
    }
    sigaction(SIGSEGV, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mov_and_xchg, setup, teardown),
        cmocka_unit_test_setup_teardown(read_modify_write, setup, teardown),
        cmocka_unit_test_setup_teardown(compare_and_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(left_to_the_guest, setup, teardown),
        cmocka_unit_test_setup_teardown(fetch_at_the_end_of_a_page, setup, teardown),
        cmocka_unit_test_setup_teardown(single_step, setup, teardown),
        cmocka_unit_test_setup_teardown(all_registers, setup, teardown),
        cmocka_unit_test_setup_teardown(all_values, setup, teardown),
        cmocka_unit_test_setup_teardown(other_circumstances, setup, teardown),
        cmocka_unit_test_setup_teardown(accessed_meanwhile, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
