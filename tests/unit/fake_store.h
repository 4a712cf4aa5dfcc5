/* SPDX-License-Identifier: MIT */
/*
 * The store of the machine that is not there (fake_host.h): a flat list of entries. A
 * transaction is a saved copy; an abort puts it back.
 */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include "fake_host.h"

bool fake_fails(struct fake_host *f, const char *call);
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
int fake_store_event(struct host *h, char **path, char **token);
int fake_store_introduce(struct host *h, uint32_t domid, uint64_t mfn, uint32_t port);
int fake_store_release(struct host *h, uint32_t domid);

#endif
