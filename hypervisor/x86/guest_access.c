/* SPDX-License-Identifier: MIT */
/*
 * Guest copies: the range check, then guest_copy.asm, which touches the memory through the page
 * tables that are loaded. A kind of guest whose addresses are not reached so copies itself.
 *
 * What lies in the hypervisor's range is refused here, because the hypervisor could reach it;
 * everything else is left to the MMU: an absent or read-only page or an address that is not
 * canonical faults, and the copy ends. (CR0.WP is always set.)
 */
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/guest_access.h>
#include <xen/errno.h>

#include "guest_copy.h"
#include "percpu.h"
#include "x86.h"

/* Whose addresses are not the hypervisor's; NULL: they are. */
static inline const struct vcpu *copied(void)
{
    return this_block()->cpu.arch.copied;
}

static inline bool is_outside(gva_t gva, uint64_t n)
{
    gva_t last;

    return !__builtin_add_overflow(gva, n ? n - 1 : 0, &last) &&
           (last < M2P_GUEST_VIRT || gva >= DIRECT_MAP_END);
}

bool guest_range_ok(gva_t gva, uint64_t n)
{
    return is_outside(gva, n) || (copied() && gva + n >= gva);
}

int copy_from_guest(void *to, gva_t from, size_t n)
{
    const struct vcpu *v = copied();

    if (unlikely(v))
        return v->domain->ops->copy(v, to, from, n, false);
    return is_outside(from, n) ? (int)guest_copy((uint64_t)to, from, n) : -XEN_EFAULT;
}

int guest_write(gva_t to, const void *from, size_t n)
{
    const struct vcpu *v = copied();

    if (unlikely(v))
        return v->domain->ops->copy(v, (void *)from, to, n, true);
    return is_outside(to, n) ? (int)guest_copy(to, (uint64_t)from, n) : -XEN_EFAULT;
}

/* (Asked for by control operations alone: no guest of another kind comes here.) */
int guest_write_zeros(gva_t to, size_t n)
{
    return is_outside(to, n) ? (int)guest_clear(to, n) : -XEN_EFAULT;
}
