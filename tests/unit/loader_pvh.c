/* SPDX-License-Identifier: MIT */
/*
 * Shows that a fully virtualized domain is laid out as guests expect, for memory of sizes that are
 * no round numbers, on both sides of 3 GiB, for kernels and ramdisks that fill it to the last page;
 * that kernels that cannot be started so, and what does not fit, are refused with a sentence that
 * names the cause, before anything is written; and that a page that cannot be mapped ends the work
 * with an error.
 *
 * The judge (pvh_judge.c) reads the result as a guest does; here are the inputs and what the judge
 * cannot know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <elf.h>

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/start_info.h>

#include "pvh_judge.h"

#define MIB  (1ULL << 20)
#define GIB  (1ULL << 30)
#define BASE 0xffffffff80000000ULL

/* As Linux is: high, at 16 MiB; and small, at 1 MiB. */
static const struct simple_kernel linux_like = {
    .virt_base = BASE, .paddr = 16 * MIB, .size = 3 * MIB, .pvh_entry = 16 * MIB + 0x1b0};
static const struct simple_kernel tiny = {.paddr = MIB, .size = 123456, .pvh_entry = MIB + 123455};

static uint8_t ramdisk[3 * PAGE + 17];

static struct loader_config config_of(uint64_t nr_pages)
{
    return (struct loader_config){
        .nr_pages = nr_pages,
        .nr_vcpus = 2,
        .cmdline = "console=ttyS0 x=y",
        .ramdisk = ramdisk,
        .ramdisk_size = sizeof(ramdisk),
    };
}

static void judge_kernel_bytes(const struct pvh_memory *p, const struct simple_kernel *k)
{
    uint64_t in_file = k->size - k->size / 4;
    const uint8_t *bytes = pvh_bytes(p, k->paddr, k->size);

    assert_non_null(bytes);
    for (uint64_t i = 0; i < k->size; i++) {
        if (bytes[i] != (i < in_file ? kernel_byte(0, i) : 0))
            fail_msg("byte %#llx of the kernel is wrong", (unsigned long long)i);
    }
}

/* From file to judgement. */
static void lay_out(const struct simple_kernel *k, const struct loader_config *config,
                    uint64_t max_window, struct loader_pvh_layout *layout)
{
    struct loader_image image;
    struct loader_error error = {"no error"};
    struct pvh_memory p;
    const char *fault;
    size_t size;
    uint8_t *file = make_simple_kernel(k, &size);

    pvh_memory_init(&p, config->nr_pages);
    p.m.max_window = max_window;
    if (loader_pvh_parse(&image, file, size, &error) ||
        loader_pvh_plan(layout, &image, config, &error) ||
        loader_pvh_write(layout, &image, config, &p.target, &error))
        fail_msg("%s", error.text);
    fault = check_pvh_domain(&p, layout, &image, config);
    if (fault)
        fail_msg("%llu pages: %s", (unsigned long long)config->nr_pages, fault);
    judge_kernel_bytes(&p, k);
    memory_free(&p.m);
    free(file);
}

static void a_linux_guest(void **state)
{
    struct loader_config config = config_of(8192);
    struct loader_pvh_layout l;

    (void)state;
    lay_out(&linux_like, &config, 0, &l);
    assert_int_equal(l.entry, 16 * MIB + 0x1b0);
    assert_int_equal(l.kernel_gfn, 4096);
    assert_int_equal(l.kernel_pages, 768);
    assert_int_equal(l.start_info_gfn, 8191); /* as high as there is memory, */
    assert_int_equal(l.ramdisk_gfn, 8187);    /* and right below it */
    assert_int_equal(l.nr_ranges, 3);
}

static void memory_of_any_size(void **state)
{
    static const uint64_t sizes[] = {
        HVM_MIN_PAGES, 1025,
        2047,          4096 /* 16 MiB */,
        65534,         65535,
        262143,        262145, /* about 1 GiB */
        524287,        524289, /* about 2 GiB */
        786431,        786432,
        786433, /* about 3 GiB */
        1048576,       1572864 /* 6 GiB */,
        3333333,
    };
    struct loader_pvh_layout l;

    (void)state;
    for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct loader_config config = config_of(sizes[i]);

        config.nr_vcpus = i ? i * 4 : 64;
        lay_out(&tiny, &config, 0, &l);
        assert_int_equal(l.nr_ranges, sizes[i] > 786432 ? 4 : 3);
        assert_int_equal(l.start_info_gfn, (sizes[i] < 262144 ? sizes[i] : 262144) - 1);
        assert_in_range((l.ramdisk_gfn + l.ramdisk_pages) * PAGE, PAGE, 2 * GIB);
        if (sizes[i] > 786432) {
            assert_int_equal(l.range[3].gfn * PAGE, 4 * GIB);
            assert_int_equal(l.range[3].pages, sizes[i] - 786432);
        }
    }
}

