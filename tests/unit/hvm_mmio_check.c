/* SPDX-License-Identifier: MIT */
/*
 * The judge of hvm_mmio_check.h: a decoder of the same instructions, and nothing else.
 */
#include "hvm_mmio_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvm/mmio.h>

/* The length of the instruction, or 0. */
static unsigned int decode_again(const uint8_t *code, unsigned int n, unsigned int bits)
{
    unsigned int at = 0, rex = 0, mod, rm, base, opcode, length;

    while (at < n && memchr("\x26\x2e\x36\x3e\x64\x65\x67\xf2\xf3", code[at], 9)) {
        if (code[at] == 0x67 && bits == 32)
            return 0;
        at++;
    }
    if (at < n && bits == 64 && code[at] >> 4 == 4)
        rex = code[at++];
    if (n - at < 2 || rex & 8)
        return 0;
    opcode = code[at];
    mod = code[at + 1] >> 6;
    rm = base = code[at + 1] & 7;
    if ((opcode != 0x89 && opcode != 0x8b && opcode != 0xc7) || mod == 3 ||
        (opcode == 0xc7 && code[at + 1] >> 3 & 7))
        return 0;
    length = at + 2 + (opcode == 0xc7 ? 4 : 0);
    if (rm == 4) {
        if (at + 2 >= n)
            return 0;
        base = code[at + 2] & 7;
        length++;
    }
    length += mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0;
    return length <= n && length <= 15 ? length : 0;
}

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

unsigned int mmio_check(const uint8_t *code, size_t n, unsigned int bits)
{
    uint8_t *exact = malloc(n ? n : 1); /* so that a byte too many is seen */
    unsigned int length;
    struct mmio_access a;
    bool ok;

    memcpy(exact, code, n);
    length = decode_again(exact, (unsigned int)n, bits);
    ok = mmio_decode(exact, (unsigned int)n, bits, &a);
    need(ok == (length != 0), ok ? "decoded" : "not decoded");
    need(!ok || a.length == length, "of another length");
    need(!ok || (a.reg < 16 && (a.write || !a.immediate)), "and no access");
    free(exact);
    return length;
}
