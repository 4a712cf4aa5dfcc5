/* SPDX-License-Identifier: MIT */
/*
 * The CPU that a guest believes it has: CPUID, MSRs, control registers, ports, each by its
 * instruction. The machine is one that has everything, so that what is shown is what the lists
 * allow.
 */
#include "pv_test.h"

#include <core/domain/cpu_policy.h>

static struct vcpu *v;

static int setup(void **state)
{
    pv_setup(state);
    v = g.v;
    host_full_cpu = true;
    return 0;
}

static struct cpuid {
    uint32_t eax, ebx, ecx, edx;
} cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpu_user_regs *r = &v->regs;

    r->rax = leaf |
             1ull << 32; /* of which the instruction takes the lower halves, and clears the upper */
    r->rcx = sub | 1ull << 32;
    r->rbx = r->rdx = ~0ull;
    pv_cpuid(v);
    assert_int_equal((r->rax | r->rbx | r->rcx | r->rdx) >> 32, 0);
    return (struct cpuid){(uint32_t)r->rax, (uint32_t)r->rbx, (uint32_t)r->rcx, (uint32_t)r->rdx};
}

/* True when the instruction was done, and RIP is behind it. */
static bool does(struct mm_guest *who, const char *code, size_t n)
{
    struct vcpu *w = who->v;
    bool done;

    memcpy((char *)mm_words(who, CODE), code, n);
    w->regs.rip = mm_va(CODE);
    w->regs.cs = FLAT_USER_CS64;
    done = pv_emulate_privileged(w);
    assert_int_equal(w->regs.rip, mm_va(CODE) + (done ? n : 0));
    host_tlb_check();
    return done;
}
#define DOES(code) does(&g, code, sizeof(code) - 1)

static void the_hypervisors_leaves(void **state)
{
    struct cpuid c = cpuid(0x40000000, 0);
    uint32_t mul;
    int8_t shift;

    (void)state;
    assert_true(c.eax >= 0x40000002 && c.eax < 0x40000100);
    assert_int_equal(c.ebx, 0x566e6558);
    assert_int_equal(c.ecx, 0x65584d4d);
    assert_int_equal(c.edx, 0x4d4d566e);
    assert_int_equal(cpuid(0x40000001, 0).eax, 4 << 16 | 17);
    assert_int_equal(cpuid(0x40000002, 0).eax, 1);
    clock_scale(&mul, &shift);
    assert_int_equal(cpuid(0x40000003, 0).eax, 2);
    host_clock_stable = false;
    assert_int_equal(cpuid(0x40000003, 0).eax, 0); /* RDTSC is the CPU's own, but not safe */
    assert_int_equal(cpuid(0x80000007, 0).edx, 0); /* invariant in each CPU, but no one clock */
    host_clock_stable = true;
    assert_int_equal(cpuid(0x40000003, 0).ecx, clock_khz());
    assert_int_equal(cpuid(0x40000003, 1).ecx, mul);
    assert_int_equal((int32_t)cpuid(0x40000003, 1).edx, shift);
    assert_int_equal(cpuid(0x40000003, 2).eax, clock_khz());
    assert_int_equal(cpuid(0x40000003, 3).eax, 0);
    assert_int_equal(cpuid(0x400000ff, 0).eax, 0);
}

