/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables of a guest.
 *
 * The processor reads a GDT and LDT that the guest wrote, so each page of them has the type
 * seg_desc: every entry was checked, none is a system segment or gate, none has a DPL below 3, and
 * nobody has the page mapped writable. The pages of a vCPU's GDT are mapped, in its 32 pages of the
 * per-domain area, in front of the page with the hypervisor's own descriptors; where there is no
 * guest page there is a page of zeros, so that a bad selector gives #GP and not a page fault in the
 * hypervisor's name. LDT pages are brought in when touched.
 *
 * A vCPU's tables are changed by the CPU that runs it, or while it is paused; only the pages of its
 * LDT are let go by any CPU of the domain.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <port/machine.h>
#include <pv/hypercall.h>
#include <pv/cpu.h>
#include <pv/mm.h>
#include <pv/page_walk.h>
#include <pv/pv_bits.h>

#define DESC_S                (1ull << 44)
#define DESC_P                (1ull << 47)
#define DESC_DPL              (3ull << 45)
#define GDT_ENTRIES_PER_PAGE  (PAGE_SIZE / 8)
#define LDT_SLOT              16
#define DESCRIPTOR_PAGE_FLAGS (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY | PTE_NX)

bool pv_check_descriptor(uint64_t *desc)
{
    if (!(*desc & DESC_P))
        return true; /* loading it faults, whatever it is */
    if (!(*desc & DESC_S))
        return false;
    *desc |= DESC_DPL; /* ABI: a lower DPL is made 3, not refused */
    return true;
}

static struct page_info *get_descriptor_page(struct domain *d, mfn_t mfn)
{
    struct page_info *pg = get_page_from_mfn(mfn, d);

    if (pg && get_page_type(pg, PGT_seg_desc_page, d)) {
        put_page(pg);
        pg = NULL;
    }
    return pg;
}

static void map_gdt_slot(struct vcpu *v, unsigned int slot, mfn_t mfn)
{
    uint64_t flags =
        mfn_eq(mfn, pv_zero_page) ? PTE_PRESENT | PTE_ACCESSED | PTE_NX : DESCRIPTOR_PAGE_FLAGS;

    v->arch.pv.perdomain_l1[slot] = mfn.n << PAGE_SHIFT | flags;
}

void pv_init_gdt(struct vcpu *v)
{
    for (unsigned int i = 0; i < FIRST_RESERVED_GDT_PAGE; i++)
        map_gdt_slot(v, i, pv_zero_page);
}

static unsigned int gdt_pages(unsigned int entries)
{
    return (unsigned int)DIV_ROUND_UP(entries, GDT_ENTRIES_PER_PAGE);
}

void pv_destroy_gdt(struct vcpu *v)
{
    for (unsigned int i = 0; i < gdt_pages(v->arch.pv.gdt_ents); i++) {
        mfn_t mfn = v->arch.pv.gdt_frames[i];

        map_gdt_slot(v, i, pv_zero_page);
        v->arch.pv.gdt_frames[i] = MFN(0);
        put_page_and_type(mfn_to_page(mfn));
    }
    v->arch.pv.gdt_ents = 0;
}

/* The caller has checked that there are no more entries than a guest's pages hold. A page that has
 * to be flushed first keeps its new type when all are put back, so the next turn gets further. */
int pv_set_gdt(struct vcpu *v, const uint64_t *frames, unsigned int entries)
{
    unsigned int nr = gdt_pages(entries), got;
    int rc = 0;

    for (got = 0; got < nr && !rc; got++) {
        if (got && hypercall_delayed_check())
            rc = -XEN_ERESTART;
        else if (!get_descriptor_page(v->domain, MFN(frames[got])))
            rc = refused(-XEN_EINVAL, "set_gdt: frame %#lx cannot be a descriptor table",
                         frames[got]);
    }
    if (rc) {
        while (--got)
            put_page_and_type(mfn_to_page(MFN(frames[got - 1])));
        return rc;
    }

    pv_destroy_gdt(v);
    v->arch.pv.gdt_ents = entries;
    for (unsigned int i = 0; i < nr; i++) {
        v->arch.pv.gdt_frames[i] = MFN(frames[i]);
        map_gdt_slot(v, i, MFN(frames[i]));
    }
    return 0;
}

