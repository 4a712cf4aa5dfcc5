/* SPDX-License-Identifier: MIT */
/*
 * Writable page tables: a kernel that writes to one of its L1 tables with an ordinary instruction
 * faults, as tables are mapped read-only; the write is then done for it, checked like any other
 * (page_entry.c), and it goes on behind the instruction.
 *
 * Only for guests that asked for it (VMASST_TYPE_writable_pagetables), for the kernel, and for
 * naturally aligned operands of 1 to 8 bytes inside the page that faulted. What is not written this
 * way, or would not be allowed, is the guest's own page fault.
 */
#include <core/base/hypercall.h>
#include <port/guest_access.h>
#include <pv/ptwr_insn.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

#define TRIES 16 /* the CPU may set accessed and dirty meanwhile: twice at most */

/* The instruction at RIP, up to 15 bytes; fewer when the next page is not there. */
static unsigned int fetch(gva_t rip, uint8_t *code)
{
    unsigned int n = PTWR_MAX_LENGTH, left = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));

    if (!copy_from_guest(code, rip, n))
        return n;
    n = MIN(n, left);
    return copy_from_guest(code, rip, n) ? 0 : n;
}

/* The operand within its entry. */
static uint64_t extract(uint64_t entry, const struct ptwr_insn *in)
{
    uint64_t mask = in->bytes == 8 ? ~0ull : (1ull << (8 * in->bytes)) - 1;
    return entry >> (in->addr % 8 * 8) & mask;
}

static uint64_t insert(uint64_t entry, const struct ptwr_insn *in, uint64_t operand)
{
    uint64_t mask = in->bytes == 8 ? ~0ull : (1ull << (8 * in->bytes)) - 1;
    unsigned int shift = (unsigned int)(in->addr % 8 * 8);

    return (entry & ~(mask << shift)) | operand << shift;
}

/* The table is locked. 0 and what the operand was, or -XEN_E*. */
static int write_entry(struct vcpu *v, struct page_info *table, const struct ptwr_insn *in,
                       uint64_t *was)
{
    unsigned int index = (unsigned int)(in->addr & ~PAGE_MASK) / 8;
    int rc = -XEN_EAGAIN;

    for (unsigned int i = 0; i < TRIES && rc == -XEN_EAGAIN; i++) {
        uint64_t entry = READ_ONCE(*table_entry(table, index)), operand;

        *was = extract(entry, in);
        if (!ptwr_compute(&v->regs, in, *was, &operand))
            return 0;
        rc = write_pte(v->domain, table, index, insert(entry, in, operand), v->domain,
                       PTE_WRITE_IF_SAME, &entry);
    }
    return rc;
}

static bool emulate(struct vcpu *v, struct page_info *table, const struct ptwr_insn *in)
{
    uint64_t was;
    int rc = -XEN_EINVAL;

    if (!page_lock(table, v->domain))
        return false;
    if (table_level(table->type_info) == 1)
        rc = write_entry(v, table, in, &was);
    page_unlock(table);
    if (rc == -XEN_EAGAIN)
        return true; /* the guest runs into it again */
    if (rc)
        return false;
    ptwr_retire(&v->regs, in, was);
    if (v->regs.rflags & X86_EFLAGS_TF) {
        v->arch.debugreg[6] |= X86_DR6_BS;
        pv_inject_exception(v, TRAP_debug, 0, false);
    }
    return true;
}

bool pv_ptwr_fault(struct vcpu *v, uint64_t cr2)
{
    uint8_t code[PTWR_MAX_LENGTH];
    struct page_info *table;
    struct ptwr_insn in;
    uint64_t pte;

    if (!(v->domain->arch.vm_assist >> VMASST_TYPE_writable_pagetables & 1))
        return false;
    pte = pv_walk_l1e(v, cr2);
    if ((pte & (PTE_PRESENT | PTE_RW)) != PTE_PRESENT || !mfn_valid(pte_mfn(pte)))
        return false;
    table = mfn_to_page(pte_mfn(pte));
    /* A first look, so that other faults on read-only pages are not decoded; the lock looks again.
     */
    if (table_level(table->type_info) != 1)
        return false;
    if (!ptwr_decode(&v->regs, code, fetch(v->regs.rip, code), &in))
        return false;
    if (((in.addr ^ cr2) & PAGE_MASK) || in.addr % in.bytes)
        return false;
    return emulate(v, table, &in);
}
