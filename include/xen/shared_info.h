/* SPDX-License-Identifier: MIT */
/*
 * What hypervisor and guest share in memory without a call: the shared-info page of a domain,
 * and one vcpu_info per vCPU.
 *
 * Events (2-level): a port p is pending when bit p of evtchn_pending is set; it is delivered
 * unless bit p of evtchn_mask is set. Delivery: set bit p/64 of the target vCPU's
 * evtchn_pending_sel, set its evtchn_upcall_pending, and, unless evtchn_upcall_mask is set, enter
 * the guest at its event callback with evtchn_upcall_mask set. The guest clears upcall_pending,
 * takes (exchanges with 0) pending_sel, and for each word found clears the bits it handles. All
 * these are changed by both sides, so only with locked instructions.
 *
 * Time: system_time is the time since boot in ns at the moment when the TSC was tsc_timestamp.
 * Now = system_time + (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32), where a
 * negative shift goes right. The hypervisor makes `version` odd before and even after it changes
 * the rest; the reader reads again when it was odd or has changed. Wall clock at boot is in
 * wc_sec/wc_nsec under wc_version, in the same way.
 *
 * Trust: a guest can write all of this page. The hypervisor writes its fields and never reads
 * anything back except evtchn_mask, evtchn_upcall_mask and arch (page list for migration).
 *
 * Reading the clock, in C:
 *
 *     do {
 *         version = t->version;            barrier;
 *         delta = rdtsc() - t->tsc_timestamp;
 *         delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
 *         delta = (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
 *         now = t->system_time + delta;
 *         barrier;
 *     } while ((version & 1) || version != t->version);
 *
 * Each vCPU reads its own vcpu_info. rdtsc() must not be carried out before what stands before it
 * (LFENCE), or a vCPU that has heard of another's time may read an earlier one. Wall clock now =
 * wc_sec.wc_nsec + system time.
 */
#ifndef XEN_SHARED_INFO_H
#define XEN_SHARED_INFO_H

#include <xen/types.h>
#include <xen/arch-x86/xen.h>

struct vcpu_time_info {
    /* odd while being changed */
    uint32_t version;
    uint32_t pad0;
    /* TSC at the last update */
    uint64_t tsc_timestamp;
    /* ns since boot at that TSC */
    uint64_t system_time;
    /* 32.32 fixed point factor, after the shift */
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags; /* XEN_PVCLOCK_* */
    uint8_t pad1[2];
}; /* 32 bytes */
typedef struct vcpu_time_info vcpu_time_info_t;

#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0) /* vCPUs agree: monotonic as they are */
#define XEN_PVCLOCK_GUEST_STOPPED  (1 << 1) /* the guest was stopped a while; soothe watchdogs */

struct vcpu_info {
    /* set by us: look at evtchn_pending_sel */
    uint8_t evtchn_upcall_pending;
    /* set by guest: its "interrupts off"; set by us on entry */
    uint8_t evtchn_upcall_mask;
    /* bit w: word w of evtchn_pending may have something */
    xen_ulong_t evtchn_pending_sel;
    struct arch_vcpu_info arch;
    vcpu_time_info_t time;
}; /* 64 bytes */
typedef struct vcpu_info vcpu_info_t;

/*
 * The page whose machine address is in start_info. vCPUs 0..31 have their vcpu_info here; any vCPU
 * may move its own elsewhere (VCPUOP_register_vcpu_info), those from 32 on must.
 */
struct shared_info {
    struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
    xen_ulong_t evtchn_pending[sizeof(xen_ulong_t) * 8];
    xen_ulong_t evtchn_mask[sizeof(xen_ulong_t) * 8];
    /* odd while the wall clock is being changed */
    uint32_t wc_version;
    /* wall clock at boot (system_time 0), seconds since 1970, low half */
    uint32_t wc_sec;
    uint32_t wc_nsec;
    /* high half of the seconds */
    uint32_t wc_sec_hi;
    struct arch_shared_info arch;
};
typedef struct shared_info shared_info_t;
#define xen_wc_sec_hi wc_sec_hi

#endif /* XEN_SHARED_INFO_H */
