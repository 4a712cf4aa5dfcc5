/* SPDX-License-Identifier: MIT */
/*
 * What went over the interfaces and the disks of domains, as the back ends in the control domain's
 * kernel count it: files under /sys. One of a domain that goes at this moment is left out.
 */
#ifndef PARVIS_TOOLS_TRAFFIC_H
#define PARVIS_TOOLS_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of an interface, as the control domain sees it: it sends what the guest receives. */
enum { NET_RX_BYTES, NET_RX_PACKETS, NET_TX_BYTES, NET_TX_PACKETS, NR_NET_COUNTS };
/* Of a disk: requests that had to wait for a free one, requests, sectors of 512 bytes. */
enum {
    DISK_WAITED,
    DISK_READS,
    DISK_WRITES,
    DISK_READ_SECTORS,
    DISK_WRITTEN_SECTORS,
    NR_DISK_COUNTS
};

struct traffic_device {
    uint32_t domid;
    bool disk;
    bool counted;  /* a disk whose back end has no counters is there all the same */
    char name[24]; /* "vif3.0", in the control domain; "xvda", in the guest */
    uint64_t count[NR_DISK_COUNTS];
};

struct traffic {
    struct traffic_device *device;
    size_t nr;
};

/* Where the kernel's files are; tests have others. */
extern const char *traffic_sys;

/* 0, or -ENOMEM. */
int __attribute__((warn_unused_result)) traffic_read(struct traffic *t);
void traffic_free(struct traffic *t);

#endif
