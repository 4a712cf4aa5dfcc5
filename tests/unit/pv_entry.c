/* SPDX-License-Identifier: MIT */
/*
 * What gets into a guest and out of it: bounce frames, iret, system calls, debug registers, MSRs,
 * and the few instructions that are emulated. A guest may leave anything in its registers; what
 * comes of it is the guest's own fault, in both senses.
 */
#include "pv_test.h"

#include <core/base/log.h>
#include <core/life/life.h>
#include <pv/hypercall.h>
#include <core/state/guest_ops.h>
#include <pv/pv_ops.h>
#include <xen/callback.h>
#include <xen/sched.h>

static int setup(void **state)
{
    pv_setup(state);
    for (unsigned int i = 0; i < 32; i++)
        g.v->arch.pv.traps[i].address = HANDLER + i;
    return 0;
}

/* A stack in the guest's page `page`, and its words. */
static uint64_t *stack(struct vcpu *v, unsigned int page)
{
    v->regs.rsp = v->arch.pv.kernel_sp = mm_va(page) + PAGE_SIZE;
    v->arch.pv.kernel_mode = true;
    return mm_words(&g, page);
}

/* XSA-183, XSA-215: the whole frame lies in the guest's part, however large it is, or the guest
 * ends. */
static void bounce_frames_stay_in_the_guest(void **state)
{
    /* Of what is the guest's above the hypervisor */
    static const uint64_t first = 0xffff880000000000ull;
    const uint64_t bad[] = {
        first,
        first + 16,
        first + 64,
        first + 88,
        NO_CANON,
        NO_CANON + 64,
        0xffff800000001000ull,
        0xffff830000001000ull,
        0,
        8,
        ~0ull,
        mm_va(MM_L1) + PAGE_SIZE,
        mm_va(200),
    };

    (void)state;
    g.v->arch.pv.callback[CALLBACKTYPE_failsafe].address = HANDLER;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        g.v->regs.rsp = bad[i];
        g.v->regs.rip = 0x4242;
        pv_failsafe(g.v);
        assert_true(g.d->shutting_down);
        assert_int_equal(g.d->shutdown_code, SHUTDOWN_crash);
        assert_int_equal(g.v->regs.rip, 0x4242);
        domain_resume(g.d);
    }
    assert_int_equal(host_recount(), 0);
}

static void a_frame_is_what_hardware_would_push(void **state)
{
    uint64_t *top = stack(g.v, MM_SPARE) + 512;

    (void)state;
    g.v->regs.rip = 0x4242;
    g.v->regs.rflags = X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_ALWAYS;
    g.v->vcpu_info->evtchn_upcall_mask = 1;
    pv_inject_exception(g.v, 13, BOUNCE_ERROR_CODE, 0x77);
    assert_int_equal(g.v->regs.rip, HANDLER + 13);
    assert_int_equal(g.v->regs.rsp, mm_va(MM_SPARE) + PAGE_SIZE - 8 * 8);
    assert_int_equal(top[-6], 0x77);
    assert_int_equal(top[-5], 0x4242);
    assert_int_equal(top[-4] >> 32, 1); /* events were masked */
    assert_int_equal(top[-3] & X86_EFLAGS_IF, 0);
    assert_false(g.v->regs.rflags & (X86_EFLAGS_TF | X86_EFLAGS_NT));
    /* Without a handler there is nowhere to go. */
    g.v->arch.pv.traps[14].address = 0;
    pv_inject_page_fault(g.v, 0x1234, 0);
    assert_true(g.d->shutting_down);
    domain_resume(g.d);
}

/* XSA-8: the fault of a system call without an entry point is a fault, whole and with its own
 * flags. XSA-44, XSA-339: without NT. */
