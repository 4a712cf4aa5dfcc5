; SPDX-License-Identifier: MIT
;
; A system call of a paravirtual guest, by the short way: into the guest's kernel, and back by its iret hypercall.
;
; Two entries make one system call, so they are written out here: what pv_handle_syscall() (pv/bounce.c) and pv_iret() (pv/iret.c)
; do where nothing is special, in their order. What is special, or faults, is left to them: until then nothing has changed that they
; do not make anew. The oracles and fuzzers know those two; the guest tests run both ways.

%include "x86/entry.inc"
%include "pv/cpu/asm-offsets.inc"

default rel
extern pv_iret, pv_back, syscall_entry.long, __x86_return_thunk

%define X86_EFLAGS_IF_BIT 9
%define FRAME_BYTES (7 * 8)     ; rcx, r11, rip, cs and mask, rflags, rsp, ss
%define IRET_BYTES  (9 * 8)     ; rax, r11, rcx, flags, rip, cs, rflags, rsp, ss

; If the instruction that follows faults, go on at %1.
%macro OR_ELSE 1
%%at:   EXTABLE %%at, %1
%endmacro

; v (%1) runs on the L4 frame in %2 from now on, with the other GS base; %3 = this_cpu()
%macro LOAD_TABLE 3
        shl %2, 12
        mov [%1 + VCPU_cr3], %2
        mov [%3 + CPU_cr3], %2
        mov cr3, %2
        swapgs
        inc qword [%1 + VCPU_cr3_loads]
%endmacro

section .entry progbits alloc exec nowrite align=64

; From syscall_entry, of user mode: rbx = v, rsp = this_cpu()
global pv_cpu_syscall
pv_cpu_syscall:
        mov r12, [rbx + VCPU_syscall_callback]
        mov rax, [rbx + VCPU_domain]
        test r12, r12
        jz syscall_entry.long
        test dword [rax + DOMAIN_vm_assist], ARCHITECTURAL_IOPL
        jnz syscall_entry.long
        cmp byte [rbx + VCPU_areas_stale], 0
        jne syscall_entry.long
        mov rdi, [rbx + VCPU_kernel_sp] ; a kernel's stack is in the upper half
        and rdi, -16
        sub rdi, FRAME_BYTES
        mov rax, rdi
        neg rax
        cmp rax, [rsp + CPU_guest_top]
        ja syscall_entry.long

        mov rsi, [rbx + VCPU_guest_table]
        mov byte [rbx + VCPU_kernel_mode], 1
        LOAD_TABLE rbx, rsi, rsp

        mov r13, [rbx + VCPU_info]
        mov r8, [rbx + VCPU_regs + REGS_rcx]
        mov r9, [rbx + VCPU_regs + REGS_r11]
        mov r10, [rbx + VCPU_regs + REGS_rip]
        movzx eax, word [rbx + VCPU_regs + REGS_cs]
        movzx ecx, byte [r13 + 1]       ; evtchn_upcall_mask
        mov rdx, [rbx + VCPU_regs + REGS_rflags]
        and edx, ~(X86_EFLAGS_IOPL | X86_EFLAGS_IF)
        cmp ecx, 1
        sbb r11d, r11d
        and r11d, X86_EFLAGS_IF         ; it is the virtual one: not masked
        or edx, r11d
        shl rcx, 32
        or rax, rcx
        mov r11, [rbx + VCPU_regs + REGS_rsp]
        movzx ecx, word [rbx + VCPU_regs + REGS_ss]
        STAC
        OR_ELSE .back_to_user
        mov [rdi], r8
        OR_ELSE .back_to_user
        mov [rdi + 8], r9
        OR_ELSE .back_to_user
        mov [rdi + 16], r10
        OR_ELSE .back_to_user
        mov [rdi + 24], rax
        OR_ELSE .back_to_user
        mov [rdi + 32], rdx
        OR_ELSE .back_to_user
        mov [rdi + 40], r11
        OR_ELSE .back_to_user
        mov [rdi + 48], rcx
        CLAC

        cmp byte [rbx + VCPU_syscall_disables_events], 0
        je .events_as_they_were
        mov byte [r13 + 1], 1