static void windows_of_any_size(void **state)
{
    struct loader_config config = config_of(2048);
    struct loader_pvh_layout l;

    (void)state;
    for (uint64_t window = 1; window < 5; window++)
        lay_out(&tiny, &config, window, &l);
}

static void without_a_ramdisk(void **state)
{
    static char longest[MAX_GUEST_CMDLINE];
    struct loader_config config = config_of(HVM_MIN_PAGES);
    struct loader_pvh_layout l;

    (void)state;
    config.ramdisk = NULL;
    config.cmdline = NULL;
    lay_out(&tiny, &config, 0, &l);
    assert_true(l.ramdisk_gfn == LOADER_NONE);
    config.ramdisk = ramdisk;
    config.ramdisk_size = 0;
    memset(longest, 'x', sizeof(longest) - 1);
    config.cmdline = longest;
    lay_out(&tiny, &config, 0, &l);
    assert_true(l.ramdisk_gfn == LOADER_NONE);
}

/* A kernel in the first MiB, one at the very end of memory, one from the first byte on. */
static void kernels_anywhere(void **state)
{
    struct loader_config config = config_of(HVM_MIN_PAGES);
    struct simple_kernel k = {.paddr = 0x8000, .size = 0x5000, .pvh_entry = 0x8010};
    struct loader_pvh_layout l;

    (void)state;
    lay_out(&k, &config, 0, &l);
    assert_int_equal(l.start_info_gfn, 1023);
    k = (struct simple_kernel){.paddr = 0, .size = 0x2123, .pvh_entry = 0x10};
    lay_out(&k, &config, 0, &l);
    k = (struct simple_kernel){.paddr = 3 * MIB + 5, .size = MIB - 5, .pvh_entry = 4 * MIB - 1};
    lay_out(&k, &config, 0, &l);
    assert_int_equal(l.start_info_gfn, 767); /* below it */
}

static int plan(const struct simple_kernel *k, const struct loader_config *config,
                struct loader_pvh_layout *layout, struct loader_error *error)
{
    struct loader_image image;
    size_t size;
    uint8_t *file = make_simple_kernel(k, &size);
    int rc;

    assert_int_equal(loader_pvh_parse(&image, file, size, error), 0);
    rc = loader_pvh_plan(layout, &image, config, error);
    free(file);
    return rc;
}

static void assert_refused(int rc, int expected, const struct loader_error *error, const char *text)
{
    assert_int_equal(rc, expected);
    if (!strstr(error->text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, error->text);
}

/* To the last page, and one page more. */
static void what_just_fits(void **state)
{
    struct loader_config config = config_of(HVM_MIN_PAGES);
    uint64_t room = HVM_MIN_PAGES - 256 - 31 - 1; /* legacy, kernel, start info */
    uint8_t *disk = calloc(room + 1, PAGE);
    struct simple_kernel k = tiny;
    struct loader_pvh_layout l;
    struct loader_error error;

    (void)state;
    config.ramdisk = disk;
    config.ramdisk_size = room * PAGE;
    lay_out(&tiny, &config, 0, &l);
    assert_int_equal(l.ramdisk_gfn, 256 + 31);
    config.ramdisk_size++;
    assert_refused(
        plan(&tiny, &config, &l, &error), -XEN_ENOMEM, &error,
        "start page: no room for 2952 KiB beside the kernel (at 1024 to 1148 KiB) in the "
        "4096 KiB below 3 GiB");
    free(disk);
    config.ramdisk = NULL;
    k.size = 3 * MIB - PAGE;
    lay_out(&k, &config, 0, &l);
    k.size++; /* the first MiB is free, but for nobody */
    assert_refused(plan(&k, &config, &l, &error), -XEN_ENOMEM, &error,
                   "start page: no room for 4 KiB");
}

/* Between 2 and 3 GiB when there is no room below. Nothing of it is read by the plan. */
static void a_large_ramdisk(void **state)
{
    struct loader_config config = config_of(6 * GIB / PAGE);
    struct loader_pvh_layout l;
    struct loader_error error;

    (void)state;
    config.ramdisk_size = GIB;
    assert_int_equal(plan(&tiny, &config, &l, &error), 0);
    assert_int_equal(l.ramdisk_gfn * PAGE, GIB);
    config.ramdisk_size = 2 * GIB;
    assert_int_equal(plan(&tiny, &config, &l, &error), 0);
    assert_int_equal((l.start_info_gfn + 1) * PAGE, GIB);
    assert_int_equal(l.ramdisk_gfn * PAGE, GIB);
    config.ramdisk_size = 3 * GIB;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_ENOMEM, &error, "start page: no room");
    config.ramdisk_size = UINT64_MAX;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_ENOMEM, &error, "start page: no room");
}

