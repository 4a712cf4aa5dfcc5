/* SPDX-License-Identifier: MIT */
/*
 * One line, one cause: see error.h.
 *
 * Control characters that came in with a file name or an XML value are shown as '?', so
 * that a message stays one line whatever it quotes.
 */
#include "error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "plain.h"

int error_setv(struct error *e, int code, const char *fmt, va_list ap)
{
    if (code == 0)
        code = -EINVAL;
    if (e && e->code == 0) {
        e->code = code;
        vsnprintf(e->text, sizeof(e->text), fmt, ap);
        plain_line(e->text);
    }
    return code;
}

int error_set(struct error *e, int code, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = error_setv(e, code, fmt, ap);
    va_end(ap);
    return rc;
}

int error_errno(struct error *e, int code, const char *fmt, ...)
{
    bool first = e && e->code == 0;
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = error_setv(e, code, fmt, ap);
    va_end(ap);
    if (first) {
        size_t n = strlen(e->text);

        snprintf(e->text + n, sizeof(e->text) - n, ": %s", error_reason(rc));
    }
    return rc;
}

const char *error_reason(int code)
{
    switch (-code) {
    case ENOSYS:
        return "the hypervisor does not offer this operation";
    case EPERM:
        return "not permitted";
    case EACCES:
        return "permission denied (the control interface needs root, and versions that match)";
    case ESRCH:
        return "no such domain";
    case ENOMEM:
        return "not enough memory";
    case ENOTCONN:
        return "xenstored has ended (it cannot be started again: the machine must be)";
    case ETIME:
        return "xenstored does not answer in time (it runs: the machine is busy, or it is "
               "stopped)";
    default:
        return strerror(-code);
    }
}
