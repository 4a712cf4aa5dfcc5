; SPDX-License-Identifier: MIT
;
; A guest that makes every hypercall with garbage arguments, a hundred thousand in all, then loops. Numbers 0 to 63 in
; turn, arguments from a linear congruential generator: small numbers, kernel addresses, random bits. Hypercalls that end or
; stop the guest by their nature (iret, sched_op and its old form) are left out, so that it gets to the end when
; the hypervisor survives; that it ends by a crash of its own domain on the way is allowed as well.
default rel
%include "guest.inc"

%macro random 1
    imul r15, r15, 0x5851F42D
    add r15, 0x14057B7E
    mov %1, r15
    mov ecx, r15d
    shr ecx, 28
    shr %1, cl
    test r15d, 0x1000
    jz %%done
    and %1, 0xfff
%%done:
%endmacro

start:
    say "garbage: begin"
    mov r15, 0x853c49e6748fea9b
    xor ebp, ebp
    mov r12, 100000
.next:
    cmp ebp, 23                                 ; iret
    je .skip
    cmp ebp, 6                                  ; sched_op_compat
    je .skip
    cmp ebp, 29                                 ; sched_op
    je .skip
    random rdi
    random rsi
    random rdx
    random r10
    random r8
    mov eax, ebp
    shl eax, 5
    lea rbx, [hypercall_page]
    add rax, rbx
    call rax
.skip:
    inc ebp
    and ebp, 63
    dec r12
    jnz .next
    say "garbage: end"
.loop:
    jmp .loop