static void system_calls_without_an_entry_point(void **state)
{
    uint64_t *top = stack(g.v, MM_SPARE) + 512;

    (void)state;
    g.v->arch.pv.callback[CALLBACKTYPE_syscall].disables_events = true;
    g.v->arch.pv.kernel_mode = false;
    g.v->regs.rip = 0x4244;
    g.v->vcpu_info->evtchn_upcall_mask = 0;
    pv_handle_syscall(g.v, CALLBACKTYPE_syscall);
    assert_int_equal(g.v->regs.rip, HANDLER + 6);
    assert_int_equal(top[-5], 0x4242); /* the instruction itself; no error code below it */
    assert_int_equal(g.v->regs.rsp, mm_va(MM_SPARE) + PAGE_SIZE - 7 * 8);
    assert_int_equal(g.v->vcpu_info->evtchn_upcall_mask,
                     0); /* the system call's flag, not the fault's */
    assert_true(guest_kernel_mode(g.v));

    g.v->arch.pv.kernel_mode = false;
    g.v->regs.rflags |= X86_EFLAGS_NT;
    pv_handle_sysenter(g.v);
    assert_int_equal(g.v->regs.rip, HANDLER + 13);
    assert_int_equal(top[-6], 0); /* its error code */
    assert_false(top[-3] & X86_EFLAGS_NT);
    assert_int_equal(g.v->regs.rsp, mm_va(MM_SPARE) + PAGE_SIZE - 8 * 8);
}

/* XSA-136: the frame is read from the guest, once; of its flags and selectors only what a guest may
 * have. */
static void iret_takes_what_a_guest_may_have(void **state)
{
    uint64_t *base = stack(g.v, MM_SPARE);
    struct iret_context *f = (struct iret_context *)(void *)(base + 100);
    uint64_t copies;

    (void)state;
    memset(f, 0xff, sizeof(*f));
    f->cs = 0xffff & ~3u; /* to kernel mode */
    f->rax = 77;
    f->flags = 0;
    g.v->regs.rsp = mm_va(MM_SPARE) + 100 * 8;
    copies = host_copies;
    assert_int_equal(do_iret(), 77);
    assert_int_equal(host_copies, copies + 1);
    assert_int_equal(g.v->regs.cs & 3, 3);
    assert_int_equal(g.v->regs.ss & 3, 3);
    assert_false(g.v->regs.rflags & (X86_EFLAGS_IOPL | X86_EFLAGS_VM));
    assert_true(g.v->regs.rflags & X86_EFLAGS_IF);
    assert_true(g.v->regs.rflags & X86_EFLAGS_NT);
    assert_int_equal(g.v->arch.pv.iopl, 0); /* the frame's level: for who asked for it */
    g.d->vm_assist |= 1u << VMASST_TYPE_architectural_iopl;
    g.v->regs.rsp = mm_va(MM_SPARE) + 100 * 8;
    assert_int_equal(do_iret(), 77);
    assert_int_equal(g.v->arch.pv.iopl, 3);
    assert_false(g.v->regs.rflags & X86_EFLAGS_IOPL);
    assert_int_not_equal(g.v->regs.entry_vector, ENTRY_HYPERCALL);
    assert_true(guest_kernel_mode(g.v));
    /* To user mode, which has no page table; from a frame that is not there. Who is resumed leaves
     * by no SYSRET, which would take the IOPL and all from R11: the short way has the frame's
     * there. */
    f->cs = 3;
    for (unsigned int i = 0; i < 2; i++) {
        g.v->regs.rsp = i ? mm_va(200) : mm_va(MM_SPARE) + 100 * 8;
        g.v->regs.entry_vector = ENTRY_HYPERCALL;
        (void)do_iret();
        assert_true(g.d->shutting_down);
        assert_true(guest_kernel_mode(g.v));
        assert_int_not_equal(g.v->regs.entry_vector, ENTRY_HYPERCALL);
        domain_resume(g.d);
    }
}

/* XSA-12, XSA-444: no address of the hypervisor's, no reserved bit, no kind of breakpoint that the
 * guest could not have. */
