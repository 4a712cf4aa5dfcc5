; SPDX-License-Identifier: MIT
;
; What the vCPUs of smp-contexts run that have one context: all begin here with the same registers and
; the same stack. So none of them uses its stack; who it is it learns by a counter, and then, over
; and over, it loads a segment of its GDT and one of its LDT, notes on which CPU it is, and counts.

%define GDT_SEGMENT 0xb
%define LDT_SEGMENT 0x7

extern contexts_begun, contexts_turns, contexts_cpu

section .text
global contexts_count
contexts_count:
    mov  esi, 1
    lock xadd [contexts_begun], esi
.turn:
    mov  eax, GDT_SEGMENT
    mov  ds, ax
    mov  eax, LDT_SEGMENT
    mov  es, ax
    mov  eax, 1
    xor  ecx, ecx
    cpuid
    shr  ebx, 24                        ; the APIC id: test_physical_cpu()
    mov  [contexts_cpu + rsi * 4], ebx
    inc  qword [contexts_turns + rsi * 8]
    pause                               ; where one thread is all CPUs, another one's turn
    jmp  .turn
