/* SPDX-License-Identifier: MIT */
/*
 * parvis.cfg: what the hypervisor starts.
 *
 *     console = com1            global keys come first
 *     [control]                 the control domain, at most one
 *     kernel = vmlinux
 *     [domain hello]            boot-time guests
 *     kernel = hello
 *     memory = 16M
 *
 * One key a line; `#` begins a comment at the start of a line or behind a blank. Nothing is
 * ignored: what is not known, given twice, missing or out of range is an error that names the line
 * and what would be accepted. The text is untrusted bytes of any length; it is read once from start
 * to end and never written; a byte order mark before it and carriage returns, which other systems'
 * editors leave, are passed over. Kernels and ramdisks are named by the name of their module and
 * looked up at once.
 */
#include <core/base/log.h>
#include <hv/boot_config.h>
#include <parvis/string.h>

#define MAX_WORD             64
#define MAX_VCPUS_PER_DOMAIN 64

struct text { /* a piece of the file */
    const char *at;
    size_t n;
};

struct parser {
    struct boot_info *bi;
    struct boot_domain *domain; /* the open section; NULL: global keys */
    uint32_t seen; /* keys of this section that were given: bit is the row in its table */
    unsigned int line, section_line;
    const char *file;
    config_find_fn find;
    void *ctx;
    struct config_error *error;
};

#define FAIL(p, ...)                                                                               \
    ({                                                                                             \
        int fail_at =                                                                              \
            snprintf((p)->error->text, sizeof((p)->error->text), "%s:%u: ", (p)->file, (p)->line); \
        snprintf((p)->error->text + fail_at, sizeof((p)->error->text) - (size_t)fail_at,           \
                 __VA_ARGS__);                                                                     \
        -1;                                                                                        \
    })
/* A piece of the file in a message: not too long, and with a length, as it does not end with 0. */
#define PIECE(t) (int)MIN((t).n, (size_t)40), (t).at

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct text trim(struct text t)
{
    while (t.n && blank(t.at[0]))
        t = (struct text){t.at + 1, t.n - 1};
    while (t.n && blank(t.at[t.n - 1]))
        t.n--;
    return t;
}

static bool is(struct text t, const char *word)
{
    size_t i = 0;

    for (; i < t.n; i++) {
        if (!word[i] || word[i] != t.at[i])
            return false;
    }
    return !word[i];
}

static int copy(struct parser *p, char *to, size_t size, struct text from, const char *what)
{
    if (from.n >= size)
        return FAIL(p, "%s has %lu characters; at most %lu are possible", what, from.n, size - 1);
    for (size_t i = 0; i < from.n; i++)
        to[i] = from.at[i];
    to[from.n] = 0;
    return 0;
}

static bool number(struct text t, uint64_t *out)
{
    return parse_number(t.at, t.n, out);
}

static bool memory_size(struct text t, uint64_t *out)
{
    char unit = t.n ? t.at[t.n - 1] : 0;
    unsigned int shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;

    if (!shift || !number((struct text){t.at, t.n - 1}, out) || *out >> (52 - shift))
        return false;
    *out <<= shift;
    return *out >= PAGE_SIZE && *out % PAGE_SIZE == 0;
}

static int choose(struct parser *p, struct text value, const char *key, const char *const *names,
                  uint32_t first, uint32_t *out)
{
    char list[64];
    size_t n = 0;

    for (uint32_t i = 0; names[i]; i++) {
        if (is(value, names[i])) {
            *out = first + i;
            return 0;
        }
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", names[i]);
    }
    return FAIL(p, "%s: `%.*s` is not one of: %s", key, PIECE(value), list);
}

/* --- global keys --- */

static int set_console(struct parser *p, struct text v)
{
    static const char *const names[] = {"com1", "com2", NULL};
    return choose(p, v, "console", names, 1, &p->bi->console);
}

static int set_loglevel(struct parser *p, struct text v)
{
    static const char *const names[] = {"error", "warning", "info", "debug", NULL};
    return choose(p, v, "loglevel", names, LOG_ERROR, &p->bi->loglevel);
}

