/* SPDX-License-Identifier: MIT */
/*
 * The judge of insn_check.h, for unit tests and the fuzzer.
 */
#include "insn_check.h"

#include <stdlib.h>
#include <string.h>

static void need(bool ok)
{
    if (!ok)
        abort();
}

static void check_write(const struct x86_insn *in, struct cpu_user_regs *r)
{
    uint64_t old = r->r15, result = 0;
    struct cpu_user_regs before;
    struct x86_write w;

    if (!x86_write_of(in, r, &w))
        return;
    need(w.bytes == in->bytes && in->has_memory);
    need(w.op >= X86_BTS ? w.src < w.bytes * 8 : !(w.src & ~x86_size_mask(w.bytes)));
    old &= x86_size_mask(w.bytes);
    if (x86_write_compute(&w, r, old, &result))
        need(!(result & ~x86_size_mask(w.bytes)));
    before = *r;
    x86_write_done(&w, r, old);
    need(r->rip == before.rip && !((r->rflags ^ before.rflags) & ~0x8d5ull));
}

/* A prefix that says nothing (DS) makes it longer, and no other instruction. */
static void check_prefixed(const struct x86_insn *in, const uint8_t *code)
{
    uint8_t longer[X86_INSN_MAX] = {0x3e};
    struct x86_insn other;

    if (in->length == X86_INSN_MAX)
        return;
    memcpy(longer + 1, code, in->length);
    need(x86_decode(longer, in->length + 1u, &other) && other.length == in->length + 1);
    other.length = in->length;
    need(!memcmp(in, &other, offsetof(struct x86_insn, rip_relative) + 1));
    need(in->disp == other.disp && in->imm == other.imm);
}

void insn_check(const uint8_t *code, size_t n, uint64_t seed)
{
    uint8_t *exact = malloc(n ? n : 1); /* so that a byte too many is seen */
    struct cpu_user_regs r = {0};
    struct x86_insn in, again;

    memcpy(exact, code, n);
    for (unsigned int i = 0; i < 16; i++)
        *x86_reg(&r, i) = seed * (i + 1);
    if (x86_decode(exact, (unsigned int)n, &in)) {
        need(in.length >= 1 && in.length <= n && in.length <= X86_INSN_MAX);
        need(in.bytes == 1 || in.bytes == 2 || in.bytes == 4 || in.bytes == 8);
        need(in.reg < 16 && in.rm < 16 && in.base <= X86_NO_REG && in.index <= X86_NO_REG);
        need(!x86_decode(exact, in.length - 1u, &again));
        need(x86_decode(exact, in.length, &again) && again.length == in.length);
        check_prefixed(&in, exact);
        (void)x86_address(&in, &r);
        check_write(&in, &r);
    }
    free(exact);
}
