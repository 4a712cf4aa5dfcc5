/* SPDX-License-Identifier: MIT */
/*
 * The decoder of x86 instructions: prefixes, opcode, ModRM, SIB, displacement, immediate.
 *
 * Two tables, for opcodes of one byte and of two, say what follows the opcode; what is not in them
 * is not decoded. They hold what the hypervisor carries out for guests and no more; who looks at
 * the result still decides which of it is for him (prefixes that he cannot honour among them).
 * Decoding works on bytes that were copied once (XSA-202).
 *
 * 64-bit code. Code of 32 bits reads the same as long as no byte from 0x40 to 0x4f stands before
 * the opcode, where none of what is in the tables has one; and if ModRM names memory there, its
 * bytes are as many, without the prefix 0x67, but not all addresses are those that the CPU means.
 */
#include <hv/x86_insn.h>

#define KNOWN     1
#define HAS_MODRM 2
#define MODRM     (KNOWN | HAS_MODRM)
#define BYTE      4  /* operands of one byte                       */
#define IMM8      8  /* an immediate of one byte                   */
#define IMM       16 /* one of the operand's size, at most 4 bytes */
#define PREFIX    32

/* clang-format off */
static const uint8_t one_byte[256] = {
    [0x00] = MODRM | BYTE, [0x01] = MODRM, /* ADD, OR, AND, SUB, XOR to r/m */
    [0x08] = MODRM | BYTE, [0x09] = MODRM,
    [0x20] = MODRM | BYTE, [0x21] = MODRM,
    [0x26] = PREFIX, [0x2e] = PREFIX, [0x36] = PREFIX, [0x3e] = PREFIX,
    [0x28] = MODRM | BYTE, [0x29] = MODRM,
    [0x30] = MODRM | BYTE, [0x31] = MODRM,
    [0x64] = PREFIX, [0x65] = PREFIX, [0x66] = PREFIX, [0x67] = PREFIX,
    [0x6c] = KNOWN | BYTE, [0x6d] = KNOWN, /* INS, OUTS */
    [0x6e] = KNOWN | BYTE, [0x6f] = KNOWN,
    [0x80] = MODRM | BYTE | IMM8, [0x81] = MODRM | IMM, [0x83] = MODRM | IMM8,
    [0x86] = MODRM | BYTE, [0x87] = MODRM, /* XCHG */
    [0x88] = MODRM | BYTE, [0x89] = MODRM, [0x8b] = MODRM, /* MOV */
    [0xc6] = MODRM | BYTE | IMM8, [0xc7] = MODRM | IMM,
    [0xe4] = KNOWN | BYTE | IMM8, [0xe5] = KNOWN | IMM8, /* IN, OUT */
    [0xe6] = KNOWN | BYTE | IMM8, [0xe7] = KNOWN | IMM8,
    [0xec] = KNOWN | BYTE, [0xed] = KNOWN,
    [0xee] = KNOWN | BYTE, [0xef] = KNOWN,
    [0xf0] = PREFIX, [0xf2] = PREFIX, [0xf3] = PREFIX,
    [0xfa] = KNOWN, [0xfb] = KNOWN, /* CLI, STI */
};
static const uint8_t two_bytes[256] = {
    [0x00] = MODRM, /* SLDT, STR */
    [0x01] = MODRM, /* SGDT, SIDT, SMSW, XSETBV, RDTSCP */
    [0x06] = KNOWN, [0x09] = KNOWN, /* CLTS, WBINVD */
    [0x20] = MODRM, [0x21] = MODRM, [0x22] = MODRM, [0x23] = MODRM, /* MOV CR, DR */
    [0x30] = KNOWN, [0x31] = KNOWN, [0x32] = KNOWN, /* WRMSR, RDTSC, RDMSR */
    [0xa2] = KNOWN, /* CPUID */
    [0xab] = MODRM, [0xb3] = MODRM, [0xbb] = MODRM, [0xba] = MODRM | IMM8, /* BTS, BTR, BTC */
    [0xb0] = MODRM | BYTE, [0xb1] = MODRM, /* CMPXCHG */
    [0xc3] = MODRM, /* MOVNTI */
};
/* clang-format on */

/* Passed by value in two registers. */
struct cursor {
    const uint8_t *code;
    unsigned int n, at; /* at > n: there was too little */
};

static inline unsigned int take(struct cursor *c)
{
    unsigned int at = c->at++;

    return at < c->n ? c->code[at] : 0;
}

/* A little-endian number of 1, 2 or 4 bytes, sign extended. */
static uint64_t take_signed(struct cursor *c, unsigned int bytes)
{
    unsigned int shift = 64 - 8 * bytes;
    uint64_t value = 0;

    for (unsigned int i = 0; i < bytes; i++)
        value |= (uint64_t)take(c) << (8 * i);
    return (uint64_t)((int64_t)(value << shift) >> shift);
}

static void take_prefix(unsigned int b, struct x86_insn *in)
{
    switch (b) {
    case 0x66:
        in->opsize = true;
        break;
    case 0x67:
        in->addr32 = true;
        break;
    case 0xf0:
        in->lock = true;
        break;
    case 0xf2:
    case 0xf3:
        in->rep = (uint8_t)b;
        break;
    case 0x64:
    case 0x65:
        in->segment = (uint8_t)b;
        break;
    default: /* ES, CS, SS, DS: they have no base, and do not undo FS or GS before them */
        break;
    }
}

