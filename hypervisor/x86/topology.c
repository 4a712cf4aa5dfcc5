/* SPDX-License-Identifier: MIT */
/*
 * Where a CPU sits: an APIC id is socket, core and thread in one number, and CPUID says how many of
 * its low bits are the thread's, and how many the thread's and the core's together. All CPUs of a
 * machine are cut alike. Leaf 0xb has both numbers; where it is missing there are no threads, and
 * AMD's leaf has the second. Without either each CPU counts as a socket.
 */
#include "insn.h"

#include <hv/types.h>
#include <port/machine.h>

#include "x86.h"

/* How many bits are the thread's (level 0), and the thread's and the core's (1), by leaf 0xb. */
static uint32_t bits_below(uint32_t level)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    if (r[0] < 0xb)
        return 0;
    cpuid(0xb, level, r);
    return r[0] & 31;
}

bool same_core(uint32_t a, uint32_t b)
{
    return !((a ^ b) >> bits_below(0));
}

void machine_cpu_place(unsigned int cpu, uint32_t *core, uint32_t *socket)
{
    uint32_t id = machine_apic_id(cpu), r[4], thread_bits = bits_below(0),
             core_bits = bits_below(1);

    cpuid(0x80000000, 0, r);
    if (!core_bits && r[0] >= 0x80000008) {
        cpuid(0x80000008, 0, r);
        core_bits = r[2] >> 12 & 15;
    }
    *core = (id & ((1u << core_bits) - 1)) >> thread_bits;
    *socket = id >> core_bits;
}