static void debug_registers(void **state)
{
    static const uint64_t bad_addresses[] = {NO_CANON,
                                             0xffff82d040000000ull,
                                             0xffff87fffffffff9ull,
                                             0xffff800000000000ull,
                                             0xff00000000000000ull,
                                             -7ull,
                                             0xffff87ffffffffffull};
    static const uint64_t bad_dr7[] = {1ull << 32,    ~0ull,          1u << 13,
                                       1u | 2u << 16, 1u | 10u << 16, 1u << 6 | 2u << 28};

    (void)state;
    for (unsigned int reg = 0; reg < 4; reg++)
        for (unsigned int i = 0; i < ARRAY_SIZE(bad_addresses); i++)
            assert_int_equal(do_set_debugreg(reg, bad_addresses[i]), -XEN_EPERM);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad_dr7); i++)
        assert_int_equal(do_set_debugreg(7, bad_dr7[i]), -XEN_EPERM);
    g.v->arch.pv.ctrlreg[4] |= X86_CR4_DE; /* which makes no difference to one on I/O */
    assert_int_equal(do_set_debugreg(7, 1u | 2u << 16), -XEN_EPERM);
    assert_int_equal(do_set_debugreg(7, 2u << 6 | 14u << 28), -XEN_EPERM);
    g.v->arch.pv.ctrlreg[4] &= ~X86_CR4_DE;
    assert_int_equal(do_set_debugreg(7, 2u << 16), 0); /* which is not switched on */
    assert_int_equal(do_set_debugreg(7, 0xdc00 & ~(1ull << 13)), 0);
    assert_int_equal(do_get_debugreg(7),
                     0x400); /* reserved bits read as they are, whatever was written */
    assert_int_equal(do_set_debugreg(6, 0xf00ff00f), 0);
    assert_int_equal(do_get_debugreg(6) & ~0xe00full, 0xffff0ff0);
    for (unsigned int reg = 8; reg < 20; reg++)
        assert_true(do_set_debugreg(reg, 0) < 0);
    assert_true(do_set_debugreg(~0u, 0) < 0);
    assert_int_equal(do_set_debugreg(0, -8ull), 0);
    assert_int_equal(do_set_debugreg(0, 0xffff880000000000ull), 0);
    assert_int_equal(do_set_debugreg(0, 0x7fffffffffffull), 0);
    assert_int_equal(do_set_debugreg(0, mm_va(0)), 0);
    assert_int_equal(do_get_debugreg(0), mm_va(0));
}

/* A context that says nothing about debug registers, or something that may not be, leaves them as
 * after a reset. */
static void debug_registers_of_a_context(void **state)
{
    struct vcpu_guest_context *c = host_guest(HOST_GUEST_BASE);

    (void)state;
    memset(c, 0, sizeof(*c));
    c->flags = VGCF_in_kernel;
    for (unsigned int bad = 0; bad < 2; bad++) {
        assert_int_equal(do_set_debugreg(7, 0x455), 0);
        assert_int_equal(do_set_debugreg(1, mm_va(0)), 0);
        assert_int_equal(g.d->ops->set_context(g.v, c), 0);
        assert_int_equal(do_get_debugreg(6), 0xffff0ff0);
        assert_int_equal(do_get_debugreg(7), 0x400);
        assert_int_equal(do_get_debugreg(1), 0);
        c->debugreg[7] = 1u << 13;
        c->debugreg[1] = NO_CANON;
    }
}

/* The bitmap of ports is read with the kernel's page table, whoever asks; a byte that is not there
 * permits nothing, and takes nothing from the one before it. */
static void ports_of_applications(void **state)
{
    uint8_t *bits = (uint8_t *)mm_words(&g, MM_FRAMES - 1);
    struct vcpu *v = g.v;

    (void)state;
    v->arch.pv.guest_table_user = g.frame[MM_SPARE]; /* maps nothing */
    pv_toggle_guest_mode(v);
    v->arch.pv.iobmp = mm_va(MM_FRAMES) - 17;
    v->arch.pv.iobmp_limit = 65536;
    bits[PAGE_SIZE - 1] = 0xfe;
    assert_true(pv_io_permitted(v, 0x80, 1));
    assert_false(pv_io_permitted(v, 0x80, 2));
    assert_false(pv_io_permitted(v, 0x81, 1));
    assert_true(pv_io_permitted(v, 0x7f, 2)); /* two bytes, both there */
    bits[PAGE_SIZE - 1] = 0;
    assert_true(pv_io_permitted(v, 0x80, 4));
    assert_false(pv_io_permitted(v, 0x86, 4));
    assert_false(pv_io_permitted(v, 0x88, 1));
    v->arch.pv.iobmp_limit = 0x83;
    assert_false(pv_io_permitted(v, 0x80, 4));
    assert_true(pv_io_permitted(v, 0x81, 2));
    assert_false(guest_kernel_mode(v));
    assert_int_equal(v->arch.pv.cr3, g.frame[MM_SPARE].n << PAGE_SHIFT);
    pv_toggle_guest_mode(v);
    v->arch.pv.guest_table_user = MFN(0);
}

