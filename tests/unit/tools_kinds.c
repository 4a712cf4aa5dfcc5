/* SPDX-License-Identifier: MIT */
/*
 * Kinds of guests: which a file asks for, which it cannot have and in which words, and how a fully
 * virtualized domain is made on a model of the machine: what creation leaves behind, that one which
 * fails anywhere leaves nothing, and that a machine which cannot run it says so and goes on with
 * paravirtual ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <xen/grant_table.h>
#include <xen/hvm/params.h>
#include <xen/arch-x86/hvm/start_info.h>

#include "lifecycle_support.h"
#include "loader_support.h"
#include "state.h"
#include "tools_config.h"

/* A document with these in <domain>, <os> and <devices>. */
static const char *document(const char *more, const char *os, const char *devices)
{
    static char text[2048];

    snprintf(text, sizeof(text),
             "<domain type='xen'><name>web</name><memory>262144</memory>%s\n"
             "<os>%s</os>\n"
             "<devices>%s</devices></domain>",
             more, os, devices);
    return text;
}

#define KERNEL "<kernel>/boot/vmlinuz</kernel>"

static void which_kind(void **state)
{
    static const struct {
        const char *type;
        enum guest_kind kind;
    } files[] = {
        {"<type>linux</type>", KIND_PV},
        {"<type machine='xenpv'>xen</type>", KIND_PV},
        {"<type>hvm</type>", KIND_HVM},
        {"<type arch='x86_64'> hvm </type>", KIND_HVM},
        {"<type arch='x86_64' machine='xenpvh'>xenpvh</type>", KIND_PVH}, /* as libvirt writes it */
        {"<type>xenpvh</type>", KIND_PVH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct domain_config a, b;
        struct error e;
        char os[256], *xml, *again;

        snprintf(os, sizeof(os), "%s" KERNEL, files[i].type);
        if (parse(document("", os, "<console type='pty'/><input type='mouse' bus='xen'/>"), &a, &e))
            fail_msg("%s: %s", files[i].type, e.text);
        assert_int_equal(a.kind, files[i].kind);
        xml = domain_config_to_xml(&a, -1);
        assert_int_equal(parse(xml, &b, &e), 0);
        assert_int_equal(b.kind, files[i].kind);
        again = domain_config_to_xml(&b, -1);
        assert_string_equal(xml, again);
        free(xml);
        free(again);
        domain_config_free(&a);
        domain_config_free(&b);
    }
}

#define PC     " of an hvm guest: no firmware and no emulated devices: use PVH: <type>xenpvh</type>"
#define DISK   "<disk type='file'><source file='/a'/><target dev='xvda'/></disk>"
#define NIC    "<interface type='bridge'><source bridge='xenbr0'/></interface>"
#define SERIAL "<serial type='pty'><target port='0'/></serial>"
#define HVM    "<type>hvm</type>" KERNEL

static void what_it_cannot_have(void **state)
{
    static const struct {
        const char *more, *os, *devices, *says; /* NULL: it is accepted */
    } files[] = {
        {"", HVM, SERIAL "<console type='pty'><target type='serial' port='0'/></console>", NULL},
        {"", "<type machine='xenfv'>hvm</type>" KERNEL, "", "t.xml:2: <type> xenfv" PC},
        {"", HVM "<loader>/usr/lib/xen/boot/hvmloader</loader>", "", "t.xml:2: <loader>" PC},
        {"", HVM "<boot dev='hd'/>", "", "t.xml:2: <boot>" PC},
        {"", HVM, DISK, "t.xml:3: <disk>" PC},
        {"", HVM, NIC, "t.xml:3: <interface>" PC},
        {"", "<type>hvm</type>", "", "t.xml:2: <os> without <kernel>" PC},
        /* that is said, and not what else the schema does not know */
        {"<features><acpi/></features>", HVM "<boot dev='hd'/>", "<emulator>/q</emulator>",
         "t.xml:2: <boot>" PC},
        /* what each PC of libvirt's has */
        {"<features><acpi/><apic/><pae/></features><clock offset='utc'/>", HVM,
         "<emulator>/usr/bin/qemu</emulator>" SERIAL, NULL},
        {"<features><hap/></features>", HVM, "",
         "t.xml:1: <hap> is not known in <features>; known: acpi, apic, pae, xen"},
        {"", "<type machine='q35'>hvm</type>" KERNEL, "",
         "t.xml:2: <type>: machine='q35' does not go with hvm, which has none"},
        {"", "<type machine='xenfv'>xenpvh</type>" KERNEL, "",
         "t.xml:2: <type>: machine='xenfv' does not go with xenpvh; it has xenpvh"},
        {"", "<type machine='q35'>linux</type>" KERNEL, "",
         "t.xml:2: <type>: machine='q35' does not go with linux; it has xenpv"},
        {"", "<type machine='xenpvh'>hvm</type>" KERNEL, "",
         "t.xml:2: <type>: machine='xenpvh' does not go with hvm, which has none; it is of "
         "xenpvh"},
        {"", "<type machine='xenpv'>hvm</type>" KERNEL, DISK,
         "t.xml:2: <type>: machine='xenpv' does not go with hvm, which has none; it is of linux"},
        {"", "<type machine='xenpv'>xenpvh</type>" KERNEL, "",
         "t.xml:2: <type>: machine='xenpv' does not go with xenpvh; it has xenpvh"},
        {"", "<type machine='xenpvh'>linux</type>" KERNEL, "",
         "t.xml:2: <type>: machine='xenpvh' does not go with linux; it has xenpv"},
        {"<vcpu current='1'>2</vcpu>", HVM, "",
         "t.xml:1: <vcpu>: current='1': a guest of kind hvm starts all that it has"},
        {"<vcpu current='1'>2</vcpu>", "<type>xenpvh</type>" KERNEL, "",
         "t.xml:1: <vcpu>: current='1': a guest of kind pvh starts all that it has"},
        {"<currentMemory>131072</currentMemory>", HVM, "",
         "t.xml:1: <currentMemory>: an hvm guest cannot be given more later: it must be as "
         "<memory>"},
        {"<currentMemory>131072</currentMemory>", "<type>xenpvh</type>" KERNEL, DISK NIC, NULL},
        /* a paravirtual guest's file is as it was */
        {"", "<type>linux</type>" KERNEL "<boot dev='hd'/>", "",
         "t.xml:2: <boot> is not known in <os>; known: type, kernel, initrd, cmdline"},
        {"", "<type>linux</type>", "",
         "t.xml:2: <os>: without a kernel GRUB starts, which reads a disk: there is none"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct domain_config c;
        struct error e;
        int rc = parse(document(files[i].more, files[i].os, files[i].devices), &c, &e);

        if (files[i].says) {
            assert_true(rc < 0);
            assert_string_equal(e.text, files[i].says);
        } else {
            if (rc)
                fail_msg("%s", e.text);
            domain_config_free(&c);
        }
    }
}

/* --- made --- */

static struct domain_config kind_of(enum guest_kind kind)
{
    struct domain_config c = config("web");

    c.kind = kind;
    c.vcpus = c.max_vcpus;
    return c;
}

static uint32_t make(enum guest_kind kind)
{
    struct domain_config c = kind_of(kind);
    struct error e;

    if (try_start(&c, &e))
        fail_msg("%s", e.text);
    for (unsigned int i = 1; i < FAKE_DOMAINS; i++)
        if (f->domains[i].live)
            return f->domains[i].d.domid;
    fail_msg("it is not there");
    return 0;
}

static const void *at(uint32_t domid, uint64_t gpa)
{
    uint64_t frame = fake_frame_at(f, domid, gpa / HOST_PAGE_SIZE);

    assert_true(frame != UINT64_MAX);
    return (const char *)fake_frame(f, frame) + gpa % HOST_PAGE_SIZE;
}

static void entry_is(uint32_t domid, const char *key, const char *value)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, key);
    assert_string_equal(fake_read(f, path), value);
}

