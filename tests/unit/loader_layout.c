/* SPDX-License-Identifier: MIT */
/*
 * Shows that a domain is laid out as guests expect, for kernels of the shapes that there are: Linux
 * (high, p2m list and ramdisk apart), small kernels at address 0, kernels at odd addresses, the
 * control domain; with windows of any size; that what does not fit is refused before anything is
 * written; and that a page that cannot be mapped ends the work with an error.
 *
 * The judge (loader_judge.c) walks the result; here are the inputs and what the judge cannot know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <xen/arch-x86/xen-x86_64.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/features.h>
#include <xen/start_info.h>
#include <xen/xen.h>

#include "loader_support.h"

#define LINUX_BASE 0xffffffff80000000ULL

static const struct simple_kernel linux_like = {.virt_base = LINUX_BASE,
                                                .paddr = 16 << 20,
                                                .size = 3 << 20,
                                                .init_p2m = 0x8000000000ULL,
                                                .mod_start_pfn = true};
static const struct simple_kernel tiny = {.paddr = 1 << 20, .size = 123456};

static uint8_t ramdisk[3 * 4096 + 17];

static struct loader_config config_of(uint64_t nr_pages)
{
    return (struct loader_config){
        .nr_pages = nr_pages,
        .cmdline = "console=hvc0 x=y",
        .ramdisk = ramdisk,
        .ramdisk_size = sizeof(ramdisk),
        .shared_info = 0x12345000,
        .store_evtchn = 1,
        .console_evtchn = 2,
    };
}

static void judge_kernel_bytes(const struct memory *m, const struct simple_kernel *k)
{
    uint64_t in_file = k->size - k->size / 4;

    for (uint64_t i = 0; i < k->size; i++) {
        uint8_t expected = i < in_file ? kernel_byte(0, i) : 0;

        if (m->bytes[k->paddr + i] != expected)
            fail_msg("byte %#llx of the kernel is wrong", (unsigned long long)i);
    }
}

/* From file to judgement. */
static void lay_out(const struct simple_kernel *k, const struct loader_config *config,
                    uint64_t max_window, struct loader_layout *layout)
{
    struct loader_image image;
    struct loader_error error = {"no error"};
    struct memory m;
    const char *fault;
    size_t size;
    uint8_t *file = make_simple_kernel(k, &size);

    memory_init(&m, config->nr_pages);
    m.max_window = max_window;
    if (loader_parse(&image, file, size, &error) || loader_plan(layout, &image, config, &error) ||
        loader_write(layout, &image, config, &m.target, &error))
        fail_msg("%s", error.text);
    fault = check_domain(&m, layout, &image, config);
    if (fault)
        fail_msg("%s", fault);
    judge_kernel_bytes(&m, k);
    memory_free(&m);
    free(file);
}

static void a_linux_guest(void **state)
{
    struct loader_config config = config_of(8192);
    struct loader_layout l;

    (void)state;
    config.flags = SIF_VIRT_P2M_4TOOLS;
    lay_out(&linux_like, &config, 0, &l);
    assert_int_equal(l.kernel_pfn, 4096);
    assert_int_equal(l.virt_end, LINUX_BASE + (20 << 20));
    assert_int_equal(l.p2m, 0x8000000000ULL);
    assert_true(l.ramdisk_pfn * PAGE >= 20 << 20); /* apart */
    assert_true(l.hypercall_pfn == LOADER_NONE);
    assert_int_equal(l.p2m_pages, 16 + 3); /* its L3, L2, L1; the L4 table is shared */
}

static void a_tiny_guest(void **state)
{
    struct loader_config config = config_of(2048);
    struct simple_kernel k = tiny;
    struct loader_layout l;

    (void)state;
    k.hypercall_page = (1 << 20) + 4096;
    lay_out(&k, &config, 0, &l);
    assert_int_equal(l.virt_base, 0);
    assert_int_equal(l.virt_end, 4 << 20);
    assert_int_equal(l.hypercall_pfn, 257);
    assert_int_equal(l.ramdisk_pfn, 256 + 31);
    assert_int_equal(l.p2m_pfn, l.ramdisk_pfn + 4);
    assert_int_equal(l.start_info_pfn, l.p2m_pfn + 4);
}

