/* SPDX-License-Identifier: MIT */
/*
 * Configuration of one domain, as read from libvirt's domain XML or from a file of xl's.
 *
 * Domain XML is validated twice: by the RELAX NG schema that ships with the tools (which elements,
 * which attributes, which form of value), then for what a grammar cannot say (limits, duplicates).
 * Before that the policy of config_policy.h takes out what other programs write and what has no
 * effect here. xl's files are read by Xen's own library into the same struct (config_xl.h), and the
 * same checks follow. Whoever has a struct domain_config may rely on all of it. Everything that a
 * file may say is either in this struct, said in a note, without effect on any guest, or refused.
 *
 * Strings are owned by the struct; domain_config_free() releases them all.
 */
#ifndef PARVIS_TOOLS_CONFIG_H
#define PARVIS_TOOLS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk_rate.h"
#include "error.h"
#include "findings.h"
#include "kind.h"

#define CONFIG_MAX_VCPUS 64u /* what the hypervisor gives a domain */
#define CONFIG_MAX_DISKS 32u
#define CONFIG_MAX_NICS  16u

/* The two of a core are of on_crash alone. */
enum end_action {
    END_DESTROY,
    END_RESTART,
    END_PRESERVE,
    END_RENAME_RESTART,
    END_COREDUMP_DESTROY,
    END_COREDUMP_RESTART,
    NR_END_ACTIONS
};

enum disk_kind { DISK_FILE, DISK_BLOCK };

enum config_format { CONFIG_XML, CONFIG_XL };

/* Where in its file the configuration says what, for messages; 0 without a file. */
struct config_lines {
    enum config_format format; /* whose words messages have */
    long name, memory, current, vcpu, cmdline, kernel, ramdisk, shares, quota, on_poweroff,
        on_reboot, on_crash, limits, bootloader, title, description, metadata,
        pin[CONFIG_MAX_VCPUS];
    long max_vcpus; /* where it has a key of its own */
};

struct disk_config {
    enum disk_kind kind;
    char *source;      /* file or block device in the control domain */
    char *target;      /* xvda, xvdb1, sda, hdc, ... */
    unsigned int vdev; /* its number in the block protocol */
    bool readonly;
    bool shareable; /* others may write it too: they know of each other */
    bool cdrom;     /* read-only, and the guest is told that it is one */
    struct disk_rates rates;
    long line;
};

struct nic_config {
    uint8_t mac[6];
    bool mac_given;    /* else made up when the domain is created */
    char *bridge;      /* NULL = on none */
    char *ifname;      /* its name in the control domain; NULL = vif<domid>.<n> */
    char *script;      /* what puts it in its place, a path; NULL = we do, on the bridge */
    char *ip;          /* its addresses, with blanks between them, for whoever reads the store */
    uint32_t rate_kib; /* KiB a second that the guest may send, 0 = without limit */
    long line;
};

struct domain_config {
    enum guest_kind kind;
    char *name;
    char *title, *description; /* free text, NULL = none */
    char *metadata;            /* of other programs: the element, as it was, NULL = none */
    uint8_t uuid[16];
    bool uuid_given;      /* else made up when the domain is created */
    uint64_t memory_kib;  /* most it may have */
    uint64_t current_kib; /* what it starts with, <= memory_kib */
    unsigned int max_vcpus;
    unsigned int vcpus;  /* online at the start, <= max_vcpus */
    char *kernel;        /* never NULL */
    bool grub;           /* none was given: kernel is GRUB, which reads the disk's menu */
    char *bootloader;    /* what the file says instead, NULL = nothing */
    char *ramdisk;       /* NULL = none */
    char *cmdline;       /* never NULL */
    unsigned int weight; /* scheduler weight, 0 = the scheduler's default */
    unsigned int cap;    /* hundredths of one CPU, 0 = no limit */
    uint64_t cpuset;     /* where its vCPUs may run, a bit per CPU; 0 = anywhere */
    uint64_t pin[CONFIG_MAX_VCPUS]; /* the same of one vCPU; 0 = as cpuset says */
    uint32_t max_grant_frames;      /* pages of grant table, 0 = as many as is usual */
    uint32_t max_event_channels;    /* 0 = as many as is usual */
    enum end_action on_poweroff, on_reboot, on_crash;
    bool console; /* a <console> or <serial> was asked for; each domain has one all the same */
    struct disk_config *disks;
    size_t nr_disks;
    struct nic_config *nics;
    size_t nr_nics;
    struct config_lines line;
};

