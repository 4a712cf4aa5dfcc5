/* SPDX-License-Identifier: MIT */
/*
 * What the loader's tests share: kernels made to order, a domain's memory, and the judge.
 *
 * make_kernel() writes an ELF file of any segments and notes. struct memory is the domain: pages
 * full of a pattern, whose machine frames run backwards from 2^20, so that a pfn is never taken for
 * an mfn unseen. A window is a copy on the heap of exactly the pages that were asked for, written
 * back when it is closed: the sanitizer sees each byte beside it, and two at once are an error.
 *
 * check_domain() is the oracle, used by the unit tests and the fuzzer: it knows the rules that a
 * guest relies on and nothing of how the loader works. It walks the page tables from the top.
 */
#ifndef LOADER_SUPPORT_H
#define LOADER_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parvis/loader.h>

#define PAGE 4096ULL

struct note {
    uint32_t type, size;
    const void *desc;
};

struct segment {
    uint64_t paddr, file_size, mem_size;
};

struct kernel_spec {
    uint64_t entry;
    const struct note *notes;
    unsigned int nr_notes;
    const struct segment *segments;
    unsigned int nr_segments;
    bool notes_in_section; /* no PT_NOTE */
    const void *tail;      /* bytes behind the last note, in the same segment */
    size_t tail_size;
};

/* A kernel of one segment, as most tests want it; NULL-able parts by 0. */
struct simple_kernel {
    uint64_t virt_base, paddr, size;
    uint64_t hypercall_page, init_p2m;
    uint64_t pvh_entry;
    bool mod_start_pfn;
};

/* Heap memory of exactly *size bytes. */
uint8_t *make_kernel(const struct kernel_spec *spec, size_t *size);
uint8_t *make_simple_kernel(const struct simple_kernel *k, size_t *size);
/* What make_kernel() puts at byte `at` of segment `segment`. */
uint8_t kernel_byte(unsigned int segment, uint64_t at);

struct memory {
    uint64_t nr_pages;
    uint8_t *bytes;
    uint64_t max_window; /* pages; 0: any */
    uint64_t fail_after; /* the map() call that fails, from 1; 0: none */
    uint64_t maps;       /* calls so far */
    uint8_t *window;     /* open, or NULL */
    uint64_t window_pfn, window_pages;
    struct loader_target target;
};

void memory_init(struct memory *m, uint64_t nr_pages);
void memory_free(struct memory *m);
uint64_t memory_mfn(const struct memory *m, uint64_t pfn);
bool memory_untouched(const struct memory *m, uint64_t pfn);

/* NULL if everything is as a guest may expect, else the rule that is broken. */
const char *check_domain(const struct memory *m, const struct loader_layout *layout,
                         const struct loader_image *image, const struct loader_config *config);

#endif
