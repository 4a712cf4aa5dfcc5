/* SPDX-License-Identifier: MIT */
/*
 * Shows: several vCPUs may have one and the same context, and run on it at once: one GDT, one LDT,
 * one root, one stack. Each holds what it was given for itself, so the frames stay what they are
 * until the last has let go.
 *
 * Wrong halves: contexts of which a part is right and a part names what others have for something
 * else are refused whole; the vCPU has none then, and nothing is held. Twins: all get one context,
 * this vCPU the same tables, and the LDT changes under all of them. The last, of more than three,
 * gets what is the others' in other places: their LDT as its GDT, the same frame twice, their GDT
 * as its LDT, the root of their kernel for its user mode. That is odd, but harms nobody.
 *
 * XSA-214 (a page that stays a descriptor table).
 */
#include "test.h"

const char test_name[] = "smp-contexts";

#define MOST      8u
#define LOOKS     32u
#define CHANGES   64u
#define SEGMENT   0x00cff3000000ffffull /* data, read and write, DPL 3, 4 GiB, present */
#define A_PAGE    (PAGE_SIZE / 8)       /* descriptors */
#define A_ROOT(t) xen_pfn_to_cr3(virt_to_mfn(t))

/* counts.asm: what each has done, in the order in which they came */
void contexts_count(void);
uint32_t contexts_begun, contexts_cpu[MOST];
uint64_t contexts_turns[MOST];

static unsigned int others; /* vCPUs 1 to this */
static uint64_t *gdt, *ldt, *other_ldt;
static pte_t *root;
static vcpu_guest_context_t good;

static uint64_t *descriptors(void)
{
    uint64_t *page = test_page();

    page[0] = page[1] = SEGMENT; /* as an LDT, and as a GDT */
    return page;
}

static void make_good(void)
{
    good.flags = VGCF_IN_KERNEL;
    good.user_regs.rip = (unsigned long)contexts_count;
    good.user_regs.rsp = good.kernel_sp = (unsigned long)test_page() + PAGE_SIZE;
    good.user_regs.cs = FLAT_KERNEL_CS;
    good.user_regs.ss = good.kernel_ss = FLAT_KERNEL_SS;
    good.gdt_frames[0] = virt_to_mfn(gdt);
    good.gdt_ents = A_PAGE;
    good.ldt_base = (unsigned long)ldt;
    good.ldt_ents = A_PAGE;
    good.ctrlreg[3] = A_ROOT(pt_root);
}

static long give(unsigned int vcpu, vcpu_guest_context_t *c)
{
    return HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, c);
}

/* ---- wrong halves ---- */

/* Then *c is a good one again. */
static void refused(vcpu_guest_context_t *c, const char *what)
{
    CHECK_EQ(give(1, c), -XEN_EINVAL, what);
    *c = good;
}

static void wrong_halves(void)
{
    static vcpu_guest_context_t c;
    void *writable = test_page();

    c = good;
    c.gdt_frames[1] = virt_to_mfn(ldt);
    c.gdt_frames[2] = virt_to_mfn(writable);
    c.gdt_ents = 3 * A_PAGE;
    refused(&c, "a GDT whose third page can be written");
    c.gdt_frames[1] = c.gdt_frames[0];
    c.gdt_frames[2] = virt_to_mfn(pt_root);
    c.gdt_ents = 3 * A_PAGE;
    refused(&c, "one whose first two are one page, and whose third is a table");
    c.ctrlreg[3] = A_ROOT(gdt);
    refused(&c, "a root that is the GDT");
    c.ctrlreg[1] = pt_root[511] & PTE_MFN_MASK;
    refused(&c, "a root for user mode that is a table below the kernel's");
    c.ctrlreg[3] = A_ROOT(root);
    c.ctrlreg[1] = A_ROOT(ldt);
    refused(&c, "a root of its own, and for user mode the LDT");
    c.ldt_base += 8;
    refused(&c, "an LDT that does not begin at a page");
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL, "so it has none");
    CHECK_EQ(test_page_protect(gdt, true), 0, "and nothing holds the GDT");
    CHECK_EQ(test_page_protect(ldt, true), 0, "nor the LDT");
    NEED(!test_page_protect(gdt, false) && !test_page_protect(ldt, false));
}

/* ---- twins ---- */

/* What the others have, nothing of it where they have it; with another root, their root is a table
 * for its user mode alone. */
