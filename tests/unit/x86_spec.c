/* SPDX-License-Identifier: MIT */
/*
 * Measures against speculation: which holes CPUs that there are have, what is done on each, and
 * what parvis.cfg changes of that (x86/spec_choice.c); and that code which is not for a machine is
 * overwritten so that what stands behind it runs next, and nothing else (x86/spec_sites.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <port/nospec.h>
#include <x86/speculation.h>

/* CPUID 7.0 EDX */
#define SRBDS     (1u << 9) /* there is a switch */
#define MD_CLEAR  (1u << 10)
#define IBRS_IBPB (1u << 26)
#define SSBD      (1u << 31)
#define MICROCODE (MD_CLEAR | IBRS_IBPB | SSBD) /* of 2019 */
/* CPUID 0x80000008 EBX */
#define AMD_IBPB   (1u << 12)
#define AMD_IBRS   (1u << 14)
#define AMD_SSBD   (1u << 24)
#define AMD_BTC_NO (1u << 29)
/* CPUID 0x80000021 EAX, ECX */
#define VERW_CLEAR  (1u << 5)
#define AUTO_IBRS   (1u << 8)
#define IBPB_BRTYPE (1u << 28)
#define SRSO_NO     (1u << 29)
#define TSA_NO      6u
/* MSR ARCH_CAPABILITIES */
#define RDCL_NO    1u
#define IBRS_ALL   2u
#define SSB_NO     0x10u
#define MDS_NO     0x20u
#define TAA_NO     0x100u
#define BHI_NO     0x100000u
#define GDS_CTRL   0x2000000u
#define GDS_NO     0x4000000u
#define RFDS_NO    0x8000000u
#define RFDS_CLEAR 0x10000000u
#define ITS_NO     (1ull << 62)
/* CPUID 7.2 EDX */
#define BHI_CTRL 0x10u

#define INTEL(number) .intel = true, .family = 6, .model = (number), .return_thunks = true
#define ZEN(number)                                                                                \
    .amd = true, .family = 0x17, .model = (number), .smep = true, .return_thunks = true

