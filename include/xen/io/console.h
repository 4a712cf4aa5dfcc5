/* SPDX-License-Identifier: MIT */
/*
 * The PV console: a page with two byte rings, and one event channel.
 *
 * The page and port are in start_info (console.domU). The guest writes to `out` and reads from
 * `in`; the daemon the reverse. Producer: look at cons, write bytes, barrier, advance prod, send an
 * event. Consumer: look at prod, barrier, read, barrier, advance cons, send an event. Indices run
 * freely; MASK_XENCONS_IDX reduces them. Full: prod - cons == sizeof(ring).
 *
 * Trust: the other side's index can be any number: prod - cons > sizeof(ring) means that
 * the other side is broken; treat the ring as full or empty, never index beyond it.
 *
 * Writing from a guest, when the ring may be full:
 *
 *     void put(struct xencons_interface *c, const char *s, unsigned int n)
 *     {
 *         while (n) {
 *             XENCONS_RING_IDX prod = c->out_prod;
 *             unsigned int room = sizeof(c->out) - (prod - c->out_cons);
 *             for (; n && room; n--, room--)
 *                 c->out[MASK_XENCONS_IDX(prod++, c->out)] = *s++;
 *             barrier;                      bytes before the index that shows them
 *             c->out_prod = prod;
 *             send an event on console.domU.evtchn;
 *             if (n)
 *                 sched_op(SCHEDOP_yield, NULL);
 *         }
 *     }
 *
 * The daemon reads from before the guest's first instruction, so nothing is lost while
 * nobody is attached; a guest that cannot wait drops what does not fit. Lines end as
 * the guest ends them, usually by CR LF.
 */
#ifndef XEN_IO_CONSOLE_H
#define XEN_IO_CONSOLE_H

#include <stdint.h>

typedef uint32_t XENCONS_RING_IDX;

#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
    /* keyboard: daemon to guest */
    char in[1024];
    /* screen: guest to daemon */
    char out[2048];
    /* cons by guest, prod by daemon */
    XENCONS_RING_IDX in_cons, in_prod;
    /* cons by daemon, prod by guest */
    XENCONS_RING_IDX out_cons, out_prod;
};

#endif /* XEN_IO_CONSOLE_H */
