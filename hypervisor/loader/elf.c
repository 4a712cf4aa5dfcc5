/* SPDX-License-Identifier: MIT */
/*
 * The ELF file, as hostile bytes.
 *
 * Invariant: no structure is used before its place was checked to lie inside the file, and each is
 * copied out first, for the file may begin at any address. Offsets and sizes are 64 bits wide and
 * come from the file: a sum is never formed before it is known not to overflow (inside()).
 *
 * Only what loading needs is here: the segments by physical address, and the notes. Relocations,
 * symbols and section names are not looked at.
 */
#include "internal.h"

#define PT_LOAD   1u
#define PT_NOTE   4u
#define SHT_NOTE  7u
#define EM_X86_64 62u

struct elf_header {
    uint8_t magic[4], class, data, ident_version, rest[9];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct section_header {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};

struct note_header {
    uint32_t namesz, descsz, type;
};

static bool inside(const struct loader_image *image, uint64_t offset, uint64_t size)
{
    return offset <= image->size && size <= image->size - offset;
}

/* Copies from the file; the caller has checked that it is inside. */
static void take(const struct loader_image *image, uint64_t offset, void *to, uint64_t size)
{
    __builtin_memcpy(to, image->file + offset, size);
}

int elf_check(const struct loader_image *image, uint64_t *entry, struct loader_error *error)
{
    struct elf_header h;

    if (image->size < sizeof(h))
        return bad_kernel(error, "%lu bytes are too few for an ELF file", image->size);
    take(image, 0, &h, sizeof(h));
    if (__builtin_memcmp(h.magic, "\177ELF", 4) != 0)
        return bad_kernel(error, "not an ELF file");
    if (h.class != 2)
        return bad_kernel(error, "a 32-bit ELF file; only 64-bit kernels are supported");
    if (h.data != 1 || h.machine != EM_X86_64)
        return bad_kernel(error, "an ELF file for another machine (%u)", (unsigned int)h.machine);
    if (h.phnum == 0 || h.phentsize != sizeof(struct program_header))
        return bad_kernel(error, "the ELF file has no program headers");
    if (!inside(image, h.phoff, (uint64_t)h.phnum * h.phentsize))
        return bad_kernel(error, "truncated: the program headers lie beyond the end of the file");
    *entry = h.entry;
    return 0;
}

unsigned int elf_nr_headers(const struct loader_image *image)
{
    struct elf_header h;

    take(image, 0, &h, sizeof(h));
    return h.phnum;
}

static void program_header(const struct loader_image *image, unsigned int i,
                           struct program_header *ph)
{
    struct elf_header h;

    take(image, 0, &h, sizeof(h));
    take(image, h.phoff + (uint64_t)i * sizeof(*ph), ph, sizeof(*ph));
}

int elf_segment(const struct loader_image *image, unsigned int i, struct elf_segment *segment,
                struct loader_error *error)
{
    struct program_header ph;
    uint64_t end;

