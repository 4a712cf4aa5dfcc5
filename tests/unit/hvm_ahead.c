/* SPDX-License-Identifier: MIT */
/*
 * A CPU that runs ahead of the check of a hypercall's number (speculation): a number that is none
 * is an index into the table all the same, and of nothing beside it. Here the check never finds
 * anything: it is compiled with a limit that no number reaches, while the index is computed as
 * always. So the wrong path is walked to its end, where the address sanitizer looks on; and which
 * entry it comes to is seen by the result.
 *
 * Both places in C: VMMCALL, and the entries of multicall, which all kinds of guests have.
 * (SYSCALL's is pv/cpu/entry.asm.)
 */
#include <core/base/hypercall.h>

static const uint64_t no_limit = ~0ull;

#undef NR_HYPERCALLS
#define NR_HYPERCALLS no_limit
#include "../../hypervisor/core/guest/multicall.c"
#include "../../hypervisor/hvm/hypercall.c"

#include "hvm_whole.h"

#include <xen/errno.h>
#include <xen/version.h>

#define TABLE   64u
#define PLACE   0x3000ull
#define VERSION (4 << 16 | 17)

static int setup(void **state)
{
    whole_setup(state);
    whole_told_of_xen();
    return 0;
}

static void the_index_itself(void **state)
{
    static const struct {
        uint32_t nr;
        unsigned int index;
    } edges[] = {{0, 0}, {1, 1}, {63, 63}, {64, 0}, {65, 1}, {127, 63}, {1u << 31, 0}, {~0u, 63}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(edges); i++) {
        v->hc_nr = edges[i].nr;
        assert_int_equal(hypercall_index(v), edges[i].index);
    }
}

static void by_vmmcall(void **state)
{
    (void)state;
    for (uint32_t above = 0; above < 32; above++) {
        uint32_t nr = (1u << above) / TABLE * TABLE;

        assert_int_equal(whole_vmmcall(nr + __HYPERVISOR_xen_version, XENVER_version, 0, 0),
                         VERSION);
        assert_int_equal(whole_vmmcall(nr + TABLE - 1, 0, 0, 0), -XEN_ENOSYS);
    }
}

/* The result of a list of one. */
static long listed(uint64_t nr, uint64_t a)
{
    struct multicall_entry *e = whole_memory(PLACE);

    *e = (struct multicall_entry){.op = nr, .args = {a}};
    assert_int_equal(whole_vmmcall(__HYPERVISOR_multicall, PLACE, 1, 0), 0);
    return (long)e->result;
}

static void by_multicall(void **state)
{
    (void)state;
    for (unsigned int above = 0; above < 64; above++) {
        uint64_t nr = (1ull << above) / TABLE * TABLE;

        assert_int_equal(listed(nr + __HYPERVISOR_xen_version, XENVER_version), VERSION);
        assert_int_equal(listed(nr + TABLE - 1, 0), -XEN_ENOSYS);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_index_itself),
        T(by_vmmcall),
        T(by_multicall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
