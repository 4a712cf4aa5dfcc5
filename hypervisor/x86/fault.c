/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that are the machine's business.
 *
 * In the hypervisor an exception is either expected (the instruction has an entry in the exception
 * table, which says where to go on: guest copies, segment loads, MSRs, IRETQ) or a bug: registers,
 * calls, end. There is no third way, and no guest can make it happen. In a guest only those with a
 * stack of their own come here (NMI, #DF, #MC, #DB); all others go straight to the guest's kind.
 */
#include <core/base/log.h>
#include <core/base/registers.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <hv/x86_bits.h>
#include <port/current.h>
#include <port/machine.h>

#include "insn.h"
#include "percpu.h"
#include "stop.h"
#include "x86.h"

void handle_hv_exception(struct cpu_user_regs *regs);
void handle_guest_ist(struct vcpu *v);

/* Code: what touches a guest's pages (guest_copy.asm), and entry code that has not saved the
 * guest's flags yet, its TF among them. */
extern char guest_copies[], guest_fault[], guest_flags_start[], guest_flags_end[];

static bool is_within(uint64_t rip, const char *start, const char *end)
{
    return rip >= (uint64_t)start && rip < (uint64_t)end;
}

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

/* The hypervisor touches for a guest what is not there yet: its kind may bring it in. That may have
 * served flushes, and if it was for IRETQ, the copy that CR3 is to hold was made before. */
static bool brought_in(uint64_t cr2)
{
    struct vcpu *v = this_cpu()->arch.loaded;

    if (!v || v != current || !v->domain->ops->bring_in(v, cr2))
        return false;
    if (isolating)
        isolate_guest(this_cpu());
    return true;
}

/* What this CPU knew of a page may have been less than its tables say by now: another of the
 * guest's vCPUs may give rights without a flush. The fault has made the CPU forget it. So the copy
 * that came there tries once more what is there, and keeps in R8 where it did so last. Nothing of
 * that outlives the copy: the next may come to such a page at the same address. */
static bool was_stale(struct cpu_user_regs *regs, uint64_t cr2)
{
    bool first = is_within(regs->rip, guest_copies, guest_fault) &&
                 (regs->error_code & PFEC_PRESENT) && regs->r8 != cr2;

    if (first)
        regs->r8 = cr2;
    return first;
}

/* Port 0x61 says why, on PCs: bit 7 memory parity, bit 6 an I/O card. */
#define NMI_REASON 0x61
#define NMI_SEEN   0x100u

static uint32_t nmi_waiting; /* NMI_SEEN | reason of one that is still to be said */

/* What it interrupts may hold any lock, the log's among them, so it is said later. */
static void handle_hv_nmi(struct cpu_user_regs *regs)
{
    WRITE_ONCE(nmi_waiting, NMI_SEEN | inb(NMI_REASON));
    /* Race: between STI and HLT of the idle loop an interrupt that came would be taken before HLT,
     * which then sleeps over it. */
    if ((regs->rflags & X86_EFLAGS_IF) && *(const uint8_t *)regs->rip == 0xf4)
        regs->rip++;
}

void report_nmi(void)
{
    uint32_t reason = READ_ONCE(nmi_waiting);

    if (unlikely(reason) && __atomic_exchange_n(&nmi_waiting, 0, __ATOMIC_RELAXED))
        log_warning("NMI in the hypervisor, reason %#x", reason & 0xff);
}

void handle_hv_exception(struct cpu_user_regs *regs)
{
    unsigned int vector = regs->entry_vector;

    switch (vector) {
    case TRAP_nmi:
        if (machine_ends())
            tell_where(regs);
        else
            handle_hv_nmi(regs);
        return;
    case TRAP_debug:
        /* XSA-260, XSA-204: a #DB that MOV SS held back, or TF across SYSENTER: arrives here
         * instead of in the guest; harmless. */
        write_dr6(X86_DR6_DEFAULT);
        if (!is_within(regs->rip, guest_flags_start, guest_flags_end))
            regs->rflags &= ~X86_EFLAGS_TF;
        return;
    case TRAP_double_fault:
    case TRAP_machine_check:
        break;
    case TRAP_page_fault:
        if (brought_in(read_cr2()) || was_stale(regs, read_cr2()))
            return;
        /* fall through */
    default:
        if (fix_up(regs))
            return;
    }
    begin_end(true);
    log_error("%s in the hypervisor, error code %#x", exception_name(vector), regs->error_code);
    dump_registers(NULL, regs, read_cr2(), read_cr3());
    dump_stack(regs->rip, regs->rbp);
    if (vector == TRAP_page_fault || vector == TRAP_double_fault) {
        uint64_t at = read_cr2() - (uint64_t)this_block();

        if (at < CPU_BLOCK_SIZE && is_guard_page(at & PAGE_MASK))
            log_error("a stack of CPU %u overflowed", this_cpu()->id);
    }
    machine_stop(STOP_PANIC);
}

/* NMI, #DB, #MC, #DF while a guest ran; its frame is in v->regs by now. */
void handle_guest_ist(struct vcpu *v)
{
    uint64_t dr6;

    switch (v->regs.entry_vector) {
    case TRAP_nmi:
        if (machine_ends())
            tell_where(&v->regs);
        log_warning("NMI in a guest, reason %#x", inb(NMI_REASON));
        return;
    case TRAP_debug:
        dr6 = read_dr6() & ~X86_DR6_DEFAULT;
        write_dr6(X86_DR6_DEFAULT);
        v->domain->ops->exception(v, dr6);
        return;
    default:
        begin_end(true);
        log_error("%s in a guest, error code %#x", exception_name(v->regs.entry_vector),
                  v->regs.error_code);
        dump_registers(NULL, &v->regs, read_cr2(), read_cr3());
        machine_stop(STOP_PANIC);
    }
}
