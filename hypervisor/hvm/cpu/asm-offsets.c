/* SPDX-License-Identifier: MIT */
/*
 * The numbers that the way into fully virtualized guests shares with C.
 */
#include <x86/asm-offsets.h>

static void __attribute__((used)) asm_offsets(void)
{
    VCPU(hvm_vmcb, arch.hvm.vmcb_address);
    VCPU(hvm_host, arch.hvm.host_address);
}
