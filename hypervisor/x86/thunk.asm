; SPDX-License-Identifier: MIT
;
; Every indirect jump or call of the hypervisor comes through here (-mindirect-branch=thunk-extern; the entry code by hand): one
; function a register that holds where it goes.
;
; Where retpolines are a measure it goes there by a RET. That is predicted by the return stack alone, which the CALL before it has
; filled: a CPU that runs ahead of the RET waits at .ahead, wherever a guest would have it go. Elsewhere it is a plain jump.

%include "x86/entry.inc"

section .text progbits alloc exec nowrite align=64

%macro THUNK 1
        align 64
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

; void fill_return_stack(void)
global fill_return_stack
fill_return_stack:
        FILL_RETURN_STACK
        ret