static const struct {
    const char *name;
    struct spec_cpu cpu;
    const char *affected, *open, *measures; /* words */
} cpus[] = {
    {"qemu64, emulated", {.emulated = true, .amd = true, .family = 15, .model = 107}, "", "", ""},
    {"EPYC, emulated", {.emulated = true, ZEN(1)}, "", "", ""},
    {"K8", /* as qemu64 is under KVM */
     {.amd = true, .family = 15, .model = 107},
     "spectre-v2 spectre-v2-guests return-stack ssb locks",
     "spectre-v2-guests ssb",
     "retpoline rsb lock-harden"},
    {"Zen 1",
     {ZEN(1), .e8_ebx = AMD_IBPB},
     "spectre-v2 spectre-v2-guests return-stack branch-type srso ssb div fp-dss locks",
     "ssb",
     "retpoline ibpb-entry rsb div-scrub fp-dss lock-harden"},
    {"Zen 1, microcode of its first year",
     {ZEN(1)},
     "spectre-v2 spectre-v2-guests return-stack branch-type srso ssb div fp-dss locks",
     "spectre-v2-guests branch-type srso ssb",
     "retpoline rsb div-scrub fp-dss lock-harden"},
    {"Dhyana",
     {.hygon = true, .family = 0x18, .model = 0, .smep = true, .e8_ebx = AMD_IBPB},
     "spectre-v2 spectre-v2-guests return-stack branch-type srso ssb div fp-dss locks",
     "ssb fp-dss", /* nobody says which bit it would be */
     "retpoline ibpb-entry rsb div-scrub lock-harden"},
    {"Zen 2",
     {ZEN(0x31), .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_SSBD},
     "spectre-v2 spectre-v2-guests return-stack branch-type srso ssb zenbleed op-cache locks",
     "ssb",
     "retpoline ibpb-entry rsb zenbleed op-cache lock-harden"},
    {"Zen 3",
     {.amd = true,
      .family = 0x19,
      .model = 1,
      .smep = true,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_SSBD | AMD_BTC_NO,
      .e21_eax = IBPB_BRTYPE | VERW_CLEAR},
     "spectre-v2 spectre-v2-guests return-stack srso ssb tsa locks",
     "ssb",
     "retpoline ibpb-entry rsb verw lock-harden"},
    {"Zen 3, old microcode",
     {.amd = true, .family = 0x19, .model = 1, .smep = true, .e8_ebx = AMD_IBPB | AMD_BTC_NO},
     "spectre-v2 spectre-v2-guests return-stack srso ssb tsa locks",
     "srso ssb tsa",
     "retpoline ibpb rsb lock-harden"},
    {"Zen 4",
     {.amd = true,
      .family = 0x19,
      .model = 0x11,
      .smep = true,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_SSBD | AMD_BTC_NO,
      .e21_eax = AUTO_IBRS | IBPB_BRTYPE | VERW_CLEAR},
     "spectre-v2 spectre-v2-guests return-stack srso ssb tsa locks",
     "ssb",
     "eibrs ibpb-entry rsb verw lock-harden"},
    {"Zen 5",
     {.amd = true,
      .family = 0x1a,
      .model = 2,
      .smep = true,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_SSBD | AMD_BTC_NO,
      .e21_eax = AUTO_IBRS | SRSO_NO,
      .e21_ecx = TSA_NO},
     "spectre-v2 spectre-v2-guests return-stack ssb locks",
     "ssb",
     "eibrs ibpb rsb lock-harden"},
    {"Bonnell", {INTEL(0x1c)}, "locks", "", "lock-harden"},
    {"Nehalem, as it left the factory",
     {INTEL(0x1a)},
     "meltdown spectre-v2 spectre-v2-guests return-stack ssb l1tf mds locks",
     "spectre-v2-guests ssb mds",
     "retpoline rsb pti pv-l1tf lock-harden"},
    {"Haswell",
     {INTEL(0x3c), .smep = true, .rtm = true, .l7_edx = MICROCODE | SRBDS},
     "meltdown spectre-v2 spectre-v2-guests ssb l1tf mds srbds locks",
     "ssb",
     "retpoline ibpb verw pti pv-l1tf srb-lock lock-harden"},
    {"Haswell, a server's",
     {INTEL(0x3f), .smep = true, .rtm = true, .l7_edx = MICROCODE},
     "meltdown spectre-v2 spectre-v2-guests ssb l1tf mds locks",
     "ssb",
     "retpoline ibpb verw pti pv-l1tf lock-harden"},
    {"Skylake",
     {INTEL(0x5e), .smep = true, .rtm = true, .l7_edx = MICROCODE | SRBDS, .arch_caps = GDS_CTRL},
     "meltdown spectre-v2 spectre-v2-guests ssb l1tf mds gds srbds locks",
     "ssb",
     "ibrs ibpb verw pti pv-l1tf gds-mit srb-lock lock-harden"},
    {"Skylake, old microcode",
     {INTEL(0x5e), .smep = true},
     "meltdown spectre-v2 spectre-v2-guests ssb l1tf mds gds srbds locks",
     "spectre-v2 spectre-v2-guests ssb mds gds srbds",
     "retpoline pti pv-l1tf lock-harden"},
    {"Cascade Lake",
     {INTEL(0x55), .smep = true, .rtm = true, .l7_edx = MICROCODE,
      .arch_caps = RDCL_NO | IBRS_ALL | MDS_NO | GDS_CTRL},
     "spectre-v2 spectre-v2-guests bhi its ssb mds gds locks", /* mds: TSX */
     "ssb",
     "eibrs ibpb bhb-entry its verw gds-mit lock-harden"},
    {"Ice Lake",
     {INTEL(0x6a), .smep = true, .rtm = true, .l7_edx = MICROCODE,
      .arch_caps = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO},
     "spectre-v2 spectre-v2-guests bhi its ssb gds locks",
     "ssb gds", /* its microcode is older than that */
     "eibrs ibpb bhb-entry its lock-harden"},
    {"Ice Lake, by a compiler without return thunks",
     {.intel = true,
      .family = 6,
      .model = 0x6a,
      .smep = true,
      .l7_edx = MICROCODE,
      .arch_caps = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | GDS_CTRL},
     "spectre-v2 spectre-v2-guests bhi its ssb gds locks",
     "its ssb",
     "eibrs ibpb bhb-entry gds-mit lock-harden"},
    {"Ice Lake, a guest that may move to where ITS is not",
     {INTEL(0x6a), .smep = true, .l7_edx = MICROCODE,
      .arch_caps = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | GDS_NO | ITS_NO},
     "spectre-v2 spectre-v2-guests bhi ssb locks",
     "ssb",
     "eibrs ibpb bhb-entry lock-harden"},
    {"Tremont",
     {INTEL(0x86), .smep = true, .l7_edx = MICROCODE,
      .arch_caps = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | RFDS_CLEAR},
     "spectre-v2 spectre-v2-guests bhi ssb mds locks",
     "ssb",
     "eibrs ibpb bhb-entry verw lock-harden"},
    {"Alder Lake",
     {INTEL(0x97), .smep = true, .l7_edx = MICROCODE, .l7_2_edx = BHI_CTRL,
      .arch_caps = RDCL_NO | IBRS_ALL | MDS_NO | TAA_NO | RFDS_CLEAR},
     "spectre-v2 spectre-v2-guests bhi ssb mds locks", /* mds: register files */
     "ssb",
     "eibrs ibpb bhi-dis-s verw lock-harden"},
    {"Sapphire Rapids, microcode without BHI_DIS_S",
     {INTEL(0x8f), .smep = true, .l7_edx = MICROCODE,
      .arch_caps = RDCL_NO | IBRS_ALL | SSB_NO | MDS_NO | TAA_NO},
     "spectre-v2 spectre-v2-guests bhi its locks",
     "bhi",
     "eibrs ibpb its lock-harden"},
    {"Goldmont",
     {INTEL(0x5c), .smep = true, .l7_edx = IBRS_IBPB | SSBD, .arch_caps = RDCL_NO | RFDS_NO},
     "spectre-v2 spectre-v2-guests return-stack ssb locks",
     "ssb",
     "retpoline ibpb rsb lock-harden"},
    {"what has no hole any more",
     {INTEL(0xcf), .smep = true, .l7_edx = MICROCODE, .l7_2_edx = BHI_CTRL,
      .arch_caps = RDCL_NO | IBRS_ALL | SSB_NO | MDS_NO | TAA_NO | BHI_NO},
     "spectre-v2 spectre-v2-guests locks",
     "",
     "eibrs ibpb lock-harden"},
    {"another maker's",
     {.family = 7},
     "spectre-v2 spectre-v2-guests return-stack ssb locks",
     "spectre-v2-guests ssb",
     "retpoline rsb lock-harden"},
};

