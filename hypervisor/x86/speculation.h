/* SPDX-License-Identifier: MIT */
/*
 * What a CPU says of itself that bears on speculation, and what is chosen by it (spec_choice.c).
 */
#ifndef X86_SPECULATION_H
#define X86_SPECULATION_H

#include <hv/types.h>
#include <parvis/speculation.h>

struct boot_info;
struct vcpu;

#ifdef __clang__
#define RETURN_THUNKS false /* clang 14 has none */
#else
#define RETURN_THUNKS true
#endif

#define HOLE(name)    (1u << HOLE_##name)
#define MEASURE(name) (1u << MEASURE_##name)

struct spec_cpu {
    bool emulated; /* QEMU's software emulation */
    bool intel, amd, hygon;
    bool smep, rtm;
    bool sbpb; /* there is AMD's other barrier: the microcode came with it that changed IBPB */
    bool return_thunks; /* the compiler made them, see x86/thunk.asm */
    unsigned int family, model;
    uint32_t ucode;                    /* revision of AMD's; 0: another hypervisor would tell it */
    uint32_t l7_edx, l7_2_edx;         /* CPUID 7.0, 7.2 */
    uint32_t e8_ebx, e21_eax, e21_ecx; /* CPUID 0x80000008, 0x80000021 */
    uint64_t arch_caps;                /* MSR ARCH_CAPABILITIES; 0: it has none */
};

struct spec_choice {
    uint32_t off, on;        /* measures by parvis.cfg */
    uint32_t affected, open; /* holes */
    uint32_t measures;
    uint32_t can;     /* be taken on this CPU */
    uint32_t lacking; /* measures that were asked for and that the CPU has not */
};

/* off, on: measures by parvis.cfg. */
struct spec_choice spec_choose(const struct spec_cpu *c, uint32_t off, uint32_t on);

/* What guests are shown of CPUID 0x80000021's EAX where these measures are taken. */
uint32_t spec_shown(const struct spec_cpu *c, uint32_t measures);

/* --- spec_sites.c --- */
/* What stands there is for machines where one of the measures is taken; SITE_UNLESS: for others. */
struct spec_site {
    int32_t at; /* from here */
    uint32_t length, measures;
};
#define SITE_UNLESS (1u << 31)
/* Overwrites the sites that are not for a machine with these measures. */
void spec_patch(struct spec_site *first, struct spec_site *end, uint32_t measures);
/* Makes a plain return of each jump to the thunk that returns. */
void spec_return_at_once(uint8_t *code, const uint8_t *end, const uint8_t *thunk);

/* --- speculation.c --- */
void init_speculation(const struct boot_info *bi); /* all; then this CPU, which is the first */
void start_speculation(void);                      /* another CPU's registers */
/* So many second ones of a core, and so many that smt = no leaves alone: all have started. */
void threads_run(unsigned int nr, unsigned int left_alone);
const char *missing_measure(void); /* of the boot CPU's, that this one has not; NULL: none */
/* This CPU goes to v: what others trained, or v before it was elsewhere, ends. */
void spec_switch(struct vcpu *v);

#define SPEC_CTRL_IBRS  (1u << 0)
#define SPEC_CTRL_STIBP (1u << 1)
#define SPEC_CTRL_SSBD  (1u << 2)
#define SPEC_CTRL_BHI   (1u << 10)
/* What MSR SPEC_CTRL holds while the hypervisor runs. The guests' is the same without IBRS, where
 * that is written at each entry; and with what a vCPU itself has set. */
uint32_t spec_ctrl_of(const struct spec_cpu *c, uint32_t measures);

#endif
