/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized domain that a paravirtual control domain makes, as a tool does it: what the
 * tests of that begin with.
 */
#ifndef TESTS_HVM_MADE_H
#define TESTS_HVM_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvm_guest.h"
#include "pv_mm_support.h"

#include <hvm/npt.h>
#include <xen/domctl.h>
#include <xen/memory.h>

#define ARG   HOST_GUEST_BASE
#define LIST  (HOST_GUEST_BASE + 0x10000)
#define PAGES 1024u      /* its memory, from 0 on */
#define RING  0xfc001ull /* and a page here */
#define HVM   (XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap)
#define DEVICES                                                                                    \
    (XEN_X86_EMU_LAPIC | XEN_X86_EMU_PM | XEN_X86_EMU_RTC | XEN_X86_EMU_PIC | XEN_X86_EMU_PIT)
#define SLOT 100u /* of the control domain's table: free */

extern struct mm_guest control, other; /* other: a paravirtual guest */
extern struct domain *d;
extern uint64_t free_before; /* before it was made */

/* The machine with the two, and without d. */
int made_start(void **state);
int made_finish(void **state);
/* d too: with two vCPUs, and its memory. */
int made_setup(void **state);
int made_teardown(void **state);

/* By the control domain. */
long made_domctl(struct xen_domctl *op);
long made_create(uint32_t flags, uint32_t emulation, domid_t *id);
/* populate_physmap of d, by whom; the list stays as it is. */
long made_populate(struct mm_guest *by, const uint64_t *gfns, uint64_t n, unsigned int order);
/* d grants its frame to the control domain, which maps it in SLOT. */
void made_give(grant_ref_t ref, uint32_t gfn);
int16_t made_map_grant(grant_ref_t ref, uint32_t flags, uint32_t *handle);
/* held: frames of d that something else refers to, once each. */
void made_recount(const mfn_t *held, unsigned int n);

static inline mfn_t frame(uint64_t gfn)
{
    return npt_lookup(d, GFN(gfn));
}

#endif
