/* SPDX-License-Identifier: MIT */
/*
 * How the numbers that assembly shares with C get from one to the other: a file asm-offsets.c is
 * compiled to assembly only, and each line `->NAME value` in the result becomes a %define for nasm.
 * Nothing of it runs.
 */
#ifndef X86_ASM_OFFSETS_H
#define X86_ASM_OFFSETS_H

#include <core/state/domain.h>

#define DEFINE(name, value) __asm__ volatile("\n->" #name " %0" : : "i"(value))
#define VCPU(name, field)   DEFINE(VCPU_##name, offsetof(struct vcpu, field))

#endif
