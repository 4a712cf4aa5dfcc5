/* SPDX-License-Identifier: MIT */
/*
 * What the instructions that write memory make of it: MOV, XCHG, CMPXCHG, the two-operand
 * arithmetic and logic, and the bit operations. The memory operand comes in as a number and goes
 * out as one, so whose memory it is, and how the write gets there, is the caller's business.
 */
#include <hv/x86_insn.h>

#define FLAG_CF     (1u << 0)
#define FLAG_PF     (1u << 2)
#define FLAG_AF     (1u << 4)
#define FLAG_ZF     (1u << 6)
#define FLAG_SF     (1u << 7)
#define FLAG_OF     (1u << 11)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define NONE (-1)

/* op r/m, r */
static int op_with_register(unsigned int opcode)
{
    switch (opcode | (opcode < 0x0f00 || opcode == 0x0fb0)) { /* bit 0 clear: bytes */
    case 0x01:
        return X86_ADD;
    case 0x09:
        return X86_OR;
    case 0x21:
        return X86_AND;
    case 0x29:
        return X86_SUB;
    case 0x31:
        return X86_XOR;
    case 0x87:
        return X86_XCHG;
    case 0x89:
    case 0x0fc3:
        return X86_MOV;
    case 0x0fb1:
        return X86_CMPXCHG;
    case 0x0fab:
        return X86_BTS;
    case 0x0fb3:
        return X86_BTR;
    case 0x0fbb:
        return X86_BTC;
    }
    return NONE;
}

/* op r/m, immediate: bits 3 to 5 of ModRM say which (not ADC, SBB, CMP, BT). */
static int op_with_immediate(unsigned int opcode, unsigned int digit)
{
    static const int8_t arithmetic[8] = {X86_ADD, X86_OR,  NONE,    NONE,
                                         X86_AND, X86_SUB, X86_XOR, NONE};
    static const int8_t bits[8] = {NONE, NONE, NONE, NONE, NONE, X86_BTS, X86_BTR, X86_BTC};

    switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
        return arithmetic[digit];
    case 0xc6:
    case 0xc7:
        return digit == 0 ? X86_MOV : NONE;
    case 0x0fba:
        return bits[digit];
    }
    return NONE;
}

/* BTS and friends with a register: the bit's number reaches beyond the operand, and moves the
 * address (XSA-195: signed, of its size). */
static void move_to_bit(struct x86_write *w)
{
    unsigned int shift = 64 - 8 * w->bytes, log2_bits = (unsigned int)__builtin_ctz(w->bytes) + 3;
    int64_t bit = (int64_t)(w->src << shift) >> shift;

    w->addr += (uint64_t)((bit >> log2_bits) * (int64_t)w->bytes);
}

bool x86_write_of(const struct x86_insn *in, const struct cpu_user_regs *r, struct x86_write *w)
{
    int op = op_with_register(in->opcode);
    bool immediate = op == NONE;

    if (!in->has_memory) /* XSA-123 */
        return false;
    if (immediate)
        op = op_with_immediate(in->opcode, in->modrm >> 3 & 7);
    if (op == NONE)
        return false;
    *w = (struct x86_write){.op = (enum x86_write_op)op,
                            .bytes = in->bytes,
                            .src = in->imm,
                            .reg = in->reg,
                            .addr = x86_address(in, r)};
    if (!immediate) {
        /* Without REX, 4 to 7 as byte registers are the second bytes of the first four. */
        w->high_byte = in->bytes == 1 && !in->rex && in->reg >= 4;
        if (w->high_byte)
            w->reg -= 4;
        w->src = *x86_reg((struct cpu_user_regs *)(uintptr_t)r, w->reg) >> (w->high_byte ? 8 : 0);
        if (op >= X86_BTS)
            move_to_bit(w);
    }
    w->src &= op >= X86_BTS ? w->bytes * 8 - 1 : x86_size_mask(w->bytes);
    return true;
}

bool x86_write_compute(const struct x86_write *w, const struct cpu_user_regs *r, uint64_t old,
                       uint64_t *result)
{
    uint64_t mask = x86_size_mask(w->bytes), value = w->src, bit = 1ull << (w->src & 63);

    switch (w->op) {
    case X86_MOV:
    case X86_XCHG:
        break;
    case X86_CMPXCHG:
        if ((r->rax & mask) != old)
            return false;
        break;
    case X86_ADD:
        value = old + w->src;
        break;
    case X86_OR:
        value = old | w->src;
        break;
    case X86_AND:
        value = old & w->src;
        break;
    case X86_SUB:
        value = old - w->src;
        break;
    case X86_XOR:
        value = old ^ w->src;
        break;
    case X86_BTS:
        value = old | bit;
        break;
    case X86_BTR:
        value = old & ~bit;
        break;
    case X86_BTC:
        value = old ^ bit;
        break;
    }
    *result = value & mask;
    return true;
}

/* Flags of a op b = r, all of `bytes`; sub: CMP and SUB. */
static uint64_t arith_flags(uint64_t a, uint64_t b, uint64_t r, unsigned int bytes, bool sub)
{
    uint64_t sign = 1ull << (8 * bytes - 1), flags = 0;
    uint64_t carry = sub ? (~a & b) | ((~a | b) & r) : (a & b) | ((a | b) & ~r);

    if (carry & sign)
        flags |= FLAG_CF;
    if (carry & 8)
        flags |= FLAG_AF;
    if ((sub ? (a ^ b) & (a ^ r) : (a ^ r) & (b ^ r)) & sign)
        flags |= FLAG_OF;
    if (!r)
        flags |= FLAG_ZF;
    if (r & sign)
        flags |= FLAG_SF;
    if (!(__builtin_popcountll(r & 0xff) & 1))
        flags |= FLAG_PF;
    return flags;
}

void x86_write_done(const struct x86_write *w, struct cpu_user_regs *r, uint64_t old)
{
    uint64_t mask = x86_size_mask(w->bytes), set = 0, change = FLAGS_ARITH, result = 0;
    uint64_t rax = r->rax & mask;

    if (w->op == X86_MOV)
        return;
    (void)x86_write_compute(w, r, old, &result);
    switch (w->op) {
    case X86_XCHG:
        change = 0;
        break;
    case X86_BTS:
    case X86_BTR:
    case X86_BTC:
        change = FLAG_CF;
        set = old >> (w->src & 63) & 1 ? FLAG_CF : 0;
        break;
    case X86_CMPXCHG:
        set = arith_flags(rax, old, (rax - old) & mask, w->bytes, true);
        break;
    case X86_ADD:
    case X86_SUB:
        set = arith_flags(old, w->src, result, w->bytes, w->op == X86_SUB);
        break;
    default: /* logic: CF, OF, AF clear */
        set = arith_flags(result, 0, result, w->bytes, false);
    }
    r->rflags = (r->rflags & ~change) | set;
    if (w->op == X86_CMPXCHG && rax != old)
        x86_set_reg(r, 0, w->bytes, old);
    else if (w->op == X86_XCHG && !w->high_byte)
        x86_set_reg(r, w->reg, w->bytes, old);
    else if (w->op == X86_XCHG)
        x86_set_reg(r, w->reg, 2, old << 8 | (*x86_reg(r, w->reg) & 0xff));
}
