/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine control block of SVM: AMD APM volume 2, appendix B, and chapter 15. All that
 * is of SVM's own is in this file, entry.c, exit.c, instruction.c, inject.c and cpu/.
 */
#ifndef HVM_VMCB_H
#define HVM_VMCB_H

#include <hv/types.h>

/* control.exit_code: why a run of the guest ended. Those below A0h are each asked for by a bit of
 * control.intercept[] (vmcb_intercept()). */
#define EXIT_CR4_READ  0x04u
#define EXIT_CR4_WRITE 0x14u
#define EXIT_CR8_WRITE 0x18u
#define EXIT_DR_WRITE  0x30u /* and its number */
#define EXIT_EXCEPTION 0x40u /* and its vector */
#define EXIT_INTR      0x60u
#define EXIT_NMI       0x61u
#define EXIT_SMI       0x62u
#define EXIT_INIT      0x63u
#define EXIT_VINTR     0x64u
#define EXIT_RDPMC     0x6fu
#define EXIT_CPUID     0x72u
#define EXIT_IRET      0x74u
#define EXIT_INVD      0x76u
#define EXIT_PAUSE     0x77u
#define EXIT_HLT       0x78u
#define EXIT_INVLPGA   0x7au
#define EXIT_IOIO      0x7bu
#define EXIT_MSR       0x7cu
#define EXIT_SHUTDOWN  0x7fu
#define EXIT_VMRUN     0x80u
#define EXIT_VMMCALL   0x81u
#define EXIT_VMLOAD    0x82u
#define EXIT_VMSAVE    0x83u
#define EXIT_STGI      0x84u
#define EXIT_CLGI      0x85u
#define EXIT_SKINIT    0x86u
#define EXIT_WBINVD    0x89u
#define EXIT_MONITOR   0x8au
#define EXIT_MWAIT     0x8bu
#define EXIT_MWAIT_IF  0x8cu
#define EXIT_XSETBV    0x8du
#define EXIT_RDPRU     0x8eu
#define EXIT_NPF       0x400u
#define EXIT_INVALID   (~0u) /* its lower half: QEMU leaves the upper one 0 */

/* control.exit_info1 of EXIT_IOIO; exit_info2 is the RIP behind the instruction */
#define IOIO_IN          (1u << 0)
#define IOIO_STRING      (1u << 2)
#define IOIO_REP         (1u << 3)
#define IOIO_BYTES(info) ((unsigned int)((info) >> 4 & 7)) /* 1, 2, 4 */
#define IOIO_PORT(info)  ((unsigned int)((info) >> 16 & 0xffff))
/* of EXIT_NPF: as a page fault's error code, and */
#define NPF_FINAL (1ull << 32) /* the access itself; bit 33: a walk of the guest's tables */

/* control.tlb_control */
#define TLB_CONTROL_NOTHING 0
#define TLB_CONTROL_ALL     1 /* of all ASIDs */

/* control.vintr */
#define VINTR_TPR          0xfull
#define VINTR_IRQ          (1ull << 8)
#define VINTR_IGNORE_TPR   (1ull << 20)
#define VINTR_INTR_MASKING (1ull << 24)
#define VINTR_VECTOR_SHIFT 32
#define VINTR_VECTOR       (0xffull << VINTR_VECTOR_SHIFT)

/* control.event_inj and exit_int_info: vector in bits 0 to 7, error code in bits 32 to 63 */
#define EVENT_EXT       (0ull << 8)
#define EVENT_NMI       (2ull << 8)
#define EVENT_EXCEPTION (3ull << 8)
#define EVENT_SOFT      (4ull << 8)
#define EVENT_TYPE      (7ull << 8)
#define EVENT_HAS_CODE  (1ull << 11)
#define EVENT_VALID     (1ull << 31)

#define INT_STATE_SHADOW 1ull

#define EFER_SVME (1ul << 12) /* a guest's must have it, or VMRUN refuses */

struct vmcb_segment {
    uint16_t selector;
    uint16_t attributes; /* bits 40-47 and 52-55 of a descriptor */
    uint32_t limit;
    uint64_t base;
};
#define SEGMENT_CODE_LONG 0x200 /* L */
#define SEGMENT_CODE_BIG  0x400 /* D */

struct vmcb {
    struct {
        uint32_t intercept[6];
        uint32_t reserved1[9];
        uint16_t pause_threshold, pause_count; /* of PAUSEs so close together, so many exit not */
        uint64_t iopm, msrpm;                  /* machine addresses of the permission maps */
        uint64_t tsc_offset;
        uint32_t asid;
        uint32_t tlb_control;
        uint64_t vintr;
        uint64_t int_state;
        uint64_t exit_code, exit_info1, exit_info2;
        uint64_t exit_int_info; /* which event was on its way into the guest */
        uint64_t nested;        /* 1: nested paging */
        uint64_t reserved2[2];
        uint64_t event_inj;
        uint64_t nested_cr3;
        uint64_t reserved3[2];
        uint64_t next_rip; /* 0: this CPU does not say */
        uint64_t reserved4[102];
    } control;
    struct {
        struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
        uint8_t reserved1[43];
        uint8_t cpl;
        uint32_t reserved2;
        uint64_t efer;
        uint64_t reserved3[14];
        uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
        uint64_t reserved4[11];
        uint64_t rsp;
        uint64_t reserved5[3];
        uint64_t rax;
        uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
        uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
        uint64_t cr2;
        uint64_t reserved6[4];
        uint64_t pat;
    } save;
};
_Static_assert(offsetof(struct vmcb, control.iopm) == 0x40, "");
_Static_assert(offsetof(struct vmcb, control.vintr) == 0x60, "");
_Static_assert(offsetof(struct vmcb, control.event_inj) == 0xa8, "");
_Static_assert(offsetof(struct vmcb, control.next_rip) == 0xc8, "");
_Static_assert(offsetof(struct vmcb, save) == 0x400, "");
_Static_assert(offsetof(struct vmcb, save.cpl) == 0x4cb, "");
_Static_assert(offsetof(struct vmcb, save.cr4) == 0x548, "");
_Static_assert(offsetof(struct vmcb, save.rip) == 0x578, "");
_Static_assert(offsetof(struct vmcb, save.rsp) == 0x5d8, "");
_Static_assert(offsetof(struct vmcb, save.rax) == 0x5f8, "");
_Static_assert(offsetof(struct vmcb, save.cr2) == 0x640, "");
_Static_assert(offsetof(struct vmcb, save.pat) == 0x668, "");

static inline void vmcb_intercept(struct vmcb *b, unsigned int exit, bool on)
{
    uint32_t *word = &b->control.intercept[exit / 32], bit = 1u << exit % 32;

    *word = on ? *word | bit : *word & ~bit;
}

static inline bool vmcb_intercepts(const struct vmcb *b, unsigned int exit)
{
    return b->control.intercept[exit / 32] >> exit % 32 & 1;
}

#endif
