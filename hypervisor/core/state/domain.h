/* SPDX-License-Identifier: MIT */
/*
 * Domains and vCPUs.
 *
 * A domain lives from domain_create() to the last reference (get_domain/put_domain): destruction
 * first marks it dying, then gives back everything in bounded steps (domain_kill is a
 * continuation), and its struct is freed when nobody holds a frame or reference of it any more.
 * Only then is its id free for another. A vCPU lives as long as its domain.
 *
 * Locks: domlist_lock the table of ids; d->lock lifecycle fields (marked L); d->page_alloc_lock
 * the page list and counts (marked P); the scheduler's lock the run state (struct sched_vcpu).
 */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <core/base/log_share.h>
#include <core/event/event_channel.h>
#include <core/frame/frame.h>
#include <core/sched/sched.h>
#include <core/sched/timer.h>
#include <hv/arch_vcpu.h>
#include <hv/types.h>
#include <parvis/counters.h>
#include <port/lock.h>
#include <port/nospec.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

struct guest_ops;
struct grant_table;
struct pirq_table;

#define MAX_VCPUS 64 /* a domain's; the first 32 have their vcpu_info in shared_info */

/* Reasons a vCPU does not run: bits of vcpu.pause_flags (atomic). */
#define VPF_blocked 1u /* SCHEDOP_block: until an event */
#define VPF_down    2u /* not VCPUOP_up yet, or down again */
#define VPF_polling 4u /* SCHEDOP_poll: until one of poll ports, or time */

struct vcpu {
    uint64_t pad;              /* so that regs.es, where TSS.rsp0 points, is 16-byte aligned */
    struct cpu_user_regs regs; /* the guest's registers while the hypervisor runs: in place */
    struct domain *domain;
    unsigned int vcpu_id;
    struct cpu *cpu_stack; /* the CPU that runs it: entry takes its stack from here (asm-offsets) */

    struct vcpu_info *vcpu_info; /* hypervisor's mapping of where the guest looks (asm-offsets) */
    struct vcpu_info own_info;   /* before one exists (vCPUs from 32 on, until they register) */
    mfn_t vcpu_info_mfn; /* registered by VCPUOP_register_vcpu_info, holds a writable reference */

    uint32_t pause_flags;         /* VPF_*: atomic */
    uint32_t pause_count;         /* pauses by others: atomic */
    bool nmi_pending, nmi_masked; /* set by anyone, and by its CPU (asm-offsets) */
    bool in_multicall;            /* a hypercall that ends the list clears it (asm-offsets) */
    bool initialised;             /* has a context: atomic */
    bool context_busy;            /* is being given one: atomic */
    struct sched_vcpu sched;

    struct timer singleshot; /* VCPUOP_set_singleshot_timer, set_timer_op */
    struct timer periodic;   /* VCPUOP_set_periodic_timer */
    s_time_t period;
    spinlock_t poll_lock; /* guards both, and with them VPF_polling and the bit in d->poll_mask */
    struct timer poll_timer;
    evtchn_port_t poll_port; /* the port polled for when exactly one; 0 none; ~0 several */

    uint16_t virq_port[24]; /* NR_VIRQS: port bound, 0 none; evtchn lock */
    gva_t runstate_gva;     /* registered area, written on the guest's own page tables; 0 none */
    bool areas_stale;       /* one of the two could not be written: core/sched/vcpu_time.h */
    gva_t time_info_gva;    /* VCPUOP_register_vcpu_time_memory_area; 0 none */
    struct {
        uint32_t version;
        uint64_t tsc, system_time;
    } time_stamp; /* last pvclock values given */

    uint64_t affinity; /* hard affinity, bit per CPU */
    /* What a tool would rather: kept for tools to read; one run queue has no use for it. */
    uint64_t soft_affinity;
    /* The running hypercall asked to be issued again with hc_args, hc_nr_args of them */
    bool continuation;
    uint8_t hc_nr_args;
    uint64_t hc_args[6];
    unsigned int hc_nr;            /* number of the running hypercall, for refused() */
    const char *hc_subop;          /* and which of its operations; NULL: it has none */
    uint64_t counter[NR_COUNTERS]; /* core/base/count.h (asm-offsets) */

    struct arch_vcpu arch;
} __aligned(16);
_Static_assert(offsetof(struct vcpu, regs.es) % 16 == 0, "the CPU aligns the stack it pushes to");

