/* SPDX-License-Identifier: MIT */
/*
 * A CPU policy: all that CPUID answers, as a list of leaves, which tools read, change and give to a
 * new domain (core/control/cpu_policy_op.c). A domain that was given none has none: its kind
 * answers by itself. What differs from vCPU to vCPU, and while it runs, is the kind's affair in
 * either case and stands in no list.
 *
 * Nothing depends on a policy but what a guest is told. So a tool may write what it likes as name,
 * model or sizes of caches; but a feature that is told must be there, and so must a leaf.
 */
#include <core/base/log.h>
#include <core/domain/cpu_policy.h>
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/errno.h>

/* ABI: what a tool's list has room for. */
#define LAST_BASIC    0xdu
#define EXTENDED      0x80000000u
#define LAST_EXTENDED 0x80000021u
#define XENS          0x40000000u
#define XENS_OTHER    0x40000100u

_Static_assert(sizeof(struct cpu_leaf) == sizeof(struct xen_cpuid_leaf) &&
                   offsetof(struct cpu_leaf, reg) == offsetof(struct xen_cpuid_leaf, a),
               "the same");

enum { eax, ebx, ecx, edx };

/* Where each word of a featureset stands; leaf 0: nowhere. */
static const struct {
    uint32_t leaf, sub;
    unsigned int reg;
} words[CPU_POLICY_WORDS] = {
#define ROW(word, leaf, sub, reg) [word] = {leaf, sub, reg},
    XEN_X86_FEATURESET_TABLE(ROW)};

/* How many sub-leaves of it have places; 0: it is one leaf, whatever ECX is. */
static unsigned int sub_leaves(uint32_t leaf)
{
    switch (leaf) {
    case 4: /* caches */
        return 6;
    case 7: /* features */
        return 3;
    case 0xb: /* topology */
        return 2;
    case 0xd: /* parts of XSAVE's area */
        return 63;
    default:
        return 0;
    }
}

bool cpu_policy_has_place(uint32_t leaf, uint32_t sub)
{
    unsigned int n = sub_leaves(leaf);

    if (leaf > LAST_BASIC && leaf != XENS && leaf != XENS_OTHER &&
        leaf - EXTENDED > LAST_EXTENDED - EXTENDED)
        return false;
    return n ? sub < n : sub == XEN_CPUID_NO_SUBLEAF;
}

static bool is_empty(const struct cpu_leaf *l)
{
    return !(l->reg[eax] | l->reg[ebx] | l->reg[ecx] | l->reg[edx]);
}

static void add(struct cpu_policy *p, cpuid_fn_t *ask, uint32_t leaf, uint32_t sub)
{
    struct cpu_leaf *l = &p->leaf[p->nr];

    l->leaf = leaf;
    l->sub = sub;
    ask(leaf, sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub, l->reg);
    p->nr += !(leaf == 0xd && sub > 1 && is_empty(l)); /* the others are told empty too */
}

/* ABI: a tool's list has them, and as many entries as it got must do for what it gives back. What
 * stands there is the hypervisor's affair (core/guest/cpuid.c). */
static void add_xens(struct cpu_policy *p)
{
    const uint32_t leaf[] = {XENS, XENS_OTHER};

    for (unsigned int i = 0; i < ARRAY_SIZE(leaf); i++)
        p->leaf[p->nr++] = (struct cpu_leaf){.leaf = leaf[i], .sub = XEN_CPUID_NO_SUBLEAF};
}

/* CPUs answer something beyond their last leaf too, which means nothing. */
static void add_range(struct cpu_policy *p, cpuid_fn_t *ask, uint32_t first, uint32_t last)
{
    uint32_t out[4], n;

    ask(first, 0, out);
    for (uint32_t leaf = first; leaf <= MIN(out[eax], last); leaf++) {
        n = sub_leaves(leaf);
        if (!n)
            add(p, ask, leaf, XEN_CPUID_NO_SUBLEAF);
        for (uint32_t sub = 0; sub < n; sub++)
            add(p, ask, leaf, sub);
    }
}

