; SPDX-License-Identifier: MIT
; A guest that jumps to where nothing is, without a handler for the page fault.
default rel
%include "guest.inc"
start:
    say "nowhere: jumping"
    mov rax, 0x123456789000
    jmp rax
