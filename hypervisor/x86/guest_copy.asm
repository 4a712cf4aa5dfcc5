; SPDX-License-Identifier: MIT
;
; Reaches guest memory through the guest's own page tables: a fault ends the copy with -EFAULT (exception table). These and the short
; ways of pv/cpu/bounce.asm are the only instructions of the hypervisor that touch what a guest maps; SMAP is open just around them.
; guest_access.c has checked the range.
; R8 is where a fault was last taken for one too many (was_stale(), fault.c): first a place that is no guest's.

%include "x86/entry.inc"

default rel
extern __x86_return_thunk
section .text

; int guest_copy(void *to, const void *from, size_t n)
global guest_copy
guest_copy:
        STAC
        mov r8, rsp
        mov rcx, rdx
        shr rcx, 3
.words: rep movsq
        and edx, 7
        jnz .rest                       ; seldom, and REP is dear
.done:  CLAC
        xor eax, eax
        RETURN
.rest:  test dl, 4
        jz .few
.half:  movsd                           ; a port, or another number of 32 bits
        and edx, 3
        jz .done
.few:   mov ecx, edx
.bytes: rep movsb
        jmp .done
        EXTABLE .words, guest_fault
        EXTABLE .half, guest_fault
        EXTABLE .bytes, guest_fault

; int guest_clear(void *to, size_t n)
global guest_clear
guest_clear:
        STAC
        mov r8, rsp
        xor eax, eax
        mov rcx, rsi
        shr rcx, 3
.words: rep stosq
        mov ecx, esi
        and ecx, 7
.bytes: rep stosb
        CLAC
        RETURN
        EXTABLE .words, guest_fault
        EXTABLE .bytes, guest_fault

global guest_fault
guest_fault:                            ; behind all of them
        CLAC
        mov eax, -EFAULT
        RETURN
