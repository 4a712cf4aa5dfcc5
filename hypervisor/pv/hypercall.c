/* SPDX-License-Identifier: MIT */
/*
 * The end of a paravirtual guest's hypercall: issued again, or done.
 *
 * Its arguments are in registers, and the SYSCALL that brought it here is 2 bytes long: to have it
 * issued again, the guest's RIP is set back onto it.
 */
#include <core/state/domain.h>
#include <port/current.h>
#include <pv/hypercall.h>

#define SYSCALL_LENGTH 2
#define MAX_ARGS       6
#define CLOBBERED      0xdead0000c0de0000ull

static uint64_t *argument(struct vcpu *v, unsigned int i)
{
    struct cpu_user_regs *r = &v->regs;
    uint64_t *const reg[MAX_ARGS] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9};

    return reg[i];
}

void pv_reissue(struct vcpu *v)
{
    if (!hypercall_gave_way(v, -XEN_ERESTART)) {
        v->regs.rax = (uint64_t)-XEN_ERESTART;
        return;
    }
    if (v->continuation)
        for (unsigned int i = 0; i < v->hc_nr_args; i++)
            *argument(v, i) = v->hc_args[i];
    v->continuation = false;
    v->regs.rax = v->hc_nr;
    v->regs.rip -= SYSCALL_LENGTH;
    v->regs.rcx = v->regs.rip;
    this_cpu()->slice_end = 0;
}

/* Not in a multicall, whose entries have no registers; nor when iret has made others. */
void pv_clobber_arguments(unsigned int n, long rc)
{
    struct vcpu *v = current;

    if (hypercall_gave_way(v, rc) || v->in_multicall || !in_hypercall(v) ||
        v->hc_nr == __HYPERVISOR_iret)
        return;
    for (unsigned int i = 0; i < n; i++)
        *argument(v, i) = CLOBBERED + i;
}
