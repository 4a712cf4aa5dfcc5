/* SPDX-License-Identifier: MIT */
/*
 * The instructions by which kernels touch the local APIC: MOV of four bytes from and to memory
 * (89 /r, 8B /r), and of a constant there (C7 /0). No others: whoever uses another gets no answer.
 *
 * The CPU has found the address, and says it with the exit; what is asked here is direction,
 * register and length. So code of 32 bits may be read as of 64: it has ModRM, SIB and displacement
 * in the same bytes, but for addresses of 16 bits, and bytes 40 to 4F, which are instructions of
 * their own there.
 */
#include <hv/x86_insn.h>
#include <hvm/mmio.h>

bool mmio_decode(const uint8_t *code, unsigned int n, unsigned int bits, struct mmio_access *out)
{
    struct x86_insn in;

    if ((bits != 32 && bits != 64) || !x86_decode(code, n, &in) || in.bytes != 4 ||
        !in.has_memory || in.lock)
        return false;
    if (bits == 32 && (in.rex || in.addr32))
        return false;
    *out = (struct mmio_access){.reg = in.reg, .length = in.length};
    switch (in.opcode) {
    case 0x8b:
        return true;
    case 0x89:
        out->write = true;
        return true;
    case 0xc7:
        out->write = out->immediate = true;
        out->value = (uint32_t)in.imm;
        return (in.modrm >> 3 & 7) == 0;
    }
    return false;
}
