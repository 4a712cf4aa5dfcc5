; SPDX-License-Identifier: MIT
;
; How the hypervisor enters a paravirtualized guest: exceptions, events, failsafe, system calls.
;
; Each of them arrives as a "bounce frame" on the kernel stack:
;
;     rsp ->  rcx, r11, [error code], rip, cs, rflags, rsp, ss
;
; rcx and r11 are there because the hypervisor returns with SYSRET, which destroys
; both. The CS that the frame shows has RPL 0 when the kernel was interrupted
; (although kernel and applications both run in ring 3) and RPL 3 when user code was.
; IF of the saved flags is the opposite of the virtual CPU's event mask.
;
; Each stub makes the same struct trap_regs (traps.h) out of it and calls one C function. The
; way back is the iret hypercall: it restores flags and event mask in one step
; and decides by the RPL of CS whether to go on in kernel or user mode.

bits 64
default rel

%include "pvguest/kernel/entry.inc"

extern trap_dispatch
extern guest_kind
extern hvm_trap_return
extern hypercall_page
global trap_entries
global event_entry
global failsafe_entry
global syscall_entry
global trap_catch_call
global trap_resume
global trap_catch_landing

HYPERCALL_IRET  equ 23

section .text

trap_common:                    ; stack: vector, error code, rip, cs, rflags, rsp, ss
    save_registers
    cld
    mov rdi, rsp
    xor ebp, ebp
    call trap_dispatch
trap_return:                    ; rsp points to a struct trap_regs
    restore_registers
    add rsp, 8                  ; the vector
    mov qword [rsp], 0          ; the error code's place: flags of the iret frame
    jmp hypercall_page + HYPERCALL_IRET * 32

; One 16-byte stub per exception vector.
%macro trap_stub 1
align 16
    pop rcx
    pop r11
  %if !has_error_code(%1)
    push qword 0                ; no error code from the processor
  %endif
    push qword %1
    jmp near trap_common
%endmacro

align 16
trap_entries:
%assign vector 0
%rep 32
    trap_stub vector
%assign vector vector + 1
%endrep

align 16
event_entry:
    pop rcx
    pop r11
    push qword 0
    push qword VECTOR_EVENT
    jmp trap_common

; The hypervisor could not load a segment register on the way to the guest. The
; frame holds ds, es, fs, gs between r11 and rip.
align 16
failsafe_entry:
    pop rcx
    pop r11
    add rsp, 32
    push qword 0
    push qword VECTOR_FAILSAFE
    jmp trap_common

align 16
syscall_entry:
    pop rcx
    pop r11
    push qword 0
    push qword VECTOR_SYSCALL
    jmp trap_common

; void trap_resume(struct trap_regs *regs): goes on there, in kernel or user mode. Events must
; be masked, because the memory below regs becomes the stack.
align 16
trap_resume:
    mov rsp, rdi
    cmp dword [guest_kind], 0   ; KIND_PV
    jne hvm_trap_return
    jmp trap_return

; int trap_catch_call(struct trap_catch *c, void (*fn)(void *), void *arg)
;
; Calls fn(arg). Returns 0 when fn returns; when an exception sends control to
; trap_catch_landing (with rdi = c) it returns 1, as if fn had been cut short.
align 16
trap_catch_call:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp              ; c->rsp
    mov rax, rsi
    mov rdi, rdx
    sub rsp, 8
    call rax
    add rsp, 8
    xor eax, eax
.leave:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
trap_catch_landing:
    mov rsp, [rdi]
    mov eax, 1
    jmp trap_catch_call.leave

section .note.GNU-stack noalloc noexec nowrite progbits
