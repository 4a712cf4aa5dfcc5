/* SPDX-License-Identifier: MIT */
/*
 * Shows: descriptor tables and segment bases, as far as a 64-bit guest has them.
 *
 * A descriptor table's page belongs to the hypervisor's checks like a page table does: it must
 * not be writable, each descriptor in it must be one that a guest may have, and it changes by
 * update_descriptor alone. FS and GS bases are per vCPU; GS has one for the kernel and one
 * for applications, which the hypervisor swaps.
 *
 * XSA-193 (non-canonical bases), XSA-214 (a page that stays a descriptor table), XSA-298 (table
 * limits).
 */
#include <guest/user.h>

#include "test.h"

const char test_name[] = "segments";

#define DATA_SEGMENT 0x00cff3000000ffffull /* data, read and write, DPL 3, 4 GiB, present */
#define CODE_SEGMENT 0x00affb000000ffffull /* 64-bit code, DPL 3 */
#define CALL_GATE    0x0000ec0000000000ull /* 64-bit call gate, DPL 3, present */
#define TASK_STATE   0x0000e90000000067ull /* TSS, DPL 3, present */
#define NONCANONICAL 0x0000800000000000ul

static void load_ds(void *arg)
{
    __asm__ volatile("mov %w0, %%ds" : : "r"(arg));
}

static int try_selector(unsigned int selector)
{
    int vector = probe_call(load_ds, (void *)(unsigned long)selector, NULL);

    __asm__ volatile("mov %w0, %%ds" : : "r"(0));
    return vector;
}

static void descriptor_table(void)
{
    uint64_t *gdt = test_page();
    xen_ulong_t frame = virt_to_mfn(gdt);
    uint64_t maddr = (uint64_t)frame << PAGE_SHIFT;

    gdt[1] = DATA_SEGMENT;
    CHECK(HYPERVISOR_set_gdt(&frame, 512) < 0, "a page that is mapped writable is no GDT");
    NEED(!test_page_protect(gdt, false));
    CHECK_EQ(HYPERVISOR_set_gdt(&frame, 512), 0, "a read-only page is");
    CHECK_EQ(test_page_protect(gdt, true), -XEN_EBUSY, "and stays read-only");
    CHECK_EQ(try_selector(0xb), -1, "its segment can be loaded");
    CHECK_EQ(try_selector(0x13), TRAP_GP, "an empty one cannot");
    CHECK_EQ(HYPERVISOR_update_descriptor(maddr + 16, DATA_SEGMENT), 0,
             "a descriptor can be written");
    CHECK_EQ(try_selector(0x13), -1, "and loaded then");
    CHECK_EQ(HYPERVISOR_update_descriptor(maddr + 24, TASK_STATE), -XEN_EINVAL, "a TSS cannot");
    CHECK_EQ(gdt[3], 0, "and is not there");
    HYPERVISOR_update_descriptor(maddr + 32, CALL_GATE);
    CHECK_EQ(gdt[4] >> 45 & 3, 0, "a call gate that is not refused is out of reach of ring 3");
    CHECK(HYPERVISOR_update_descriptor(maddr + 9, DATA_SEGMENT) < 0, "a misaligned one");
    CHECK(HYPERVISOR_update_descriptor(0x100000, DATA_SEGMENT) < 0, "memory that is not ours");
    CHECK(HYPERVISOR_set_gdt(&frame, 16384) < 0, "XSA-298: more entries than a guest may have");
    CHECK(HYPERVISOR_set_gdt((xen_ulong_t *)0x10000, 512) < 0, "frames in unmapped memory");
    CHECK_EQ(HYPERVISOR_set_gdt(NULL, 0), 0, "no table at all is fine");
    CHECK_EQ(test_page_protect(gdt, true), 0, "XSA-214: then the page is ordinary again");
    CHECK_EQ(try_selector(0xb), TRAP_GP, "and its segments are gone");

    gdt[1] = TASK_STATE;
    NEED(!test_page_protect(gdt, false));
    CHECK_EQ(HYPERVISOR_set_gdt(&frame, 512), -XEN_EINVAL, "a page with a TSS in it is no GDT");
    CHECK_EQ(test_page_protect(gdt, true), 0, "and stays ordinary");
    page_free(gdt);
}

static void local_table(void)
{
    uint64_t *ldt = test_page();
    unsigned long va = (unsigned long)ldt;

    ldt[0] = DATA_SEGMENT;
    NEED(!test_page_protect(ldt, false));
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, va, 512), 0, "an LDT can be set");
    CHECK_EQ(try_selector(0x7), -1, "and its first segment loaded");
    CHECK_EQ(try_selector(0xf), TRAP_GP, "but not an empty one");
    CHECK(test_mmuext(MMUEXT_SET_LDT, va + 8, 512) < 0, "it begins at a page");
    CHECK(test_mmuext(MMUEXT_SET_LDT, va, 100000) < 0, "and has at most 8192 entries");
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, 0, 0), 0, "it can be taken away");
    CHECK_EQ(try_selector(0x7), TRAP_GP, "with its segments");
    CHECK_EQ(test_page_protect(ldt, true), 0, "XSA-214: the page is ordinary again");
    page_free(ldt);
}

static void bases(void)
{
    static uint64_t a = 0xaaaa, b = 0xbbbb;
    uint64_t seen = 0;

    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_FS, (unsigned long)&a), 0, "the FS base");
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    CHECK_EQ(seen, a, "works");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_FS, (unsigned long)&b), 0, "changes");
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    CHECK_EQ(seen, b, "at once");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_FS, NONCANONICAL), -XEN_EINVAL, "XSA-193: FS");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_GS_USER, NONCANONICAL), -XEN_EINVAL,
             "XSA-193: user GS");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, NONCANONICAL), -XEN_EINVAL,
             "XSA-193: kernel GS");
    CHECK_EQ(HYPERVISOR_set_segment_base(99, 0), -XEN_EINVAL, "there is no such base");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, 0x4321), 0,
             "a selector that cannot be loaded is taken as null");
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    CHECK_EQ(seen, b, "refused bases leave the old one");
}

static void user_gs(void)
{
    /* mov %gs:0, %rax; mov %fs:0, %rbx; syscall */
    static const uint8_t code[] = {0x65, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0,    0x64,
                                   0x48, 0x8b, 0x1c, 0x25, 0,    0, 0, 0, 0x0f, 0x05};
    struct trap_regs r = {.rip = USER_CODE, .rsp = USER_STACK_TOP};
    uint64_t *page = test_page();
    const struct percpu *before = this_cpu();

    page[0] = 0x1111;
    page[8] = 0x2222;
    NEED(!user_init() && !user_load(code, sizeof(code)));
    NEED(!user_map(0x500000, pte_make(virt_to_mfn(page), PTE_PRESENT | PTE_USER)));
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_GS_USER, 0x500000), 0, "the user's GS base");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_FS, 0x500040), 0, "and FS base");
    CHECK(this_cpu() == before, "are not the kernel's GS base");
    CHECK_EQ(user_run(&r), VECTOR_SYSCALL, "user mode");
    CHECK_EQ(r.rax, 0x1111, "sees its GS");
    CHECK_EQ(r.rbx, 0x2222, "and its FS");
    CHECK(this_cpu() == before, "and the kernel has its own again");
}

void test_main(void)
{
    descriptor_table();
    local_table();
    bases();
    user_gs();
}
