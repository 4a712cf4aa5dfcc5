/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that are the machine's business.
 *
 * In the hypervisor an exception is either expected (the instruction has an entry in the exception
 * table, which says where to go on: guest copies, segment loads, MSRs, IRETQ) or a bug: registers,
 * calls, end. There is no third way, and no guest can make it happen. In a guest only those with a
 * stack of their own come here (NMI, #DF, #MC, #DB); all others go straight to pv/.
 */
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <hv/x86_bits.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <pv/mm.h>

#include "insn.h"
#include "percpu.h"
#include "x86.h"

enum { VECTOR_DB = 1, VECTOR_NMI = 2, VECTOR_DF = 8, VECTOR_PF = 14, VECTOR_MC = 18 };

void handle_hv_exception(struct cpu_user_regs *regs);
void handle_guest_ist(struct vcpu *v);
void handle_iret_fault(struct vcpu *v);

/* Entries: offset of the instruction, offset of where to go on; each from its own place. */
static bool fix_up(struct cpu_user_regs *regs)
{
    extern int32_t extable_start[], extable_end[];

    for (int32_t *e = extable_start; e < extable_end; e += 2) {
        if ((uint64_t)&e[0] + (uint64_t)(int64_t)e[0] == regs->rip) {
            regs->rip = (uint64_t)&e[1] + (uint64_t)(int64_t)e[1];
            return true;
        }
    }
    return false;
}

/* The hypervisor loads a guest's selector whose LDT page is not there yet: it is brought in as for
 * the guest itself. */
static bool ldt_page_wanted(uint64_t cr2)
{
    struct vcpu *v = this_cpu()->arch.loaded;
    uint64_t ldt;

    if (!v || v != current)
        return false;
    ldt = perdomain_area(v) + PERDOMAIN_LDT_OFFSET;
    return cr2 >= ldt && cr2 - ldt < PERDOMAIN_LDT_BYTES &&
           pv_map_ldt_page(v, (unsigned int)(cr2 - ldt));
}

/* Port 0x61 says why, on PCs: bit 7 memory parity, bit 6 an I/O card. */
#define NMI_REASON 0x61
#define NMI_SEEN   0x100u

static uint32_t nmi_waiting; /* NMI_SEEN | reason of one that is still to be said */

/* What it interrupts may hold any lock, the log's among them, so it is said later. */
static void handle_hv_nmi(struct cpu_user_regs *regs)
{
    nmi_waiting = NMI_SEEN | inb(NMI_REASON);
    /* Race: between STI and HLT of the idle loop an interrupt that came would be taken before HLT,
     * which then sleeps over it. */
    if ((regs->rflags & X86_EFLAGS_IF) && *(const uint8_t *)regs->rip == 0xf4)
        regs->rip++;
}

void report_nmi(void)
{
    uint32_t reason = __atomic_exchange_n(&nmi_waiting, 0, __ATOMIC_RELAXED);

    if (reason)
        log_warning("NMI in the hypervisor, reason %#x", reason & 0xff);
}

/* SYSENTER changes no TF, and its entry has not saved the guest's flags yet. */
static bool in_sysenter(uint64_t rip)
{
    extern char sysenter_entry[], sysenter_flags_saved[];

    return rip >= (uint64_t)sysenter_entry && rip < (uint64_t)sysenter_flags_saved;
}

void handle_hv_exception(struct cpu_user_regs *regs)
{
    unsigned int vector = regs->entry_vector;

    switch (vector) {
    case VECTOR_NMI:
        handle_hv_nmi(regs);
        return;
    case VECTOR_DB:
        /* XSA-260, XSA-204: a #DB that MOV SS held back, or TF across SYSENTER: arrives here
         * instead of in the guest; harmless. */
        write_dr6(X86_DR6_DEFAULT);
        if (!in_sysenter(regs->rip))
            regs->rflags &= ~X86_EFLAGS_TF;
        return;
    case VECTOR_DF:
    case VECTOR_MC:
        break;
    case VECTOR_PF:
        if (ldt_page_wanted(read_cr2()))
            return;
        /* fall through */
    default:
        if (fix_up(regs))
            return;
    }
    ignore_locks();
    console_queue(false);
    log_error("%s in the hypervisor, error code %#x", exception_name(vector), regs->error_code);
    dump_registers(NULL, regs, read_cr2(), read_cr3());
    dump_stack(regs->rip, regs->rbp);
    if (vector == VECTOR_PF || vector == VECTOR_DF) {
        uint64_t at = read_cr2() - (uint64_t)this_block();

        if (at < CPU_BLOCK_SIZE && is_guard_page(at & PAGE_MASK))
            log_error("a stack of CPU %u overflowed", this_cpu()->id);
    }
    machine_stop(STOP_PANIC);
}

/* NMI, #DB, #MC, #DF while a guest ran; its frame is in v->regs by now. */
void handle_guest_ist(struct vcpu *v)
{
    switch (v->regs.entry_vector) {
    case VECTOR_NMI:
        log_warning("NMI in a guest, reason %#x", inb(NMI_REASON));
        return;
    case VECTOR_DB:
        /* ABI: DR6 collects; the guest reads and clears its copy. */
        v->arch.pv.debugreg[6] |= read_dr6() & ~X86_DR6_DEFAULT;
        write_dr6(X86_DR6_DEFAULT);
        pv_handle_trap(v);
        return;
    default:
        ignore_locks();
        console_queue(false);
        log_error("%s in a guest, error code %#x", exception_name(v->regs.entry_vector),
                  v->regs.error_code);
        dump_registers(NULL, &v->regs, read_cr2(), read_cr3());
        machine_stop(STOP_PANIC);
    }
}

/* IRETQ to the guest faulted: selectors or RFLAGS that it asked for. v->regs is whole. */
void handle_iret_fault(struct vcpu *v)
{
    machine_sync_vcpu(v); /* the failsafe frame shows its segment registers */
    pv_failsafe(v);
}
