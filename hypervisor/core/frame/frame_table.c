/* SPDX-License-Identifier: MIT */
/*
 * The table that has an entry a frame: struct page_info (core/frame/frame.h). The machine makes it
 * and sets where it is, before anything of memory is used.
 */
#include <core/frame/frame.h>

struct page_info *frame_table;
uint64_t max_mfn;