/* What only the hypervisor may use, or would have to keep for each vCPU, is not shown. */
static void features_are_a_list(void **state)
{
    struct cpuid one = cpuid(1, 0), ext = cpuid(0x80000001, 0);

    (void)state;
    assert_int_equal(cpuid(0, 0).eax, 0xd);
    assert_false(one.edx & (1u << 12 | 1u << 17 | 1u << 3));           /* MTRR, PSE36, PSE */
    assert_false(one.ecx & (1u << 3 | 1u << 5 | 1u << 17 | 1u << 21)); /* MONITOR VMX PCID x2APIC */
    assert_true(one.ecx >> 31 & 1);
    assert_true(one.ecx >> 26 & 1);  /* XSAVE: the machine has it */
    assert_false(one.ecx >> 27 & 1); /* not turned on by this guest */
    v->arch.pv.ctrlreg[4] = X86_CR4_OSXSAVE;
    assert_true(cpuid(1, 0).ecx >> 27 & 1);
    host_full_cpu = false;
    assert_int_equal(cpuid(1, 0).ecx, 1u << 31);
    assert_int_equal(cpuid(0xd, 0).eax, 0);
    host_full_cpu = true;
    assert_false(cpuid(7, 0).ebx & (1u << 7 | 1u << 20 | 1u << 10)); /* SMEP, SMAP, INVPCID */
    assert_int_equal(cpuid(7, 0).ecx | cpuid(7, 1).ebx | cpuid(7, 1).edx, 0);
    assert_int_equal(cpuid(7, 0).edx, 1u << 10);   /* MD_CLEAR */
    assert_false(ext.ecx & (1u << 2));             /* SVM */
    assert_false(ext.edx & (1u << 26 | 1u << 27)); /* superpages of 1 GiB; RDTSCP */
    assert_true(ext.edx >> 29 & 1);
    assert_int_equal(cpuid(0x80000007, 0).edx, 1u << 8);
    assert_int_equal(cpuid(0x80000008, 0).ebx, 1u << 12); /* IBPB */
    assert_int_equal(cpuid(0x80000021, 0).eax, 1u << 5);  /* VERW clears */
    assert_int_equal(cpuid(0x80000021, 0).ebx | cpuid(0x80000021, 0).edx, 0);
    assert_int_equal(cpuid(0x80000021, 0).ecx, 6); /* no TSA */
    host_full_cpu = false;
    assert_int_equal(cpuid(0x80000008, 0).ebx | cpuid(0x80000021, 0).eax, 0);
    host_full_cpu = true;
    for (uint32_t leaf = 0; leaf < 32; leaf++) {
        static const uint32_t shown = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 13;
        struct cpuid c = cpuid(leaf, 0);

        if (!(shown >> leaf & 1))
            assert_int_equal(c.eax | c.ebx | c.ecx | c.edx, 0);
    }
}

/* What a domain was given is shown, with what is the vCPU's own, and nothing beside it. */
static void a_policy(void **state)
{
    struct domain *d = v->domain;
    struct cpu_leaf *one;

    (void)state;
    d->cpu_policy = hv_alloc(sizeof(*d->cpu_policy));
    assert_non_null(d->cpu_policy);
    cpu_policy_fill(d->cpu_policy, pv_cpuid_of_kind);
    for (uint32_t leaf = 0; leaf < 40; leaf++)
        for (uint32_t sub = 0; sub < 4; sub++) {
            struct cpuid given = cpuid(leaf / 20 << 31 | leaf % 20, sub), by_kind;
            struct cpu_policy *p = d->cpu_policy;

            d->cpu_policy = NULL;
            by_kind = cpuid(leaf / 20 << 31 | leaf % 20, sub);
            d->cpu_policy = p;
            assert_memory_equal(&given, &by_kind, sizeof(given));
        }
    one = (struct cpu_leaf *)cpu_policy_find(d->cpu_policy, 1, 0);
    *one = (struct cpu_leaf){1, XEN_CPUID_NO_SUBLEAF, {0x12345, 0x800, 1u << 26, 7}};
    v->vcpu_id = 3;
    v->arch.pv.ctrlreg[4] = X86_CR4_OSXSAVE;
    assert_int_equal(cpuid(1, 0).eax, 0x12345);
    assert_int_equal(cpuid(1, 99).ebx, 6u << 24 | 0x800);
    assert_int_equal(cpuid(1, 0).ecx, 3u << 26);
    assert_int_equal(cpuid(1, 0).edx, 7);
    one->reg[2] = 0; /* no XSAVE: then not turned on either */
    assert_int_equal(cpuid(1, 0).ecx, 0);
    v->arch.xcr0 = 7;
    assert_int_equal(cpuid(0xd, 0).ebx, 832);
    v->arch.xcr0 = 1;
    assert_int_equal(cpuid(0xd, 0).ebx, 576);
    assert_int_equal(cpuid(0x40000000, 0).ebx, 0x566e6558);
    d->cpu_policy->nr = 1; /* leaf 0 alone */
    assert_int_equal(cpuid(0, 0).eax, 0xd);
    assert_int_equal(cpuid(7, 0).ebx | cpuid(0xd, 0).ebx | cpuid(0x80000001, 0).edx, 0);
    v->vcpu_id = 0;
}

