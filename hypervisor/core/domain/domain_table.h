/* SPDX-License-Identifier: MIT */
/* Who is who: ids to domains, frames to their owners, references to both:
 * core/domain/domain_table.c. */
#ifndef HV_DOMAIN_TABLE_H
#define HV_DOMAIN_TABLE_H

#include <hv/types.h>
#include <port/lock.h>
#include <xen/xen.h>

struct domain;
struct page_info;

extern struct domain *control_domain; /* NULL when there is none */
/* DOMID_IO owns non-RAM, DOMID_XEN the hypervisor's shared pages. */
extern struct domain *dom_io, *dom_xen;

void domain_table_init(void);
/* Enters d under its id; DOMID_INVALID: gives it the next free one. -XEN_EEXIST, -XEN_ENOMEM.
 * Only frames lead to it until it is shown. */
int __must_check domain_table_insert(struct domain *d);
void domain_table_show(struct domain *d);
void domain_table_remove(struct domain *d);

/* Looks a domain up by id and takes a reference; NULL when there is none. DOMID_SELF is the
 * caller's affair. */
struct domain *get_domain_by_id(domid_t id);
/* As above, for an id that a guest gave: DOMID_SELF is the current domain. */
struct domain *get_domain_for_guest(domid_t id);
/* The same, for who asks about that domain or does something for it: itself, or any for the control
 * domain. 0, -XEN_ESRCH, -XEN_EPERM. */
int __must_check get_domain_permitted(domid_t id, struct domain **d);
/* Who owns a frame (one that is owned stays so while the caller holds it); NULL: nobody. dom_io and
 * dom_xen are found too. */
struct domain *owner_of_page(const struct page_info *pg);
bool __must_check get_domain(struct domain *d); /* false: its last reference has gone */
void get_knownalive_domain(struct domain *d);   /* one more, by who knows that there is one */
void put_domain(struct domain *d); /* the last one: freed on the exit path; any lock may be held */
/* The domain with the least id from this one on, with a reference; NULL: there is none. */
struct domain *get_domain_from(unsigned int id);
/* Walk of all, few, under domlist_lock: NULL starts and ends */
struct domain *next_domain(const struct domain *d);
extern spinlock_t domlist_lock;
unsigned int count_domains(void);

#endif
