; SPDX-License-Identifier: MIT
;
; The ways from a guest into the hypervisor and back (docs/architecture.md).
;
; A guest's registers live in struct vcpu. The CPU pushes an exception's frame straight to the end of v->regs (TSS.rsp0),
; SYSCALL's stub (descriptors.c) does the same by hand, SAVE_REGS pushes the rest below: then RSP = &v->regs, and that is v. Only now
; comes the CPU's own stack, empty, with struct cpu just above it: between calls of C functions here, RSP = this_cpu().
; Nothing is kept on it across the exit, so a context switch only changes cpu->running.
;
; Here: rbx = the vCPU (C functions keep it). Trust: nothing that a guest's register holds; its RFLAGS.AC and DF are cleared before C
; runs. The exit by IRETQ works from a copy of the frame on the CPU's stack: if IRETQ faults (bad selectors, XSA-7's kin), v->regs
; is whole and the failsafe callback can be made from it.

%include "entry.inc"

default rel
extern pv_hypercalls, hypercall_reissue, cpu_do_pending, machine_idle
extern pv_handle_page_fault, pv_handle_trap, pv_handle_syscall, pv_handle_syscall32, pv_handle_sysenter
extern pv_deliver_event, handle_iret_fault, handle_guest_ist, handle_hv_exception, handle_interrupt

%define X86_EFLAGS_TF (1 << 8)
%define X86_EFLAGS_RF (1 << 16)

section .entry progbits alloc exec nowrite align=64

; rsp = &v->regs -> rbx = v, the CPU's stack
%macro TO_CPU_STACK 0
        lea rbx, [rsp - VCPU_regs]
        mov rsp, [rbx + VCPU_cpu_stack]
        xor ebp, ebp                    ; backtraces end here
%endmacro

; ---- SYSCALL ----------------------------------------------------------------------------------------
; The CPU's stub has pushed SS, RSP and RFLAGS to v->regs; RCX is RIP. RFLAGS.IF, DF, AC, NT, TF are clear (FMASK).
global syscall_entry
syscall_entry:
        push GUEST_CS64
        push rcx
        push -1                         ; ENTRY_HYPERCALL
        SAVE_REGS
        TO_CPU_STACK
        mov ecx, [rbx + VCPU_flags]
        mov edx, ecx
        or edx, VF_IN_SYSCALL
        mov [rbx + VCPU_flags], edx
        test ecx, VF_KERNEL_MODE
        jz .user

        ; A hypercall: number in eax, arguments in rdi, rsi, rdx, r10, r8, r9. C meaning:
        ;     v->hc_nr = nr; rc = nr < NR_HYPERCALLS ? pv_hypercalls.fn[nr](...) : -XEN_ENOSYS;
        ;     if (rc == -XEN_ERESTART) hypercall_reissue(v); else v->regs.rax = rc;
        mov rdx, [rbx + VCPU_regs + REGS_rdx]
        mov eax, eax
        mov rcx, r10
        cmp rax, NR_HYPERCALLS
        jae .unknown
        sbb r11, r11                    ; speculation past the check sees number 0
        and rax, r11
        mov [rbx + VCPU_hc_nr], eax
        mov qword [rsp + CPU_slice_end], 0 ; the slice begins at its first check
        lea r11, [pv_hypercalls]      ; .fn
        call [r11 + rax * 8]
        cmp rax, -ERESTART
        je .again
.result:
        mov [rbx + VCPU_regs + REGS_rax], rax

; ---- the exit -----------------------------------------------------------------------------------------
; rsp = this_cpu(). Looks once at what the CPU has to do, once at the guest's events.
global return_to_guest
return_to_guest:
        cmp dword [rsp + CPU_pending], 0
        jne .pending
        mov rbx, [rsp + CPU_running]