static void states_of_xsave(void **state)
{
    (void)state;
    assert_int_equal(cpuid(0xd, 0).eax, 7);
    assert_int_equal(cpuid(0xd, 0).ebx, 576);
    assert_int_equal(cpuid(0xd, 0).ecx, 832);
    v->arch.xcr0 = 7;
    assert_int_equal(cpuid(0xd, 0).ebx, 832);
    assert_int_equal(cpuid(0xd, 1).eax, 1);
    assert_int_equal(cpuid(0xd, 1).ebx, 0);
    assert_int_equal(cpuid(0xd, 2).eax, ~0u);
    assert_int_equal(cpuid(0xd, 3).eax, 0);
    /* XSETBV: only XCR0, only when turned on, only what the machine takes. */
    v->arch.xcr0 = 1;
    v->regs.rdx = 0;
    v->regs.rax = 7;
    v->regs.rcx = 0;
    assert_false(DOES("\x0f\x01\xd1"));
    v->arch.pv.ctrlreg[4] = X86_CR4_OSXSAVE;
    v->regs.rcx = 1;
    assert_false(DOES("\x0f\x01\xd1"));
    v->regs.rcx = 0;
    assert_true(DOES("\x0f\x01\xd1"));
    assert_int_equal(v->arch.xcr0, 7);
    v->regs.rax = 4;
    assert_false(DOES("\x0f\x01\xd1"));
    assert_int_equal(v->arch.xcr0, 7);
}

static bool rdmsr(uint32_t msr)
{
    v->regs.rcx = msr;
    v->regs.rax = v->regs.rdx = ~0ull;
    return DOES("\x0f\x32");
}

static bool wrmsr(uint32_t msr, uint64_t value)
{
    v->regs.rcx = msr;
    v->regs.rax = (uint32_t)value;
    v->regs.rdx = value >> 32;
    return DOES("\x0f\x30");
}

static void registers_by_number(void **state)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
    } fixed[] = {{0xc0000080, 0xd01}, {0x277, 0x277}, {0x1b, 0xfee00900}, {0x1a0, 1},
                 {0x179, 0},          {0x17a, 0},     {0x8b, 0},          {0x17, 0}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++) {
        assert_true(rdmsr(fixed[i].msr));
        assert_int_equal(v->regs.rax, (uint32_t)fixed[i].value);
        assert_int_equal(v->regs.rdx, fixed[i].value >> 32);
    }
    for (unsigned int i = 0; i < 4; i++) { /* what changes nothing may be written */
        assert_true(wrmsr(fixed[i].msr, fixed[i].value));
        assert_false(wrmsr(fixed[i].msr, fixed[i].value ^ 0x100));
    }
    for (unsigned int i = 0; i < 3; i++) {
        uint32_t base = 0xc0000100 + i;

        assert_true(wrmsr(base, 0xffffffff80001000ull + i));
        assert_false(wrmsr(base, NO_CANON));
        assert_true(rdmsr(base));
        assert_int_equal(v->regs.rax, 0x80001000u + i);
        assert_int_equal(v->regs.rdx, 0xffffffffu);
    }
    assert_true(rdmsr(0x10));
    assert_int_equal(v->regs.rdx << 32 | v->regs.rax, clock_ticks());
    assert_true(wrmsr(0x10, 5) && wrmsr(0x8b, 0) && wrmsr(0x17a, 0));
    assert_false(rdmsr(0x12345) || wrmsr(0x12345, 0) || wrmsr(0x179, 0) || wrmsr(0x17, 0));
    pv_toggle_guest_mode(v); /* no page table: nothing is fetched */
    assert_false(rdmsr(0x10));
    pv_toggle_guest_mode(v);
}

