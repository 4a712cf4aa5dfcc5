/* SPDX-License-Identifier: MIT */
/*
 * The part of pv_random.h that is the CPU's: a vCPU runs any code and gets any exception.
 */
#include "pv_random.h"

#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>
#include <string.h>
#include <xen/callback.h>

#define CODE  (MM_FRAMES - 1) /* pages of each guest for code and for stacks, if still mapped */
#define STACK (MM_FRAMES - 2)

/* Beginnings of the instructions that somebody here decodes. */
static const struct {
    uint8_t n;
    char bytes[9];
} instructions[] = {
    {3, "\x48\x89\x07"},     /* mov [rdi], rax */
    {4, "\xf0\x80\x27\xfd"}, /* lock and byte [rdi], */
    {3, "\x48\x87\x37"},     /* xchg */
    {4, "\x48\x0f\xb1\x37"}, /* cmpxchg */
    {3, "\x48\x83\x0f"},     /* or */
    {2, "\x48\xab"},         /* stosq */
    {3, "\x0f\x22\xd8"},     /* mov cr3, rax */
    {2, "\x0f\x22"},         /* mov cr, */
    {2, "\x0f\x20"},         /* mov , cr */
    {2, "\x0f\x23"},         /* mov dr, */
    {2, "\x0f\x21"},
    {2, "\x0f\x30"},            /* wrmsr */
    {2, "\x0f\x32"},            /* rdmsr */
    {2, "\x0f\x06"},            /* clts */
    {2, "\x0f\x31"},            /* rdtsc */
    {3, "\x0f\x01\xd1"},        /* xsetbv */
    {7, "\x0f\x0bxen\x0f\xa2"}, /* cpuid */
    {1, "\xe4"},                /* in, out */
    {1, "\xee"},
    {2, "\xf3\x6c"}, /* rep insb */
    {2, "\x66\x6f"},
    {1, "\xcd"}, /* int */
    {1, "\xfa"}, /* cli */
    {1, "\xf4"}, /* hlt */
};

static const uint64_t odd_addresses[] = {0,
                                         8,
                                         ~0ull,
                                         0x0000800000000000ull,
                                         0xffff800000000000ull,
                                         0xffff830000001000ull,
                                         0xffff880000000000ull,
                                         0x00007ffffffffffcull};

static gva_t any_address(void)
{
    unsigned int kind = pv_random_take(8);

    if (kind == 0)
        return odd_addresses[pv_random_take(ARRAY_SIZE(odd_addresses))];
    if (kind == 1)
        return pv_random_word();
    return mm_va(pv_random_take(MM_FRAMES + 2)) + (kind & 1 ? pv_random_take(256) * 8 : 4090);
}

/* Writes into the guest's page as it could itself. */
static void poke(struct mm_guest *g, unsigned int page, unsigned int at, const void *from, size_t n)
{
    struct page_info *pg = mm_page(g, page);

    if (!get_page_and_writable(pg, g->d))
        return;
    memcpy((char *)mm_words(g, page) + at, from, n);
    put_page_and_type(pg);
}

static void any_code(struct mm_guest *g, struct vcpu *v)
{
    uint8_t code[16];
    unsigned int n = 0, at = pv_random_take(8) ? 0 : PAGE_SIZE - sizeof(code);

    if (pv_random_take(8)) {
        unsigned int i = pv_random_take(ARRAY_SIZE(instructions));

        n = instructions[i].n;
        memcpy(code, instructions[i].bytes, n);
    }
    while (n < sizeof(code))
        code[n++] = (uint8_t)pv_random_take(256);
    poke(g, CODE, at, code, sizeof(code));
    v->regs.rip = mm_va(CODE) + at + (pv_random_take(8) ? 0 : pv_random_take(16));
    v->regs.cs = pv_random_take(16) ? FLAT_USER_CS64 : (uint16_t)pv_random_word();
}

static void any_registers(struct vcpu *v)
{
    v->regs.rax = pv_random_word();
    v->regs.rcx = pv_random_take(4) ? pv_random_take(4) : 0xc0000100 + pv_random_take(4);
    v->regs.rdx = pv_random_take(4) ? pv_random_take(256) : pv_random_word();
    v->regs.rdi = v->regs.rsi = any_address();
    v->regs.rsp =
        pv_random_take(4) ? mm_va(STACK) + PAGE_SIZE - pv_random_take(256) : any_address();
    v->regs.rflags = pv_random_take(4) ? X86_EFLAGS_IF : pv_random_word();
    if (!pv_random_take(4))
        v->arch.pv.iopl = pv_random_take(4);
}

static void any_trap(struct mm_guest *g, struct vcpu *v)
{
    unsigned int vector = pv_random_take(4) ? TRAP_gp_fault : pv_random_take(24);

    any_registers(v);
    any_code(g, v);
    v->regs.entry_vector = vector;
    v->regs.error_code = pv_random_take(4) ? 0 : (uint32_t)pv_random_word();
    if (vector == TRAP_page_fault)
        pv_page_fault(v, any_address());
    else
        pv_exception(v, pv_random_word());
}

