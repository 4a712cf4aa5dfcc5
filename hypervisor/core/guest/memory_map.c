/* SPDX-License-Identifier: MIT */
/*
 * Memory maps as E820 tables: a guest's own, as its builder set it, and the machine's, for the
 * control domain.
 *
 * The machine's map is what the boot code found, with RAM that holds modules and the hypervisor
 * shown as RAM, as firmware knows it: the control domain uses it to find what is not RAM.
 * Neighbours of one type are joined.
 *
 * Lock: d->page_alloc_lock guards d->memory_map.
 */
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/frame/frame.h>
#include <core/guest/memory_op.h>
#include <core/state/domain.h>
#include <parvis/boot_info.h>
#include <xen/errno.h>
#include <xen/memory.h>

#define MOST_ENTRIES 128

static struct e820_entry machine_map[BOOT_MAX_MEM];
static unsigned int machine_entries;

void memory_map_init(const struct boot_info *bi)
{
    machine_entries = 0;
    for (uint32_t i = 0; i < bi->nr_mem && i < BOOT_MAX_MEM; i++) {
        const struct boot_mem *m = &bi->mem[i];
        struct e820_entry *last = machine_entries ? &machine_map[machine_entries - 1] : NULL;
        uint32_t type = m->type >= BOOT_MEM_LOADER ? (uint32_t)BOOT_MEM_RAM : m->type;

        if (last && last->type == type && last->start + last->size == m->start)
            last->size += m->size;
        else
            machine_map[machine_entries++] = (struct e820_entry){m->start, m->size, type};
    }
}

static long give(struct xen_memory_map *m, const struct e820_entry *map, unsigned int n)
{
    if (m->nr_entries < n)
        return refused(-XEN_EINVAL, "room for %u entries of %u", m->nr_entries, n);
    m->nr_entries = n;
    return copy_to_guest(m->buffer, map, n * sizeof(*map));
}

long memory_map_machine(struct xen_memory_map *m)
{
    if (m->buffer)
        return give(m, machine_map, machine_entries);
    m->nr_entries = machine_entries; /* ABI: only how many there are */
    return 0;
}

long memory_map_get(struct xen_memory_map *m)
{
    struct domain *d = current->domain;
    long rc = -XEN_ENOSYS; /* ABI: nobody set one: the guest takes its memory as one piece */

    spin_lock(&d->page_alloc_lock);
    if (d->memory_map)
        rc = give(m, d->memory_map, d->memory_map_entries);
    spin_unlock(&d->page_alloc_lock);
    return rc;
}

void memory_map_keep(struct domain *d, struct e820_entry *map, unsigned int n)
{
    void *old;

    spin_lock(&d->page_alloc_lock);
    old = d->memory_map;
    d->memory_map = map;
    d->memory_map_entries = n;
    spin_unlock(&d->page_alloc_lock);
    hv_free(old);
}

long memory_map_set(const struct xen_foreign_memory_map *f)
{
    struct e820_entry *map;
    struct domain *d;
    long rc;

    if (f->map.nr_entries == 0 || f->map.nr_entries > MOST_ENTRIES)
        return refused(-XEN_EINVAL, "a map of %u entries", f->map.nr_entries);
    rc = get_domain_permitted(f->domid, &d);
    if (rc)
        return rc;
    map = hv_alloc_array(f->map.nr_entries, sizeof(*map));
    rc = !map ? -XEN_ENOMEM : copy_from_guest(map, f->map.buffer, f->map.nr_entries * sizeof(*map));
    if (rc)
        hv_free(map);
    else
        memory_map_keep(d, map, f->map.nr_entries);
    put_domain(d);
    return rc;
}
