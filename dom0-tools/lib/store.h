/* SPDX-License-Identifier: MIT */
/*
 * A domain's entries in the store (xenstore), as guests and their drivers expect them.
 *
 *   /local/domain/N/          name domid vm memory/ cpu/ console/ control/ device/ data/ ...
 *   /local/domain/N/vm/UUID/  start_time, and the name of one that was given another
 *
 * libxl has the latter at /vm/UUID, and goes to it by the path that is the value of vm. Here it is
 * among the domain's own: xenstored reads the parent of what is removed once for each domain, and
 * /vm would hold the uuids of all. What `xl rename` and `xl mem-set` write at /vm/UUID all the same
 * (name, memory), for which nobody looks there, goes with the domain.
 *
 * Rule of permissions: what describes the domain is the control domain's and readable by the
 * guest; the few places where a guest answers (data, attr, error, control) are the guest's. The
 * entries of a domain that is being made are written one after another; those of a device are, in
 * one transaction, seen whole or not at all.
 */
#ifndef PARVIS_TOOLS_STORE_H
#define PARVIS_TOOLS_STORE_H

#include "config.h"
#include "error.h"
#include "host.h"

/* What the builder made and the store must tell. */
struct store_domain {
    uint32_t domid;
    uint64_t store_mfn;
    uint32_t store_port, console_port;
};

int __must_check store_domain_create(struct host *h, const struct domain_config *c,
                                     const struct store_domain *d, struct error *e);
/* Makes the store daemon serve the domain's own connection. */
int __must_check store_domain_introduce(struct host *h, const struct store_domain *d,
                                        struct error *e);
/* Removes every entry of the domain; goes on past errors, returns the first. */
int __must_check store_domain_remove(struct host *h, uint32_t domid, const uint8_t uuid[16]);
/* Are some there still, for which it was? -EBUSY: name, or its uuid, is not to be had yet, as what
 * is to be removed is known by them. */
int __must_check store_refuse_left(struct host *h, uint32_t domid, const uint8_t uuid[16],
                                   const char *name, struct error *e);
/* The store daemon lets go of one that has ended: when this is answered it has. */
int __must_check store_domain_release(struct host *h, uint32_t domid);
/* 0: the guest can be asked for things by the store; -ENOENT: the store knows no such domain. */
int __must_check store_serves(struct host *h, uint32_t domid);
/* The wish that the guest shut down: "poweroff", "reboot", "suspend". */
int __must_check store_request_shutdown(struct host *h, uint32_t domid, const char *wish,
                                        struct error *e);
/* Whether the guest has taken the last one, by emptying it as is usual, or removed it. */
bool store_request_taken(struct host *h, uint32_t domid);
/* One entry of the domain's, by its key below the domain's directory: read (malloc'ed), written. */
int __must_check store_domain_get(struct host *h, uint32_t domid, const char *key, char **value);
int __must_check store_domain_set(struct host *h, uint32_t domid, const char *key,
                                  const char *value);
/* The domain, and what is kept of it for management programs, has this name: both or none. Waits
 * for nobody else's transaction. */
int __must_check store_domain_rename(struct host *h, uint32_t domid, const uint8_t uuid[16],
                                     const char *name);
/* Where what is kept of it for management programs is. */
#define STORE_VM_LEN 80
void store_vm_path(char path[STORE_VM_LEN], uint32_t domid, const uint8_t uuid[16]);
/* malloc'ed name of a domain as the store has it; -ENOENT. */
int __must_check store_domain_name(struct host *h, uint32_t domid, char **name);

/* Runs body in a transaction, again and again until it is not disturbed; one of these tools at a
 * time. */
int __must_check store_transaction(struct host *h,
                                   int (*body)(struct host *h, host_txn_t t, void *arg), void *arg);

#endif
