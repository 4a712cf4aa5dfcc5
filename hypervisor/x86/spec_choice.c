/* SPDX-License-Identifier: MIT */
/*
 * Which holes a CPU has, which measures there are for them on it, and which are taken.
 *
 * A CPU says by bits what it is not affected by, and what it can do. Older ones say nothing: what
 * is known of them is in lists of models here. A model that is in no list counts as affected. The
 * facts: Intel's "Affected Processors" and "CPUID Enumeration and Architectural MSRs"; AMD's
 * "Software Techniques for Managing Speculation", its bulletins 1037, 1045, 7005, 7008, 7014, 7052,
 * 7053 and its technical guidance on transient scheduler attacks.
 *
 * Under another hypervisor these bits and numbers are what that one tells. QEMU's software
 * emulation is no CPU: its guests' branches, buffers and caches are not those of the machine
 * below, so there is nothing that a measure here would reach.
 *
 * Pure: no memory but what is passed.
 */
#include <x86/speculation.h>

#define BIT(word, n) ((word) >> (n)&1)

/* MSR ARCH_CAPABILITIES */
#define RDCL_NO    0
#define IBRS_ALL   1
#define RSBA       2
#define SSB_NO     4
#define MDS_NO     5
#define TAA_NO     8
#define BHI_NO     20
#define GDS_CTRL   25
#define GDS_NO     26
#define RFDS_NO    27
#define RFDS_CLEAR 28
#define ITS_NO     62

/* CPUID 0x80000021 EAX */
#define VERW_CLEAR          5
#define AUTO_IBRS           8
#define IBPB_BRTYPE         28
#define SRSO_NO             29
#define SRSO_USER_KERNEL_NO 30
#define SRSO_MSR_FIX        31

static bool is_one_of(unsigned int model, const uint8_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == model)
            return true;
    return false;
}
#define IS_ONE_OF(c, list)                                                                         \
    ((c)->intel && (c)->family == 6 && is_one_of((c)->model, list, ARRAY_SIZE(list)))

/* Family 6 in order: Bonnell, Saltwell. They do not speculate. */
static const uint8_t in_order[] = {0x1c, 0x26, 0x27, 0x35, 0x36};
/* Silvermont and Airmont; Knights Landing and Mill; Goldmont and Goldmont Plus; Tremont. */
static const uint8_t small_cores[] = {0x37, 0x4a, 0x4d, 0x5a, 0x4c, 0x75, 0x57, 0x85,
                                      0x5c, 0x5f, 0x7a, 0x86, 0x8a, 0x96, 0x9c};
/* Of them those from Goldmont on, whose buffers are cleared. */
static const uint8_t newer_small_cores[] = {0x5c, 0x5f, 0x7a, 0x86, 0x8a, 0x96, 0x9c};
/* Register files of Goldmont to Gracemont, alone or beside big cores. */
static const uint8_t leaky_files[] = {0x5c, 0x5f, 0x7a, 0x86, 0x8a, 0x96, 0x9c,
                                      0x97, 0x9a, 0xb7, 0xba, 0xbf, 0xbe};
/* Their return stacks keep a part of an address: Silvermont to Goldmont, Knights Mill. */
static const uint8_t narrow_stacks[] = {0x37, 0x4a, 0x4c, 0x4d, 0x5a, 0x5c,
                                        0x5d, 0x5f, 0x65, 0x6e, 0x75, 0x85};
/* An empty return stack asks the predictor of indirect branches: Skylake and what followed, and
 * Goldmont Plus. */
static const uint8_t alternate_returns[] = {0x4e, 0x5e, 0x55, 0x8e, 0x9e,
                                            0x66, 0x67, 0xa5, 0xa6, 0x7a};

/* Skylake to Rocket Lake: what a gather reads ahead. */
static const uint8_t leaky_gathers[] = {0x4e, 0x5e, 0x55, 0x8e, 0x9e, 0x66, 0xa5,
                                        0xa6, 0x6a, 0x6c, 0x7e, 0x8c, 0x8d, 0xa7};
/* Ivy Bridge to Kaby Lake, but for servers: one buffer of random numbers for all cores. */
static const uint8_t leaky_randoms[] = {0x3a, 0x3c, 0x45, 0x46, 0x3d, 0x47, 0x4e, 0x5e, 0x8e, 0x9e};
/* Golden Cove, Gracemont and what followed: they remember more branches. */
static const uint8_t long_histories[] = {0x97, 0x9a, 0xb7, 0xba, 0xbf, 0xbe, 0x8f, 0xcf};