/* Kernel, start page, tables; and its rings, by grants, parameters and the store. */
static void made_as_pvh_begins(void **state)
{
    (void)state;
    for (enum guest_kind kind = KIND_HVM; kind <= KIND_PVH; kind++) {
        uint32_t domid = make(kind);
        const struct fake_domain *d = fake_domain(f, domid);
        const struct hvm_start_info *info = at(domid, d->context.user_regs.rbx);
        const struct hvm_memmap_table_entry *map = at(domid, info->memmap_paddr);

        assert_int_equal(d->d.kind, kind);
        assert_true(d->d.paused && d->has_context && d->vcpus_made && d->introduced);
        assert_false(d->pinned || d->hypercall_page);
        assert_int_equal(d->d.nr_pages, 1024 + 3);
        assert_int_equal(d->d.max_pages, 1024 + 3);
        assert_int_equal(d->context.user_regs.rip, 0x100100);
        assert_int_equal(d->context.ctrlreg[0], 0x11);
        assert_true(d->context.flags & VGCF_online);
        assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
        assert_string_equal(at(domid, info->cmdline_paddr), "a=b");
        assert_memory_equal(at(domid, info->rsdp_paddr), "RSD PTR ", 8);
        assert_int_equal(map[0].size, 4096 << 10);
        assert_int_equal(*(const uint8_t *)at(domid, 0x100800), kernel_byte(0, 0x800));
        assert_int_equal(d->nr_grants, 2);
        assert_int_equal(d->grants[0].ref, GNTTAB_RESERVED_CONSOLE);
        assert_int_equal(d->grants[0].frame, d->param[HVM_PARAM_CONSOLE_PFN]);
        assert_int_equal(d->grants[1].frame, d->param[HVM_PARAM_STORE_PFN]);
        assert_int_equal(d->param[HVM_PARAM_CONSOLE_PFN], 0xfc001);
        assert_int_equal(d->param[HVM_PARAM_STORE_PFN], 0xfc002);
        assert_int_equal(d->param[HVM_PARAM_STORE_EVTCHN], 1);
        assert_int_equal(d->param[HVM_PARAM_CONSOLE_EVTCHN], 2);
        entry_is(domid, "console/port", "2");
        reap("web", "destroyed");
        assert_null(fake_is_clean(f));
    }
}

