/* SPDX-License-Identifier: MIT */
/*
 * Kernels made to order and a domain's memory: see loader_support.h.
 */
#include "loader_support.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/elfnote.h>

#define FIRST_MFN (1ULL << 20)
#define PATTERN   0xa5

uint8_t kernel_byte(unsigned int segment, uint64_t at)
{
    return (uint8_t)(at * 7 + at / 251 + segment * 31 + 1);
}

static size_t put_notes(const struct kernel_spec *spec, uint8_t *to)
{
    size_t at = 0;

    for (unsigned int i = 0; i < spec->nr_notes; i++) {
        const struct note *n = &spec->notes[i];
        Elf64_Nhdr h = {.n_namesz = 4, .n_descsz = n->size, .n_type = n->type};

        if (to) {
            memcpy(to + at, &h, sizeof(h));
            memcpy(to + at + sizeof(h), "Xen", 4);
            memcpy(to + at + sizeof(h) + 4, n->desc, n->size);
        }
        at += sizeof(h) + 4 + (n->size + 3) / 4 * 4;
    }
    if (to && spec->tail)
        memcpy(to + at, spec->tail, spec->tail_size);
    return at + spec->tail_size;
}

uint8_t *make_kernel(const struct kernel_spec *spec, size_t *size)
{
    unsigned int nr_headers = spec->nr_segments + !spec->notes_in_section;
    size_t notes_at = sizeof(Elf64_Ehdr) + nr_headers * sizeof(Elf64_Phdr);
    size_t notes = put_notes(spec, NULL), at = notes_at + notes;
    Elf64_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT,
                    .e_entry = spec->entry,
                    .e_phoff = sizeof(h),
                    .e_ehsize = sizeof(h),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = (uint16_t)nr_headers};
    Elf64_Shdr sh = {.sh_type = SHT_NOTE, .sh_offset = notes_at, .sh_size = notes};
    uint8_t *file;

    *size = at;
    for (unsigned int i = 0; i < spec->nr_segments; i++)
        *size += spec->segments[i].file_size;
    if (spec->notes_in_section) {
        h.e_shoff = *size;
        h.e_shentsize = sizeof(sh);
        h.e_shnum = 1;
        *size += sizeof(sh);
    }
    file = calloc(1, *size);
    put_notes(spec, file + notes_at);
    for (unsigned int i = 0; i < spec->nr_segments; i++) {
        const struct segment *s = &spec->segments[i];
        Elf64_Phdr ph = {.p_type = PT_LOAD,
                         .p_offset = at,
                         .p_paddr = s->paddr,
                         .p_filesz = s->file_size,
                         .p_memsz = s->mem_size};

        memcpy(file + sizeof(h) + i * sizeof(ph), &ph, sizeof(ph));
        for (uint64_t n = 0; n < s->file_size; n++)
            file[at + n] = kernel_byte(i, n);
        at += s->file_size;
    }
    if (spec->notes_in_section) {
        memcpy(file + at, &sh, sizeof(sh));
    } else {
        Elf64_Phdr ph = {.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes};

        memcpy(file + sizeof(h) + spec->nr_segments * sizeof(ph), &ph, sizeof(ph));
    }
    memcpy(file, &h, sizeof(h));
    return file;
}

uint8_t *make_simple_kernel(const struct simple_kernel *k, size_t *size)
{
    const uint32_t one = 1;
    const uint64_t entry = k->virt_base + k->paddr + 16;
    struct note notes[8] = {
        {XEN_ELFNOTE_XEN_VERSION, 8, "xen-3.0"},
        {XEN_ELFNOTE_GUEST_OS, 5, "test"},
        {XEN_ELFNOTE_VIRT_BASE, 8, &k->virt_base},
        {XEN_ELFNOTE_ENTRY, 8, &entry},
    };
    struct segment segment = {k->paddr, k->size - k->size / 4, k->size};
    struct kernel_spec spec = {
        .notes = notes, .nr_notes = 4, .segments = &segment, .nr_segments = 1};

    if (k->hypercall_page)
        notes[spec.nr_notes++] = (struct note){XEN_ELFNOTE_HYPERCALL_PAGE, 8, &k->hypercall_page};
    if (k->init_p2m)
        notes[spec.nr_notes++] = (struct note){XEN_ELFNOTE_INIT_P2M, 8, &k->init_p2m};
    if (k->mod_start_pfn)
        notes[spec.nr_notes++] = (struct note){XEN_ELFNOTE_MOD_START_PFN, 4, &one};
    if (k->pvh_entry)
        notes[spec.nr_notes++] = (struct note){XEN_ELFNOTE_PHYS32_ENTRY, 8, &k->pvh_entry};
    return make_kernel(&spec, size);
}

uint64_t memory_mfn(const struct memory *m, uint64_t pfn)
{
    return FIRST_MFN + m->nr_pages - 1 - pfn;
}

static void *memory_map(void *ctx, uint64_t pfn, uint64_t *count)
{
    struct memory *m = ctx;

    if (++m->maps == m->fail_after)
        return NULL;
    if (m->window || *count == 0 || pfn >= m->nr_pages || *count > m->nr_pages - pfn) {
        abort(); /* the loader broke the rules of its target */
    }
    if (m->max_window && *count > m->max_window)
        *count = m->max_window;
    m->window = malloc(*count * PAGE);
    m->window_pfn = pfn;
    m->window_pages = *count;
    memcpy(m->window, m->bytes + pfn * PAGE, *count * PAGE);
    return m->window;
}

static void memory_unmap(void *ctx, void *va, uint64_t count)
{
    struct memory *m = ctx;

    if (va != m->window || count != m->window_pages)
        abort();
    memcpy(m->bytes + m->window_pfn * PAGE, m->window, count * PAGE);
    free(m->window);
    m->window = NULL;
}

static uint64_t memory_pfn_to_mfn(void *ctx, uint64_t pfn)
{
    struct memory *m = ctx;

    if (pfn >= m->nr_pages)
        abort();
    return memory_mfn(m, pfn);
}

void memory_init(struct memory *m, uint64_t nr_pages)
{
    *m = (struct memory){.nr_pages = nr_pages};
    m->bytes = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m->bytes == MAP_FAILED)
        abort();
    if (nr_pages < 65536) { /* a large domain stays sparse */
        memset(m->bytes, PATTERN, nr_pages * PAGE);
    }
    m->target = (struct loader_target){m, memory_map, memory_unmap, memory_pfn_to_mfn};
}

void memory_free(struct memory *m)
{
    munmap(m->bytes, m->nr_pages * PAGE);
    free(m->window);
}

bool memory_untouched(const struct memory *m, uint64_t pfn)
{
    const uint8_t *page = m->bytes + pfn * PAGE;

    /* All bytes are the first, and that is the pattern. */
    return page[0] == PATTERN && memcmp(page, page + 1, PAGE - 1) == 0;
}
