/* SPDX-License-Identifier: MIT */
/*
 * A boot-time guest that waits for a store which nobody serves is named, once; one that is
 * answered, that asks nothing, or that is gone, is not.
 */
#include "core_test.h"

#include <core/base/log.h>
#include <core/life/boot_domains.h>
#include <xen/io/xs_wire.h>

static struct domain *d;
static struct xenstore_domain_interface *ring;

static int setup(void **state)
{
    mfn_t mfn;

    (void)state;
    host_init(4096);
    d = host_domain(DOMID_INVALID, false, 1, 4);
    mfn = page_to_mfn(page_list_first(&d->pages));
    ring = map_frame(mfn);
    memset(ring, 0, PAGE_SIZE);
    store_wait_init();
    store_wait_watch(d, GFN(mfn.n));
    return 0;
}

static unsigned int lines(void)
{
    static char text[70000];
    unsigned int n = 0;
    uint32_t pos = 0;

    text[log_read(text, sizeof(text) - 1, &pos)] = 0;
    for (const char *at = text; (at = strstr(at, "waits for the store")) != NULL; at++)
        n++;
    return n;
}

static void wait_seconds(unsigned int n)
{
    while (n--)
        host_advance(SECONDS(1));
}

static void one_who_waits_is_named_once(void **state)
{
    (void)state;
    log_clear();
    wait_seconds(20);
    assert_int_equal(lines(), 0);
    ring->req_prod = 16;
    wait_seconds(40);
    assert_int_equal(lines(), 1);
}

static void one_who_is_answered_is_not(void **state)
{
    (void)state;
    log_clear();
    for (unsigned int i = 0; i < 60; i++) {
        ring->req_cons = ring->req_prod;
        ring->req_prod += 16;
        wait_seconds(1);
    }
    assert_int_equal(lines(), 0);
}

static void one_who_is_gone_is_not(void **state)
{
    (void)state;
    log_clear();
    ring->req_prod = 16;
    host_destroy(d);
    wait_seconds(60);
    assert_int_equal(lines(), 0);
    host_check_invariants();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_who_waits_is_named_once, setup),
        cmocka_unit_test_setup(one_who_is_answered_is_not, setup),
        cmocka_unit_test_setup(one_who_is_gone_is_not, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
