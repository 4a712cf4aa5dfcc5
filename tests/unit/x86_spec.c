/* SPDX-License-Identifier: MIT */
/*
 * Measures against speculation: which holes CPUs that there are have, what is done on each, and
 * what parvis.cfg changes of that (x86/spec_choice.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
#define AMD_STIBP  (1u << 15)
#define AMD_SSBD   (1u << 24)
#define AMD_BTC_NO (1u << 29)
/* CPUID 0x80000021 EAX, ECX */
#define VERW_CLEAR  (1u << 5)
#define AUTO_IBRS   (1u << 8)
#define IBPB_BRTYPE (1u << 28)
#define SRSO_NO     (1u << 29)
#define SRSO_US_NO  (1u << 30)
#define SRSO_FIX    (1u << 31)
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
     {ZEN(0x31), .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_STIBP | AMD_SSBD},
     "spectre-v2 spectre-v2-guests return-stack branch-type srso ssb zenbleed op-cache locks",
     "ssb",
     "retpoline ibpb-entry rsb stibp zenbleed op-cache lock-harden"},
    {"Zen 3", /* its microcode says nothing of itself in CPUID */
     {.amd = true,
      .family = 0x19,
      .model = 1,
      .smep = true,
      .sbpb = true,
      .ucode = 0x0a0011d7,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_STIBP | AMD_SSBD | AMD_BTC_NO},
     "spectre-v2 spectre-v2-guests return-stack srso ssb tsa locks",
     "ssb",
     "retpoline ibpb-entry rsb stibp verw lock-harden"},
    {"Zen 3, microcode before TSA",
     {.amd = true,
      .family = 0x19,
      .model = 1,
      .smep = true,
      .sbpb = true,
      .ucode = 0x0a0011d6,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_STIBP | AMD_SSBD | AMD_BTC_NO},
     "spectre-v2 spectre-v2-guests return-stack srso ssb tsa locks",
     "ssb tsa",
     "retpoline ibpb-entry rsb stibp lock-harden"},
    {"Zen 3, below another hypervisor",
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
      .e21_eax = AUTO_IBRS | IBPB_BRTYPE | SRSO_US_NO | SRSO_FIX,
      .e21_ecx = TSA_NO},
     "spectre-v2 spectre-v2-guests return-stack srso ssb locks",
     "ssb",
     "eibrs ibpb rsb bp-spec-reduce lock-harden"},
    {"Zen 5, below who does not give it BP_CFG",
     {.amd = true,
      .family = 0x1a,
      .model = 2,
      .smep = true,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_SSBD | AMD_BTC_NO,
      .e21_eax = AUTO_IBRS | IBPB_BRTYPE | SRSO_US_NO,
      .e21_ecx = TSA_NO},
     "spectre-v2 spectre-v2-guests return-stack srso ssb locks",
     "ssb",
     "eibrs ibpb-entry rsb lock-harden"},
    {"what AMD makes when SRSO is mended",
     {.amd = true,
      .family = 0x1b,
      .smep = true,
      .e8_ebx = AMD_IBPB | AMD_IBRS | AMD_SSBD | AMD_BTC_NO,
      .e21_eax = AUTO_IBRS | IBPB_BRTYPE | SRSO_NO,
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
    {"Goldmont Plus", /* its returns ask other predictors */
     {INTEL(0x7a), .smep = true, .l7_edx = IBRS_IBPB | SSBD, .arch_caps = RDCL_NO | RFDS_NO},
     "spectre-v2 spectre-v2-guests ssb locks",
     "ssb",
     "ibrs ibpb lock-harden"},
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
            if (usual.measures >> m & 1 && m != MEASURE_RSB_FILL && m != MEASURE_RETPOLINE &&
                m != MEASURE_STIBP)
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
    const uint32_t need_microcode = MEASURE(IBRS) | MEASURE(EIBRS) | MEASURE(IBPB) |
                                    MEASURE(IBPB_ENTRY) | MEASURE(BHI_DIS) | MEASURE(SSBD) |
                                    MEASURE(STIBP) | MEASURE(SPEC_REDUCE) | MEASURE(FP_DIV) |
                                    MEASURE(OP_CACHE) | MEASURE(GDS_MIT) | MEASURE(SRB_LOCK);

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
        {"Zen 2", MEASURE(SSBD), 6},
        {"Zen 4", 0, 0}, /* it is a bit of EFER */
        {"qemu64, emulated", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
        const struct spec_cpu *c = named(held[i].name);

        assert_int_equal(spec_ctrl_of(c, spec_choose(c, 0, held[i].on).measures), held[i].value);
    }
}

/* Of leaf 0x80000021: what AMD's microcode brought, and what is true for guests. */
static void what_guests_are_shown(void **state)
{
    static const struct {
        const char *name;
        uint32_t eax;
    } shown[] = {
        {"EPYC, emulated", 0},
        {"Zen 1", IBPB_BRTYPE},
        {"Zen 1, microcode of its first year", 0},
        {"Zen 3", VERW_CLEAR | IBPB_BRTYPE},
        {"Zen 3, microcode before TSA", IBPB_BRTYPE},
        {"Zen 3, old microcode", 0},
        {"Zen 5", IBPB_BRTYPE | SRSO_US_NO},
        {"Zen 5, below who does not give it BP_CFG", IBPB_BRTYPE},
        {"what AMD makes when SRSO is mended", IBPB_BRTYPE | SRSO_NO},
        {"Skylake", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        const struct spec_cpu *c = named(shown[i].name);

        if (spec_shown(c, spec_choose(c, 0, 0).measures) != shown[i].eax)
            fail_msg("%s: %#x", shown[i].name, spec_shown(c, spec_choose(c, 0, 0).measures));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cpu),
        cmocka_unit_test(each_option),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(what_spec_ctrl_holds),
        cmocka_unit_test(what_guests_are_shown),
    };

    return cmocka_run_group_tests_name("x86_spec", tests, NULL, NULL);
}
