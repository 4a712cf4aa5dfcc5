; SPDX-License-Identifier: MIT
;
; Reaches guest memory through the guest's own page tables: a fault ends the copy with -EFAULT (exception table). These and the short
; ways of pv/cpu/bounce.asm are the only instructions of the hypervisor that touch what a guest maps; SMAP is open just around them.
; What is at the top is checked here, for each hypercall has a copy of this kind and a call more is dear; all else by guest_access.c.
; R8 is where a fault was last taken for one too many (was_stale(), fault.c): first a place that is no guest's.

%include "x86/entry.inc"

default rel
extern __x86_return_thunk
extern copy_from_elsewhere
extern read_u32_elsewhere
extern write_elsewhere
extern write_word_elsewhere
extern try_elsewhere
section .text

; Goes on at %2 unless [%1, %1 + n) is at the top, where kernels keep their data: -%1 <= this_cpu()->arch.guest_top and n <= -%1. For a CPU
; that runs ahead of the second of these branches %1 is 0 (port/nospec.h), by the comparison that the branch is about. eax = 0.
; rdx = n; rcx and r8 are lost.
%macro AT_TOP 2
        mov r8, rsp
        and r8, -CPU_BLOCK_SIZE
        mov rcx, %1
        neg rcx
        cmp rcx, rdx
        jb %2
        xor eax, eax
        cmp [r8 + CPU_OFFSET + CPU_guest_top], rcx
        jb %2
        cmovb %1, rax
%endmacro

; rdx bytes from rsi to rdi; eax stays 0
%macro COPY 0
        STAC
        mov r8, rsp
        mov ecx, edx
        shr ecx, 3
%%words: rep movsq
        and edx, 7
        jnz %%rest                      ; seldom, and REP is dear
%%done: CLAC
        RETURN
%%rest: test dl, 4
        jz %%few
%%half: movsd                           ; a port, or another number of 32 bits
        and edx, 3
        jz %%done
%%few:  mov ecx, edx
%%bytes: rep movsb
        jmp %%done
        EXTABLE %%words, guest_fault
        EXTABLE %%half, guest_fault
        EXTABLE %%bytes, guest_fault
%endmacro

; What faults between here and guest_fault is a copy (fault.c).
global guest_copies
guest_copies:

; int copy_from_guest(void *to, gva_t from, size_t n)
global copy_from_guest
copy_from_guest:
        AT_TOP rsi, copy_from_elsewhere
        COPY

; int guest_write(gva_t to, const void *from, size_t n)
global guest_write
guest_write:
        AT_TOP rdi, write_elsewhere
        COPY

; int guest_write_word(gva_t to, uint64_t word)
global guest_write_word
guest_write_word:
        mov edx, 8
        AT_TOP rdi, write_word_elsewhere
        STAC
        mov r8, rsp
.word:  mov [rdi], rsi
        CLAC
        RETURN
        EXTABLE .word, guest_fault

; int guest_copy(uint64_t to, uint64_t from, size_t n): a place of the guest's that was checked
global guest_copy
guest_copy:
        xor eax, eax
        COPY

; int guest_try(gva_t at, const void *was, size_t n)
; What is there may be written: its first byte and its last, which are in all pages that a struct lies in, are changed by nothing.
global guest_try
guest_try:
        AT_TOP rdi, try_elsewhere
        STAC
        mov r8, rsp
.first: lock or byte [rdi], 0
.last:  lock or byte [rdi + rdx - 1], 0
        CLAC
        RETURN
        EXTABLE .first, guest_fault
        EXTABLE .last, guest_fault

; int64_t read_guest_u32(gva_t from)
global read_guest_u32
read_guest_u32:
        mov edx, 4
        AT_TOP rdi, read_u32_elsewhere
        STAC
        mov r8, rsp
.word:  mov eax, [rdi]
        CLAC
        RETURN
        EXTABLE .word, guest_fault

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
guest_fault:                            ; behind all of them, as guest_copies is before
        CLAC
        mov rax, -EFAULT                ; as an int too
        RETURN
