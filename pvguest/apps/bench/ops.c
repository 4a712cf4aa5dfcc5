/* SPDX-License-Identifier: MIT */
/*
 * The operations that bench measures, from the lightest hypercall to a round trip through user
 * mode. The table at the end is the order in which they are printed.
 */
#include <guest/grant.h>
#include <guest/kernel.h>
#include <guest/pagetable.h>
#include <guest/user.h>

#include "bench.h"

#define UNKNOWN_HYPERCALL 63
#define MSR_FS_BASE       0xc0000100u
#define BATCH             128

/* ---- hypercalls as such ---- */

static void op_unknown(unsigned int n)
{
    REPEAT(n, hypercall0(UNKNOWN_HYPERCALL));
}

static void op_version(unsigned int n)
{
    REPEAT(n, HYPERVISOR_xen_version(XENVER_version, NULL));
}

static void op_taskswitch(unsigned int n)
{
    REPEAT(n, HYPERVISOR_fpu_taskswitch(0));
}

static void op_stack_switch(unsigned int n)
{
    static char stack[64] __attribute__((aligned(16)));

    REPEAT(n, HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)(stack + sizeof(stack))));
}

static void op_multicall(unsigned int n)
{
    multicall_entry_t calls[8];

    memset(calls, 0, sizeof(calls));
    for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
        calls[i].op = __HYPERVISOR_xen_version; /* sub-operation 0 is XENVER_version */
    REPEAT(n, HYPERVISOR_multicall(calls, ARRAY_SIZE(calls)));
}

static void op_timer_cancel(unsigned int n)
{
    REPEAT(n, HYPERVISOR_set_timer_op(0));
}

static void op_yield(unsigned int n)
{
    REPEAT(n, HYPERVISOR_sched_op(SCHEDOP_yield, NULL));
}

/* ---- events: two ports of this domain, bound to each other ---- */

static evtchn_port_t near, far;
static volatile unsigned int events_seen;

static void count_event(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    events_seen++;
}

static int prepare_events(void)
{
    if (near)
        return 0;
    if (event_alloc_unbound(DOMID_SELF, NULL, NULL, &far))
        return -1;
    return event_bind_interdomain(DOMID_SELF, far, NULL, NULL, &near);
}

static void op_send_pending(unsigned int n)
{
    evtchn_send_t op = {.port = near};

    REPEAT(n, HYPERVISOR_event_channel_op(EVTCHNOP_send, &op));
}

static void op_send_fresh(unsigned int n)
{
    evtchn_send_t op = {.port = near};

    REPEAT(n, shared_info->evtchn_pending[far / 64] = 0;
           HYPERVISOR_event_channel_op(EVTCHNOP_send, &op));
}

static int prepare_delivery(void)
{
    if (prepare_events())
        return -1;
    event_clear_pending(far);
    event_set_handler(far, count_event, NULL);
    return 0;
}

static void op_deliver(unsigned int n)
{
    evtchn_send_t op = {.port = near};

    REPEAT(n, HYPERVISOR_event_channel_op(EVTCHNOP_send, &op));
}

/* ---- page tables ---- */

static unsigned long page_va;
static pte_t pte_rw, pte_ro;
static mmu_update_t same[BATCH], toggle[BATCH];

static int prepare_page(void)
{
    const pte_t *pte;

    if (page_va)
        return 0;
    page_va = (unsigned long)page_alloc();
    if (!page_va)
        return -1;
    pte = pt_walk(pt_root, page_va, 1);
    *(volatile char *)page_va = 0; /* sets accessed and dirty */
    pte_rw = *pte;
    pte_ro = pte_rw & ~PTE_RW;
    for (unsigned int i = 0; i < BATCH; i++) {
        same[i].ptr = toggle[i].ptr = pt_maddr(pte) | MMU_NORMAL_PT_UPDATE;
        same[i].val = pte_rw;
        toggle[i].val = i % 2 ? pte_rw : pte_ro;
    }
    return 0;
}

