/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the configuration share: a good document, and a reader for it.
 */
#ifndef TOOLS_CONFIG_H
#define TOOLS_CONFIG_H

#include <string.h>

#include "config.h"

static const char good[] =
    "<domain type='xen'>\n"
    "  <name>web</name>\n"
    "  <uuid>01234567-89ab-cdef-0123-456789abcdef</uuid>\n"
    "  <title>a &lt;web&gt; server</title>\n"
    "  <memory unit='KiB'>262144</memory>\n"
    "  <currentMemory unit='KiB'>131072</currentMemory>\n"
    "  <vcpu cpuset='0-7' current='1'>2</vcpu>\n"
    "  <os>\n"
    "    <type arch='x86_64' machine='xenpv'>linux</type>\n"
    "    <kernel>/boot/vmlinuz</kernel> <initrd>/boot/initrd</initrd>\n"
    "    <cmdline>console=hvc0 a='b' &amp;c</cmdline>\n"
    "  </os>\n"
    "  <cputune><shares>512</shares><global_quota>50000</global_quota><vcpupin vcpu='1' "
    "cpuset='0-3,^2'/></cputune>\n"
    "  <on_poweroff>destroy</on_poweroff> <on_reboot>restart</on_reboot>\n"
    "  <on_crash>preserve</on_crash>\n"
    "  <devices>\n"
    "    <disk type='file' device='disk'><driver name='phy' type='raw'/>\n"
    "      <source file='/srv/web.img'/><target dev='xvda' bus='xen'/></disk>\n"
    "    <disk type='block'><source dev='/dev/sdb'/><target "
    "dev='xvdb1'/><readonly/><shareable/></disk>\n"
    "    <interface type='bridge'><mac address='00:16:3e:00:00:01'/>\n"
    "      <source bridge='xenbr0'/><script path='/srv/vif'/></interface>\n"
    "    <console type='pty'><target type='xen' port='0'/></console>\n"
    "  </devices>\n"
    "</domain>\n";

static inline int parse(const char *text, struct domain_config *c, struct error *e)
{
    memset(e, 0, sizeof(*e));
    return domain_config_parse(text, strlen(text), "t.xml", c, e);
}

#endif
