/* SPDX-License-Identifier: MIT */
/*
 * A configuration as XML again: what `pvctl dumpxml` prints.
 *
 * The result validates against the schema and reads back to the same configuration, which a
 * test holds. Defaults are written out, so that the text says all there is to the domain.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_rates.h"
#include "cpuset.h"

/* What is written for the character that begins here, and has *len bytes, if XML has a use of its
 * own for it, or reads it as another one (an end of a line, a blank), or a terminal obeys it: the
 * control characters that Unicode has beyond ASCII are text in XML. NULL: itself. */
static const char *escape(const char *s, size_t *len, char other[8])
{
    const uint8_t first = (uint8_t)s[0], second = first ? (uint8_t)s[1] : 0;

    *len = 1;
    if (first == 0xc2 && second >= 0x80 && second < 0xa0) {
        *len = 2;
        snprintf(other, 8, "&#x%x;", second);
        return other;
    }
    switch (*s) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '\'':
        return "&apos;";
    case '\r':
        return "&#13;";
    case '\t':
        return "&#9;";
    case '\x7f':
        return "&#127;";
    default:
        return NULL;
    }
}

static void put_escaped(FILE *f, const char *s)
{
    char room[8];

    for (size_t n; *s; s += n) {
        const char *other = escape(s, &n, room);

        if (other)
            fputs(other, f);
        else
            fputc(*s, f);
    }
}

size_t config_xml_len(const char *s)
{
    size_t len = 0;
    char room[8];

    for (size_t n; s && *s; s += n) {
        const char *other = escape(s, &n, room);

        len += other ? strlen(other) : 1;
    }
    return len;
}

static void put_text(FILE *f, const char *indent, const char *element, const char *s)
{
    if (s) {
        fprintf(f, "%s<%s>", indent, element);
        put_escaped(f, s);
        fprintf(f, "</%s>\n", element);
    }
}

static void put_disk(FILE *f, const struct disk_config *d)
{
    bool block = d->kind == DISK_BLOCK;

    fprintf(f, "    <disk type='%s' device='%s'>\n", block ? "block" : "file",
            d->cdrom ? "cdrom" : "disk");
    fprintf(f, "      <driver name='phy' type='raw'/>\n      <source %s='", block ? "dev" : "file");
    put_escaped(f, d->source);
    fprintf(f, "'/>\n      <target dev='%s' bus='xen'/>\n", d->target);
    if (d->readonly)
        fputs("      <readonly/>\n", f);
    if (d->shareable)
        fputs("      <shareable/>\n", f);
    config_rates_put(f, &d->rates);
    fputs("    </disk>\n", f);
}

static void put_addresses(FILE *f, const char *list)
{
    for (size_t len; *list; list += len + strspn(list + len, " ")) {
        len = strcspn(list, " ");
        fprintf(f, "      <ip address='%.*s'/>\n", (int)len, list);
    }
}

static void put_nic(FILE *f, const struct nic_config *n)
{
    char mac[18];

    fprintf(f, "    <interface type='%s'>\n", n->bridge ? "bridge" : "ethernet");
    mac_format(n->mac, mac);
    if (n->mac_given)
        fprintf(f, "      <mac address='%s'/>\n", mac);
    if (n->bridge)
        fprintf(f, "      <source bridge='%s'/>\n", n->bridge);
    if (n->script) {
        fputs("      <script path='", f);
        put_escaped(f, n->script);
        fputs("'/>\n", f);
    }
    put_addresses(f, n->ip ? n->ip : "");
    if (n->ifname)
        fprintf(f, "      <target dev='%s'/>\n", n->ifname);
    if (n->rate_kib)
        fprintf(f, "      <bandwidth>\n        <outbound average='%u'/>\n      </bandwidth>\n",
                n->rate_kib);
    fputs("    </interface>\n", f);
}

static void put_controller(FILE *f, const struct domain_config *c)
{
    if (!c->max_grant_frames && !c->max_event_channels)
        return;
    fputs("    <controller type='xenbus' index='0'", f);
    if (c->max_grant_frames)
        fprintf(f, " maxGrantFrames='%u'", c->max_grant_frames);
    if (c->max_event_channels)
        fprintf(f, " maxEventChannels='%u'", c->max_event_channels);
    fputs("/>\n", f);
}

