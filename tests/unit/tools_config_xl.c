/* SPDX-License-Identifier: MIT */
/*
 * Files of xl: what is read, and what is passed over. Which ways of writing a file are wrong is in
 * tools_config_xl_bad.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools_config_xl.h"

static void reads_everything(void **state)
{
    struct domain_config c;
    struct findings f;

    (void)state;
    if (judge_len(good, strlen(good), true, &c, &f))
        fail_msg("%ld: %s", f.list[0].line, f.list[0].text);
    assert_int_equal(f.nr, 0);
    assert_string_equal(c.name, "web");
    assert_true(c.uuid_given);
    assert_int_equal(c.uuid[15], 0xef);
    assert_int_equal(c.kind, KIND_PV);
    assert_int_equal(c.memory_kib, 262144);
    assert_int_equal(c.current_kib, 131072);
    assert_int_equal(c.vcpus, 1);
    assert_int_equal(c.max_vcpus, 2);
    assert_int_equal(c.cpuset, 0);
    assert_int_equal(c.pin[0], 0xb);
    assert_int_equal(c.pin[1], 0x20);
    assert_int_equal(c.weight, 512);
    assert_int_equal(c.cap, 50);
    assert_string_equal(c.kernel, "/boot/vmlinuz");
    assert_false(c.grub);
    assert_string_equal(c.ramdisk, "/boot/initrd");
    assert_string_equal(c.cmdline, "root=/dev/xvda1 ro console=hvc0 a=\"b\"");
    assert_int_equal(c.on_poweroff, END_DESTROY);
    assert_int_equal(c.on_reboot, END_RESTART);
    assert_int_equal(c.on_crash, END_PRESERVE);
    assert_int_equal(c.nr_disks, 3);
    assert_int_equal(c.disks[0].kind, DISK_BLOCK);
    assert_string_equal(c.disks[0].source, "/dev/no/such");
    assert_false(c.disks[0].readonly);
    assert_true(c.disks[1].cdrom);
    assert_true(c.disks[1].readonly);
    assert_int_equal(c.disks[1].vdev, 22 << 8);
    assert_int_equal(c.disks[1].line, 20);
    assert_int_equal(c.disks[2].kind, DISK_FILE);
    assert_true(c.disks[2].readonly);
    assert_false(c.disks[2].cdrom);
    assert_int_equal(c.disks[2].vdev, 8 << 8 | 1);
    assert_int_equal(c.disks[2].line, 21);
    assert_int_equal(c.nr_nics, 2);
    assert_true(c.nics[0].mac_given);
    assert_int_equal(c.nics[0].mac[5], 1);
    assert_string_equal(c.nics[0].bridge, "br0");
    assert_int_equal(c.nics[0].rate_kib, 977); /* 1000000 bytes */
    assert_string_equal(c.nics[0].ip, "10.0.0.1");
    assert_false(c.nics[1].mac_given);
    assert_string_equal(c.nics[1].bridge, "xenbr0");
    assert_string_equal(c.nics[1].ifname, "web1");
    assert_string_equal(c.nics[1].script, "/etc/xen/scripts/vif-own");
    assert_int_equal(c.nics[1].line, 23);
    assert_int_equal(c.max_grant_frames, 32);
    assert_int_equal(c.max_event_channels, 511);
    domain_config_free(&c);
    findings_free(&f);
}

static void defaults(void **state)
{
    struct domain_config c;
    struct findings f;
    char *here = getcwd(NULL, 0), *kernel;

    (void)state;
    assert_int_equal(judge("name='m'\nmemory=8\nkernel='k'", &c, &f), 0);
    assert_true(asprintf(&kernel, "%s/k", here) > 0);
    assert_string_equal(c.kernel, kernel);
    assert_int_equal(c.memory_kib, 8192);
    assert_int_equal(c.current_kib, 8192);
    assert_int_equal(c.vcpus, 1);
    assert_int_equal(c.max_vcpus, 1);
    assert_string_equal(c.cmdline, "");
    assert_null(c.ramdisk);
    assert_int_equal(c.weight, 0);
    assert_int_equal(c.on_poweroff, END_DESTROY);
    assert_int_equal(c.on_reboot, END_RESTART);
    assert_int_equal(c.on_crash, END_DESTROY);
    assert_false(c.uuid_given);
    domain_config_free(&c);
    findings_free(&f);
    free(here);
    free(kernel);
}