static void control_registers(void **state)
{
    (void)state;
    v->regs.rax = 0;
    assert_true(DOES("\x0f\x20\xc0")); /* mov rax, cr0 */
    assert_true(v->regs.rax & X86_CR0_PG && v->regs.rax & X86_CR0_PE);
    v->regs.rax |= X86_CR0_TS;
    assert_true(DOES("\x0f\x22\xc0"));
    assert_true(pv_read_cr(v, 0) & X86_CR0_TS);
    v->regs.rax &= ~X86_CR0_PG;
    assert_false(DOES("\x0f\x22\xc0"));
    assert_true(DOES("\x0f\x06")); /* clts */
    assert_false(pv_read_cr(v, 0) & X86_CR0_TS);
    v->regs.r9 = 0x1234;
    assert_true(DOES("\x41\x0f\x22\xd1")); /* mov cr2, r9 */
    assert_true(DOES("\x0f\x20\xd1"));     /* mov rcx, cr2 */
    assert_int_equal(v->regs.rcx, 0x1234);
    assert_int_equal(v->vcpu_info->arch.cr2, 0x1234);
    v->regs.rax = ~0ull;
    assert_true(DOES("\x0f\x22\xe0")); /* cr4: what a guest may not have is dropped */
    assert_true(DOES("\x0f\x20\xe0"));
    assert_true(v->regs.rax & X86_CR4_TSD && v->regs.rax & X86_CR4_PAE);
    assert_false(v->regs.rax & (1ull << 20 | 1ull << 21 | 1ull << 13)); /* SMEP SMAP VMXE */
    assert_false(DOES("\x0f\x20\xc8"));                                 /* cr1 */
    assert_false(DOES("\x0f\x22\xe8"));                                 /* cr5 */
    assert_false(DOES("\x44\x0f\x20\xc0"));                             /* cr8 */
    assert_false(DOES("\x0f\x20\x00"));                                 /* no register form */
    v->regs.rbx = mm_va(3);
    assert_true(DOES("\x0f\x23\xc3")); /* mov dr0, rbx */
    assert_true(DOES("\x0f\x21\xc0"));
    assert_int_equal(v->regs.rax, mm_va(3));
    assert_true(DOES("\x0f\x21\xe0")); /* dr4 is dr6 */
    assert_int_equal(v->regs.rax, 0xffff0ff0);
    v->regs.rbx = NO_CANON;
    assert_false(DOES("\x0f\x23\xc3"));
}

/* MOV CR3 is MMUEXT_NEW_BASEPTR by another name: it also gives up the LDT that it can no longer
 * find. */
