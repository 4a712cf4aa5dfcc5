/* SPDX-License-Identifier: MIT */
/*
 * Taking a domain away: all that it has, in an order that leaves nothing behind.
 *
 *   scripts    of its interfaces are run, "offline", while their entries are there (nic_script.h)
 *   devices    its entries leave the store, so the kernel's back ends let go
 *   back ends  waited for: they have pages of the domain mapped
 *   store      its name is marked, then its entries go: for a domain that still owns some when it
 *              ends xenstored walks the whole store
 *   destroy    the hypervisor frees what it had; then the store daemon's connection goes
 *   gone       its last pages are unmapped; then name and configuration are given back
 *
 * A state machine, as the daemon must never sleep: each step does what can be done now, and
 * says when it wants to be called again. Each wait has a deadline, and what can be given
 * back is given back past any error. Each step may be done twice, by whoever takes up what
 * another left. What is reaped is known by its uuid: a number alone may be another domain's by now.
 *
 * Without the store (xenstored does not answer) the domain is destroyed all the same. Its
 * name stays then, as the only thing that knows which entries are left; the daemon's
 * collector comes back to it (parvisd/reaper.h).
 */
#ifndef PARVIS_TOOLS_REAP_H
#define PARVIS_TOOLS_REAP_H

#include "devices.h"
#include "error.h"
#include "host.h"
#include "nic_script.h"

enum reap_stage {
    REAP_OFFLINE,
    REAP_DEVICES,
    REAP_BACKENDS,
    REAP_STORE,
    REAP_DESTROY,
    REAP_GONE,
    REAP_DONE
};

struct reap {
    uint32_t domid; /* UINT32_MAX: no domain was made, there is only the name */
    uint8_t uuid[16];
    char name[65];
    char how[256]; /* how it ended, for who asks later; "" = nobody will */
    enum reap_stage stage;
    uint64_t deadline; /* of this stage */
    struct nic_scripts scripts;
    struct device_list devices;
    bool had_devices;
    bool left_store;    /* its entries are gone */
    bool devices_alone; /* the domain stays, to be looked at */
    bool anothers;      /* it is gone, and another domain has its number by now */
    struct error e;     /* the first that went wrong */
};

void reap_begin(struct reap *r, uint32_t domid, const uint8_t uuid[16], const char *name,
                const char *how);
/* Takes its devices alone, for whoever has its name after it. */
void reap_begin_devices(struct reap *r, uint32_t domid, const uint8_t uuid[16], const char *name);
/* Does what can be done. Returns in how many ms it wants to be called again, 0 = done. */
unsigned int reap_step(struct host *h, struct reap *r, uint64_t now_ms);
/* All of it, for a process that has nothing else to do; the error of the reap. Who undoes something
 * need not look: parvisd goes on where it failed. */
int reap_wait(struct host *h, struct reap *r, struct error *e);

#endif
