/* SPDX-License-Identifier: MIT */
/*
 * Configuration of one domain, as read from libvirt's domain XML.
 *
 * The file is validated twice: by the RELAX NG schema that ships with the tools (which
 * elements, which attributes, which form of value), then by config.c for what a grammar
 * cannot say (limits, duplicates, files). Whoever has a struct domain_config may rely on
 * all of it. Everything that a file may say is either in this struct or refused.
 *
 * Strings are owned by the struct; domain_config_free() releases them all.
 */
#ifndef PARVIS_TOOLS_CONFIG_H
#define PARVIS_TOOLS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "kind.h"

#define CONFIG_MAX_VCPUS 64u /* what the hypervisor gives a domain */
#define CONFIG_MAX_DISKS 32u
#define CONFIG_MAX_NICS  16u

enum end_action { END_DESTROY, END_RESTART, END_PRESERVE };

enum disk_kind { DISK_FILE, DISK_BLOCK };

/* Where in its file the configuration says what, for messages; 0 without a file. */
struct config_lines {
    long name, memory, current, vcpu, cmdline, shares, quota, pin[CONFIG_MAX_VCPUS];
};

struct disk_config {
    enum disk_kind kind;
    char *source;      /* file or block device in the control domain */
    char *target;      /* xvda, xvdb1, ... */
    unsigned int vdev; /* its number in the block protocol */
    bool readonly;
    bool shareable; /* others may write it too: they know of each other */
    long line;
};

struct nic_config {
    uint8_t mac[6];
    bool mac_given; /* else made up when the domain is created */
    char *bridge;
    char *ifname; /* its name in the control domain; NULL = vif<domid>.<n> */
    long line;
};

struct domain_config {
    enum guest_kind kind;
    char *name;
    char *title, *description; /* free text, NULL = none */
    uint8_t uuid[16];
    bool uuid_given;      /* else made up when the domain is created */
    uint64_t memory_kib;  /* most it may have */
    uint64_t current_kib; /* what it starts with, <= memory_kib */
    unsigned int max_vcpus;
    unsigned int vcpus; /* online at the start, <= max_vcpus */
    char *kernel;
    char *ramdisk;                  /* NULL = none */
    char *cmdline;                  /* never NULL */
    unsigned int weight;            /* scheduler weight, 0 = the scheduler's default */
    unsigned int cap;               /* hundredths of one CPU, 0 = no limit */
    uint64_t cpuset;                /* where its vCPUs may run, a bit per CPU; 0 = anywhere */
    uint64_t pin[CONFIG_MAX_VCPUS]; /* the same of one vCPU; 0 = as cpuset says */
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
#define CONFIG_MIN_MEMORY_KIB 2048u               /* 2 MiB */
#define CONFIG_MAX_MEMORY_KIB (UINT64_C(1) << 34) /* 16 TiB */
#define CONFIG_MAX_CMDLINE    1023u               /* start_info has 1024 bytes for it */

/* Reads and checks a file. schema = NULL: the installed one, or $PARVIS_SCHEMA. */
int __must_check domain_config_read(const char *path, const char *schema, struct domain_config *out,
                                    struct error *e);
/* The same from memory; `name` stands for the file in messages. */
int __must_check domain_config_parse(const char *text, size_t len, const char *name,
                                     const char *schema, struct domain_config *out,
                                     struct error *e);
/* The configuration as XML again (malloc'ed). domid: as attribute id of a live domain, or -1. */
char *domain_config_to_xml(const struct domain_config *c, int domid);
void domain_config_free(struct domain_config *c);

/* "destroy", "restart", "preserve". */
const char *end_action_name(enum end_action a);
/* 36 characters and the end. */
void uuid_format(const uint8_t uuid[16], char out[37]);
/* Reads what uuid_format writes, with or without the dashes; false if it is not a uuid. */
bool uuid_parse(const char *s, uint8_t uuid[16]);
/* A random one (version 4). Never waits for entropy. */
void uuid_make(uint8_t uuid[16]);
/* True for a name of [A-Za-z0-9_.+-]{1,64} that is not a number. */
bool domain_name_ok(const char *name);

#endif
