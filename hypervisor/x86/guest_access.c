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

/* Some addresses at the top, and those below one, are the guest's. */
static inline bool is_within(gva_t gva, uint64_t n, uint64_t top, gva_t below)
{
    uint64_t to_the_end = -gva;

    return (to_the_end <= top && n <= to_the_end) || (gva < below && n <= below - gva);
}

static inline bool is_reached(gva_t gva, uint64_t n)
{
    const struct arch_cpu *c = &this_block()->cpu.arch;

    return is_within(gva, n, c->guest_top, c->guest_below);
}

/* Whose addresses are not the hypervisor's; NULL: they are. */
static inline const struct vcpu *copied(void)
{
    return this_block()->cpu.arch.copied;
}

bool guest_range_ok(gva_t gva, uint64_t n)
{
    return is_within(gva, n, GUEST_TOP, GUEST_BELOW) || (copied() && gva + n >= gva);
}

static __noinline int copy_elsewhere(void *buf, gva_t gva, size_t n, bool to_guest)
{
    const struct vcpu *v = copied();

    return v ? v->domain->ops->copy(v, buf, gva, n, to_guest) : -XEN_EFAULT;
}

int copy_from_guest(void *to, gva_t from, size_t n)
{
    if (likely(is_reached(from, n)))
        return guest_copy((uint64_t)to, from, n);
    return copy_elsewhere(to, from, n, false);
}

int guest_write(gva_t to, const void *from, size_t n)
{
    if (likely(is_reached(to, n)))
        return guest_copy(to, (uint64_t)from, n);
    return copy_elsewhere((void *)from, to, n, true);
}

/* (Asked for by control operations alone: no guest of another kind comes here.) */
int guest_write_zeros(gva_t to, size_t n)
{
    return is_reached(to, n) ? guest_clear(to, n) : -XEN_EFAULT;
}
