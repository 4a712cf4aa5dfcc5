/* SPDX-License-Identifier: MIT */
/*
 * ELF notes: what a kernel says about itself (include/xen/elfnote.h lists them).
 *
 * A note is a number, a string, or nothing that matters here. When one occurs twice, the last
 * counts. A note with an unknown number is skipped, as guests expect: newer kernels have more.
 * Strings are made printable, for they may end up in messages. BSD_SYMTAB is among what is skipped:
 * no symbol table is put behind the kernel, and kernels that ask for it do without.
 *
 * Features come in two forms: a string of names (FEATURES), where '!' marks those that the kernel
 * needs, and a bit mask (SUPPORTED_FEATURES). Both add up.
 */
#include "internal.h"

#include <xen/elfnote.h>
#include <xen/features.h>

static int take_number(const char *name, const uint8_t *desc, uint32_t size, uint64_t *value,
                       struct loader_error *error)
{
    if (size != 1 && size != 2 && size != 4 && size != 8)
        return bad_kernel(error, "ELF note %s has %u bytes; a number of 1, 2, 4 or 8 is expected",
                          name, size);
    *value = 0;
    __builtin_memcpy(value, desc, size);
    return 0;
}

static void take_string(char text[LOADER_TEXT], const uint8_t *desc, uint32_t size)
{
    uint32_t n = 0;

    for (; n < size && n < LOADER_TEXT - 1 && desc[n]; n++)
        text[n] = desc[n] >= ' ' && desc[n] < 0x7f ? (char)desc[n] : '?';
    text[n] = '\0';
}

/* clang-format off */
static const struct {
    const char *name;
    unsigned int bit;
} features[] = {
    {"writable_page_tables",       XENFEAT_writable_page_tables},
    {"writable_descriptor_tables", XENFEAT_writable_descriptor_tables},
    {"auto_translated_physmap",    XENFEAT_auto_translated_physmap},
    {"supervisor_mode_kernel",     XENFEAT_supervisor_mode_kernel},
    {"pae_pgdir_above_4gb",        XENFEAT_pae_pgdir_above_4gb},
    {"hvm_callback_vector",        XENFEAT_hvm_callback_vector},
    {"dom0",                       XENFEAT_dom0},
};
/* clang-format on */

static bool same(const char *name, const uint8_t *text, uint32_t size)
{
    uint32_t n = 0;

    while (n < size && name[n] && name[n] == (char)text[n])
        n++;
    return n == size && name[n] == '\0';
}

/* Names that nobody knows are left out: a kernel may support what came after us. */
static void take_features(struct loader_image *image, const uint8_t *text, uint32_t size)
{
    for (uint32_t at = 0; at < size && text[at];) {
        bool required = text[at] == '!';
        uint32_t end;

        at += required;
        end = at;
        while (end < size && text[end] && text[end] != '|')
            end++;
        for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
            if (same(features[i].name, text + at, end - at)) {
                image->features_supported |= 1u << features[i].bit;
                image->features_required |= required ? 1u << features[i].bit : 0;
            }
        }
        at = end + (end < size && text[end] == '|');
    }
}

static int take_supported(struct loader_image *image, const uint8_t *desc, uint32_t size,
                          struct loader_error *error)
{
    uint64_t mask;
    int rc = take_number("SUPPORTED_FEATURES", desc, size, &mask, error);

    if (rc == 0) {
        image->features_supported |= (uint32_t)mask;
        image->has_supported_features = true;
    }
    return rc;
}

int take_note(struct loader_image *image, uint32_t type, const uint8_t *desc, uint32_t size,
              struct loader_error *error)
{
    uint64_t number = 0;
    int rc;

    switch (type) {
    case XEN_ELFNOTE_ENTRY:
        return take_number("ENTRY", desc, size, &image->entry, error);
    case XEN_ELFNOTE_HYPERCALL_PAGE:
        return take_number("HYPERCALL_PAGE", desc, size, &image->hypercall_page, error);
    case XEN_ELFNOTE_VIRT_BASE:
        return take_number("VIRT_BASE", desc, size, &image->virt_base, error);
    case XEN_ELFNOTE_PADDR_OFFSET:
        return take_number("PADDR_OFFSET", desc, size, &image->paddr_offset, error);
    case XEN_ELFNOTE_INIT_P2M:
        return take_number("INIT_P2M", desc, size, &image->init_p2m, error);
    case XEN_ELFNOTE_MOD_START_PFN:
        rc = take_number("MOD_START_PFN", desc, size, &number, error);
        image->mod_start_pfn = number != 0;
        return rc;
    case XEN_ELFNOTE_PHYS32_ENTRY:
        return take_number("PHYS32_ENTRY", desc, size, &image->pvh_entry, error);
    case XEN_ELFNOTE_SUPPORTED_FEATURES:
        return take_supported(image, desc, size, error);
    case XEN_ELFNOTE_FEATURES:
        take_features(image, desc, size);
        break;
    case XEN_ELFNOTE_XEN_VERSION:
        take_string(image->xen_version, desc, size);
        break;
    case XEN_ELFNOTE_GUEST_OS:
        take_string(image->guest_os, desc, size);
        break;
    case XEN_ELFNOTE_GUEST_VERSION:
        take_string(image->guest_version, desc, size);
        break;
    case XEN_ELFNOTE_LOADER:
        take_string(image->loader, desc, size);
        break;
    }
    return 0;
}