static bool is_zen(const struct spec_cpu *c)
{
    return (c->amd && c->family == 0x17) || (c->hygon && c->family == 0x18);
}

/* Zen and Zen+; else Zen 2. */
static bool is_zen_1(const struct spec_cpu *c)
{
    return is_zen(c) && (c->hygon || c->model < 0x30);
}

static bool is_zen_2(const struct spec_cpu *c)
{
    return is_zen(c) && !is_zen_1(c);
}

/* From which revision on VERW clears in AMD's family 19h, by model and stepping: all but the last
 * byte. The microcode does not say so in CPUID. */
static const uint32_t clearing_ucode[] = {
    0x0a0011d7, 0x0a00123b, 0x0a00820d, 0x0a10114c, 0x0a10124c, 0x0a108109, 0x0a20102e, 0x0a201211,
    0x0a404108, 0x0a500012, 0x0a60120a, 0x0a704108, 0x0a705208, 0x0a708008, 0x0a70c008, 0x0aa00216};

/* The register SPEC_CTRL has a bit against branch history. */
static bool has_bhi_ctrl(const struct spec_cpu *c)
{
    return BIT(c->l7_edx, 26) && BIT(c->l7_2_edx, 4);
}

static uint32_t of_intel(const struct spec_cpu *c)
{
    uint64_t caps = c->arch_caps;
    bool small = IS_ONE_OF(c, small_cores);
    uint32_t holes = HOLE(BTI) | HOLE(BTI_GUESTS);

    if (IS_ONE_OF(c, in_order))
        return 0;
    if (!BIT(caps, RDCL_NO))
        holes |= HOLE(MELTDOWN) | (small ? 0 : HOLE(L1TF));
    if (!c->smep || IS_ONE_OF(c, narrow_stacks))
        holes |= HOLE(RSB);
    if (BIT(caps, IBRS_ALL) && !BIT(caps, BHI_NO))
        holes |= HOLE(BHI);
    if (BIT(caps, IBRS_ALL) && !BIT(caps, ITS_NO) && !small && !has_bhi_ctrl(c))
        holes |= HOLE(ITS);
    if (!BIT(caps, SSB_NO))
        holes |= HOLE(SSB);
    if ((!BIT(caps, MDS_NO) && !IS_ONE_OF(c, newer_small_cores)) ||
        (c->rtm && !BIT(caps, TAA_NO)) || (IS_ONE_OF(c, leaky_files) && !BIT(caps, RFDS_NO)))
        holes |= HOLE(MDS);
    if (IS_ONE_OF(c, leaky_gathers) && !BIT(caps, GDS_NO))
        holes |= HOLE(GDS);
    if (BIT(c->l7_edx, 9) || (IS_ONE_OF(c, leaky_randoms) && !BIT(caps, MDS_NO)))
        holes |= HOLE(SRBDS);
    return holes;
}

static uint32_t of_amd(const struct spec_cpu *c)
{
    bool zen_3_or_4 = c->amd && c->family == 0x19;
    /* Return stacks of AMD's are of no width that one could rely on; and a fully virtualized guest
     * may put there what it likes. */
    uint32_t holes = HOLE(BTI) | HOLE(BTI_GUESTS) | HOLE(RSB);

    if (!BIT(c->e8_ebx, 26))
        holes |= HOLE(SSB);
    if ((is_zen(c) || (c->amd && (c->family == 0x15 || c->family == 0x16))) && !BIT(c->e8_ebx, 29))
        holes |= HOLE(BTC);
    if ((is_zen(c) || (c->amd && c->family >= 0x19)) && !BIT(c->e21_eax, SRSO_NO))
        holes |= HOLE(SRSO);
    if (zen_3_or_4 && (c->e21_ecx & 6) != 6)
        holes |= HOLE(TSA);
    if (is_zen_2(c))
        holes |= HOLE(ZENBLEED) | HOLE(OP_CACHE);
    if (is_zen_1(c))
        holes |= HOLE(DIV) | HOLE(FP_DIV);
    return holes;
}

static uint32_t holes_of(const struct spec_cpu *c)
{
    uint32_t others = HOLE(BTI) | HOLE(BTI_GUESTS) | HOLE(RSB) | HOLE(SSB);

    if (c->emulated)
        return 0;
    return HOLE(LOCKS) | (c->intel ? of_intel(c) : c->amd || c->hygon ? of_amd(c) : others);
}

