/* SPDX-License-Identifier: MIT */
/*
 * The configuration of domains: what is read, what is refused and in which words, and that
 * what is written reads back the same.
 *
 * Each bad file is a good one with one change. The message must name the file, the line of
 * the change, and what it is about; for an unknown thing, also what would be accepted.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "tools_config.h"

/* `good` with the first `from` replaced. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(good, from);
    char *out = malloc(sizeof(good) + strlen(to) + 1);

    assert_non_null(at);
    sprintf(out, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    return out;
}

static void reads_everything(void **state)
{
    static const uint8_t uuid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                     0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    struct domain_config c;
    struct error e;

    (void)state;
    if (parse(good, &c, &e))
        fail_msg("%s", e.text);
    assert_string_equal(c.name, "web");
    assert_string_equal(c.title, "a <web> server");
    assert_memory_equal(c.uuid, uuid, 16);
    assert_int_equal(c.memory_kib, 262144);
    assert_int_equal(c.current_kib, 131072);
    assert_int_equal(c.max_vcpus, 2);
    assert_int_equal(c.vcpus, 1);
    assert_string_equal(c.kernel, "/boot/vmlinuz");
    assert_string_equal(c.ramdisk, "/boot/initrd");
    assert_string_equal(c.cmdline, "console=hvc0 a='b' &c");
    assert_int_equal(c.weight, 512);
    assert_int_equal(c.cap, 50);
    assert_int_equal(c.cpuset, 0xff);
    assert_int_equal(c.pin[0], 0);
    assert_int_equal(c.pin[1], 0xb);
    assert_int_equal(c.on_poweroff, END_DESTROY);
    assert_int_equal(c.on_reboot, END_RESTART);
    assert_int_equal(c.on_crash, END_PRESERVE);
    assert_int_equal(c.nr_disks, 2);
    assert_int_equal(c.disks[0].kind, DISK_FILE);
    assert_string_equal(c.disks[0].source, "/srv/web.img");
    assert_int_equal(c.disks[0].vdev, 202 << 8);
    assert_false(c.disks[0].readonly);
    assert_int_equal(c.disks[1].kind, DISK_BLOCK);
    assert_int_equal(c.disks[1].vdev, 202 << 8 | 1 << 4 | 1);
    assert_true(c.disks[1].readonly);
    assert_true(c.disks[1].shareable);
    assert_false(c.disks[0].shareable);
    assert_int_equal(c.nr_nics, 1);
    assert_true(c.nics[0].mac_given);
    assert_int_equal(c.nics[0].mac[2], 0x3e);
    assert_string_equal(c.nics[0].bridge, "xenbr0");
    assert_true(c.console);
    domain_config_free(&c);
}

static void defaults(void **state)
{
    static const char minimal[] = "<domain type='xen'><name>m</name><memory>8192</memory>"
                                  "<os><type>linux</type><kernel>/k</kernel></os></domain>";
    struct domain_config c;
    struct error e;

    (void)state;
    assert_int_equal(parse(minimal, &c, &e), 0);
    assert_false(c.uuid_given);
    assert_int_equal(c.memory_kib, 8192);
    assert_int_equal(c.current_kib, 8192);
    assert_int_equal(c.max_vcpus, 1);
    assert_int_equal(c.vcpus, 1);
    assert_null(c.ramdisk);
    assert_string_equal(c.cmdline, "");
    assert_int_equal(c.weight, 0);
    assert_int_equal(c.cap, 0);
    assert_int_equal(c.cpuset, 0);
    assert_int_equal(c.pin[0], 0);
    assert_int_equal(c.on_poweroff, END_DESTROY);
    assert_int_equal(c.on_reboot, END_RESTART);
    assert_int_equal(c.on_crash, END_DESTROY);
    domain_config_free(&c);
}

static void round_trip(void **state)
{
    struct domain_config a, b;
    struct error e;
    char *xml, *again;

    (void)state;
    assert_int_equal(parse(good, &a, &e), 0);
    xml = domain_config_to_xml(&a, 7);
    assert_non_null(xml);
    assert_non_null(strstr(xml, "id='7'"));
    if (parse(xml, &b, &e))
        fail_msg("%s in\n%s", e.text, xml);
    again = domain_config_to_xml(&b, 7);
    assert_string_equal(xml, again);
    free(xml);
    free(again);
    domain_config_free(&a);
    domain_config_free(&b);
}

/* GRUB, where there is no kernel, or a boot loader that would find one on the guest's disk. */
static void grub_starts(void **state)
{
    static const struct {
        const char *from, *to, *kernel;
    } cases[] = {
        {"  <os>", "<bootloader>/usr/bin/pygrub</bootloader><os>", CONFIG_GRUB_PV},
        {"<kernel>/boot/vmlinuz</kernel>", "", CONFIG_GRUB_PV},
        {"machine='xenpv'>linux</type>\n    <kernel>/boot/vmlinuz</kernel>",
         "machine='xenpvh'>xenpvh</type>", CONFIG_GRUB_PVH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *first = changed("current='1'>2<", ">2<"), *text, *xml, *at;
        struct domain_config c, again;
        struct error e;

        at = strstr(first, cases[i].from);
        assert_non_null(at);
        assert_true(asprintf(&text, "%.*s%s%s", (int)(at - first), first, cases[i].to,
                             at + strlen(cases[i].from)) > 0);
        if (parse(text, &c, &e))
            fail_msg("%s", e.text);
        assert_true(c.grub);
        assert_string_equal(c.kernel, cases[i].kernel);
        assert_null(c.ramdisk);
        xml = domain_config_to_xml(&c, -1);
        assert_null(strstr(xml, "<kernel>"));
        assert_int_equal(i == 0, strstr(xml, "<bootloader>/usr/bin/pygrub</bootloader>") != NULL);
        assert_int_equal(parse(xml, &again, &e), 0);
        assert_string_equal(again.kernel, cases[i].kernel);
        domain_config_free(&c);
        domain_config_free(&again);
        free(xml);
        free(text);
        free(first);
    }
}

/* As libvirt has it: a negative quota is no cap. */
static void no_cap(void **state)
{
    static const char *const quotas[] = {"-1", "-250000", "-1844674407370955161"};

    (void)state;
    for (size_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
        struct domain_config c;
        struct error e;
        char text[512];

        snprintf(text, sizeof(text),
                 "<domain type='xen'><name>a</name><memory>8192</memory><os><type>linux</type>"
                 "<kernel>/k</kernel></os><cputune><shares>7</shares>"
                 "<global_quota>%s</global_quota></cputune></domain>",
                 quotas[i]);
        if (parse(text, &c, &e))
            fail_msg("%s: %s", quotas[i], e.text);
        assert_int_equal(c.weight, 7);
        assert_int_equal(c.cap, 0);
        domain_config_free(&c);
    }
}

static void units(void **state)
{
    static const struct {
        const char *text;
        uint64_t kib;
    } cases[] = {
        {"<memory>16384</memory>", 16384},
        {"<memory unit='b'>4194304</memory>", 4096},
        {"<memory unit='bytes'>4194305</memory>", 4100},
        {"<memory unit='KB'>10000</memory>", 9768},
        {"<memory unit='k'>8192</memory>", 8192},
        {"<memory unit='KiB'>8193</memory>", 8196},
        {"<memory unit='MB'>16</memory>", 15628},
        {"<memory unit='M'>16</memory>", 16384},
        {"<memory unit='MiB'>16</memory>", 16384},
        {"<memory unit='GB'>1</memory>", 976564},
        {"<memory unit='G'>1</memory>", 1048576},
        {"<memory unit='GiB'>1</memory>", 1048576},
        {"<memory unit='TB'>1</memory>", 976562500},
        {"<memory unit='T'>1</memory>", 1073741824},
        {"<memory unit='TiB'>1</memory>", 1073741824},
        {"<memory unit='kib'>8192</memory>", 8192},
        {"<memory unit='mb'>16</memory>", 15628},
        {"<memory unit='gIB'>1</memory>", 1048576},
        {"<memory unit=' t '>1</memory>", 1073741824},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        struct domain_config c;
        struct error e;

        snprintf(text, sizeof(text),
                 "<domain type='xen'><name>m</name>%s<os><type>linux</type>"
                 "<kernel>/k</kernel></os></domain>",
                 cases[i].text);
        if (parse(text, &c, &e))
            fail_msg("%s: %s", cases[i].text, e.text);
        assert_int_equal(c.memory_kib, cases[i].kib);
        domain_config_free(&c);
    }
}

struct bad {
    const char *from, *to;
    const char *says[3]; /* all of these must be in the message */
};

/* clang-format off */
static const struct bad bads[] = {
    /* not XML, or not this XML */
    {"</name>", "<name>", {"t.xml:", "well-formed"}},
    {"</domain>\n", "", {"t.xml:", "well-formed"}},
    {"<domain type", "\n<!DOCTYPE domain [<!ENTITY x 'y'>]><domain type", {"t.xml:2: a document type declaration is not accepted; what else"}},
    {"<domain type='xen'>", "<domain type='xen' xmlns:q='urn:q' q:a='b'>",
     {"t.xml:1", "'a'", "type, id"}},
    /* unknown elements and attributes say what is known */
    {"<memory", "<memroy/><memory",
     {"t.xml:5", "<memroy> is not known in <domain>; did you mean <memory>?"}},
    {"<kernel>", "<boot/><kernel>", {"t.xml:10", "<boot> is not known in <os>", "kernel, initrd"}},
    {"<kernel>", "<loader>/x</loader><kernel>",
     {"t.xml:10: <loader>: a guest begins with <kernel>"}},
    {"<console type='pty'>", "<graphics/><console type='pty'>",
     {"t.xml:22", "<graphics>", "disk, interface, console"}},
    {"<vcpu cpuset", "<vcpu cpuste",
     {"t.xml:7", "no attribute 'cpuste'", "placement, cpuset, current"}},
    {"<vcpupin vcpu", "<vcpupin cpu", {"t.xml:13", "no attribute 'cpu'", "vcpu, cpuset"}},
    {"<vcpupin vcpu='1'", "<emulatorpin",
     {"t.xml:13", "<emulatorpin>", "shares, global_period, global_quota, vcpupin"}},
    {"<readonly/>", "<readwrite/>", {"t.xml:19", "<readwrite> is not known in <disk>"}},
    /* unknown values say what is accepted */
    {"type='xen'", "type='kvm'", {"t.xml:1", "'kvm'", "accepted: xen"}},
    {"unit='KiB'", "unit='stone'", {"t.xml:5", "'unit' of <memory>", "b, bytes, KB, k, KiB"}},
    {"unit='KiB'", "unit='KiBi'", {"t.xml:5", "'KiBi' is not accepted", "PiB, EB, E, EiB"}},
    {">262144<", ">many<", {"t.xml:5", "<memory>", "a whole number"}},
    {">262144<", ">-1<", {"t.xml:5", "'-1'"}},
    {">262144<", ">1.5<", {"t.xml:5", "'1.5'"}},
    {">262144<", "><", {"t.xml:5", "''"}},
    {">262144<", "> \n <", {"t.xml:5", "''"}},
    {">262144<", "> 262 144 <", {"t.xml:5", "'262 144'"}},
    {">linux<", ">exe<", {"t.xml:9", "'exe'", "linux, xen, hvm, xenpvh"}},
    {"x86_64", "i686", {"t.xml:9", "'i686'", "x86_64"}},
    {">preserve<", ">reload<", {"t.xml:15", "<on_crash>", "preserve, rename-restart, coredump-destroy, coredump-restart"}},
    {"<name>web<", "<name>my web<", {"t.xml:2", "'my web'", "A-Z a-z 0-9"}},
    {"<name>web<", "<name>../../etc<", {"t.xml:2", "<name>"}},
    {">restart<", ">coredump-restart<", {"t.xml:14", "<on_reboot>", "accepted: destroy, restart, preserve, rename-restart"}},
    {"xvda", "hde", {"t.xml:18", "'hde'", "xvda to xvdz, sda to sdp, hda to hdd"}},
    {"xvda", "sdq", {"t.xml:18", "'sdq'"}},
    {"xvda", "sda16", {"t.xml:18", "'sda16'"}},
    {"xvda", "hda64", {"t.xml:18", "'hda64'"}},
    {"xvda", "vda", {"t.xml:18", "'vda'"}},
    {"xvda", "xvda16", {"t.xml:18", "'xvda16'"}},
    {"/boot/vmlinuz", "vmlinuz", {"t.xml:10", "'vmlinuz'", "absolute path"}},
    {"00:16:3e:00:00:01", "00:16:3e:00:00", {"t.xml:20", "hexadecimal"}},
    {"01234567-", "0123456-", {"t.xml:3", "<uuid>", "8-4-4-4-12"}},
    {"name='phy'", "name='nbd'", {"t.xml:17", "'nbd'", "phy, file, qemu, tap, tap2"}},
    {"type='raw'", "type='qcow2'", {"t.xml:17: <driver type='qcow2'>: images are raw"}},
    {"bridge'><mac", "user'><mac", {"t.xml:20: <interface type='user'>", "'bridge'"}},
    {"bridge'><mac", "tap'><mac", {"t.xml:20", "'tap'", "bridge, ethernet, network"}},
    {"bridge'><mac", "ethernet'><mac", {"t.xml:20", "is on no bridge"}},
    {"<source bridge='xenbr0'/>", "<source/>", {"t.xml:21", "<source> lacks the attribute 'bridge'"}},
    {"<source bridge='xenbr0'/>", "<source bridge='xenbr0'/><ip address='10.0.0'/>", {"t.xml:20: <ip>: '10.0.0' is no address"}},
    {"<source bridge='xenbr0'/>", "<source bridge='xenbr0'/><ip address='fd00::2::3'/>", {"t.xml:20: <ip>: 'fd00::2::3'"}},
    {"<source bridge='xenbr0'/>", "<source bridge='xenbr0'/><ip address='host'/>", {"t.xml:21", "'host'", "192.168.0.2 or fd00::2"}},
    {"<script path='/srv/vif'/>", "<script path='/srv/'/>", {"t.xml:21: <script>: path: '/srv/' names no file"}},
    {"<source bridge='xenbr0'/>", "<source bridge='xenbr0'/><bandwidth><outbound average='0'/></bandwidth>",
     {"t.xml:21: <outbound>: average='0'", "between 1 and 4194303"}},
    {"<source bridge='xenbr0'/>", "<source bridge='xenbr0'/><bandwidth><outbound average='4194304'/></bandwidth>", {"average='4194304'"}},
    {"<source bridge='xenbr0'/>", "<source bridge='xenbr0'/><bandwidth><outbound/></bandwidth>", {"t.xml:21", "<outbound> lacks the attribute 'average'"}},
    {"<console type='pty'>", "<controller type='xenbus' maxGrantFrames='0'/><console type='pty'>", {"t.xml:22: <controller>: maxGrantFrames='0'"}},
    {"<console type='pty'>", "<controller type='xenbus' maxGrantFrames='1025'/><console type='pty'>",
     {"t.xml:22: <controller>: maxGrantFrames: 1025 is not between 1 and 1024"}},
    {"<console type='pty'>", "<controller type='xenbus' maxEventChannels='4096'/><console type='pty'>",
     {"t.xml:22: <controller>: maxEventChannels: 4096 is not between 1 and 4095"}},
    {"<console type='pty'>", "<controller type='xenbus' maxEventChannels='few'/><console type='pty'>", {"t.xml:22", "'few'", "a whole number"}},
    {"device='disk'", "device='tape'", {"t.xml:17", "'tape'", "disk, cdrom"}},
    {"  <os>", "  <bootloader>lilo</bootloader><os>", {"t.xml:8", "<bootloader>: 'lilo'", "pygrub or pvgrub, which mean GRUB"}},
    {">512<", ">0<", {"t.xml:13", "1 to 65535"}},
    {"'0-7'", "'two'", {"t.xml:7", "'two'", "0-3,5,^2"}},
    {"'0-7'", "''", {"t.xml:7", "''", "0-3,5,^2"}},
    {"'0-7'", "'64'", {"t.xml:7: <vcpu>: cpuset='64'", "no CPU above 63"}},
    {"0-3,^2", "3-0", {"t.xml:13: <vcpupin>: cpuset='3-0'", "ends before it begins"}},
    {"0-3,^2", "1,^1", {"t.xml:13: <vcpupin>: cpuset='1,^1'", "names no CPU"}},
    {"0-3,^2", "0-3,", {"t.xml:13: <vcpupin>", "list of CPUs such as 0-3,5,^2"}},
    {" vcpu='1'", " vcpu='x'", {"t.xml:13", "'x'", "a whole number"}},
    {" vcpu='1'", "", {"t.xml:13", "<vcpupin> lacks the attribute 'vcpu'"}},
    /* missing, twice, out of place */
    {"<name>web</name>", "", {"t.xml:1", "<domain> lacks <name>"}},
    {"<memory unit='KiB'>262144</memory>", "", {"t.xml:1", "lacks <memory>"}},
    {"<type arch='x86_64' machine='xenpv'>linux</type>", "", {"t.xml:8", "<os> lacks <type>"}},
    {" type='xen'>", ">", {"t.xml:1", "<domain> lacks the attribute 'type'"}},
    {"<name>web</name>", "<name>web</name><name>w</name>", {"t.xml:2", "<name> is given twice"}},
    {"<title>", "hello<title>", {"t.xml:1", "<domain> takes no text", "hello"}},
    {"<source bridge='xenbr0'/>", "", {"t.xml:20", "<interface> lacks <source>"}},
    {"<source file='/srv/web.img'/>", "<source dev='/srv/web.img'/>", {"t.xml:18", "'file'"}},
    {"<source dev='/dev/sdb'/>", "<source dev='/dev/sdb' file='/x'/>",
     {"t.xml:19", "one attribute 'dev'"}},
    /* limits and relations */
    {">262144<", ">1024<", {"t.xml:5", "<memory>", "2 MiB and 16 TiB"}},
    {">262144<", ">9999999999999999999<", {"t.xml:5", "<memory> is too large"}},
    {"'KiB'>262144<", "'TiB'>9999999999<", {"t.xml:5", "<memory> is too large"}},
    {">131072<", ">262148<", {"t.xml:6", "<currentMemory>"}},
    {"current='1'>2<", "current='3'>2<", {"t.xml:7", "current='3'", "between 1 and 2"}},
    {"current='1'>2<", "current='0'>2<", {"t.xml:7", "current='0'"}},
    {"'1'>2<", "'1'>0<", {"t.xml:7", "<vcpu>: 0", "between 1 and 64"}},
    {"'1'>2<", "'1'>65<", {"t.xml:7", "<vcpu>: 65"}},
    {">512<", ">65536<", {"t.xml:13", "<shares>"}},
    {">512<", ">0<", {"t.xml:13", "<shares>"}},
    {" vcpu='1'", " vcpu='2'", {"t.xml:13: <vcpupin>: vcpu='2'", "between 0 and 1"}},
    {" vcpu='1'", " vcpu='999999999'", {"t.xml:13: <vcpupin>", "between 0 and 63"}},
    {"<vcpupin", "<vcpupin vcpu='1' cpuset='7'/><vcpupin", {"t.xml:13", "vcpu='1' is given twice"}},
    {">50000<", ">200001<", {"t.xml:13: <global_quota>: 200001 us", "not a whole number of hundredths"}},
    {">50000<", ">201000<", {"t.xml:13: <global_quota>: 201 %", "200 %"}},
    {">50000<", ">0<", {"t.xml:13: <global_quota>: 0 us", "100000 us; without it there is no cap"}},
    {">50000<", ">-0<", {"t.xml:13", "'-0'", "a whole number, or a negative one, such as -1, for no cap"}},
    {">50000<", ">none<", {"t.xml:13", "'none'", "for no cap"}},
    {"'1'>2<", "'1'>two<", {"t.xml:7", "<vcpu>: 'two'", "accepted: a whole number, 1 to 64"}},
    {"<global_quota>", "<global_period>999</global_period><global_quota>",
     {"t.xml:13: <global_period>: 999 us", "between 1000 and 1000000"}},
    {"<global_quota>", "<global_period>1000001</global_period><global_quota>",
     {"t.xml:13: <global_period>: 1000001 us"}},
    {"<name>web<", "<name>123<", {"t.xml:2", "<name>", "number"}},
    {"<name>web<", "<name>Domain-0<", {"t.xml:2", "control domain"}},
    {"<source file='/srv/web.img'/>", "", {"t.xml:17", "<disk> lacks <source>"}},
    {">262144<", ">0<", {"t.xml:5: <memory>: 0 KiB"}},
    {">131072<", ">0<", {"t.xml:6: <currentMemory>: 0 KiB"}},
    {"xvdb1", "xvda", {"t.xml:19", "target 'xvda' is given twice"}},
    {"00:16:3e", "01:16:3e", {"t.xml:20", "group address"}},
    {"00:16:3e:00:00:01", "00:00:00:00:00:00", {"t.xml:20", "<mac>: 00:00:00:00:00:00 is no interface's address"}},
};
/* clang-format on */

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        char *text = changed(bads[i].from, bads[i].to);
        struct domain_config c;
        struct error e;

        if (parse(text, &c, &e) == 0)
            fail_msg("accepted: %s -> %s", bads[i].from, bads[i].to);
        for (int j = 0; j < 3 && bads[i].says[j]; j++) {
            if (!strstr(e.text, bads[i].says[j]))
                fail_msg("%s -> %s: '%s' is not in: %s", bads[i].from, bads[i].to, bads[i].says[j],
                         e.text);
        }
        if (strchr(e.text, '\n'))
            fail_msg("more than one line: %s", e.text);
        free(text);
    }
}

