/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked circular list with a head, embedded in what it links. Not locked: the owner's
 * comment names the lock.
 */
#ifndef HV_LIST_H
#define HV_LIST_H

#include <hv/types.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *n)
{
    n->prev = at->prev;
    n->next = at;
    at->prev->next = n;
    at->prev = n;
}

/* Leaves n as an empty list, so that a second removal does no harm. */
static inline void list_del(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

#define list_entry(p, type, member) container_of(p, type, member)
/* p: each of those whose member is in the list, first to last. The head is in none of them, so no
 * pointer is made to what would be around it: that need not even be aligned as they are. */
#define list_for_each(p, head, member)                                                             \
    for (struct list *p##_link = (head)->next;                                                     \
         p##_link != (head) && ((p) = list_entry(p##_link, __typeof__(*(p)), member), true);       \
         p##_link = p##_link->next)

#endif