long do_set_gdt(gva_t list, unsigned int entries)
{
    uint64_t frames[FIRST_RESERVED_GDT_PAGE] __uninitialized;
    int rc;

    if (entries > FIRST_RESERVED_GDT_BYTE / 8)
        return refused(-XEN_EINVAL, "set_gdt: %u entries; there are %u", entries,
                       FIRST_RESERVED_GDT_BYTE / 8);
    if (copy_from_guest(frames, list, gdt_pages(entries) * sizeof(frames[0])))
        return -XEN_EFAULT;
    rc = pv_set_gdt(current, frames, entries);
    if (!rc) {
        flush_tlb_local(); /* the slots' old translations */
        pv_cpu_load_tables(current);
    }
    return rc;
}

/*
 * Race: of several CPUs that do so at once each takes other pages. v's own, in pv_map_ldt_page(),
 * writes a slot before it sets its bit, so a page whose bit is taken is there; one whose bit is set
 * later was brought in later.
 */
static __noinline uint64_t take_mapped_ldt(struct vcpu *v)
{
    const struct cpu *c;

    for (uint32_t left = xchg(&v->arch.pv.ldt_mapped, 0); left; left &= left - 1) {
        unsigned int i = LDT_SLOT + (unsigned int)__builtin_ctz(left);

        put_page_and_type(mfn_to_page(pte_mfn(xchg(&v->arch.pv.perdomain_l1[i], 0))));
    }
    /* v's slots are used where it runs, alone: pv/flush.c */
    c = READ_ONCE(v->cpu_stack);
    return c ? 1ull << c->id : 0;
}

uint64_t pv_take_ldt(struct vcpu *v)
{
    return unlikely(READ_ONCE(v->arch.pv.ldt_mapped)) ? take_mapped_ldt(v) : 0;
}

void pv_invalidate_ldt(struct vcpu *v)
{
    uint64_t cpus = pv_take_ldt(v);

    if (unlikely(cpus))
        flush_tlb_domain(v->domain, cpus);
}

/* The caller has checked: base page aligned and the guest's, at most 8192 entries. */
void pv_set_ldt(struct vcpu *v, gva_t base, unsigned int entries)
{
    pv_invalidate_ldt(v);
    v->arch.pv.ldt_base = base;
    v->arch.pv.ldt_ents = entries;
    if (v == current)
        pv_cpu_load_tables(v);
}

bool pv_map_ldt_page(struct vcpu *v, unsigned int offset)
{
    unsigned int i = offset / PAGE_SIZE;
    uint64_t pte;

    if (offset >= v->arch.pv.ldt_ents * 8 ||
        (READ_ONCE(v->arch.pv.perdomain_l1[LDT_SLOT + i]) & PTE_PRESENT))
        return false;
    pte = walk_l1e(v, v->arch.pv.ldt_base + i * PAGE_SIZE);
    if (!(pte & PTE_PRESENT) || !get_descriptor_page(v->domain, pte_mfn(pte)))
        return false;
    WRITE_ONCE(v->arch.pv.perdomain_l1[LDT_SLOT + i],
               pte_mfn(pte).n << PAGE_SHIFT | DESCRIPTOR_PAGE_FLAGS);
    atomic_or(&v->arch.pv.ldt_mapped, 1u << i);
    return true;
}

long do_update_descriptor(uint64_t maddr, uint64_t desc)
{
    struct domain *d = current->domain;
    struct page_info *pg;
    uint64_t type, *words;

    if (maddr & 7 || !pv_check_descriptor(&desc))
        return refused(-XEN_EINVAL, "update_descriptor: %#lx at %#lx: system segment or misaligned",
                       desc, maddr);
    pg = get_page_from_mfn(MFN(maddr >> PAGE_SHIFT), d);
    if (!pg)
        return refused(-XEN_EINVAL, "update_descriptor: %#lx is not the domain's memory", maddr);
    /* A page in use as a table keeps its type; any other must be one that could be written. */
    type = (READ_ONCE(pg->type_info) & PGT_type_mask) == PGT_seg_desc_page ? PGT_seg_desc_page
                                                                           : PGT_writable_page;
    if (get_page_type(pg, type, d)) {
        put_page(pg);
        return -XEN_EINVAL;
    }
    words = map_guest_frame(d, page_to_mfn(pg));
    WRITE_ONCE(words[(maddr & ~PAGE_MASK) / sizeof(*words)], desc);
    unmap_guest_frame(d, words);
    put_page_and_type(pg);
    return 0;
}
