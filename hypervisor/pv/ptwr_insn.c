/* SPDX-License-Identifier: MIT */
/*
 * The few instructions that write memory in ways that a kernel changes page-table entries: MOV,
 * XCHG, CMPXCHG, the two-operand arithmetic and logic, and the bit operations.
 *
 * Decoding works on bytes that were copied once (XSA-202), with registers; it reads no memory and
 * has no state, so it is pure and tested alone. 64-bit code with flat segments only: FS and GS,
 * 32-bit addresses and everything else say "not ours", and the guest gets its fault.
 */
#include <pv/ptwr_insn.h>

#define REX_W 8u
#define REX_R 4u
#define REX_X 2u
#define REX_B 1u

#define FLAG_CF     (1u << 0)
#define FLAG_PF     (1u << 2)
#define FLAG_AF     (1u << 4)
#define FLAG_ZF     (1u << 6)
#define FLAG_SF     (1u << 7)
#define FLAG_RF     (1u << 16)
#define FLAG_OF     (1u << 11)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

struct cursor {
    const uint8_t *code;
    unsigned int n, at;
    bool short_code; /* read past the end */
    unsigned int rex;
    bool operand16;
    unsigned int mod, reg, rm; /* ModRM, with REX */
};

static uint64_t take(struct cursor *c, unsigned int bytes)
{
    uint64_t value = 0;

    for (unsigned int i = 0; i < bytes; i++) {
        if (c->at >= c->n) {
            c->short_code = true;
            return 0;
        }
        value |= (uint64_t)c->code[c->at++] << (8 * i);
    }
    return value;
}

