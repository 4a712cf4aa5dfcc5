/* SPDX-License-Identifier: MIT */
/*
 * The walk of pv/page_walk.h for those who are in no hurry.
 */
#include <pv/page_walk.h>

bool pv_find_l1e(struct vcpu *v, gva_t va, struct page_info **table, unsigned int *index)
{
    return find_l1e(v, va, table, index);
}

uint64_t pv_walk_l1e(struct vcpu *v, gva_t va)
{
    struct page_info *table;
    unsigned int index;

    if (!pv_find_l1e(v, va, &table, &index))
        return 0;
    return READ_ONCE(*table_entry(table, index));
}
