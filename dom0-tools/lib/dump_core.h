/* SPDX-License-Identifier: MIT */
/*
 * A core dump of a domain, in Xen's format (docs/misc/dump-core-format.txt of Xen's sources), for
 * `crash` and whatever else reads such files.
 *
 * An ELF file without program headers. Its sections, in this order:
 *
 *   .shstrtab         names of the sections
 *   .note.Xen         notes: none, header, version of the hypervisor, version of the format
 *   .xen_prstatus     the context of each vCPU that has one
 *   .xen_shared_info  the page that the hypervisor shares with the guest
 *   .xen_pages        pages, in the order of their numbers
 *   .xen_p2m          of a paravirtual domain: number and machine frame of each of these pages
 *   .xen_pfn          of another: its number
 *
 * There are as many pages as the domain has; a number of all ones says that there is none. Pages of
 * zeroes are holes in the file.
 *
 * A paravirtual guest alone knows the numbers of its pages. It publishes them in its shared page,
 * as a list at a virtual address or as a tree of frames; a small guest may do neither, then the
 * list is taken that its builder gave it, if its start information is still to be found
 * (dump_core_pages.c).
 */
#ifndef PARVIS_TOOLS_DUMP_CORE_H
#define PARVIS_TOOLS_DUMP_CORE_H

#include "error.h"
#include "host.h"
#include "lifecycle.h"

struct shared_info;

/* Writes it to the file, which has its name only when it is whole. The domain is paused meanwhile,
 * unless it is to go on. A signal that came is an error (interrupt.h: whoever calls catches them).
 */
int __must_check dump_core(struct host *h, const struct live_domain *l, const char *path, bool live,
                           struct error *e);

/* ---- dump_core_pages.c ---- */

/* A page of a domain: its own number, and that by which it is mapped: of a paravirtual domain the
 * machine's. */
struct dump_page {
    uint64_t pfn, frame;
};

/* Bytes of the control domain's memory that a core in it leaves. */
#define DUMP_LEAVE (64ULL << 20)

#define DUMP_STEP 512u /* numbers that are looked at in one step: those of a page of a list */

/* Goes through the numbers that there may be. */
struct dump_pages {
    struct host *h;
    const struct host_domain *d;
    uint64_t next, end;   /* numbers that are still to be looked at */
    uint64_t table, list; /* the guest's list: a page table, an address */
    uint64_t tree;        /* or a frame, the root of a tree */
};

/* Of a paravirtual domain, finds its list: by its shared page, or by what vCPU 0 has mapped. */
int __must_check dump_pages_begin(struct dump_pages *p, const struct shared_info *shared,
                                  const struct vcpu_guest_context *context, struct error *e);
/* The next numbers, while next < end; *nr pages, which need not be there, at most DUMP_STEP. */
int __must_check dump_pages_next(struct dump_pages *p, struct dump_page *out, unsigned int *nr);

#endif