/* What an exchange of frames that gave way has in its hands (core/domain/in_flight.c). */
struct in_flight {
    bool busy;      /* a CPU is at it: atomic */
    bool committed; /* nothing is undone any more */
    int error;      /* of what was committed, or is being undone */
    domid_t by;     /* whose chunk it is: the caller, the address of its arguments, the number */
    gva_t arg;
    uint64_t chunk;
    s_time_t wait_until;    /* until then others wait for it */
    struct page_list taken; /* frames that were the domain's */
    struct page_list got;   /* extents for it, by their first frames */
    unsigned int got_order;
};

/* What a domain says by console_io (core/console/console_io.c). */
struct domain_console {
    char line[128];      /* L: not ended yet */
    unsigned int length; /* L */
    bool spoke;          /* on the UART */
};

struct domain {
    domid_t domain_id;
    uint32_t refcount;        /* atomic; the list holds one */
    struct domain *next_dead; /* on cpu->dead */
    spinlock_t lock;
    uint8_t handle[16]; /* uuid; L */
    char name[32];      /* boot-time domains: from parvis.cfg; else "d<ID>" (for the log) */

    bool listed;            /* found by its id, and by walks: domlist_lock */
    bool is_control;        /* may use control operations */
    bool dying;             /* L */
    bool shutting_down;     /* L: SCHEDOP_shutdown seen */
    bool ended;             /* L: and all that was to be said has been */
    uint32_t shutdown_code; /* SHUTDOWN_*; ~0u: none */
    uint32_t pause_count;   /* hypervisor-internal pauses, atomic */
    uint64_t poll_mask;     /* vCPUs in SCHEDOP_poll, bit per vCPU: atomic */
    /* CPUs that may know its translations, bit per CPU: atomic (core/base/tlb.c) */
    uint64_t dirty_cpus;
    bool controller_paused; /* XEN_DOMCTL_pausedomain holds one pause: atomic */
    bool started;           /* it may have run */
    bool domctl_busy;       /* a control operation is at work on it: atomic */
    uint32_t options;       /* XEN_DOMCTL_CDF_* */

    unsigned int max_vcpus; /* length of vcpu[] */
    struct vcpu **vcpu;

    const struct guest_ops *ops;
    struct shared_info *shared_info; /* hypervisor's mapping of a PGC_xenheap page of the domain */

    spinlock_t page_alloc_lock;
    struct page_list pages;      /* P: frames owned, but for xenheap ones */
    struct page_list relinquish; /* P: teardown: frames already looked at */
    uint64_t tot_pages;          /* P */
    uint64_t max_pages;          /* P */
    uint64_t outstanding_claim;  /* XENMEM_claim_pages: core/domain/claim.c */
    struct in_flight in_flight;
    uint32_t xenheap_pages; /* atomic */
    void *memory_map;       /* P: struct e820 entries set by XENMEM_set_memory_map */
    unsigned int memory_map_entries;

    struct evtchn_table evtchn;
    struct grant_table *grant;
    struct pirq_table *pirqs; /* NULL for a domain without hardware */
    struct domain_console console;

    struct sched_domain sched;
    struct cpu_policy *cpu_policy; /* what CPUID tells it; NULL: what its kind does */
    uint32_t vm_assist;            /* VMASST_TYPE_* bits: atomic */
    uint32_t tsc_mode;             /* as XEN_DOMCTL_settscinfo set it */
    int64_t time_offset;           /* seconds, XEN_DOMCTL_settimeoffset */
    uint64_t wc_at_zero;           /* what its wall clock was last written from */
    struct timer watchdog[2];      /* SCHEDOP_watchdog */
    uint32_t watchdog_used;        /* bit per timer; L */
    int relinquish_step;           /* how far domain_kill came */

    uint64_t refusals, refusals_logged_at; /* rate limit of refused(): atomic */
    uint64_t unknown_hypercalls; /* numbers of which it was told that there are none: atomic */
    struct log_share log_share;
    struct arch_domain arch;
};

#define for_each_vcpu(d, v)                                                                        \
    for (unsigned int vcpu_i_ = 0; vcpu_i_ < (d)->max_vcpus; vcpu_i_++)                            \
        if (((v) = domain_vcpu(d, vcpu_i_)) != NULL)

static inline bool is_idle(const struct vcpu *v)
{
    return v->domain->domain_id == DOMID_IDLE;
}

/* Race: one that is made now is seen whole, or not yet. */
static inline struct vcpu *domain_vcpu(const struct domain *d, unsigned int id)
{
    return id < d->max_vcpus
               ? __atomic_load_n(&d->vcpu[index_nospec(id, d->max_vcpus)], __ATOMIC_ACQUIRE)
               : NULL;
}

#endif
