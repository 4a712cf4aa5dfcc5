/* SPDX-License-Identifier: MIT */
/*
 * What the loader's files share. See include/parvis/loader.h for the idea.
 *
 *   error.c   one sentence for whoever asked
 *   elf.c     the ELF file, bounds checked: header, segments, where notes are
 *   notes.c   ELF notes -> struct loader_image
 *   parse.c   loader_parse(): the checks that need all of it
 *   plan.c    loader_plan(): the order of things in memory
 *   tables.c  the page tables: how many, where, and what is in them
 *   write.c   loader_write(), loader_context()
 *
 * and, for a fully virtualized domain (include/parvis/loader_pvh.h):
 *
 *   pvh.c     parse, plan and write of its start of day
 *   acpi.c    the ACPI tables that it finds
 */
#ifndef LOADER_INTERNAL_H
#define LOADER_INTERNAL_H

#include <parvis/loader.h>

#include <xen/errno.h>

#define PAGE_SHIFT 12u
#define PAGE_SIZE  (1ULL << PAGE_SHIFT)
#define MIB        (1ULL << 20)
#define MAX_PAGES  (1UL << 34) /* of a domain: 64 TiB */

/* The guest must leave these alone: L4 slots 256 to 271. */
#define HYPERVISOR_END 0xffff880000000000ULL

static inline uint64_t pages_for(uint64_t bytes)
{
    return (bytes >> PAGE_SHIFT) + ((bytes & (PAGE_SIZE - 1)) != 0);
}

/* error.c: what was wrong, as by printf. Returns code. */
int loader_fail(struct loader_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define bad_kernel(error, format, ...)                                                             \
    loader_fail(error, -XEN_ENOEXEC, "kernel: " format, ##__VA_ARGS__)

/* elf.c */
struct elf_segment {
    uint64_t offset, file_size; /* inside the file: checked */
    uint64_t paddr, mem_size;   /* paddr + mem_size does not overflow; mem_size >= file_size */
};

/* Checks the header: ELF64, x86-64, little endian, tables inside the file. *entry = e_entry. */
int elf_check(const struct loader_image *image, uint64_t *entry, struct loader_error *error);
unsigned int elf_nr_headers(const struct loader_image *image);
/* Program header i: 1 if it is loaded and not empty (then *segment is filled), 0 if not. */
int elf_segment(const struct loader_image *image, unsigned int i, struct elf_segment *segment,
                struct loader_error *error);
/* Where the loaded segments lie: sets image->phys_start and phys_end. */
int elf_extent(struct loader_image *image, struct loader_error *error);
/* Takes each ELF note of name "Xen" into image: those of PT_NOTE segments, or, if these have none,
 * those of note sections. *count says how many. */
int elf_notes(struct loader_image *image, unsigned int *count, struct loader_error *error);

/* notes.c: one of them. desc is not aligned. */
int take_note(struct loader_image *image, uint32_t type, const uint8_t *desc, uint32_t size,
              struct loader_error *error);

/* parse.c: an image of which nothing is known yet. */
void image_begin(struct loader_image *image, const void *file, uint64_t size);

/* plan.c: checks of every plan. A page count that does not fit is told of as `what`. */
int check_cmdline(const struct loader_config *config, struct loader_error *error);
int check_fits(const struct loader_config *config, uint64_t pages, const char *what,
               struct loader_error *error);

/* tables.c */
/* Sets area->tables: the tables that map `area`, without those of `other` (may be NULL). *pages =
 * how many; their pfns count from tables_pfn on, the highest level first. */
void tables_plan(struct loader_area *area, const struct loader_area *other, uint64_t tables_pfn,
                 uint64_t *pages);
int tables_write(const struct loader_layout *layout, const struct loader_target *target,
                 struct loader_error *error);

/* write.c: the one page pfn, or NULL and an error. Undone by target->unmap(ctx, page, 1). */
void *target_page(const struct loader_target *target, uint64_t pfn, struct loader_error *error);
/* The segments, p_paddr less image->paddr_offset; the ramdisk, with zeros to the end of its page.
 */
int write_kernel(const struct loader_image *image, const struct loader_target *target,
                 struct loader_error *error);
int write_ramdisk(uint64_t pfn, uint64_t pages, const struct loader_config *config,
                  const struct loader_target *target, struct loader_error *error);

/* acpi.c: fills the page at physical address paddr; the RSDP is its beginning. nr_vcpus is at most
 * HVM_MAX_VCPUS. */
void write_acpi(void *page, uint64_t paddr, unsigned int nr_vcpus);

#endif
