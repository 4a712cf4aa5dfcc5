/* SPDX-License-Identifier: MIT */
/*
 * Shows: there is nothing a guest can have pending, or leave where the processor looks, that keeps
 * the hypervisor busy for ever or sends the guest astray.
 *
 * The way out of the hypervisor looks at what waits for the guest, and loads what the guest asked
 * for: selectors, whose descriptors may lie in memory that is not there. Each look must end. And
 * the value that the iret hypercall puts into RAX is the guest's, whatever number it is.
 *
 * XSA-265 and XSA-356 are of this kind (a loop in the hypervisor that the guest keeps going).
 */
#include "test.h"

const char test_name[] = "stuck";

#define NOT_MAPPED   0x200000000000ul /* below the hypervisor's range; nobody maps it */
#define LDT_SELECTOR 0x7

static int alive(void)
{
    return HYPERVISOR_xen_version(XENVER_version, NULL) > 0;
}

static void nmi_without_callback(void)
{
    struct callback_unregister none = {.type = CALLBACKTYPE_nmi};

    HYPERVISOR_callback_op(CALLBACKOP_unregister, &none);
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0, "an NMI can be sent");
    CHECK(alive(), "and is lost when nobody wants it");
}

static void load_ds(void *arg)
{
    __asm__ volatile("mov %w0, %%ds" : : "r"(arg));
}

static void table_that_is_not_there(void)
{
    uint64_t error;

    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, NOT_MAPPED, 512), 0,
             "an LDT may be where nothing is mapped");
    CHECK_EQ(probe_call(load_ds, (void *)LDT_SELECTOR, &error), TRAP_PAGE_FAULT,
             "its segments cannot be loaded by the guest");
    CHECK_EQ(HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, LDT_SELECTOR), 0,
             "nor by the hypervisor, which takes the selector as null");
    CHECK(alive(), "and goes on");
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, 0, 0), 0, "the LDT can be taken away");
}

/* A number that the guest itself puts where the hypervisor reads it. */
static void number_of_pages(void)
{
    unsigned long before = shared_info->arch.max_pfn;
    struct xen_memory_domain self = {.domid = DOMID_SELF};

    for (unsigned long value = 1; value < 200; value++) {
        shared_info->arch.max_pfn = -value;
        HYPERVISOR_memory_op(XENMEM_maximum_gpfn, &self);
    }
    CHECK(alive(), "a guest may call its memory as large as it likes");
    shared_info->arch.max_pfn = before;
}

static void values_of_rax(void)
{
    for (long value = -200; value < 200; value++) {
        if ((long)test_iret(__HYPERVISOR_iret, NULL, 0, (unsigned long)value) != value) {
            test_failure("iret: RAX should be %ld", value);
            return;
        }
    }
    CHECK(alive(), "iret gives each value of RAX as it is");
}

void test_main(void)
{
    values_of_rax();
    number_of_pages();
    nmi_without_callback();
    table_that_is_not_there();
}
