/* SPDX-License-Identifier: MIT */
/*
 * The hypercalls of a guest that is told of Xen: by VMMCALL, from ring 0 of 64-bit code, with
 * number and arguments in the registers that a paravirtual guest has them in. Pointers among them
 * are virtual addresses of the guest's, which are walked for each copy. A guest that is not told of
 * Xen has no such instruction.
 *
 * The page of stubs is written into a frame of the guest's when it names one by an MSR. It is there
 * so that a kernel need not know whether its CPU's word is VMMCALL.
 *
 * A call that gives way is issued again by the guest itself: RIP stays at the VMMCALL.
 */
#include <core/base/count.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/guest/hypercall_table.h>
#include <core/state/guest_ops.h>
#include <hv/x86_bits.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <parvis/string.h>

#define VMMCALL_LENGTH 3
#define STUB_SIZE      32
#define STUB_NR        1

static const uint8_t stub[] = {
    0xb8, 0,    0,    0, 0, /* mov eax, nr */
    0x0f, 0x01, 0xd9,       /* vmmcall     */
    0xc3,                   /* ret         */
};

static void fill_page(uint8_t *page)
{
    memset(page, 0xcc, PAGE_SIZE);
    for (uint32_t nr = 0; nr < PAGE_SIZE / STUB_SIZE; nr++, page += STUB_SIZE) {
        memcpy(page, stub, sizeof(stub));
        memcpy(page + STUB_NR, &nr, sizeof(nr));
    }
}

bool hvm_write_hypercall_page(struct vcpu *v, uint64_t address)
{
    struct domain *d = v->domain;
    struct page_info *pg;
    void *page;

    if (address & ~PAGE_MASK) /* the number of the page: there is one */
        return false;
    pg = get_page_from_gfn(GFN(address >> PAGE_SHIFT), d);
    if (!pg)
        return false;
    page = map_guest_frame(d, page_to_mfn(pg));
    fill_page(page);
    unmap_guest_frame(d, page);
    put_page(pg);
    return true;
}

static bool may_call(const struct vcpu *v)
{
    const struct vmcb *b = vmcb_of(v);

    return !b->save.cpl && (b->save.efer & EFER_LMA) && (b->save.cs.attributes & SEGMENT_CODE_LONG);
}

static long call(struct vcpu *v)
{
    const struct cpu_user_regs *r = &v->regs;
    uint32_t nr = (uint32_t)r->rax;

    v->hc_nr = nr;
    this_cpu()->slice_end = 0;
    if (nr >= NR_HYPERCALLS)
        return -XEN_ENOSYS;
    nr = hypercall_index(v);
    count_event(v, COUNTER_hypercall + nr);
    return hvm_hypercalls.fn[nr](r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
}

static void issue_again(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->regs;
    uint64_t *const reg[] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9};

    for (unsigned int i = 0; v->continuation && i < v->hc_nr_args; i++)
        *reg[i] = v->hc_args[i];
    v->continuation = false;
    this_cpu()->slice_end = 0;
}

void hvm_exit_vmmcall(struct vcpu *v)
{
    long rc = -XEN_EPERM;

    if (!v->domain->arch.hvm.xen) {
        hvm_inject_exception(v, TRAP_invalid_op, NO_CODE);
        return;
    }
    if (likely(may_call(v))) {
        v->regs.entry_vector = ENTRY_HYPERCALL;
        rc = call(v);
        v->regs.entry_vector = 0;
    }
    if (rc == -XEN_ERESTART) {
        issue_again(v);
        return;
    }
    v->regs.rax = (uint64_t)rc;
    hvm_skip(v, VMMCALL_LENGTH);
}
