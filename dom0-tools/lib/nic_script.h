/* SPDX-License-Identifier: MIT */
/*
 * The script of an interface, which its owner has put in the place of our bridging, run as Xen's
 * tools run it: with "online" when its back end has taken the device up and waits, with "offline"
 * when it is to go, its entries in the store still there. It has libxl's environment and no other,
 * so that it finds the same whether pvctl runs it or parvisd.
 *
 * Which file is run is the owner's word. With "online" it is the configuration's. With "offline" it
 * is the entry "script" of the back end's directory, as who takes a domain away need not have its
 * configuration, and another tool may have attached the interface: each node of that directory is
 * the control domain's, which the guest may read and nobody but the control domain write, make or
 * remove ("n0 rDOMID", device_entry.c). Nothing is read of the front end's, which is the guest's.
 *
 * A script has as long as with Xen's tools, then it and its process group are killed. That one
 * fails keeps an interface from coming; none keeps one from going.
 */
#ifndef PARVIS_TOOLS_NIC_SCRIPT_H
#define PARVIS_TOOLS_NIC_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "host.h"

#define NIC_SCRIPT_MS 40000u

/* One that runs. */
struct nic_script {
    char *path;
    uint32_t domid;
    unsigned int id; /* the interface's */
    int pid, status;
    int output;        /* what it prints to: a file that becomes full, in memory perhaps, is ours */
    off_t printed;     /* so much was there before */
    int rc;            /* why it was killed, or cannot be looked at; 0: status says how it ended */
    uint64_t deadline; /* until it is killed; then, until nobody waits for its end any more */
};

/* Those of a domain's interfaces, beside each other. */
struct nic_scripts {
    struct nic_script *list;
    size_t nr;
};

/* Waits for its end. What it wrote to "hotplug-error" is its reason, else how it ended. */
int __must_check nic_script_online(struct host *h, const char *path, const char *name,
                                   uint32_t domid, unsigned int id, struct error *e);
/* The same of one that goes; what there is to say of it goes to standard error. */
void nic_script_offline(struct host *h, uint32_t domid, unsigned int id);

/* Starts those of all interfaces of the domain that have one, "offline". */
void nic_scripts_start(struct host *h, uint32_t domid, uint64_t now_ms, struct nic_scripts *s);
/* Have all ended? Strikes off those that have, and kills those whose time is over. */
bool nic_scripts_ended(struct host *h, struct nic_scripts *s, uint64_t now_ms);
/* Kills those that still run, as the domain is gone: they end soon. */
void nic_scripts_stop(struct nic_scripts *s, uint64_t now_ms);

#endif
