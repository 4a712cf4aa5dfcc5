; SPDX-License-Identifier: MIT
;
; Where a fully virtualized guest begins: vCPU 0 by the PVH protocol, the others by SIPI.
;
; PVH (note PHYS32_ENTRY, start.asm) begins in 32-bit protected mode, flat, with paging off:
;     ebx   physical address of struct hvm_start_info
; A vCPU that is started by SIPI begins in real mode, at the page that SIPI names: ap_start, which lies in the first
; MiB because the image is loaded to physical address 0.
;
; Both go on in long mode on the tables below, which map the first GiB of physical memory twice: at 0, for the way here,
; and at VIRT_BASE, where the image was linked. C replaces them.

%define PHYS(symbol) (symbol + 0x80000000)      ; symbol - VIRT_BASE

extern guest_start_pvh
extern guest_start_ap
extern boot_stack_top
global pvh_start
global ap_start
global ap_stack
global boot_l4

KERNEL_CS equ 0x08              ; guest/hvm.h
KERNEL_SS equ 0x10
CODE32    equ 0x30

SET_CR0  equ 0x80010033         ; PG WP NE ET MP PE
SET_CR4  equ 0x620              ; OSXMMEXCPT OSFXSR PAE
EFER     equ 0xc0000080
SET_EFER equ 0x901              ; NXE LME SCE

section .text

; From 32-bit code to label, in long mode at its linked address. Clobbers eax, ecx, edx.
%macro long_mode 1
    mov eax, SET_CR4
    mov cr4, eax
    mov eax, PHYS(boot_l4)
    mov cr3, eax
    mov ecx, EFER
    rdmsr
    or eax, SET_EFER
    wrmsr
    mov eax, SET_CR0
    mov cr0, eax
    lgdt [PHYS(start_gdt_pointer)]
    jmp KERNEL_CS:PHYS(%%in_long_mode)
bits 64
%%in_long_mode:
    mov rax, qword %1
    jmp rax
%endmacro

bits 32
pvh_start:
    cld
    long_mode pvh_high
bits 64
pvh_high:
    lea rsp, [rel boot_stack_top]
    xor ebp, ebp
    mov edi, ebx
    call guest_start_pvh        ; does not return
    ud2

bits 32
ap_32:
    mov eax, KERNEL_SS
    mov ds, eax
    mov ss, eax
    long_mode ap_high
bits 64
ap_high:
    mov rsp, [rel ap_stack]
    xor ebp, ebp
    call guest_start_ap         ; does not return
    ud2

bits 16
align 4096
ap_start:
    cli
    cld
    o32 lgdt [cs:ap_gdt_pointer - ap_start]
    mov eax, 0x11               ; ET PE
    mov cr0, eax
    jmp dword CODE32:PHYS(ap_32)
align 4
ap_gdt_pointer:
    dw start_gdt_end - start_gdt - 1
    dd PHYS(start_gdt)

section .data
align 8
start_gdt:                      ; as in hvm_cpu.c
    dq 0
    dq 0x00209b0000000000       ; 08 code, 64 bits
    dq 0x00cf93000000ffff       ; 10 data
    times 3 dq 0
    dq 0x00cf9b000000ffff       ; 30 code, 32 bits
start_gdt_end:
start_gdt_pointer:
    dw start_gdt_end - start_gdt - 1
    dd PHYS(start_gdt)
align 8
ap_stack:
    dq 0                        ; of the vCPU that is started next: smp.c

align 4096
boot_l4:
    dq PHYS(boot_l3_low) + 3
    times 510 dq 0
    dq PHYS(boot_l3_high) + 3
boot_l3_low:
    dq PHYS(boot_l2) + 3
    times 511 dq 0
boot_l3_high:
    times 510 dq 0
    dq PHYS(boot_l2) + 3
    dq 0
boot_l2:
%assign page 0
%rep 512
    dq page * 0x200000 + 0x83
%assign page page + 1
%endrep

section .note.GNU-stack noalloc noexec nowrite progbits
