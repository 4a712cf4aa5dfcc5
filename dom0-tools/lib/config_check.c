/* SPDX-License-Identifier: MIT */
/*
 * Checks beyond the grammar: see config_check.h.
 *
 * Each check is one function, one rule, one message, in the words of the file that it is about.
 */
#include "config_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_units.h"
#include "config_vdev.h"

const char *config_word(const struct domain_config *c, const char *xml, const char *xl)
{
    return c->line.format == CONFIG_XL ? xl : xml;
}

static void check_name(const struct domain_config *c, struct findings *f)
{
    const char *word = config_word(c, "<name>", "name");

    if (!c->name)
        return;
    if (!domain_name_ok(c->name))
        findings_error(f, -EINVAL, c->line.name,
                       "%s: '%.64s': 1 to 64 of the characters A-Z a-z 0-9 _ . + -, not a number "
                       "alone, nor beginning with . or -",
                       word, c->name);
    else if (strcmp(c->name, "Domain-0") == 0)
        findings_error(f, -EINVAL, c->line.name, "%s: Domain-0 is the control domain", word);
}

/* One that was not understood has been told of, and is 0. */
static void check_memory(const struct domain_config *c, struct findings *f)
{
    /* In xl's format memory alone says both. */
    const bool one = c->line.format == CONFIG_XL && !c->line.memory;
    char size[SIZE_TEXT];

    if (c->memory_kib &&
        (c->memory_kib < CONFIG_MIN_MEMORY_KIB || c->memory_kib > CONFIG_MAX_MEMORY_KIB))
        findings_error(f, -ERANGE, one ? c->line.current : c->line.memory,
                       "%s: %s is not between 2 MiB and 16 TiB",
                       config_word(c, "<memory>", one ? "memory" : "maxmem"),
                       size_text(c->memory_kib, size));
    else if (c->memory_kib && c->current_kib &&
             (c->current_kib < CONFIG_MIN_MEMORY_KIB || c->current_kib > c->memory_kib))
        findings_error(f, -ERANGE, c->line.current, "%s: %s is not between 2 MiB and %s",
                       config_word(c, "<currentMemory>", "memory"), size_text(c->current_kib, size),
                       config_word(c, "<memory>", "maxmem"));
}

static void check_vcpus(const struct domain_config *c, struct findings *f)
{
    const long line = c->line.max_vcpus ? c->line.max_vcpus : c->line.vcpu;

    if (c->max_vcpus < 1 || c->max_vcpus > CONFIG_MAX_VCPUS)
        findings_error(f, -ERANGE, line, "%s: %u is not between 1 and %u",
                       config_word(c, "<vcpu>", c->line.max_vcpus ? "maxvcpus" : "vcpus"),
                       c->max_vcpus, CONFIG_MAX_VCPUS);
    else if (c->vcpus < 1 || c->vcpus > c->max_vcpus)
        findings_error(f, -ERANGE, c->line.vcpu, "%s%u%s is not between 1 and %u",
                       config_word(c, "<vcpu>: current='", "vcpus: "), c->vcpus,
                       config_word(c, "'", ""), c->max_vcpus);
}

static void check_shares(const struct domain_config *c, struct findings *f)
{
    unsigned int nr =
        c->max_vcpus >= 1 && c->max_vcpus <= CONFIG_MAX_VCPUS ? c->max_vcpus : CONFIG_MAX_VCPUS;

    if (c->weight > 65535)
        findings_error(f, -ERANGE, c->line.shares, "%s: %u is not between 1 and 65535",
                       config_word(c, "<shares>", "cpu_weight"), c->weight);
    if (c->cap > 100 * nr)
        findings_error(f, -ERANGE, c->line.quota,
                       "%s: %u %% of a CPU is more than the %u %% that %s can use",
                       config_word(c, "<global_quota>", "cap"), c->cap, 100 * nr,
                       config_word(c, "<vcpu>", "the vCPUs"));
    for (unsigned int i = nr; i < CONFIG_MAX_VCPUS; i++) {
        if (c->pin[i])
            findings_error(f, -ERANGE, c->line.pin[i], "%s%u%s is not between 0 and %u",
                           config_word(c, "<vcpupin>: vcpu='", "cpus: vCPU "), i,
                           config_word(c, "'", ""), nr - 1);
    }
}

/* What a fully virtualized guest is given at its start it has from there on; and what it is not
 * told of it can't ask for. */