.look:
        mov rax, [rbx + VCPU_info]
        movzx eax, word [rax]           ; evtchn_upcall_pending, evtchn_upcall_mask
        dec eax                         ; pending and not masked: below 0xff (the guest may write any value)
        cmp eax, 0xff
        jb .deliver
        cmp word [rbx + VCPU_nmi_pending], 1 ; pending, not masked
        je .deliver

        test dword [rbx + VCPU_flags], VF_IN_SYSCALL
        jz .iret
        ; SYSRET puts RCX to RIP and R11 to RFLAGS; both are the guest's to lose here.
        ; XSA-7: RIP must be canonical, or SYSRET faults in the hypervisor on the guest's stack.
        mov rcx, [rbx + VCPU_regs + REGS_rip]
        mov r11, [rbx + VCPU_regs + REGS_rflags]
        mov rax, rcx
        shl rax, 16
        sar rax, 16
        cmp rax, rcx
        jne .iret_syscall
        cmp word [rbx + VCPU_regs + REGS_cs], GUEST_CS64
        jne .iret_syscall
        cmp word [rbx + VCPU_regs + REGS_ss], GUEST_SS
        jne .iret_syscall
        test r11d, X86_EFLAGS_RF | X86_EFLAGS_TF
        jnz .iret_syscall
        lea rsp, [rbx + VCPU_regs]
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        pop r10                         ; R11's slot
        pop r10
        pop r9
        pop r8
        pop rax
        pop rdx                         ; RCX's slot
        pop rdx
        pop rsi
        pop rdi
        mov rsp, [rsp + REGS_rsp - REGS_error_code]
        o64 sysret

.iret_syscall:
        mov [rbx + VCPU_regs + REGS_rcx], rcx
        mov [rbx + VCPU_regs + REGS_r11], r11
.iret:
        push qword [rbx + VCPU_regs + REGS_ss]
        push qword [rbx + VCPU_regs + REGS_rsp]
        push qword [rbx + VCPU_regs + REGS_rflags]
        movzx eax, word [rbx + VCPU_regs + REGS_cs]
        push rax
        push qword [rbx + VCPU_regs + REGS_rip]
        mov r15, [rbx + VCPU_regs + REGS_r15]
        mov r14, [rbx + VCPU_regs + REGS_r14]
        mov r13, [rbx + VCPU_regs + REGS_r13]
        mov r12, [rbx + VCPU_regs + REGS_r12]
        mov rbp, [rbx + VCPU_regs + REGS_rbp]
        mov r11, [rbx + VCPU_regs + REGS_r11]
        mov r10, [rbx + VCPU_regs + REGS_r10]
        mov r9, [rbx + VCPU_regs + REGS_r9]
        mov r8, [rbx + VCPU_regs + REGS_r8]
        mov rax, [rbx + VCPU_regs + REGS_rax]
        mov rcx, [rbx + VCPU_regs + REGS_rcx]
        mov rdx, [rbx + VCPU_regs + REGS_rdx]
        mov rsi, [rbx + VCPU_regs + REGS_rsi]
        mov rdi, [rbx + VCPU_regs + REGS_rdi]
        mov rbx, [rbx + VCPU_regs + REGS_rbx]
iret_to_guest:
        iretq
        EXTABLE iret_to_guest, iret_faulted

iret_faulted:                           ; the CPU's stack, below struct cpu; v->regs is untouched
        and rsp, -CPU_BLOCK_SIZE
        add rsp, CPU_OFFSET
        mov rdi, [rsp + CPU_running]
        call handle_iret_fault
        jmp return_to_guest

return_to_guest.pending:
        call cpu_do_pending
        mov rbx, [rsp + CPU_running]
        cmp rbx, [rsp + CPU_idle]
        jne return_to_guest
        call machine_idle               ; nobody to run: does not return

return_to_guest.deliver:
        mov rdi, rbx
        call pv_deliver_event
        jmp return_to_guest

; void enter_guest(void): leaves the C stack of the idle loop for whoever cpu->running is now
global enter_guest
enter_guest:
        and rsp, -CPU_BLOCK_SIZE
        add rsp, CPU_OFFSET
        jmp return_to_guest

syscall_entry.unknown:
        mov [rbx + VCPU_hc_nr], eax
        mov rax, -ENOSYS
        jmp syscall_entry.result
syscall_entry.again:
        mov rdi, rbx
        call hypercall_reissue
        jmp return_to_guest
syscall_entry.user:
        mov rdi, rbx
        call pv_handle_syscall
        jmp return_to_guest

; SYSCALL from compatibility mode: the stub as above.
global syscall32_entry
syscall32_entry:
        push GUEST_CS32
        push rcx
        push 0
        SAVE_REGS
        TO_CPU_STACK
        and dword [rbx + VCPU_flags], ~VF_IN_SYSCALL
        mov rdi, rbx
        call pv_handle_syscall32
        jmp return_to_guest