static int set_debug_exit(struct parser *p, struct text v)
{
    uint64_t port;

    if (!number(v, &port) || port > 0xffff)
        return FAIL(p, "debug_exit: `%.*s` is not an I/O port (0 to 0xffff)", PIECE(v));
    p->bi->debug_exit = (uint32_t)port;
    return 0;
}

/* v is a number from least to most. */
static int set_number(struct parser *p, struct text v, const char *key, unsigned int least,
                      unsigned int most, uint32_t *out)
{
    uint64_t n;

    if (!number(v, &n) || n < least || n > most)
        return FAIL(p, "%s: `%.*s` is not a number from %u to %u", key, PIECE(v), least, most);
    *out = (uint32_t)n;
    return 0;
}

static int set_cpus(struct parser *p, struct text v)
{
    return set_number(p, v, "cpus", 1, BOOT_MAX_CPUS, &p->bi->cpus);
}

static int set_on_end(struct parser *p, struct text v)
{
    static const char *const names[] = {"poweroff", "halt", NULL};
    return choose(p, v, "on_end", names, 0, &p->bi->halt_on_end);
}

static int set_tsc(struct parser *p, struct text v)
{
    static const char *const names[] = {"auto", "stable", NULL};
    return choose(p, v, "tsc", names, 0, &p->bi->tsc_stable);
}

/* --- keys of a domain --- */

static int find_module(struct parser *p, struct text v, const char *key, int32_t *out)
{
    char name[MAX_WORD];
    int index;

    for (size_t i = 0; i < v.n; i++) {
        if (v.at[i] == '/' || v.at[i] == '\\' || blank(v.at[i]))
            return FAIL(p, "%s: `%.*s` is not a file name (no folders, no blanks)", key, PIECE(v));
    }
    if (copy(p, name, sizeof(name), v, key))
        return -1;
    index = p->find(p->ctx, p->bi, name);
    if (index < 0)
        return FAIL(p, "%s: there is no file `%s`, or it cannot be read", key, name);
    *out = index;
    return 0;
}

static int set_kernel(struct parser *p, struct text v)
{
    return find_module(p, v, "kernel", &p->domain->kernel);
}

static int set_ramdisk(struct parser *p, struct text v)
{
    return find_module(p, v, "ramdisk", &p->domain->ramdisk);
}

static int set_cmdline(struct parser *p, struct text v)
{
    return copy(p, p->domain->cmdline, sizeof(p->domain->cmdline), v, "cmdline");
}

static int set_memory(struct parser *p, struct text v)
{
    if (!memory_size(v, &p->domain->memory))
        return FAIL(p, "memory: `%.*s` is not a size: a number and K, M or G, whole pages of 4K",
                    PIECE(v));
    return 0;
}

static int set_vcpus(struct parser *p, struct text v)
{
    return set_number(p, v, "vcpus", 1, MAX_VCPUS_PER_DOMAIN, &p->domain->vcpus);
}

static int set_weight(struct parser *p, struct text v)
{
    return set_number(p, v, "weight", 1, 65535, &p->domain->weight);
}

static int set_cap(struct parser *p, struct text v)
{
    return set_number(p, v, "cap", 0, 100 * BOOT_MAX_CPUS, &p->domain->cap);
}

/* One piece of a list of CPUs: a number or a range, or `all`; with ^ before it, out of the set. */
static bool cpu_item(struct text item, uint64_t *set)
{
    bool out = item.n && item.at[0] == '^';
    uint64_t first = 0, last = BOOT_MAX_CPUS - 1, cpus;
    size_t dash = 0;

    if (out)
        item = (struct text){item.at + 1, item.n - 1};
    while (dash < item.n && item.at[dash] != '-')
        dash++;
    if (!is(item, "all")) {
        if (!number((struct text){item.at, dash}, &first))
            return false;
        last = first;
        if (dash < item.n && !number((struct text){item.at + dash + 1, item.n - dash - 1}, &last))
            return false;
    }
    if (first > last || last >= BOOT_MAX_CPUS)
        return false;
    cpus = ~0ull >> (BOOT_MAX_CPUS - 1 - (last - first)) << first;
    *set = out ? *set & ~cpus : *set | cpus;
    return true;
}

