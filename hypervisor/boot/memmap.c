/* SPDX-License-Identifier: MIT */
/*
 * The memory map while it is put together: sorted, without overlaps, neighbours of one type joined.
 *
 * Firmware maps are neither sorted nor free of overlaps, and the boot code marks its own pieces
 * (image, modules) in them. Everything goes through memmap_set(), which cuts whatever is in the
 * way. At most BOOT_MAX_MEM entries: more is an error, never a silent loss.
 */
#include <hv/boot_config.h>

static void remove_entry(struct boot_info *bi, unsigned int i)
{
    for (bi->nr_mem--; i < bi->nr_mem; i++)
        bi->mem[i] = bi->mem[i + 1];
}

static int insert_entry(struct boot_info *bi, unsigned int at, uint64_t start, uint64_t end,
                        uint32_t type)
{
    if (bi->nr_mem >= BOOT_MAX_MEM)
        return -1;
    for (unsigned int i = bi->nr_mem; i > at; i--)
        bi->mem[i] = bi->mem[i - 1];
    bi->mem[at] = (struct boot_mem){.start = start, .size = end - start, .type = type};
    bi->nr_mem++;
    return 0;
}

/* Takes [start, end) out of entry i; returns how many entries are left of it (0 to 2), or -1. */
static int cut(struct boot_info *bi, unsigned int i, uint64_t start, uint64_t end)
{
    struct boot_mem old = bi->mem[i];
    uint64_t old_end = old.start + old.size;

    if (old.start >= start && old_end <= end) {
        remove_entry(bi, i);
        return 0;
    }
    if (old.start < start)
        bi->mem[i].size = start - old.start;
    if (old_end <= end)
        return 1;
    if (old.start >= start) {
        bi->mem[i].start = end;
        bi->mem[i].size = old_end - end;
        return 1;
    }
    return insert_entry(bi, i + 1, end, old_end, old.type) ? -1 : 2;
}

static bool joined(const struct boot_mem *a, const struct boot_mem *b)
{
    return a->type == b->type && a->start + a->size == b->start;
}

static void join_neighbours(struct boot_info *bi, unsigned int i)
{
    if (i + 1 < bi->nr_mem && joined(&bi->mem[i], &bi->mem[i + 1])) {
        bi->mem[i].size += bi->mem[i + 1].size;
        remove_entry(bi, i + 1);
    }
    if (i > 0 && joined(&bi->mem[i - 1], &bi->mem[i])) {
        bi->mem[i - 1].size += bi->mem[i].size;
        remove_entry(bi, i);
    }
}

int memmap_set(struct boot_info *bi, uint64_t start, uint64_t size, uint32_t type)
{
    uint64_t end;
    unsigned int i = 0;

    if (!size)
        return 0;
    if (__builtin_add_overflow(start, size, &end))
        end = UINT64_MAX;
    while (i < bi->nr_mem) {
        int left = 1;

        if (bi->mem[i].start < end && bi->mem[i].start + bi->mem[i].size > start)
            left = cut(bi, i, start, end);
        if (left < 0)
            return -1;
        i += (unsigned int)left;
    }
    for (i = 0; i < bi->nr_mem && bi->mem[i].start < start;)
        i++;
    if (insert_entry(bi, i, start, end, type))
        return -1;
    join_neighbours(bi, i);
    return 0;
}

int memmap_add(struct boot_info *bi, uint64_t start, uint64_t size, uint32_t type)
{
    uint64_t end;

    if (__builtin_add_overflow(start, size, &end))
        end = UINT64_MAX;
    if (type != BOOT_MEM_RAM)
        return memmap_set(bi, start, end - start, type);
    /* RAM fills only the gaps between what is known. */
    for (unsigned int i = 0; i < bi->nr_mem && start < end; i++) {
        uint64_t known = bi->mem[i].start, known_end = known + bi->mem[i].size;

        if (known_end <= start)
            continue;
        if (known >= end)
            break;
        if (known > start) {
            if (memmap_set(bi, start, known - start, type))
                return -1;
            i = (unsigned int)-1; /* entries moved: look again from the first */
        }
        start = known_end;
    }
    return start < end ? memmap_set(bi, start, end - start, type) : 0;
}
