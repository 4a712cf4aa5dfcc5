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
#include <parvis/speculation.h>
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
    config_find_fn *find;
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

/* A key: what takes its value, and where that goes in what the section is kept in. */
struct key {
    const char *name;
    int (*set)(struct parser *p, const struct key *k, struct text value);
    size_t field;
    uint32_t least, most; /* a number's; of a word: what the first of them means */
    const char *words[5]; /* to choose from; the last is NULL */
    bool may_be_empty;
};

static void *field(const struct parser *p, const struct key *k)
{
    return (p->domain ? (char *)p->domain : (char *)p->bi) + k->field;
}

static int set_word(struct parser *p, const struct key *k, struct text v)
{
    char list[64];
    size_t n = 0;

    for (uint32_t i = 0; k->words[i]; i++) {
        if (is(v, k->words[i])) {
            *(uint32_t *)field(p, k) = k->least + i;
            return 0;
        }
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", k->words[i]);
    }
    return FAIL(p, "%s: `%.*s` is not one of: %s", k->name, PIECE(v), list);
}

static int set_number(struct parser *p, const struct key *k, struct text v)
{
    uint64_t n;

    if (!number(v, &n) || n < k->least || n > k->most)
        return FAIL(p, "%s: `%.*s` is not a number from %u to %u", k->name, PIECE(v), k->least,
                    k->most);
    *(uint32_t *)field(p, k) = (uint32_t)n;
    return 0;
}

static int set_port(struct parser *p, const struct key *k, struct text v)
{
    uint64_t port;

    if (!number(v, &port) || port > 0xffff)
        return FAIL(p, "%s: `%.*s` is not an I/O port (0 to 0xffff)", k->name, PIECE(v));
    *(uint32_t *)field(p, k) = (uint32_t)port;
    return 0;
}

static int set_file(struct parser *p, const struct key *k, struct text v)
{
    char name[MAX_WORD];
    int index;

    for (size_t i = 0; i < v.n; i++) {
        if (v.at[i] == '/' || v.at[i] == '\\' || blank(v.at[i]))
            return FAIL(p, "%s: `%.*s` is not a file name (no folders, no blanks)", k->name,
                        PIECE(v));
    }
    if (copy(p, name, sizeof(name), v, k->name))
        return -1;
    index = p->find(p->bi, name);
    if (index < 0)
        return FAIL(p, "%s: there is no file `%s`, or it cannot be read", k->name, name);
    *(int32_t *)field(p, k) = index;
    return 0;
}

static int set_cmdline(struct parser *p, const struct key *k, struct text v)
{
    return copy(p, field(p, k), sizeof(p->domain->cmdline), v, k->name);
}

