/* SPDX-License-Identifier: MIT */
/*
 * The keys of xl files, and what becomes of each: see config_xl_internal.h. parvis-domain(5) has
 * all of it.
 */
#include <errno.h>
#include <string.h>

#include "config_xl_internal.h"
#include "near.h"

#define NO_FRAMEBUFFER "there is no framebuffer: use the console"
#define NO_PC          "a guest is no PC, and has none of it"
#define NO_EMULATOR    "nothing emulates devices"
#define NO_DEVICE      "there is no such device; the guest starts without it"
#define NOT_GIVEN      "no device of the machine is given to a guest"
#define OF_XM          "it was xm's; xl does nothing with it either"
#define OWN_TIME       "a guest's time is Xen's"

const char xl_read_keys[] =
    "name uuid type builder memory maxmem vcpus maxvcpus cpus cpu_weight cap kernel ramdisk "
    "cmdline "
    "root extra bootloader on_poweroff on_reboot on_crash disk vif max_grant_frames "
    "max_event_channels";

/* clang-format off */
const struct xl_rule xl_rules[] = {
    {"acpi apic pae nx ms_vm_genid nomigrate pvshim_path pvshim_cmdline pvshim_extra pci_msitranslate pci_power_mgmt pci_permissive pci_seize vncunused",
     SILENT, NULL},
    {"pool", NOTE, "there is one pool of CPUs"},
    {"cpus_soft", NOTE, "where it runs is a must, not a wish: cpus"},
    {"period slice latency extratime budget", NOTE, "a domain's share is of its cpu_weight and cap"},
    {"on_watchdog", NOTE, "a watchdog's end is a crash: on_crash"},
    {"on_soft_reset", NOTE, "there is no soft reset"},
    {"tsc_mode timer_mode vpt_align", NOTE, OWN_TIME},
    {"seclabel init_seclabel device_model_stubdomain_seclabel", NOTE, "there are no security labels"},
    {"max_maptrack_frames max_grant_version", NOTE, "they are as is usual"},
    {"bootloader_args bootargs", NOTE, "GRUB's menu is on the guest's disk"},
    {"cpuid vpmu msr_relaxed vmtrace_buf_kb mca_caps", NOTE, "a guest sees the machine's CPU"},
    {"vnuma", NOTE, "a guest's memory is on one node"},
    {"e820_host", NOTE, "a guest has no part of the machine's memory map"},
    {"vfb vnc vncdisplay vnclisten vncpasswd vncviewer vncconsole sdl display xauthority opengl nographic keymap stdvga vga videoram vkb vkb_device "
     "vdispl spice spicehost spiceport spicetls_port spicepasswd spicedisable_ticketing spiceagent_mouse spicevdagent spice_clipboard_sharing "
     "spiceusbredirection spice_image_compression spice_streaming_video", NOTE, NO_FRAMEBUFFER},
    {"serial channel parallel", NOTE, "`pvctl console` has the one console that there is"},
    {"usb usbdevice usbctrl usbversion soundhw vsnd", NOTE, NO_DEVICE},
    {"boot bios bios_path_override firmware firmware_override acpi_firmware smbios_firmware acpi_s3 acpi_s4 acpi_laptop_slate hap oos shadow_memory hpet "
     "nestedhvm viridian xen_platform_pci altp2m altp2mhvm mmio_hole rdm rdm_mem_boundary hdtype vendor_device xend_suspend_evtchn_compat smbios "
     "gic_version vuart tee", NOTE, NO_PC},
    {"device_model device_model_version device_model_override device_model_args device_model_args_pv device_model_args_hvm device_model_user "
     "device_model_stubdomain_override dm_restrict stubdomain_memory stubdomain_kernel stubdomain_ramdisk stubdomain_cmdline", NOTE, NO_EMULATOR},
    {"blkdev_start run_hotplug_scripts vif2", NOTE, "disks are named in disk, interfaces in vif"},
    {"dhcp ip netmask gateway hostname interface nfs_server nfs_root nics cpu cpu_cap restart features domid ramdisk_size on_xend_start on_xend_stop extid "
     "description guest_os_type vcpu_avail fda fdb isa monitor loader bootentry access_control machine_address_size suppress_spurious_page_faults",
     NOTE, OF_XM},
    {"localtime rtc_timeoffset", REFUSE, "a guest's clock is UTC; the guest has its time zone"},
    {"driver_domain blkif netif tpmif", REFUSE, "back ends are in the control domain"},
    {"pvshim", REFUSE, "type = \"pv\" runs a paravirtual kernel without it"},
    {"pci vscsi usbdev irq irqs iomem ioports dtdev device_tree gfx_passthru", REFUSE, NOT_GIVEN},
    {"passthrough", REFUSE, NOT_GIVEN},
    {"vtpm", REFUSE, "there is no TPM for a guest"},
    {"p9 pvcalls", REFUSE, "no directory or socket is shared with a guest: give it a disk, or a network"},
    {0},
};
/* clang-format on */

