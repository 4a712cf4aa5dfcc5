/* SPDX-License-Identifier: MIT */
/*
 * Shows what the loader reads out of a kernel file, and what it says about files that are not
 * kernels: each refusal has its error code and a sentence that names the cause.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <elf.h>

#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/features.h>

#include "loader_support.h"

#define BASE 0xffffffff80000000ULL

static const uint64_t base = BASE, entry = BASE + 0x100010, hypercall = BASE + 0x101000;
static const struct segment one = {0x100000, 0x1800, 0x3000};

/* The notes that a kernel needs; tests add to them or replace them. */
#define NOTES                                                                                      \
    {XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"}, {XEN_ELFNOTE_VIRT_BASE, 8, &base},                    \
    {                                                                                              \
        XEN_ELFNOTE_ENTRY, 8, &entry                                                               \
    }

static int parse(const struct note *notes, unsigned int nr, const struct segment *segments,
                 unsigned int nr_segments, struct loader_image *image, struct loader_error *error)
{
    struct kernel_spec spec = {.entry = 1,
                               .notes = notes,
                               .nr_notes = nr,
                               .segments = segments,
                               .nr_segments = nr_segments};
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);
    int rc = loader_parse(image, file, size, error);

    free(file);
    return rc;
}

#define PARSE(notes, image, error)                                                                 \
    parse(notes, sizeof(notes) / sizeof(notes[0]), &one, 1, image, error)

