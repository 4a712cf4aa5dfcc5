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
 */
#ifndef XEN_IO_BLKIF_H
#define XEN_IO_BLKIF_H

#include <xen/grant_table.h>
#include <xen/io/ring.h>

typedef uint16_t blkif_vdev_t; /* virtual device number, as in the key virtual-device */
typedef uint64_t blkif_sector_t;

#define BLKIF_OP_READ 0
#define BLKIF_OP_WRITE 1
#define BLKIF_OP_WRITE_BARRIER 2   /* all before is on the disk, then this (feature-barrier) */
#define BLKIF_OP_FLUSH_DISKCACHE 3 /* all that was answered is on the disk (feature-flush-cache) */
#define BLKIF_OP_RESERVED_1 4
#define BLKIF_OP_DISCARD 5  /* the contents are not needed any more (feature-discard) */
#define BLKIF_OP_INDIRECT 6 /* segments are in pages of their own (feature-max-indirect-segments) */

#define BLKIF_MAX_SEGMENTS_PER_REQUEST 11
#define BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST 8

struct blkif_request_segment {
    grant_ref_t gref;              /* page */
    uint8_t first_sect, last_sect; /* 0 to 7 */
};

struct blkif_request {
    uint8_t operation;             /* BLKIF_OP_READ to FLUSH_DISKCACHE */
    uint8_t nr_segments;           /* 0 only with barrier and flush */
    blkif_vdev_t handle;           /* ignored by most */
    uint64_t id;                   /* given back */
    blkif_sector_t sector_number;  /* start on the disk */
    struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};
typedef struct blkif_request blkif_request_t;

/* The same slot with BLKIF_OP_DISCARD. */
#define BLKIF_DISCARD_SECURE (1 << 0)
struct blkif_request_discard {
    uint8_t operation;
    uint8_t flag; /* BLKIF_DISCARD_SECURE */
    blkif_vdev_t handle;
    uint64_t id;
    blkif_sector_t sector_number;
    uint64_t nr_sectors;
};
typedef struct blkif_request_discard blkif_request_discard_t;

/* The same slot with BLKIF_OP_INDIRECT: each granted page holds 512 segments of 8 bytes. */
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

struct blkif_response {
    uint64_t id;
    uint8_t operation;
    int16_t status; /* BLKIF_RSP_* */
};
typedef struct blkif_response blkif_response_t;

#define BLKIF_RSP_EOPNOTSUPP (-2)
#define BLKIF_RSP_ERROR (-1)
#define BLKIF_RSP_OKAY 0

DEFINE_RING_TYPES(blkif, struct blkif_request, struct blkif_response);

/* Key info. */
#define VDISK_CDROM 0x1
#define VDISK_REMOVABLE 0x2
#define VDISK_READONLY 0x4

#endif /* XEN_IO_BLKIF_H */
