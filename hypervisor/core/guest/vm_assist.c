/* SPDX-License-Identifier: MIT */
/*
 * vm_assist: what a domain wants the hypervisor to do in another way than by default, bit each in
 * d->vm_assist. Those that are about page tables and I/O privilege mean something to paravirtual
 * guests alone: a guest of a kind with a map of its own frame numbers has neither.
 */
#include <core/base/hypercall.h>
#include <core/domain/domain_pages.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <xen/errno.h>

/* Assists a 64-bit guest may have. 4gb_segments and pae_extended_cr3 mean nothing to it; stock
 * kernels ask for them. */
#define VM_ASSISTS                                                                                 \
    ((1u << VMASST_TYPE_4gb_segments) | (1u << VMASST_TYPE_writable_pagetables) |                  \
     (1u << VMASST_TYPE_pae_extended_cr3) | (1u << VMASST_TYPE_architectural_iopl) |               \
     (1u << VMASST_TYPE_runstate_update_flag))

static uint32_t offered(const struct domain *d)
{
    return is_translated(d) ? 1u << VMASST_TYPE_runstate_update_flag : VM_ASSISTS;
}

long do_vm_assist(unsigned int cmd, unsigned int type)
{
    uint32_t *assist = &current->domain->vm_assist;

    if (type > 31 || !(offered(current->domain) >> type & 1))
        return -XEN_EINVAL;
    switch (cmd) {
    case VMASST_CMD_enable:
        atomic_or(assist, 1u << type);
        return 0;
    case VMASST_CMD_disable:
        atomic_and(assist, ~(1u << type));
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}
