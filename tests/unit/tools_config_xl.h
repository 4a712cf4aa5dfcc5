/* SPDX-License-Identifier: MIT */
/*
 * What the tests of xl's format share: a good file, and a reader for it.
 */
#ifndef TOOLS_CONFIG_XL_H
#define TOOLS_CONFIG_XL_H

#include <string.h>

#include "config_xl.h"

static const char good[] = "# a comment with = and [\n"
                           "name = \"web\"; uuid = '01234567-89ab-cdef-0123-456789abcdef'\n"
                           "type = \"pv\"\n"
                           "memory = 128\n"
                           "maxmem = '0x100' # hexadecimal\n"
                           "vcpus = 1\n"
                           "maxvcpus = 2\n"
                           "cpus = [ \"0-3,^2\",\n"
                           "  5 ]\n"
                           "cpu_weight = 512\n"
                           "cap = 50\n"
                           "kernel = \"/boot/vmlinuz\"\n"
                           "ramdisk = \"/boot/initrd\"\n"
                           "root = \"/dev/xvda1 ro\"\n"
                           "extra = 'console=hvc0 a=\"b\"'\n"
                           "on_poweroff = \"destroy\"\n"
                           "on_reboot = \"restart\"\n"
                           "on_crash = \"preserve\"\n"
                           "disk = [ 'phy:/dev/no/such,xvda,w',\n"
                           "  '/srv/x.iso,,hdc,cdrom', ] # the last\n"
                           "disk += [ 'file:/srv/y.img,sda1,r' ]\n"
                           "vif = [ 'mac=00:16:3e:00:00:01, bridge=br0 , rate=1MB/s, ip=10.0.0.1'\n"
                           "  , 'vifname=web1, script=vif-own' ]\n"
                           "max_grant_frames = 32\n"
                           "max_event_channels = 511\n"
                           "vfb = []\n"
                           "localtime = 0\n";

static inline int judge_len(const char *text, size_t len, bool strict, struct domain_config *c,
                            struct findings *f)
{
    const struct config_how how = {.strict = strict};

    *f = (struct findings){0};
    return config_xl_read(text, len, &how, c, f);
}

static inline int judge(const char *text, struct domain_config *c, struct findings *f)
{
    return judge_len(text, strlen(text), false, c, f);
}

#endif
