/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's whole context, set and got: what comes out is what a guest may have, what it may not
 * have is refused whole, and several vCPUs may have one.
 */
#include "pv_test.h"

#include <core/state/guest_ops.h>
#include <xen/vcpu.h>

static struct vcpu_guest_context *context_of(struct vcpu *w)
{
    struct vcpu_guest_context *c = host_guest(HOST_GUEST_BASE);

    w->domain->ops->get_context(w, c);
    return c;
}

/* What is set comes out again, as far as a guest may have it. */
static void contexts(void **state)
{
    struct vcpu_guest_context *c, was;
    struct domain *d;
    struct vcpu *w;

    (void)state;
    assert_int_equal(mm_call(&g, __HYPERVISOR_stack_switch, 0xe028, 0x7654, 0, 0), 0);
    g.v->regs.rip = 0x1111;
    was = *context_of(g.v);
    assert_int_equal(was.user_regs.rip, 0x1111);
    assert_int_equal(was.kernel_sp, 0x7654);
    assert_int_equal(was.ctrlreg[3], g.frame[MM_L4].n << PAGE_SHIFT);
    assert_true(was.flags & VGCF_in_kernel && was.flags & VGCF_i387_valid);

    d = host_domain(5, false, 2, 8);
    w = d->vcpu[1];
    w->initialised = false;
    c = context_of(w);
    c->ctrlreg[3] = page_to_mfn(page_list_first(&d->pages)).n << PAGE_SHIFT;
    c->user_regs.rip = 0x2222;
    c->user_regs.rflags = ~0ull;
    c->user_regs.cs = 8;
    c->flags = VGCF_in_kernel | VGCF_i387_valid | VGCF_online | VGCF_failsafe_disables_events;
    c->gs_base_user = 0xffffffff80000000ull;
    c->ldt_base = 0x7000;
    c->ldt_ents = 10;
    c->debugreg[0] = 0x5000;
    c->debugreg[7] = 0x3;
    ((uint32_t *)(void *)&c->fpu_ctxt)[6] = ~0u; /* MXCSR */
    was = *c;
    assert_int_equal(d->ops->set_context(w, c), 0);
    assert_true(w->initialised);
    c = context_of(w);
    assert_int_equal(c->user_regs.rip, 0x2222);
    assert_int_equal(c->user_regs.cs, 0xb);
    assert_false(c->user_regs.rflags & (X86_EFLAGS_NT | X86_EFLAGS_VM));
    assert_int_equal(c->user_regs.rflags >> 12 & 3, 3);
    assert_int_equal(c->gs_base_user, was.gs_base_user);
    assert_int_equal(c->ldt_ents, 10);
    assert_int_equal(c->debugreg[0], 0x5000);
    assert_true(c->flags & VGCF_failsafe_disables_events && c->flags & VGCF_online);
    assert_int_equal(((uint32_t *)(void *)&c->fpu_ctxt)[6], 0xffff);
    assert_int_equal(host_recount(), 0);
    host_destroy(d);
}

#define BAD(field, value)                                                                          \
    do {                                                                                           \
        struct vcpu_guest_context *c_ = host_guest(HOST_GUEST_BASE);                               \
        *c_ = good;                                                                                \
        c_->field = (value);                                                                       \
        assert_int_equal(d->ops->set_context(w, c_), -XEN_EINVAL);                                 \
        assert_false(w->initialised);                                                              \
    } while (0)

