/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor says: a ring that `pvctl dmesg` reads, copied to the UART down to the
 * configured level.
 *
 * An error that a guest caused is born in one place: refused(rc, "sentence with field and rule")
 * logs domain, hypercall, file and line once in a while (rate limited per domain, with a count of
 * what was left out) and returns rc.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include <hv/types.h>

#include <parvis/string.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct domain;
/* By d, whose share of the log it comes out of (log_share.c): the one for its end, or for what it
 * says and does; NULL: by the hypervisor itself. */
void __printf(4, 5)
    log_printf(struct domain *d, bool end, enum log_level level, const char *fmt, ...);
#define log_error(...)   log_printf(NULL, false, LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_printf(NULL, false, LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_printf(NULL, false, LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_printf(NULL, false, LOG_DEBUG, __VA_ARGS__)
/* What guest d causes: kept while it has some of its share. */
#define log_guest(d, ...) log_printf(d, false, LOG_DEBUG, __VA_ARGS__)
/* How d ends and what it was doing then: the same, with a reserve for these. */
#define log_end(d, level, ...) log_printf(d, true, level, __VA_ARGS__)
void log_set_level(enum log_level level);

/* Logs why the current guest's request was refused; returns rc. Use: return refused(-XEN_EINVAL,
 * "port %u is not bound", port); */
#define refused(rc, ...) refused_at(rc, __FILE_NAME__, __LINE__, __VA_ARGS__)
int __printf(4, 5) refused_at(int rc, const char *file, int line, const char *fmt, ...);

/* Reads the ring for XEN_SYSCTL_readconsole: up to n bytes from position *pos (moved on), returns
 * how many. */
size_t log_read(char *to, size_t n, uint32_t *pos);
void log_clear(void);

#endif