static int set_affinity(struct parser *p, struct text v)
{
    uint64_t set = 0;

    for (size_t at = 0, n; at <= v.n; at += n + 1) {
        for (n = 0; at + n < v.n && v.at[at + n] != ','; n++)
            ;
        if (!cpu_item(trim((struct text){v.at + at, n}), &set))
            return FAIL(p, "affinity: `%.*s` is not a list of CPUs from 0 to %u: 0-3,5,^2 or all",
                        PIECE(v), BOOT_MAX_CPUS - 1);
    }
    if (!set)
        return FAIL(p, "affinity: `%.*s` names no CPU", PIECE(v));
    p->domain->affinity = set;
    return 0;
}

struct key {
    const char *name;
    bool may_be_empty;
    int (*set)(struct parser *p, struct text value);
};

static const struct key global_keys[] = {
    {"console", false, set_console},
    {"loglevel", false, set_loglevel},
    {"debug_exit", false, set_debug_exit},
    {"on_end", false, set_on_end},
    {"cpus", false, set_cpus},
    {"tsc", false, set_tsc},
    {NULL, false, NULL},
};

static const struct key domain_keys[] = {
    {"kernel", false, set_kernel},
    {"ramdisk", false, set_ramdisk},
    {"cmdline", true, set_cmdline},
    {"memory", false, set_memory},
    {"vcpus", false, set_vcpus},
    {"weight", false, set_weight},
    {"cap", false, set_cap},
    {"affinity", false, set_affinity},
    {NULL, false, NULL},
};
#define SEEN_KERNEL 1u
#define SEEN_MEMORY 8u

/* Where the name of `name = value` ends; the length of the line when it is none. */
static size_t end_of_name(struct text line)
{
    size_t n = 0;

    while (n < line.n && line.at[n] != '=')
        n++;
    return n;
}

/* line: `name = value`, whose name ends at eq */
static int set_key(struct parser *p, const struct key *keys, struct text line, size_t eq)
{
    struct text name = trim((struct text){line.at, eq});
    struct text value = trim((struct text){line.at + eq + 1, line.n - eq - 1});
    char list[80];
    size_t n = 0;

    for (unsigned int i = 0; keys[i].name; i++) {
        if (is(name, keys[i].name)) {
            if (p->seen & (1u << i))
                return FAIL(p, "%s is given twice", keys[i].name);
            p->seen |= 1u << i;
            if (!value.n && !keys[i].may_be_empty)
                return FAIL(p, "%s has no value", keys[i].name);
            return keys[i].set(p, value);
        }
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", keys[i].name);
    }
    return FAIL(p, "unknown key `%.*s`; %s: %s", PIECE(name),
                p->domain ? "a domain has" : "before the first section there are", list);
}

/* A section ends: has it what it needs? */
static int close_section(struct parser *p)
{
    unsigned int line = p->line;

    if (!p->domain)
        return 0;
    p->line = p->section_line;
    if (!(p->seen & SEEN_KERNEL))
        return FAIL(p, "%s has no `kernel`", p->domain->name);
    if (!p->domain->is_control && !(p->seen & SEEN_MEMORY))
        return FAIL(p, "%s has no `memory`; only the control domain may leave it out",
                    p->domain->name);
    p->line = line;
    return 0;
}

