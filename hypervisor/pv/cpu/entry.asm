; SPDX-License-Identifier: MIT
;
; The door of paravirtual guests: SYSCALL and SYSENTER in, which are hypercalls and system calls; SYSRET and IRETQ out.
;
; SYSCALL's stub (door.c) begins the frame in v->regs as an exception does (x86/entry.asm), and from there on things are the same:
; rbx = v, RSP = this_cpu(), SYSCALL's number for the "vector" of the frame. Who came by SYSCALL leaves by SYSRET unless something
; about his frame forbids it: whoever gives a frame that number gives it the flat selectors too, RIP as RCX and RFLAGS as R11.
;
; r12 to r15, which C functions keep, and neither a hypercall nor a system call changes in v->regs, are the guest's still when it is
; over: from pv_back on they are not loaded again.
;
; The exit by IRETQ works from a copy of the frame on the CPU's stack: if IRETQ faults (bad selectors, XSA-7's kin), v->regs is
; whole and the failsafe callback can be made from it.

%include "x86/entry.inc"
%include "pv/cpu/asm-offsets.inc"

default rel
extern resume_guest, pv_cpu_syscall, pv_hypercalls, pv_reissue, pv_handle_syscall, pv_handle_sysenter, pv_deliver_event, pv_iret_fault
extern isolate_guest, spec_ctrl_inside, spec_ctrl_outside, data_selector, clear_branch_history, __x86_indirect_thunk_r11

%define X86_EFLAGS_TF (1 << 8)
%define X86_EFLAGS_RF (1 << 16)

; What IRETQ takes, of rbx = v. rax is lost.
%macro PUSH_FRAME 0
        push qword [rbx + VCPU_regs + REGS_ss]
        push qword [rbx + VCPU_regs + REGS_rsp]
        push qword [rbx + VCPU_regs + REGS_rflags]
        movzx eax, word [rbx + VCPU_regs + REGS_cs]
        push rax
        push qword [rbx + VCPU_regs + REGS_rip]
%endmacro
%macro LOAD 1
        mov %1, [rbx + VCPU_regs + REGS_%1]
%endmacro

section .entry progbits alloc exec nowrite align=64

; ---- SYSCALL ----------------------------------------------------------------------------------------
; The CPU's stub has pushed SS, RSP and RFLAGS to v->regs; RCX is RIP. RFLAGS.IF, DF, AC, NT, TF are clear (FMASK).
global syscall_entry
syscall_entry:
        push GUEST_CS64
        push rcx
        push ENTRY_HYPERCALL
        SAVE_REGS
        TO_CPU_STACK
        cmp byte [rbx + VCPU_kernel_mode], 0
        je pv_cpu_syscall

        ; A hypercall: number in eax, arguments in rdi, rsi, rdx, r10, r8, r9. C meaning:
        ;     v->hc_nr = nr; rc = nr < NR_HYPERCALLS ? count(nr), pv_hypercalls.fn[nr](...) : -XEN_ENOSYS;
        ;     if (rc == -XEN_ERESTART) pv_reissue(v); else v->regs.rax = rc;
        mov rcx, r10
        cmp eax, NR_HYPERCALLS
        jae .unknown
        and eax, NR_HYPERCALLS - 1      ; for a CPU that runs ahead of the check
        inc qword [rbx + VCPU_hypercalls + rax * 8]
        mov [rbx + VCPU_hc_nr], eax
        mov qword [rsp + CPU_slice_end], 0 ; the slice begins at its first check
        lea r11, [pv_hypercalls]        ; .fn
        mov r11, [r11 + rax * 8]
        call __x86_indirect_thunk_r11
        cmp rax, -ERESTART
        je .again
.result:
        mov [rbx + VCPU_regs + REGS_rax], rax
global pv_back
pv_back:                                ; rsp = this_cpu(), rbx = v
        cmp dword [rsp + CPU_pending], 0
        jne resume_guest

; ---- the exit -----------------------------------------------------------------------------------------
; Looks once at the guest's events.
leave:
        mov rax, [rbx + VCPU_info]
        cmp byte [rax], 0               ; evtchn_upcall_pending: the guest may write any value
        jne .unless_masked
