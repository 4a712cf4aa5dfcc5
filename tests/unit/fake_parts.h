/* SPDX-License-Identifier: MIT */
/*
 * The parts of the machine that is not there (fake_host.h), for each other: event channels
 * (fake_evtchn.c), memory (fake_memory.c) and the store (fake_store.c: a flat list of entries; a
 * transaction is a saved copy, an abort puts it back).
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

/* The operations: fake_host.c, fake_evtchn.c, fake_store.c. */
#define HOST_OP(name, ...) int fake_##name(struct host *h, ##__VA_ARGS__);
#include "host_op_rows.h"
#undef HOST_OP

void fake_store_free(struct fake_host *f);
/* fake_memory.c. UINT64_MAX: there is none. */
uint64_t fake_take_frame(struct fake_host *f, uint32_t domid);
uint64_t fake_free_frames(const struct fake_host *f);

#endif
