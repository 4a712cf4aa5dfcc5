/* SPDX-License-Identifier: MIT */
/*
 * One row a hypercall: name (number: __HYPERVISOR_<name>), who may call it, number of parameters,
 * parameters. Included where HYPERCALL is defined. The handler do_<name> stands in the file named
 * behind the row.
 */
/* clang-format off */
/*        name                who         n  parameters */
HYPERCALL(set_trap_table,     HC_ANY,     1, gva_t traps)                                                       /* pv/traps.c */
HYPERCALL(mmu_update,         HC_ANY,     4, gva_t ureqs, unsigned int count, gva_t pdone, unsigned int foreigndom) /* pv/mmu_update.c */
HYPERCALL(set_gdt,            HC_ANY,     2, gva_t frames, unsigned int entries)                                /* pv/descriptor.c */
HYPERCALL(stack_switch,       HC_ANY,     2, uint64_t ss, uint64_t sp)                                          /* pv/misc_hypercalls.c */
HYPERCALL(set_callbacks,      HC_ANY,     3, uint64_t event, uint64_t failsafe, uint64_t sysc)                  /* pv/callback.c */
HYPERCALL(fpu_taskswitch,     HC_ANY,     1, int set)                                                           /* pv/misc_hypercalls.c */
HYPERCALL(platform_op,        HC_CONTROL, 1, gva_t arg)                                                         /* core/control/platform.c */
HYPERCALL(set_debugreg,       HC_ANY,     2, unsigned int reg, uint64_t value)                                  /* pv/debugreg.c */
HYPERCALL(get_debugreg,       HC_ANY,     1, unsigned int reg)                                                  /* pv/debugreg.c */
HYPERCALL(update_descriptor,  HC_ANY,     2, uint64_t maddr, uint64_t desc)                                     /* pv/descriptor.c */
HYPERCALL(memory_op,          HC_ANY,     2, uint64_t cmd, gva_t arg)                                           /* core/guest/memory.c */
HYPERCALL(multicall,          HC_ANY,     2, gva_t call_list, uint64_t nr_calls)                                /* core/guest/multicall.c */
HYPERCALL(update_va_mapping,  HC_ANY,     3, gva_t va, uint64_t val, uint64_t flags)                            /* pv/update_va.c */
HYPERCALL(set_timer_op,       HC_ANY,     1, int64_t timeout)                                                   /* core/event/vcpu_timer.c */
HYPERCALL(xen_version,        HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/guest/version.c */
HYPERCALL(console_io,         HC_ANY,     3, unsigned int cmd, unsigned int count, gva_t buffer)                /* core/console/console_io.c */
HYPERCALL(grant_table_op,     HC_ANY,     3, unsigned int cmd, gva_t uop, unsigned int count)                   /* core/grant/grant_op.c */
HYPERCALL(vm_assist,          HC_ANY,     2, unsigned int cmd, unsigned int type)                               /* pv/misc_hypercalls.c */
HYPERCALL(update_va_mapping_otherdomain, HC_ANY, 4, gva_t va, uint64_t val, uint64_t flags, unsigned int domid) /* pv/update_va.c */
HYPERCALL(iret,               HC_ANY,     0, void)                                                              /* pv/iret.c */
HYPERCALL(vcpu_op,            HC_ANY,     3, unsigned int cmd, unsigned int vcpuid, gva_t arg)                  /* core/guest/vcpu_op.c */
HYPERCALL(set_segment_base,   HC_ANY,     2, unsigned int which, uint64_t base)                                 /* pv/segment.c */
HYPERCALL(mmuext_op,          HC_ANY,     4, gva_t uops, unsigned int count, gva_t pdone, unsigned int foreigndom) /* pv/mmuext.c */
HYPERCALL(sched_op_compat,    HC_ANY,     2, unsigned int cmd, uint64_t arg)                                    /* core/guest/sched_op.c */
HYPERCALL(sched_op,           HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/guest/sched_op.c */
HYPERCALL(callback_op,        HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* pv/callback.c */
HYPERCALL(event_channel_op,   HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/event/evtchn_op.c */
HYPERCALL(physdev_op,         HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* core/control/physdev.c */
HYPERCALL(sysctl,             HC_CONTROL, 1, gva_t arg)                                                         /* core/control/sysctl.c */
HYPERCALL(domctl,             HC_CONTROL, 1, gva_t arg)                                                         /* core/control/domctl.c */
HYPERCALL(mca,                HC_CONTROL, 1, gva_t arg)                                                         /* core/control/mca.c */
/* clang-format on */