static void assert_refused(int rc, const struct loader_error *error, const char *text)
{
    assert_int_equal(rc, -XEN_ENOEXEC);
    if (!strstr(error->text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, error->text);
}

static void minimal(void **state)
{
    const struct note notes[] = {NOTES};
    struct loader_image image;
    struct loader_error error;

    (void)state;
    assert_int_equal(PARSE(notes, &image, &error), 0);
    assert_int_equal(image.virt_base, BASE);
    assert_int_equal(image.virt_start, BASE + 0x100000);
    assert_int_equal(image.virt_end, BASE + 0x103000);
    assert_int_equal(image.entry, entry);
    assert_true(image.hypercall_page == LOADER_NONE);
    assert_true(image.init_p2m == LOADER_NONE);
    assert_false(image.mod_start_pfn);
    assert_string_equal(image.xen_version, "xen-3.0");
}

static void every_note(void **state)
{
    const uint64_t p2m = 0x8000000000ULL, offset = 0x80000;
    const uint32_t yes = 1, supported = 1u << XENFEAT_dom0;
    const uint64_t moved = BASE + 0x80010, page = BASE + 0x81000;
    const struct note notes[] = {
        {XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"},
        {XEN_ELFNOTE_VIRT_BASE, 8, &base},
        {XEN_ELFNOTE_ENTRY, 8, &moved},
        {XEN_ELFNOTE_PADDR_OFFSET, 8, &offset},
        {XEN_ELFNOTE_HYPERCALL_PAGE, 8, &page},
        {XEN_ELFNOTE_INIT_P2M, 8, &p2m},
        {XEN_ELFNOTE_MOD_START_PFN, 4, &yes},
        {XEN_ELFNOTE_SUPPORTED_FEATURES, 4, &supported},
        {XEN_ELFNOTE_FEATURES, 55, "!writable_page_tables|pae_pgdir_above_4gb|from_the_moon"},
        {XEN_ELFNOTE_GUEST_OS, 6, "te\1t."},
        {XEN_ELFNOTE_GUEST_VERSION, 4, "2.6"},
        {XEN_ELFNOTE_LOADER, 8, "generic"},
        {0x7777, 3, "new"},
    };
    struct loader_image image;

    (void)state;
    assert_int_equal(PARSE(notes, &image, NULL), 0);
    assert_int_equal(image.virt_start, BASE + 0x80000);
    assert_int_equal(image.entry, moved);
    assert_int_equal(image.hypercall_page, page);
    assert_int_equal(image.init_p2m, p2m);
    assert_true(image.mod_start_pfn);
    assert_true(image.has_supported_features);
    assert_int_equal(image.features_required, 1u << XENFEAT_writable_page_tables);
    assert_int_equal(image.features_supported, 1u << XENFEAT_writable_page_tables |
                                                   1u << XENFEAT_pae_pgdir_above_4gb |
                                                   1u << XENFEAT_dom0);
    assert_string_equal(image.guest_os, "te?t.");
    assert_string_equal(image.guest_version, "2.6");
    assert_string_equal(image.loader, "generic");
}

static void notes_in_a_section(void **state)
{
    const struct note notes[] = {NOTES, {XEN_ELFNOTE_HYPERCALL_PAGE, 8, &hypercall}};
    const struct kernel_spec spec = {.notes = notes,
                                     .nr_notes = 4,
                                     .segments = &one,
                                     .nr_segments = 1,
                                     .notes_in_section = true};
    struct loader_image image;
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);

    (void)state;
    assert_int_equal(loader_parse(&image, file, size, NULL), 0);
    assert_int_equal(image.hypercall_page, hypercall);
    free(file);
}

static int parse_with_tail(const void *tail, size_t size, struct loader_image *image,
                           struct loader_error *error)
{
    const struct note notes[] = {NOTES, {XEN_ELFNOTE_HYPERCALL_PAGE, 8, &hypercall}};
    const struct kernel_spec spec = {.notes = notes,
                                     .nr_notes = 4,
                                     .segments = &one,
                                     .nr_segments = 1,
                                     .tail = tail,
                                     .tail_size = size};
    size_t total;
    uint8_t *file = make_kernel(&spec, &total);
    int rc = loader_parse(image, file, total, error);

    free(file);
    return rc;
}

/* What linkers and other tools leave behind the kernel's own notes does not unmake these. */
static void what_follows_the_notes(void **state)
{
    /* padding to 8, then a note that is aligned to 8, as a linker merges them */
    static const uint32_t gnu_after_padding[] = {0, 4, 16, 5, 0x00554e47, 0xc0000002, 4, 3, 0};
    static const uint32_t gnu[] = {4, 16, 5, 0x00554e47, 0xc0000002, 4, 3, 0};
    static const uint32_t zeros[16] = {0};
    static const uint32_t cut_gnu[] = {4, 17, 5, 0x00554e47, 1};
    static const uint32_t cut_xen[] = {4, 8, XEN_ELFNOTE_ENTRY, 0x006e6558, 1};
    static const uint32_t name_alone[] = {4, 0, XEN_ELFNOTE_LOADER, 0x006e6558};
    static const uint8_t ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const struct {
        const void *bytes;
        size_t size;
    } tails[] = {
        {gnu_after_padding, sizeof(gnu_after_padding)},
        {gnu, sizeof(gnu)},
        {zeros, sizeof(zeros)},
        {cut_gnu, sizeof(cut_gnu)},
        {name_alone, sizeof(name_alone)},
        {ones, 16},
        {ones, 12},
        {ones, 11},
        {ones, 1},
    };
    struct loader_image image;
    struct loader_error error;

    (void)state;
    for (unsigned int i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        if (parse_with_tail(tails[i].bytes, tails[i].size, &image, &error))
            fail_msg("tail %u: %s", i, error.text);
        assert_int_equal(image.entry, entry);
        assert_int_equal(image.hypercall_page, hypercall);
    }
    assert_refused(parse_with_tail(cut_xen, sizeof(cut_xen), &image, &error), &error,
                   "Xen's ELF note 1 is cut off");
}

static void entry_of_the_elf_header(void **state)
{
    const struct note notes[] = {{XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"}};
    const struct segment low = {0, 0x1000, 0x1000};
    struct loader_image image;

    (void)state;
    assert_int_equal(parse(notes, 1, &low, 1, &image, NULL), 0);
    assert_int_equal(image.virt_base, 0);
    assert_int_equal(image.entry, 1);
}

static void not_elf(void **state)
{
    const struct note notes[] = {NOTES};
    struct kernel_spec spec = {.notes = notes, .nr_notes = 3, .segments = &one, .nr_segments = 1};
    struct loader_image image;
    struct loader_error error;
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);
    Elf64_Ehdr *h = (void *)file;

    (void)state;
    assert_refused(loader_parse(&image, file, 0, &error), &error, "too few");
    assert_refused(loader_parse(&image, file, 63, &error), &error, "too few");
    assert_refused(loader_parse(&image, file, 64, &error), &error, "program headers");
    assert_refused(loader_parse(&image, file, size - 1, &error), &error, "truncated: segment 0");
    h->e_machine = EM_AARCH64;
    assert_refused(loader_parse(&image, file, size, &error), &error, "another machine (183)");
    h->e_ident[EI_CLASS] = ELFCLASS32;
    assert_refused(loader_parse(&image, file, size, &error), &error, "32-bit");
    h->e_ident[0] = 'M';
    assert_refused(loader_parse(&image, file, size, &error), &error, "not an ELF file");
    free(file);
}

static void not_paravirtual(void **state)
{
    const struct note old[] = {{XEN_ELFNOTE_XEN_VERSION, 8, "xen-2.0"}};
    const struct note other[] = {NOTES, {XEN_ELFNOTE_LOADER, 6, "weird"}};
    const struct note hvm[] = {NOTES, {XEN_ELFNOTE_FEATURES, 25, "!auto_translated_physmap"}};
    const struct note super[] = {NOTES, {XEN_ELFNOTE_FEATURES, 24, "!supervisor_mode_kernel"}};
    struct loader_image image;
    struct loader_error error;

    (void)state;
    assert_refused(parse(NULL, 0, &one, 1, &image, &error), &error, "no Xen ELF notes");
    assert_refused(PARSE(old, &image, &error), &error, "\"xen-2.0\"");
    assert_refused(PARSE(other, &image, &error), &error, "LOADER is \"weird\"");
    assert_refused(PARSE(hvm, &image, &error), &error, "auto_translated_physmap");
    assert_refused(PARSE(super, &image, &error), &error, "supervisor_mode_kernel");
}

static void notes_that_lie(void **state)
{
    const uint64_t outside = BASE + 0x103000, odd = BASE + 0x101008, offset = 0x200000;
    const struct note size[] = {NOTES, {XEN_ELFNOTE_INIT_P2M, 5, "12345"}};
    const struct note far_entry[] = {NOTES, {XEN_ELFNOTE_ENTRY, 8, &outside}};
    const struct note far_page[] = {NOTES, {XEN_ELFNOTE_HYPERCALL_PAGE, 8, &outside}};
    const struct note odd_page[] = {NOTES, {XEN_ELFNOTE_HYPERCALL_PAGE, 8, &odd}};
    const struct note odd_p2m[] = {NOTES, {XEN_ELFNOTE_INIT_P2M, 8, &odd}};
    const struct note odd_base[] = {NOTES, {XEN_ELFNOTE_VIRT_BASE, 8, &odd}};
    const struct note below[] = {NOTES, {XEN_ELFNOTE_PADDR_OFFSET, 8, &offset}};
    const struct note baseless[] = {{XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"},
                                    {XEN_ELFNOTE_PADDR_OFFSET, 8, &offset}};
    struct loader_image image;
    struct loader_error error;

    (void)state;
    assert_refused(PARSE(size, &image, &error), &error, "INIT_P2M has 5 bytes");
    assert_refused(PARSE(far_entry, &image, &error), &error, "entry 0xffffffff80103000");
    assert_refused(PARSE(far_page, &image, &error), &error, "HYPERCALL_PAGE");
    assert_refused(PARSE(odd_page, &image, &error), &error, "HYPERCALL_PAGE");
    assert_refused(PARSE(odd_p2m, &image, &error), &error, "INIT_P2M");
    assert_refused(PARSE(odd_base, &image, &error), &error, "VIRT_BASE");
    assert_refused(PARSE(below, &image, &error), &error, "below PADDR_OFFSET");
    assert_refused(PARSE(baseless, &image, &error), &error, "needs the note VIRT_BASE");
}

static void segments_that_lie(void **state)
{
    const struct note notes[] = {NOTES};
    const struct segment shrunk = {0x100000, 0x2000, 0x1000};
    const struct segment wraps = {UINT64_MAX - 0x1000, 0x10, 0x2000};
    const struct segment high = {0x80000000, 0x10, 0x1000};
    const struct segment none = {0x100000, 0, 0};
    const struct segment over[] = {{0x100000, 0x10, 0x2000}, {0x101fff, 0x10, 0x2000}};
    const struct segment beside[] = {{0x102000, 0x10, 0x2000}, {0x100000, 0x10, 0x2000}};
    struct loader_image image;
    struct loader_error error;

    (void)state;
    assert_refused(parse(notes, 3, &shrunk, 1, &image, &error), &error, "larger in the file");
    assert_refused(parse(notes, 3, &wraps, 1, &image, &error), &error, "wraps around");
    assert_refused(parse(notes, 3, &high, 1, &image, &error), &error, "above VIRT_BASE");
    assert_refused(parse(notes, 3, &none, 1, &image, &error), &error, "nothing to load");
    assert_refused(parse(notes, 3, over, 2, &image, &error), &error, "segments overlap");
    assert_int_equal(parse(notes, 3, beside, 2, &image, &error), 0);
}

/* As many runs of notes as there can be, each as long as the file, would be looked at for ever. */
static void notes_that_overlap(void **state)
{
    const struct note notes[] = {NOTES};
    const struct segment two[] = {{0x100000, 0x10, 0x2000}, {0x102000, 0x10, 0x2000}};
    const struct kernel_spec spec = {
        .notes = notes, .nr_notes = 3, .segments = two, .nr_segments = 2};
    struct loader_image image;
    struct loader_error error;
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);
    Elf64_Phdr run = {.p_type = PT_NOTE, .p_filesz = size};

    (void)state;
    assert_int_equal(loader_parse(&image, file, size, &error), 0);
    memcpy(file + sizeof(Elf64_Ehdr), &run, sizeof(run));
    assert_refused(loader_parse(&image, file, size, &error), &error, "notes overlap");
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimal),
        cmocka_unit_test(every_note),
        cmocka_unit_test(notes_in_a_section),
        cmocka_unit_test(what_follows_the_notes),
        cmocka_unit_test(entry_of_the_elf_header),
        cmocka_unit_test(not_elf),
        cmocka_unit_test(not_paravirtual),
        cmocka_unit_test(notes_that_lie),
        cmocka_unit_test(segments_that_lie),
        cmocka_unit_test(notes_that_overlap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
