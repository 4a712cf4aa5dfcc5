; SPDX-License-Identifier: MIT
; A guest that never stops, with the same word in each of its registers, so that it is known again where it was left behind. A timer
; interrupts it, of which it hears nothing: its events are masked.
default rel
%include "guest.inc"
%define MARK 0x6c656674206d6172
start:
    say "marked: looping"
    mov edi, 6                                  ; VCPUOP_set_periodic_timer, of vCPU 0
    xor esi, esi
    lea rdx, [period]
    hypercall 24
    mov rax, MARK
%macro MARKED 1-*
  %rep %0
    mov %1, rax
    %rotate 1
  %endrep
%endmacro
    MARKED rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
.loop:
    jmp .loop
period: dq 10000000                             ; ns
