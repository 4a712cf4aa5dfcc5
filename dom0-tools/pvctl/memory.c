/* SPDX-License-Identifier: MIT */
/*
 * pvctl mem-set, mem-max: how much memory a domain has from now on, and how much it may ever have.
 *
 * The first is a wish that the guest's balloon driver reads in the store: it gives pages back, or
 * takes some. What it has given back it shall not take again by itself: the hypervisor's limit
 * follows the wish. xl counts in MiB where no unit stands, virsh in KiB: so does the name of each.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config_units.h"
#include "kept.h"
#include "pvctl.h"
#include "store.h"

#define SLACK_KIB       1024u /* above the wish: as libxl has it */
#define DEFAULT_TIMEOUT 120u
#define STEP_MS         100

static int parse_size(const struct call *c, const struct verb *v, uint64_t *kib)
{
    uint64_t unit = strncmp(c->called, "set", 3) == 0 ? 1024 : 1u << 20;

    if (size_parse(c->more[0], unit, kib))
        return 0;
    return usage_error(v, "this is no size such as 256M or 1GiB: ", c->more[0]);
}

/* An entry of the store that is a number of KiB; `otherwise` where there is none. */
static int read_kib(const struct call *c, const struct live_domain *l, const char *key,
                    uint64_t otherwise, uint64_t *kib, struct error *e)
{
    char *text;
    int rc = store_domain_get(c->h, l->d.domid, key, &text);

    *kib = otherwise;
    if (rc == -ENOENT && otherwise)
        return 0;
    if (rc == -ENOENT)
        return error_set(e, -ENODATA,
                         "%s: it cannot be asked, for it has no entry %s in the store (those of "
                         "parvis.cfg have none)",
                         l->name, key);
    if (rc)
        return error_errno(e, rc, "%s: reading %s in the store", l->name, key);
    *kib = strtoull(text, NULL, 10);
    free(text);
    return 0;
}

static int write_kib(const struct call *c, const struct live_domain *l, const char *key,
                     uint64_t kib, struct error *e)
{
    char text[24];
    int rc;

    snprintf(text, sizeof(text), "%" PRIu64, kib);
    rc = store_domain_set(c->h, l->d.domid, key, text);
    return rc ? error_errno(e, rc, "%s: writing %s in the store", l->name, key) : 0;
}

static int set_limit(const struct call *c, const struct live_domain *l, uint64_t kib,
                     struct error *e)
{
    int rc = c->h->ops->domain_max_mem(c->h, l->d.domid, kib + SLACK_KIB);

    return rc ? error_errno(e, rc, "%s: setting its limit of memory", l->name) : 0;
}

/* The limit before the wish; where the wish cannot be written the limit is as it was. */
static int set_both(const struct call *c, const struct live_domain *l, const char *key,
                    uint64_t kib, struct error *e)
{
    int rc = set_limit(c, l, kib, e);

    rc = rc ? rc : write_kib(c, l, key, kib, e);
    if (rc && c->h->ops->domain_max_mem(c->h, l->d.domid, l->d.max_pages * 4))
        fprintf(stderr, "pvctl: %s: its limit of memory stays changed\n", l->name);
    return rc;
}

/* Nobody has written down yet how much the control domain may have: what it has before the first
 * wish; without that it could not be given back. */
static int note_most(const struct call *c, const struct live_domain *l, uint64_t most,
                     struct error *e)
{
    uint64_t is;

    if (l->d.domid != 0)
        return 0;
    return read_kib(c, l, "memory/static-max", UINT64_MAX, &is, e) ||
                   (is == UINT64_MAX && write_kib(c, l, "memory/static-max", most, e))
               ? e->code
               : 0;
}

static int keep_current(struct domain_config *cfg, void *kib)
{
    cfg->current_kib = *(const uint64_t *)kib;
    return 0;
}

static int keep_most(struct domain_config *cfg, void *kib)
{
    cfg->memory_kib = *(const uint64_t *)kib;
    if (cfg->current_kib > cfg->memory_kib)
        cfg->current_kib = cfg->memory_kib;
    return 0;
}

/* Until it has so much, about: a balloon driver leaves some pages out of account. */
static int wait_for(const struct call *c, const struct live_domain *l, uint64_t kib,
                    struct error *e)
{
    unsigned int seconds = c->options & OPT_TIMEOUT ? c->number[AT_TIMEOUT] : DEFAULT_TIMEOUT;
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    struct live_domain now = *l;
    char is[SIZE_TEXT], wanted[SIZE_TEXT];

