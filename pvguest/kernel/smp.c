/* SPDX-License-Identifier: MIT */
/*
 * Per-vCPU state, and starting further vCPUs.
 *
 * A domain starts with vCPU 0 alone. VCPUOP_initialise gives another one its complete register
 * state (struct vcpu_guest_context): page-table root, stack, entry point, segment selectors,
 * trap table, callbacks. VCPUOP_up lets it run. Each has its own vcpu_info in the shared info
 * page, and the trap table is per vCPU, so the new one registers its own when it runs.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>
#include <guest/time.h>

#define STACK_PAGES 4

static struct percpu cpus[MAX_VCPUS];
static struct {
    void (*fn)(void *arg);
    void *arg;
} start[MAX_VCPUS];

void percpu_init(unsigned int id)
{
    struct percpu *cpu = &cpus[id];
    long rc;

    cpu->self = cpu;
    cpu->id = id;
    cpu->info = &shared_info->vcpu_info[id];
    rc = HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)cpu);
    if (rc)
        panic("cannot set the GS base: %ld", rc);
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
        HYPERVISOR_vcpu_op(VCPUOP_down, (unsigned int)id, NULL);
    }
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

int smp_start(unsigned int vcpu, void (*fn)(void *arg), void *arg)
{
    static vcpu_guest_context_t context;
    long rc;

    if (!vcpu || vcpu >= MAX_VCPUS)
        return -XEN_EINVAL;
    start[vcpu].fn = fn;
    start[vcpu].arg = arg;
    if (!cpus[vcpu].stack) {
        cpus[vcpu].stack = pages_alloc(STACK_PAGES);
        if (!cpus[vcpu].stack)
            return -XEN_ENOMEM;
        fill_context(&context, vcpu, (unsigned long)cpus[vcpu].stack + STACK_PAGES * PAGE_SIZE);
        rc = HYPERVISOR_vcpu_op(VCPUOP_initialise, vcpu, &context);
        if (rc) {
            pages_free(cpus[vcpu].stack, STACK_PAGES);
            cpus[vcpu].stack = NULL;
            return (int)rc;
        }
    }
    return (int)HYPERVISOR_vcpu_op(VCPUOP_up, vcpu, NULL);
}

int smp_stop(unsigned int vcpu)
{
    return (int)HYPERVISOR_vcpu_op(VCPUOP_down, vcpu, NULL);
}
