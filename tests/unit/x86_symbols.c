/* SPDX-License-Identifier: MIT */
/*
 * Names of code addresses: the function of an address is the last one that does not begin above it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../hypervisor/x86/symbols.h"

const uint64_t symbol_count = 5;
const uint64_t symbol_addresses[] = {0x1000, 0x1010, 0x1100, 0x2000, 0xffff82d040000000};
const uint32_t symbol_offsets[] = {0, 6, 10, 14, 17};
const char symbol_names[] = "start\0one\0two\0x\0\0high";

static void expect(uint64_t address, const char *name, uint64_t offset)
{
    uint64_t found = 0;
    const char *got = symbol_lookup(address, &found);

    assert_non_null(got);
    assert_string_equal(got, name);
    assert_int_equal(found, offset);
}

static void test_lookup(void **state)
{
    uint64_t offset;

    (void)state;
    assert_null(symbol_lookup(0, &offset));
    assert_null(symbol_lookup(0xfff, &offset));
    expect(0x1000, "start", 0);
    expect(0x100f, "start", 15);
    expect(0x1010, "one", 0);
    expect(0x10ff, "one", 0xef);
    expect(0x1100, "two", 0);
    expect(0x2000, "x", 0);
    expect(0xffff82d03fffffff, "x", 0xffff82d03fffdfff);
    expect(0xffff82d040000000, "high", 0);
    expect(~0ull, "high", ~0ull - 0xffff82d040000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lookup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
