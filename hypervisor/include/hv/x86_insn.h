/* SPDX-License-Identifier: MIT */
/*
 * Instructions of a guest that the hypervisor carries out in its place: what they are
 * (lib/x86_decode.c), and what those that write memory make of it (lib/x86_write.c).
 *
 * Both are pure: bytes and registers in, numbers out. They read no memory and know no guest.
 */
#ifndef HV_X86_INSN_H
#define HV_X86_INSN_H

#include <hv/types.h>
#include <xen/xen.h>

#define X86_INSN_MAX 15
#define X86_NO_REG   16

#define X86_REX_W 8u
#define X86_REX_R 4u
#define X86_REX_X 2u
#define X86_REX_B 1u

struct x86_insn {
    uint16_t opcode;            /* 0x0f00 | the second byte, for those of two */
    uint8_t length;             /* with all prefixes */
    uint8_t bytes;              /* size of the operand: 1, 2, 4, 8 */
    uint8_t rex;                /* 0x40 to 0x4f, 0: none */
    uint8_t rep;                /* 0xf2, 0xf3, 0: none */
    uint8_t segment;            /* 0x64 (FS), 0x65 (GS), 0: one whose base is 0 */
    bool lock, opsize;          /* prefixes 0xf0, 0x66 */
    bool addr32;                /* prefix 0x67 */
    uint8_t modrm;              /* as it is, 0 where there is none */
    uint8_t reg, rm;            /* of ModRM, with REX */
    uint8_t base, index, scale; /* of the address, with REX; or X86_NO_REG */
    bool has_memory;            /* ModRM names memory */
    bool rip_relative;
    uint64_t disp, imm; /* sign extended */
};

/* Decodes the n bytes of code. false: too few, or no instruction that is in the table. */
bool x86_decode(const uint8_t *code, unsigned int n, struct x86_insn *in);
/* The address of a memory operand. */
gva_t x86_address(const struct x86_insn *in, const struct cpu_user_regs *r);

/* General register 0 to 15, as instructions number them: where in cpu_user_regs. */
extern const uint8_t x86_reg_at[16];
static inline uint64_t *x86_reg(struct cpu_user_regs *r, unsigned int n)
{
    return (uint64_t *)((uintptr_t)r + x86_reg_at[n & 15]);
}
/* Writes the low bytes of it as the CPU does: four clear the upper half, fewer leave the rest. */
void x86_set_reg(struct cpu_user_regs *r, unsigned int n, unsigned int bytes, uint64_t value);

static inline uint64_t x86_size_mask(unsigned int bytes)
{
    return bytes == 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
}

enum x86_write_op {
    X86_MOV,
    X86_XCHG,
    X86_CMPXCHG,
    X86_ADD,
    X86_OR,
    X86_AND,
    X86_SUB,
    X86_XOR,
    X86_BTS,
    X86_BTR,
    X86_BTC,
};

/* An instruction that writes to memory. */
struct x86_write {
    enum x86_write_op op;
    unsigned int bytes; /* size of the operand */
    uint64_t src;       /* the other operand, or the bit's number */
    unsigned int reg;   /* XCHG: the register exchanged */
    bool high_byte;     /* reg is one of AH, CH, DH, BH */
    gva_t addr;
};

/* false: in does not write to memory in one of these ways. */
bool x86_write_of(const struct x86_insn *in, const struct cpu_user_regs *r, struct x86_write *w);
/* What the operand is after the instruction when it was `old` before (both of w->bytes). false:
 * nothing is written (CMPXCHG failed). */
bool x86_write_compute(const struct x86_write *w, const struct cpu_user_regs *r, uint64_t old,
                       uint64_t *result);
/* It was carried out on `old`: the other registers and the flags. */
void x86_write_done(const struct x86_write *w, struct cpu_user_regs *r, uint64_t old);

#endif
