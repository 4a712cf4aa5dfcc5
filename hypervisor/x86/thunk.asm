; SPDX-License-Identifier: MIT
;
; Every indirect jump or call of the hypervisor comes through here (-mindirect-branch=thunk-extern; the entry code by hand): one
; function a register that holds where it goes. So does every return (-mfunction-return=thunk-extern), which is one jump there.
;
; Where retpolines are a measure it goes there by a RET. That is predicted by the return stack alone, which the CALL before it has
; filled: a CPU that runs ahead of the RET waits at .ahead, wherever a guest would have it go. Elsewhere it is a plain jump.
;
; All of them, and every RET, stand in the upper half of 64 bytes of code: Intel's CPUs with indirect target selection predict those
; in a lower half by a direct branch of an upper one, a guest's too (Intel's guidance of that name). For CPUs that have it not, the
; jumps to the RET become returns (x86/spec_sites.c). tests/branches.py looks at each image.

%include "x86/entry.inc"

section .text progbits alloc exec nowrite align=64

%macro UPPER_HALF 0
        align 64, int3
        times 32 int3
%endmacro

%macro THUNK 1
        UPPER_HALF
global __x86_indirect_thunk_%1
__x86_indirect_thunk_%1:
        UNLESS M(RETPOLINE)
        jmp %1
        END_SPEC
        call .there
.ahead:
        pause
        lfence
        jmp .ahead
.there:
        mov [rsp], %1
        ret
%endmacro

        THUNK rax
        THUNK rbx
        THUNK rcx
        THUNK rdx
        THUNK rsi
        THUNK rdi
        THUNK rbp
        THUNK r8
        THUNK r9
        THUNK r10
        THUNK r11
        THUNK r12
        THUNK r13
        THUNK r14
        THUNK r15

        UPPER_HALF
global __x86_return_thunk
__x86_return_thunk:
        ret
        int3

; void fill_return_stack(void)
global fill_return_stack
fill_return_stack:
        FILL_RETURN_STACK
        RETURN

; What a guest's branches left in the history, by which indirect ones are predicted, is overwritten: so many are taken here, in the
; order that Intel says will do ("Branch History Injection and Intra-mode Branch Target Injection", the short sequence). Five calls
; deep, in each five times round; the calls are there so that no loop is run from the decoded instructions alone. rax, rcx are lost.
global clear_branch_history
clear_branch_history:
        mov ecx, 5
        call .deeper
        lfence
        RETURN

        align 64, int3
        times 32 - 5 int3
.deeper:
        call .round
        ret                             ; an upper half begins

        align 64, int3
        times 16 int3
.round:
        mov eax, 5
.again:
        jmp .on
        nop
.on:
        dec eax
        jnz .again
        dec ecx
        jnz .deeper
        ret