/* XSA-193, XSA-333, XSA-351: a list of what there is; the rest is the guest's #GP, and hardware is
 * not asked. */
static void machine_registers(void **state)
{
    static const uint32_t bases[] = {0xc0000100, 0xc0000101, 0xc0000102};
    static const uint32_t energy[] = {0x606, 0x610, 0x611, 0x614,      0x619,
                                      0x639, 0x641, 0x64d, 0xc001029a, 0xc001029b};
    uint64_t value;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bases); i++) {
        assert_true(pv_write_msr(g.v, bases[i], 0x7fffffffffff));
        assert_false(pv_write_msr(g.v, bases[i], NO_CANON));
        assert_false(pv_write_msr(g.v, bases[i], 0x7fffffffffffffffull));
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(energy); i++) {
        assert_false(pv_read_msr(g.v, energy[i], &value));
        assert_false(pv_write_msr(g.v, energy[i], 0));
    }
    assert_true(pv_read_msr(g.v, 0x1a0, &value));
    assert_true(pv_write_msr(g.v, 0x1a0, value)); /* changes nothing */
    assert_false(pv_write_msr(g.v, 0x1a0, ~value));
    for (unsigned int has = 0; has < 2; has++) { /* the barrier of branch predictors */
        host_full_cpu = has;
        host_barriers = 0;
        assert_false(pv_read_msr(g.v, 0x49, &value));
        assert_int_equal(pv_write_msr(g.v, 0x49, 1), has);
        assert_int_equal(host_barriers, has);
        assert_false(pv_write_msr(g.v, 0x49, 2) || pv_write_msr(g.v, 0x49, 1ull << 32));
        assert_int_equal(pv_write_msr(g.v, 0x48, 4), has); /* SPEC_CTRL, SSBD */
        assert_int_equal(pv_read_msr(g.v, 0x48, &value), has);
        assert_true(!has || value == 4);
        assert_false(pv_write_msr(g.v, 0x48, 1) || pv_write_msr(g.v, 0x48, 1ull << 32));
    }
    host_full_cpu = false;
    assert_int_equal(mm_call(&g, __HYPERVISOR_set_segment_base, SEGBASE_FS, NO_CANON, 0, 0),
                     -XEN_EINVAL);
}

static void set_code(struct mm_guest *who, uint64_t at, const uint8_t *code, size_t n)
{
    memcpy((char *)mm_words(who, MM_SPARE + 1) + at, code, n);
    who->v->regs.rip = mm_va(MM_SPARE + 1) + at;
    who->v->regs.cs = FLAT_USER_CS64;
}

/* XSA-67: what cannot be read from memory is not written to a port, and the guest hears of it;
 * likewise the other way. */
static void string_ports_and_bad_memory(void **state)
{
    static const uint8_t outsb[] = {0x6e}, insb[] = {0x6c};
    struct vcpu *v = control.v;

    (void)state;
    host_run_as(v);
    v->arch.pv.traps[14].address = HANDLER;
    v->arch.pv.iopl = 3;
    for (unsigned int in = 0; in < 2; in++) {
        set_code(&control, 0, in ? insb : outsb, 1);
        v->regs.rsp = mm_va(MM_SPARE) + PAGE_SIZE;
        v->regs.rdx = 0x80;
        v->regs.rsi = v->regs.rdi = mm_va(200);
        assert_true(pv_emulate_privileged(v));
        assert_int_equal(v->regs.rip, HANDLER);
        assert_int_equal(v->vcpu_info->arch.cr2, mm_va(200));
        assert_int_equal(v->regs.rsi, mm_va(200)); /* it is to be done again */
        assert_int_equal(mm_words(&control, MM_SPARE)[507], mm_va(MM_SPARE + 1));
    }
    host_run_as(g.v);
}