static void check_kind(const struct domain_config *c, struct findings *f)
{
    if (c->kind != KIND_PV && c->vcpus != c->max_vcpus)
        findings_error(f, -EINVAL, c->line.vcpu,
                       "%s%u%s: a guest of kind %s starts all that it has",
                       config_word(c, "<vcpu>: current='", "vcpus: "), c->vcpus,
                       config_word(c, "'", ""), kind_name(c->kind));
    if (c->kind == KIND_HVM && c->memory_kib && c->current_kib != c->memory_kib)
        findings_error(f, -EINVAL, c->line.current,
                       "%s: an hvm guest cannot be given more later: it must be as %s",
                       config_word(c, "<currentMemory>", "memory"),
                       config_word(c, "<memory>", "maxmem"));
}

static void check_start(const struct domain_config *c, struct findings *f)
{
    size_t len = c->cmdline ? strlen(c->cmdline) : 0;

    if (len > CONFIG_MAX_CMDLINE)
        findings_error(f, -E2BIG, c->line.cmdline, "%s: %zu bytes, at most %u fit into start_info",
                       config_word(c, "<cmdline>", "the command line"), len, CONFIG_MAX_CMDLINE);
    if (c->grub && !c->bootloader && !f->code)
        findings_note(f, c->line.kernel,
                      "%s: none is given: GRUB starts, and reads the menu of the guest's disk",
                      config_word(c, "<kernel>", "kernel"));
    if (c->grub && len)
        findings_note(f, c->line.cmdline, "%s: GRUB is given it, not the kernel of GRUB's menu",
                      config_word(c, "<cmdline>", "the command line"));
    if (c->grub && c->nr_disks == 0 && !f->code) /* else it may be one that was not understood */
        findings_error(f, -EINVAL, c->line.kernel,
                       "%s: without a kernel GRUB starts, which reads a disk: there is none",
                       config_word(c, "<os>", "kernel"));
}

/* What the texts that mean nothing here are as they are kept: config_xml_len() of what a file has,
 * and metadata as it is. */
static void check_texts(const struct domain_config *c, struct findings *f)
{
    const size_t len[] = {config_xml_len(c->title), config_xml_len(c->description),
                          c->metadata ? strlen(c->metadata) : 0};
    const long line[] = {c->line.title, c->line.description, c->line.metadata};
    size_t all = 0, longest = 0;

    for (size_t i = 0; i < 3; i++) {
        all += len[i];
        longest = len[i] > len[longest] ? i : longest;
    }
    if (all > CONFIG_MAX_TEXTS)
        findings_error(f, -EFBIG, line[longest],
                       "<title>, <description> and <metadata>: %zu bytes as they are kept, at most "
                       "%u are",
                       all, CONFIG_MAX_TEXTS);
}

static void check_path(const char *word, const char *path, size_t most, long line,
                       struct findings *f)
{
    size_t len = path ? strlen(path) : 0;

    if (len > most)
        findings_error(f, -ENAMETOOLONG, line, "%s: %zu bytes, a path has at most %zu", word, len,
                       most);
}

static void check_paths(const struct domain_config *c, struct findings *f)
{
    check_path(config_word(c, "<kernel>", "kernel"), c->kernel, CONFIG_MAX_PATH, c->line.kernel, f);
    check_path(config_word(c, "<initrd>", "ramdisk"), c->ramdisk, CONFIG_MAX_PATH, c->line.ramdisk,
               f);
    check_path(config_word(c, "<bootloader>", "bootloader"), c->bootloader, CONFIG_MAX_PATH,
               c->line.bootloader, f);
}

static void check_limits(const struct domain_config *c, struct findings *f)
{
    if (c->max_grant_frames > CONFIG_MAX_GRANT_FRAMES)
        findings_error(f, -ERANGE, c->line.limits, "%s: %u is not between 1 and %u",
                       config_word(c, "<controller>: maxGrantFrames", "max_grant_frames"),
                       c->max_grant_frames, CONFIG_MAX_GRANT_FRAMES);
    if (c->max_event_channels > CONFIG_MAX_EVENT_CHANNELS)
        findings_error(f, -ERANGE, c->line.limits, "%s: %u is not between 1 and %u",
                       config_word(c, "<controller>: maxEventChannels", "max_event_channels"),
                       c->max_event_channels, CONFIG_MAX_EVENT_CHANNELS);
}

