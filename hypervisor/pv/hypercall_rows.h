/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls of paravirtual guests alone: one row a hypercall. Name (number:
 * __HYPERVISOR_<name>), who may call it, number of parameters, parameters. Included where HYPERCALL
 * is defined. The handler do_<name> stands in the file named behind the row.
 */
/* clang-format off */
/*        name                who         n  parameters */
HYPERCALL(set_trap_table,     HC_ANY,     1, gva_t traps)                                                       /* pv/traps.c */
HYPERCALL(mmu_update,         HC_ANY,     4, gva_t ureqs, unsigned int count, gva_t pdone, unsigned int foreigndom) /* pv/mmu_update.c */
HYPERCALL(set_gdt,            HC_ANY,     2, gva_t frames, unsigned int entries)                                /* pv/descriptor.c */
HYPERCALL(stack_switch,       HC_ANY,     2, uint64_t ss, uint64_t sp)                                          /* pv/misc_hypercalls.c */
HYPERCALL(set_callbacks,      HC_ANY,     3, uint64_t event, uint64_t failsafe, uint64_t sysc)                  /* pv/callback.c */
HYPERCALL(fpu_taskswitch,     HC_ANY,     1, int set)                                                           /* pv/misc_hypercalls.c */
HYPERCALL(set_debugreg,       HC_ANY,     2, unsigned int reg, uint64_t value)                                  /* pv/debugreg.c */
HYPERCALL(get_debugreg,       HC_ANY,     1, unsigned int reg)                                                  /* pv/debugreg.c */
HYPERCALL(update_descriptor,  HC_ANY,     2, uint64_t maddr, uint64_t desc)                                     /* pv/descriptor.c */
HYPERCALL(update_va_mapping,  HC_ANY,     3, gva_t va, uint64_t val, uint64_t flags)                            /* pv/update_va.c */
HYPERCALL(update_va_mapping_otherdomain, HC_ANY, 4, gva_t va, uint64_t val, uint64_t flags, unsigned int domid) /* pv/update_va.c */
HYPERCALL(iret,               HC_ANY,     0, void)                                                              /* pv/iret.c */
HYPERCALL(set_segment_base,   HC_ANY,     2, unsigned int which, uint64_t base)                                 /* pv/segment.c */
HYPERCALL(mmuext_op,          HC_ANY,     4, gva_t uops, unsigned int count, gva_t pdone, unsigned int foreigndom) /* pv/mmuext.c */
HYPERCALL(callback_op,        HC_ANY,     2, unsigned int cmd, gva_t arg)                                       /* pv/callback.c */
/* clang-format on */
