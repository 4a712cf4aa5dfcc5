/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own leaves of CPUID, from 0x40000000 on, with the signature that every guest of
 * Xen's looks for. They are the same for all kinds; what means nothing to one is left alone by it:
 * the MSR that writes the hypercall page.
 */
#include <core/guest/cpuid.h>
#include <core/state/domain.h>
#include <parvis/string.h>
#include <port/machine.h>

static void leaf_time(const struct vcpu *v, uint32_t sub, uint32_t out[4])
{
    uint32_t mul;
    int8_t shift;

    clock_scale(&mul, &shift);
    if (sub == 0) {
        out[0] = clock_stable() ? 2 : 0; /* RDTSC is the CPU's own, and safe to use */
        out[1] = v->domain->tsc_mode;
        out[2] = (uint32_t)clock_khz();
    } else if (sub == 1) {
        out[2] = mul;
        out[3] = (uint32_t)(int32_t)shift;
    } else if (sub == 2) {
        out[0] = (uint32_t)clock_khz();
    }
}

void hypervisor_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
    switch (leaf) {
    case 0x40000000:
        out[0] = 0x40000005;
        memcpy(&out[1], "XenVMMXenVMM", 12);
        break;
    case 0x40000001:
        out[0] = 4 << 16 | 17;
        break;
    case 0x40000002: /* one hypercall page */
        out[0] = 1;
        out[1] = MSR_HYPERCALL_PAGE;
        break;
    case 0x40000003:
        leaf_time(v, sub, out);
        break;
    case 0x40000005: /* width of machine addresses a guest may meet */
        out[1] = 52;
        break;
    }
}