/* XSA-186: an instruction that goes on where nothing is mapped is not one. XSA-66, XSA-190,
 * XSA-470: nor is what is not on the list. */
static void what_is_not_emulated(void **state)
{
    static const uint8_t cut[] = {0x0f};
    static const uint8_t fbld[] = {0xdf, 0x20}, fxsave[] = {0x0f, 0xae, 0x00}, hlt[] = {0xf4};
    static const uint8_t xsetbv[] = {0x0f, 0x01, 0xd1};

    (void)state;
    memcpy((char *)mm_words(&g, MM_FRAMES - 1) + PAGE_SIZE - 1, cut, 1);
    g.v->regs.cs = FLAT_USER_CS64;
    g.v->regs.rip = mm_va(MM_FRAMES) - 1;
    assert_false(pv_emulate_privileged(g.v));
    assert_int_equal(g.v->regs.rip, mm_va(MM_FRAMES) - 1);
    g.v->regs.rip = mm_va(200);
    assert_false(pv_emulate_privileged(g.v));
    set_code(&g, 0, fbld, sizeof(fbld));
    assert_false(pv_emulate_privileged(g.v));
    set_code(&g, 0, fxsave, sizeof(fxsave));
    assert_false(pv_emulate_privileged(g.v));
    set_code(&g, 0, hlt, sizeof(hlt));
    assert_false(pv_emulate_privileged(g.v));
    /* XSA-54: a value that the machine refuses is a fault, and is not remembered. */
    g.v->arch.pv.ctrlreg[4] = X86_CR4_OSXSAVE;
    g.v->regs.rcx = 0;
    g.v->regs.rax = g.v->regs.rdx = ~0u;
    set_code(&g, 0, xsetbv, sizeof(xsetbv));
    assert_false(pv_emulate_privileged(g.v));
    assert_int_equal(g.v->arch.xcr0, 1);
}

/* What is refused of an instruction is not laid at the door of the last hypercall. */
static void refusals_of_instructions(void **state)
{
    static const uint8_t rdmsr[] = {0x0f, 0x32};
    static char text[70000];
    uint32_t pos = 0;
    size_t n;

    (void)state;
    log_clear();
    (void)mm_call(&g, __HYPERVISOR_set_debugreg, 9, 0, 0, 0);
    g.v->regs.rcx = 0x606;
    set_code(&g, 0, rdmsr, sizeof(rdmsr));
    g.v->regs.entry_vector = TRAP_gp_fault;
    assert_false(pv_emulate_privileged(g.v));
    n = log_read(text, sizeof(text) - 1, &pos);
    text[n] = 0;
    assert_non_null(strstr(text, "d1v0: RDMSR 0x606 is not offered"));
}

/* Any bytes at all: done, or the guest's fault; in no case longer than an instruction can be. */
static void any_bytes(void **state)
{
    uint64_t seed = 0xe4;

    (void)state;
    for (unsigned int n = 0; n < 200000; n++) {
        uint8_t code[16];
        uint64_t rip;

        for (unsigned int i = 0; i < sizeof(code); i++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            code[i] = (uint8_t)(seed >> 33);
        }
        if (n % 2)
            code[n / 2 % 3] = 0x0f;
        (void)stack(g.v, MM_SPARE);
        set_code(&g, seed % (PAGE_SIZE - sizeof(code)), code, sizeof(code));
        rip = g.v->regs.rip;
        g.v->arch.pv.iopl = seed >> 62;
        if (pv_emulate_privileged(g.v))
            assert_true(g.v->regs.rip - rip <= 15 || g.v->regs.rip < HANDLER + 32);
        else
            assert_int_equal(g.v->regs.rip, rip);
        assert_false(g.d->shutting_down);
    }
    assert_int_equal(host_recount(), 0);
}

/* XSA-298: the number of descriptors is bounded where it is taken, and what is loaded beyond is not
 * there. */
