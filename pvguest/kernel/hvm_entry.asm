; SPDX-License-Identifier: MIT
;
; How a fully virtualized kernel is entered: by the CPU, through the IDT, and by SYSCALL.
;
; All make the struct trap_regs that a paravirtualized kernel's entries make (entry.asm), and leave by IRET.

bits 64
default rel

%include "pvguest/kernel/entry.inc"

extern trap_dispatch
global hvm_entries
global hvm_syscall_entry
global hvm_trap_return

USER_SS equ 0x23                ; guest/hvm.h
USER_CS equ 0x2b

section .text

hvm_common:                     ; stack: vector, error code, rip, cs, rflags, rsp, ss
    save_registers
    cld
    mov rdi, rsp
    xor ebp, ebp
    call trap_dispatch
hvm_trap_return:                ; rsp points to a struct trap_regs
    restore_registers
    add rsp, 16                 ; vector, error code
    iretq

; One 16-byte stub per vector.
align 16
hvm_entries:
%assign vector 0
%rep 256
align 16
  %if !has_error_code(vector)
    push qword 0
  %endif
    push strict dword vector
    jmp near hvm_common
%assign vector vector + 1
%endrep

; SYSCALL: rcx is rip, r11 is rflags; interrupts are off (SFMASK), the stack is the user's. One CPU's user mode at a time: user.c
align 16
hvm_syscall_entry:
    mov [user_rsp], rsp
    mov rsp, [hvm_user_entry_stack]
    push qword USER_SS
    push qword [user_rsp]
    push r11
    push qword USER_CS
    push rcx
    push qword 0
    push qword VECTOR_SYSCALL
    jmp hvm_common

section .bss
align 8
user_rsp: resq 1
global hvm_user_entry_stack
hvm_user_entry_stack: resq 1

section .note.GNU-stack noalloc noexec nowrite progbits
