/* SPDX-License-Identifier: MIT */
/*
 * vCPUs of a domain, by itself: vcpu_op(cmd, unsigned int vcpuid, void *arg).
 *
 * A domain starts with vCPU 0 alone; the others exist (as many as the control domain allowed) but
 * have no state until `initialise` and do not run until `up`. A vCPU can be taken down and up
 * again keeping its state.
 *
 * A vcpuid that the domain does not have: -XEN_ENOENT, for all commands.
 *
 * How a kernel starts a second vCPU:
 *
 *     struct vcpu_guest_context *c = zeroed page-aligned memory;
 *     c->flags = VGCF_IN_KERNEL;  c->user_regs.rip = start;  c->user_regs.rsp = stack;
 *     c->user_regs.cs = FLAT_KERNEL_CS;  c->user_regs.ss = FLAT_KERNEL_SS;
 *     c->gdt_frames[0] = mfn of its GDT;  c->gdt_ents = entries;
 *     c->ctrlreg[3] = xen_pfn_to_cr3(mfn of its L4 table);
 *     c->event_callback_eip = ...;  c->failsafe_callback_eip = ...;  c->syscall_callback_eip = ...;
 *     vcpu_op(VCPUOP_initialise, 1, c);  bind its ipi and timer ports to vCPU 1;
 *     vcpu_op(VCPUOP_up, 1, NULL);
 *
 * The GDT's page must not be mapped writable, as for set_gdt; the L4 table should be
 * pinned. The structure can be freed when initialise has returned.
 *
 * Numbers of vCPUs are fixed, 0 to max - 1, and the guest learns max from its
 * toolstack (the key cpu/<n>/availability in its home, or by trying: -XEN_ENOENT is
 * the end). Which physical CPU runs which is not the guest's business: a vCPU may move
 * at any time, and the guest sees no CPU number but its own.
 *
 * Taking one down: move its ports and timers, let it go idle with events masked, and
 * have it call VCPUOP_down on itself; is_up then answers 0. Its registers are kept,
 * and `up` goes on after the call. When the last vCPU goes down the domain has powered
 * off.
 */
#ifndef XEN_VCPU_H
#define XEN_VCPU_H

#include <xen/xen.h>

/*
 * initialise (struct vcpu_guest_context): sets the state of a vCPU that has none. It stays down.
 * -XEN_EEXIST it has one already; -XEN_EINVAL a bad selector, frame or page table in it.
 */
#define VCPUOP_initialise 0
/* up (none): lets it run. -XEN_EINVAL not initialised. 0 also when it is up. */
#define VCPUOP_up 1
/* down (none): stops it when it next leaves the CPU; on itself, at once. 0. */
#define VCPUOP_down 2
/* is_up (none): 1 or 0. */
#define VCPUOP_is_up 3

/*
 * get_runstate_info (struct vcpu_runstate_info, out): where its time went.
 *
 * A kernel that accounts time by its tick takes "stolen" time (runnable, and offline
 * when it did not ask to be) out of what it charges to programs. A copy in a
 * registered area saves the call, and is read like the clock: look at state_entry_time
 * before and after.
 */
#define VCPUOP_get_runstate_info 4
struct vcpu_runstate_info {
    int state; /* RUNSTATE_* now */
    /* since when, system time in ns */
    uint64_t state_entry_time;
    /* ns spent in each; they add up to the vCPU's age */
    uint64_t time[4];
};
typedef struct vcpu_runstate_info vcpu_runstate_info_t;

#define RUNSTATE_running  0 /* on a physical CPU */
#define RUNSTATE_runnable 1 /* wants one: "stolen" time */
#define RUNSTATE_blocked  2 /* waits for an event */
#define RUNSTATE_offline  3 /* down, or paused */

/*
 * In a registered area, with VMASST runstate_update_flag: this bit of state_entry_time is set
 * while the hypervisor changes the area. A reader waits until it is clear and the time the same.
 */
#define XEN_RUNSTATE_UPDATE (1ULL << 63)

/*
 * register_runstate_memory_area: has a copy of the above kept at a virtual address of the guest,
 * updated whenever the vCPU gets a CPU. The address is used with the guest's current page table;
 * when it is not mapped there, that update is dropped. 0 ends it.
 */