.events_as_they_were:
        inc qword [rbx + VCPU_syscalls]
        mov [rbx + VCPU_regs + REGS_rsp], rdi
        mov word [rbx + VCPU_regs + REGS_ss], KERNEL_SS
        mov word [rbx + VCPU_regs + REGS_cs], KERNEL_CS
        mov [rbx + VCPU_regs + REGS_rip], r12
        mov [rbx + VCPU_regs + REGS_rcx], r12
        mov rax, [rbx + VCPU_regs + REGS_rflags]
        and rax, ~FLAGS_CLEARED_BY_BOUNCE
        mov [rbx + VCPU_regs + REGS_rflags], rax
        mov [rbx + VCPU_regs + REGS_r11], rax
        jmp pv_back
.back_to_user:
        CLAC
        mov rsi, [rbx + VCPU_guest_table_user]
        mov byte [rbx + VCPU_kernel_mode], 0
        LOAD_TABLE rbx, rsi, rsp
        jmp syscall_entry.long

; long pv_cpu_iret(struct vcpu *v)
global pv_cpu_iret
pv_cpu_iret:
        push rbx
        push rbp
        mov rax, [rdi + VCPU_domain]
        mov rsi, [rdi + VCPU_regs + REGS_rsp]
        test dword [rax + DOMAIN_vm_assist], ARCHITECTURAL_IOPL
        jnz .long
        mov rax, rsi
        mov r11, [rdi + VCPU_cpu_stack]
        neg rax
        cmp rax, [r11 + CPU_guest_top]
        ja .long
        cmp rax, IRET_BYTES
        jb .long
        STAC
        OR_ELSE .fault
        mov rax, [rsi]
        OR_ELSE .fault
        mov r8, [rsi + 8]
        OR_ELSE .fault
        mov r9, [rsi + 16]
        OR_ELSE .fault
        mov r10, [rsi + 24]
        OR_ELSE .fault
        mov r11, [rsi + 32]
        OR_ELSE .fault
        movzx edx, word [rsi + 40]
        OR_ELSE .fault
        mov rcx, [rsi + 48]
        OR_ELSE .fault
        mov rbx, [rsi + 56]
        OR_ELSE .fault
        movzx esi, word [rsi + 64]
        CLAC

        and r10d, VGCF_in_syscall
        mov ebp, edx
        and ebp, 3
        cmp ebp, 3
        jne .commit
        cmp qword [rdi + VCPU_guest_table_user], 0
        je .long
.commit:
        mov [rdi + VCPU_regs + REGS_rip], r11
        mov [rdi + VCPU_regs + REGS_rsp], rbx
        or edx, 3
        mov [rdi + VCPU_regs + REGS_cs], dx
        or esi, 3
        mov [rdi + VCPU_regs + REGS_ss], si
        mov rbx, [rdi + VCPU_info]
        bt ecx, X86_EFLAGS_IF_BIT
        setnc [rbx + 1]                 ; evtchn_upcall_mask
        and rcx, ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)
        or rcx, X86_EFLAGS_IF | X86_EFLAGS_ALWAYS
        mov [rdi + VCPU_regs + REGS_rflags], rcx
        test r10d, r10d
        jnz .in_syscall
.rest:
        mov [rdi + VCPU_regs + REGS_r11], r8
        mov [rdi + VCPU_regs + REGS_rcx], r9
        mov [rdi + VCPU_regs + REGS_entry_vector], r10d
        mov byte [rdi + VCPU_nmi_masked], 0
        mov byte [rdi + VCPU_in_multicall], 0 ; XSA-213: a list of hypercalls ends here
        cmp ebp, 3
        jne .done
        mov r8, [rdi + VCPU_guest_table_user]
        mov r9, [rdi + VCPU_cpu_stack]
        mov byte [rdi + VCPU_kernel_mode], 0
        LOAD_TABLE rdi, r8, r9
.done:
        pop rbp
        pop rbx
        RETURN
.in_syscall:                            ; RCX and R11 are free: SYSRET may be used
        mov r8, rcx
        mov r9, r11
        mov r10d, ENTRY_HYPERCALL
        jmp .rest
.fault:
        CLAC
.long:
        pop rbp
        pop rbx
        jmp pv_iret