/* What may stand around a value. */
#define CONFIG_BLANKS " \t\r\n"

/* Limits that hold for every domain. */
#define CONFIG_MIN_MEMORY_KIB     2048u               /* 2 MiB */
#define CONFIG_MAX_MEMORY_KIB     (UINT64_C(1) << 34) /* 16 TiB */
#define CONFIG_MAX_CMDLINE        1023u               /* start_info has 1024 bytes for it */
#define CONFIG_MAX_GRANT_FRAMES   1024u
#define CONFIG_MAX_EVENT_CHANNELS 4095u
#define CONFIG_MAX_RATE_KIB       4194303u /* less than 4 GiB a second */
#define CONFIG_MAX_PATH           4095u    /* Linux takes no longer one */
#define CONFIG_MAX_SCRIPT         255u     /* of its path */
#define CONFIG_MAX_ADDRESSES      32u      /* of one interface */
#define CONFIG_MAX_TEXTS          65536u   /* of title, description and metadata, written as XML */

/* GRUB for a guest without a kernel of its own: Debian's package grub-xen-host. */
#define CONFIG_GRUB_PV  "/usr/lib/grub-xen/grub-x86_64-xen.bin"
#define CONFIG_GRUB_PVH "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"

/* Bytes of a configuration. The limits above are such that the longest that is accepted is not
 * longer when domain_config_to_xml() has written it, though that writes five bytes and more for a
 * quote: what is kept can be read again. */
#define CONFIG_MAX_FILE (1u << 20)

struct config_how {
    bool strict; /* what has no effect is refused, and not passed over */
};

/* Reads and checks domain XML. 0, or the code of the first error; *f has all of them, and the
 * notes. *out is filled where it returns 0. */
int __must_check domain_config_xml(const char *text, size_t len, const struct config_how *how,
                                   struct domain_config *out, struct findings *f);
/* The same of what domain_config_to_xml() wrote, strictly; `name` stands for the file in messages.
 */
int __must_check domain_config_parse(const char *text, size_t len, const char *name,
                                     struct domain_config *out, struct error *e);
/* The configuration as XML again (malloc'ed). domid: as attribute id of a live domain, or -1. */
char *domain_config_to_xml(const struct domain_config *c, int domid);
/* Bytes that a text has in it; NULL: none. */
size_t config_xml_len(const char *s);
void domain_config_free(struct domain_config *c);

/* "destroy", "restart", "preserve", "rename-restart", ... */
const char *end_action_name(enum end_action a);
/* The one of this name; false: there is none. */
bool end_action_find(const char *name, enum end_action *a);
/* Fills in what no kernel means, or a boot loader, once the kind is known; false: no memory. */
bool config_settle_kernel(struct domain_config *c, struct findings *f);
/* 36 characters and the end. */
void uuid_format(const uint8_t uuid[16], char out[37]);
/* Reads what uuid_format writes, with or without the dashes; false if it is not a uuid. */
bool uuid_parse(const char *s, uint8_t uuid[16]);
/* A random one (version 4). Never waits for entropy. */
void uuid_make(uint8_t uuid[16]);
/* Of a MAC address: 17 characters and the end. */
void mac_format(const uint8_t mac[6], char out[18]);
/* A random one of Xen's range. */
void mac_make(uint8_t mac[6]);
/* True for a name of [A-Za-z0-9_.+-]{1,64} that is not a number. */
bool domain_name_ok(const char *name);

#endif
