; SPDX-License-Identifier: MIT
; A guest whose page-fault handler faults itself, on a stack that is not there: no way to deliver anything.
default rel
%include "guest.inc"
start:
    say "triple: faulting without a stack"
    mov rdi, traps
    hypercall SET_TRAP_TABLE
    mov rsp, 0x1000
    mov rax, [abs 0x10]
    ud2

align 8
traps:                                          ; struct trap_info: vector, flags, cs, address
    db 14, 0
    dw 0xe033
    dd 0
    dq 0x123456789000
    times 16 db 0                               ; the end of the table