static const struct spec_cpu *named(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(cpus); i++)
        if (!strcmp(cpus[i].name, name))
            return &cpus[i].cpu;
    fail_msg("%s is not listed", name);
    return NULL;
}

static void same(const char *name, uint32_t set, const char *(*word)(unsigned int),
                 const char *wanted)
{
    char text[512] = "";

    for (unsigned int i = 0; set >> i; i++)
        if (set >> i & 1)
            sprintf(text + strlen(text), "%s%s", *text ? " " : "", word(i));
    if (strcmp(text, wanted))
        fail_msg("%s: \"%s\", and not \"%s\"", name, text, wanted);
}

/* ---- the tests ---- */

static void each_cpu(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
        struct spec_choice s = spec_choose(&cpus[i].cpu, 0, 0);

        same(cpus[i].name, s.affected, spec_hole_word, cpus[i].affected);
        same(cpus[i].name, s.open, spec_hole_word, cpus[i].open);
        same(cpus[i].name, s.measures, spec_measure_word, cpus[i].measures);
        assert_int_equal(s.lacking, 0);
    }
}

/* On each CPU: each measure alone left out, and its hole is open if it was taken; asked for, and it
 * is taken where the CPU can; all left out; all left out but one. */
static void each_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
        const struct spec_cpu *c = &cpus[i].cpu;
        const struct spec_choice usual = spec_choose(c, 0, 0), none = spec_choose(c, ~0u, 0);

        assert_int_equal(none.measures, 0);
        assert_int_equal(none.open, usual.affected);
        for (unsigned int m = 0; m < NR_MEASURES; m++) {
            struct spec_choice without = spec_choose(c, 1u << m, 0),
                               with = spec_choose(c, 0, 1u << m),
                               alone = spec_choose(c, ~(1u << m), 1u << m);

            assert_int_equal(without.measures, usual.measures & ~(1u << m));
            assert_int_equal(without.affected, usual.affected);
            assert_int_equal(without.open & usual.open, usual.open);
            if (usual.measures >> m & 1 && m != MEASURE_RSB_FILL && m != MEASURE_RETPOLINE)
                assert_int_not_equal(without.open, usual.open);
            assert_int_equal(with.measures | with.lacking, usual.measures | 1u << m);
            assert_int_equal(with.measures & with.lacking, 0);
            assert_int_equal(alone.measures | alone.lacking, 1u << m);
        }
    }
}

