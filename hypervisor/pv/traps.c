/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of a paravirtual guest, and the guest's trap table.
 *
 * Every exception in ring 3 lands here. Some are the hypervisor's business: a write to a page table
 * (pv/ptwr.c), a privileged instruction (pv/emulate.c), a touch of the LDT. All else is the guest's
 * and is bounced. `int $n` arrives as #GP, as the real IDT lets nobody in; the vector is taken from
 * the instruction itself, since some machines report a wrong one in the error code.
 */
#include <core/base/log.h>
#include <parvis/string.h>
#include <port/guest_access.h>
#include <port/machine.h>
#include <pv/hypercall.h>
#include <pv/cpu.h>
#include <pv/mm.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>

/* Vectors for which hardware pushes an error code. */
#define VECTORS_WITH_ERROR                                                                         \
    ((1u << TRAP_double_fault) | (1u << TRAP_invalid_tss) | (1u << TRAP_no_segment) |              \
     (1u << TRAP_stack_error) | (1u << TRAP_gp_fault) | (1u << TRAP_page_fault) |                  \
     (1u << TRAP_alignment_check))

/* At most 256 entries, ended by one whose address is 0; what stands before a wrong one is taken. */
long do_set_trap_table(gva_t traps)
{
    struct vcpu *v = current;
    struct trap_info one;

    if (!traps) { /* ABI: a null table clears all */
        memset(v->arch.pv.traps, 0, 256 * sizeof(*v->arch.pv.traps));
        return 0;
    }
    for (unsigned int i = 0; i < 257; i++) {
        if (copy_from_guest(&one, traps + i * sizeof(one), sizeof(one)))
            return -XEN_EFAULT;
        if (!one.address)
            return 0;
        if (!is_canonical(one.address))
            return refused(-XEN_EINVAL,
                           "set_trap_table: handler %#lx of vector %u is not canonical",
                           one.address, one.vector);
        one.cs |= 3;
        v->arch.pv.traps[one.vector] = one;
    }
    return refused(-XEN_EINVAL, "set_trap_table: the table has no end");
}

/* int $n: true when it was passed to the guest as vector n. */
static bool software_interrupt(struct vcpu *v)
{
    unsigned int vector = (v->regs.error_code & 0xffff) >> 3;
    uint8_t insn[2];

    if (!copy_from_guest(insn, v->regs.rip, sizeof(insn)) && insn[0] == 0xcd)
        vector = insn[1];
    vector &= 255;
    if (!v->arch.pv.traps[vector].address ||
        (!guest_kernel_mode(v) && TI_GET_DPL(&v->arch.pv.traps[vector]) != 3)) {
        v->regs.error_code = vector << 3 | SEL_ERROR_IDT;
        return false;
    }
    v->regs.rip += 2;
    pv_inject_exception(v, vector, 0, 0);
    return true;
}

/* Brings the page of v's LDT in that holds this address of its LDT area, unless it was there. */
bool pv_bring_in(struct vcpu *v, uint64_t at)
{
    uint64_t offset = at - (perdomain_area(v) + PERDOMAIN_LDT_OFFSET);

    return offset < v->arch.pv.ldt_ents * 8ull && pv_map_ldt_page(v, (unsigned int)offset);
}

/* A touch of the LDT. What cannot be brought in is the guest's page fault, where it believes its
 * LDT to be. */
static bool ldt_fault(struct vcpu *v, uint64_t cr2)
{
    uint64_t offset = cr2 - (perdomain_area(v) + PERDOMAIN_LDT_OFFSET);

    if (offset >= v->arch.pv.ldt_ents * 8ull)
        return false;
    if (!pv_map_ldt_page(v, (unsigned int)offset))
        pv_inject_page_fault(v, v->arch.pv.ldt_base + offset, 0);
    return true;
}

static bool is_of_hypervisor(uint64_t cr2)
{
    return cr2 >= HYPERVISOR_VIRT_START && cr2 < HYPERVISOR_VIRT_END;
}

