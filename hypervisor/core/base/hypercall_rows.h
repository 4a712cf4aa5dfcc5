/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls that every kind of guest has: one row a hypercall. Name (number:
 * __HYPERVISOR_<name>), who may call it, number of parameters, parameters. Included where HYPERCALL
 * is defined. The handler do_<name> stands in the file named behind the row.
 */
/* clang-format off */
/*        name                who         n  parameters */
HYPERCALL(platform_op,        HC_CONTROL, 1, gva_t arg)                                                         /* core/control/platform.c */
HYPERCALL(memory_op,          HC_ANY,     2, uint64_t cmd, gva_t arg)                                           /* core/guest/memory.c */
HYPERCALL(multicall,          HC_ANY,     2, gva_t call_list, uint64_t nr_calls)                                /* core/guest/multicall.c */
HYPERCALL(set_timer_op,       HC_ANY,     1, int64_t timeout)                                                   /* core/event/vcpu_timer.c */
HYPERCALL(xen_version,        HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/guest/version.c */
HYPERCALL(console_io,         HC_ANY,     3, unsigned int cmd, unsigned int count, gva_t buffer)                /* core/console/console_io.c */
HYPERCALL(grant_table_op,     HC_ANY,     3, unsigned int cmd, gva_t uop, unsigned int count)                   /* core/grant/grant_op.c */
HYPERCALL(vm_assist,          HC_ANY,     2, unsigned int cmd, unsigned int type)                               /* core/guest/vm_assist.c */
HYPERCALL(vcpu_op,            HC_ANY,     3, unsigned int cmd, unsigned int vcpuid, gva_t arg)                  /* core/guest/vcpu_op.c */
HYPERCALL(sched_op_compat,    HC_ANY,     2, unsigned int cmd, uint64_t arg)                                    /* core/guest/sched_op.c */
HYPERCALL(sched_op,           HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/guest/sched_op.c */
HYPERCALL(event_channel_op,   HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/event/evtchn_op.c */
HYPERCALL(physdev_op,         HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/control/physdev.c */
HYPERCALL(hvm_op,             HC_ANY,     2, unsigned int cmd, gva_t arg)                                           /* core/guest/hvm_op.c */
HYPERCALL(sysctl,             HC_CONTROL, 1, gva_t arg)                                                         /* core/control/sysctl.c */
HYPERCALL(domctl,             HC_CONTROL, 1, gva_t arg)                                                         /* core/control/domctl.c */
HYPERCALL(mca,                HC_CONTROL, 1, gva_t arg)                                                         /* core/control/mca.c */
/* clang-format on */
