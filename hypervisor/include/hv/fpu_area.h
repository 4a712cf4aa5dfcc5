/* SPDX-License-Identifier: MIT */
/*
 * The memory that holds a vCPU's FPU, SSE and AVX state while it is not loaded: the layout of
 * FXSAVE and XSAVE (Intel SDM volume 1, chapters 10 and 13), as far as somebody looks into it, and
 * the state that it begins in.
 */
#ifndef HV_FPU_AREA_H
#define HV_FPU_AREA_H

#include <hv/types.h>
#include <port/machine.h>
#include <parvis/string.h>

#define FPU_LEGACY_BYTES 512 /* what FXSAVE has; the header of XSAVE follows */
#define FPU_FCW          0   /* offsets */
#define FPU_FSW          2
#define FPU_MXCSR        24
#define FPU_XSTATE_BV    512
#define MXCSR_VALID      0xffffu /* other bits would make the load fault */

#define XCR0_X87   1ull
#define XCR0_SSE   2ull
#define XCR0_AVX   4ull
#define XCR0_GUEST (XCR0_X87 | XCR0_SSE | XCR0_AVX) /* what guests may have; it fits a page */

/* As after a reset, but with all exceptions masked, which is what FNINIT leaves. */
static inline void fpu_area_reset(uint8_t *area)
{
    const uint16_t fcw = 0x37f;
    const uint32_t mxcsr = 0x1f80;
    const uint64_t legacy = XCR0_X87 | XCR0_SSE;

    memset(area, 0, PAGE_SIZE);
    memcpy(area + FPU_FCW, &fcw, sizeof(fcw));
    memcpy(area + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
    memcpy(area + FPU_XSTATE_BV, &legacy, sizeof(legacy));
}

/* Whether guests may have XSAVE: the hypervisor turned it on. */
static inline bool fpu_has_xsave(void)
{
    uint32_t out[4] __uninitialized;

    machine_cpuid(1, 0, out);
    return out[2] & 1u << 27; /* OSXSAVE */
}

/* Of XSAVE's area with these parts: header and legacy area, AVX behind it. */
static inline uint32_t fpu_area_bytes(uint64_t xcr0)
{
    return xcr0 & XCR0_AVX ? 832 : 576;
}

/* CPUID's leaf 0xd, from what the machine says to what a guest is shown; xcr0: what it turned on.
 */
static inline void fpu_cpuid_leaf(uint64_t xcr0, uint32_t sub, uint32_t out[4])
{
    if (!fpu_has_xsave() || sub > 2) {
        memset(out, 0, 4 * sizeof(*out));
    } else if (sub == 0) {
        out[0] &= XCR0_GUEST;
        out[1] = fpu_area_bytes(xcr0);
        out[2] = fpu_area_bytes(out[0]);
        out[3] = 0;
    } else if (sub == 1) {
        out[0] &= 1; /* XSAVEOPT */
        out[1] = out[2] = out[3] = 0;
    }
}

#endif