static void what_does_not_fit(void **state)
{
    static const struct segment high = {4 * GIB, 0x10, 0x1000};
    const uint64_t entry = 4 * GIB;
    const struct note notes[] = {{XEN_ELFNOTE_PHYS32_ENTRY, 8, &entry}};
    const struct kernel_spec spec = {
        .notes = notes, .nr_notes = 1, .segments = &high, .nr_segments = 1};
    struct loader_config config = config_of(4096 + 767);
    char cmdline[MAX_GUEST_CMDLINE + 1] = {0};
    struct loader_pvh_layout l;
    struct loader_image image;
    struct loader_error error;
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);

    (void)state;
    assert_refused(plan(&linux_like, &config, &l, &error), -XEN_ENOMEM, &error,
                   "kernel: needs 19 MiB, the domain has 18 MiB");
    config = config_of(8 * GIB / PAGE);
    assert_int_equal(loader_pvh_parse(&image, file, size, &error), 0);
    assert_refused(loader_pvh_plan(&l, &image, &config, &error), -XEN_ENOEXEC, &error,
                   "lie at 0x100000000 to 0x100001000, beyond 0xc0000000");
    config.nr_pages = HVM_MIN_PAGES - 1;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_EINVAL, &error, "memory: 1023 pages");
    config.nr_pages = UINT64_MAX;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_EINVAL, &error, "memory: ");
    config = config_of(4096);
    config.nr_vcpus = 0;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_EINVAL, &error, "vcpus: 0 are not");
    config.nr_vcpus = 65;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_EINVAL, &error, "between 1 and 64");
    config.nr_vcpus = 1;
    memset(cmdline, 'x', MAX_GUEST_CMDLINE);
    config.cmdline = cmdline;
    assert_refused(plan(&tiny, &config, &l, &error), -XEN_EINVAL, &error, "longer than 1023 bytes");
    free(file);
}

static int parse(const struct note *notes, unsigned int nr, const struct segment *segments,
                 unsigned int nr_segments, struct loader_image *image, struct loader_error *error)
{
    const struct kernel_spec spec = {
        .notes = notes, .nr_notes = nr, .segments = segments, .nr_segments = nr_segments};
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);
    int rc = loader_pvh_parse(image, file, size, error);

    free(file);
    return rc;
}

