; SPDX-License-Identifier: MIT
;
; The ways into the hypervisor that every kind of guest has: exceptions and interrupts; and the way back (docs/architecture.md).
;
; A guest's registers live in struct vcpu. In ring 3 the CPU pushes an exception's frame straight to the end of v->regs (TSS.rsp0),
; SAVE_REGS pushes the rest below: then RSP = &v->regs, and that is v. Only now comes the CPU's own stack, empty, with struct cpu
; just above it: between calls of C functions here, RSP = this_cpu(). Nothing is kept on it across the exit, so a context switch
; only changes cpu->running.
;
; What an exception of a guest's means, and how a guest is entered, is for its kind to say (struct guest_ops). Here: rbx = the vCPU
; (C functions keep it). Trust: nothing that a guest's register holds; its RFLAGS.AC and DF are cleared before C runs.

%include "x86/entry.inc"

default rel
extern cpu_do_pending, machine_idle, handle_guest_ist, handle_hv_exception, handle_interrupt
extern spec_ctrl_inside, data_selector, clear_branch_history, __x86_indirect_thunk_rax

section .entry progbits alloc exec nowrite align=64

; %1 = the operations of the kind of guest that rbx is
%macro KIND 1
        mov %1, [rbx + VCPU_domain]
        mov %1, [%1 + DOMAIN_ops]
%endmacro

; ---- the exit -----------------------------------------------------------------------------------------
; rsp = this_cpu(). Looks at what the CPU has to do, then enters whoever runs now the way that its kind does. A flush that is asked
; for behind the first look is left to the interrupt that comes with it (core/guest/exit_work.c): the others have their turn then too.
global resume_guest
resume_guest:
        cmp dword [rsp + CPU_pending], 0
        jne .pending
.enter:
        mov rbx, [rsp + CPU_running]
        KIND rax
        mov rax, [rax + OPS_enter]
        jmp __x86_indirect_thunk_rax
.pending:
        call cpu_do_pending
        mov rbx, [rsp + CPU_running]
        cmp rbx, [rsp + CPU_idle]
        je .idle
        test dword [rsp + CPU_pending], ~CPU_WORK_FLUSHES
        jz .enter
        jmp .pending
.idle:
        call machine_idle               ; nobody to run: does not return

; void enter_guest(void): leaves the C stack of the idle loop for whoever cpu->running is now
global enter_guest
enter_guest:
        and rsp, -CPU_BLOCK_SIZE
        add rsp, CPU_OFFSET
        jmp resume_guest

; ---- exceptions and interrupts -------------------------------------------------------------------------
; [rsp] = error code, vector (4 bytes each); then the frame that the CPU pushed. In the hypervisor itself the frame is on its stack.

; %1 = how to get to the CPU's stack
%macro GUEST_ENTRY 1
        SAVE_REGS
        CLAC
        cld
        %1
%endmacro

; What the kind's operation %1 makes of it; then back, by the short way where nothing waits: it is the same guest.
%macro EXCEPTION 1
        test byte [rsp + REGS_cs - REGS_error_code], 3
        jz hv_exception
        GUEST_ENTRY FROM_DOOR_TO_CPU_STACK
        KIND r12
  %if %1 == OPS_page_fault
        mov rsi, cr2
  %endif
        mov rdi, rbx
        mov rax, [r12 + %1]
        call __x86_indirect_thunk_rax
        cmp dword [rsp + CPU_pending], 0
        jne resume_guest
        mov rax, [r12 + OPS_enter]
        jmp __x86_indirect_thunk_rax
%endmacro

page_fault_common:
        EXCEPTION OPS_page_fault
exception_common:
        EXCEPTION OPS_exception

interrupt_common:
        test byte [rsp + REGS_cs - REGS_error_code], 3
        jz .idle
        GUEST_ENTRY FROM_DOOR_TO_CPU_STACK
        mov edi, [rbx + VCPU_regs + REGS_entry_vector]
        call handle_interrupt
        jmp resume_guest
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
        mov rbx, [rax + CPU_OFFSET + CPU_cr3] ; it may be isolated
        mov cr3, rbx
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
        GUEST_ENTRY TO_CPU_STACK
        mov rdi, rbx
        call handle_guest_ist
        jmp resume_guest

; On the stack that it came to; at the door (an IRETQ to a guest faulted) on the CPU's own, which is empty. CR3 may be the isolated
; one: on the first and last steps of a way in or out.
hv_exception:
        SAVE_REGS
        CLAC
        cld
        mov rbx, rsp
        mov rdi, rsp
        mov rsi, rsp
        and rsi, -CPU_BLOCK_SIZE
        add rsi, CPU_OFFSET
        mov r12, cr3
        mov r13, [rsi + CPU_cr3]
        cmp r12, r13
        je .mapped
        mov cr3, r13
.mapped:
        SPEC M(IBRS)                    ; an NMI comes behind EXIT_MEASURES too
        mov ecx, MSR_SPEC_CTRL
        rdmsr
        mov r14d, eax
        SET_SPEC_CTRL [rel spec_ctrl_inside]
        END_SPEC
        SPEC M(IBPB_ENTRY)              ; or before ENTRY_MEASURES
        BARRIER
        END_SPEC
        SPEC M(BHB_ENTRY)
        call clear_branch_history
        END_SPEC
        cmp rsp, rsi
        cmova rsp, rsi
        and rsp, -16
        call handle_hv_exception
        mov rsp, rbx
        SPEC M(IBRS)                    ; what was behind them stays so
        SET_SPEC_CTRL r14d
        END_SPEC
        SCRUB_DIVIDER
        CLEAR_BUFFERS
        cmp r12, r13
        je restore_hv
        mov cr3, r12
restore_hv:
        EACH pop, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
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
