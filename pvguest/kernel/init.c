/* SPDX-License-Identifier: MIT */
/*
 * Start of day of a paravirtualized kernel in C: from start_info to guest_main().
 *
 * The order is forced by what depends on what: the console first, so that anything after it can
 * say why it failed (the ring lies in memory that the builder mapped); then the shared info
 * page, which the kernel must map itself; then traps, which need the vCPU's info for the fault
 * address; then memory, which may fault if something is wrong.
 */
#include <guest/console.h>
#include <guest/kernel.h>
#include <guest/pagetable.h>
#include <guest/time.h>

enum guest_kind guest_kind;
start_info_t *start_info;
shared_info_t *shared_info;
unsigned long boot_stack_end; /* start.asm: rsp at entry */

/* A page of our image, so that it has a mapping whose frame can be replaced. */
static char shared_info_place[PAGE_SIZE] __attribute__((aligned(4096)));
extern char _text[], _rodata[], _erodata[];

void guest_start(start_info_t *si);

static void map_shared_info(void)
{
    pte_t pte = pte_make(start_info->shared_info >> PAGE_SHIFT, PTE_KERNEL_RW | PTE_NX);
    long rc = HYPERVISOR_update_va_mapping((unsigned long)shared_info_place, pte, UVMF_INVLPG);

    if (rc)
        panic("cannot map shared_info frame 0x%lx: %ld", start_info->shared_info, rc);
    shared_info = (shared_info_t *)shared_info_place;
}

/* Code and constants become read-only, all but code not executable: found bugs are cheap bugs. */
static void protect_image(void)
{
    for (char *va = _text; va < _erodata; va += PAGE_SIZE) {
        int rc = pt_protect(va, PTE_KERNEL_RO | (va < _rodata ? 0 : PTE_NX));

        if (rc)
            panic("cannot write-protect %p: %d", (void *)va, rc);
    }
    /* The builder's mapping, up to where memory_init() continued it, is executable as well. */
    for (char *va = _erodata; va < (char *)pfn_to_virt(builder_mapped); va += PAGE_SIZE) {
        const pte_t *pte = pt_walk(pt_root, (unsigned long)va, 1);

        if (pt_protect(va, (*pte & ~PTE_MFN_MASK) | PTE_NX))
            panic("cannot make %p not executable", (void *)va);
    }
}

/* From here on it is the same for all kinds. */
void guest_run(void)
{
    int rc = guest_main();

    if (rc) {
        printf("guest_main returned %d\n", rc);
        shutdown_domain(SHUTDOWN_crash);
    }
    shutdown_domain(SHUTDOWN_poweroff);
}

void guest_start(start_info_t *si)
{
    start_info = si;
    p2m = (unsigned long *)si->mfn_list;
    nr_pfns = si->nr_pages;
    pt_root = (pte_t *)si->pt_base;
    console_init();
    map_shared_info();
    percpu_init(0);
    events_init();
    traps_init();
    memory_init(si, boot_stack_end);
    protect_image();
    events_enable();
    time_init();
    console_start_events();
    guest_run();
}