/* One file or device by two names: by other paths to it the machine alone knows (disk_share.h). */
static void check_disk_pair(const struct domain_config *c, const struct disk_config *d,
                            const struct disk_config *o, struct findings *f)
{
    if (d->vdev == o->vdev)
        findings_error(f, -EEXIST, d->line, "%s: target '%s' is given twice",
                       config_word(c, "<disk>", "disk"), d->target);
    else if (strcmp(d->source, o->source) == 0 && !(d->readonly && o->readonly) &&
             !(d->shareable && o->shareable))
        findings_error(f, -EBUSY, d->line,
                       "%s '%s': %s is '%s' too, and may be written; both need %s",
                       config_word(c, "<disk>", "disk"), d->target, d->source, o->target,
                       config_word(c, "<readonly/>, or both <shareable/>", "to be read-only (r)"));
}

static void check_disks(struct domain_config *c, struct findings *f)
{
    for (size_t i = 0; i < c->nr_disks; i++) {
        struct disk_config *d = &c->disks[i];

        check_path(config_word(c, "<disk>: <source>", "disk"), d->source, CONFIG_MAX_PATH, d->line,
                   f);
        if (!vdev_number(d->target, &d->vdev))
            findings_error(f, -EINVAL, d->line, "%s: target '%.64s' is not accepted; accepted: %s",
                           config_word(c, "<disk>", "disk"), d->target, VDEV_NAMES);
        for (size_t j = 0; d->vdev && j < i; j++)
            check_disk_pair(c, d, &c->disks[j], f);
    }
}

static void check_nic_pair(const struct domain_config *c, const struct nic_config *n,
                           const struct nic_config *o, struct findings *f)
{
    char mac[18];

    mac_format(n->mac, mac);
    if (n->mac_given && o->mac_given && memcmp(n->mac, o->mac, 6) == 0)
        findings_error(f, -EEXIST, n->line, "%s: %s is given twice",
                       config_word(c, "<mac>", "vif: mac"), mac);
    if (n->ifname && o->ifname && strcmp(n->ifname, o->ifname) == 0)
        findings_error(f, -EEXIST, n->line, "%s '%s' is given twice",
                       config_word(c, "<interface>: target", "vif: vifname"), n->ifname);
}

/* "10.0.0.2 fd00::2" */
static void check_addresses(const struct domain_config *c, const struct nic_config *n,
                            struct findings *f)
{
    unsigned char bytes[16];
    unsigned int nr = 0;
    char address[64];

    for (const char *at = n->ip; at && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        snprintf(address, sizeof(address), "%.*s", (int)len, at);
        if (len >= sizeof(address) ||
            (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1))
            findings_error(f, -EINVAL, n->line, "%s: '%s' is no address, as 192.168.0.2 or fd00::2",
                           config_word(c, "<ip>", "vif: ip"), address);
        at += len;
        nr++;
    }
    if (nr > CONFIG_MAX_ADDRESSES)
        findings_error(f, -E2BIG, n->line, "%s: %u addresses, at most %u",
                       config_word(c, "<ip>", "vif: ip"), nr, CONFIG_MAX_ADDRESSES);
}

static void check_nics(const struct domain_config *c, struct findings *f)
{
    for (size_t i = 0; i < c->nr_nics; i++) {
        static const uint8_t none[6];
        const struct nic_config *n = &c->nics[i];
        bool is_none = memcmp(n->mac, none, sizeof(none)) == 0;
        char mac[18];

        check_addresses(c, n, f);
        check_path(config_word(c, "<script>", "vif: script"), n->script, CONFIG_MAX_SCRIPT, n->line,
                   f);
        mac_format(n->mac, mac);
        if (n->mac_given && (is_none || (n->mac[0] & 1)))
            findings_error(f, -EINVAL, n->line, "%s: %s is %s address",
                           config_word(c, "<mac>", "vif: mac"), mac,
                           is_none ? "no interface's" : "a group");
        for (size_t j = 0; j < i; j++)
            check_nic_pair(c, n, &c->nics[j], f);
    }
}

void config_check_devices(struct domain_config *c, struct findings *f)
{
    check_disks(c, f);
    check_nics(c, f);
}

void config_check(struct domain_config *c, struct findings *f)
{
    check_name(c, f);
    check_memory(c, f);
    check_vcpus(c, f);
    check_shares(c, f);
    check_kind(c, f);
    check_start(c, f);
    check_texts(c, f);
    check_paths(c, f);
    check_limits(c, f);
    config_check_devices(c, f);
}