/* What a file is, beside the good one's first lines. */
static void variants(void **state)
{
    static const char head[] = "name='m'\nmemory=8\n";
    static const struct {
        const char *text;
        enum guest_kind kind;
        const char *kernel, *cmdline;
        unsigned int max_vcpus, vcpus;
        size_t notes;
    } cases[] = {
        {"kernel='/k'\nextra='x'", KIND_PV, "/k", "x", 1, 1, 0},
        {"kernel='/k'\nroot='/dev/xvda'", KIND_PV, "/k", "root=/dev/xvda", 1, 1, 0},
        {"kernel='/k'\ncmdline='c'\nroot='/r'\nextra='x'", KIND_PV, "/k", "c", 1, 1, 1},
        {"kernel='/k'\ntype='pvh'\nvcpus=4", KIND_PVH, "/k", "", 4, 4, 0},
        {"kernel='/k'\nbuilder='linux'\nmaxvcpus=3", KIND_PV, "/k", "", 3, 3, 0},
        {"kernel='/k'\nbuilder='generic'\nvcpus=2\nmaxvcpus=3", KIND_PV, "/k", "", 3, 2, 0},
        {"kernel='/k'\ntype='pv'\nbuilder='hvm'", KIND_PV, "/k", "", 1, 1, 0},
        {"disk=['/a,,xvda']", KIND_PV, CONFIG_GRUB_PV, "", 1, 1, 1},
        {"disk=['/a,,xvda']\nbootloader='/usr/bin/pygrub'", KIND_PV, CONFIG_GRUB_PV, "", 1, 1, 0},
        {"disk=['/a,,xvda']\nbootloader='pvgrub64'\ntype='pvh'", KIND_PVH, CONFIG_GRUB_PVH, "", 1,
         1, 0},
        {"disk=['/a,,xvda']\nkernel='/k'\nbootloader='pygrub'", KIND_PV, CONFIG_GRUB_PV, "", 1, 1,
         1},
        {"disk=['/a,,xvda']\nramdisk='/k'\nbootloader='pygrub'", KIND_PV, CONFIG_GRUB_PV, "", 1, 1,
         1},
        {"kernel='/k'\nvcpus=1\nvcpus=2", KIND_PV, "/k", "", 2, 2, 1},
        {"kernel='/k'\ndisk=[',,xvda,cdrom']", KIND_PV, "/k", "", 1, 1, 1},
        {"kernel='/k'\non_crash='coredump-restart'", KIND_PV, "/k", "", 1, 1, 0},
        {"kernel='/k'\nvif=['model=e1000,type=ioemu', 'rate=8Mb/s@20ms']", KIND_PV, "/k", "", 1, 1,
         2},
        {"kernel='/k'\nvif=['script=/etc/xen/scripts/vif-bridge,backend=Domain-0', '']", KIND_PV,
         "/k", "", 1, 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct domain_config c;
        struct findings f;
        char text[512];

        snprintf(text, sizeof(text), "%s%s\n", head, cases[i].text);
        if (judge(text, &c, &f))
            fail_msg("%s: %s", cases[i].text, f.list[0].text);
        assert_int_equal(c.kind, cases[i].kind);
        assert_string_equal(c.kernel, cases[i].kernel);
        assert_string_equal(c.cmdline, cases[i].cmdline);
        assert_int_equal(c.max_vcpus, cases[i].max_vcpus);
        assert_int_equal(c.vcpus, cases[i].vcpus);
        if (f.nr != cases[i].notes)
            fail_msg("%s: %zu notes, the first: %s", cases[i].text, f.nr,
                     f.nr ? f.list[0].text : "");
        domain_config_free(&c);
        findings_free(&f);
    }
}

/* All keys of xl.cfg(5) of Xen 4.17, and of xl's own source. */
static const char xl_keys[] =
    "acpi acpi_firmware acpi_laptop_slate acpi_s3 acpi_s4 altp2m altp2mhvm apic bios "
    "bios_path_override blkdev_start boot bootloader bootloader_args builder cap channel cmdline "
    "cpu_weight cpuid cpus cpus_soft device_model_args device_model_args_hvm device_model_args_pv "
    "device_model_override device_model_stubdomain_override device_model_stubdomain_seclabel "
    "device_model_user device_model_version device_tree disk dm_restrict driver_domain dtdev "
    "e820_host extra extratime firmware firmware_override gfx_passthru gic_version hap hdtype hpet "
    "init_seclabel iomem ioports irqs kernel keymap localtime max_event_channels max_grant_frames "
    "max_grant_version max_maptrack_frames maxmem maxvcpus mca_caps memory mmio_hole ms_vm_genid "
    "msr_relaxed name nestedhvm nographic nomigrate nx on_crash on_poweroff on_reboot "
    "on_soft_reset "
    "on_watchdog oos opengl p9 pae passthrough pci pci_msitranslate pci_permissive pci_power_mgmt "
    "pci_seize period pool pvcalls pvshim pvshim_cmdline pvshim_extra pvshim_path ramdisk rdm "
    "rdm_mem_boundary root rtc_timeoffset sdl seclabel serial shadow_memory slice smbios_firmware "
    "soundhw spice spice_clipboard_sharing spice_image_compression spice_streaming_video "
    "spiceagent_mouse spicedisable_ticketing spicehost spicepasswd spiceport spicetls_port "
    "spiceusbredirection spicevdagent stdvga stubdomain_cmdline stubdomain_kernel "
    "stubdomain_memory "
    "stubdomain_ramdisk tee timer_mode tsc_mode type usb usbctrl usbdev usbdevice usbversion uuid "
    "vcpus vdispl vendor_device vfb vga videoram vif viridian vkb vkb_device vmtrace_buf_kb vnc "
    "vncdisplay vnclisten vncpasswd vncunused vnuma vpmu vpt_align vsnd vtpm vuart "
    "xen_platform_pci xend_suspend_evtchn_compat";

static void every_key_is_known(void **state)
{
    char *list = strdup(xl_keys), *save = NULL;
    unsigned int n = 0;

    (void)state;
    for (char *key = strtok_r(list, " ", &save); key; key = strtok_r(NULL, " ", &save), n++) {
        struct domain_config c;
        struct findings f;
        char text[256];

        /* 0 asks for nothing: it is neither refused nor noted, but for what is read. */
        snprintf(text, sizeof(text), "name='a'\nmemory=8\nkernel='/k'\n%s='disabled'\n", key);
        if (judge(text, &c, &f) == 0)
            domain_config_free(&c);
        for (size_t i = 0; i < f.nr; i++) {
            if (strstr(f.list[i].text, "unknown key"))
                fail_msg("%s: unknown", key);
        }
        findings_free(&f);
    }
    assert_in_range(n, 120, 200);
    free(list);
}

/* What has no effect is passed over; a word of it for whoever may miss it; strictly, it is refused.
 */
static void passed_over(void **state)
{
    static const char *const notes[] = {"vnc=1",         "sdl='1'",  "vfb=['vnc=1']",
                                        "cpuid='host'",  "pool='a'", "dhcp='on'",
                                        "serial='pty'",  "boot='c'", "e820_host=1",
                                        "cpus_soft='1'", "usb=1",    "tsc_mode='native'"};
    static const char *const silent[] = {"nomigrate=1", "acpi=1", "pae=1"};
    static const char *const nothing[] = {
        "vnc=0", "pci=[]", "localtime=0", "sdl='0'", "passthrough='disabled'", "usbdevice=''"};
    const struct {
        const char *const *list;
        size_t n, notes;
        bool strict_refuses;
    } groups[] = {{notes, sizeof(notes) / sizeof(*notes), 1, true},
                  {silent, sizeof(silent) / sizeof(*silent), 0, true},
                  {nothing, sizeof(nothing) / sizeof(*nothing), 0, false}};

    (void)state;
    for (size_t g = 0; g < 3; g++) {
        for (size_t i = 0; i < groups[g].n; i++) {
            struct domain_config c;
            struct findings f;
            char text[256];

            snprintf(text, sizeof(text), "name='a'\nmemory=8\nkernel='/k'\n%s\n",
                     groups[g].list[i]);
            assert_int_equal(judge(text, &c, &f), 0);
            if (f.nr != groups[g].notes || (f.nr && f.list[0].line != 4))
                fail_msg("%s: %zu notes", groups[g].list[i], f.nr);
            domain_config_free(&c);
            findings_free(&f);
            if ((judge_len(text, strlen(text), true, &c, &f) != 0) != groups[g].strict_refuses)
                fail_msg("strictly: %s", groups[g].list[i]);
            if (f.code == 0)
                domain_config_free(&c);
            findings_free(&f);
        }
    }
}

static void limits_of_number(void **state)
{
    char text[4096], *to = stpcpy(text, "name='a'\nmemory=8\nkernel='/k'\ndisk=[");
    struct domain_config c;
    struct findings f;

    (void)state;
    for (int i = 0; i < 33; i++)
        to += sprintf(to, "'/%d,,xvd%c%s',\n", i, 'a' + i % 26, i < 26 ? "" : "1");
    strcpy(to, "]\n");
    assert_int_equal(judge(text, &c, &f), -E2BIG);
    assert_string_equal(f.list[0].text, "disk: at most 32");
    assert_int_equal(f.list[0].line, 36);
    findings_free(&f);
    to = stpcpy(text, "name='a'\nmemory=8\nkernel='/k'\nvif=[");
    for (int i = 0; i < 17; i++)
        to = stpcpy(to, "'',");
    strcpy(to, "]\n");
    assert_int_equal(judge(text, &c, &f), -E2BIG);
    findings_free(&f);
}

/* Cut off anywhere, it is refused or read, and nothing leaks. */
static void truncated_anywhere(void **state)
{

    (void)state;
    for (size_t len = 0; len < strlen(good); len++) {
        struct domain_config c;
        struct findings f;

        if (judge_len(good, len, false, &c, &f) == 0)
            domain_config_free(&c);
        else
            assert_true(f.nr > 0);
        findings_free(&f);
    }
}

static bool xl_takes(const char *bridge)
{
    struct domain_config c;
    struct findings f;
    char text[128];
    int rc;

    snprintf(text, sizeof(text), "name='a'\nmemory=64\nkernel='/k'\nvif=['bridge=%s']\n", bridge);
    rc = judge(text, &c, &f);
    findings_free(&f);
    if (rc)
        return false;
    assert_string_equal(c.nics[0].bridge, bridge);
    domain_config_free(&c);
    return true;
}

static bool xml_takes(const char *bridge)
{
    struct domain_config c;
    struct error e;
    char text[512];

    snprintf(text, sizeof(text),
             "<domain type='xen'><name>a</name><memory>65536</memory><os><type>linux</type>"
             "<kernel>/k</kernel></os><devices><interface type='bridge'><source bridge='%s'/>"
             "</interface></devices></domain>",
             bridge);
    if (domain_config_parse(text, strlen(text), "t.xml", &c, &e))
        return false;
    assert_string_equal(c.nics[0].bridge, bridge);
    domain_config_free(&c);
    return true;
}

/* Those of Linux, alike in both formats: of dots alone, three and more are a name. */
static void names_of_interfaces(void **state)
{
    static const char *const taken[] = {"a",
                                        "...",
                                        ".a",
                                        "..a",
                                        "a..",
                                        "-",
                                        "x.1",
                                        "0123456789abcde",
                                        ".23456789abcdef",
                                        "..3456789abcdef",
                                        "..............."};
    static const char *const refused[] = {
        ".", "..", "a/b", "../x", "0123456789abcdef", "................"};

    (void)state;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (!xl_takes(taken[i]) || !xml_takes(taken[i]))
            fail_msg("%s is refused", taken[i]);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (xl_takes(refused[i]) || xml_takes(refused[i]))
            fail_msg("%s is accepted", refused[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything),   cmocka_unit_test(defaults),
        cmocka_unit_test(variants),           cmocka_unit_test(every_key_is_known),
        cmocka_unit_test(passed_over),        cmocka_unit_test(limits_of_number),
        cmocka_unit_test(truncated_anywhere), cmocka_unit_test(names_of_interfaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
