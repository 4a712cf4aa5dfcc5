/* SPDX-License-Identifier: MIT */
/*
 * pvctl list: one hypercall and one directory, however many domains there are; with --all the
 * definitions besides.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_units.h"
#include "definition.h"
#include "pvctl.h"

/* What is printed of one domain. */
struct row {
    const struct live_domain *live;   /* NULL: it does not run */
    const struct definition *defined; /* NULL: it is not, or nobody asked */
};

static const char *state_word(const struct live_domain *l)
{
    return !l                             ? "off"
           : l->maker                     ? "creating"
           : l->d.shutdown && !l->d.dying ? "shutdown"
                                          : domain_state_text(&l->d);
}

static void print_json(const struct row *r, bool all)
{
    const struct host_domain *d = r->live ? &r->live->d : NULL;
    const struct domain_config *cfg = r->defined ? &r->defined->cfg : NULL;
    char uuid[37];

    json_open('{');
    json_string("name", d ? r->live->name : cfg->name);
    if (d)
        json_number("id", d->domid);
    if (d || cfg->uuid_given) {
        uuid_format(d ? d->uuid : cfg->uuid, uuid);
        json_string("uuid", uuid);
    }
    json_string("kind", kind_name(d ? d->kind : cfg->kind));
    json_number("memory_kib", d ? d->nr_pages * 4 : cfg->current_kib);
    json_number("vcpus", d ? d->online_vcpus : cfg->vcpus);
    json_string("state", state_word(r->live));
    if (d && d->shutdown)
        json_string("reason", shutdown_reason_word(d->shutdown_reason));
    if (d)
        json_number("cpu_time_ns", d->cpu_time_ns);
    if (all) {
        json_bool("defined", cfg != NULL);
        json_bool("autostart", cfg && r->defined->order != AUTOSTART_NONE);
    }
    if (cfg && r->defined->order != AUTOSTART_NONE)
        json_number("order", (unsigned long long)r->defined->order);
    json_close('}');
}

static void print_head(const char *unit, bool all)
{
    char memory[24];

    snprintf(memory, sizeof(memory), "Mem(%s)", unit_name(unit));
    printf("%-24s %5s %10s %5s  %-12s %10s  %s\n", "Name", "ID", memory, "vCPUs", "State",
           "Time(s)", all ? "Kind Autostart" : "Kind");
}

/* A line of columns. There are hundreds of lines on a large machine, and printf() takes twenty
 * times as long for one. */
struct line {
    char text[256];
    size_t len;
};

static void add(struct line *l, const char *text, size_t len)
{
    size_t room = sizeof(l->text) - l->len;

    len = len < room ? len : room;
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static void pad(struct line *l, size_t width, size_t len)
{
    static const char blanks[] = "                        ";

    if (len < width)
        add(l, blanks, width - len);
}

static void add_left(struct line *l, const char *text, size_t width)
{
    add(l, text, strlen(text));
    pad(l, width, strlen(text));
}

static void add_right(struct line *l, const char *text, size_t width)
{
    add(l, " ", 1);
    pad(l, width, strlen(text));
    add(l, text, strlen(text));
}

/* "123", or with a digit behind the point, from so many tenths "12.3". */
static void add_number(struct line *l, uint64_t n, bool tenths, size_t width)
{
    char text[24], *at = &text[sizeof(text) - 1];

    *at = '\0';
    if (tenths) {
        *--at = (char)('0' + n % 10);
        *--at = '.';
        n /= 10;
    }
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    add_right(l, at, width);
}

/* So many of what there are `per` of in a tenth; what is in the middle becomes even, as printf()
 * has it. */
static uint64_t in_tenths(uint64_t value, uint64_t per)
{
    uint64_t n = value / per, rest = value % per;

    return n + (rest * 2 > per || (rest * 2 == per && n % 2));
}

/* KiB in the unit, with a digit behind the point where they are not exact in it. */
static void add_memory(struct line *l, uint64_t kib, uint64_t unit, size_t width)
{
    bool tenths = kib * 1024 % unit != 0;

    add_number(l, tenths ? in_tenths(kib * 10240, unit) : kib * 1024 / unit, tenths, width);
}

static void print_line(const struct row *r, uint64_t unit, bool all)
{
    const struct live_domain *l = r->live;
    const struct domain_config *cfg = r->defined ? &r->defined->cfg : NULL;
    struct line out = {.len = 0};

    add_left(&out, l ? l->name : cfg->name, 24);
    if (l)
        add_number(&out, l->d.domid, false, 5);
    else
        add_right(&out, "-", 5);
    add_memory(&out, l ? l->d.nr_pages * 4 : cfg->current_kib, unit, 10);
    add_number(&out, l ? l->d.online_vcpus : cfg->vcpus, false, 5);
    add(&out, "  ", 2);
    add_left(&out, !l ? "off" : l->maker ? "creating" : domain_state_text(&l->d), 12);
    if (l)
        add_number(&out, in_tenths(l->d.cpu_time_ns, 100000000), true, 10);
    else
        add_right(&out, "-", 10);
    add(&out, "  ", 2);
    add_left(&out, kind_name(l ? l->d.kind : cfg->kind), all ? 5 : 0);
    if (all)
        add_left(&out,
                 !r->defined                           ? "not defined"
                 : r->defined->order == AUTOSTART_NONE ? "no"
                                                       : "yes",
                 0);
    add(&out, "\n", 1);
    fwrite(out.text, 1, out.len, stdout);
}

static void print(const struct call *c, const struct row *r, uint64_t unit)
{
    bool all = c->options & OPT_OFF_TOO;

    if (c->options & OPT_JSON)
        print_json(r, all);
    else
        print_line(r, unit, all);
}

static const struct definition *find_definition(const struct live_domain *l,
                                                const struct definition *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i].cfg.name, l->name) == 0)
            return &list[i];
    }
    return NULL;
}

