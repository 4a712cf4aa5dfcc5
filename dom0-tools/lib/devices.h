/* SPDX-License-Identifier: MIT */
/*
 * Disks and network interfaces of a domain: the split drivers' entries in the store.
 *
 * Each device is two directories, one for the front end in the guest and one for the back
 * end in this domain's kernel (xen-blkback, xen-netback), which point at each other. The
 * two drivers shake hands by themselves; what the tools add is what the back end serves: a
 * block device's number, or a place on a bridge.
 *
 * A file becomes a block device by a loop device. Its name is kept in the back end's entry,
 * so whoever takes the domain away finds what there is to give back in the store alone.
 */
#ifndef PARVIS_TOOLS_DEVICES_H
#define PARVIS_TOOLS_DEVICES_H

#include "config.h"
#include "error.h"
#include "host.h"

/* What is asked of this domain's Linux; replaced in tests. 0 or a negative errno. */
struct device_system {
    /* The number of a block device; -ENOTBLK if it is another kind of file. */
    int (*block_number)(const char *path, unsigned int *major, unsigned int *minor);
    /* Is this a regular file that can be read, and written unless readonly? */
    int (*check_file)(const char *path, bool readonly);
    /* Puts a file behind a loop device and names it. */
    int (*loop_attach)(const char *path, bool readonly, char *dev, size_t size);
    void (*loop_detach)(const char *dev);
    int (*check_bridge)(const char *bridge);
    /* Puts an interface on a bridge, up; renames it first if a name is given. -ENODEV: not
     * there (yet). */
    int (*bridge_join)(const char *ifname, const char *rename, const char *bridge);
    /* Does the kernel still have this back end ("vbd-5-51712")? */
    bool (*backend_lives)(const char *device);
    void (*sleep_ms)(unsigned int ms);
};
extern const struct device_system *device_system;

/* Before the domain exists: is everything there that its devices need? */
int devices_check(const struct domain_config *c, struct error *e);
/* Makes the entries for front end and back end, and waits for the back ends. Undoes all on
 * failure. */
int devices_attach(struct host *h, const struct domain_config *c, uint32_t domid, struct error *e);
/* Takes all devices of the domain away; goes on past errors. */
void devices_detach(struct host *h, uint32_t domid);

#endif
