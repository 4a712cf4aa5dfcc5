/* SPDX-License-Identifier: MIT */
/*
 * The judge of a fully virtualized domain at start of day: see pvh_judge.h.
 *
 * Each page has at most one role, and a page without one is as it was. The memory map adds up to
 * what the domain was promised; its ranges lie apart, in order, off the local APIC's page.
 */
#include "pvh_judge.h"

#include <stdlib.h>
#include <string.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "acpi_judge.h"
#include "judge_rule.h"

#define LOW_PAGES  0xc0000u
#define HIGH_GFN   0x100000u
#define LAPIC_BASE 0xfee00000u
#define GIB        (1ULL << 30)

/* Which page of the memory has this gfn, and how many follow side by side. */
static uint64_t index_of(const struct pvh_memory *p, uint64_t gfn, uint64_t *count)
{
    uint64_t low = p->ram < LOW_PAGES ? p->ram : LOW_PAGES;

    if (gfn < low) {
        *count = low - gfn;
        return gfn;
    }
    if (gfn == HVM_SPECIAL / PAGE) {
        *count = 1;
        return p->ram;
    }
    *count = gfn >= HIGH_GFN && gfn - HIGH_GFN < p->ram - low ? p->ram - low - (gfn - HIGH_GFN) : 0;
    return low + (gfn - HIGH_GFN);
}

static void *pvh_map(void *ctx, uint64_t gfn, uint64_t *count)
{
    struct pvh_memory *p = ctx;
    uint64_t there, index = index_of(p, gfn, &there);

    if (there < *count)
        abort(); /* the loader wants pages that the domain does not have */
    return p->m.target.map(&p->m, index, count);
}

static void pvh_unmap(void *ctx, void *va, uint64_t count)
{
    struct pvh_memory *p = ctx;

    p->m.target.unmap(&p->m, va, count);
}

static uint64_t no_mfn(void *ctx, uint64_t pfn)
{
    (void)ctx, (void)pfn;
    abort(); /* nobody asks */
}

void pvh_memory_init(struct pvh_memory *p, uint64_t nr_pages)
{
    memory_init(&p->m, nr_pages + 1);
    p->ram = nr_pages;
    p->target = (struct loader_target){p, pvh_map, pvh_unmap, no_mfn};
}

const uint8_t *pvh_bytes(const struct pvh_memory *p, uint64_t paddr, uint64_t size)
{
    uint64_t there, index = index_of(p, paddr / PAGE, &there);

    if (there == 0 || size > there * PAGE - paddr % PAGE)
        return NULL;
    return p->m.bytes + index * PAGE + paddr % PAGE;
}

struct judge {
    const struct pvh_memory *p;
    const struct loader_pvh_layout *layout;
    const struct loader_config *config;
    const struct hvm_start_info *si;
    uint8_t *used; /* each page */
};

static const char *use(struct judge *j, uint64_t paddr, uint64_t size)
{
    uint64_t there, index = index_of(j->p, paddr / PAGE, &there);

    RULE(pvh_bytes(j->p, paddr, size), "a part lies outside the domain");
    for (uint64_t i = 0; i <= (paddr % PAGE + size - 1) / PAGE; i++) {
        RULE(!j->used[index + i], "two parts share a page");
        j->used[index + i] = 1;
    }
    return NULL;
}

static const char *check_memmap(const struct judge *j)
{
    const struct hvm_memmap_table_entry *e =
        (const void *)pvh_bytes(j->p, j->si->memmap_paddr, j->si->memmap_entries * sizeof(*e));
    uint64_t ram = 0, end = 0, acpi = 0;

    RULE(e && j->si->memmap_entries, "memory map: there is none");
    for (unsigned int i = 0; i < j->si->memmap_entries; i++) {
        uint64_t there = 0;

        RULE(e[i].size && e[i].size % PAGE == 0 && e[i].addr % PAGE == 0, "memory map: alignment");
        RULE(e[i].addr >= end, "memory map: ranges overlap, or are not in order");
        RULE(e[i].reserved == 0, "memory map: reserved");
        end = e[i].addr + e[i].size;
        RULE(end <= LAPIC_BASE || e[i].addr > LAPIC_BASE, "memory map: the local APIC is covered");
        index_of(j->p, e[i].addr / PAGE, &there);
        if (e[i].type == XEN_HVM_MEMMAP_TYPE_RAM) {
            RULE(e[i].addr == 0 || e[i].addr == 4 * GIB, "memory map: RAM in a third place");
            RULE(there * PAGE == e[i].size, "memory map: RAM that is not there");
            ram += e[i].size;
        } else if (e[i].type == XEN_HVM_MEMMAP_TYPE_ACPI) {
            RULE(there * PAGE == e[i].size, "memory map: tables that are not there");
            acpi = e[i].addr;
        } else {
            RULE(e[i].type == XEN_HVM_MEMMAP_TYPE_RESERVED, "memory map: a type");
            RULE(there == 0 && end <= 4 * GIB, "memory map: a reserved range");
        }
    }
    RULE(ram == j->p->ram * PAGE, "memory map: not all RAM, or more");
    RULE(j->si->rsdp_paddr == acpi, "the RSDP is not where the map has tables");
    return NULL;
}

