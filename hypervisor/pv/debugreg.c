/* SPDX-License-Identifier: MIT */
/*
 * Debug registers of a guest. What goes to hardware can break only into the guest: addresses
 * outside the hypervisor's range, no reserved bits (XSA-12, XSA-444), no general-detect. And no
 * breakpoint on I/O: the hypervisor carries out a guest's access to a port (emulate_io.c), so it
 * would break into the hypervisor and nowhere else.
 */
#include <port/nospec.h>
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <pv/cpu.h>
#include <pv/pv_bits.h>

#define DR6_MASK           0xe00full
#define DR7_GENERAL_DETECT (1ull << 13)
#define DR7_RW_IO          2u
#define DR7_RESERVED       (0xffffffff00000000ull | 0xd800ull)

static bool breaks_into_hypervisor(uint64_t dr7)
{
    if (dr7 & DR7_GENERAL_DETECT)
        return true;
    for (unsigned int i = 0; i < 4; i++)
        if ((dr7 >> (2 * i) & 3) && (dr7 >> (16 + 4 * i) & 3) == DR7_RW_IO)
            return true;
    return false;
}

/* Of all bytes that a breakpoint there may be about. */
static bool is_of_guest(uint64_t at)
{
    return at < 1ull << 47 || (at >= HYPERVISOR_VIRT_END && at <= -8ull);
}

long pv_set_debugreg(struct vcpu *v, unsigned int reg, uint64_t value)
{
    switch (reg) {
    case 0 ... 3:
        if (!is_of_guest(value))
            return refused(-XEN_EPERM, "debug register %u: %#lx is not a guest address", reg,
                           value);
        break;
    case 6:
        value = (value & DR6_MASK) | X86_DR6_DEFAULT;
        break;
    case 7:
        if (value >> 32)
            return refused(-XEN_EPERM, "debug register 7: %#lx has reserved bits", value);
        value = (value & ~DR7_RESERVED) | X86_DR7_DEFAULT;
        if (breaks_into_hypervisor(value))
            return refused(-XEN_EPERM,
                           "debug register 7: %#lx asks for what a guest must not break on", value);
        break;
    default:
        return -XEN_ENODEV;
    }
    v->arch.pv.debugreg[index_nospec(reg, 8)] = value;
    /* The CPU has them while one of them breaks. */
    if (v == current && (reg == 7 || v->arch.pv.debugreg[7] & DR7_ACTIVE))
        pv_cpu_load_debugregs(v);
    return 0;
}

long do_set_debugreg(unsigned int reg, uint64_t value)
{
    if (reg == 4 || reg == 5) { /* ABI: aliases of 6 and 7 unless CR4.DE */
        if (current->arch.pv.ctrlreg[4] & X86_CR4_DE)
            return -XEN_ENODEV;
        reg += 2;
    }
    return pv_set_debugreg(current, reg, value);
}

long do_get_debugreg(unsigned int reg)
{
    if (reg > 7 || ((reg == 4 || reg == 5) && (current->arch.pv.ctrlreg[4] & X86_CR4_DE)))
        return -XEN_ENODEV;
    reg = (unsigned int)index_nospec(reg, 8);
    return (long)current->arch.pv.debugreg[reg == 4 || reg == 5 ? reg + 2 : reg];
}