static void any_call_may_fail(void **state)
{
    uint64_t at_call = 1;

    (void)state;
    for (;; at_call++) {
        struct domain_config c = kind_of(KIND_HVM);
        struct error e;
        int rc;

        f->calls = 0;
        f->fail_at = at_call;
        f->failed_call = NULL;
        rc = try_start(&c, &e);
        f->fail_at = 0;
        if (!f->failed_call)
            break;
        assert_true(rc < 0);
        if (fake_is_clean(f))
            fail_msg("%s is left after %s failed: %s", fake_is_clean(f), f->failed_call, e.text);
        assert_no_state("web");
        assert_true(e.text[0] && !strchr(e.text, '\n'));
    }
    assert_true(at_call > 35);
    reap("web", "destroyed");
    assert_null(fake_is_clean(f));
}

static void where_the_machine_cannot(void **state)
{
    static const char *const says[] = {
        "web: no hvm guest can be had on this machine: its CPUs have no SVM (AMD-V)",
        "web: no hvm guest can be had on this machine: its CPUs have no nested paging that is "
        "safe"};

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        struct domain_config c = kind_of(KIND_HVM);
        struct error e;

        f->no_svm = i == 0;
        f->no_hap = true;
        assert_int_equal(try_start(&c, &e), -EOPNOTSUPP);
        assert_string_equal(e.text, says[i]);
        assert_null(fake_is_clean(f));
        start("web"); /* paravirtual */
        reap("web", "destroyed");
        assert_null(fake_is_clean(f));
    }
}

/* --- bad kernels and sizes --- */

static void sizes(void **state)
{
    static const struct {
        uint64_t kib;
        unsigned int vcpus;
        const char *says; /* how it ends; NULL: it is made */
    } wanted[] = {
        {4096, 64, NULL},
        {5004, 1, NULL}, /* no multiple of 2 MiB */
        {16 << 10, 2, NULL},
        {3 << 10, 1, "web: memory: 768 pages are not between 1024 and "},
        {6 << 20, 1, "web: <memory>: needs 6291468 KiB, 65536 KiB are free"},
        /* not all of what is beside it */
        {FAKE_FRAMES * 4 - 8, 1, "web: <memory>: needs 65540 KiB, 65536 KiB are free"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct domain_config c = kind_of(KIND_HVM);
        struct error e;
        int rc;

        c.memory_kib = c.current_kib = wanted[i].kib;
        c.max_vcpus = c.vcpus = wanted[i].vcpus;
        rc = try_start(&c, &e);
        if (wanted[i].says) {
            assert_true(rc < 0);
            assert_int_equal(strncmp(e.text, wanted[i].says, strlen(wanted[i].says)), 0);
        } else {
            if (rc)
                fail_msg("%s", e.text);
            reap("web", "destroyed");
        }
        assert_null(fake_is_clean(f));
    }
}

static void kernels(void **state)
{
    static const char text[] = "#!/bin/sh\n", elf32[64] = "\177ELF\1\1\1";
    struct simple_kernel no_note = {
        .virt_base = 0xffffffff80000000, .paddr = 0x100000, .size = 4096};
    struct simple_kernel large = {.paddr = 0x100000, .size = 5 << 20, .pvh_entry = 0x100000};
    const struct {
        const struct simple_kernel *kernel;
        const char *bytes, *says;
    } bad[] = {
        {&no_note, NULL, "it lacks the ELF note PHYS32_ENTRY"},
        {&large, NULL, "the domain has 4 MiB"},
        {NULL, text, "not a kernel: neither ELF nor bzImage"},
        {NULL, elf32, "a 32-bit kernel; only 64-bit kernels are supported"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct domain_config c = kind_of(KIND_HVM);
        size_t size = sizeof(elf32);
        uint8_t *made = bad[i].kernel ? make_simple_kernel(bad[i].kernel, &size) : NULL;
        FILE *file = fopen(c.kernel, "w");
        struct error e;

        fwrite(made ? (const char *)made : bad[i].bytes, 1,
               bad[i].bytes == text ? sizeof(text) : size, file);
        fclose(file);
        free(made);
        assert_true(try_start(&c, &e) < 0);
        if (!strstr(e.text, bad[i].says))
            fail_msg("%s, which lacks %s", e.text, bad[i].says);
        assert_null(fake_is_clean(f));
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, lifecycle_setup, lifecycle_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_kind),
        cmocka_unit_test(what_it_cannot_have),
        T(made_as_pvh_begins),
        T(any_call_may_fail),
        T(where_the_machine_cannot),
        T(sizes),
        T(kernels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