static void contexts_that_are_refused(void **state)
{
    struct domain *d = host_domain(5, false, 1, 8);
    struct vcpu *w = d->vcpu[0];
    struct vcpu_guest_context good;

    (void)state;
    w->initialised = false;
    good = *context_of(w);
    good.ctrlreg[3] = page_to_mfn(page_list_first(&d->pages)).n << PAGE_SHIFT;
    good.flags = VGCF_in_kernel;
    BAD(user_regs.rip, NO_CANON);
    BAD(event_callback_eip, NO_CANON);
    BAD(failsafe_callback_eip, NO_CANON);
    BAD(syscall_callback_eip, NO_CANON);
    BAD(fs_base, NO_CANON);
    BAD(gs_base_kernel, NO_CANON);
    BAD(gs_base_user, NO_CANON);
    BAD(trap_ctxt[255].address, NO_CANON);
    BAD(ldt_ents, 8193);
    for (unsigned int i = 0; i < 16; i++) /* a frame that could be one of a GDT */
        good.gdt_frames[i] = page_list_first(&d->pages)->next;
    BAD(gdt_ents, 14 * 512 + 1);
    BAD(flags, 0); /* user mode without a user page table */
    BAD(ctrlreg[3], g.frame[MM_L4].n << PAGE_SHIFT);
    BAD(ctrlreg[1], g.frame[MM_L4].n << PAGE_SHIFT);
    good.ldt_ents = 8;
    BAD(ldt_base, 0x7008);
    BAD(ldt_base, 0xffff830000000000ull);
    good.ldt_ents = 0;
    good.gdt_ents = 8;
    BAD(gdt_frames[0], g.frame[MM_SPARE].n);
    assert_int_equal(host_recount(), 0);
    host_destroy(d);
}

#define A_SEGMENT 0x00cff3000000ffffull /* data, DPL 3, present */
#define TWINS     3u

/* A page of v's LDT is brought in as its CPU touches it. */
static void touch_ldt(struct vcpu *w)
{
    host_run_as(w);
    assert_true(pv_map_ldt_page(w, 0));
    assert_int_equal(host_recount(), 0);
}

/* Several vCPUs of a domain are given one GDT, in which a frame is twice, one LDT, and one table
 * for kernel and user mode: each holds all of it, one lets go, and then the domain ends. */
static void one_context_for_several(void **state)
{
    enum { GDT = MM_SPARE + 2, LDT };
    struct vcpu_guest_context *c = host_guest(HOST_GUEST_BASE);
    struct mm_guest twins;

    (void)state;
    mm_guest_init_vcpus(&twins, 5, false, TWINS);
    host_run_as(twins.v);
    mm_make_table(&twins, GDT);
    mm_make_table(&twins, LDT);
    mm_words(&twins, GDT)[1] = mm_words(&twins, LDT)[0] = A_SEGMENT;
    for (unsigned int i = 1; i < TWINS; i++) {
        twins.d->vcpu[i]->initialised = false;
        memset(c, 0, sizeof(*c));
        c->flags = VGCF_in_kernel;
        c->gdt_frames[0] = c->gdt_frames[1] = twins.frame[GDT].n;
        c->gdt_ents = 2 * PAGE_SIZE / 8;
        c->ldt_base = mm_va(LDT);
        c->ldt_ents = PAGE_SIZE / 8;
        c->ctrlreg[1] = c->ctrlreg[3] = twins.frame[MM_L4].n << PAGE_SHIFT;
        assert_int_equal(
            mm_call(&twins, __HYPERVISOR_vcpu_op, VCPUOP_initialise, i, HOST_GUEST_BASE, 0), 0);
        touch_ldt(twins.d->vcpu[i]);
        host_run_as(twins.v);
        assert_int_equal(mm_type_count(&twins, GDT), 2 * i);
        assert_int_equal(mm_type_count(&twins, LDT), i);
        assert_int_equal(mm_type_count(&twins, MM_L4), 2 + 2 * i); /* pinned, and this one's */
    }
    host_run_as(twins.d->vcpu[1]);
    assert_int_equal(pv_set_gdt(twins.d->vcpu[1], NULL, 0), 0);
    pv_set_ldt(twins.d->vcpu[1], 0, 0);
    host_run_as(twins.v);
    assert_int_equal(host_recount(), 0);
    assert_int_equal(mm_make_plain(&twins, GDT), -XEN_EBUSY);
    assert_int_equal(mm_make_plain(&twins, LDT), -XEN_EBUSY);
    mm_guest_gone(&twins);
    assert_int_equal(host_recount(), 0);
    host_run_as(g.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contexts, pv_setup, pv_teardown),
        cmocka_unit_test_setup_teardown(contexts_that_are_refused, pv_setup, pv_teardown),
        cmocka_unit_test_setup_teardown(one_context_for_several, pv_setup, pv_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