static int set_memory(struct parser *p, const struct key *k, struct text v)
{
    if (!memory_size(v, field(p, k)))
        return FAIL(p, "%s: `%.*s` is not a size: a number and K, M or G, whole pages of 4K",
                    k->name, PIECE(v));
    return 0;
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

static int set_affinity(struct parser *p, const struct key *k, struct text v)
{
    uint64_t set = 0;

    for (size_t at = 0, n; at <= v.n; at += n + 1) {
        for (n = 0; at + n < v.n && v.at[at + n] != ','; n++)
            ;
        if (!cpu_item(trim((struct text){v.at + at, n}), &set))
            return FAIL(p, "%s: `%.*s` is not a list of CPUs from 0 to %u: 0-3,5,^2 or all",
                        k->name, PIECE(v), BOOT_MAX_CPUS - 1);
    }
    if (!set)
        return FAIL(p, "%s: `%.*s` names no CPU", k->name, PIECE(v));
    *(uint64_t *)field(p, k) = set;
    return 0;
}

#define AND_WORD(name, word) ", " word
#define SPEC_ITEMS           "yes, no" SPEC_MEASURES(AND_WORD) ", or one of these behind no-"

/* One piece of spec-ctrl: yes, no, or a measure's name, with no- before it to leave it out. Later
 * ones win. */
static bool spec_item(struct text item, struct boot_info *bi)
{
    bool out = item.n > 3 && is((struct text){item.at, 3}, "no-");
    uint32_t bits = 0;

    if (out)
        item = (struct text){item.at + 3, item.n - 3};
    for (unsigned int i = 0; i < NR_MEASURES; i++)
        if (is(item, spec_measure_word(i)))
            bits = 1u << i;
    if (!bits && !out && (is(item, "yes") || is(item, "no"))) {
        bi->spec_off = is(item, "no") ? ~0u : 0;
        bi->spec_on = 0;
        return true;
    }
    bi->spec_off = out ? bi->spec_off | bits : bi->spec_off & ~bits;
    bi->spec_on = out ? bi->spec_on & ~bits : bi->spec_on | bits;
    return bits;
}

static int set_spec_ctrl(struct parser *p, const struct key *k, struct text v)
{
    for (size_t at = 0, n; at <= v.n; at += n + 1) {
        struct text item;

        for (n = 0; at + n < v.n && v.at[at + n] != ','; n++)
            ;
        item = trim((struct text){v.at + at, n});
        if (!spec_item(item, p->bi))
            return FAIL(p, "%s: `%.*s` is not one of: " SPEC_ITEMS, k->name, PIECE(item));
    }
    return 0;
}

#define AT(section, member) .field = offsetof(struct boot_##section, member)
/* clang-format off */
static const struct key global_keys[] = {
    {"console",    set_word,     AT(info, console),     .least = 1, .words = {"com1", "com2"}},
    {"loglevel",   set_word,     AT(info, loglevel),    .least = LOG_ERROR, .words = {"error", "warning", "info", "debug"}},
    {"debug_exit", set_port,     AT(info, debug_exit)},
    {"on_end",     set_word,     AT(info, halt_on_end), .words = {"poweroff", "halt"}},
    {"cpus",       set_number,   AT(info, cpus),        .least = 1, .most = BOOT_MAX_CPUS},
    {"smt",        set_word,     AT(info, no_smt),      .words = {"yes", "no"}},
    {"tsc",        set_word,     AT(info, tsc_stable),  .words = {"auto", "stable"}},
    {"spec-ctrl",  set_spec_ctrl, AT(info, spec_on)},
    {.name = NULL},
};

static const struct key domain_keys[] = {
    {"kernel",     set_file,     AT(domain, kernel)},
    {"ramdisk",    set_file,     AT(domain, ramdisk)},
    {"cmdline",    set_cmdline,  AT(domain, cmdline),   .may_be_empty = true},
    {"memory",     set_memory,   AT(domain, memory)},
    {"vcpus",      set_number,   AT(domain, vcpus),     .least = 1, .most = MAX_VCPUS_PER_DOMAIN},
    {"weight",     set_number,   AT(domain, weight),    .least = 1, .most = 65535},
    {"cap",        set_number,   AT(domain, cap),       .least = 0, .most = 100 * BOOT_MAX_CPUS},
    {"affinity",   set_affinity, AT(domain, affinity)},
    {"kind",       set_word,     AT(domain, kind),      .words = {"pv", "hvm", "pvh"}},
    {.name = NULL},
};
/* clang-format on */
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
            return keys[i].set(p, &keys[i], value);
        }
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", keys[i].name);
    }
    return FAIL(p, "unknown key `%.*s`; %s: %s%s", PIECE(name),
                p->domain ? "a domain has" : "before the first section there are", list,
                p->domain ? "; those of the hypervisor belong above the sections" : "");
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
    if (p->domain->is_control && p->domain->kind)
        return FAIL(p, "the control domain can be of no kind but pv");
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

int config_module(struct boot_info *bi, const char *name)
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

int config_parse(struct boot_info *bi, const char *text, size_t size, config_find_fn *find,
                 struct config_error *error)
{
    struct parser p = {.bi = bi, .file = "parvis.cfg", .find = find, .error = error, .line = 1};

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
