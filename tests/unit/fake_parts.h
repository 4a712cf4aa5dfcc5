/* SPDX-License-Identifier: MIT */
/*
 * The parts of the machine that is not there (fake_host.h), for each other: event channels
 * (fake_evtchn.c) and the store (fake_store.c: a flat list of entries; a transaction is a saved
 * copy, an abort puts it back).
 */
#ifndef FAKE_PARTS_H
#define FAKE_PARTS_H

#include "fake_host.h"

bool fake_fails(struct fake_host *f, const char *call);
/* A call that gives something back: it does not fail, but the process may be killed in it. */
void fake_gives_back(struct fake_host *f, const char *call);

#define MAY_FAIL(h)                                                                                \
    do {                                                                                           \
        if (fake_fails((struct fake_host *)(h), __func__)) {                                       \
            return ((struct fake_host *)(h))->fail_with;                                           \
        }                                                                                          \
    } while (0)

static inline struct fake_host *fake(struct host *h)
{
    return (struct fake_host *)h;
}

int fake_evtchn_alloc_unbound(struct host *h, uint32_t domid, uint32_t remote, uint32_t *port);
int fake_evtchn_bind(struct host *h, uint32_t domid, uint32_t remote_port, uint32_t *port);
int fake_evtchn_bind_virq(struct host *h, unsigned int virq, uint32_t *port);
int fake_evtchn_unbind(struct host *h, uint32_t port);
int fake_evtchn_notify(struct host *h, uint32_t port);
int fake_evtchn_unmask(struct host *h, uint32_t port);
int fake_evtchn_fd(struct host *h);
int fake_evtchn_pending(struct host *h, uint32_t *port);

void fake_store_free(struct fake_host *f);
int fake_store_begin(struct host *h, host_txn_t *t);
int fake_store_end(struct host *h, host_txn_t t, bool abort);
int fake_store_read(struct host *h, host_txn_t t, const char *path, char **value);
int fake_store_write(struct host *h, host_txn_t t, const char *path, const char *value);
int fake_store_mkdir(struct host *h, host_txn_t t, const char *path);
int fake_store_rm(struct host *h, host_txn_t t, const char *path);
int fake_store_list(struct host *h, host_txn_t t, const char *path, char ***names,
                    unsigned int *nr);
int fake_store_perms(struct host *h, host_txn_t t, const char *path, const char *perms);
int fake_store_watch(struct host *h, const char *path, const char *token);
int fake_store_unwatch(struct host *h, const char *path, const char *token);
int fake_store_fd(struct host *h);
int fake_store_link(struct host *h);
int fake_store_event(struct host *h, char **path, char **token);
int fake_store_introduce(struct host *h, uint32_t domid, uint64_t mfn, uint32_t port);
int fake_store_release(struct host *h, uint32_t domid);

#endif
