/* SPDX-License-Identifier: MIT */
/*
 * Block devices: front end in the guest, back end in the control domain (or where the disk is).
 *
 * Keys in xenstore. Back end writes: sectors (number of 512-byte units), sector-size, info
 * (VDISK_*), feature-barrier, feature-flush-cache, feature-discard (with discard-granularity,
 * discard-alignment, discard-secure), feature-persistent, feature-max-indirect-segments,
 * max-ring-page-order, multi-queue-max-queues. Front end writes: ring-ref (or ring-page-order and
 * ring-ref0, ring-ref1, ..), event-channel, protocol (io/protocols.h), feature-persistent, or, with
 * multi-queue-num-queues, ring-ref and event-channel under queue-0, queue-1, ...
 *
 * Data stays in pages of the guest, granted per request (or, when both say feature-persistent,
 * once for long). sector_number always counts units of 512 bytes, first_sect and last_sect
 * are units of 512 bytes in the granted page, both included.
 *
 * Trust: the back end copies the request before it looks at it, and checks that segments lie in
 * the page, in their number, and on the disk. Each request is answered exactly once, in any order.
 *
 * Reading 8 KiB from sector 100 into two pages:
 *
 *     request {operation READ, nr_segments 2, id 7, sector_number 100,
 *              seg = {{gref a, 0, 7}, {gref b, 0, 7}}}
 *     response {id 7, operation READ, status OKAY}: both pages are filled; revoke the grants
 *
 * A segment is up to 4 KiB of one page, in units of 512 bytes; all segments of a
 * request are one run of sectors on the disk, in order. With sector-size 4096 a
 * request must begin and end on multiples of 8 units. 11 segments are 44 KiB; more go
 * by BLKIF_OP_INDIRECT.
 *
 * Order: requests may be carried out and answered in any order. A front end that needs
 * one before another waits for the answer, or sends a barrier. That a write was
 * answered says that it will be seen by later reads; that it survives a loss of power
 * is said by an answered FLUSH_DISKCACHE.
 *
 * A disk goes away when the state of the back end becomes Closing: the front end
 * finishes what is out, closes, and sees no more of it. A disk that grows: the key
 * sectors changes, and the front end, which watches the state, looks again.
 */
#ifndef XEN_IO_BLKIF_H
#define XEN_IO_BLKIF_H

#include <xen/grant_table.h>
#include <xen/io/ring.h>

typedef uint16_t blkif_vdev_t; /* virtual device number, as in the key virtual-device */
typedef uint64_t blkif_sector_t;

/*
 * An operation that the back end does not know is answered with BLKIF_RSP_EOPNOTSUPP,
 * and a front end then goes without it for the life of the device. WRITE_BARRIER
 * without segments is allowed. Barrier, flush, discard and indirect need
 * the key feature-barrier, feature-flush-cache, feature-discard or
 * feature-max-indirect-segments of the back end.
 */
#define BLKIF_OP_READ            0
#define BLKIF_OP_WRITE           1
#define BLKIF_OP_WRITE_BARRIER   2 /* all before is on the disk, then this (feature-barrier) */
#define BLKIF_OP_FLUSH_DISKCACHE 3 /* what was answered is on the disk */
#define BLKIF_OP_RESERVED_1      4
#define BLKIF_OP_DISCARD         5 /* the contents are not needed any more (feature-discard) */
#define BLKIF_OP_INDIRECT        6 /* segments are in pages of their own */

#define BLKIF_MAX_SEGMENTS_PER_REQUEST       11
#define BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST 8

/*
 * Both numbers are included: {0, 7} is the whole page, {0, 0} its first 512 bytes.
 * first_sect above last_sect, or last_sect above 7, is an error of the whole request.
 */
struct blkif_request_segment {
    grant_ref_t gref;              /* page */
    uint8_t first_sect, last_sect; /* 0 to 7 */
};

/*
 * handle was the device's number once; the ring belongs to one device now. id may be
 * any number: it is not looked at. The slot is 112 bytes: one page holds 32.
 */
struct blkif_request {
    /* BLKIF_OP_READ to FLUSH_DISKCACHE */
    uint8_t operation;
    /* 0 only with barrier and flush */
    uint8_t nr_segments;
    blkif_vdev_t handle;          /* ignored by most */
    uint64_t id;                  /* given back */
    blkif_sector_t sector_number; /* start on the disk */
    struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};
typedef struct blkif_request blkif_request_t;

/* The same slot with BLKIF_OP_DISCARD. */
#define BLKIF_DISCARD_SECURE (1 << 0)

/*
 * nr_sectors in units of 512 bytes, within what discard-granularity and -alignment
 * allow. What is read there afterwards is not defined, unless the flag asks that it be
 * gone for good.
 */
struct blkif_request_discard {
    uint8_t operation;
    /* BLKIF_DISCARD_SECURE */
    uint8_t flag;
    blkif_vdev_t handle;
    uint64_t id;
    blkif_sector_t sector_number;
    uint64_t nr_sectors;
};
typedef struct blkif_request_discard blkif_request_discard_t;

/*
 * The same slot with BLKIF_OP_INDIRECT: each granted page holds 512 segments of 8
 * bytes.
 *
 * With 8 pages there could be 4096 segments; the back end says in
 * feature-max-indirect-segments how many it takes (Linux: 256, which is 1 MiB).
 */
struct blkif_request_indirect {
    uint8_t operation;
    uint8_t indirect_op; /* READ or WRITE */
    uint16_t nr_segments;
    uint64_t id;
    blkif_sector_t sector_number;
    blkif_vdev_t handle;
    grant_ref_t indirect_grefs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
};
typedef struct blkif_request_indirect blkif_request_indirect_t;

/*
 * 16 bytes in a slot of 112. operation repeats what was asked.
 */
struct blkif_response {
    uint64_t id;
    uint8_t operation;
    int16_t status; /* BLKIF_RSP_* */
};
typedef struct blkif_response blkif_response_t;

/*
 * ERROR: the disk failed, or the request was malformed: which is in the back end's log
 * alone.
 */
#define BLKIF_RSP_EOPNOTSUPP (-2)
#define BLKIF_RSP_ERROR      (-1)
#define BLKIF_RSP_OKAY       0

DEFINE_RING_TYPES(blkif, struct blkif_request, struct blkif_response);

/*
 * Key info.
 *
 * A disk with READONLY refuses writes by itself, whatever the front end believes.
 */
#define VDISK_CDROM     0x1
#define VDISK_REMOVABLE 0x2
#define VDISK_READONLY  0x4

#endif /* XEN_IO_BLKIF_H */