static void windows_of_any_size(void **state)
{
    struct loader_config config = config_of(8192);
    struct loader_layout l;

    (void)state;
    for (uint64_t pages = 1; pages <= 5; pages++) {
        lay_out(&linux_like, &config, pages, &l);
        lay_out(&tiny, &config, pages, &l);
    }
}

static void the_smallest_memory(void **state)
{
    struct loader_config config = config_of(8192);
    struct loader_layout l;
    struct loader_image image;
    struct loader_error error;
    size_t size;
    uint8_t *file = make_simple_kernel(&tiny, &size);

    (void)state;
    assert_int_equal(loader_parse(&image, file, size, &error), 0);
    while (loader_plan(&l, &image, &config, &error) == 0)
        assert_true(--config.nr_pages > 0);
    assert_true(config.nr_pages > 256 + 31 + 128);
    assert_true(config.nr_pages < 256 + 31 + 128 + 20);
    assert_non_null(strstr(error.text, "needs 2 MiB, the domain has 1 MiB"));
    free(file);
    config.nr_pages++;
    lay_out(&tiny, &config, 0, &l); /* the mapping ends where the memory does */
}

static void no_ramdisk(void **state)
{
    struct loader_config config = config_of(8192);
    struct loader_layout l;

    (void)state;
    config.ramdisk = NULL;
    config.cmdline = NULL;
    lay_out(&linux_like, &config, 0, &l);
    assert_true(l.ramdisk_pfn == LOADER_NONE);
    config.ramdisk = ramdisk;
    config.ramdisk_size = 0;
    lay_out(&tiny, &config, 0, &l);
    assert_true(l.ramdisk_pfn == LOADER_NONE);
}

/* Tables shared between the two areas, at each level at which they can meet. */
static void areas_that_meet(void **state)
{
    const uint64_t bases[] = {0x40000000, 0x7fc00000, 0x7fffc00000ULL, 0x100000000000ULL};
    const uint64_t gaps[] = {8 << 20, 1ULL << 30, 1ULL << 39};
    struct loader_config config = config_of(2048);
    struct loader_layout l;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        for (unsigned int g = 0; g < 3; g++) {
            struct simple_kernel k = tiny;

            k.virt_base = bases[i];
            k.init_p2m = bases[i] + gaps[g];
            lay_out(&k, &config, 0, &l);
            k.virt_base = bases[i] + gaps[g];
            k.init_p2m = bases[i] - 4096 * 3; /* below, and across a table's edge */
            lay_out(&k, &config, 0, &l);
        }
    }
}

/* The last byte that there is can be mapped. */
static void up_to_the_top(void **state)
{
    struct loader_config config = config_of(2048);
    struct simple_kernel k = tiny;
    struct loader_layout l;

    (void)state;
    k.virt_base = 0xffffffffffe00000ULL;
    lay_out(&k, &config, 0, &l);
    assert_int_equal(l.virt_end, 0);
}

/* The p2m list of 3 GiB needs several L1 tables. */
static void a_large_guest(void **state)
{
    struct loader_config config = config_of(3 << 18);
    struct loader_layout l;

    (void)state;
    lay_out(&linux_like, &config, 0, &l);
    assert_int_equal(l.p2m_pages, 3 * 512 + 3 + 1 + 1);
    lay_out(&tiny, &config, 0, &l);
    assert_int_equal(l.p2m_pages, 3 * 512);
}

static void the_control_domain(void **state)
{
    const uint8_t screen[40] = {0x23, 1, 2, 3};
    struct loader_config config = config_of(8192);
    struct loader_image image;
    struct loader_layout l;
    struct memory m;
    size_t size;
    uint8_t *file = make_simple_kernel(&linux_like, &size);
    const struct start_info *si;

    (void)state;
    config.control = true;
    config.dom0_console = screen;
    config.dom0_console_size = sizeof(screen);
    memory_init(&m, config.nr_pages);
    assert_int_equal(loader_parse(&image, file, size, NULL), 0);
    assert_int_equal(loader_plan(&l, &image, &config, NULL), 0);
    assert_int_equal(loader_write(&l, &image, &config, &m.target, NULL), 0);
    assert_null(check_domain(&m, &l, &image, &config));
    assert_true(l.store_pfn == LOADER_NONE && l.console_pfn == LOADER_NONE);
    si = (const void *)(m.bytes + l.start_info_pfn * PAGE);
    assert_int_equal(si->store_mfn, 0);
    assert_int_equal(si->console.dom0.info_size, sizeof(screen));
    assert_memory_equal((const uint8_t *)si + si->console.dom0.info_off, screen, sizeof(screen));
    /* A kernel that says what it supports must say that it can be this. */
    image.has_supported_features = true;
    assert_int_equal(loader_plan(&l, &image, &config, NULL), -XEN_ENOEXEC);
    image.features_supported = 1u << XENFEAT_dom0;
    assert_int_equal(loader_plan(&l, &image, &config, NULL), 0);
    memory_free(&m);
    free(file);
}