static bool is_live(const char *name, const struct live_domain *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(l[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Those that live, then those that are defined and do not. */
static void print_all(const struct call *c, const char *unit, const struct live_domain *l, size_t n,
                      const struct definition *defined, size_t nr)
{
    const uint64_t bytes = unit_bytes(unit);

    if (c->options & OPT_JSON)
        json_open('[');
    else
        print_head(unit, c->options & OPT_OFF_TOO);
    for (size_t i = 0; i < n; i++)
        print(c, &(struct row){&l[i], find_definition(&l[i], defined, nr)}, bytes);
    for (size_t i = 0; i < nr; i++) {
        if (!is_live(defined[i].cfg.name, l, n))
            print(c, &(struct row){NULL, &defined[i]}, bytes);
    }
    if (c->options & OPT_JSON)
        json_close(']');
}

/* A definition that cannot be read is told; the others are listed, and that is what was asked. */
static int run(const struct call *c)
{
    const char *unit = c->options & OPT_UNIT ? c->text[AT_UNIT] : "KiB";
    struct definition *defined = NULL;
    struct live_domain *l;
    size_t n, nr = 0;
    int rc, all;

    if (!unit_name(unit))
        return usage_error(&verb_list, "there is no such unit: ", unit);
    if ((c->options & OPT_OFF_TOO) && c->arg)
        return usage_error(&verb_list, "either names or --all", "");
    rc = chosen_domains(c, &l, &n);
    if (rc && !n)
        return rc;
    all = c->options & OPT_OFF_TOO ? defined_domains(&defined, &nr) : EXIT_OK;
    print_all(c, unit, l, n, defined, nr);
    definition_list_free(defined, nr);
    free(l);
    return all == EXIT_REFUSED ? worse(rc, all) : rc;
}

const struct verb verb_list = {
    .name = "list",
    .arg = "[NAME...]",
    .options = OPT_OFF_TOO | OPT_UNIT | OPT_JSON,
    .run = run,
    .summary = "list domains: name, number, memory, vCPUs, state, CPU time, kind",
    .help =
        "vCPUs are those online. A domain is running when one of its vCPUs is; runnable: one wants "
        "to\n"
        "run, and waits for a CPU or rests for the domain's cap; blocked: all wait for events. "
        "Off: it\n"
        "is defined, and does not run. Those that there are come first, by their numbers, then "
        "those\n"
        "that are off, by their names.\n",
    .examples = "pvctl list\n"
                "pvctl list --all\n"
                "pvctl list web db\n"
                "pvctl list --unit MiB\n"
                "pvctl list --json\n",
};