/* A write of the kernel's to what is there, but read-only. */
static bool is_write(const struct vcpu *v, uint32_t error)
{
    return guest_kernel_mode(v) && (error & (PFEC_PRESENT | PFEC_WRITE | PFEC_RESERVED |
                                             PFEC_INSN)) == (PFEC_PRESENT | PFEC_WRITE);
}

/* Neither the guest's own for sure, nor a write to a table. */
static __noinline void other_fault(struct vcpu *v, uint64_t cr2, uint32_t error)
{
    if (is_of_hypervisor(cr2) && !(error & PFEC_RESERVED) && ldt_fault(v, cr2))
        return;
    if (!(error & PFEC_PRESENT) && isolation_lacked(cr2))
        return;
    pv_inject_page_fault(v, cr2, error);
}

void pv_page_fault(struct vcpu *v, uint64_t cr2)
{
    uint32_t error = v->regs.error_code;

    if (is_of_hypervisor(cr2)) {
        other_fault(v, cr2, error);
    } else if (is_write(v, error)) {
        if (!pv_ptwr_fault(v, cr2))
            pv_inject_page_fault(v, cr2, error);
    } else if (unlikely(isolating)) {
        other_fault(v, cr2, error);
    } else {
        pv_inject_page_fault(v, cr2, error);
    }
}

static __noinline void is_nobodys(const struct vcpu *v)
{
    log_guest(v->domain, "d%uv%u: exception %u is nobody's", v->domain->domain_id, v->vcpu_id,
              v->regs.entry_vector);
}

static void inject(struct vcpu *v)
{
    unsigned int vector = v->regs.entry_vector;

    pv_inject_exception(v, vector,
                        VECTORS_WITH_ERROR * BOUNCE_ERROR_CODE >> vector & BOUNCE_ERROR_CODE,
                        v->regs.error_code);
}

static __noinline void protection_fault(struct vcpu *v)
{
    uint32_t error = v->regs.error_code;

    if (!(error ? error & SEL_ERROR_IDT && software_interrupt(v) : pv_emulate_privileged(v)))
        pv_inject_exception(v, TRAP_gp_fault, BOUNCE_ERROR_CODE, v->regs.error_code);
}

/* The guest's FPU is to be used again; it has cleared CR0.TS by its fault, as the ABI has it. */
static __noinline void no_device(struct vcpu *v)
{
    v->arch.pv.ctrlreg[0] &= ~X86_CR0_TS;
    pv_cpu_clear_ts();
    pv_inject_exception(v, TRAP_no_device, 0, 0);
}

/* Exceptions that are not the guest's alone, or not as they are, or nobody's. */
#define VECTORS_LOOKED_AT                                                                          \
    ((1u << TRAP_debug) | (1u << TRAP_invalid_op) | (1u << TRAP_no_device) |                       \
     (1u << TRAP_stack_error) | (1u << TRAP_gp_fault) | ~0u << (TRAP_simd_error + 1))

static __noinline void look_at(struct vcpu *v, uint64_t dr6)
{
    switch (v->regs.entry_vector) {
    case TRAP_no_device:
        no_device(v);
        return;
    case TRAP_debug:
        v->arch.pv.debugreg[6] |= dr6; /* ABI: it collects; the guest reads and clears its copy */
        break;
    case TRAP_stack_error:
        if (!guest_kernel_mode(v))
            v->regs.error_code = 0;
        break;
    default:
        is_nobodys(v);
        return;
    }
    inject(v);
}

void pv_exception(struct vcpu *v, uint64_t dr6)
{
    unsigned int vector = v->regs.entry_vector;

    if (!(VECTORS_LOOKED_AT >> vector & 1)) /* 32 of them: what is above are interrupts */
        inject(v);
    else if (vector == TRAP_invalid_op)
        pv_invalid_op(v);
    else if (vector == TRAP_gp_fault) /* most of them: what a stock kernel has emulated */
        protection_fault(v);
    else
        look_at(v, dr6);
}