static void no_kernels(void **state)
{
    const uint32_t entry = 0x100010, below = 0xfffff, behind = 0x102000;
    const struct note good[] = {{XEN_ELFNOTE_PHYS32_ENTRY, 4, &entry}};
    const struct note other[] = {{XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"}};
    const struct note low[] = {{XEN_ELFNOTE_PHYS32_ENTRY, 4, &below}};
    const struct note high[] = {{XEN_ELFNOTE_PHYS32_ENTRY, 4, &behind}};
    const struct note odd[] = {{XEN_ELFNOTE_PHYS32_ENTRY, 3, &entry}};
    const struct segment one = {0x100000, 0x10, 0x2000};
    const struct segment over[] = {{0x100000, 0x10, 0x2000}, {0x101fff, 0x10, 0x2000}};
    struct loader_image image;
    struct loader_error error;

    (void)state;
    assert_int_equal(parse(good, 1, &one, 1, &image, &error), 0);
    assert_int_equal(image.pvh_entry, entry);
    assert_refused(parse(NULL, 0, &one, 1, &image, &error), -XEN_ENOEXEC, &error,
                   "cannot be started by PVH: it lacks the ELF note PHYS32_ENTRY");
    assert_refused(parse(other, 1, &one, 1, &image, &error), -XEN_ENOEXEC, &error, "it lacks");
    assert_refused(parse(low, 1, &one, 1, &image, &error), -XEN_ENOEXEC, &error,
                   "PHYS32_ENTRY 0xfffff lies outside the kernel (0x100000 to 0x102000)");
    assert_refused(parse(high, 1, &one, 1, &image, &error), -XEN_ENOEXEC, &error, "outside");
    assert_refused(parse(odd, 1, &one, 1, &image, &error), -XEN_ENOEXEC, &error, "has 3 bytes");
    assert_refused(parse(good, 1, over, 2, &image, &error), -XEN_ENOEXEC, &error, "overlap");
    assert_refused(parse(good, 1, &one, 0, &image, &error), -XEN_ENOEXEC, &error,
                   "nothing to load");
}

static void files_that_are_damaged(void **state)
{
    struct loader_image image;
    struct loader_error error;
    size_t size;
    uint8_t *file = make_simple_kernel(&tiny, &size);

    (void)state;
    assert_refused(loader_pvh_parse(&image, file, 63, &error), -XEN_ENOEXEC, &error, "too few");
    assert_refused(loader_pvh_parse(&image, file, size - 1, &error), -XEN_ENOEXEC, &error,
                   "truncated: segment 0");
    ((Elf64_Ehdr *)(void *)file)->e_ident[EI_CLASS] = ELFCLASS32;
    assert_refused(loader_pvh_parse(&image, file, size, &error), -XEN_ENOEXEC, &error, "32-bit");
    file[0] = 0;
    assert_refused(loader_pvh_parse(&image, file, size, &error), -XEN_ENOEXEC, &error,
                   "not an ELF");
    free(file);
}

/* What the notes say for paravirtualization is of no account, and the other way round. */
static void both_kinds_in_one_file(void **state)
{
    struct loader_config config = config_of(8192);
    struct simple_kernel k = linux_like;
    struct loader_pvh_layout l;
    struct loader_image image;
    size_t size;
    uint8_t *file;

    (void)state;
    k.init_p2m = 0x8000000000ULL;
    k.hypercall_page = BASE + k.paddr + 0x1000;
    k.mod_start_pfn = true;
    lay_out(&k, &config, 0, &l);
    file = make_simple_kernel(&k, &size);
    assert_int_equal(loader_parse(&image, file, size, NULL), 0);
    assert_int_equal(image.entry, BASE + 16 * MIB + 16);
    free(file);
}

/* PADDR_OFFSET says where a paravirtual kernel's addresses begin; here they are what they are. */
static void an_offset_of_the_other_kind(void **state)
{
    const uint64_t offset = 0x200000, base = BASE, entry = 0x201000;
    const struct note notes[] = {{XEN_ELFNOTE_PADDR_OFFSET, 8, &offset},
                                 {XEN_ELFNOTE_VIRT_BASE, 8, &base},
                                 {XEN_ELFNOTE_PHYS32_ENTRY, 8, &entry}};
    const struct segment one = {0x200000, 0x1100, 0x2000};
    const struct kernel_spec spec = {
        .notes = notes, .nr_notes = 3, .segments = &one, .nr_segments = 1};
    struct loader_config config = config_of(HVM_MIN_PAGES);
    struct loader_pvh_layout l;
    struct loader_image image;
    struct pvh_memory p;
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);

    (void)state;
    pvh_memory_init(&p, config.nr_pages);
    assert_int_equal(loader_pvh_parse(&image, file, size, NULL), 0);
    assert_int_equal(loader_pvh_plan(&l, &image, &config, NULL), 0);
    assert_int_equal(loader_pvh_write(&l, &image, &config, &p.target, NULL), 0);
    assert_null(check_pvh_domain(&p, &l, &image, &config));
    assert_int_equal(*pvh_bytes(&p, 0x200020, 1), kernel_byte(0, 0x20));
    memory_free(&p.m);
    free(file);
}

static void pages_that_cannot_be_mapped(void **state)
{
    struct loader_config config = config_of(2048);
    struct loader_pvh_layout l;
    struct loader_image image;
    size_t size;
    uint8_t *file = make_simple_kernel(&tiny, &size);
    uint64_t needed;
    struct pvh_memory p;

    (void)state;
    assert_int_equal(loader_pvh_parse(&image, file, size, NULL), 0);
    assert_int_equal(loader_pvh_plan(&l, &image, &config, NULL), 0);
    pvh_memory_init(&p, config.nr_pages);
    assert_int_equal(loader_pvh_write(&l, &image, &config, &p.target, NULL), 0);
    needed = p.m.maps;
    memory_free(&p.m);
    assert_true(needed >= 6);
    for (uint64_t n = 1; n <= needed; n++) {
        struct loader_error error = {""};

        pvh_memory_init(&p, config.nr_pages);
        p.m.fail_after = n;
        assert_refused(loader_pvh_write(&l, &image, &config, &p.target, &error), -XEN_EFAULT,
                       &error, "could not be mapped");
        assert_null(p.m.window);
        memory_free(&p.m);
    }
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linux_guest),
        cmocka_unit_test(memory_of_any_size),
        cmocka_unit_test(windows_of_any_size),
        cmocka_unit_test(without_a_ramdisk),
        cmocka_unit_test(kernels_anywhere),
        cmocka_unit_test(what_just_fits),
        cmocka_unit_test(a_large_ramdisk),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(no_kernels),
        cmocka_unit_test(files_that_are_damaged),
        cmocka_unit_test(both_kinds_in_one_file),
        cmocka_unit_test(an_offset_of_the_other_kind),
        cmocka_unit_test(pages_that_cannot_be_mapped),
    };

    for (size_t i = 0; i < sizeof(ramdisk); i++)
        ramdisk[i] = (uint8_t)(i * 3 + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
