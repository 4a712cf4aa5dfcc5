/* SPDX-License-Identifier: MIT */
/*
 * One line, one cause.
 *
 * A function of the toolstack that can fail for a reason that a person must read takes a
 * `struct error *` last, and returns a negative errno. The text says what was refused,
 * which field, which rule, and has no newline: "hello.xml:7: <vcpu>: 0 is not between 1
 * and 64". Only the first cause is kept: whoever finds the error set on the way out adds
 * nothing, so an unwinding that fails too cannot hide why it began.
 */
#ifndef PARVIS_TOOLS_ERROR_H
#define PARVIS_TOOLS_ERROR_H

#include <stdarg.h>

/* A result that says whether it was done: who calls looks at it. */
#define __must_check __attribute__((warn_unused_result))

struct error {
    int code;       /* negative errno of the first cause, 0 = none yet */
    char text[768]; /* one line */
};

/* Records the cause if none is recorded yet, and returns code. code 0 is taken as -EINVAL. */
int error_set(struct error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int error_setv(struct error *e, int code, const char *fmt, va_list ap);

/* As error_set, and appends what errno `-code` means: "...: Cannot allocate memory". */
int error_errno(struct error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Sentence for a negative errno as a hypervisor's refusal, in this field's words. */
const char *error_reason(int code);

#endif
