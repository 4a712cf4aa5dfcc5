/* SPDX-License-Identifier: MIT */
/*
 * Shows: a multicall does its calls in order, each with its own result, whatever the others
 * answered; and a list that is not all there, or that contains a multicall, is refused.
 *
 * An iret ends a list: the guest goes on where its frame says, with the frame's RAX.
 *
 * XSA-213 (going on after an entry that must end the list).
 */
#include "test.h"

const char test_name[] = "multicall";

#define MANY 600

static void results(void)
{
    unsigned long va = (unsigned long)test_page();
    pte_t pte = *pt_walk(pt_root, va, 1);
    multicall_entry_t c[5];

    memset(c, 0xee, sizeof(c));
    c[0].op = __HYPERVISOR_xen_version;
    c[0].args[0] = XENVER_version;
    c[1].op = 63; /* names no hypercall */
    c[2].op = __HYPERVISOR_update_va_mapping;
    c[2].args[0] = va;
    c[2].args[1] = pte & ~PTE_RW;
    c[2].args[2] = UVMF_INVLPG;
    c[3].op = __HYPERVISOR_update_va_mapping;
    c[3].args[0] = 0x0000800000000000ul;
    c[3].args[1] = pte;
    c[3].args[2] = 0;
    c[4].op = __HYPERVISOR_fpu_taskswitch;
    c[4].args[0] = 0;
    CHECK_EQ(HYPERVISOR_multicall(c, ARRAY_SIZE(c)), 0, "a list of five");
    CHECK_EQ(c[0].result, HYPERVISOR_xen_version(XENVER_version, NULL), "a value");
    CHECK_EQ((long)c[1].result, -XEN_ENOSYS, "no such hypercall");
    CHECK_EQ((long)c[2].result, 0, "an update");
    CHECK_EQ(probe_write((void *)va, 1, NULL), TRAP_PAGE_FAULT, "which took effect");
    CHECK((long)c[3].result < 0, "a refused one");
    CHECK_EQ((long)c[4].result, 0, "the one after it");
    CHECK_EQ(c[0].args[0], XENVER_version, "arguments are as they were");
    NEED(!test_page_protect((void *)va, true));
    page_free((void *)va);
}

static void long_lists(void)
{
    multicall_entry_t *c = pages_alloc(MANY * sizeof(*c) / PAGE_SIZE + 1);
    unsigned int right = 0;

    NEED(c);
    memset(c, 0, MANY * sizeof(*c));
    for (unsigned int i = 0; i < MANY; i++) {
        c[i].op = i % 2 ? __HYPERVISOR_xen_version : 63;
        c[i].result = 0x5555;
    }
    CHECK_EQ(HYPERVISOR_multicall(c, MANY), 0, "a long list");
    for (unsigned int i = 0; i < MANY; i++)
        right += i % 2 ? (long)c[i].result > 0 : (long)c[i].result == -XEN_ENOSYS;
    CHECK_EQ(right, MANY, "has every result");
    pages_free(c, MANY * sizeof(*c) / PAGE_SIZE + 1);
}

static void refusals(void)
{
    multicall_entry_t inner = {.op = __HYPERVISOR_xen_version};
    multicall_entry_t c[2];

    memset(c, 0, sizeof(c));
    c[0].op = __HYPERVISOR_multicall;
    c[0].args[0] = (unsigned long)&inner;
    c[0].args[1] = 1;
    c[1].op = __HYPERVISOR_xen_version;
    inner.result = 0x5555;
    CHECK_EQ(HYPERVISOR_multicall(c, 2), 0, "a list that contains a list");
    CHECK((long)c[0].result < 0, "which is refused");
    CHECK_EQ(inner.result, 0x5555, "and not done");
    CHECK((long)c[1].result > 0, "the rest is");
    CHECK_EQ(HYPERVISOR_multicall((void *)0x10000, 1), -XEN_EFAULT, "a list in unmapped memory");
    CHECK_EQ(HYPERVISOR_multicall((void *)0xffff830000000000ul, 1), -XEN_EFAULT,
             "or the hypervisor's");
    CHECK_EQ(HYPERVISOR_multicall(NULL, 0), 0, "no list at all");
}

/* The last two entries of a page, and nothing mapped after it. */
static void list_cut_short(void)
{
    void *page = test_page();
    unsigned long frame = virt_to_mfn(page);
    char *mapped = map_frames(&frame, 1, PTE_KERNEL_RW | PTE_NX);
    multicall_entry_t *c;

    NEED(mapped && probe_read(mapped + PAGE_SIZE, NULL) == TRAP_PAGE_FAULT);
    c = (multicall_entry_t *)(mapped + PAGE_SIZE) - 2;
    c[0].op = c[1].op = __HYPERVISOR_xen_version;
    CHECK_EQ(HYPERVISOR_multicall(c, 5), -XEN_EFAULT, "a list whose end is not there");
    CHECK_EQ(HYPERVISOR_multicall(c, 2), 0, "without that end");
    CHECK((long)c[0].result > 0 && (long)c[1].result > 0, "it is done");
    unmap_frames(mapped, 1);
    page_free(page);
}

/* A result that cannot be written back is found, and says so. */
static void results_in_readonly_memory(void)
{
    multicall_entry_t *c = test_page();

    c->op = __HYPERVISOR_xen_version;
    NEED(!test_page_protect(c, false));
    CHECK_EQ(HYPERVISOR_multicall(c, 1), -XEN_EFAULT, "a list in read-only memory");
    NEED(!test_page_protect(c, true));
    page_free(c);
}

static void iret_ends_the_list(void)
{
    multicall_entry_t c[3];

    memset(c, 0, sizeof(c));
    c[0].op = c[2].op = __HYPERVISOR_xen_version;
    c[1].op = __HYPERVISOR_iret;
    c[2].result = 0x5555;
    CHECK_EQ(test_iret(__HYPERVISOR_multicall, c, 3, 0x1234), 0x1234, "RAX is the frame's");
    CHECK((long)c[0].result > 0, "what stands before the iret is done");
    CHECK_EQ(c[2].result, 0x5555, "what stands behind it is not");
}

void test_main(void)
{
    results();
    long_lists();
    refusals();
    list_cut_short();
    results_in_readonly_memory();
    iret_ends_the_list();
}
