/* SPDX-License-Identifier: MIT */
/*
 * The judge of a domain at start of day: check_domain() of loader_support.h.
 *
 * Each page gets one role (kernel, ramdisk, ...); two roles for a page are an error, and so is a
 * page without a role that was written. Then the page tables are walked from cr3 as a processor
 * would, with these rules: a frame is the domain's own; a table is referred to once, at one level;
 * each page of the initial mapping is where pfn arithmetic says; tables are mapped read-only,
 * all else writable; the hypervisor's slots are empty; nothing else is mapped at all.
 */
#include "loader_support.h"

#include <stdlib.h>
#include <string.h>

#include <xen/start_info.h>

#include "judge_rule.h"

enum role { FREE, KERNEL, RAMDISK, P2M, START_INFO, STORE, CONSOLE, TABLES, STACK };

struct judge {
    const struct memory *m;
    const struct loader_layout *layout;
    const struct loader_config *config;
    uint8_t *role;  /* of each pfn */
    uint8_t *level; /* of each pfn that the walk found to be a table; 0: none */
    uint64_t leaves, tables;
};

static const char *give_role(struct judge *j, uint64_t pfn, uint64_t count, enum role role)
{
    if (pfn == LOADER_NONE)
        return NULL;
    RULE(pfn <= j->m->nr_pages && count <= j->m->nr_pages - pfn, "a part lies outside the domain");
    for (uint64_t i = 0; i < count; i++) {
        RULE(j->role[pfn + i] == FREE, "two parts share a page");
        j->role[pfn + i] = (uint8_t)role;
    }
    return NULL;
}

static const char *give_roles(struct judge *j)
{
    const struct loader_layout *l = j->layout;
    const struct {
        uint64_t pfn, count;
        enum role role;
    } parts[] = {
        {l->kernel_pfn, l->kernel_pages, KERNEL},
        {l->ramdisk_pfn, l->ramdisk_pages, RAMDISK},
        {l->p2m_pfn, l->p2m_pages, P2M},
        {l->start_info_pfn, 1, START_INFO},
        {l->store_pfn, 1, STORE},
        {l->console_pfn, 1, CONSOLE},
        {l->tables_pfn, l->tables_pages, TABLES},
        {l->stack_pfn, 1, STACK},
    };

    for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *fault = give_role(j, parts[i].pfn, parts[i].count, parts[i].role);

        if (fault)
            return fault;
    }
    return NULL;
}

/* Nobody wrote where nobody has business. */
static const char *check_rest(const struct judge *j)
{
    if (j->m->nr_pages >= 65536)
        return NULL;
    for (uint64_t pfn = 0; pfn < j->m->nr_pages; pfn++) {
        if (j->role[pfn] == FREE || j->role[pfn] == STACK)
            RULE(memory_untouched(j->m, pfn), "a page outside all parts was written");
    }
    return NULL;
}

/* Where must the page at va come from? LOADER_NONE: nothing may be mapped. */
static uint64_t expected_pfn(const struct judge *j, uint64_t va)
{
    const struct loader_layout *l = j->layout;
    uint64_t list = (j->m->nr_pages * 8 + PAGE - 1) / PAGE;

    if (va >= l->virt_base && va <= l->virt_end - 1) {
        uint64_t pfn = (va - l->virt_base) / PAGE;

        return pfn < j->m->nr_pages ? pfn : LOADER_NONE;
    }
    if (va >= l->p2m && va <= l->p2m + list * PAGE - 1)
        return l->p2m_pfn + (va - l->p2m) / PAGE;
    return LOADER_NONE;
}

static const char *walk(struct judge *j, uint64_t pfn, unsigned int level, uint64_t base)
{
    const uint64_t *table = (const uint64_t *)(const void *)(j->m->bytes + pfn * PAGE);

    RULE(j->role[pfn] == TABLES || j->role[pfn] == P2M, "a page table is not where tables are");
    RULE(j->level[pfn] == 0, "a page table is used twice");
    j->level[pfn] = (uint8_t)level;
    j->tables++;
    for (unsigned int i = 0; i < 512; i++) {
        uint64_t va = base + ((uint64_t)i << (12 + 9 * (level - 1)));
        uint64_t mfn = (table[i] & 0x000ffffffffff000ULL) >> 12;
        uint64_t child = memory_mfn(j->m, 0) - mfn;
        const char *fault = NULL;

        if (level == 4) {
            RULE(i < 256 || i > 271 || table[i] == 0, "a slot of the hypervisor is used");
            va |= i >= 256 ? 0xffff000000000000ULL : 0;
        }
        if (table[i] == 0) {
            RULE(level > 1 || expected_pfn(j, va) == LOADER_NONE, "a page is not mapped");
            continue;
        }
        RULE((table[i] & 0xfff0000000000f98ULL) == 0, "an entry has a bit that is not expected");
        RULE(child < j->m->nr_pages, "an entry refers to a frame of somebody else");
        if (level > 1) {
            RULE((table[i] & 7) == 7, "a table entry is not present, writable, user");
            fault = walk(j, child, level - 1, va);
        } else {
            RULE(table[i] & 1, "a page entry is not present");
            RULE(child == expected_pfn(j, va), "a page is mapped at the wrong address");
            j->leaves++;
        }
        if (fault)
            return fault;
    }
    return NULL;
}

/* After the walk, when all tables are known. */
static const char *check_protection(const struct judge *j)
{
    for (uint64_t pfn = 0; pfn < j->m->nr_pages; pfn++) {
        const uint64_t *table = (const uint64_t *)(const void *)(j->m->bytes + pfn * PAGE);

        for (unsigned int i = 0; j->level[pfn] == 1 && i < 512; i++) {
            uint64_t child = memory_mfn(j->m, 0) - ((table[i] & 0x000ffffffffff000ULL) >> 12);
            bool writable = table[i] & 2;

            RULE(table[i] == 0 || writable == (j->level[child] == 0),
                 "a page table is mapped writable, or something else read-only");
        }
    }
    return NULL;
}