static void odd_one(void)
{
    static vcpu_guest_context_t c;

    c = good;
    c.gdt_frames[0] = virt_to_mfn(ldt);
    c.gdt_frames[1] = c.gdt_frames[2] = virt_to_mfn(gdt);
    c.gdt_ents = 3 * A_PAGE;
    c.ldt_base = (unsigned long)gdt;
    c.ctrlreg[3] = A_ROOT(root);
    c.ctrlreg[1] = A_ROOT(pt_root);
    CHECK_EQ(give(others, &c), 0, "what others have, in other places");
    /* pt_root may be without its M2P now, until it is loaded for a kernel: the last one asked. */
    CHECK_EQ(test_mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(root), 0), 0, "each may use its root");
    CHECK_EQ(test_mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(pt_root), 0), 0, "and we use ours again");
    CHECK_EQ(mfn_to_pfn(virt_to_mfn(gdt)), virt_to_pfn(gdt), "with all that is in it");
}

/* How many CPUs have one of them that stays there, from now until each has counted on. */
static unsigned int on_cpus(void)
{
    uint64_t turns[MOST];
    uint32_t cpu[MOST];
    unsigned int cpus = 0;

    for (unsigned int i = 0; i < others; i++) {
        cpu[i] = READ_ONCE(contexts_cpu[i]);
        turns[i] = READ_ONCE(contexts_turns[i]);
    }
    for (unsigned int i = 0; i < others; i++)
        while (READ_ONCE(contexts_turns[i]) < turns[i] + 2)
            test_rest();
    for (unsigned int i = 0; i < others; i++) {
        bool counts = cpu[i] == READ_ONCE(contexts_cpu[i]);

        for (unsigned int k = 0; k < i; k++)
            counts = counts && cpu[k] != cpu[i];
        cpus += counts;
    }
    return cpus;
}

static void run_all(void)
{
    unsigned int most = 0;

    for (unsigned int v = 1; v <= others; v++)
        CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_up, v, NULL), 0, "each comes up");
    for (unsigned int i = 0; i < LOOKS; i++) {
        unsigned int cpus = on_cpus();

        most = cpus > most ? cpus : most;
    }
    CHECK_EQ(contexts_begun, others, "and all run at once");
    printf("smp-contexts: %u vCPUs on %u CPUs\n", others, most);
}

/* Another page is where their LDT was, and they go on with that. */
static void change_ldt(void)
{
    const pte_t *entry = pt_walk(pt_root, (unsigned long)ldt, 1);
    pte_t pte = *entry, other = pte_make(virt_to_mfn(other_ldt), PTE_KERNEL_RO | PTE_NX);
    unsigned int failed = 0;

    for (unsigned int i = 0; i < CHANGES; i++) {
        failed += pt_write(entry, i & 1 ? pte : other) != 0;
        on_cpus();
    }
    CHECK_EQ(failed, 0, "their LDT can change under all of them");
}

/* This one has the same tables for a while. */
static void have_and_let_go(void)
{
    xen_ulong_t frame = virt_to_mfn(gdt);

    CHECK_EQ(HYPERVISOR_set_gdt(&frame, A_PAGE), 0, "the GDT of others");
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, (unsigned long)ldt, A_PAGE), 0, "and their LDT");
    __asm__ volatile("mov %w0, %%es" : : "r"(0x7));
    __asm__ volatile("mov %w0, %%es" : : "r"(0xb));
    __asm__ volatile("mov %w0, %%es" : : "r"(0));
    CHECK_EQ(HYPERVISOR_set_gdt(NULL, 0), 0, "can be left");
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, 0, 0), 0, "and so can that");
    CHECK_EQ(test_page_protect(gdt, true), -XEN_EBUSY, "the GDT stays what it is for them");
    CHECK_EQ(test_page_protect(ldt, true), -XEN_EBUSY, "and so does the LDT");
}

static void take_all_down(void)
{
    for (unsigned int v = 1; v <= others; v++) {
        CHECK_EQ(smp_stop(v), 0, "each can be taken down");
        CHECK_EQ(give(v, &good), -XEN_EEXIST, "and has its context still");
    }
    CHECK_EQ(test_page_protect(gdt, true), -XEN_EBUSY, "and its GDT");
    CHECK_EQ(test_page_protect(ldt, true), -XEN_EBUSY, "and its LDT");
}

void test_main(void)
{
    others = test_vcpus() - 1;
    if (!others) {
        test_skip("the domain has one vCPU only");
        return;
    }
    NEED(others < MOST);
    gdt = descriptors();
    ldt = descriptors();
    other_ldt = descriptors();
    root = test_root();
    make_good();
    NEED(!test_page_protect(gdt, false) && !test_page_protect(ldt, false) &&
         !test_page_protect(other_ldt, false));
    wrong_halves();
    for (unsigned int v = 1; v <= others; v++) {
        if (v == others && others > 2)
            odd_one();
        else
            CHECK_EQ(give(v, &good), 0, "several have one context");
    }
    run_all();
    have_and_let_go();
    change_ldt();
    take_all_down();
}
