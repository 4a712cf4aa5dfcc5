; SPDX-License-Identifier: MIT
;
; Entries from user mode that return at once: what SYSCALL and an exception cost by themselves, without a kernel (machine.c).

bits 64
default rel

global sysret_at_once
global iret_at_once

section .text

sysret_at_once:                 ; rcx is rip, r11 is rflags; the stack is the user's
    o64 sysret

align 16
iret_at_once:                   ; of an exception without an error code
    iretq

section .note.GNU-stack noalloc noexec nowrite progbits
