/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls of paravirtual guests: handlers, the table with all that such a guest may call,
 * and what belongs to their way in by SYSCALL (pv/cpu/entry.asm).
 */
#ifndef PV_HYPERCALL_H
#define PV_HYPERCALL_H

#include <core/base/hypercall.h>

#define HYPERCALL(name, who, n, ...) long do_##name(__VA_ARGS__);
#include <pv/hypercall_rows.h>
#undef HYPERCALL

extern const struct hypercall_set pv_hypercalls; /* (asm-offsets) */

/* A handler returned -XEN_ERESTART: arguments and instruction pointer as the re-issue needs them, a
 * new slice. */
void pv_reissue(struct vcpu *v);

/* Debug builds punish guests that rely on the arguments' registers after the call, which the ABI
 * leaves undefined: n of them are overwritten. */
void pv_clobber_arguments(unsigned int n, long rc);
#if defined(DEBUG) && DEBUG
#define HYPERCALL_DONE(n, rc) pv_clobber_arguments(n, rc)
#else
#define HYPERCALL_DONE(n, rc) ((void)0)
#endif

#endif
