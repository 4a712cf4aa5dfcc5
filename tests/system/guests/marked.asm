; SPDX-License-Identifier: MIT
; A guest that never stops, with the same word in each of its registers, so that it is known again where it was left behind.
default rel
%include "guest.inc"
%define MARK 0x6c656674206d6172
start:
    say "marked: looping"
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
