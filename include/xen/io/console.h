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