#define VCPUOP_register_runstate_memory_area 5
struct vcpu_register_runstate_memory_area {
    union {
        xen_guest_handle_t h;
        struct vcpu_runstate_info *v;
        uint64_t p;
    } addr;
};
typedef struct vcpu_register_runstate_memory_area vcpu_register_runstate_memory_area_t;

/*
 * set_periodic_timer: VIRQ_TIMER every period_ns while the vCPU runs (missed ones are not made
 * up for). At least 1 ms, else -XEN_EINVAL. stop: no argument. Xen starts each vCPU with a period
 * of 10 ms, so a guest should set or stop it before it binds VIRQ_TIMER, and rely on neither.
 */
#define VCPUOP_set_periodic_timer  6
#define VCPUOP_stop_periodic_timer 7
struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};
typedef struct vcpu_set_periodic_timer vcpu_set_periodic_timer_t;

/*
 * set_singleshot_timer: one VIRQ_TIMER at the given system time, also when it has passed, except
 * that with the flag `future` that is -XEN_ETIME. Replaces an earlier one. Only by the vCPU
 * itself: else -XEN_EINVAL. stop: no argument.
 *
 * It is the timer of a kernel without ticks: set to the next thing to do, set again in
 * its handler. Times are system time (shared_info.h), so a kernel computes
 * timeout_abs_ns = now + delay with the clock that it has already.
 */
#define VCPUOP_set_singleshot_timer  8
#define VCPUOP_stop_singleshot_timer 9
struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns;
    uint32_t flags; /* VCPU_SSHOTTMR_* */
};
typedef struct vcpu_set_singleshot_timer vcpu_set_singleshot_timer_t;
#define _VCPU_SSHOTTMR_future 0
#define VCPU_SSHOTTMR_future  (1U << _VCPU_SSHOTTMR_future)

/*
 * register_vcpu_info: moves the vCPU's vcpu_info from the shared-info page to a place of the
 * guest's choice, once. 64 bytes within one page of its own memory, aligned to 8.
 * On itself or on a vCPU that is down. After it, the vCPU has all its events announced once.
 * -XEN_ENXIO alignment or crossing a page; -XEN_EINVAL done already, vCPU running, or not a
 * writable page of the domain.
 *
 * Who has more than 32 vCPUs must; others may, to have a cache line for each. mfn and
 * offset name the place; the page stays the hypervisor's to write until the domain
 * ends, so it must not be given back or granted. What stood in the old place is copied
 * first.
 */
#define VCPUOP_register_vcpu_info 10
struct vcpu_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset;
    uint32_t rsvd;
};
typedef struct vcpu_register_vcpu_info vcpu_register_vcpu_info_t;

/*
 * send_nmi (none): enters the vCPU at its NMI callback. 0, also when one is pending
 * already.
 *
 * For a watchdog that asks a stuck vCPU where it is: the callback is entered even with
 * events masked.
 */
#define VCPUOP_send_nmi 11

/*
 * get_physid (struct vcpu_get_physid, out): APIC and ACPI id of the CPU that the vCPU is on.
 * Only for the control domain with pinned vCPUs, else -XEN_EINVAL.
 */
#define VCPUOP_get_physid 12
struct vcpu_get_physid {
    uint64_t phys_id;
};
typedef struct vcpu_get_physid vcpu_get_physid_t;
#define xen_vcpu_physid_to_x86_apicid(physid) ((uint32_t)(physid))
#define xen_vcpu_physid_to_x86_acpiid(physid) ((uint32_t)((physid) >> 32))

/*
 * register_vcpu_time_memory_area: has a copy of the vcpu_time_info kept at a virtual address, for
 * user-mode clocks. Same rules as the runstate area.
 */
#define VCPUOP_register_vcpu_time_memory_area 13
struct vcpu_register_time_memory_area {
    union {
        xen_guest_handle_t h;
        struct vcpu_time_info *v;
        uint64_t p;
    } addr;
};
typedef struct vcpu_register_time_memory_area vcpu_register_time_memory_area_t;

#endif /* XEN_VCPU_H */
