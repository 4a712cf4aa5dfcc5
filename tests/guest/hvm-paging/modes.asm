; SPDX-License-Identifier: MIT
;
; void modes_run(struct outcome *o, uint64_t paging_32, uint64_t paging_pae): from long mode through all others and back.
; In each: CPUID, a port, INS to memory, the local APIC where it can be reached. See main.c.

%define PHYS(symbol) (symbol + 0x80000000)      ; symbol - VIRT_BASE

KERNEL_CS equ 0x08
KERNEL_SS equ 0x10
CODE32    equ 0x30
CODE16    equ 0x18              ; of our own table
DATA16    equ 0x20

CR0_PE   equ 1
CR0_PG   equ 0x80000000
CR4_PSE  equ 0x10
CR4_PAE  equ 0x20
EFER     equ 0xc0000080
EFER_LME equ 0x100
SCRATCH  equ 0x3ff              ; of the UART

extern boot_l4
global modes_run

section .data
align 8
gdt:
    dq 0
    dq 0x00209b0000000000       ; 08 code, 64 bits
    dq 0x00cf93000000ffff       ; 10 data
    dq 0x00009b000000ffff       ; 18 code, 16 bits
    dq 0x000093000000ffff       ; 20 data, 16 bits
    dq 0
    dq 0x00cf9b000000ffff       ; 30 code, 32 bits
gdt_end:
gdt_pointer:
    dw gdt_end - gdt - 1
    dq PHYS(gdt)
old_gdt:  times 10 db 0
old_idt:  times 10 db 0
no_idt:   dw 0x3ff
          dq 0
align 8
old_rsp:  dq 0
old_cr3:  dq 0
old_cr4:  dq 0
outcome:  dd 0                  ; physical
cr3_32:   dd 0
cr3_pae:  dd 0
bytes:    dd 0

section .bss
align 16
resb 1024
low_stack:

section .text

bits 64
modes_run:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    pushfq
    cli
    mov [rel old_rsp], rsp
    sgdt [rel old_gdt]
    sidt [rel old_idt]
    mov rax, cr3
    mov [rel old_cr3], rax
    mov rax, cr4
    mov [rel old_cr4], rax
    mov rax, 0x80000000
    add edi, eax                ; the address is in the image: its physical one
    mov [rel outcome], edi
    mov [rel cr3_32], esi
    mov [rel cr3_pae], edx
    mov rax, PHYS(boot_l4)
    mov cr3, rax
    lidt [rel no_idt]           ; what goes wrong from here on is a triple fault
    lgdt [rel gdt_pointer]
    push qword CODE32
    mov rax, PHYS(compatible)
    push rax
    o64 retf

bits 32

; One more mode was seen to work; eax, ecx, edx, ebx, edi are lost.
%macro probe 1                  ; 1: the local APIC can be reached
    xor eax, eax
    xor ecx, ecx
    cpuid
    test eax, eax
    jz %%wrong
    mov dx, SCRATCH
    mov al, 0x5a
    out dx, al
    xor eax, eax
    in al, dx
    cmp eax, 0x5a
    jne %%wrong
    mov dword [PHYS(bytes)], 0
    mov edi, PHYS(bytes)
    mov ecx, 4
    rep insb
    cmp dword [PHYS(bytes)], 0x5a5a5a5a
    jne %%wrong
    test ecx, ecx
    jnz %%wrong
  %if %1
    mov ebx, 0xfee00000
    mov eax, 0x70
    mov [ebx + 0x80], eax
    xor eax, eax
    mov eax, [ebx + 0x80]
    cmp eax, 0x70
    jne %%wrong
    mov dword [ebx + 0x80], 0
  %endif
    mov ebx, [PHYS(outcome)]
    inc dword [ebx]
%%wrong:
%endmacro

%macro paging 1                 ; 0: off
    mov eax, cr0
  %if %1
    or eax, CR0_PG
  %else
    and eax, ~CR0_PG
  %endif
    mov cr0, eax
%endmacro

compatible:
    mov eax, KERNEL_SS
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov esp, PHYS(low_stack)
    probe 0                     ; 1: compatibility mode
    paging 0
    probe 1                     ; 2: no paging, LME set
    mov ecx, EFER
    rdmsr
    and eax, ~EFER_LME
    wrmsr
    probe 1                     ; 3: no paging
    mov eax, CR4_PSE
    mov cr4, eax
    mov eax, [PHYS(cr3_32)]
    mov cr3, eax
    paging 1
    probe 1                     ; 4: 32-bit paging
    paging 0
    mov eax, CR4_PAE
    mov cr4, eax
    mov eax, [PHYS(cr3_pae)]
    mov cr3, eax
    paging 1
    probe 1                     ; 5: PAE
    paging 0
    xor eax, eax
    mov cr4, eax
    probe 1                     ; 6: no paging, after it
    jmp CODE16:PHYS(sixteen)

bits 16
sixteen:
    mov ax, DATA16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, cr0
    and eax, ~CR0_PE
    mov cr0, eax
    ; real mode, at a segment that begins where the image does: 0
    jmp 0:PHYS(real)
real:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    xor ecx, ecx
    cpuid
    test eax, eax
    jz .wrong
    mov dx, SCRATCH
    mov al, 0xa5
    out dx, al
    mov edi, PHYS(bytes)
    mov dword [edi], 0
    mov ecx, 3
    a32 rep insb
    cmp dword [a32 edi - 3], 0x00a5a5a5
    jne .wrong
    mov ebx, [dword PHYS(outcome)]
    inc dword [ebx]             ; 7: real mode
.wrong:
    mov eax, cr0
    or eax, CR0_PE
    mov cr0, eax
    jmp dword CODE32:PHYS(back)

bits 32
back:
    mov eax, KERNEL_SS
    mov ds, eax
    mov es, eax
    mov ss, eax
    probe 1                     ; 8: protected mode again
    ; LME while neither PG nor PAE is set, over exits: QEMU must not lose the machine's own paging
    mov ecx, EFER
    rdmsr
    or eax, EFER_LME
    wrmsr
    probe 1                     ; 9
    mov eax, [PHYS(old_cr4)]
    mov cr4, eax
    mov eax, PHYS(boot_l4)
    mov cr3, eax
    paging 1
    jmp KERNEL_CS:PHYS(low_64)
bits 64
low_64:
    mov rax, qword high_64
    jmp rax
high_64:
    mov rax, [rel old_cr3]
    mov cr3, rax
    lgdt [rel old_gdt]
    lidt [rel old_idt]
    mov rsp, [rel old_rsp]
    mov eax, KERNEL_SS
    mov ss, eax
    mov ds, eax
    mov es, eax
    popfq
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

section .note.GNU-stack noalloc noexec nowrite progbits
