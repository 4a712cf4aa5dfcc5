/* SPDX-License-Identifier: MIT */
/* Between the files of hvm/. */
#ifndef HVM_HVM_H
#define HVM_HVM_H

#include <core/state/domain.h>
#include <hv/x86_insn.h>
#include <hvm/vmcb.h>
#include <parvis/loader_pvh.h>

/* --- entry.c --- */
/* entry.asm: the last thing before it runs. False: it may not, its CPU is to look again. */
bool __must_check hvm_before_entry(struct vcpu *v);

/* --- inject.c: what a guest is to see next --- */
/* What waits for v, as far as it takes it now. False: nothing, and it is halted. */
bool __must_check hvm_inject_pending(struct vcpu *v);
bool hvm_event_pending(const struct vcpu *v); /* guest_ops */
#define NO_CODE (~0u)
void hvm_inject_exception(struct vcpu *v, unsigned int vector, uint32_t code);
void hvm_inject_page_fault(struct vcpu *v, uint64_t cr2, uint32_t code);
void hvm_keep_event(struct vcpu *v);   /* what an exit interrupted on its way into the guest */
void hvm_triple_fault(struct vcpu *v); /* as a machine does at SHUTDOWN: it is reset */

/* --- instruction.c: the guest's, at RIP --- */
void hvm_skip(struct vcpu *v, unsigned int bytes); /* it is done, of so many bytes */
void hvm_go_on_at(struct vcpu *v, uint64_t rip);   /* it is done: that is the next */
unsigned int hvm_fetch(const struct vcpu *v, uint8_t code[X86_INSN_MAX]); /* how much there is */
unsigned int hvm_code_bits(const struct vcpu *v);                         /* 16, 32, 64 */
struct guest_paging hvm_paging(const struct vcpu *v);
gva_t hvm_linear(const struct vcpu *v, uint64_t base, uint64_t offset); /* in such a segment */
/* It is MOV to or from such a register of that number: its length, and the value, moved. 0: it is
 * not, or not any more; the domain ends. */
#define MOV_FROM_CR 0x20
#define MOV_TO_CR   0x22
#define MOV_TO_DR   0x23
unsigned int hvm_mov(struct vcpu *v, uint8_t opcode, unsigned int number, uint64_t *value);

/* --- exit.c --- */
void hvm_after_exit(struct vcpu *v);     /* entry.asm: why it does not run any more */
void hvm_set_intercepts(struct vcpu *v); /* what ends its runs */

/* --- exit_io.c: ports, and memory that is none --- */
void hvm_exit_port(struct vcpu *v);
void hvm_exit_npf(struct vcpu *v);

/* --- control_registers.c --- */
void hvm_exit_cr_write(struct vcpu *v); /* of CR4 or CR8 */
void hvm_exit_cr4_read(struct vcpu *v);
uint64_t hvm_cr4(const struct vcpu *v); /* as the guest wrote it */
void hvm_set_cr4(struct vcpu *v, uint64_t cr4);
/* The CPU may know what is not so any more: the state that it translates by was changed here. */
void hvm_forget_translations(struct vcpu *v);
void hvm_show_lme(struct vcpu *v); /* EFER.LME, as the VMCB may have it */

/* --- debugreg.c --- */
void hvm_exit_dr(struct vcpu *v);

/* --- cpuid.c, msr.c --- */
void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4]);
/* False: the guest gets #GP. */
bool hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *value);
bool hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t value);

/* --- hypercall.c --- */
void hvm_exit_vmmcall(struct vcpu *v);
/* What the guest wrote to the MSR. False: it gets #GP. */
bool hvm_write_hypercall_page(struct vcpu *v, uint64_t address);

/* --- upcall.c --- */
int hvm_upcall_vector(const struct vcpu *v); /* by which v is to be told of events now; -1: none */
bool hvm_is_callback(uint64_t via);          /* may HVM_PARAM_CALLBACK_IRQ be that? */

/* --- state.c: what a vCPU is in when it starts --- */
void hvm_reset_vcpu(struct vcpu *v);                    /* as INIT leaves it */
void hvm_start_real_mode(struct vcpu *v, uint8_t page); /* SIPI */
void hvm_start_pvh(struct vcpu *v, const struct loader_pvh_state *s);

/* --- console.c: the UART's line, on the guest's behalf --- */
int __must_check hvm_console_attach(struct domain *d, gfn_t ring, evtchn_port_t port);
void hvm_console_detach(struct domain *d);
bool hvm_console_pending(const struct vcpu *v); /* its other end told */
void hvm_console_look(struct vcpu *v);

static inline struct vmcb *vmcb_of(const struct vcpu *v)
{
    return v->arch.hvm.vmcb;
}

#endif
