; SPDX-License-Identifier: MIT
;
; From real mode to ap_main(): what a further CPU does first (x86/smp.c).
;
; ap_trampoline is copied to a page below 1 MiB, where the CPU begins at offset 0 with CS = the page's address / 16. It goes through
; protected mode to long mode on the boot tables (boot/direct.asm), which map the low 4 GiB at 0 and the image; then, in the image,
; to the hypervisor's own tables and to the stack that ap_stack names. Only one CPU gets that: whoever else comes here, or lacks NX or
; long mode, halts for good. Nothing can interrupt: there is no IDT.

default rel
extern hv_l4_phys, ap_main

%define AT(x) (x) - ap_trampoline
%define CR0_BEFORE_PAGING 0x31          ; PE, ET, NE: caches are on
%define CR0_PAGING 0x80010031           ; and PG, WP

section .rodata progbits alloc noexec nowrite align=16
bits 16
global ap_trampoline, ap_trampoline_cr3, ap_trampoline_end
ap_trampoline:
        cli
        cld
        mov ax, cs
        mov ds, ax
        mov eax, 0x80000001
        cpuid
        and edx, 1 << 29 | 1 << 20      ; long mode, NX
        cmp edx, 1 << 29 | 1 << 20
        jne .hang
        xor ebx, ebx
        mov bx, cs
        shl ebx, 4                      ; where this page is
        lea eax, [ebx + AT(gdt)]
        mov [AT(gdt_pointer) + 2], eax
        lea eax, [ebx + AT(protected)]
        mov [AT(far32)], eax
        lea eax, [ebx + AT(long_mode)]
        mov [AT(far64)], eax
        o32 lgdt [AT(gdt_pointer)]
        mov eax, CR0_BEFORE_PAGING
        mov cr0, eax
        jmp dword far [AT(far32)]
.hang:  hlt
        jmp .hang

bits 32
protected:
        mov eax, 16
        mov ds, eax
        mov ss, eax
        mov eax, 1 << 5                 ; PAE
        mov cr4, eax
        mov eax, [ebx + AT(ap_trampoline_cr3)]
        mov cr3, eax
        mov ecx, 0xc0000080             ; EFER: long mode enable, NX
        xor edx, edx
        mov eax, 1 << 8 | 1 << 11
        wrmsr
        mov eax, CR0_PAGING
        mov cr0, eax
        jmp dword far [ebx + AT(far64)]

bits 64
long_mode:
        jmp [entry]

        align 8
gdt:    dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
entry:  dq ap_start
far32:  dd 0
        dw 24
far64:  dd 0
        dw 8
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dd 0
ap_trampoline_cr3:
        dd 0
ap_trampoline_end:

section .data progbits alloc noexec write align=8
global ap_stack
ap_stack:
        dq 0

section .text progbits alloc exec nowrite align=16
ap_start:
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov fs, eax
        mov gs, eax
        mov rcx, [hv_l4_phys]
        mov cr3, rcx
        xchg rax, [ap_stack]
        test rax, rax
        jz .hang
        mov rsp, rax
        xor ebp, ebp
        call ap_main
.hang:  cli
        hlt
        jmp .hang