static int name_section(struct parser *p, struct text title)
{
    struct boot_domain *d = p->domain;
    struct text name = title;

    if (is(title, "control")) {
        d->is_control = 1;
    } else {
        if (title.n < 7 || !is((struct text){title.at, 6}, "domain") || !blank(title.at[6]))
            return FAIL(p, "unknown section [%.*s]; there are [control] and [domain NAME]",
                        PIECE(title));
        name = trim((struct text){title.at + 7, title.n - 7});
    }
    for (size_t i = 0; i < name.n; i++) {
        if (blank(name.at[i]))
            return FAIL(p, "`%.*s` is not a name: it has a blank", PIECE(name));
    }
    for (unsigned int i = 0; i + 1 < p->bi->nr_domains; i++) {
        if (is(name, p->bi->domains[i].name))
            return FAIL(p, "there are two sections for `%.*s`", PIECE(name));
    }
    return copy(p, d->name, sizeof(d->name), name, "the domain's name");
}

static int open_section(struct parser *p, struct text line)
{
    if (line.at[line.n - 1] != ']')
        return FAIL(p, "`%.*s` lacks the closing ]", PIECE(line));
    if (close_section(p))
        return -1;
    if (p->bi->nr_domains >= BOOT_MAX_DOMAINS)
        return FAIL(p, "there are more than %u sections", BOOT_MAX_DOMAINS);
    p->domain = &p->bi->domains[p->bi->nr_domains++];
    *p->domain = (struct boot_domain){.kernel = -1, .ramdisk = -1};
    p->seen = 0;
    p->section_line = p->line;
    return name_section(p, trim((struct text){line.at + 1, line.n - 2}));
}

static struct text without_comment(struct text line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.at[i] == '#' && (i == 0 || blank(line.at[i - 1])))
            line.n = i;
    }
    return trim(line);
}

static int parse_line(struct parser *p, struct text raw)
{
    struct text line = without_comment(raw);
    size_t eq = end_of_name(line);

    for (size_t i = 0; i < line.n; i++) {
        if ((unsigned char)line.at[i] < ' ' && line.at[i] != '\t')
            return FAIL(p, "character %#x is not text", (unsigned int)line.at[i]);
    }
    if (!line.n)
        return 0;
    if (line.at[0] == '[')
        return open_section(p, line);
    if (eq == line.n)
        return FAIL(p, "`%.*s` is neither `key = value` nor a [section]", PIECE(line));
    return set_key(p, p->domain ? domain_keys : global_keys, line, eq);
}

/* Editors on other systems put these three bytes before UTF-8. */
static size_t byte_order_mark(const char *text, size_t size)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};

    return size >= sizeof(mark) && text[0] == mark[0] && text[1] == mark[1] && text[2] == mark[2]
               ? sizeof(mark)
               : 0;
}

int config_module(const struct boot_info *bi, const char *name)
{
    for (unsigned int i = 0; i < bi->nr_modules; i++)
        if (!strcmp(bi->modules[i].name, name))
            return (int)i;
    return -1;
}

void config_defaults(struct boot_info *bi)
{
    bi->console = 1;
    bi->loglevel = LOG_INFO;
}

int config_parse(struct boot_info *bi, const char *text, size_t size, config_find_fn find,
                 void *ctx, struct config_error *error)
{
    struct parser p = {
        .bi = bi, .file = "parvis.cfg", .find = find, .ctx = ctx, .error = error, .line = 1};

    for (size_t at = byte_order_mark(text, size); at < size; p.line++) {
        size_t n = 0;

        while (at + n < size && text[at + n] != '\n')
            n++;
        if (parse_line(&p, (struct text){text + at, n}))
            return -1;
        at += n + 1;
    }
    if (close_section(&p))
        return -1;
    if (!bi->nr_domains)
        return FAIL(&p,
                    "there is neither a [control] nor a [domain NAME] section: nothing to start");
    return 0;
}

int config_parse_cmdline(struct boot_info *bi, struct config_error *error)
{
    struct parser p = {.bi = bi, .file = "command line", .error = error, .line = 1};
    const char *at = bi->cmdline;

    for (; *at; p.line++) {
        struct text word = {at, 0};
        size_t eq;

        while (at[word.n] && !blank(at[word.n]))
            word.n++;
        at += word.n + (at[word.n] != 0);
        eq = end_of_name(word);
        if (eq < word.n && set_key(&p, global_keys, word, eq))
            return -1;
    }
    return 0;
}
