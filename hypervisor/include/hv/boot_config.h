/* SPDX-License-Identifier: MIT */
/*
 * What both ways to start share: parvis.cfg and the memory map. Pure code: no memory but what is
 * passed, no output; runs in the UEFI application, in the hypervisor and in tests.
 */
#ifndef HV_BOOT_CONFIG_H
#define HV_BOOT_CONFIG_H

#include <hv/types.h>
#include <parvis/boot_info.h>

struct config_error {
    char text[320]; /* one sentence that begins with where: "parvis.cfg:7: " */
};

/* Index in bi->modules of the module called name (under UEFI: loads it); negative: there is none.
 */
typedef int config_find_fn(struct boot_info *bi, const char *name);

config_find_fn config_module; /* of those there are */

/* Sets what keeps its value when no key sets it. */
void config_defaults(struct boot_info *bi);
/* Reads parvis.cfg into bi (global keys, domains). 0, or -1 and error->text. The text need not end
 * with 0. */
int __must_check config_parse(struct boot_info *bi, const char *text, size_t size,
                              config_find_fn *find, struct config_error *error);
/* Reads global keys ("loglevel=debug") off bi->cmdline; words without "=" are left alone. 0 or -1.
 */
int __must_check config_parse_cmdline(struct boot_info *bi, struct config_error *error);

/* Makes [start, start + size) of the map to be of this type, whatever it was. Keeps it sorted,
 * joined, not overlapping. -1: no room. */
int __must_check memmap_set(struct boot_info *bi, uint64_t start, uint64_t size, uint32_t type);
/* As above, but only where nothing is known yet or the old type is RAM: firmware maps overlap at
 * times, the careful entry wins. */
int __must_check memmap_add(struct boot_info *bi, uint64_t start, uint64_t size, uint32_t type);

#endif