/* The CPU's tables are not the guest's to see, whoever asks. */
static void tables_are_not_shown(void **state)
{
    uint64_t *at = mm_words(&g, CODE) + 64;

    (void)state;
    v->regs.rbx = mm_va(CODE) + 512;
    for (unsigned int kernel = 0; kernel < 2; kernel++) {
        v->arch.pv.kernel_mode = kernel;
        at[0] = at[1] = ~0ull;
        assert_true(DOES("\x0f\x01\x03")); /* sgdt [rbx] */
        assert_true(at[0] == 0 && at[1] == 0xffffffffffff0000);
        at[0] = at[1] = ~0ull;
        assert_true(DOES("\x0f\x01\x4b\x02")); /* sidt [rbx + 2] */
        assert_true(at[0] == 0xffff && at[1] == 0xffffffff00000000);
        at[0] = ~0ull;
        assert_true(DOES("\x0f\x00\x03")); /* sldt [rbx] */
        assert_true(at[0] == 0xffffffffffff0000);
        at[0] = ~0ull;
        assert_true(DOES("\x0f\x01\x23")); /* smsw [rbx] */
        assert_true(at[0] == (0xffffffffffff0000 | (pv_read_cr(v, 0) & 0xffff)));
        v->regs.rcx = ~0ull;
        assert_true(DOES("\x66\x0f\x00\xc9")); /* str cx */
        assert_true(v->regs.rcx == 0xffffffffffff0000);
        assert_true(DOES("\x0f\x01\xe1")); /* smsw ecx */
        assert_true(v->regs.rcx == (uint32_t)pv_read_cr(v, 0));
        assert_true(DOES("\x48\x0f\x00\xc1")); /* sldt rcx */
        assert_true(v->regs.rcx == 0);
    }
    assert_false(DOES("\x0f\x00\x13")); /* lldt */
    assert_false(DOES("\x0f\x01\x13")); /* lgdt */
    assert_false(DOES("\x0f\x01\x33")); /* lmsw */
    assert_false(DOES("\x0f\x01\xc1")); /* SGDT has no register form: this is another */
    v->regs.rbx = NO_CANON;
    assert_false(DOES("\x0f\x01\x03"));
}

/* In 32-bit code: six bytes, addresses that wrap, and none relative to RIP. */
static void tables_in_32_bits(void **state)
{
    uint64_t *at = mm_words(&g, CODE) + 64;
    char code[] = "\x0f\x01\x05\0\0\0"; /* sgdt [disp32] */
    uint32_t disp = (uint32_t)mm_va(CODE) + 512;

    (void)state;
    memcpy(&code[3], &disp, 4);
    memcpy((char *)mm_words(&g, CODE), code, 7);
    v->regs.cs = FLAT_USER_CS32;
    v->regs.rip = mm_va(CODE);
    at[0] = ~0ull;
    assert_true(pv_emulate_privileged(v));
    assert_true(at[0] == 0xffff000000000000);
    assert_int_equal(v->regs.rip, mm_va(CODE) + 7);
    memcpy((char *)mm_words(&g, CODE), "\x0f\x01\x0b", 3); /* sidt [ebx] */
    v->regs.rbx = 0xdead00000000ull | disp;
    v->regs.rip = mm_va(CODE);
    at[0] = ~0ull;
    assert_true(pv_emulate_privileged(v));
    assert_true(at[0] == 0xffff000000000000);
}

static void the_page_table_register(void **state)
{
    (void)state;
    mm_make_table(&g, MM_SPARE + 2);
    mm_words(&g, MM_SPARE + 2)[0] = mm_words(&g, MM_L4)[0];
    mm_make_table(&g, MM_SPARE + 3);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, mm_va(MM_SPARE + 3), 8), 0);
    assert_true(pv_map_ldt_page(v, 0));
    v->regs.rax = g.frame[MM_SPARE + 2].n << PAGE_SHIFT;
    assert_true(DOES("\x0f\x22\xd8"));
    assert_int_equal(v->arch.pv.ldt_mapped, 0);
    assert_int_equal(v->arch.pv.guest_table.n, g.frame[MM_SPARE + 2].n);
    assert_int_equal(host_recount(), 0);
    assert_true(DOES("\x0f\x22\xd8")); /* the same again: a flush */
    assert_true(DOES("\x0f\x20\xdb"));
    assert_int_equal(v->regs.rbx, v->regs.rax);
    v->regs.rax = g.frame[MM_SPARE + 4].n << PAGE_SHIFT;
    assert_false(DOES("\x0f\x22\xd8"));
    v->regs.rax = control.frame[MM_L4].n << PAGE_SHIFT;
    assert_false(DOES("\x0f\x22\xd8"));
    v->regs.rax = g.frame[MM_L4].n << PAGE_SHIFT;
    assert_true(DOES("\x0f\x22\xd8"));
    assert_int_equal(host_recount(), 0);
}