static inline void take_modrm(struct cursor *c, struct x86_insn *in)
{
    unsigned int modrm = take(c);

    in->modrm = (uint8_t)modrm;
    in->reg = (uint8_t)((modrm >> 3 & 7) | (in->rex & X86_REX_R ? 8 : 0));
    in->rm = (uint8_t)((modrm & 7) | (in->rex & X86_REX_B ? 8 : 0));
    in->has_memory = modrm >> 6 != 3;
}

/* The address that ModRM names. */
static void take_memory(struct cursor *c, struct x86_insn *in)
{
    unsigned int mod = in->modrm >> 6, rm = in->modrm & 7, sib;

    if (rm == 4) {
        sib = take(c);
        rm = sib & 7;
        in->index = (uint8_t)((sib >> 3 & 7) | (in->rex & X86_REX_X ? 8 : 0));
        if (in->index == 4)
            in->index = X86_NO_REG;
        in->scale = (uint8_t)(sib >> 6);
    } else if (rm == 5 && mod == 0) {
        in->rip_relative = true;
    }
    if (rm == 5 && mod == 0) {
        in->disp = take_signed(c, 4);
        return;
    }
    in->base = (uint8_t)(rm | (in->rex & X86_REX_B ? 8 : 0));
    if (mod)
        in->disp = take_signed(c, mod == 1 ? 1 : 4);
}

/* What stands behind ModRM. */
static __noinline bool take_operands(struct cursor c, unsigned int what, struct x86_insn *in)
{
    if (in->has_memory)
        take_memory(&c, in);
    if (what & IMM8)
        in->imm = take_signed(&c, 1);
    else if (what & IMM)
        in->imm = take_signed(&c, MIN(in->bytes, 4));
    in->length = (uint8_t)c.at;
    return c.at <= c.n;
}

/* REX and what follows. */
static __noinline bool take_opcode(struct cursor c, struct x86_insn *in)
{
    unsigned int opcode = take(&c), what;

    if ((opcode & 0xf0) == 0x40) { /* REX stands right before the opcode */
        in->rex = (uint8_t)opcode;
        opcode = take(&c);
    }
    what = one_byte[opcode];
    if (opcode == 0x0f) {
        opcode = take(&c);
        what = two_bytes[opcode];
        opcode |= 0x0f00;
    }
    if (!(what & KNOWN))
        return false;
    in->opcode = (uint16_t)opcode;
    in->bytes = what & BYTE ? 1 : in->rex & X86_REX_W ? 8 : in->opsize ? 2 : 4;
    if (what & HAS_MODRM)
        take_modrm(&c, in);
    if (in->has_memory || what & (IMM8 | IMM))
        return take_operands(c, what, in);
    in->length = (uint8_t)c.at;
    return c.at <= c.n;
}

static __noinline bool take_prefixes(struct cursor c, struct x86_insn *in)
{
    unsigned int b;

    while (one_byte[b = take(&c)] == PREFIX)
        take_prefix(b, in);
    c.at--;
    return take_opcode(c, in);
}

bool x86_decode(const uint8_t *code, unsigned int n, struct x86_insn *in)
{
    struct cursor c = {.code = code, .n = MIN(n, (unsigned int)X86_INSN_MAX)};
    unsigned int first;

    *in = (struct x86_insn){.base = X86_NO_REG, .index = X86_NO_REG};
    if (!n)
        return false;
    first = one_byte[code[0]];
    if (first == KNOWN) { /* and no more of it: CLI, IN */
        in->opcode = code[0];
        in->bytes = 4;
        in->length = 1;
        return true;
    }
    return first == PREFIX ? take_prefixes(c, in) : take_opcode(c, in);
}

#define AT(name) offsetof(struct cpu_user_regs, name)
const uint8_t x86_reg_at[16] = {AT(rax), AT(rcx), AT(rdx), AT(rbx), AT(rsp), AT(rbp),
                                AT(rsi), AT(rdi), AT(r8),  AT(r9),  AT(r10), AT(r11),
                                AT(r12), AT(r13), AT(r14), AT(r15)};
#undef AT

void x86_set_reg(struct cpu_user_regs *r, unsigned int n, unsigned int bytes, uint64_t value)
{
    uint64_t *reg = x86_reg(r, n), mask = x86_size_mask(bytes);

    *reg = (bytes >= 4 ? 0 : *reg & ~mask) | (value & mask);
}

static uint64_t value_of(const struct cpu_user_regs *r, unsigned int n)
{
    return n == X86_NO_REG ? 0 : *x86_reg((struct cpu_user_regs *)(uintptr_t)r, n);
}

gva_t x86_address(const struct x86_insn *in, const struct cpu_user_regs *r)
{
    uint64_t at = in->disp + value_of(r, in->base) + (value_of(r, in->index) << in->scale);

    if (in->rip_relative)
        at += r->rip + in->length;
    return in->addr32 ? (uint32_t)at : at;
}