/* Pretty-printed: blanks and line ends around each value change nothing. */
static void blanks_around_values(void **state)
{
    char *spaced = malloc(8 * sizeof(good)), *out = spaced, *as_is, *again;
    struct domain_config a, b;
    struct error e;
    bool in_tag = false, quoted = false;

    (void)state;
    for (const char *p = good; *p; p++) {
        bool opens = in_tag && *p == '\'' && !quoted, closes = in_tag && *p == '\'' && quoted;

        /* A value begins behind > and an opening quote, and ends before < and a closing one. */
        if (closes || (*p == '<' && p > good))
            out = stpcpy(out, closes ? "\t " : " \n\t ");
        *out++ = *p;
        quoted = opens || (quoted && !closes);
        in_tag = *p == '<' || (in_tag && (*p != '>' || quoted));
        if (opens || (*p == '>' && !in_tag))
            out = stpcpy(out, "\r\n  ");
    }
    *out = '\0';
    if (parse(spaced, &b, &e))
        fail_msg("%s in\n%s", e.text, spaced);
    assert_int_equal(parse(good, &a, &e), 0);
    as_is = domain_config_to_xml(&a, 7);
    again = domain_config_to_xml(&b, 7);
    assert_string_equal(again, as_is);
    free(as_is);
    free(again);
    free(spaced);
    domain_config_free(&a);
    domain_config_free(&b);
}

