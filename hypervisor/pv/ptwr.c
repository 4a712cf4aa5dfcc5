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
#include <pv/page_walk.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

#define TRIES 16 /* the CPU may set accessed and dirty meanwhile: twice at most */

/* The operand within its entry. */
static uint64_t extract(uint64_t entry, const struct x86_write *w)
{
    return entry >> (w->addr % 8 * 8) & x86_size_mask(w->bytes);
}

static uint64_t insert(uint64_t entry, const struct x86_write *w, uint64_t operand)
{
    unsigned int shift = (unsigned int)(w->addr % 8 * 8);

    return (entry & ~(x86_size_mask(w->bytes) << shift)) | operand << shift;
}

/* The table is locked. 0 and what the operand was, or -XEN_E*. */
static int write_entry(struct vcpu *v, struct page_info *table, const struct x86_write *w,
                       uint64_t *was)
{
    unsigned int index = (unsigned int)(w->addr & ~PAGE_MASK) / 8;
    int rc = -XEN_EAGAIN;

    for (unsigned int i = 0; i < TRIES && rc == -XEN_EAGAIN; i++) {
        uint64_t entry = READ_ONCE(*table_entry(table, index)), operand;

        *was = extract(entry, w);
        if (!x86_write_compute(w, &v->regs, *was, &operand))
            return 0;
        rc = write_pte(v->domain, table, index, insert(entry, w, operand), v->domain,
                       PTE_WRITE_IF_SAME, &entry);
    }
    if (!rc)
        count_event(v, COUNTER_ptes_written);
    return rc;
}

static bool emulate(struct vcpu *v, struct page_info *table, const struct x86_write *w,
                    unsigned int length)
{
    uint64_t was;
    int rc = -XEN_EINVAL;

    if (!page_lock(table, v->domain))
        return false;
    if (table_level(READ_ONCE(table->type_info)) == 1)
        rc = write_entry(v, table, w, &was);
    page_unlock(table);
    if (rc == -XEN_EAGAIN)
        return true; /* the guest runs into it again */
    if (rc)
        return false;
    count_event(v, COUNTER_emulated_writes);
    x86_write_done(w, &v->regs, was);
    pv_insn_done(v, length);
    return true;
}

/* What of an instruction has no meaning here: other segments and addresses, repeats. */
static bool plain(const struct x86_insn *in)
{
    return !in->segment && !in->addr32 && !in->rep;
}

bool pv_ptwr_fault(struct vcpu *v, uint64_t cr2)
{
    struct page_info *table;
    struct x86_write w;
    struct x86_insn in;
    uint64_t pte;

    if (!(READ_ONCE(v->domain->vm_assist) >> VMASST_TYPE_writable_pagetables & 1))
        return false;
    pte = walk_l1e(v, cr2);
    if ((pte & (PTE_PRESENT | PTE_RW)) != PTE_PRESENT || !mfn_valid(pte_mfn(pte)))
        return false;
    table = mfn_to_page(pte_mfn(pte));
    /* A first look, so that other faults on read-only pages are not decoded; the lock looks again.
     */
    if (table_level(READ_ONCE(table->type_info)) != 1)
        return false;
    if (!pv_fetch_insn(v, &in) || !plain(&in) || !x86_write_of(&in, &v->regs, &w))
        return false;
    if (((w.addr ^ cr2) & PAGE_MASK) || w.addr % w.bytes)
        return false;
    return emulate(v, table, &w, in.length);
}
