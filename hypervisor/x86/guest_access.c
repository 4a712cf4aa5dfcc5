/* SPDX-License-Identifier: MIT */
/*
 * Guest copies: the range check, and guest_copy.asm, which touches the memory through the page
 * tables that are loaded. It begins there, where what is at the top is checked; all else comes
 * here. A kind of guest whose addresses are not reached so copies itself.
 *
 * What lies in the hypervisor's range is refused here, because the hypervisor could reach it;
 * everything else is left to the MMU: an absent or read-only page or an address that is not
 * canonical faults, and the copy ends. (CR0.WP is always set.)
 */
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/guest_access.h>
#include <port/nospec.h>
#include <xen/errno.h>

#include "guest_copy.h"
#include "percpu.h"
#include "x86.h"

/* Some addresses at the top, and those below one, are the guest's. */
static inline bool is_at_top(gva_t gva, uint64_t n, uint64_t top)
{
    return -gva <= top && n <= -gva;
}

static inline bool is_below(gva_t gva, uint64_t n, gva_t below)
{
    return gva < below && n <= below - gva;
}

static inline const struct arch_cpu *this_arch(void)
{
    return &this_block()->cpu.arch;
}

/* Whose addresses are not the hypervisor's; NULL: they are. */
static inline const struct vcpu *copied(void)
{
    return this_arch()->copied;
}

bool guest_range_ok(gva_t gva, uint64_t n)
{
    return is_at_top(gva, n, GUEST_TOP) || is_below(gva, n, GUEST_BELOW) ||
           (copied() && gva + n >= gva);
}

/* Where no kernel keeps its data: below, or where the kind of the guest has to look. */
static int copy_elsewhere(void *buf, gva_t gva, size_t n, bool to_guest)
{
    const struct vcpu *v = copied();
    gva_t below = this_arch()->guest_below, at = index_nospec(gva, below);

    if (is_below(gva, n, below))
        return to_guest ? guest_copy(at, (uint64_t)buf, n) : guest_copy((uint64_t)buf, at, n);
    return v ? v->domain->ops->copy(v, buf, gva, n, to_guest) : -XEN_EFAULT;
}

int copy_from_elsewhere(void *to, gva_t from, size_t n)
{
    return copy_elsewhere(to, from, n, false);
}

/* As read_guest_u32(). */
int64_t read_u32_elsewhere(gva_t from)
{
    uint32_t value = 0;

    return copy_elsewhere(&value, from, sizeof(value), false) ? -XEN_EFAULT : (int64_t)value;
}

int write_elsewhere(gva_t to, const void *from, size_t n)
{
    return copy_elsewhere((void *)from, to, n, true);
}

int write_word_elsewhere(gva_t to, uint64_t word)
{
    return write_elsewhere(to, &word, sizeof(word));
}

int try_elsewhere(gva_t at, const void *was, size_t n)
{
    return write_elsewhere(at, was, n);
}

/* (Asked for by control operations alone: no guest of another kind comes here.) */
int guest_write_zeros(gva_t to, size_t n)
{
    const struct arch_cpu *c = this_arch();

    return is_at_top(to, n, c->guest_top) || is_below(to, n, c->guest_below) ? guest_clear(to, n)
                                                                             : -XEN_EFAULT;
}
