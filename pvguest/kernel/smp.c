/* SPDX-License-Identifier: MIT */
/*
 * Per-vCPU state, and starting further vCPUs.
 *
 * A domain starts with vCPU 0 alone. VCPUOP_initialise gives another one its complete register
 * state (struct vcpu_guest_context): page-table root, stack, entry point, segment selectors,
 * trap table, callbacks. VCPUOP_up lets it run. Each has its own vcpu_info in the shared info
 * page, and the trap table is per vCPU, so the new one registers its own when it runs.
 *
 * Fully virtualized ones are started as on any machine: INIT, then SIPI with the page at which they
 * begin in real mode (pvh_start.asm), one after another. Where there are hypercalls they go down
 * and come up again by them.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>
#include <guest/time.h>

#define STACK_PAGES 4

static struct percpu cpus[MOST_CPUS];
static struct {
    void (*fn)(void *arg);
    void *arg;
} start[MOST_CPUS];

void percpu_init(unsigned int id)
{
    struct percpu *cpu = &cpus[id];
    long rc;

    cpu->self = cpu;
    cpu->id = id;
    if (!is_pv())
        hvm_cpu_init(id, cpu);
    if (!has_hypercalls())
        return;
    cpu->info = &shared_info->vcpu_info[id];
    rc = is_pv() ? HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)cpu) : 0;
    if (rc)
        panic("cannot set the GS base: %ld", rc);
}

/* For pvh_start.asm, and which vCPU it is that begins; 0: it has begun. */
extern uint64_t ap_stack;
extern char ap_start[];
static unsigned int starting;

void guest_start_ap(void);

static void go_down(unsigned int id)
{
    if (has_hypercalls())
        HYPERVISOR_vcpu_op(VCPUOP_down, id, NULL);
    else
        __asm__ volatile("cli; hlt"); /* until INIT */
}

static void smp_entry(unsigned long id)
{
    percpu_init((unsigned int)id);
    traps_init();
    time_init();
    for (;;) {
        events_enable();
        start[id].fn(start[id].arg);
        events_disable();
        /* Down by its own wish: returns when somebody says up again, with another function. */
        go_down((unsigned int)id);
    }
}

void guest_start_ap(void)
{
    unsigned int id = starting;

    write_cr3((uint64_t)virt_to_pfn(pt_root) << PAGE_SHIFT);
    __atomic_store_n(&starting, 0, __ATOMIC_SEQ_CST); /* and so is the stack's place free */
    percpu_init(id);
    lapic_init();
    smp_entry(id);
}

static int start_by_sipi(unsigned int vcpu)
{
    int id = acpi_apic_id(vcpu);

    if (id < 0)
        return id;
    ap_stack = (uint64_t)cpus[vcpu].stack + STACK_PAGES * PAGE_SIZE;
    starting = vcpu;
    lapic_send((uint32_t)id, ICR_INIT);
    lapic_send((uint32_t)id, ICR_STARTUP | (uint32_t)virt_to_pfn(ap_start));
    while (__atomic_load_n(&starting, __ATOMIC_SEQ_CST))
        cpu_relax();
    return 0;
}

static void fill_context(vcpu_guest_context_t *ctx, unsigned int id, unsigned long stack_top)
{
    memset(ctx, 0, sizeof(*ctx));
    ctx->flags = VGCF_IN_KERNEL;
    ctx->user_regs.rip = (unsigned long)smp_entry;
    ctx->user_regs.rdi = id;
    ctx->user_regs.rsp = stack_top - 8; /* as if called */
    ctx->user_regs.rflags = RFLAGS_IF;
    ctx->user_regs.cs = FLAT_KERNEL_CS;
    ctx->user_regs.ss = FLAT_KERNEL_SS;
    ctx->kernel_ss = FLAT_KERNEL_SS;
    ctx->kernel_sp = stack_top;
    ctx->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(pt_root));
}

static int initialise(unsigned int vcpu)
{
    static vcpu_guest_context_t context;

    if (!is_pv())
        return 0;
    fill_context(&context, vcpu, (unsigned long)cpus[vcpu].stack + STACK_PAGES * PAGE_SIZE);
    return (int)HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, &context);
}

int smp_start(unsigned int vcpu, void (*fn)(void *arg), void *arg)
{
    bool first;
    int rc;

    if (!vcpu || vcpu >= (has_hypercalls() ? MAX_VCPUS : MOST_CPUS))
        return -XEN_EINVAL;
    start[vcpu].fn = fn;
    start[vcpu].arg = arg;
    first = !cpus[vcpu].stack;
    if (first) {
        cpus[vcpu].stack = pages_alloc(STACK_PAGES);
        if (!cpus[vcpu].stack)
            return -XEN_ENOMEM;
        rc = initialise(vcpu);
        if (rc) {
            pages_free(cpus[vcpu].stack, STACK_PAGES);
            cpus[vcpu].stack = NULL;
            return rc;
        }
    }
    if (is_pv() || (has_hypercalls() && !first))
        return (int)HYPERVISOR_vcpu_op(VCPUOP_up, vcpu, NULL);
    return start_by_sipi(vcpu);
}

int smp_stop(unsigned int vcpu)
{
    return (int)HYPERVISOR_vcpu_op(VCPUOP_down, vcpu, NULL);
}

void smp_reset(unsigned int vcpu)
{
    lapic_send((uint32_t)acpi_apic_id(vcpu), ICR_INIT);
    pages_free(cpus[vcpu].stack, STACK_PAGES);
    cpus[vcpu].stack = NULL; /* as if it had not been started yet */
}