static const char *check_p2m(const struct judge *j)
{
    const uint64_t *list = (const void *)(j->m->bytes + j->layout->p2m_pfn * PAGE);

    for (uint64_t pfn = 0; pfn < j->m->nr_pages; pfn++)
        RULE(list[pfn] == memory_mfn(j->m, pfn), "the p2m list is wrong");
    return NULL;
}

static const char *check_ramdisk(const struct judge *j)
{
    const struct loader_config *c = j->config;
    const uint8_t *at;

    if (!c->ramdisk || c->ramdisk_size == 0)
        return NULL;
    at = j->m->bytes + j->layout->ramdisk_pfn * PAGE;
    RULE(memcmp(at, c->ramdisk, c->ramdisk_size) == 0, "the ramdisk is wrong");
    for (uint64_t i = c->ramdisk_size; i % PAGE; i++)
        RULE(at[i] == 0, "behind the ramdisk there are bytes");
    return NULL;
}

static const char *check_start_info(const struct judge *j, const struct loader_image *image)
{
    const struct start_info *si = (const void *)(j->m->bytes + j->layout->start_info_pfn * PAGE);
    const struct loader_layout *l = j->layout;
    const struct loader_config *c = j->config;
    uint32_t control = c->control ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0;
    bool apart = image->init_p2m != LOADER_NONE;
    uint32_t by_pfn = image->mod_start_pfn && c->ramdisk && c->ramdisk_size ? SIF_MOD_START_PFN : 0;

    RULE(strcmp(si->magic, "xen-3.0-x86_64") == 0, "start_info: magic");
    RULE(si->nr_pages == j->m->nr_pages, "start_info: nr_pages");
    RULE(si->shared_info == c->shared_info, "start_info: shared_info");
    RULE(si->flags == (c->flags | control | by_pfn), "start_info: flags");
    RULE(si->pt_base == l->virt_base + l->cr3_pfn * PAGE, "start_info: pt_base");
    RULE(si->nr_pt_frames == l->tables_pages, "start_info: nr_pt_frames");
    RULE(si->mfn_list == (apart ? image->init_p2m : l->virt_base + l->p2m_pfn * PAGE), "mfn_list");
    RULE(si->first_p2m_pfn == (apart ? l->p2m_pfn : 0), "start_info: first_p2m_pfn");
    RULE(si->nr_p2m_frames == (apart ? l->p2m_pages : 0), "start_info: nr_p2m_frames");
    RULE(si->mod_len == (c->ramdisk ? c->ramdisk_size : 0), "start_info: mod_len");
    if (si->mod_len)
        RULE(si->mod_start == (by_pfn ? l->ramdisk_pfn : l->virt_base + l->ramdisk_pfn * PAGE),
             "start_info: mod_start");
    RULE(strcmp((const char *)si->cmd_line, c->cmdline ? c->cmdline : "") == 0, "cmd_line");
    if (!c->control) {
        RULE(si->store_mfn == memory_mfn(j->m, l->store_pfn), "start_info: store_mfn");
        RULE(si->store_evtchn == c->store_evtchn, "start_info: store_evtchn");
        RULE(si->console.domU.mfn == memory_mfn(j->m, l->console_pfn), "start_info: console mfn");
        RULE(si->console.domU.evtchn == c->console_evtchn, "start_info: console port");
    }
    return NULL;
}

static const char *check_shape(const struct judge *j, const struct loader_image *image)
{
    const struct loader_layout *l = j->layout;
    uint64_t room = (l->virt_end - l->virt_base) / PAGE - (l->stack_pfn + 1);
    uint64_t list = (j->m->nr_pages * 8 + PAGE - 1) / PAGE;

    RULE(l->virt_end % (4 << 20) == 0, "the initial mapping does not end on 4 MiB");
    RULE(room >= 128, "there are less than 512 KiB of room");
    RULE(room < 128 + 1024, "there is more room than needed");
    RULE(l->entry == image->entry, "entry");
    RULE(l->stack == l->virt_base + (l->stack_pfn + 1) * PAGE, "stack");
    RULE(l->start_info == l->virt_base + l->start_info_pfn * PAGE, "start_info address");
    RULE(l->pages_used <= j->m->nr_pages, "more pages used than there are");
    RULE(j->tables == l->tables_pages + (l->area[1].nr_pages ? l->p2m_pages - list : 0),
         "a page that is set aside for a table is none");
    RULE(j->leaves == l->area[0].nr_pages + (l->area[1].nr_pages ? list : 0), "pages mapped");
    return NULL;
}

static const char *judge(struct judge *j, const struct loader_image *image)
{
    const char *fault = give_roles(j);

    fault = fault ? fault : walk(j, j->layout->cr3_pfn, 4, 0);
    fault = fault ? fault : check_protection(j);
    fault = fault ? fault : check_shape(j, image);
    fault = fault ? fault : check_rest(j);
    fault = fault ? fault : check_p2m(j);
    fault = fault ? fault : check_ramdisk(j);
    return fault ? fault : check_start_info(j, image);
}

const char *check_domain(const struct memory *m, const struct loader_layout *layout,
                         const struct loader_image *image, const struct loader_config *config)
{
    struct judge j = {.m = m, .layout = layout, .config = config};
    const char *fault;

    j.role = calloc(m->nr_pages, 1);
    j.level = calloc(m->nr_pages, 1);
    fault = judge(&j, image);
    free(j.role);
    free(j.level);
    return fault;
}
