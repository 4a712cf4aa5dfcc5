/* SPDX-License-Identifier: MIT */
/*
 * The domain of hvm_whole.h.
 */
#include "hvm_whole.h"

#include <core/domain/domain_pages.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <hvm/hvm_ops.h>
#include <hvm/npt.h>
#include <limits.h>

struct domain *dom0, *d;
struct vcpu *v;
struct vmcb *b;

void whole_init(unsigned int vcpus)
{
    struct loader_pvh_state start = {
        .cr0 = X86_CR0_PE | 0x10,
        .eip = CODE,
        .eflags = X86_EFLAGS_ALWAYS | X86_EFLAGS_IF,
        .cs = {.selector = 8, .attributes = 0xc9b, .limit = ~0u},
        .data = {.selector = 16, .attributes = 0xc93, .limit = ~0u},
        .tr = {.attributes = 0x8b, .limit = 0x67},
    };

    host_init(4096);
    host_no_tlbs = true;
    host_hvm_xcr0 = 0;
    dom0 = host_domain(0, true, 1, 0);
    guest_kinds[0] = &hvm_guest_ops;
    d = host_domain(1, false, vcpus, 0);
    d->max_pages = WHOLE_PAGES;
    for (unsigned int i = 0; i < WHOLE_PAGES; i++) {
        unsigned int budget = UINT_MAX;
        struct page_info *pg = alloc_domain_frames(d, 0, 0, i, &budget);

        if (!pg || npt_map(d, GFN(i), page_to_mfn(pg), 0))
            abort();
    }
    for (unsigned int i = 1; i < vcpus; i++) {
        atomic_or(&d->vcpu[i]->pause_flags, VPF_down);
        vcpu_sleep(d->vcpu[i]);
    }
    v = d->vcpu[0];
    b = vmcb_of(v);
    hvm_start_pvh(v, &start);
    lapic_virtual_wire(v);
    host_run_as(v);
}

void whole_fini(void)
{
    host_run_as(dom0->vcpu[0]);
    host_destroy(d);
    host_check_invariants();
    host_destroy(dom0);
    BUG_ON(host_locks_held());
}

int whole_setup(void **state)
{
    (void)state;
    whole_init(2);
    return 0;
}

int whole_teardown(void **state)
{
    (void)state;
    whole_fini();
    return 0;
}

void *whole_memory(uint64_t gpa)
{
    mfn_t mfn = npt_lookup(d, GFN(gpa >> PAGE_SHIFT));

    if (mfn_eq(mfn, INVALID_MFN))
        abort();
    return (char *)map_frame(mfn) + (gpa & ~PAGE_MASK);
}

void whole_code(const void *bytes, size_t n)
{
    memcpy(whole_memory(CODE), bytes, n);
}

/* The CPU has the registers in the VMCB that VMRUN loads from there. */
void whole_exit(uint64_t code, uint64_t info1, uint64_t info2)
{
    b->save.rax = v->regs.rax;
    b->save.rsp = v->regs.rsp;
    b->save.rip = v->regs.rip;
    b->save.rflags = v->regs.rflags;
    b->control.exit_code = code;
    b->control.exit_info1 = info1;
    b->control.exit_info2 = info2;
    hvm_after_exit(v);
    BUG_ON(host_locks_held());
}

void whole_long_mode(void)
{
    uint64_t l4 = (WHOLE_PAGES - 3) * PAGE_SIZE, l3 = l4 + PAGE_SIZE, l2 = l3 + PAGE_SIZE;

    *(uint64_t *)whole_memory(l4) = l3 | 7;
    *(uint64_t *)whole_memory(l3) = l2 | 7;
    *(uint64_t *)whole_memory(l2) = 0x87;
    b->save.cr0 |= X86_CR0_PG;
    b->save.cr4 |= X86_CR4_PAE;
    b->save.cr3 = l4;
    b->save.efer |= EFER_LME | EFER_LMA;
    v->arch.hvm.lme = true;
    b->save.cs.attributes = 0xa9b;
}

void whole_told_of_xen(void)
{
    d->arch.hvm.xen = true;
    whole_long_mode();
}

void whole_registers(uint32_t nr, uint64_t a, uint64_t a2, uint64_t a3)
{
    v->regs.rax = nr;
    v->regs.rdi = a;
    v->regs.rsi = a2;
    v->regs.rdx = a3;
}

long whole_vmmcall(uint32_t nr, uint64_t a, uint64_t a2, uint64_t a3)
{
    uint64_t rip = v->regs.rip;

    whole_registers(nr, a, a2, a3);
    whole_exit(EXIT_VMMCALL, 0, 0);
    assert_int_equal(v->regs.rip, rip + 3);
    assert_int_equal(b->control.event_inj, 0);
    assert_int_equal(v->regs.entry_vector, 0);
    return (long)v->regs.rax;
}

int whole_exception(void)
{
    uint64_t e = b->control.event_inj;

    return (e & EVENT_VALID) && (e & EVENT_TYPE) == EVENT_EXCEPTION ? (int)(e & 0xff) : -1;
}

int whole_end(void)
{
    return d->shutting_down ? (int)d->shutdown_code : -1;
}
