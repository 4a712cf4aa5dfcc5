/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest that has ended at its iret, for it has no user page table, and is resumed, has
 * nothing of that frame: not its RIP, and of its RFLAGS no IOPL, with which the guest could mask
 * the CPU's interrupts and reach all ports.
 *
 * As control domain it resumes domain 1, which is the same program as a guest.
 */
#include <xen/domctl.h>

#include "test.h"

const char test_name[] = "resumed-hostile";

#define IOPL     0x3000ul
#define IF       0x200ul
#define USER_CS  0xe033
#define ATTEMPTS 100u
#define NAP      20000000ul /* ns */

static struct iret_context frame;

static void resume(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_resumedomain,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                            .domain = 1};

    for (unsigned int i = 0; i < ATTEMPTS; i++) {
        sched_poll(NULL, 0, time_system_ns() + NAP);
        NEED(!hypercall1(__HYPERVISOR_domctl, (unsigned long)&op));
    }
}

/* RFLAGS, of whoever comes back from there: by the end of the hypercall, or where the frame has
 * RCX, which stops the CPU's interrupts if it may. */
static unsigned long end_and_come_back(void)
{
    unsigned long flags;

    frame = (struct iret_context){.r11 = IOPL | IF | 2, .rflags = IF, .cs = USER_CS};
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "mov %%rax, %[rcx]\n\t"
                     "lea %[frame], %%rsp\n\t"
                     "mov %[nr], %%eax\n\t"
                     "syscall\n\t"
                     "jmp 2f\n"
                     "1: cli\n"
                     "2: mov %%rbx, %%rsp\n\t"
                     "pushfq\n\t"
                     "pop %[flags]"
                     : [rcx] "=m"(frame.rcx), [frame] "+m"(frame), [flags] "=r"(flags)
                     : [nr] "i"(__HYPERVISOR_iret)
                     : "rax", "rbx", "rcx", "r11", "memory");
    return flags;
}

void test_main(void)
{
    if (is_control_domain())
        resume();
    else
        CHECK_EQ(end_and_come_back() & (IOPL | IF), IF, "no IOPL, and interrupts are on");
}