static void time_stamps(void **state)
{
    (void)state;
    assert_true(DOES("\x0f\x31"));
    assert_int_equal(v->regs.rdx << 32 | v->regs.rax, clock_ticks());
    assert_true(DOES("\x0f\x01\xf9"));
    assert_int_equal(v->regs.rcx, 0xc0000103);
    host_full_cpu = false;
    assert_false(DOES("\x0f\x01\xf9"));
    assert_true(DOES("\x0f\x09")); /* wbinvd does nothing for a guest without devices */
    assert_true(does(&control, "\x0f\x09", 2));
}

/* Ports: with the level or the bitmap, each width; nothing is behind one that is not the domain's.
 */
static void ports(void **state)
{
    (void)state;
    v->regs.rdx = 0x80;
    v->regs.rax = 0x1111111111111111ull;
    assert_false(DOES("\xec"));
    v->arch.pv.iopl = 1;
    assert_true(DOES("\xec"));
    assert_int_equal(v->regs.rax, 0x11111111111111ffull);
    assert_true(DOES("\x66\xed"));
    assert_int_equal(v->regs.rax, 0x111111111111ffffull);
    assert_true(DOES("\xed"));
    assert_int_equal(v->regs.rax, 0xffffffff);
    assert_true(DOES("\xe6\x80") && DOES("\xe4\x80") && DOES("\xee") && DOES("\xfa"));
    v->regs.rdi = mm_va(MM_SPARE);
    v->regs.rcx = 2;
    memcpy((char *)mm_words(&g, CODE), "\xf3\x6d", 2); /* rep insd: one at a time */
    for (unsigned int i = 2; i--;) {
        v->regs.rip = mm_va(CODE);
        assert_true(pv_emulate_privileged(v));
        assert_int_equal(v->regs.rcx, i);
        assert_int_equal(v->regs.rip, mm_va(CODE) + (i ? 0 : 2));
    }
    assert_int_equal(mm_words(&g, MM_SPARE)[0], ~0ull);
    assert_true(DOES("\xf3\x6d")); /* none left */
    assert_int_equal(v->regs.rdi, mm_va(MM_SPARE) + 8);
    v->regs.rflags |= X86_EFLAGS_DF;
    v->regs.rsi = mm_va(MM_SPARE) + 8;
    assert_true(DOES("\x66\x6f"));
    assert_int_equal(v->regs.rsi, mm_va(MM_SPARE) + 6);
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_DF;
}

/* The control domain's pair of ports for PCI is latched; others have none. */
static void pci_ports(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        struct mm_guest *who = i ? &control : &g;

        host_run_as(who->v);
        pv_io_write(who->v, 0xcf8, 4, 0x80001234);
        assert_int_equal(pv_io_read(who->v, 0xcf8, 4), i ? 0x80001234 : ~0u);
        pv_io_write(who->v, 0xcfc, 2, 5);
        assert_int_equal(pv_io_read(who->v, 0xcfe, 1), 0xff);
        pv_io_write(who->v, 0x70, 1, 5);
        assert_int_equal(pv_io_read(who->v, 0x71, 1), 0xff);
    }
    host_run_as(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_hypervisors_leaves, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(features_are_a_list, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(a_policy, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(states_of_xsave, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(registers_by_number, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(control_registers, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(the_page_table_register, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(time_stamps, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(ports, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(pci_ports, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(tables_are_not_shown, setup, pv_teardown),
        cmocka_unit_test_setup_teardown(tables_in_32_bits, setup, pv_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
