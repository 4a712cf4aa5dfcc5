/* SPDX-License-Identifier: MIT */
/*
 * Start of day of a fully virtualized kernel in C: from what PVH tells to guest_main().
 *
 * It arrives on the tables of pvh_start.asm, with nothing but a stack. What PVH told is in memory
 * that will be the allocator's, so it is put into a start_info first, in which all of the kernel
 * reads it. Descriptor tables come before all that may fault; then the console.
 */
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/params.h>

#include <guest/console.h>
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>
#include <guest/time.h>

static start_info_t told;
/* A page of our image, in whose place the shared info comes. */
static char shared_info_place[PAGE_SIZE] __attribute__((aligned(4096)));

void guest_start_pvh(uint32_t paddr);

/* Its memory is the range that begins at 0. */
static unsigned long count_pages(const struct hvm_start_info *si)
{
    const struct hvm_memmap_table_entry *map = phys_to_virt(si->memmap_paddr);

    for (uint32_t i = 0; si->version >= 1 && i < si->memmap_entries; i++)
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM && !map[i].addr)
            return map[i].size >> PAGE_SHIFT;
    return 0;
}

static void read_start_info(const struct hvm_start_info *si)
{
    const char *cmdline = phys_to_virt(si->cmdline_paddr);

    told.nr_pages = count_pages(si);
    told.flags = si->flags;
    if (si->cmdline_paddr)
        memcpy(told.cmd_line, cmdline, strnlen(cmdline, sizeof(told.cmd_line) - 1));
    start_info = &told;
}

static void map_memory(void)
{
    unsigned long pages = start_info->nr_pages, most = LINEAR_MAX >> PAGE_SHIFT;
    unsigned long first = hvm_map_memory(pages < most ? pages : most);

    memory_init(start_info, (unsigned long)pfn_to_virt(first));
}

/* Where Xen's leaves begin; 0: there are none, this is a bare machine. */
static uint32_t find_xen(void)
{
    uint32_t out[4];

    for (uint32_t leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
        cpuid(leaf, 0, out);
        if (out[1] == XEN_CPUID_SIGNATURE_EBX && out[2] == XEN_CPUID_SIGNATURE_ECX &&
            out[3] == XEN_CPUID_SIGNATURE_EDX)
            return leaf;
    }
    return 0;
}

/* Its stubs, in place of ours. */
static void fill_hypercall_page(uint32_t leaf)
{
    uint32_t out[4];

    cpuid(leaf + 2, 0, out);
    wrmsr(out[1], (unsigned long)hypercall_page - VIRT_BASE);
}

static uint64_t get_param(uint32_t index)
{
    xen_hvm_param_t p = {.domid = DOMID_SELF, .index = index};

    return hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, (unsigned long)&p) ? 0 : p.value;
}

static void ask_for_upcalls(void)
{
    xen_hvm_param_t p = {.domid = DOMID_SELF,
                         .index = HVM_PARAM_CALLBACK_IRQ,
                         .value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR_EVENT};
    long rc = hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_param, (unsigned long)&p);

    if (rc)
        panic("upcalls by vector refused: %ld", rc);
}

static void map_shared_info(void)
{
    struct xen_add_to_physmap a = {.domid = DOMID_SELF,
                                   .space = XENMAPSPACE_shared_info,
                                   .gpfn = virt_to_pfn(shared_info_place)};
    long rc = HYPERVISOR_memory_op(XENMEM_add_to_physmap, &a);

    if (rc)
        panic("cannot map the shared info: %ld", rc);
    shared_info = (shared_info_t *)shared_info_place;
}

/* What a paravirtual guest reads in start_info. */
static void read_params(void)
{
    told.console.domU.mfn = get_param(HVM_PARAM_CONSOLE_PFN);
    told.console.domU.evtchn = (uint32_t)get_param(HVM_PARAM_CONSOLE_EVTCHN);
    told.store_mfn = get_param(HVM_PARAM_STORE_PFN);
    told.store_evtchn = (uint32_t)get_param(HVM_PARAM_STORE_EVTCHN);
}

static void meet_xen(uint32_t leaf)
{
    guest_kind = KIND_PVH;
    fill_hypercall_page(leaf);
    map_shared_info();
    read_params();
}

void guest_start_pvh(uint32_t paddr)
{
    const struct hvm_start_info *si = phys_to_virt(paddr);
    uint64_t rsdp = si->rsdp_paddr;
    uint32_t xen = find_xen();

    guest_kind = KIND_HVM;
    read_start_info(si);
    if (xen)
        meet_xen(xen);
    percpu_init(0);
    traps_init();
    map_memory();
    console_init();
    lapic_init();
    acpi_init(rsdp);
    if (xen) {
        events_init();
        ask_for_upcalls();
        events_enable();
        time_init();
        console_start_events();
    } else {
        events_enable();
    }
    guest_run();
}
