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

static int write_same(struct vcpu *v, struct page_info *table, const uint64_t *entry, uint64_t old,
                      uint64_t val)
{
    int rc = write_pte(v->domain, table, entry, old, val, PTE_WRITE_IF_SAME, v->domain);

    if (likely(!rc))
        count_event(v, COUNTER_ptes_written);
    return rc;
}

/* 0 and what the operand was, or -XEN_E*. */
static int write_operand(struct vcpu *v, struct page_info *table, const uint64_t *entry,
                         const struct x86_write *w, uint64_t *was)
{
    int rc = -XEN_EAGAIN;

    for (unsigned int i = 0; i < TRIES && rc == -XEN_EAGAIN; i++) {
        uint64_t old = READ_ONCE(*entry), operand;

        *was = extract(old, w);
        if (!x86_write_compute(w, &v->regs, *was, &operand))
            return 0;
        rc = write_same(v, table, entry, old, insert(old, w, operand));
    }
    return rc;
}

/* An instruction of that length writes at `at` what w says; w NULL: the whole entry becomes
 * *source, and with `exchange` the other way round too. */
static __inlined bool write_at(struct vcpu *v, struct page_info *table, gva_t at,
                               const struct x86_write *w, uint64_t *source, bool exchange,
                               unsigned int length)
{
    const uint64_t *entry = table_entry(table, (unsigned int)(at & ~PAGE_MASK) / 8);
    int rc = -XEN_EINVAL;
    uint64_t was = 0;

    if (!page_lock(table, v->domain))
        return false;
    if (likely(table_level(READ_ONCE(table->type_info)) == 1)) {
        was = READ_ONCE(*entry);
        rc =
            w ? write_operand(v, table, entry, w, &was) : write_same(v, table, entry, was, *source);
    }
    page_unlock(table);
    if (unlikely(rc)) /* a bit was set meanwhile: the guest runs into it again; or it may not be */
        return rc == -XEN_EAGAIN;
    count_event(v, COUNTER_emulated_writes);
    if (w)
        x86_write_done(w, &v->regs, was);
    else if (exchange)
        *source = was;
    pv_insn_done(v, length);
    return true;
}

/* What of an instruction has no meaning here: other segments and addresses, repeats. */
static bool plain(const struct x86_insn *in)
{
    return !in->segment && !in->addr32 && !in->rep;
}

/*
 * Most of them are XCHG or MOV of a whole register to where another one points, as kernels clear
 * and set entries: REX.W 87 or 89, ModRM without displacement. Here without the decoder; what it is
 * not, or is not the entry that faulted, is left to that.
 */
#define SIMPLE_LENGTH 3
static uint64_t *simple_source(const uint8_t *code, struct cpu_user_regs *r, gva_t cr2)
{
    unsigned int rex = code[0], modrm = code[2], base = modrm & 7;

    if ((rex & 0xf8) != 0x48 || (code[1] != 0x87 && code[1] != 0x89) || modrm >> 6 || base == 4 ||
        base == 5 || cr2 % 8 || *x86_reg(r, base | (rex & X86_REX_B ? 8 : 0)) != cr2)
        return NULL;
    return x86_reg(r, modrm >> 3 | (rex & X86_REX_R ? 8 : 0));
}

/* What the instruction at RIP wants, by the decoder. */
static __noinline bool write_decoded(struct vcpu *v, struct page_info *table, gva_t cr2,
                                     const uint8_t *code, unsigned int n)
{
    struct x86_insn in __uninitialized;
    struct x86_write w;

    if (!x86_decode(code, n, &in) || !plain(&in) || !x86_write_of(&in, &v->regs, &w))
        return false;
    if (((w.addr ^ cr2) & PAGE_MASK) || w.addr % w.bytes)
        return false;
    return write_at(v, table, w.addr, &w, NULL, false, in.length);
}

bool pv_ptwr_fault(struct vcpu *v, uint64_t cr2)
{
    uint8_t code[PV_FETCHED] __uninitialized;
    struct page_info *table;
    uint64_t pte, *source;
    unsigned int n;

    if (!(READ_ONCE(v->domain->vm_assist) >> VMASST_TYPE_writable_pagetables & 1))
        return false;
    pte = walk_l1e(v, cr2);
    if ((pte & (PTE_PRESENT | PTE_RW)) != PTE_PRESENT || !mfn_in_table(pte_mfn(pte)))
        return false;
    table = mfn_to_page(pte_mfn(pte));
    /* A first look, so that other faults on read-only pages are not decoded; the lock looks again.
     */
    if (table_level(READ_ONCE(table->type_info)) != 1)
        return false;
    n = pv_fetch_code(v, code);
    source = n >= SIMPLE_LENGTH ? simple_source(code, &v->regs, cr2) : NULL;
    if (likely(source))
        return write_at(v, table, cr2, NULL, source, code[1] == 0x87, SIMPLE_LENGTH);
    return write_decoded(v, table, cr2, code, n);
}
