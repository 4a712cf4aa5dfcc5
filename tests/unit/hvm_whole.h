/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized domain with all that it has (hvm_guest_ops), but for a CPU that runs it: a
 * test writes into the VMCB what the CPU would have at an exit, and looks at what the next entry is
 * to be.
 */
#ifndef TESTS_HVM_WHOLE_H
#define TESTS_HVM_WHOLE_H

#include "core_test.h"

#include <hv/x86_bits.h>
#include <hvm/hvm.h>
#include <hvm/lapic_internal.h>

#define WHOLE_PAGES 16u
#define CODE        0x1000ull /* where its RIP is */

extern struct domain *dom0, *d;
extern struct vcpu *v;
extern struct vmcb *b;

/* A machine with a control domain, and d with so many vCPUs and WHOLE_PAGES frames from 0 on. v is
 * vCPU 0: in protected mode without paging, interrupts on, its local APIC on. */
void whole_init(unsigned int vcpus);
void whole_fini(void);
int whole_setup(void **state);
int whole_teardown(void **state);

/* Its memory, by its own address. */
void *whole_memory(uint64_t gpa);
/* These bytes at CODE. */
void whole_code(const void *bytes, size_t n);
/* The CPU leaves the guest for this. */
void whole_exit(uint64_t code, uint64_t info1, uint64_t info2);
/* v is in long mode: its first 2 MiB are where they are, by tables in its last three pages. */
void whole_long_mode(void);
/* As profile pvh: in long mode, with hypercalls. */
void whole_told_of_xen(void);
/* The registers of a hypercall; and it is made: the answer, when it has gone on behind VMMCALL. */
void whole_registers(uint32_t nr, uint64_t a, uint64_t a2, uint64_t a3);
long whole_vmmcall(uint32_t nr, uint64_t a, uint64_t a2, uint64_t a3);
/* With a structure at this place of its memory as second argument. */
#define whole_vmmcall_at(place, nr, cmd, s)                                                        \
    ({                                                                                             \
        memcpy(whole_memory(place), (s), sizeof(*(s)));                                            \
        long answer_ = whole_vmmcall(nr, cmd, place, 0);                                           \
        memcpy((s), whole_memory(place), sizeof(*(s)));                                            \
        answer_;                                                                                   \
    })
/* The exception that the next entry brings; -1: another event or none. */
int whole_exception(void);
/* Of shutdown_code; -1: it has not ended */
int whole_end(void);

#endif
