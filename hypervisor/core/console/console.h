/* SPDX-License-Identifier: MIT */
/*
 * The machine's console: the UART, who writes to it (log, control domain, boot-time domains) and
 * who reads from it.
 *
 * Input goes to the control domain (VIRQ_CONSOLE, CONSOLEIO_read), or, when there is none, to the
 * first boot-time domain's PV console ring. Early output of other domains (CONSOLEIO_write) goes to
 * the log, within the domain's share of it, and outlives the domain there.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/types.h>

struct domain;

void console_init(void); /* nothing typed, no rings */
/* A port of d whose other end is the hypervisor's console: for the ring that console_attach_ring()
 * is given later. */
int __must_check console_alloc_port(struct domain *d, uint32_t *port);
/* Boot-time domains: the hypervisor drains the ring of d (its frame and local port known) to the
 * UART. */
int __must_check console_attach_ring(struct domain *d, gfn_t ring, uint32_t port);
mfn_t console_ring_frame(const struct domain *d); /* INVALID_MFN: it has none here */
/* Takes at most so many bytes out of the rings. true: there were more. */
bool console_drain_rings(uint32_t most);
void console_work(void); /* exit path work: CPU_WORK_CONSOLE */
/* Gives what was typed to a boot-time domain, if it is for one */
void console_feed_boot_domain(void);
size_t console_read(char *to, size_t n);   /* what was typed */
void domain_console_end(struct domain *d); /* d says no more: a line without an end is kept too */

/* --- between core/console/console*.c and the end of a domain: rings of boot-time domains --- */
void console_ring_init(void);
/* What was typed goes to the first boot-time domain's ring; what has no room stays for the next
 * time. */
void console_ring_feed(void);
void console_ring_detach(struct domain *d); /* teardown: the ring's frame is given back */

#endif
