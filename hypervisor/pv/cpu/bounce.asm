; SPDX-License-Identifier: MIT
;
; Into the kernel of a paravirtual guest, and back by its iret hypercall, by the short way.
;
; Each exception, event and system call of a guest takes both, so they are written out here: what pv_handle_syscall() and pv_bounce()
; (pv/bounce.c) and pv_iret() (pv/iret.c) do where nothing is special, in their order. What is special, or faults, is left to them:
; until then nothing has changed that they do not make anew. The oracles and fuzzers know those; the guest tests run both ways.

%include "x86/entry.inc"
%include "pv/cpu/asm-offsets.inc"

default rel
extern pv_bounce, pv_iret, pv_back, syscall_long_way, __x86_return_thunk

%define X86_EFLAGS_IF_BIT 9
%define FRAME_BYTES (7 * 8)     ; rcx, r11, rip, cs and mask, rflags, rsp, ss; an error code is another word, behind r11
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

; A frame's place below r10, which is aligned: from r8 on, where a kernel's stack is, in the upper half. edx = flags of the bounce,
; r9 = this_cpu(). rax is lost.
%macro PLACE_FRAME 0
        and r10, -16
        mov eax, edx
        and eax, BOUNCE_ERROR_CODE
        lea r8, [r10 - FRAME_BYTES]
        sub r8, rax
        mov rax, r8
        neg rax
        cmp rax, FRAME_BYTES            ; it does not go on at 0
        jb pv_bounce
        cmp [r9 + CPU_guest_top], rax
        jb pv_bounce
        sbb rax, rax                    ; a CPU that runs ahead of that (port/nospec.h) writes at the end of all addresses
        or r8, rax
        or r10, rax
%endmacro

section .entry progbits alloc exec nowrite align=64

; From syscall_entry, of user mode: rbx = v, rsp = this_cpu()
global pv_cpu_syscall
pv_cpu_syscall:
        mov rsi, [rbx + VCPU_syscall_callback]
        movzx edx, byte [rbx + VCPU_syscall_disables_events] ; BOUNCE_MASK_EVENTS
        test rsi, rsi
        jz syscall_long_way
        inc qword [rbx + VCPU_syscalls]
        mov rdi, rbx
        call pv_cpu_bounce
        jmp pv_back

; void pv_cpu_bounce(struct vcpu *v, gva_t handler, unsigned int flags, uint32_t error_code)
global pv_cpu_bounce
pv_cpu_bounce:
        mov rax, [rdi + VCPU_domain]
        mov r9, [rdi + VCPU_cpu_stack]
        movzx r11d, word [rdi + VCPU_regs + REGS_cs]
        test dword [rax + DOMAIN_vm_assist], ARCHITECTURAL_IOPL
        jnz pv_bounce
        cmp byte [rdi + VCPU_kernel_mode], 0
        je .of_user_mode
        mov r10, [rdi + VCPU_regs + REGS_rsp]
        PLACE_FRAME
        and r11d, ~3
.write:
        mov rax, [rdi + VCPU_info]
        mov r9, [rdi + VCPU_regs + REGS_rflags]
        movzx eax, byte [rax + 1]       ; evtchn_upcall_mask
        and r9d, ~(X86_EFLAGS_IOPL | X86_EFLAGS_IF)
        test eax, eax
        jnz .masked
        or r9d, X86_EFLAGS_IF           ; it is the virtual one
.masked:
        STAC
        OR_ELSE .undo
        mov [r10 - 28], eax             ; behind CS
        mov eax, ecx
        OR_ELSE .undo
        mov [r10 - 48], rax             ; the error code's word, or R11's
        mov rax, [rdi + VCPU_regs + REGS_r11]
        OR_ELSE .undo
        mov [r8 + 8], rax
        mov rax, [rdi + VCPU_regs + REGS_rcx]
        OR_ELSE .undo
        mov [r8], rax
        mov rax, [rdi + VCPU_regs + REGS_rip]
        OR_ELSE .undo
        mov [r10 - 40], rax
        OR_ELSE .undo
        mov [r10 - 32], r11d
        OR_ELSE .undo
        mov [r10 - 24], r9
        mov rax, [rdi + VCPU_regs + REGS_rsp]
        OR_ELSE .undo
        mov [r10 - 16], rax
        movzx eax, word [rdi + VCPU_regs + REGS_ss]
        OR_ELSE .undo
        mov [r10 - 8], rax
        CLAC
        test dl, BOUNCE_MASK_EVENTS
        jz .events_as_they_were
        mov rax, [rdi + VCPU_info]
        mov byte [rax + 1], 1