.no_event:
        cmp word [rbx + VCPU_nmi_pending], 1 ; pending, not masked
        je .deliver

        SPEC M(PTI) | OF_EXIT
        SPEC M(PTI)
        mov rdi, rsp
        call isolate_guest
        END_SPEC
        EXIT_MEASURES
        SPEC M(PTI)
        jmp .isolated
        END_SPEC
        END_SPEC
        cmp dword [rbx + VCPU_regs + REGS_entry_vector], ENTRY_HYPERCALL
        jne .iret
        ; SYSRET puts RCX to RIP and R11 to RFLAGS.
        ; XSA-7: RIP must be canonical, or SYSRET faults in the hypervisor on the guest's stack: bits 48 to 63 are as bit 47.
        mov rax, [rbx + VCPU_regs + REGS_rcx]
        sar rax, 48
        adc eax, 0
        jnz .iret
        test dword [rbx + VCPU_regs + REGS_rflags], X86_EFLAGS_RF | X86_EFLAGS_TF
        jnz .iret
        lea rsp, [rbx + VCPU_regs + REGS_rbp]
        EACH pop, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
        mov rsp, [rsp + REGS_rsp - REGS_error_code]
        CLEAR_BUFFERS
        o64 sysret

.iret:
        PUSH_FRAME
        EACH LOAD, rbp, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, rbx
        CLEAR_BUFFERS
iret_to_guest:
        iretq
        EXTABLE iret_to_guest, iret_faulted

; By IRETQ, from the door: rdi is the last register, as CR3 needs one.
leave.isolated:
        mov rdi, [rsp + CPU_isolated_cr3]
        mov qword [rsp + CPU_user_rsp], 0 ; it may be the kernel's, and this its program
        add rsp, CPU_door_top
        PUSH_FRAME
        push qword [rbx + VCPU_regs + REGS_rdi]
        EACH LOAD, rbp, r11, r10, r9, r8, rax, rcx, rdx, rsi, rbx
        CLEAR_BUFFERS
        mov cr3, rdi
        pop rdi
isolated_iret:
        iretq
        EXTABLE isolated_iret, iret_faulted

leave.unless_masked:
        cmp byte [rax + 1], 0           ; evtchn_upcall_mask
        jne leave.no_event
leave.deliver:
        mov rdi, rbx
        call pv_deliver_event
        jmp resume_guest

iret_faulted:                           ; the CPU's stack, below struct cpu; v->regs is untouched
        and rsp, -CPU_BLOCK_SIZE
        add rsp, CPU_OFFSET
        mov rdi, [rsp + CPU_cr3]        ; it may be isolated
        mov cr3, rdi
        SPEC M(IBRS)                    ; it is as EXIT_MEASURES had left it
        SET_SPEC_CTRL [rel spec_ctrl_inside]
        END_SPEC
        mov rdi, [rsp + CPU_running]
        call pv_iret_fault
        jmp resume_guest

; guest_ops.enter: rsp = this_cpu(), rbx = v, of which nothing is loaded
global pv_enter
pv_enter:
        EACH LOAD, r15, r14, r13, r12
        jmp leave

syscall_entry.unknown:
        mov [rbx + VCPU_hc_nr], eax
        mov rax, -ENOSYS
        jmp syscall_entry.result
syscall_entry.again:
        mov rdi, rbx
        call pv_reissue
        jmp resume_guest
global syscall_long_way
syscall_long_way:
        mov esi, CALLBACKTYPE_syscall
handle_syscall:
        mov rdi, rbx
        call pv_handle_syscall
        jmp pv_back

; SYSCALL from compatibility mode: the stub as above.
global syscall32_entry
syscall32_entry:
        push GUEST_CS32
        push rcx
        push 0
        SAVE_REGS
        TO_CPU_STACK
        mov esi, CALLBACKTYPE_syscall32
        jmp handle_syscall

; SYSENTER: the CPU clears RFLAGS.IF and VM alone, and knows neither RIP nor RSP of the guest. RSP = &tss.rsp0.
; XSA-44: NT, TF and the rest of the guest's flags go at once. TF makes a #DB before each instruction until the guest's flags are
; saved, with TF among them; then the #DB's handler clears it. The section says which instructions those are (x86/fault.c).
section .entry.guest_flags progbits alloc exec nowrite align=1
global sysenter_entry
sysenter_entry:
        mov rsp, [rsp]
        push GUEST_SS
        push 0
        pushfq
        jmp sysenter_flags_saved
section .entry
sysenter_flags_saved:
        or qword [rsp], 1 << 9
        push GUEST_CS32
        push 0
        push 0
        SAVE_REGS
        cld
        FROM_DOOR_TO_CPU_STACK
        push 2
        popfq
        mov rdi, rbx
        call pv_handle_sysenter
        jmp pv_back

; Two stubs of 64 bytes a CPU (SYSCALL from 64-bit and from compatibility mode): door.c writes them.
        align 64
global syscall_stubs
syscall_stubs:
        times NR_CPUS * SYSCALL_STUBS_SIZE db 0xcc
