/* SPDX-License-Identifier: MIT */
/*
 * domctl: scheduler_op, the share of CPU time that a domain gets.
 *
 * Parvis has one scheduler, which takes weight and cap as Xen's credit2 and answers to its
 * number, because the tools look for it. weight: share against others, 1 to 65535, 256 by
 * default. cap: hundredths of one CPU that it may use at most, 0 for no limit.
 *
 * Weight counts among vCPUs that want to run; one alone gets all of its CPU. Time is accounted by
 * timestamp at each switch, so that sleeping at the tick gains nothing. A vCPU that wakes gets
 * no more than its weight says over any longer time.
 *
 * putinfo: -XEN_EINVAL another scheduler's number, or a cap beyond what the domain could use: 100
 * for each of its vCPUs, and for each CPU there is. Weight 0 and cap 0xffff: as it is. putvcpuinfo,
 * getvcpuinfo are for schedulers with parameters per vCPU: -XEN_EINVAL.
 *
 * An example of weights: two domains that want all they can get, with 256 and 512, on
 * one CPU: one third and two thirds. A cap of 50 holds a domain to half a CPU although
 * nobody else wants it; of 150, to one and a half CPUs, if it has two vCPUs.
 *
 *     op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
 *     op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
 *     op.u.scheduler_op.u.credit2 = (struct xen_domctl_sched_credit2){.weight = 512, .cap = 0};
 *
 * putinfo takes effect at once, for the domain's running vCPUs too. A field that
 * should stay as it is is given as getinfo returned it. xl's and libvirt's parameters
 * are these, by the same names.
 */
#ifndef XEN_DOMCTL_SCHED_H
#define XEN_DOMCTL_SCHED_H

#include <xen/types.h>

/*
 * The other numbers are schedulers that this hypervisor has not: they are here to be
 * compared with.
 */
#define XEN_SCHEDULER_CREDIT   5
#define XEN_SCHEDULER_CREDIT2  6
#define XEN_SCHEDULER_ARINC653 7
#define XEN_SCHEDULER_RTDS     8
#define XEN_SCHEDULER_NULL     9

/*
 * The members of the union that belong to other schedulers have their layouts here,
 * because tools fill the whole union in; Parvis reads credit2 alone.
 */
struct xen_domctl_sched_credit {
    uint16_t weight;
    uint16_t cap;
};

/*
 * weight: 1 to 65535. cap: in hundredths of a CPU, 0 for none.
 */
struct xen_domctl_sched_credit2 {
    uint16_t weight;
    uint16_t cap;
};

struct xen_domctl_sched_rtds {
    uint32_t period; /* us */
    uint32_t budget; /* us */
    uint32_t flags;
};
#define _XEN_DOMCTL_SCHEDRT_extra 0
#define XEN_DOMCTL_SCHEDRT_extra  (1U << _XEN_DOMCTL_SCHEDRT_extra)

/*
 * One vCPU's parameters and its number, an element of that list.
 */
typedef struct xen_domctl_schedparam_vcpu {
    union {
        struct xen_domctl_sched_credit credit;
        struct xen_domctl_sched_credit2 credit2;
        struct xen_domctl_sched_rtds rtds;
    } u;
    uint32_t vcpuid;
} xen_domctl_schedparam_vcpu_t;

/*
 * getinfo fills the member that belongs to the scheduler that is on; putinfo reads it.
 * The list in v is for schedulers whose parameters each vCPU has for itself.
 */
#define XEN_DOMCTL_SCHEDOP_putinfo     0
#define XEN_DOMCTL_SCHEDOP_getinfo     1
#define XEN_DOMCTL_SCHEDOP_putvcpuinfo 2
#define XEN_DOMCTL_SCHEDOP_getvcpuinfo 3
struct xen_domctl_scheduler_op {
    /* in: XEN_SCHEDULER_* */
    uint32_t sched_id;
    /* in: XEN_DOMCTL_SCHEDOP_* */
    uint32_t cmd;
    union {
        struct xen_domctl_sched_credit credit;
        struct xen_domctl_sched_credit2 credit2;
        struct xen_domctl_sched_rtds rtds;
        struct {
            /* xen_domctl_schedparam_vcpu_t[nr_vcpus] */
            xen_guest_handle_t vcpus;
            uint32_t nr_vcpus;
            uint32_t padding;
        } v;
    } u;
};

#endif /* XEN_DOMCTL_SCHED_H */
