; SPDX-License-Identifier: MIT
;
; Where a PV guest begins: the ELF notes that tell the domain builder how to load
; the image, the hypercall page, and the first instructions.
;
; A PV guest starts in 64-bit mode with paging on, at ring 3, on page tables that
; the builder made. There is no BIOS, no real mode, no descriptor table to load.
; On entry:
;     rsi   virtual address of the start_info page
;     rsp   top of a one-page boot stack; it is the last page of what the builder
;           placed, so everything above it is free memory
;     events are masked, all other registers are unspecified
;
; The notes (type numbers in include/xen/elfnote.h) are read by the builder from
; the PT_NOTE segment. ENTRY, VIRT_BASE and HYPERCALL_PAGE are what matters: the
; builder maps guest-physical address P at VIRT_BASE + P, and fills the page at
; HYPERCALL_PAGE with one 32-byte stub per hypercall.

bits 64
default rel

extern guest_start
extern pvh_start
extern boot_stack_end
global _start
global hypercall_page
global boot_stack_top

%macro note_head 2              ; type, descriptor length
    dd 4, %2, %1
    db "Xen", 0
%endmacro
%macro note_string 2            ; type, string
    note_head %1, %%end - %%begin
%%begin:
    db %2, 0
%%end:
    align 4, db 0
%endmacro
%macro note_number 2            ; type, 64-bit value
    note_head %1, 8
    dq %2
%endmacro

section .note.Xen note alloc noexec nowrite align=4
    note_number 1, _start                   ; ENTRY
    note_number 2, hypercall_page           ; HYPERCALL_PAGE
    note_number 3, 0xffffffff80000000       ; VIRT_BASE
    note_number 4, 0                        ; PADDR_OFFSET
    note_string 5, "xen-3.0"                ; XEN_VERSION
    note_string 6, "parvis-pvguest"         ; GUEST_OS
    note_string 7, "0.1"                    ; GUEST_VERSION
    note_string 8, "generic"                ; LOADER
    note_string 9, "yes"                    ; PAE_MODE
    ; FEATURES: "!" = required, "|" separates. Nothing is required.
    note_string 10, "writable_page_tables|pae_pgdir_above_4gb"
    note_number 18, pvh_start + 0x80000000  ; PHYS32_ENTRY: its physical address

section .bss
align 16
boot_stack:
    resb 32768
boot_stack_top:

section .text
_start:
    cld
    lea rax, [boot_stack_end]
    mov [rax], rsp              ; the end of what the builder placed
    lea rsp, [boot_stack_top]
    xor ebp, ebp                ; ends the chain of stack frames
    mov rdi, rsi
    call guest_start            ; does not return
    ud2

; The builder overwrites this page. Until then it holds breakpoints, so that a
; call to a stub that was never filled is noticed at once.
align 4096
hypercall_page:
    times 4096 db 0xcc

section .note.GNU-stack noalloc noexec nowrite progbits
