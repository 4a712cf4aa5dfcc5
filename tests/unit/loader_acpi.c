/* SPDX-License-Identifier: MIT */
/*
 * Shows that the ACPI tables of a fully virtualized domain are ones: for each number of vCPUs they
 * please the judge (acpi_judge.c: sums, lengths, addresses, what they say), wherever they lie, and
 * not a byte beside their page is written; the judge sees each byte that is damaged; and the
 * disassembler of ACPI's authors (Debian's acpica-tools) reads in them what is meant, and makes
 * from its reading of the DSDT the same AML again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../hypervisor/loader/internal.h"
#include "acpi_judge.h"

#include <parvis/loader_pvh.h>

#define PAGE 4096u

static void for_each_number_of_vcpus(void **state)
{
    uint8_t *page = malloc(PAGE); /* the sanitizer watches what is beside it */

    (void)state;
    for (unsigned int n = 1; n <= HVM_MAX_VCPUS; n++) {
        const char *fault;

        memset(page, 0xa5, PAGE);
        write_acpi(page, 0xfc000000, n);
        fault = check_acpi(page, PAGE, 0xfc000000, n);
        if (fault)
            fail_msg("%u vCPUs: %s", n, fault);
        assert_non_null(check_acpi(page, PAGE, 0xfc000000, n + 1));
    }
    free(page);
}

/* XSA-464: whatever the page held before. */
static void nothing_else_is_in_the_page(void **state)
{
    static uint8_t one[PAGE], other[PAGE];

    (void)state;
    memset(one, 0xa5, PAGE);
    memset(other, 0x5a, PAGE);
    write_acpi(one, 0xfc000000, 3);
    write_acpi(other, 0xfc000000, 3);
    assert_memory_equal(one, other, PAGE);
}

static void at_any_address(void **state)
{
    static const uint64_t addresses[] = {0x1000, 0xe0000, 0x7ffff000, 0xfffff000};
    uint8_t page[PAGE];

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        write_acpi(page, addresses[i], 2);
        assert_null(check_acpi(page, PAGE, addresses[i], 2));
        assert_non_null(check_acpi(page, PAGE, addresses[i] + PAGE, 2));
    }
}

/* Every byte of a table but the FACS's own is under a sum. */
static void each_byte_counts(void **state)
{
    static const char *const names[] = {"XSDT", "FACP", "APIC", "DSDT"};
    uint8_t page[PAGE];

    (void)state;
    write_acpi(page, 0xfc000000, 3);
    for (unsigned int i = 0; i < 4; i++) {
        uint32_t length;
        const uint8_t *at = find_acpi(page, PAGE, 0xfc000000, names[i], &length);

        assert_non_null(at);
        for (uint32_t n = 0; n < length; n++) {
            uint8_t *byte = &page[at - page + n];

            *byte ^= 0x10;
            assert_non_null(check_acpi(page, PAGE, 0xfc000000, 3));
            *byte ^= 0x10;
        }
    }
    for (uint32_t n = 0; n < 36; n++) { /* the RSDP */
        page[n] ^= 1;
        assert_non_null(check_acpi(page, PAGE, 0xfc000000, 3));
        page[n] ^= 1;
    }
    assert_null(check_acpi(page, PAGE, 0xfc000000, 3));
}

