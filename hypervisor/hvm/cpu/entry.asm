; SPDX-License-Identifier: MIT
;
; Into a fully virtualized guest, and out of it: VMRUN.
;
; The general registers are in v->regs as for every kind; RAX, RSP, RIP and RFLAGS go through the VMCB, and C moves them
; (hvm/inject.c, hvm/exit.c). VMRUN keeps the machine's own control registers, segments and RSP; what it does not keep (FS, GS, TR,
; LDTR, the MSRs of SYSCALL and SYSENTER) VMLOAD brings back, from what this CPU's VMSAVE wrote when it started.
;
; GIF is clear from before the guest's state is loaded until the machine's own is back. Interrupts of the machine are open (RFLAGS.IF)
; while the guest runs: one that comes ends the run, and is taken between STGI and CLI, as in the idle loop. QEMU's VMRUN notes a virtual
; interrupt in a word where another thread notes those of the machine, and takes no lock: one of these may be lost. It stays in the local
; APIC, which tells the CPU again when CR8 is written.

%include "x86/entry.inc"
%include "hvm/cpu/asm-offsets.inc"

default rel
extern resume_guest, hvm_before_entry, hvm_after_exit, spec_ctrl_inside, spec_ctrl_outside, data_selector, clear_branch_history

section .entry progbits alloc exec nowrite align=64

; guest_ops.enter: rsp = this_cpu(), rbx = v. What was raised for this CPU meanwhile comes first.
global hvm_enter
hvm_enter:
        mov rdi, rbx
        call hvm_before_entry
        test al, al
        jz resume_guest
        cmp dword [rsp + CPU_pending], 0
        jne resume_guest
        push rbx
        EXIT_MEASURES
        clgi
        sti
        mov rax, [rbx + VCPU_hvm_vmcb]
        vmload
%macro LOAD 1
        mov %1, [rbx + VCPU_regs + REGS_%1]
%endmacro
        EACH LOAD, r15, r14, r13, r12, rbp, r11, r10, r9, r8, rcx, rdx, rsi, rdi, rbx
        CLEAR_BUFFERS
        vmrun                           ; rax
        vmsave
        xchg rbx, [rsp]
%macro STORE 1
        mov [rbx + VCPU_regs + REGS_%1], %1
%endmacro
        EACH STORE, r15, r14, r13, r12, rbp, r11, r10, r9, r8, rcx, rdx, rsi, rdi
        pop qword [rbx + VCPU_regs + REGS_rbx]
        ENTRY_MEASURES
        mov rax, [rbx + VCPU_hvm_host]
        vmload
        xor ebp, ebp                    ; backtraces end here
        mov cr8, rbp                    ; as it is: says again what interrupt waits
        stgi
        nop
        cli
        mov rdi, rbx
        call hvm_after_exit
        jmp resume_guest