    program_header(image, i, &ph);
    if (ph.type != PT_LOAD || ph.memsz == 0)
        return 0;
    if (ph.filesz > ph.memsz)
        return bad_kernel(error, "segment %u is larger in the file than in memory", i);
    if (!inside(image, ph.offset, ph.filesz))
        return bad_kernel(error, "truncated: segment %u lies beyond the end of the file", i);
    if (__builtin_add_overflow(ph.paddr, ph.memsz, &end) || end > UINT64_MAX - PAGE_SIZE)
        return bad_kernel(error, "segment %u wraps around in memory", i);
    segment->offset = ph.offset;
    segment->file_size = ph.filesz;
    segment->paddr = ph.paddr;
    segment->mem_size = ph.memsz;
    return 1;
}

/* None of them lies on another, so what is copied in all is no more than what there is room for,
 * however many there are. */
int elf_extent(struct loader_image *image, struct loader_error *error)
{
    unsigned int nr = elf_nr_headers(image);
    uint64_t sum = 0, start = UINT64_MAX, end = 0;

    for (unsigned int i = 0; i < nr; i++) {
        struct elf_segment s;
        int rc = elf_segment(image, i, &s, error);

        if (rc < 0)
            return rc;
        if (rc) {
            start = s.paddr < start ? s.paddr : start;
            end = s.paddr + s.mem_size > end ? s.paddr + s.mem_size : end;
            if (__builtin_add_overflow(sum, s.mem_size, &sum))
                sum = UINT64_MAX;
        }
    }
    if (end == 0)
        return bad_kernel(error, "the ELF file has nothing to load");
    if (sum > end - start)
        return bad_kernel(error, "the ELF file's segments overlap");
    image->phys_start = start;
    image->phys_end = end;
    return 0;
}

/*
 * The notes in one run of bytes that lies inside the file. ABI: each is padded to 4 bytes, whatever
 * the run's alignment says. A linker script that gathers all notes in one segment puts such behind
 * the kernel's own that are padded to 8, and where a step of 4 lands then is no note: the run ends
 * at the first that does not fit, and what was found before counts. Only a note of Xen's that is
 * cut off is an error.
 */
static int visit_run(struct loader_image *image, uint64_t offset, uint64_t size,
                     unsigned int *count, struct loader_error *error)
{
    struct note_header n;

    while (size >= sizeof(n)) {
        uint64_t name, desc, left = size - sizeof(n);
        bool xen;

        take(image, offset, &n, sizeof(n));
        name = ((uint64_t)n.namesz + 3) & ~3ULL;
        desc = ((uint64_t)n.descsz + 3) & ~3ULL;
        xen = n.namesz == 4 && left >= 4 &&
              __builtin_memcmp(image->file + offset + sizeof(n), "Xen", 4) == 0;
        if (xen && n.descsz > left - name)
            return bad_kernel(error, "Xen's ELF note %u is cut off", n.type);
        if (xen) {
            int rc =
                take_note(image, n.type, image->file + offset + sizeof(n) + name, n.descsz, error);

            if (rc)
                return rc;
            (*count)++;
        }
        if (name + desc > left)
            return 0; /* the last note, without padding, or no note at all */
        offset += sizeof(n) + name + desc;
        size = left - name - desc;
    }
    return 0;
}

static int visit_segments(struct loader_image *image, unsigned int *count,
                          struct loader_error *error)
{
    unsigned int nr = elf_nr_headers(image);
    uint64_t left = image->size; /* each run has bytes of its own */

    for (unsigned int i = 0; i < nr; i++) {
        struct program_header ph;
        int rc;

        program_header(image, i, &ph);
        if (ph.type != PT_NOTE)
            continue;
        if (!inside(image, ph.offset, ph.filesz))
            return bad_kernel(error, "truncated: its ELF notes lie beyond the end of the file");
        if (ph.filesz > left)
            return bad_kernel(error, "its ELF notes overlap");
        left -= ph.filesz;
        rc = visit_run(image, ph.offset, ph.filesz, count, error);
        if (rc)
            return rc;
    }
    return 0;
}

static int visit_sections(struct loader_image *image, unsigned int *count,
                          struct loader_error *error)
{
    struct section_header sh;
    struct elf_header h;
    uint64_t left = image->size;

    take(image, 0, &h, sizeof(h));
    if (h.shentsize != sizeof(sh) || !inside(image, h.shoff, (uint64_t)h.shnum * sizeof(sh)))
        return 0; /* a file without sections can still be loaded */
    for (unsigned int i = 0; i < h.shnum; i++) {
        int rc;

        take(image, h.shoff + (uint64_t)i * sizeof(sh), &sh, sizeof(sh));
        if (sh.type != SHT_NOTE || !inside(image, sh.offset, sh.size) || sh.size > left)
            continue;
        left -= sh.size;
        rc = visit_run(image, sh.offset, sh.size, count, error);
        if (rc)
            return rc;
    }
    return 0;
}

int elf_notes(struct loader_image *image, unsigned int *count, struct loader_error *error)
{
    int rc;

    *count = 0;
    rc = visit_segments(image, count, error);
    return rc || *count ? rc : visit_sections(image, count, error);
}