/* Every prefix of a good file is refused or is the whole file, and nothing leaks. */
static void truncated_anywhere(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(good) - 2; len += 7) {
        struct domain_config c;
        struct error e = {0};

        assert_true(domain_config_parse(good, len, "t.xml", &c, &e) < 0);
        assert_true(strncmp(e.text, "t.xml", 5) == 0);
    }
}

static void long_command_line(void **state)
{
    char line[1100], *text;
    struct domain_config c;
    struct error e;

    (void)state;
    memset(line, 'x', sizeof(line));
    line[1024] = '\0';
    text = changed("console=hvc0 a='b' &amp;c", line);
    assert_true(parse(text, &c, &e) < 0);
    assert_non_null(strstr(e.text, "<cmdline>: 1024 bytes"));
    free(text);
    line[1023] = '\0';
    text = changed("console=hvc0 a='b' &amp;c", line);
    assert_int_equal(parse(text, &c, &e), 0);
    domain_config_free(&c);
    free(text);
}

static void names_and_uuids(void **state)
{
    uint8_t a[16], b[16];
    char text[37];

    (void)state;
    assert_true(domain_name_ok("a"));
    assert_true(domain_name_ok("web-1.example_+"));
    assert_false(domain_name_ok(""));
    assert_false(domain_name_ok("."));
    assert_false(domain_name_ok(".."));
    assert_false(domain_name_ok("-x"));
    assert_false(domain_name_ok("a/b"));
    assert_false(domain_name_ok("12"));
    uuid_make(a);
    uuid_make(b);
    assert_memory_not_equal(a, b, 16);
    uuid_format(a, text);
    assert_true(uuid_parse(text, b));
    assert_memory_equal(a, b, 16);
    assert_false(uuid_parse("0123", b));
    text[0] = 'g';
    assert_false(uuid_parse(text, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(defaults),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(grub_starts),
        cmocka_unit_test(no_cap),
        cmocka_unit_test(units),
        cmocka_unit_test(refuses),
        cmocka_unit_test(truncated_anywhere),
        cmocka_unit_test(long_command_line),
        cmocka_unit_test(names_and_uuids),
        cmocka_unit_test(blanks_around_values),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return rc;
}