.events_as_they_were:
        mov [rdi + VCPU_regs + REGS_rsp], r8
        mov word [rdi + VCPU_regs + REGS_ss], KERNEL_SS
        mov word [rdi + VCPU_regs + REGS_cs], KERNEL_CS
        mov [rdi + VCPU_regs + REGS_rip], rsi
        mov rax, [rdi + VCPU_regs + REGS_rflags]
        and rax, ~FLAGS_CLEARED_BY_BOUNCE
        mov [rdi + VCPU_regs + REGS_rflags], rax
        mov [rdi + VCPU_regs + REGS_rcx], rsi ; the frame has what was there: SYSRET may be used
        mov [rdi + VCPU_regs + REGS_r11], rax
        mov dword [rdi + VCPU_regs + REGS_entry_vector], ENTRY_HYPERCALL
        RETURN
.of_user_mode:
        cmp byte [rdi + VCPU_areas_stale], 0
        jne pv_bounce
        mov r10, [rdi + VCPU_kernel_sp]
        PLACE_FRAME
        mov rax, [rdi + VCPU_guest_table]
        mov byte [rdi + VCPU_kernel_mode], 1
        LOAD_TABLE rdi, rax, r9
        jmp .write
.undo:
        CLAC
        test r11d, 3                    ; the kernel's are away
        jz pv_bounce
        mov rax, [rdi + VCPU_guest_table_user]
        mov r9, [rdi + VCPU_cpu_stack]
        mov byte [rdi + VCPU_kernel_mode], 0
        LOAD_TABLE rdi, rax, r9
        jmp pv_bounce

; long do_iret(void), on the CPU's stack
; RCX and R11 of v are no one's: SYSCALL has left RIP and RFLAGS there. What the frame has for them goes there at once.
global do_iret
do_iret:
        mov r11, rsp
        and r11, -CPU_BLOCK_SIZE
        mov rdi, [r11 + CPU_OFFSET + CPU_running]
        mov rax, [rdi + VCPU_domain]
        mov rsi, [rdi + VCPU_regs + REGS_rsp]
        test dword [rax + DOMAIN_vm_assist], ARCHITECTURAL_IOPL
        jnz pv_iret
        mov rax, rsi
        neg rax
        cmp rax, IRET_BYTES
        jb pv_iret
        cmp [r11 + CPU_OFFSET + CPU_guest_top], rax
        jb pv_iret
        sbb rax, rax                    ; and reads there
        or rsi, rax
        STAC
        OR_ELSE .fault
        mov rax, [rsi + 8]
        mov [rdi + VCPU_regs + REGS_r11], rax
        OR_ELSE .fault
        mov rax, [rsi + 16]
        mov [rdi + VCPU_regs + REGS_rcx], rax
        OR_ELSE .fault
        mov rax, [rsi]
        OR_ELSE .fault
        mov r10, [rsi + 24]
        OR_ELSE .fault
        mov r9, [rsi + 32]
        OR_ELSE .fault
        movzx edx, word [rsi + 40]
        OR_ELSE .fault
        mov rcx, [rsi + 48]
        OR_ELSE .fault
        mov r8, [rsi + 56]
        OR_ELSE .fault
        movzx esi, word [rsi + 64]
        CLAC

        mov r11d, edx
        not r11d
        test r11b, 3                    ; zero: to user mode
        jnz .commit
        cmp qword [rdi + VCPU_guest_table_user], 0
        je pv_iret
.commit:
        mov [rdi + VCPU_regs + REGS_rip], r9
        mov [rdi + VCPU_regs + REGS_rsp], r8
        or edx, 3
        mov [rdi + VCPU_regs + REGS_cs], dx
        or esi, 3
        mov [rdi + VCPU_regs + REGS_ss], si
        mov r8, [rdi + VCPU_info]
        bt ecx, X86_EFLAGS_IF_BIT
        setnc [r8 + 1]                  ; evtchn_upcall_mask
        and rcx, ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM)
        or rcx, X86_EFLAGS_IF | X86_EFLAGS_ALWAYS
        mov [rdi + VCPU_regs + REGS_rflags], rcx
        and r10d, VGCF_in_syscall
        jnz .in_syscall
.rest:
        mov [rdi + VCPU_regs + REGS_entry_vector], r10d
        mov word [rdi + VCPU_nmi_masked], 0 ; and in_multicall. XSA-213: a list of hypercalls ends here
        test r11b, 3
        jnz .done
        mov r8, [rdi + VCPU_guest_table_user]
        mov r9, [rdi + VCPU_cpu_stack]
        mov byte [rdi + VCPU_kernel_mode], 0
        LOAD_TABLE rdi, r8, r9
.done:
        RETURN
.in_syscall:                            ; RCX and R11 are free: SYSRET may be used, if selectors fit
        mov [rdi + VCPU_regs + REGS_r11], rcx
        mov [rdi + VCPU_regs + REGS_rcx], r9
        xor r10d, r10d
        cmp edx, GUEST_CS64
        jne .rest
        cmp esi, GUEST_SS
        jne .rest
        mov r10d, ENTRY_HYPERCALL
        jmp .rest
.fault:
        CLAC
        jmp pv_iret