    for (uint64_t ms = 0; seconds == 0 || ms <= seconds * UINT64_C(1000); ms += STEP_MS) {
        uint64_t has, away;
        char number[16];

        snprintf(number, sizeof(number), "%u", l->d.domid);
        if (lifecycle_find(c->h, number, &now, e))
            return e->code;
        has = now.d.nr_pages * 4;
        away = has > kib ? has - kib : kib - has;
        if (away <= SLACK_KIB) {
            printf("%s: %" PRIu64 " KiB\n", l->name, has);
            return 0;
        }
        nanosleep(&step, NULL);
    }
    return error_set(e, -ETIMEDOUT,
                     "%s: it has %s after %u s, and was asked for %s: has its kernel a balloon "
                     "driver, and the machine so much?",
                     l->name, size_text(now.d.nr_pages * 4, is), seconds, size_text(kib, wanted));
}

static int run_set(const struct call *c)
{
    uint64_t kib, most, is;
    char wanted[SIZE_TEXT], limit[SIZE_TEXT];
    struct live_domain l;
    struct error e = {0};
    int rc = parse_size(c, &verb_mem_set, &kib);

    rc = rc ? rc : need_asked(c, &l);
    if (rc)
        return rc;
    rc = read_kib(c, &l, "memory/target", l.d.domid ? 0 : l.d.nr_pages * 4, &is, &e);
    rc = rc ? rc
            : read_kib(c, &l, "memory/static-max", (l.d.domid ? l.d.max_pages : l.d.nr_pages) * 4,
                       &most, &e);
    rc = rc ? rc : note_most(c, &l, most, &e);
    if (rc == 0 && (kib < CONFIG_MIN_MEMORY_KIB || kib > most))
        rc = error_set(&e, -ERANGE,
                       "%s: %s is not between 2 MiB and %s, the most it may have (`pvctl mem-max`)",
                       l.name, size_text(kib, wanted), size_text(most, limit));
    rc = rc ? rc : set_both(c, &l, "memory/target", kib, &e);
    rc = rc ? rc : kept_change(&l, keep_current, &kib, &e);
    rc = rc || !(c->options & OPT_WAIT) ? rc : wait_for(c, &l, kib, &e);
    return rc ? fail(&e) : EXIT_OK;
}

const struct verb verb_mem_set = {
    .name = "mem-set",
    .arg = "NAME... SIZE",
    .options = OPT_WAIT | OPT_TIMEOUT,
    .each = true,
    .behind = 1,
    .run = run_set,
    .summary = "ask a domain to have so much memory from now on",
    .help =
        "SIZE is a number with its unit, such as 256M or 1GiB; without one it is MiB, or, for who\n"
        "says setmem, KiB. The guest's balloon driver gives memory back or takes some, up to what\n"
        "mem-max says; the hypervisor does not let it have more than was asked for. It holds in "
        "the\n"
        "lives that follow, too. With --wait the command ends when the domain has it.\n",
    .examples = "pvctl mem-set web 256M\n"
                "pvctl mem-set --wait web db 1GiB\n",
};

static int run_max(const struct call *c)
{
    uint64_t kib, target;
    char wanted[SIZE_TEXT], limit[SIZE_TEXT];
    struct live_domain l;
    struct error e = {0};
    int rc = parse_size(c, &verb_mem_max, &kib);

    rc = rc ? rc : need_asked(c, &l);
    if (rc)
        return rc;
    rc = read_kib(c, &l, "memory/target", l.d.domid ? 0 : l.d.nr_pages * 4, &target, &e);
    if (rc == 0 && (kib < target || kib > CONFIG_MAX_MEMORY_KIB))
        rc = error_set(&e, -ERANGE,
                       "%s: %s is not between %s, which it is to have now (`pvctl mem-set`), and "
                       "16 TiB",
                       l.name, size_text(kib, wanted), size_text(target, limit));
    rc = rc ? rc : set_both(c, &l, "memory/static-max", kib, &e);
    rc = rc ? rc : kept_change(&l, keep_most, &kib, &e);
    return rc ? fail(&e) : EXIT_OK;
}

const struct verb verb_mem_max = {
    .name = "mem-max",
    .arg = "NAME... SIZE",
    .each = true,
    .behind = 1,
    .run = run_max,
    .summary = "set the most memory that a domain may have",
    .help = "SIZE as for mem-set; for who says setmaxmem, KiB where there is no unit. Not less "
            "than the\n"
            "domain is to have now. A kernel that was started with less may have no use for more "
            "before\n"
            "its next life, which begins with this limit.\n",
    .examples = "pvctl mem-max web 2GiB\n",
};