void cpu_policy_fill(struct cpu_policy *p, cpuid_fn_t *ask)
{
    p->nr = 0;
    add_range(p, ask, 0, LAST_BASIC);
    add_xens(p);
    add_range(p, ask, EXTENDED, LAST_EXTENDED);
}

const struct cpu_leaf *cpu_policy_find(const struct cpu_policy *p, uint32_t leaf, uint32_t sub)
{
    for (unsigned int i = 0; i < p->nr; i++)
        if (p->leaf[i].leaf == leaf &&
            (p->leaf[i].sub == sub || p->leaf[i].sub == XEN_CPUID_NO_SUBLEAF))
            return &p->leaf[i];
    return NULL;
}

uint32_t cpu_policy_word(const struct cpu_policy *p, unsigned int n)
{
    const struct cpu_leaf *l =
        words[n].leaf ? cpu_policy_find(p, words[n].leaf, words[n].sub) : NULL;

    return l ? l->reg[words[n].reg] : 0;
}

/* Bits of a word that a tool sets as the machine has them; whether a guest is told of threads and
 * cores its kind decides. */
static uint32_t topology(unsigned int word)
{
    return word == XEN_X86_FEATURE_HTT / 32          ? 1u << XEN_X86_FEATURE_HTT % 32
           : word == XEN_X86_FEATURE_CMP_LEGACY / 32 ? 1u << XEN_X86_FEATURE_CMP_LEGACY % 32
                                                     : 0;
}

static bool stands_in(unsigned int word, const struct cpu_leaf *l)
{
    return words[word].leaf && words[word].leaf == l->leaf &&
           (l->sub == XEN_CPUID_NO_SUBLEAF || l->sub == words[word].sub);
}

/* Takes those features of new into to that stand in this word and that base has. */
static int take_word(struct cpu_leaf *to, const struct cpu_leaf *base, const struct cpu_leaf *new,
                     unsigned int word)
{
    unsigned int reg = words[word].reg;
    uint32_t more = new->reg[reg] & ~base->reg[reg] & ~topology(word);

    if (more)
        return refused(-XEN_EINVAL, "features %#x of word %u are not there", more, word);
    to->reg[reg] = new->reg[reg] & base->reg[reg];
    return 0;
}

/* EAX is the number of the last leaf, or sub-leaf. */
static bool tells_last(const struct cpu_leaf *l)
{
    return l->leaf == 0 || l->leaf == EXTENDED || (l->leaf == 7 && l->sub == 0);
}

int cpu_policy_set(struct cpu_policy *p, const struct cpu_policy *base, const struct cpu_leaf *new)
{
    const struct cpu_leaf *most = cpu_policy_find(base, new->leaf, new->sub);
    struct cpu_leaf l = *new;
    int rc = 0;

    if (!cpu_policy_has_place(new->leaf, new->sub))
        return refused(-XEN_ERANGE, "leaf %#x, sub-leaf %#x has no place in a list", new->leaf,
                       new->sub);
    if (new->leaf == XENS || new->leaf == XENS_OTHER)
        return 0;
    if (!most || is_empty(most))
        return is_empty(new) ? 0
                             : refused(-XEN_EINVAL, "leaf %#x, sub-leaf %#x is empty here",
                                       new->leaf, new->sub);
    if (tells_last(new) && new->reg[eax] > most->reg[eax])
        return refused(-XEN_EINVAL, "leaf %#x says that %#x is the last; it is %#x", new->leaf,
                       new->reg[eax], most->reg[eax]);
    for (unsigned int i = 0; i < CPU_POLICY_WORDS && !rc; i++)
        if (stands_in(i, new))
            rc = take_word(&l, most, new, i);
    if (!rc)
        p->leaf[most - base->leaf] = l; /* p has the same leaves */
    return rc;
}
