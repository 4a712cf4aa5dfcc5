; SPDX-License-Identifier: MIT
;
; The first instructions of the image, for both ways to start.
;
; Direct start (qemu -kernel): a multiboot 1 loader reads the header below from the flat file, puts the image at BOOT_PHYS and jumps to start32 in
; 32-bit protected mode without paging, EBX -> multiboot information. start32 clears the BSS and enters long mode.
;
; UEFI: boot/efi.c carries the same flat file. It reads the same header to learn the sizes, puts the image where there is room (a
; multiple of 2 MiB), moves its page tables with it and calls start64_efi in long mode, by its high address: rdi = struct boot_info
; (below 4 GiB), rsi = physical address of the image.
;
; The first page tables are part of the image. They map the low 4 GiB at 0 and, at image_start, the image (1 GiB from it), for an
; image at BOOT_PHYS. x86/paging.c replaces them. Needs the CPU to have long mode; everything else is asked for later, in C.

%include "x86/asm-offsets.inc"

%define BOOT_PHYS 0x200000
%define HEADER_MAGIC 0x1badb002
%define HEADER_FLAGS 0x00010003         ; modules page aligned, memory map wanted, addresses below
%define LOADER_MAGIC 0x2badb002
%define PHYS(x) (BOOT_PHYS + (x) - boot_section)

extern boot_load_end, boot_image_end, boot_bss, boot_bss_dwords, boot_tables_phys
extern cpu0_block, direct_main, efi_main_high

default rel
section .boot progbits alloc exec nowrite align=4096
bits 32

boot_section:
        align 4
multiboot_header:
        dd HEADER_MAGIC, HEADER_FLAGS, -(HEADER_MAGIC + HEADER_FLAGS)
        dd PHYS(multiboot_header)
        dd BOOT_PHYS                    ; load_addr
        dd boot_load_end
        dd boot_image_end               ; end of the BSS
        dd PHYS(start32)
        ; for boot/efi_handoff.c (struct image_header there)
        dd start64_efi - boot_section
        dd boot_tables_phys - BOOT_PHYS
        dd 0x50565342                   ; "BSVP"

start32:
        cli
        cld
        mov esp, PHYS(stack32_end)
        cmp eax, LOADER_MAGIC
        jne .hang
        mov esi, ebx

        mov edi, boot_bss
        mov ecx, boot_bss_dwords
        xor eax, eax
        rep stosd

        ; does this CPU have long mode?
        mov eax, 0x80000000
        cpuid
        cmp eax, 0x80000001
        jb .hang
        mov eax, 0x80000001
        cpuid
        bt edx, 29
        jnc .hang

        mov eax, cr4
        or eax, 1 << 5                  ; PAE
        mov cr4, eax
        mov eax, boot_tables_phys
        mov cr3, eax
        mov ecx, 0xc0000080             ; EFER: long mode enable
        rdmsr
        or eax, 1 << 8
        wrmsr
        mov eax, cr0
        or eax, 0x80010001              ; paging, write protect, protection
        and eax, ~(1 << 2)              ; no FPU emulation
        mov cr0, eax
        lgdt [PHYS(gdt_pointer)]
        jmp 8:PHYS(start64_low)
.hang:  hlt
        jmp .hang

        align 8
gdt:    dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        dw gdt_pointer - gdt - 1
        dq PHYS(gdt)
        times 16 dd 0
stack32_end:

bits 64
start64_low:
        mov rax, start64_high
        jmp rax

start64_high:
        mov edi, esi                    ; multiboot information
        mov eax, 16
        mov ss, eax
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov fs, eax
        mov gs, eax
        lea rsp, [cpu0_block + CPU_OFFSET]
        xor ebp, ebp
        mov esi, BOOT_PHYS
        call direct_main

start64_efi:
        cli
        cld
        lea rsp, [cpu0_block + CPU_OFFSET]
        xor ebp, ebp
        call efi_main_high

; L4, L3 for 0, L3 for the image, four L2 for 0 to 4 GiB, L2 for the image
%define TABLE(n) boot_tables_phys + (n) * 4096 + 3      ; present, writable
%macro PAGES_2M 2                                       ; first address, how many
  %assign page %1
  %rep %2
        dq page + 0x83                                  ; present, writable, 2 MiB
    %assign page page + 0x200000
  %endrep
%endmacro

section .data.boot_tables progbits alloc noexec write align=4096
global boot_tables
boot_tables:
        dq TABLE(1)
        times 260 dq 0
        dq TABLE(2)                     ; 261
        times 250 dq 0

        dq TABLE(3), TABLE(4), TABLE(5), TABLE(6)
        times 508 dq 0

        times 321 dq 0
        dq TABLE(7)                     ; 321: 0xffff82d040000000
        times 190 dq 0

        PAGES_2M 0, 4 * 512
        PAGES_2M BOOT_PHYS, 512