/* A page fault at what the instruction writes, or in the LDT. */
static void any_page_fault(struct mm_guest *g, struct vcpu *v)
{
    gva_t at =
        pv_random_take(2) ? mm_va(pv_random_take(20)) + pv_random_take(64) * 8 : any_address();

    any_registers(v);
    any_code(g, v);
    v->regs.rdi = at;
    v->regs.error_code = pv_random_take(4) ? PFEC_PRESENT | PFEC_WRITE : pv_random_take(32);
    if (!pv_random_take(4)) {
        at = perdomain_area(v) + PERDOMAIN_LDT_OFFSET + pv_random_take(3) * PAGE_SIZE +
             pv_random_take(256) * 8;
        v->regs.error_code = 0;
    }
    v->regs.entry_vector = TRAP_page_fault;
    pv_page_fault(v, at);
}

static void any_iret(struct mm_guest *g, struct vcpu *v)
{
    struct iret_context f = {.rax = pv_random_word(),
                             .flags = pv_random_take(2) ? VGCF_in_syscall : 0,
                             .rip = pv_random_word() | 1,
                             .cs = (uint64_t[]){0xe033, 0xe030, 0xe023}[pv_random_take(3)],
                             .rflags = pv_random_take(2) ? X86_EFLAGS_IF : pv_random_word(),
                             .rsp = mm_va(STACK) + PAGE_SIZE,
                             .ss = pv_random_take(4) ? 0xe02b : 0xe033};
    static const uint64_t none[6];

    poke(g, STACK, 1024, &f, sizeof(f));
    v->regs.rsp = pv_random_take(8) ? mm_va(STACK) + 1024 : any_address();
    (void)host_hypercall(v, __HYPERVISOR_iret, none, NULL);
}

static void any_entry(struct vcpu *v)
{
    v->regs.rip = pv_random_word();
    switch (pv_random_take(4)) {
    case 0:
        pv_handle_syscall(v, CALLBACKTYPE_syscall);
        break;
    case 1:
        pv_handle_syscall(v, CALLBACKTYPE_syscall32);
        break;
    case 2:
        pv_handle_sysenter(v);
        break;
    default:
        pv_failsafe(v);
    }
}

static void user_table(struct mm_guest *g, struct vcpu *v)
{
    const uint64_t args[6] = {PV_RANDOM_ARG, 1, 0, DOMID_SELF};

    *(struct mmuext_op *)host_guest(PV_RANDOM_ARG) =
        (struct mmuext_op){.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = g->frame[MM_L4].n};
    (void)host_hypercall(v, __HYPERVISOR_mmuext_op, args, NULL);
}

void pv_random_cpu(struct mm_guest *g, struct vcpu *v)
{
    if (v->vcpu_info->evtchn_upcall_pending && !v->vcpu_info->evtchn_upcall_mask)
        pv_deliver_event(v);
    switch (pv_random_take(8)) {
    case 0 ... 2:
        any_trap(g, v);
        break;
    case 3 ... 4:
        any_page_fault(g, v);
        break;
    case 5:
        if (guest_kernel_mode(v))
            any_iret(g, v);
        else
            any_entry(v);
        break;
    case 6:
        if (!guest_kernel_mode(v))
            any_entry(v);
        else if (v->arch.pv.guest_table_user.n)
            pv_toggle_guest_mode(v); /* as the return to user mode does */
        else
            user_table(g, v);
        break;
    default:
        v->nmi_pending = true;
        pv_deliver_event(v);
    }
    host_tlb_check();
}

void pv_random_context(struct mm_guest *g)
{
    struct vcpu_guest_context *c = host_guest(PV_RANDOM_ARG);

    memset(c, 0, sizeof(*c));
    c->flags = pv_random_take(8) ? VGCF_in_kernel | VGCF_online : pv_random_take(64);
    c->user_regs.rip = pv_random_word();
    c->kernel_sp = mm_va(STACK) + PAGE_SIZE;
    c->ctrlreg[3] = (pv_random_take(4) ? g->frame[MM_L4] : pv_random_frame()).n << PAGE_SHIFT;
    if (!pv_random_take(4))
        c->ctrlreg[1] = pv_random_frame().n << PAGE_SHIFT;
    if (!pv_random_take(4)) {
        c->gdt_ents = pv_random_take(3) * 512;
        c->gdt_frames[0] = pv_random_frame().n;
        c->gdt_frames[1] = pv_random_frame().n;
    }
    if (!pv_random_take(4)) {
        c->ldt_ents = pv_random_take(256) * 8;
        c->ldt_base = mm_va(pv_random_take(MM_FRAMES));
    }
    c->debugreg[7] = pv_random_take(4) ? 0 : pv_random_word();
    c->event_callback_eip = c->failsafe_callback_eip = pv_random_take(4) ? 0x5000 : 0;
    c->trap_ctxt[14].address = pv_random_take(8) ? 0x6000 : pv_random_word();
}