static void descriptor_table_limits(void **state)
{
    uint64_t *list = host_guest(HOST_GUEST_BASE);
    uint64_t ldt = perdomain_area(g.v) + PERDOMAIN_LDT_OFFSET;

    (void)state;
    list[0] = g.frame[MM_SPARE].n;
    for (unsigned int n = 14 * 512 + 1; n; n = n < 1u << 31 ? n * 2 : 0)
        assert_int_equal(mm_call(&g, __HYPERVISOR_set_gdt, HOST_GUEST_BASE, n, 0, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, mm_va(MM_SPARE), 8193), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, mm_va(MM_SPARE) + 8, 8), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, 0xffff830000000000ull, 8), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, mm_va(MM_SPARE), 8), 0);
    assert_false(pv_map_ldt_page(g.v, 8 * 8)); /* beyond the last: the guest's own fault */
    assert_false(pv_map_ldt_page(g.v, ~0u & ~7u));
    for (unsigned int i = 8; i < 65536; i *= 2) { /* nor does the hypervisor, for itself */
        assert_false(pv_bring_in(g.v, ldt + i * 8));
        assert_false(pv_bring_in(g.v, ldt - i * 8));
    }
    assert_int_equal(g.v->arch.pv.ldt_mapped, 0);
}

/* A context whose last part is refused gives back all that was taken before, also when it must give
 * way meanwhile. */
static void a_context_that_fails_takes_nothing(void **state)
{
    struct vcpu_guest_context *c = host_guest(HOST_GUEST_BASE);
    struct domain *d = host_domain(7, false, 1, 4);
    struct page_info *kernel = page_list_first(&d->pages), *user = &frame_table[kernel->next];
    uint64_t *l4 = map_frame(page_to_mfn(kernel)), *user_l4 = map_frame(page_to_mfn(user));
    mfn_t gdt = MFN(frame_table[user->next].next);
    struct vcpu *v = d->vcpu[0];

    (void)state;
    memset(map_frame(gdt), 0, PAGE_SIZE);
    for (unsigned int turn = 0; turn < 4; turn++) {
        bool busy = turn % 2, bad_user = turn / 2;
        int rc;

        v->initialised = false;
        l4[0] = l4[1] = user_l4[0] = user_l4[1] = mm_pte(MFN(user->next), MM_RW);
        user_l4[2] = bad_user ? mm_pte(page_to_mfn(user), MM_RW) : 0;
        memset(c, 0, sizeof(*c));
        c->flags = VGCF_in_kernel;
        c->ctrlreg[3] = page_to_mfn(kernel).n << PAGE_SHIFT;
        c->ctrlreg[1] = page_to_mfn(user).n << PAGE_SHIFT;
        c->gdt_ents = 512;
        c->gdt_frames[0] = bad_user ? gdt.n : max_mfn + 1;
        /* Busy, the kernel's table is still half undone when the call comes back. */
        this_cpu()->pending = busy ? CPU_WORK_CONSOLE : 0;
        while ((rc = d->ops->set_context(v, c)) == -XEN_ERESTART)
            ;
        assert_int_equal(rc, -XEN_EINVAL);
        while (pv_finish_old_table(g.v))
            ;
        this_cpu()->pending = 0;
        assert_false(v->initialised);
        assert_int_equal(host_recount(), 0);
        assert_int_equal(kernel->type_info & PGT_count_mask, 0);
        assert_int_equal(user->type_info & PGT_count_mask, 0);
        assert_int_equal(mfn_to_page(MFN(user->next))->type_info & PGT_count_mask, 0);
        assert_int_equal(mfn_to_page(gdt)->type_info & PGT_count_mask, 0);
        assert_int_equal(v->arch.pv.gdt_ents, 0);
    }
    host_destroy(d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, pv_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bounce_frames_stay_in_the_guest),
        TEST(a_frame_is_what_hardware_would_push),
        TEST(system_calls_without_an_entry_point),
        TEST(iret_takes_what_a_guest_may_have),
        TEST(debug_registers),
        TEST(debug_registers_of_a_context),
        TEST(ports_of_applications),
        TEST(machine_registers),
        TEST(string_ports_and_bad_memory),
        TEST(what_is_not_emulated),
        TEST(refusals_of_instructions),
        TEST(any_bytes),
        TEST(descriptor_table_limits),
        TEST(a_context_that_fails_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
