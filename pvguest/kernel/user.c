/* SPDX-License-Identifier: MIT */
/*
 * User mode. See user.h for the idea.
 *
 * Entering is the way back from a trap that never was: trap_resume() on a frame whose CS has
 * RPL 3. Leaving is any entry from user mode that nobody handles: trap_dispatch() calls
 * user_leave(), which keeps the registers for the caller of user_run() and returns
 * to the kernel through the landing of trap_catch_call(), as an exception in a trap_catch()
 * would.
 *
 * Entries from user mode arrive on the stack that stack_switch named: a page of its own here,
 * because the kernel's stack holds the frames of user_run().
 *
 * Fully virtualized, user code is in a ring of its own, and its pages are in the kernel's table.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/user.h>

pte_t *user_root;

static void *entry_stack;
static struct trap_catch landing;
static struct trap_regs *running; /* what user_run() was called with */

extern char trap_catch_landing[];
int trap_catch_call(struct trap_catch *c, void (*fn)(void *), void *arg);

static int make_user_root(void)
{
    struct mmuext_op ops[2] = {{.cmd = MMUEXT_PIN_L4_TABLE}, {.cmd = MMUEXT_NEW_USER_BASEPTR}};
    int rc;

    user_root = page_alloc_zeroed();
    if (!user_root)
        return -XEN_ENOMEM;
    rc = pt_protect(user_root, PTE_KERNEL_RO | PTE_NX);
    if (rc)
        return rc;
    ops[0].arg1.mfn = ops[1].arg1.mfn = virt_to_mfn(user_root);
    rc = (int)HYPERVISOR_mmuext_op(ops, 2, NULL, DOMID_SELF);
    if (!rc)
        rc = (int)HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)entry_stack + PAGE_SIZE);
    return rc;
}

int user_init(void)
{
    if (user_root)
        return 0;
    entry_stack = page_alloc();
    if (!entry_stack)
        return -XEN_ENOMEM;
    if (is_pv())
        return make_user_root();
    user_root = pt_root;
    hvm_set_user_entry((char *)entry_stack + PAGE_SIZE);
    return 0;
}

int user_map(unsigned long va, pte_t pte)
{
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    int rc;

    if (!is_pv())
        return pt_map(va, pte);
    rc = pt_map_in(user_root, va, pte);
    return rc ? rc : (int)HYPERVISOR_mmuext_op(&flush, 1, NULL, DOMID_SELF);
}

int user_load(const void *code, size_t len)
{
    static void *code_page, *stack_page;
    int rc;

    BUG_ON(len > PAGE_SIZE);
    if (!code_page) {
        code_page = page_alloc();
        stack_page = page_alloc_zeroed();
        if (!code_page || !stack_page)
            return -XEN_ENOMEM;
        rc = user_map(USER_CODE, pte_make(virt_to_mfn(code_page), PTE_PRESENT | PTE_USER));
        if (!rc)
            rc = user_map(USER_STACK_TOP - PAGE_SIZE,
                          pte_make(virt_to_mfn(stack_page), PTE_PRESENT | PTE_USER | PTE_RW));
        if (rc)
            return rc;
    }
    memset(code_page, 0xcc, PAGE_SIZE);
    memcpy(code_page, code, len);
    return 0;
}

static void enter(void *arg)
{
    struct trap_regs regs = *(struct trap_regs *)arg;

    events_disable(); /* the frame's IF says what holds in user mode */
    trap_resume(&regs);
}

unsigned int user_run(struct trap_regs *regs)
{
    if (!regs->cs)
        regs->cs = is_pv() ? FLAT_USER_CS : HVM_USER_CS;
    if (!regs->ss)
        regs->ss = is_pv() ? FLAT_USER_SS : HVM_USER_SS;
    if (!regs->rflags)
        regs->rflags = RFLAGS_IF;
    running = regs;
    trap_catch_call(&landing, enter, regs);
    running = NULL;
    return (unsigned int)regs->vector;
}

bool user_leave(struct trap_regs *regs)
{
    if (!running || trap_from_kernel(regs) || regs->vector == VECTOR_EVENT)
        return false;
    *running = *regs;
    regs->rip = (uint64_t)trap_catch_landing;
    regs->rdi = (uint64_t)&landing;
    regs->cs = is_pv() ? FLAT_KERNEL_CS & ~3ul : HVM_KERNEL_CS; /* RPL 0: go on in kernel mode */
    regs->ss = is_pv() ? FLAT_KERNEL_SS : HVM_KERNEL_SS;
    regs->rsp = landing.rsp; /* an event may come before the landing takes it */
    regs->rflags = RFLAGS_IF;
    return true;
}