; SYSENTER: the CPU clears RFLAGS.IF and VM alone, and knows neither RIP nor RSP of the guest. RSP = &tss.rsp0.
; XSA-44: NT, TF and the rest of the guest's flags go at once. TF makes a #DB before each instruction until the guest's flags are
; saved, with TF among them; then handle_hv_exception clears it.
global sysenter_entry, sysenter_flags_saved
sysenter_entry:
        mov rsp, [rsp]
        push GUEST_SS
        push 0
        pushfq
sysenter_flags_saved:
        or qword [rsp], 1 << 9
        push GUEST_CS32
        push 0
        push 0
        SAVE_REGS
        TO_CPU_STACK
        push 2
        popfq
        and dword [rbx + VCPU_flags], ~VF_IN_SYSCALL
        mov rdi, rbx
        call pv_handle_sysenter
        jmp return_to_guest

; ---- exceptions and interrupts -------------------------------------------------------------------------
; [rsp] = error code, vector (4 bytes each); then the frame that the CPU pushed. In the hypervisor itself the frame is on its stack.

%macro GUEST_ENTRY 0
        SAVE_REGS
        CLAC
        cld
        TO_CPU_STACK
        and dword [rbx + VCPU_flags], ~VF_IN_SYSCALL
%endmacro

page_fault_common:
        test byte [rsp + REGS_cs - REGS_error_code], 3
        jz hv_exception
        GUEST_ENTRY
        mov rdi, rbx
        mov rsi, cr2
        call pv_handle_page_fault
        jmp return_to_guest

exception_common:
        test byte [rsp + REGS_cs - REGS_error_code], 3
        jz hv_exception
        GUEST_ENTRY
        mov rdi, rbx
        call pv_handle_trap
        jmp return_to_guest

interrupt_common:
        test byte [rsp + REGS_cs - REGS_error_code], 3
        jz .idle
        GUEST_ENTRY
        mov edi, [rbx + VCPU_regs + REGS_entry_vector]
        call handle_interrupt
        jmp return_to_guest
.idle:                                  ; interrupts are on in the idle loop alone
        SAVE_REGS
        cld
        mov rbp, rsp
        mov edi, [rsp + REGS_entry_vector]
        and rsp, -16
        call handle_interrupt
        mov rsp, rbp
        jmp restore_hv

; NMI, #DF, #MC, #DB have stacks of their own, in the same block. From the guest: the frame moves to v->regs.
ist_common:
        test byte [rsp + REGS_cs - REGS_error_code], 3
        jz hv_exception
        push rax
        push rbx
        mov rax, rsp
        and rax, -CPU_BLOCK_SIZE
        mov rbx, [rax + CPU_OFFSET + CPU_running]
        lea rbx, [rbx + VCPU_regs + REGS_error_code]
%assign word 0
%rep 6
        mov rax, [rsp + 16 + word * 8]
        mov [rbx + word * 8], rax
%assign word word + 1
%endrep
        mov [rsp + 16], rbx
        pop rbx
        pop rax
        pop rsp
        GUEST_ENTRY
        mov rdi, rbx
        call handle_guest_ist
        jmp return_to_guest

hv_exception:
        SAVE_REGS
        CLAC
        cld
        mov rbx, rsp
        mov rdi, rsp
        and rsp, -16
        call handle_hv_exception
        mov rsp, rbx
restore_hv:
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        pop r11
        pop r10
        pop r9
        pop r8
        pop rax
        pop rcx
        pop rdx
        pop rsi
        pop rdi
        add rsp, 8
        iretq

; One stub a vector, 16 bytes each, so that the IDT is filled from one address.
%define HAS_ERROR_CODE (1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)
%define OWN_STACK (1 << 1 | 1 << 2 | 1 << 8 | 1 << 18)

        align 16
global vector_stubs
vector_stubs:
%assign vector 0
%rep 256
        align 16
  %if vector >= 32 || ((HAS_ERROR_CODE >> vector) & 1) == 0
        push 0
  %endif
        mov dword [rsp + 4], vector
  %if vector >= 32
        jmp interrupt_common
  %elif (OWN_STACK >> vector) & 1
        jmp ist_common
  %elif vector == 14
        jmp page_fault_common
  %else
        jmp exception_common
  %endif
%assign vector vector + 1
%endrep

; Two stubs of 32 bytes a CPU (SYSCALL from 64-bit and from compatibility mode): descriptors.c writes them.
        align 64
global syscall_stubs
syscall_stubs:
        times 64 * 64 db 0xcc
