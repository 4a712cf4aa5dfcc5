/* SPDX-License-Identifier: MIT */
/*
 * What starts in a guest: its kernel, or where there is none, GRUB, which finds one on the guest's
 * disk. A boot loader that would read the disk from outside, with the rights of the control domain,
 * is taken for that GRUB too, and as with Xen's tools it goes before a kernel: that is on the disk.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_check.h"

static void drop(char **path, long line, const char *word, struct findings *f)
{
    if (*path)
        findings_note(f, line,
                      "%s: GRUB starts, and its menu on the guest's disk says what to load", word);
    free(*path);
    *path = NULL;
}

bool config_settle_kernel(struct domain_config *c, struct findings *f)
{
    if (c->bootloader)
        drop(&c->kernel, c->line.kernel, config_word(c, "<kernel>", "kernel"), f);
    if (c->kernel)
        return true;
    drop(&c->ramdisk, c->line.ramdisk, config_word(c, "<initrd>", "ramdisk"), f);
    c->grub = true;
    c->kernel = strdup(c->kind == KIND_PV ? CONFIG_GRUB_PV : CONFIG_GRUB_PVH);
    return c->kernel != NULL;
}
