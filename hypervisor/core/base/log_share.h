/* SPDX-License-Identifier: MIT */
/*
 * How much of the log a guest may fill (log_share.c).
 */
#ifndef HV_LOG_SHARE_H
#define HV_LOG_SHARE_H

#include <core/base/log.h>

struct domain;

struct log_share {
    uint64_t since; /* when `used` was right, in ns */
    uint32_t used;  /* bytes; fewer as time goes by */
    bool said;      /* that it is used up           */
};

/* n more bytes of d's, of its end or of what it says, are to be logged. false: its share is used
 * up, which is said instead, once. */
bool log_share_take(struct domain *d, bool end, enum log_level level, size_t n);
/* d begins, and ends: who comes again with the same handle has what was left. */
void log_share_enter(struct domain *d);
void log_share_leave(struct domain *d);

#endif