/* What the command says, in heap memory. */
static char *output_of(const char *command)
{
    FILE *pipe = popen(command, "r");
    size_t size = 1 << 20, n;
    char *text = calloc(1, size);

    assert_non_null(pipe);
    n = fread(text, 1, size - 1, pipe);
    assert_true(n < size - 1);
    if (pclose(pipe) != 0)
        fail_msg("%s: %s", command, text);
    return text;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* A field as the disassembler shows it: words in one line, in this order. */
static const char *const readings[][2] = {
    {"XSDT", "ACPI Table Address   1 : 00000000FC"},
    {"FACS", "Length : 00000040"},
    {"FACP", "SCI Interrupt : 0009"},
    {"FACP", "SMI Command Port : 00000000"},
    {"FACP", "PM1A Event Block Address : 00000600"},
    {"FACP", "PM1A Control Block Address : 00000604"},
    {"FACP", "PM Timer Block Address : 00000608"},
    {"FACP", "PM1 Event Block Length : 04"},
    {"FACP", "PM1 Control Block Length : 02"},
    {"FACP", "PM Timer Block Length : 04"},
    {"FACP", "Legacy Devices Supported (V2) : 1"},
    {"FACP", "8042 Present on ports 60/64 (V2) : 0"},
    {"FACP", "VGA Not Present (V4) : 1"},
    {"FACP", "MSI Not Supported (V4) : 1"},
    {"FACP", "CMOS RTC Not Present (V5) : 1"},
    {"FACP", "Control Method Power Button (V1) : 0"},
    {"FACP", "Control Method Sleep Button (V1) : 1"},
    {"FACP", "Reset Register Supported (V2) : 1"},
    {"FACP", "Hardware Reduced (V5) : 0"},
    {"FACP", "Value to cause reset : 06"},
    {"FACP", "Address : 0000000000000CF9"},
    {"APIC", "Local Apic Address : FEE00000"},
    {"APIC", "PC-AT Compatibility : 1"},
    {"APIC", "Processor ID : 03"},
    {"APIC", "Local Apic ID : 03"},
    {"APIC", "Interrupt Input LINT : 01"},
    {"DSDT", "Name (_S5, Package (0x04)"},
};

static void disassemble(const char *folder, const uint8_t *page, const char *name)
{
    uint32_t length;
    const uint8_t *at = find_acpi(page, PAGE, HVM_SPECIAL, name, &length);
    char path[256], command[512], *text;

    assert_non_null(at);
    snprintf(path, sizeof(path), "%s/%s.dat", folder, name);
    write_file(path, at, length);
    snprintf(command, sizeof(command), "cd %s && iasl -d %s.dat 2>&1 && cat %s.dsl", folder, name,
             name);
    text = output_of(command);
    for (unsigned int i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        if (strcmp(readings[i][0], name) == 0 && !strstr(text, readings[i][1]))
            fail_msg("%s: \"%s\" is not in %s", name, readings[i][1], text);
    }
    if (strstr(text, "rror") || strstr(text, "arning") || strstr(text, "terminates") ||
        strstr(text, "nvalid") || strstr(text, "ncorrect"))
        fail_msg("%s: %s", name, text);
    free(text);
}

static void their_authors_read_them(void **state)
{
    static const char *const names[] = {"XSDT", "FACP", "FACS", "APIC", "DSDT"};
    char folder[] = "/tmp/parvis-acpi-XXXXXX", command[256], *text;
    uint8_t page[PAGE], again[64];
    uint32_t length;
    const uint8_t *dsdt;
    FILE *f;

    (void)state;
    assert_non_null(mkdtemp(folder));
    write_acpi(page, HVM_SPECIAL, 4);
    for (unsigned int i = 0; i < 5; i++)
        disassemble(folder, page, names[i]);

    snprintf(command, sizeof(command), "cd %s && iasl DSDT.dsl 2>&1", folder);
    text = output_of(command);
    if (!strstr(text, "0 Errors, 0 Warnings, 0 Remarks"))
        fail_msg("%s", text);
    free(text);
    snprintf(command, sizeof(command), "%s/DSDT.aml", folder);
    f = fopen(command, "rb");
    assert_non_null(f);
    dsdt = find_acpi(page, PAGE, HVM_SPECIAL, "DSDT", &length);
    assert_int_equal(fread(again, 1, sizeof(again), f), length);
    fclose(f);
    assert_memory_equal(dsdt + 36, again + 36, length - 36); /* before: who made it, its sum */

    snprintf(command, sizeof(command), "rm -r %s", folder);
    free(output_of(command));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_each_number_of_vcpus), cmocka_unit_test(nothing_else_is_in_the_page),
        cmocka_unit_test(at_any_address),           cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(their_authors_read_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
