/* SPDX-License-Identifier: MIT */
/*
 * Disks and network interfaces of a domain: the split drivers' entries in the store.
 *
 * Each device is two directories, one for the front end in the guest and one for the back
 * end in this domain's kernel (xen-blkback, xen-netback), which point at each other. The
 * two drivers shake hands by themselves; what the tools add is what the back end serves: a
 * block device's number, or a place on a bridge.
 *
 * A file becomes a block device by a loop device, which the kernel frees when the last who
 * has it open closes it. We hold it open until the back end does; from then on it lives as
 * long as the back end. So nobody has to remember it, and none is left, whoever is killed. A disk
 * whose rate has a limit is a loop device too, whatever it is (disk_rate.h).
 */
#ifndef PARVIS_TOOLS_DEVICES_H
#define PARVIS_TOOLS_DEVICES_H

#include "config.h"
#include "disk_share.h"
#include "error.h"
#include "host.h"

#define DEVICE_NAME 40

/* What is asked of this domain's Linux; replaced in tests. 0 or a negative errno. */
struct device_system {
    /* The number of a block device; -ENOTBLK if it is another kind of file. */
    int (*block_number)(const char *path, unsigned int *major, unsigned int *minor);
    /* What is behind a name, and behind a block device's number; loop devices are followed. */
    int (*identify_path)(const char *path, struct disk_id *out);
    int (*identify_number)(unsigned int major, unsigned int minor, struct disk_id *out);
    /* Is this a regular file that can be read, and written unless readonly? */
    int (*check_file)(const char *path, bool readonly);
    /* -EBUSY: this domain has it mounted, or made another device of it; or why that cannot be told.
     */
    int (*held)(const char *path, const struct disk_id *id, bool readonly);
    /* Puts a file, or a block device, behind a loop device and names it. Returns a file descriptor
     * that holds it. */
    int (*loop_attach)(const char *path, bool readonly, char *dev, size_t size);
    void (*loop_let_go)(int fd);
    /* Of a loop device, which has no other then. -ENOENT: this Linux has no limits. */
    int (*limit)(unsigned int major, unsigned int minor, const struct disk_rates *rates);
    /* If this back end ("vbd-5-51712") still has it. */
    void (*unlimit)(const char *device, unsigned int major, unsigned int minor);
    /* Takes away what is left of limits. */
    void (*sweep_limits)(void);
    int (*check_bridge)(const char *bridge);
    /* Puts an interface on a bridge, if one is given, and up; renames it first if a name is given.
     * -ENODEV: not there (yet). */
    int (*bridge_join)(const char *ifname, const char *rename, const char *bridge);
    /* Does the kernel still have this back end ("vbd-5-51712")? */
    bool (*backend_lives)(const char *device);
    /* Has the block back end of this name opened its disk? */
    bool (*backend_serves)(const char *device);
    void (*sleep_ms)(unsigned int ms);
    /* Is the machine still loading its drivers, so that what is not there may come? */
    bool (*starting)(void);
    bool (*has_interface)(const char *ifname);
    /* Scripts of interfaces: script_process.h says what each does. */
    int (*script_check)(const char *path);
    int (*script_start)(char *const argv[], char *const envp[]);
    int (*script_look)(int pid, int *status);
    void (*script_kill)(int pid);
};
extern const struct device_system *device_system;

/* Before the domain exists: is everything there that its devices need, and nobody else's? What is
 * missing is waited for while the machine's drivers are being loaded. */
int __must_check devices_check(struct host *h, const struct domain_config *c, struct error *e);
/* Makes the entries for front end and back end, and waits for the back ends. Who finds that it
 * failed takes the domain away, and these with it. */
int __must_check devices_attach(struct host *h, const struct domain_config *c, uint32_t domid,
                                struct error *e);

/* One of them. -EEXIST: the domain has a device of this number. */
int __must_check devices_attach_disk(struct host *h, const struct domain_config *c, uint32_t domid,
                                     const struct disk_config *disk, struct error *e);

/* Back ends that the kernel may still have. */
struct device_list {
    char (*names)[DEVICE_NAME]; /* "vbd-5-51712" */
    size_t nr;
};

/* How many kinds of devices the domain has, or had, by its own directory of them, in which a guest
 * cannot remove one; negative: there is no such directory. */
int devices_kinds(struct host *h, uint32_t domid);
/* Removes all devices of the domain from the store and lists them; goes on past errors. */
void devices_let_go(struct host *h, uint32_t domid, struct device_list *out);
/* What a disk's back end is still at it does at once: before that is to go. */
void devices_unlimit_disk(struct host *h, uint32_t domid, unsigned int id);
/* Removes what their drivers complained of, once they are gone. */
void devices_forget(struct host *h, uint32_t domid);
/* Has the kernel let go of all of them? Strikes off those that are gone. */
bool devices_gone(struct device_list *l);
void device_list_free(struct device_list *l);

#endif