/* The next of words with blanks between them; false: there is none. */
static bool next_word(const char **list, char out[48])
{
    size_t len;

    *list += strspn(*list, " ");
    len = strcspn(*list, " ");
    snprintf(out, 48, "%.*s", (int)len, *list);
    *list += len;
    return len > 0;
}

static bool among(const char *list, const char *key)
{
    char word[48];

    while (next_word(&list, word)) {
        if (strcmp(word, key) == 0)
            return true;
    }
    return false;
}

static void try_all(const char *list, const char *key, char best[48], struct near *n)
{
    char word[48];

    while (next_word(&list, word)) {
        const char *before = n->word;
        unsigned int away = n->away;

        near_try(n, key, word);
        if (n->word != before || n->away != away) {
            snprintf(best, 48, "%s", word);
            n->word = best;
        }
    }
}

/* The nearest of all keys, "": none is near. */
static void find_near(const char *key, char best[48])
{
    struct near n = {NULL, 0};

    best[0] = '\0';
    try_all(xl_read_keys, key, best, &n);
    for (const struct xl_rule *r = xl_rules; r->keys; r++)
        try_all(r->keys, key, best, &n);
}

static void tell_unknown(const struct xl *x, const struct xl_place *p)
{
    char best[48];

    find_near(p->name, best);
    findings_error(x->f, -EINVAL, p->line, "%s: unknown key%s%s%s", p->name,
                   *best ? "; did you mean " : "", best, *best ? "?" : "");
}

/* 0, "", "disabled" or an empty list asks for nothing. */
static bool asks_for_nothing(const struct xl *x, const char *key)
{
    const char *text;
    int entries;

    if (xlu_cfg_get_list(x->cfg, key, NULL, &entries, 1) == 0)
        return entries == 0;
    return xlu_cfg_get_string(x->cfg, key, &text, 1) == 0 &&
           (!*text || strcmp(text, "0") == 0 || strcmp(text, "disabled") == 0);
}

static void tell(const struct xl *x, const struct xl_place *p, const struct xl_rule *r)
{
    if (asks_for_nothing(x, p->name))
        return;
    if (r->treatment == REFUSE || x->how->strict)
        findings_error(x->f, -ENOTSUP, p->line, "%s: %s", p->name,
                       r->treatment == SILENT ? "it has no effect" : r->words);
    else if (r->treatment == NOTE)
        findings_note(x->f, p->line, "%s: %s", p->name, r->words);
}

/* NULL: none is about it. */
static const struct xl_rule *rule_of(const char *key)
{
    const struct xl_rule *r = xl_rules;

    while (r->keys && !among(r->keys, key))
        r++;
    return r->keys ? r : NULL;
}

static void check_key(const struct xl *x, const struct xl_place *p)
{
    const struct xl_rule *r = rule_of(p->name);

    if (among(xl_read_keys, p->name))
        return;
    if (r)
        tell(x, p, r);
    else
        tell_unknown(x, p);
}

void xl_missing(const struct xl *x, const char *key)
{
    char best[48];

    for (size_t i = 0; i < x->places.nr; i++) {
        const struct xl_place *p = &x->places.list[i];

        if (p->item >= 0 || among(xl_read_keys, p->name) || rule_of(p->name))
            continue;
        find_near(p->name, best);
        if (strcmp(best, key) == 0)
            return;
    }
    findings_error(x->f, -EINVAL, 0, "%s is missing", key);
}

void xl_check_keys(const struct xl *x)
{
    for (size_t i = 0; i < x->places.nr; i++) {
        if (x->places.list[i].item < 0)
            check_key(x, &x->places.list[i]);
    }
}
