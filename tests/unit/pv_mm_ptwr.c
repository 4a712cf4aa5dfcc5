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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mov_and_xchg, setup, teardown),
        cmocka_unit_test_setup_teardown(read_modify_write, setup, teardown),
        cmocka_unit_test_setup_teardown(compare_and_exchange, setup, teardown),
        cmocka_unit_test_setup_teardown(left_to_the_guest, setup, teardown),
        cmocka_unit_test_setup_teardown(fetch_at_the_end_of_a_page, setup, teardown),
        cmocka_unit_test_setup_teardown(single_step, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