/* What needs a register or a bit that a CPU has not is never taken on it: it would fault. */
static void what_is_not_there(void **state)
{
    const uint32_t need_microcode =
        MEASURE(IBRS) | MEASURE(EIBRS) | MEASURE(IBPB) | MEASURE(IBPB_ENTRY) | MEASURE(BHI_DIS) |
        MEASURE(SSBD) | MEASURE(FP_DIV) | MEASURE(OP_CACHE) | MEASURE(GDS_MIT) | MEASURE(SRB_LOCK);

    (void)state;
    assert_int_equal(
        spec_choose(named("Nehalem, as it left the factory"), 0, ~0u).measures & need_microcode, 0);
    assert_int_equal(spec_choose(named("qemu64, emulated"), 0, ~0u).measures & need_microcode, 0);
    same("Haswell", spec_choose(named("Haswell"), 0, MEASURE(BHI_DIS) | MEASURE(EIBRS)).lacking,
         spec_measure_word, "eibrs bhi-dis-s");
    same("Zen 1", spec_choose(named("Zen 1"), 0, MEASURE(ZENBLEED)).lacking, spec_measure_word,
         "zenbleed");
    same("Zen 2", spec_choose(named("Zen 2"), 0, MEASURE(FP_DIV) | MEASURE(OP_CACHE)).lacking,
         spec_measure_word, "fp-dss");
    same("K8", spec_choose(named("K8"), 0, MEASURE(ITS)).lacking, spec_measure_word, "its");
    assert_int_equal(spec_choose(named("Zen 2"), 0, MEASURE(SSBD)).open, 0);
}