static void op_va_same(unsigned int n)
{
    REPEAT(n, HYPERVISOR_update_va_mapping(page_va, pte_rw, UVMF_NONE));
}

static void op_va_toggle(unsigned int n)
{
    REPEAT(n, HYPERVISOR_update_va_mapping(page_va, i_ % 2 ? pte_rw : pte_ro, UVMF_NONE));
}

static void op_va_invlpg(unsigned int n)
{
    REPEAT(n, HYPERVISOR_update_va_mapping(page_va, i_ % 2 ? pte_rw : pte_ro,
                                           UVMF_INVLPG | UVMF_LOCAL));
}

static void op_mmu_1(unsigned int n)
{
    REPEAT(n, HYPERVISOR_mmu_update(same, 1, NULL, DOMID_SELF));
}

static void op_mmu_16(unsigned int n)
{
    REPEAT(n, HYPERVISOR_mmu_update(same, 16, NULL, DOMID_SELF));
}

static void op_mmu_128(unsigned int n)
{
    REPEAT(n, HYPERVISOR_mmu_update(same, 128, NULL, DOMID_SELF));
}

static void op_mmu_toggle(unsigned int n)
{
    REPEAT(n, HYPERVISOR_mmu_update(toggle, 128, NULL, DOMID_SELF));
}

/* A store to a page table is an ordinary page fault until this assist is on. */
static int prepare_emulated_write(void)
{
    return prepare_page() ||
           HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
}

static void op_emulated_write(unsigned int n)
{
    volatile pte_t *pte = (volatile pte_t *)pt_walk(pt_root, page_va, 1);

    REPEAT(n, *pte = i_ % 2 ? pte_rw : pte_ro);
}

