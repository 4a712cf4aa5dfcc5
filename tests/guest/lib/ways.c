/* SPDX-License-Identifier: MIT */
/*
 * Which of the two ways, and the stacks onto which neither may go.
 */
#include "ways.h"

void ways_choose(bool longer)
{
    CHECK_EQ(HYPERVISOR_vm_assist(longer ? VMASST_CMD_enable : VMASST_CMD_disable,
                                  VMASST_TYPE_architectural_iopl),
             0, "an architectural IOPL is chosen");
}

void ways_set_stack(unsigned long sp)
{
    CHECK_EQ(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, sp), 0, "a stack for entries");
}

static void map_at(unsigned long va)
{
    BUG_ON(pt_map(va, pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
}

static unsigned long no_stack(void)
{
    return LOW + PAGE_SIZE;
}

static unsigned long no_stack_high(void)
{
    return TOP + PAGE_SIZE / 2;
}

static unsigned long stack_of_the_hypervisor(void)
{
    return OF_THE_HYPERVISOR;
}

static unsigned long read_only_stack(void)
{
    char *page = test_page();

    BUG_ON(test_page_protect(page, false));
    return (unsigned long)page + PAGE_SIZE;
}

static unsigned long half_a_stack(void) /* its lower page is missing */
{
    map_at(TOP);
    return TOP + 16;
}

/* What would follow, if addresses went on at 0, is there. */
static unsigned long stack_beyond_the_top(void)
{
    map_at(TOP);
    map_at(0);
    return 32;
}

static const struct {
    const char *name;
    unsigned long (*fn)(void);
} stacks[] = {
    {"no-stack", no_stack},
    {"no-stack-high", no_stack_high},
    {"stack-of-the-hypervisor", stack_of_the_hypervisor},
    {"read-only-stack", read_only_stack},
    {"half-a-stack", half_a_stack},
    {"stack-beyond-the-top", stack_beyond_the_top},
};

bool ways_deed(void (*enter)(unsigned long sp), const struct ways_deed *own, unsigned int n)
{
    char name[32] = "";
    unsigned long sp;

    if (!cmdline_get("do", name, sizeof(name)))
        return false;
    ways_choose(cmdline_number("long", 0));
    for (unsigned int i = 0; i < ARRAY_SIZE(stacks); i++)
        if (!strcmp(name, stacks[i].name)) {
            sp = stacks[i].fn();
            ways_set_stack(sp);
            enter(sp);
        }
    for (unsigned int i = 0; i < n; i++)
        if (!strcmp(name, own[i].name))
            own[i].fn();
    test_error("do=%s is no deed, or was not noticed", name);
    return true;
}