static void what_spec_ctrl_holds(void **state)
{
    static const struct {
        const char *name;
        uint32_t on, value;
    } held[] = {
        {"Haswell", 0, 0},
        {"Haswell", MEASURE(SSBD), 4},
        {"Skylake", 0, 1},
        {"Cascade Lake", 0, 1},
        {"Cascade Lake", MEASURE(SSBD), 5},
        {"Alder Lake", 0, 0x401},
        {"Zen 2", MEASURE(SSBD), 4},
        {"Zen 4", 0, 0}, /* it is a bit of EFER */
        {"qemu64, emulated", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        const struct spec_cpu *c = named(held[i].name);

        assert_int_equal(spec_ctrl_of(c, spec_choose(c, 0, held[i].on).measures), held[i].value);
    }
}

/* ---- sites ---- */

#define CODE 400u
static uint8_t code[CODE];

/* What runs next behind an instruction at `at`, of those that may be written. */
static unsigned int behind(unsigned int at)
{
    static const uint8_t nop[] = {1, 0, 0, 4, 5, 0, 7, 8};
    int32_t far;

    switch (code[at]) {
    case 0xeb:
        return at + 2 + code[at + 1];
    case 0xe9:
        memcpy(&far, &code[at + 1], sizeof(far));
        return at + 5 + (unsigned int)far;
    case 0x90:
        return at + 1;
    case 0x66:
        return code[at + 1] == 0x90 ? at + 2 : behind(at + 1);
    default: /* 0f 1f /0, with no operand behind it, or one of 8 or 32 bits */
        assert_int_equal(code[at], 0x0f);
        assert_int_equal(code[at + 1], 0x1f);
        switch (code[at + 2]) {
        case 0x00:
            return at + 3;
        case 0x40:
            return at + nop[3];
        case 0x44:
            return at + nop[4];
        case 0x80:
            return at + nop[6];
        default:
            assert_int_equal(code[at + 2], 0x84);
            return at + nop[7];
        }
    }
}

static struct spec_site site(const struct spec_site *where, unsigned int at, unsigned int length,
                             uint32_t measures)
{
    return (struct spec_site){(int32_t)(code + at - (const uint8_t *)where), length, measures};
}

/* Alone, of each length: it is passed by one instruction, and what is around it is as it was. */
static void a_site_is_left_out(void **state)
{
    static struct spec_site s[1];

    (void)state;
    for (unsigned int n = 1; n <= 200; n += n < 12 ? 1 : 27) {
        memset(code, 0xcc, CODE);
        s[0] = site(&s[0], 7, n, 4);
        spec_patch(s, s + 1, 3);
        assert_int_equal(behind(7), 7 + n);
        assert_int_equal(code[6], 0xcc);
        assert_int_equal(code[7 + n], 0xcc);
    }
}

static void sites_that_stay(void **state)
{
    static struct spec_site s[2];

    (void)state;
    memset(code, 0xcc, CODE);
    s[0] = site(&s[0], 0, 20, 4 | 8);
    s[1] = site(&s[1], 30, 20, SITE_UNLESS | 2);
    spec_patch(s, s + 2, 8);
    for (unsigned int i = 0; i < 50; i++)
        assert_int_equal(code[i], 0xcc);
    spec_patch(s, s + 2, 2);
    assert_int_equal(behind(0), 20);
    assert_int_equal(behind(30), 50);
}

/* Three in one, which begins where the first does: with none of them it is one jump; else those
 * that stay do, and the others are passed. */
static void sites_in_sites(void **state)
{
    static struct spec_site s[4];

    (void)state;
    for (uint32_t measures = 0; measures < 8; measures++) {
        memset(code, 0xcc, CODE);
        s[0] = site(&s[0], 10, 100, 7);
        for (unsigned int i = 0; i < 3; i++)
            s[1 + i] = site(&s[1 + i], 10 + 30 * i, 30, 1u << i);
        spec_patch(s, s + 4, measures);
        if (!measures)
            assert_int_equal(behind(10), 110);
        for (unsigned int i = 0; i < 3 && measures; i++) {
            if (measures >> i & 1)
                assert_int_equal(code[10 + 30 * i], 0xcc);
            else
                assert_int_equal(behind(10 + 30 * i), 40 + 30 * i);
        }
        assert_int_equal(code[110], 0xcc);
    }
}

/* Of jumps to the thunk each, wherever it begins, and of all else nothing, becomes a return. */
static void returns_at_once(void **state)
{
    static const uint8_t stop[5] = {0xc3, 0xcc, 0xcc, 0xcc, 0xcc};
    const uint8_t *thunk = code + 300;

    (void)state;
    for (unsigned int at = 0; at + 5 <= CODE; at++) {
        int32_t behind = (int32_t)(300 - at - 5);

        for (unsigned int other = 0; other < 3; other++) {
            memset(code, 0x90, CODE);
            code[at] = other == 1 ? 0xe8 : 0xe9;
            behind += other == 2;
            memcpy(&code[at + 1], &behind, sizeof(behind));
            spec_return_at_once(code, code + CODE, thunk);
            if (other)
                assert_int_equal(code[at], other == 1 ? 0xe8 : 0xe9);
            else
                assert_memory_equal(&code[at], stop, sizeof(stop));
            for (unsigned int i = 0; i < CODE; i++)
                if (i < at || i >= at + 5)
                    assert_int_equal(code[i], 0x90);
        }
    }
}

/* ---- indices ---- */

static void indices_stay_below(void **state)
{
    static const uint64_t bounds[] = {1, 2, 64, 4096, 1ull << 32, 1ull << 63, UINT64_MAX};

    (void)state;
    assert_int_equal(index_nospec(0, 0), 0);
    assert_int_equal(index_nospec(UINT64_MAX, 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        uint64_t n = bounds[i];

        assert_int_equal(index_nospec(0, n), 0);
        assert_int_equal(index_nospec(n - 1, n), n - 1);
        assert_int_equal(index_nospec(n / 2, n), n / 2);
        assert_int_equal(index_nospec(n, n), 0);
        assert_int_equal(index_nospec(UINT64_MAX, n), 0);
        assert_int_equal(index_nospec(UINT64_MAX - 1, n), n == UINT64_MAX ? n - 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cpu),           cmocka_unit_test(each_option),
        cmocka_unit_test(what_is_not_there),  cmocka_unit_test(what_spec_ctrl_holds),
        cmocka_unit_test(a_site_is_left_out), cmocka_unit_test(sites_that_stay),
        cmocka_unit_test(sites_in_sites),     cmocka_unit_test(returns_at_once),
        cmocka_unit_test(indices_stay_below),
    };

    return cmocka_run_group_tests_name("x86_spec", tests, NULL, NULL);
}
