/* SPDX-License-Identifier: MIT */
/*
 * The instructions with which a kernel writes to a page table: decoded, and computed
 * (pv/ptwr_insn.c).
 */
#ifndef PV_PTWR_INSN_H
#define PV_PTWR_INSN_H

#include <hv/types.h>
#include <xen/xen.h>

enum ptwr_op {
    PTWR_MOV,
    PTWR_XCHG,
    PTWR_CMPXCHG,
    PTWR_ADD,
    PTWR_OR,
    PTWR_AND,
    PTWR_SUB,
    PTWR_XOR,
    PTWR_BTS,
    PTWR_BTR,
    PTWR_BTC,
};

struct ptwr_insn {
    enum ptwr_op op;
    unsigned int bytes;  /* size of the operand: 1, 2, 4, 8        */
    unsigned int length; /* of the instruction                     */
    uint64_t src;        /* the other operand, or the bit's number */
    unsigned int reg;    /* XCHG: the register exchanged           */
    bool high_byte;      /* reg is one of AH, CH, DH, BH           */
    gva_t addr;
};

#define PTWR_MAX_LENGTH 15

/* Decodes the n bytes of code at regs->rip. false: none of these instructions. */
bool ptwr_decode(const struct cpu_user_regs *regs, const uint8_t *code, unsigned int n,
                 struct ptwr_insn *in);
/* What the operand is after the instruction when it was `old` before (both of in->bytes). false:
 * nothing is written (CMPXCHG failed). */
bool ptwr_compute(const struct cpu_user_regs *regs, const struct ptwr_insn *in, uint64_t old,
                  uint64_t *result);
/* The instruction was carried out on `old`: registers and flags, RIP. */
void ptwr_retire(struct cpu_user_regs *regs, const struct ptwr_insn *in, uint64_t old);

#endif