static void put_vcpus(FILE *f, const struct domain_config *c)
{
    char list[CPUSET_TEXT];

    fputs("  <vcpu", f);
    if (c->cpuset) {
        cpuset_format(c->cpuset, list);
        fprintf(f, " cpuset='%s'", list);
    }
    if (c->vcpus != c->max_vcpus)
        fprintf(f, " current='%u'", c->vcpus);
    fprintf(f, ">%u</vcpu>\n", c->max_vcpus);
}

static void put_cputune(FILE *f, const struct domain_config *c)
{
    char list[CPUSET_TEXT];
    bool any = c->weight || c->cap;

    for (unsigned int i = 0; i < c->max_vcpus; i++)
        any = any || c->pin[i];
    if (!any)
        return;
    fputs("  <cputune>\n", f);
    if (c->weight)
        fprintf(f, "    <shares>%u</shares>\n", c->weight);
    if (c->cap)
        fprintf(f,
                "    <global_period>100000</global_period>\n"
                "    <global_quota>%u</global_quota>\n",
                c->cap * 1000);
    for (unsigned int i = 0; i < c->max_vcpus; i++) {
        if (!c->pin[i])
            continue;
        cpuset_format(c->pin[i], list);
        fprintf(f, "    <vcpupin vcpu='%u' cpuset='%s'/>\n", i, list);
    }
    fputs("  </cputune>\n", f);
}

static void put_head(FILE *f, const struct domain_config *c, int domid)
{
    char uuid[37];

    fputs("<domain type='xen'", f);
    if (domid >= 0)
        fprintf(f, " id='%d'", domid);
    fputs(">\n", f);
    put_text(f, "  ", "name", c->name);
    if (c->uuid_given) {
        uuid_format(c->uuid, uuid);
        put_text(f, "  ", "uuid", uuid);
    }
    put_text(f, "  ", "title", c->title);
    put_text(f, "  ", "description", c->description);
    if (c->metadata)
        fprintf(f, "  %s\n", c->metadata);
    fprintf(f, "  <memory unit='KiB'>%" PRIu64 "</memory>\n", c->memory_kib);
    fprintf(f, "  <currentMemory unit='KiB'>%" PRIu64 "</currentMemory>\n", c->current_kib);
    put_vcpus(f, c);
    put_text(f, "  ", "bootloader", c->bootloader);
}

static const char *const types[NR_KINDS] = {
    [KIND_PV] = " machine='xenpv'>linux",
    [KIND_HVM] = ">hvm",
    [KIND_PVH] = " machine='xenpvh'>xenpvh",
};

char *domain_config_to_xml(const struct domain_config *c, int domid)
{
    char *out = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&out, &len);

    if (!f)
        return NULL;
    put_head(f, c, domid);
    fprintf(f, "  <os>\n    <type arch='x86_64'%s</type>\n", types[c->kind]);
    put_text(f, "    ", "kernel", c->grub ? NULL : c->kernel);
    put_text(f, "    ", "initrd", c->ramdisk);
    put_text(f, "    ", "cmdline", c->cmdline);
    fputs("  </os>\n", f);
    put_cputune(f, c);
    put_text(f, "  ", "on_poweroff", end_action_name(c->on_poweroff));
    put_text(f, "  ", "on_reboot", end_action_name(c->on_reboot));
    put_text(f, "  ", "on_crash", end_action_name(c->on_crash));
    fputs("  <devices>\n", f);
    for (size_t i = 0; i < c->nr_disks; i++)
        put_disk(f, &c->disks[i]);
    for (size_t i = 0; i < c->nr_nics; i++)
        put_nic(f, &c->nics[i]);
    put_controller(f, c);
    fprintf(f, "    <console type='pty'>\n      <target type='%s' port='0'/>\n    </console>\n",
            c->kind == KIND_HVM ? "serial" : "xen");
    fputs("  </devices>\n</domain>\n", f);
    if (fclose(f) != 0) {
        free(out);
        return NULL;
    }
    return out;
}