static void several_segments(void **state)
{
    const struct segment segments[] = {
        {0x203000, 0x123, 0x2000}, {0x200000, 0x1fff, 0x1fff}, {0x205800, 0, 0x900}};
    const uint64_t base = LINUX_BASE, entry = LINUX_BASE + 0x200000;
    const struct note notes[] = {{XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"},
                                 {XEN_ELFNOTE_VIRT_BASE, 8, &base},
                                 {XEN_ELFNOTE_ENTRY, 8, &entry}};
    const struct kernel_spec spec = {
        .notes = notes, .nr_notes = 3, .segments = segments, .nr_segments = 3};
    struct loader_config config = config_of(2048);
    struct loader_image image;
    struct loader_layout l;
    struct memory m;
    size_t size;
    uint8_t *file = make_kernel(&spec, &size);

    (void)state;
    memory_init(&m, config.nr_pages);
    assert_int_equal(loader_parse(&image, file, size, NULL), 0);
    assert_int_equal(loader_plan(&l, &image, &config, NULL), 0);
    assert_int_equal(loader_write(&l, &image, &config, &m.target, NULL), 0);
    assert_null(check_domain(&m, &l, &image, &config));
    assert_int_equal(l.kernel_pages, 7);
    for (unsigned int s = 0; s < 3; s++) {
        for (uint64_t i = 0; i < segments[s].mem_size; i++)
            assert_int_equal(m.bytes[segments[s].paddr + i],
                             i < segments[s].file_size ? kernel_byte(s, i) : 0);
    }
    memory_free(&m);
    free(file);
}

static int plan_only(const struct simple_kernel *k, const struct loader_config *config,
                     struct loader_error *error)
{
    struct loader_image image;
    struct loader_layout l;
    size_t size;
    uint8_t *file = make_simple_kernel(k, &size);
    int rc = loader_parse(&image, file, size, error);

    rc = rc ? rc : loader_plan(&l, &image, config, error);
    free(file);
    return rc;
}

static void what_does_not_fit(void **state)
{
    struct loader_config config = config_of(1024);
    struct loader_error error;

    (void)state;
    assert_int_equal(plan_only(&linux_like, &config, &error), -XEN_ENOMEM);
    assert_string_equal(error.text, "kernel: needs 19 MiB, the domain has 4 MiB");
    config.nr_pages = 8192;
    config.ramdisk_size = 64 << 20;
    assert_int_equal(plan_only(&linux_like, &config, &error), -XEN_ENOMEM);
    assert_string_equal(error.text, "kernel and ramdisk: needs 83 MiB, the domain has 32 MiB");
    config.ramdisk_size = UINT64_MAX;
    assert_int_equal(plan_only(&linux_like, &config, &error), -XEN_ENOMEM);
    config.ramdisk_size = 12 << 20; /* fits, but not what comes with it */
    assert_int_equal(plan_only(&linux_like, &config, &error), -XEN_ENOMEM);
    config.nr_pages = 0;
    assert_int_equal(plan_only(&tiny, &config, &error), -XEN_EINVAL);
    config.nr_pages = UINT64_MAX;
    assert_int_equal(plan_only(&tiny, &config, &error), -XEN_EINVAL);
}

static void addresses_out_of_reach(void **state)
{
    const uint64_t bases[] = {0xffff800000000000ULL, 0xffff87ffffff0000ULL, 0x7ffffff00000ULL,
                              0x900000000000ULL, 0xfffffffffff00000ULL};
    struct loader_config config = config_of(2048);
    struct loader_error error;
    struct simple_kernel k = tiny;

    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        k = tiny;
        k.virt_base = bases[i];
        assert_int_equal(plan_only(&k, &config, &error), -XEN_ENOEXEC);
        k = tiny;
        k.init_p2m = i == 4 ? 0xfffffffffffff000ULL : bases[i];
        if (i != 2) { /* the list is small enough for that one */
            assert_int_equal(plan_only(&k, &config, &error), -XEN_ENOEXEC);
        }
    }
    k = tiny;
    k.init_p2m = 2 << 20;
    assert_int_equal(plan_only(&k, &config, &error), -XEN_ENOEXEC);
    assert_non_null(strstr(error.text, "lies in the initial mapping"));
}