/* What this CPU can do at all. */
static uint32_t measures_of(const struct spec_cpu *c)
{
    bool intels = BIT(c->l7_edx, 26), ibpb = intels || BIT(c->e8_ebx, 12);
    uint32_t can = MEASURE(RETPOLINE) | MEASURE(RSB_FILL) | MEASURE(VERW) | MEASURE(L1TF) |
                   MEASURE(PTI) | MEASURE(DIV_SCRUB) | MEASURE(LOCK) | MEASURE(BHB_ENTRY);

    if (intels || BIT(c->e8_ebx, 14))
        can |= MEASURE(IBRS);
    if ((intels && BIT(c->arch_caps, IBRS_ALL)) || BIT(c->e21_eax, AUTO_IBRS))
        can |= MEASURE(EIBRS);
    if (ibpb)
        can |= MEASURE(IBPB) | MEASURE(IBPB_ENTRY);
    if (has_bhi_ctrl(c))
        can |= MEASURE(BHI_DIS);
    if (c->return_thunks)
        can |= MEASURE(ITS);
    if (BIT(c->arch_caps, GDS_CTRL))
        can |= MEASURE(GDS_MIT);
    if (c->intel && BIT(c->l7_edx, 9))
        can |= MEASURE(SRB_LOCK);
    if (BIT(c->l7_edx, 31) || BIT(c->e8_ebx, 24))
        can |= MEASURE(SSBD);
    if (BIT(c->l7_edx, 27) || BIT(c->e8_ebx, 15))
        can |= MEASURE(STIBP);
    if (BIT(c->e21_eax, SRSO_MSR_FIX))
        can |= MEASURE(SPEC_REDUCE);
    if (is_zen_2(c))
        can |= MEASURE(ZENBLEED) | MEASURE(OP_CACHE);
    if (is_zen_1(c) && c->amd)
        can |= MEASURE(FP_DIV);
    return can;
}

/* Clears VERW what it is to clear? Without new microcode it is an instruction as ever. */
static bool verw_clears(const struct spec_cpu *c)
{
    if (c->intel)
        return BIT(c->l7_edx, 10) || BIT(c->arch_caps, RFDS_CLEAR);
    for (unsigned int i = 0; c->amd && i < ARRAY_SIZE(clearing_ucode); i++)
        if (c->ucode >> 8 == clearing_ucode[i] >> 8 && c->ucode >= clearing_ucode[i])
            return true;
    return BIT(c->e21_eax, VERW_CLEAR);
}

/* Does a barrier forget what kind of branch stands where? Zen 1 and 2 do; Zen 3 and 4 by microcode,
 * which brought another barrier too; later ones say so. */
static bool barrier_forgets_types(const struct spec_cpu *c)
{
    return is_zen(c) || c->family == 0x15 || c->family == 0x16 || c->sbpb ||
           BIT(c->e21_eax, IBPB_BRTYPE);
}

/* A return may be predicted as an indirect branch is: then a retpoline is not enough. */
static bool returns_are_branches(const struct spec_cpu *c)
{
    return c->intel && (BIT(c->arch_caps, RSBA) || IS_ONE_OF(c, alternate_returns));
}

/* Which holes a measure closes on this CPU. */
static uint32_t closes(const struct spec_cpu *c, unsigned int measure)
{
    switch (measure) {
    case MEASURE_IBRS:
    case MEASURE_EIBRS:
        return HOLE(BTI);
    case MEASURE_RETPOLINE:
        return returns_are_branches(c) ? 0 : HOLE(BTI);
    case MEASURE_IBPB:
        return HOLE(BTI_GUESTS);
    case MEASURE_IBPB_ENTRY:
        return HOLE(BTI_GUESTS) | (barrier_forgets_types(c) ? HOLE(BTC) | HOLE(SRSO) : 0);
    case MEASURE_RSB_FILL:
        return HOLE(RSB);
    case MEASURE_BHI_DIS:
        return HOLE(BHI);
    case MEASURE_BHB_ENTRY:
        return IS_ONE_OF(c, long_histories) ? 0 : HOLE(BHI);
    case MEASURE_ITS:
        return HOLE(ITS);
    case MEASURE_VERW:
        return verw_clears(c) ? HOLE(MDS) | HOLE(TSA) : 0;
    case MEASURE_PTI:
        return HOLE(MELTDOWN);
    case MEASURE_L1TF:
        return HOLE(L1TF);
    case MEASURE_DIV_SCRUB:
        return HOLE(DIV);
    case MEASURE_ZENBLEED:
        return HOLE(ZENBLEED);
    case MEASURE_FP_DIV:
        return HOLE(FP_DIV);
    case MEASURE_OP_CACHE:
        return HOLE(OP_CACHE);
    case MEASURE_SPEC_REDUCE: /* between a guest's kernel mode and ours; else it is no hole there */
        return BIT(c->e21_eax, SRSO_USER_KERNEL_NO) ? HOLE(SRSO) : 0;
    case MEASURE_GDS_MIT:
        return HOLE(GDS);
    case MEASURE_SRB_LOCK:
        return HOLE(SRBDS);
    case MEASURE_LOCK:
        return HOLE(LOCKS);
    case MEASURE_SSBD:
        return HOLE(SSB);
    default:
        return 0;
    }
}