static const char *check_ramdisk(struct judge *j)
{
    const struct loader_config *c = j->config;
    const struct hvm_modlist_entry *mod =
        (const void *)pvh_bytes(j->p, j->si->modlist_paddr, sizeof(*mod));
    const uint8_t *bytes;
    const char *fault;

    if (!c->ramdisk || !c->ramdisk_size) {
        RULE(j->si->nr_modules == 0 && j->si->modlist_paddr == 0, "a ramdisk that is not there");
        return NULL;
    }
    RULE(j->si->nr_modules == 1 && mod, "modlist");
    RULE(mod->size == c->ramdisk_size && mod->paddr % PAGE == 0, "ramdisk: address or size");
    RULE(mod->cmdline_paddr == 0 && mod->reserved == 0, "ramdisk: the rest of its entry");
    RULE(mod->paddr >= 1 << 20 && mod->paddr + mod->size <= 3 * GIB, "ramdisk: where it lies");
    bytes = pvh_bytes(j->p, mod->paddr, mod->size);
    fault = use(j, mod->paddr, mod->size);
    if (fault)
        return fault;
    RULE(memcmp(bytes, c->ramdisk, c->ramdisk_size) == 0, "ramdisk: its bytes");
    for (uint64_t i = c->ramdisk_size; i % PAGE; i++)
        RULE(bytes[i] == 0, "ramdisk: bytes behind it");
    return NULL;
}

static const char *check_start_info(struct judge *j)
{
    const struct hvm_start_info *si = j->si;
    const char *cmdline = (const char *)pvh_bytes(j->p, si->cmdline_paddr, 1);

    RULE(si->magic == XEN_HVM_START_MAGIC_VALUE, "start info: magic");
    RULE(si->version == 1, "start info: version");
    RULE(si->flags == 0 && si->reserved == 0, "start info: flags");
    RULE(cmdline && strcmp(cmdline, j->config->cmdline ? j->config->cmdline : "") == 0, "cmdline");
    return NULL;
}

static const char *check_state(const struct judge *j, const struct loader_image *image,
                               const struct loader_pvh_state *s)
{
    const uint64_t kernel = j->layout->kernel_gfn * PAGE;

    RULE(s->eip == image->pvh_entry, "eip");
    RULE(s->eip >= kernel && s->eip < kernel + j->layout->kernel_pages * PAGE, "eip: no kernel");
    RULE(s->cr0 == 0x11 && s->cr4 == 0 && s->eflags == 2, "control registers");
    RULE(s->cs.base == 0 && s->cs.limit == 0xffffffff && s->cs.attributes == 0xc9b, "cs");
    RULE(s->data.base == 0 && s->data.limit == 0xffffffff && s->data.attributes == 0xc93, "ds");
    RULE(s->tr.base == 0 && s->tr.limit == 0x67 && s->tr.attributes == 0x8b, "tr");
    return NULL;
}

/* Nobody wrote where nobody has business. */
static const char *check_rest(const struct judge *j)
{
    for (uint64_t i = 0; i <= j->p->ram && j->p->ram < 65535; i++) {
        if (!j->used[i])
            RULE(memory_untouched(&j->p->m, i), "a page outside all parts was written");
    }
    return NULL;
}

static const char *judge(struct judge *j, const struct loader_image *image)
{
    const struct loader_pvh_layout *l = j->layout;
    struct loader_pvh_state state;
    const char *fault;

    loader_pvh_state(&state, l);
    j->si = (const void *)pvh_bytes(j->p, state.ebx, PAGE);
    RULE(j->si && state.ebx % PAGE == 0 && state.ebx >= 1 << 20, "ebx");
    fault = use(j, l->kernel_gfn * PAGE, l->kernel_pages * PAGE);
    fault = fault ? fault : use(j, state.ebx, PAGE);
    fault = fault ? fault : check_state(j, image, &state);
    fault = fault ? fault : check_start_info(j);
    fault = fault ? fault : check_ramdisk(j);
    fault = fault ? fault : check_memmap(j);
    fault = fault ? fault : use(j, j->si->rsdp_paddr, PAGE);
    if (fault)
        return fault;
    fault = check_acpi(pvh_bytes(j->p, j->si->rsdp_paddr, PAGE), PAGE, j->si->rsdp_paddr,
                       j->config->nr_vcpus);
    return fault ? fault : check_rest(j);
}

const char *check_pvh_domain(const struct pvh_memory *p, const struct loader_pvh_layout *layout,
                             const struct loader_image *image, const struct loader_config *config)
{
    struct judge j = {.p = p, .layout = layout, .config = config};
    const char *fault;

    j.used = calloc(p->ram + 1, 1);
    fault = judge(&j, image);
    free(j.used);
    return fault;
}