static void a_command_line_that_is_too_long(void **state)
{
    char text[1025];
    struct loader_config config = config_of(2048);
    struct loader_error error;
    struct loader_layout l;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[1024] = '\0';
    config.cmdline = text;
    assert_int_equal(plan_only(&tiny, &config, &error), -XEN_EINVAL);
    assert_string_equal(error.text, "cmdline: longer than 1023 bytes");
    text[1023] = '\0';
    lay_out(&tiny, &config, 0, &l);
}

/* Each map() call fails once. */
static void pages_that_cannot_be_mapped(void **state)
{
    struct loader_config config = config_of(2048);
    struct loader_image image;
    struct loader_layout l;
    size_t size;
    uint8_t *file = make_simple_kernel(&tiny, &size);
    uint64_t n = 0;
    int rc;

    (void)state;
    assert_int_equal(loader_parse(&image, file, size, NULL), 0);
    assert_int_equal(loader_plan(&l, &image, &config, NULL), 0);
    do {
        struct loader_error error = {""};
        struct memory m;

        memory_init(&m, config.nr_pages);
        m.fail_after = ++n;
        rc = loader_write(&l, &image, &config, &m.target, &error);
        assert_null(m.window);
        if (rc) {
            assert_int_equal(rc, -XEN_EFAULT);
            assert_int_equal(m.maps, n); /* and none after it */
            assert_non_null(strstr(error.text, "could not be mapped"));
        }
        memory_free(&m);
    } while (rc);
    assert_true(n > 10);
    free(file);
}

static void the_first_vcpu(void **state)
{
    const struct loader_layout l = {.entry = 0x1000, .stack = 0x2000, .start_info = 0x3000};
    struct vcpu_guest_context c;

    (void)state;
    memset(&c, 0xff, sizeof(c));
    loader_context(&c, &l, 0x54321);
    assert_int_equal(c.user_regs.rip, 0x1000);
    assert_int_equal(c.user_regs.rsp, 0x2000);
    assert_int_equal(c.user_regs.rsi, 0x3000);
    assert_int_equal(c.user_regs.cs, FLAT_KERNEL_CS);
    assert_int_equal(c.user_regs.ss, FLAT_KERNEL_SS);
    assert_int_equal(c.kernel_ss, FLAT_KERNEL_SS);
    assert_int_equal(c.kernel_sp, 0x2000);
    assert_int_equal(c.ctrlreg[3], 0x54321000);
    assert_int_equal(c.flags, VGCF_in_kernel | VGCF_online);
    assert_int_equal(c.gdt_ents, 0);
    assert_int_equal(c.event_callback_eip, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linux_guest),
        cmocka_unit_test(a_tiny_guest),
        cmocka_unit_test(windows_of_any_size),
        cmocka_unit_test(the_smallest_memory),
        cmocka_unit_test(no_ramdisk),
        cmocka_unit_test(areas_that_meet),
        cmocka_unit_test(up_to_the_top),
        cmocka_unit_test(a_large_guest),
        cmocka_unit_test(the_control_domain),
        cmocka_unit_test(several_segments),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(addresses_out_of_reach),
        cmocka_unit_test(a_command_line_that_is_too_long),
        cmocka_unit_test(pages_that_cannot_be_mapped),
        cmocka_unit_test(the_first_vcpu),
    };

    for (size_t i = 0; i < sizeof(ramdisk); i++)
        ramdisk[i] = (uint8_t)(i * 13 + i / 256);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