/* Of the three that close one hole, the one for this CPU. */
static uint32_t against_targets(const struct spec_cpu *c, uint32_t can)
{
    if (can & MEASURE(EIBRS))
        return MEASURE(EIBRS);
    return returns_are_branches(c) && (can & MEASURE(IBRS)) ? MEASURE(IBRS) : MEASURE(RETPOLINE);
}

/* Without a word of parvis.cfg: what closes a hole that the CPU has. */
static uint32_t by_default(const struct spec_cpu *c, uint32_t holes, uint32_t can)
{
    const uint32_t targets = MEASURE(IBRS) | MEASURE(EIBRS) | MEASURE(RETPOLINE);
    uint32_t wanted = 0, left = holes & (HOLE(BTC) | HOLE(SRSO));

    for (unsigned int m = 0; m < NR_MEASURES; m++)
        if (can >> m & 1 && closes(c, m) & holes)
            wanted |= 1u << m;
    wanted &= ~targets;
    if (holes & HOLE(BTI))
        wanted |= against_targets(c, can);
    if (wanted & MEASURE(BHI_DIS))
        wanted &= ~MEASURE(BHB_ENTRY);
    /* Closes no hole whole, see HOLE(THREADS), and costs AMD's CPUs next to nothing. */
    if (holes && !c->intel)
        wanted |= can & MEASURE(STIBP);
    if (wanted & MEASURE(SPEC_REDUCE))
        left &= ~HOLE(SRSO);
    /* A barrier at each entry is one at each switch, and dear: only where nothing else helps. */
    if (closes(c, MEASURE_IBPB_ENTRY) & left)
        wanted &= ~MEASURE(IBPB);
    else
        wanted &= ~MEASURE(IBPB_ENTRY);
    /* Dear too, and between parts of one guest; the hypervisor's own code runs none of a guest's.
     */
    return wanted & ~MEASURE(SSBD);
}

struct spec_choice spec_choose(const struct spec_cpu *c, uint32_t off, uint32_t on)
{
    uint32_t can = measures_of(c), holes = holes_of(c);
    struct spec_choice s = {
        .off = off, .on = on, .affected = holes, .open = holes, .can = can, .lacking = on & ~can};

    s.measures = (by_default(c, holes, can) & ~off) | (on & can);
    for (unsigned int m = 0; m < NR_MEASURES; m++)
        if (s.measures >> m & 1)
            s.open &= ~closes(c, m);
    return s;
}

uint32_t spec_ctrl_of(const struct spec_cpu *c, uint32_t measures)
{
    bool once = measures & MEASURE(EIBRS) && c->intel; /* AMD's is a bit of EFER */

    return (measures & MEASURE(IBRS) || once ? SPEC_CTRL_IBRS : 0) |
           (measures & MEASURE(SSBD) ? SPEC_CTRL_SSBD : 0) |
           (measures & MEASURE(STIBP) ? SPEC_CTRL_STIBP : 0) |
           (measures & MEASURE(BHI_DIS) ? SPEC_CTRL_BHI : 0);
}

/* XSA-434: for a paravirtual guest's kernel and programs, all in ring 3, there is no boundary but
 * with SPEC_REDUCE. */
uint32_t spec_shown(const struct spec_cpu *c, uint32_t measures)
{
    return (verw_clears(c) && !c->intel ? 1u << VERW_CLEAR : 0) |
           (barrier_forgets_types(c) && measures_of(c) & MEASURE(IBPB) ? 1u << IBPB_BRTYPE : 0) |
           (c->e21_eax & 1u << SRSO_NO) |
           (measures & MEASURE(SPEC_REDUCE) ? c->e21_eax & 1u << SRSO_USER_KERNEL_NO : 0);
}