static uint64_t sign_extend(uint64_t value, unsigned int bytes)
{
    unsigned int shift = 64 - 8 * bytes;
    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static uint64_t size_mask(unsigned int bytes)
{
    return bytes == 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
}

static const uint64_t *reg_ptr(const struct cpu_user_regs *r, unsigned int i)
{
    const uint64_t *const table[16] = {
        &r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
        &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15,
    };
    return table[i & 15];
}

/* Prefixes and REX; the first byte that is none. -1: a prefix that is not for us. */
static int take_opcode(struct cursor *c)
{
    for (;;) {
        uint8_t byte = (uint8_t)take(c, 1);

        if (c->short_code)
            return -1;
        switch (byte) {
        case 0x66:
            c->operand16 = true;
            continue;
        case 0xf0: /* LOCK: all is atomic here */
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e: /* ES, CS, SS, DS: flat */
            continue;
        case 0x64:
        case 0x65:
        case 0x67:
        case 0xf2:
        case 0xf3:
            return -1;
        }
        if ((byte & 0xf0) == 0x40) {
            c->rex = byte & 0xf;
            byte = (uint8_t)take(c, 1);
        }
        if (byte != 0x0f)
            return byte;
        return 0x0f00 | (int)take(c, 1);
    }
}

/* ModRM, SIB and displacement of a memory operand; tail: bytes of immediate that follow
 * (RIP-relative counts from the end). */
static bool take_address(const struct cpu_user_regs *regs, struct cursor *c, unsigned int tail,
                         gva_t *addr)
{
    unsigned int byte = (unsigned int)take(c, 1), base, index, scale = 0;
    bool has_base = true, has_index = false;
    uint64_t ea = 0;

    c->mod = byte >> 6;
    c->reg = (byte >> 3 & 7) | (c->rex & REX_R ? 8 : 0);
    base = c->rm = byte & 7;
    if (c->mod == 3)
        return false; /* XSA-123: no memory operand */
    index = 0;
    if (base == 4) {
        byte = (unsigned int)take(c, 1);
        base = byte & 7;
        index = (byte >> 3 & 7) | (c->rex & REX_X ? 8 : 0);
        scale = byte >> 6;
        has_index = index != 4;
        has_base = !(base == 5 && c->mod == 0);
    } else if (base == 5 && c->mod == 0) {
        ea = sign_extend(take(c, 4), 4);
        *addr = regs->rip + c->at + tail + ea;
        return !c->short_code;
    }
    if (has_base)
        ea = *reg_ptr(regs, base | (c->rex & REX_B ? 8 : 0));
    if (has_index)
        ea += *reg_ptr(regs, index) << scale;
    if (c->mod == 1)
        ea += sign_extend(take(c, 1), 1);
    else if (c->mod == 2 || !has_base)
        ea += sign_extend(take(c, 4), 4);
    *addr = ea;
    return !c->short_code;
}

/* The register that ModRM.reg names, as operand of in->bytes. */
static void take_reg(const struct cpu_user_regs *regs, const struct cursor *c, struct ptwr_insn *in)
{
    in->reg = c->reg;
    /* Without REX, 4 to 7 as byte registers are the second bytes of the first four. */
    in->high_byte = in->bytes == 1 && !c->rex && c->reg >= 4;
    if (in->high_byte)
        in->reg -= 4;
    in->src = *reg_ptr(regs, in->reg) >> (in->high_byte ? 8 : 0) & size_mask(in->bytes);
}

/* BTS and friends with a register: the bit's number reaches beyond the operand, and moves the
 * address (XSA-195: signed, of its size). */
static void take_bit(const struct cpu_user_regs *regs, const struct cursor *c, struct ptwr_insn *in)
{
    int64_t bit = (int64_t)sign_extend(*reg_ptr(regs, c->reg), in->bytes);
    unsigned int log2_bits = in->bytes == 8 ? 6 : in->bytes == 4 ? 5 : 4;

    in->addr += (uint64_t)((bit >> log2_bits) * (int64_t)in->bytes);
    in->src = (uint64_t)bit & (in->bytes * 8 - 1);
}

static bool decode_immediate(const struct cpu_user_regs *regs, struct cursor *c, int opcode,
                             struct ptwr_insn *in)
{
    static const enum ptwr_op group1[8] = {
        [0] = PTWR_ADD, [1] = PTWR_OR, [4] = PTWR_AND, [5] = PTWR_SUB, [6] = PTWR_XOR};
    static const enum ptwr_op group8[8] = {[5] = PTWR_BTS, [6] = PTWR_BTR, [7] = PTWR_BTC};
    unsigned int imm = opcode == 0x83 || opcode == 0x0fba ? 1 : MIN(in->bytes, 4u), digit;

    if (!take_address(regs, c, imm, &in->addr))
        return false;
    in->src = sign_extend(take(c, imm), imm) & size_mask(in->bytes);
    digit = c->reg & 7;
    if (opcode == 0xc6 || opcode == 0xc7) {
        in->op = PTWR_MOV;
        return digit == 0;
    }
    if (opcode == 0x0fba) {
        in->op = group8[digit];
        in->src &= in->bytes * 8 - 1;
        return digit >= 5;
    }
    in->op = group1[digit];
    return digit <= 1 || (digit >= 4 && digit <= 6); /* not ADC, SBB, CMP */
}

/* op r/m, r: bit 0 of the opcode clear means bytes. */
static int op_of(int opcode)
{
    switch (opcode | 1) {
    case 0x01:
        return PTWR_ADD;
    case 0x09:
        return PTWR_OR;
    case 0x21:
        return PTWR_AND;
    case 0x29:
        return PTWR_SUB;
    case 0x31:
        return PTWR_XOR;
    case 0x87:
        return PTWR_XCHG;
    case 0x89:
        return PTWR_MOV;
    case 0x0fb1:
        return PTWR_CMPXCHG;
    }
    switch (opcode) {
    case 0x0fab:
        return PTWR_BTS;
    case 0x0fb3:
        return PTWR_BTR;
    case 0x0fbb:
        return PTWR_BTC;
    case 0x0fc3: /* MOVNTI */
        return PTWR_MOV;
    }
    return -1;
}

bool ptwr_decode(const struct cpu_user_regs *regs, const uint8_t *code, unsigned int n,
                 struct ptwr_insn *in)
{
    struct cursor c = {.code = code, .n = MIN(n, (unsigned int)PTWR_MAX_LENGTH)};
    int opcode = take_opcode(&c), op;
    bool ok;

    if (opcode < 0)
        return false;
    op = op_of(opcode);
    in->bytes = c.rex & REX_W ? 8 : c.operand16 ? 2 : 4;
    if (!(opcode & 1) && opcode != 0x0fba)
        in->bytes = 1;
    if (op >= 0) {
        in->op = (enum ptwr_op)op;
        ok = take_address(regs, &c, 0, &in->addr);
        if (in->op >= PTWR_BTS)
            take_bit(regs, &c, in);
        else
            take_reg(regs, &c, in);
    } else if (opcode == 0x80 || opcode == 0x81 || opcode == 0x83 || opcode == 0xc6 ||
               opcode == 0xc7 || opcode == 0x0fba) {
        ok = decode_immediate(regs, &c, opcode, in);
    } else {
        ok = false;
    }
    in->length = c.at;
    return ok && !c.short_code;
}

bool ptwr_compute(const struct cpu_user_regs *regs, const struct ptwr_insn *in, uint64_t old,
                  uint64_t *result)
{
    uint64_t r = in->src, bit = 1ull << (in->src & 63);

    switch (in->op) {
    case PTWR_MOV:
    case PTWR_XCHG:
        break;
    case PTWR_CMPXCHG:
        if ((regs->rax & size_mask(in->bytes)) != old)
            return false;
        break;
    case PTWR_ADD:
        r = old + in->src;
        break;
    case PTWR_OR:
        r = old | in->src;
        break;
    case PTWR_AND:
        r = old & in->src;
        break;
    case PTWR_SUB:
        r = old - in->src;
        break;
    case PTWR_XOR:
        r = old ^ in->src;
        break;
    case PTWR_BTS:
        r = old | bit;
        break;
    case PTWR_BTR:
        r = old & ~bit;
        break;
    case PTWR_BTC:
        r = old ^ bit;
        break;
    }
    *result = r & size_mask(in->bytes);
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

static void write_reg(struct cpu_user_regs *regs, unsigned int reg, bool high, unsigned int bytes,
                      uint64_t value)
{
    uint64_t *p = (uint64_t *)(uintptr_t)reg_ptr(regs, reg);

    if (high)
        *p = (*p & ~0xff00ull) | value << 8;
    else if (bytes >= 4)
        *p = value; /* four bytes clear the upper half */
    else
        *p = (*p & ~size_mask(bytes)) | value;
}

void ptwr_retire(struct cpu_user_regs *regs, const struct ptwr_insn *in, uint64_t old)
{
    uint64_t mask = size_mask(in->bytes), set = 0, keep = 0, result, rax = regs->rax & mask;

    switch (in->op) {
    case PTWR_MOV:
    case PTWR_XCHG:
        keep = FLAGS_ARITH;
        break;
    case PTWR_BTS:
    case PTWR_BTR:
    case PTWR_BTC:
        keep = FLAGS_ARITH & ~FLAG_CF;
        set = old >> (in->src & 63) & 1 ? FLAG_CF : 0;
        break;
    case PTWR_CMPXCHG:
        set = arith_flags(rax, old, (rax - old) & mask, in->bytes, true);
        break;
    case PTWR_ADD:
    case PTWR_SUB:
        if (ptwr_compute(regs, in, old, &result))
            set = arith_flags(old, in->src, result, in->bytes, in->op == PTWR_SUB);
        break;
    default: /* logic: CF, OF, AF clear */
        if (ptwr_compute(regs, in, old, &result))
            set = arith_flags(result, 0, result, in->bytes, false);
    }
    regs->rflags = (regs->rflags & ~(uint64_t)((FLAGS_ARITH & ~keep) | FLAG_RF)) | set;
    if (in->op == PTWR_XCHG)
        write_reg(regs, in->reg, in->high_byte, in->bytes, old);
    else if (in->op == PTWR_CMPXCHG && rax != old)
        write_reg(regs, 0, false, in->bytes, old);
    regs->rip += in->length;
}
