/* SPDX-License-Identifier: MIT */
/*
 * pvctl top: what the domains do at a moment: one hypercall for all of them, their names, and what
 * the back ends have counted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "top.h"
#include "traffic.h"

/* Only for names of domains that others made. */
#define STORE_PATIENCE_MS 300u

unsigned int top_delay(const struct call *c)
{
    return c->options & OPT_DELAY ? c->number[AT_DELAY] : 3;
}

/* The same domain, not another that has its number now. */
static const struct top_row *row_before(const struct top_sample *before,
                                        const struct host_domain *d)
{
    for (size_t i = 0; before && i < before->nr; i++) {
        const struct host_domain *other = &before->row[i].l.d;

        if (other->domid == d->domid && memcmp(other->uuid, d->uuid, sizeof(d->uuid)) == 0)
            return &before->row[i];
    }
    return NULL;
}

static void add_device(struct top_row *r, const struct traffic_device *d)
{
    if (!d->disk) {
        r->nets++;
        r->net_rx += d->count[NET_RX_BYTES];
        r->net_tx += d->count[NET_TX_BYTES];
        return;
    }
    r->disks_counted = d->counted || (r->disks && r->disks_counted);
    r->disks++;
    r->waited += d->count[DISK_WAITED];
    r->reads += d->count[DISK_READS];
    r->writes += d->count[DISK_WRITES];
    r->read_sectors += d->count[DISK_READ_SECTORS];
    r->written_sectors += d->count[DISK_WRITTEN_SECTORS];
}

static void fill_row(struct top_row *r, const struct live_domain *l, const struct traffic *t,
                     const struct top_sample *before, uint64_t now)
{
    const struct top_row *old = row_before(before, &l->d);

    *r = (struct top_row){.l = *l, .disks_counted = true};
    if (old && now > before->at_ns && l->d.cpu_time_ns > old->l.d.cpu_time_ns)
        r->cpu_percent = 100.0 * (double)(l->d.cpu_time_ns - old->l.d.cpu_time_ns) /
                         (double)(now - before->at_ns);
    for (size_t i = 0; i < t->nr; i++)
        if (t->device[i].domid == l->d.domid)
            add_device(r, &t->device[i]);
}

int top_take(struct host *h, const struct top_sample *before, struct top_sample *out,
             struct error *e)
{
    struct live_domain *l = NULL;
    struct traffic t = {0};
    int rc;

    *out = (struct top_sample){0};
    h->store_patience_ms = STORE_PATIENCE_MS;
    rc = h->ops->physinfo(h, &out->machine);
    if (rc)
        return error_errno(e, rc, "what the machine has");
    rc = lifecycle_list(h, &l, &out->nr, e);
    if (rc)
        return rc;
    out->at_ns = now_ns();
    rc = traffic_read(&t);
    out->row = rc ? NULL : calloc(out->nr + 1, sizeof(*out->row));
    if (!out->row)
        rc = error_errno(e, rc ? rc : -ENOMEM, "what the domains do");
    for (size_t i = 0; i < out->nr && rc == 0; i++)
        fill_row(&out->row[i], &l[i], &t, before, out->at_ns);
    traffic_free(&t);
    free(l);
    return rc;
}

void top_forget(struct top_sample *s)
{
    free(s->row);
    *s = (struct top_sample){0};
}

static const struct top_column *sorted_by;

static int compare(const void *a, const void *b)
{
    const struct top_row *x = a, *y = b;
    double left = sorted_by->key ? sorted_by->key(x) : strcmp(x->l.name, y->l.name);
    double right = sorted_by->key ? sorted_by->key(y) : 0;

    if (left != right)
        return (left < right) == sorted_by->rises ? -1 : 1;
    return x->l.d.domid < y->l.d.domid ? -1 : x->l.d.domid > y->l.d.domid;
}

void top_sort(struct top_sample *s, const struct top_column *by)
{
    sorted_by = by;
    if (s->nr)
        qsort(s->row, s->nr, sizeof(*s->row), compare);
}