static void op_flush(unsigned int n)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    REPEAT(n, HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

static void op_invlpg(unsigned int n)
{
    struct mmuext_op op = {.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = page_va};

    REPEAT(n, HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

static void op_new_baseptr(unsigned int n)
{
    struct mmuext_op op = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = virt_to_mfn(pt_root)};

    REPEAT(n, HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

/* ---- exceptions and emulation ---- */

static bool skip_load(struct trap_regs *regs)
{
    if (trap_fault_address() != 0x1000)
        return false;
    regs->rip += 2; /* mov (%rbx), %eax */
    return true;
}

static bool skip_ud2(struct trap_regs *regs)
{
    regs->rip += 2;
    return true;
}

static int prepare_faults(void)
{
    trap_set_handler(TRAP_PAGE_FAULT, skip_load);
    trap_set_handler(TRAP_INVALID_OP, skip_ud2);
    return 0;
}

static void op_page_fault(unsigned int n)
{
    REPEAT(n, __asm__ volatile("mov (%0), %%eax" : : "b"(0x1000ul) : "rax"));
}

static void op_ud2(unsigned int n)
{
    REPEAT(n, __asm__ volatile("ud2"));
}

static void op_cpuid(unsigned int n)
{
    uint32_t eax, ecx;

    REPEAT(n, __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                               : "=a"(eax), "=c"(ecx)
                               : "0"(1), "1"(0)
                               : "rbx", "rdx"));
}

static void op_rdmsr(unsigned int n)
{
    REPEAT(n, __asm__ volatile("rdmsr" : : "c"(MSR_FS_BASE) : "rax", "rdx"));
}

/* ---- grants to oneself ---- */

static int lent = -1;
static unsigned long grant_place;

/* Both return non-zero when an operation was refused: a refusal would be cheap. */
static int map_unmap(void)
{
    gnttab_map_grant_ref_t map = {
        .host_addr = grant_place,
        .flags = GNTMAP_host_map,
        .ref = (grant_ref_t)lent,
        .dom = own_domid(),
    };
    gnttab_unmap_grant_ref_t unmap = {.host_addr = grant_place};

    HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
    unmap.handle = map.handle;
    HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
    return map.status || unmap.status;
}

static int grant_copy_status(void)
{
    static char target[PAGE_SIZE] __attribute__((aligned(4096)));
    gnttab_copy_t copy = {
        .source = {.u.ref = (grant_ref_t)lent, .domid = DOMID_SELF},
        .dest = {.u.gmfn = virt_to_mfn(target), .domid = DOMID_SELF},
        .len = 64,
        .flags = GNTCOPY_source_gref,
    };

    HYPERVISOR_grant_table_op(GNTTABOP_copy, &copy, 1);
    return copy.status;
}

static int prepare_grants(void)
{
    if (lent >= 0)
        return 0;
    if (prepare_page() || grant_init())
        return -1;
    grant_place = map_area_alloc(1);
    if (!grant_place || pt_map(grant_place, 0))
        return -1;
    lent = grant_access(own_domid(), virt_to_mfn((void *)page_va), false);
    if (lent < 0)
        return -1;
    return (is_pv() && map_unmap()) || grant_copy_status();
}

static void op_grant_map(unsigned int n)
{
    REPEAT(n, map_unmap());
}

static void op_grant_copy(unsigned int n)
{
    REPEAT(n, grant_copy_status());
}

/* ---- user mode: a system call that returns at once ---- */

static const uint8_t user_code[] = {
    0x0f, 0x05, /* 1: syscall */
    0xff, 0xcf, /*    dec %edi */
    0x75, 0xfa, /*    jnz 1b */
    0x0f, 0x0b, /*    ud2 */
};

static bool return_at_once(struct trap_regs *regs)
{
    return regs->vector == VECTOR_SYSCALL;
}

static int prepare_user(void)
{
    trap_set_handler(VECTOR_SYSCALL, return_at_once);
    trap_set_handler(TRAP_INVALID_OP, NULL);
    return user_init() || user_load(user_code, sizeof(user_code));
}

static void op_syscall(unsigned int n)
{
    struct trap_regs regs = {.rip = USER_CODE, .rsp = USER_STACK_TOP, .rdi = n};

    user_run(&regs);
}

/* clang-format off */
const struct bench benches[] = {
    {"hypercall_unknown",     op_unknown,      NULL},
    {"xen_version",           op_version,      NULL},
    {"fpu_taskswitch",        op_taskswitch,   NULL},
    {"stack_switch",          op_stack_switch, NULL},
    {"multicall_8_version",   op_multicall,    NULL},
    {"set_timer_cancel",      op_timer_cancel, NULL},
    {"sched_yield",           op_yield,        NULL},
    {"evtchn_send_pending",   op_send_pending, prepare_events},
    {"evtchn_send_masked",    op_send_fresh,   prepare_events},
    {"evtchn_send_delivered", op_deliver,      prepare_delivery},
    {"va_mapping_same",       op_va_same,      prepare_page},
    {"va_mapping_toggle",     op_va_toggle,    prepare_page},
    {"va_mapping_invlpg",     op_va_invlpg,    prepare_page},
    {"mmu_update_1",          op_mmu_1,        prepare_page},
    {"mmu_update_16",         op_mmu_16,       prepare_page},
    {"mmu_update_128",        op_mmu_128,      prepare_page},
    {"mmu_update_128_toggle", op_mmu_toggle,   prepare_page},
    {"emulated_pt_write",     op_emulated_write, prepare_emulated_write},
    {"tlb_flush_local",       op_flush,        prepare_page},
    {"invlpg_local",          op_invlpg,       prepare_page},
    {"new_baseptr_same",      op_new_baseptr,  NULL},
    {"page_fault",            op_page_fault,   prepare_faults},
    {"invalid_opcode",        op_ud2,          prepare_faults},
    {"cpuid_forced",          op_cpuid,        NULL},
    {"rdmsr_fs_base",         op_rdmsr,        NULL},
    {"grant_map_unmap",       op_grant_map,    prepare_grants},
    {"grant_copy_64",         op_grant_copy,   prepare_grants},
    {"syscall",               op_syscall,      prepare_user},
    {NULL, NULL, NULL},
};
/* clang-format on */
