/* SPDX-License-Identifier: MIT */
/*
 * Other names for what hypervisor/lib and the C library both have, so that one program can hold
 * and compare both. Included before lib/memory.c and lib/string.c, and by core_lib.c.
 */
#define memcpy  lib_memcpy
#define memmove lib_memmove
#define memset  lib_memset
#define memcmp  lib_memcmp
#define strlen  lib_strlen
#define strnlen lib_strnlen
#define strcmp  lib_strcmp
#define strchr  lib_strchr
