/* SPDX-License-Identifier: MIT */
/*
 * Measures against speculation on this machine: what is found out at the start, what each CPU sets,
 * and the barrier between domains.
 *
 * What is chosen, and why, is for spec_choice.c to say; what stands in the ways in and out of the
 * hypervisor is in entry.inc, and spec_sites.c makes it fit the machine. All CPUs do what the boot
 * CPU does: one that cannot is left out.
 *
 * The hypervisor's predictors are kept from a guest's training by IBRS or retpolines; the guests'
 * from each other's by a barrier (IBPB) whenever a CPU goes to another vCPU than ran there last,
 * however long it idled in between. XSA-479: to another of the same domain too, and to one that was
 * elsewhere meanwhile: its kernel's own barriers, which keep its programs apart, were not here. Who
 * ran here last, a CPU notes; and a vCPU, where it did, so that one which lies where a dead one lay
 * is not taken for it.
 *
 * A guest's kernel may have loads of some of its programs wait for older stores (SSBD, a bit of MSR
 * SPEC_CTRL). The hypervisor runs with what its guest has, which is slow but right, so that the
 * register is written when vCPUs change alone; and where IBRS is written at each entry, with that.
 */
#include <core/base/log.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>
#include <parvis/boot_info.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

#include "insn.h"
#include "regs.h"
#include "speculation.h"
#include "x86.h"

uint32_t spec_ctrl_inside, spec_ctrl_outside; /* MSR SPEC_CTRL; where it is written at each entry */
const uint16_t data_selector = HV_DS;         /* what VERW is asked about */
uint64_t absent_frame_bits;
bool isolating;

static struct spec_cpu boot_cpu;
static struct spec_choice choice;
static unsigned int second_threads, threads_left_alone;

extern const uint8_t __x86_return_thunk[];
void fill_return_stack(void);

/* What AMD's microcode brought and does not say in CPUID, is found out; another hypervisor says. */
static void read_ucode(struct spec_cpu *c)
{
    uint64_t revision;

    if (!c->amd || cpu_has.below_hypervisor || c->family < 0x17)
        return;
    if (rdmsr_safe(MSR_UCODE_REV, &revision))
        c->ucode = (uint32_t)revision;
    c->sbpb = c->family >= 0x19 && wrmsr_safe(MSR_PRED_CMD, PRED_CMD_SBPB);
}

static void read_cpu(struct spec_cpu *c)
{
    uint32_t r[4], max, signature;

    cpuid(0, 0, r);
    max = r[0];
    c->intel = !memcmp(&r[1], "GenuntelineI", 12);
    c->amd = !memcmp(&r[1], "AuthcAMDenti", 12);
    c->hygon = !memcmp(&r[1], "HygouinenGen", 12);
    cpuid(1, 0, r);
    signature = r[0];
    c->family = signature >> 8 & 0xf;
    c->model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);
    if (c->family == 0xf)
        c->family += signature >> 20 & 0xff;
    c->emulated = cpu_has.tcg;
    c->return_thunks = RETURN_THUNKS;
    if (max >= 7) {
        cpuid(7, 0, r);
        c->smep = r[1] >> 7 & 1;
        c->rtm = r[1] >> 11 & 1;
        c->l7_edx = r[3];
        if (r[0] >= 2) {
            cpuid(7, 2, r);
            c->l7_2_edx = r[3];
        }
    }
    if (c->l7_edx >> 29 & 1)
        (void)rdmsr_safe(MSR_ARCH_CAPABILITIES, &c->arch_caps);
    cpuid(0x80000000, 0, r);
    max = r[0];
    if (max >= 0x80000008) {
        cpuid(0x80000008, 0, r);
        c->e8_ebx = r[1];
    }
    if (max >= 0x80000021) {
        cpuid(0x80000021, 0, r);
        c->e21_eax = r[0];
        c->e21_ecx = r[2];
    }
    read_ucode(c);
}

/* Their words, with blanks between. */
static const char *words_of(uint32_t set, const char *(*word)(unsigned int), char *text,
                            size_t size)
{
    size_t n = 0;

    if (!set)
        return "nothing";
    for (unsigned int i = 0; set >> i; i++)
        if (set >> i & 1)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " " : "", word(i));
    return text;
}

static void report(void)
{
#define AND_WORD(name, word) " " word
    char holes[sizeof(SPEC_HOLES(AND_WORD))], measures[sizeof(SPEC_MEASURES(AND_WORD))];
#undef AND_WORD

    log_info("speculation: these CPUs have %s%s; chosen: %s",
             words_of(choice.affected, spec_hole_word, holes, sizeof(holes)),
             cpu_has.tcg ? " (QEMU's emulation)" : "",
             !(choice.off | choice.on) ? "default"
             : ~choice.off             ? "by spec-ctrl"
                                       : "spec-ctrl = no");
    log_info("speculation: measures: %s; open: %s",
             words_of(choice.measures, spec_measure_word, measures, sizeof(measures)),
             words_of(choice.open, spec_hole_word, holes, sizeof(holes)));
    if (choice.lacking)
        log_warning("spec-ctrl: these CPUs cannot do what is asked for: %s",
                    words_of(choice.lacking, spec_measure_word, measures, sizeof(measures)));
}

void init_speculation(const struct boot_info *bi)
{
    extern struct spec_site spec_sites_start[], spec_sites_end[];

    boot_cpu = (struct spec_cpu){0};
    read_cpu(&boot_cpu);
    choice = spec_choose(&boot_cpu, bi->spec_off, bi->spec_on);
    spec_ctrl_inside = spec_ctrl_of(&boot_cpu, choice.measures);
    spec_ctrl_outside =
        choice.measures & MEASURE(IBRS) ? spec_ctrl_inside & ~SPEC_CTRL_IBRS : spec_ctrl_inside;
    isolating = choice.measures & MEASURE(PTI);
    if (choice.measures & MEASURE(L1TF))
        absent_frame_bits = PTE_FRAME_MASK & ((1ull << cpu_has.phys_bits) - 1);
    spec_patch(spec_sites_start, spec_sites_end, choice.measures);
    if (!(choice.measures & MEASURE(ITS)))
        spec_return_at_once((uint8_t *)image_start, (uint8_t *)text_end, __x86_return_thunk);
    start_speculation();
    report();
}

static void change_for(uint32_t measure, uint32_t msr, uint64_t set, uint64_t clear)
{
    uint64_t v;

    if (choice.measures & measure && rdmsr_safe(msr, &v))
        (void)wrmsr_safe(msr, (v & ~clear) | set);
}

void start_speculation(void)
{
    this_cpu()->arch.spec_ctrl = spec_ctrl_inside;
    if (spec_ctrl_inside)
        wrmsr(MSR_SPEC_CTRL, spec_ctrl_inside);
    if (choice.measures & MEASURE(EIBRS) && cpu_has.is_amd)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AIBRSE);
    change_for(MEASURE(ZENBLEED), MSR_AMD_DE_CFG, DE_CFG_ZENBLEED, 0);
    change_for(MEASURE(FP_DIV), MSR_AMD_FP_CFG, FP_CFG_DIVIDER, 0);
    change_for(MEASURE(OP_CACHE), MSR_AMD_BP_CFG, BP_CFG_OP_CACHE, 0);
    change_for(MEASURE(SPEC_REDUCE), MSR_AMD_BP_CFG, BP_CFG_SPEC_REDUCE, 0);
    change_for(MEASURE(GDS_MIT), MSR_MCU_OPT_CTRL, 0, MCU_OPT_GDS_OFF);
    change_for(MEASURE(SRB_LOCK), MSR_MCU_OPT_CTRL, 0, MCU_OPT_RNGDS_OFF);
}

/* No measure helps: it would have to be taken at each moment. */
void threads_run(unsigned int nr, unsigned int left_alone)
{
    second_threads = nr;
    threads_left_alone = left_alone;
    if (!nr || cpu_has.tcg)
        return;
    choice.affected |= HOLE(THREADS);
    choice.open |= HOLE(THREADS);
    log_warning("speculation: %u CPUs are second threads of a core: guests on both learn of each "
                "other what measures clear (smt = no leaves such CPUs alone)",
                nr);
}

const char *missing_measure(void)
{
    struct spec_cpu c = {0};

    read_cpu(&c);
    return spec_choose(&c, 0, choice.measures).lacking ? "a measure against speculation" : NULL;
}

static void load_spec_ctrl(const struct vcpu *v)
{
    uint32_t wanted = spec_ctrl_inside | v->arch.spec_ctrl, *now = &this_cpu()->arch.spec_ctrl;

    if (*now == wanted)
        return;
    *now = wanted;
    (void)wrmsr_safe(MSR_SPEC_CTRL, wanted); /* not each CPU need have what is no measure */
}

void spec_switch(struct vcpu *v)
{
    struct cpu *c = this_cpu();

    load_spec_ctrl(v);
    if (!(choice.measures & MEASURE(IBPB)))
        return;
    if (c->arch.trained_by == v && v->arch.trained == c)
        return;
    c->arch.trained_by = v;
    v->arch.trained = c;
    wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    fill_return_stack(); /* XSA-422: AMD's barrier leaves it alone */
}

static bool has_ibpb(void)
{
    return choice.can & MEASURE(IBPB);
}

bool machine_pred_cmd(uint64_t value)
{
    if (!has_ibpb() || value & ~(uint64_t)PRED_CMD_IBPB)
        return false;
    if (value)
        (void)wrmsr_safe(MSR_PRED_CMD, value); /* not each CPU need have what is no measure */
    return true;
}

/* AMD's bits, by either maker: Intel's would promise more of MSR SPEC_CTRL. */
#define E8_EBX_NO   (1u << 26 | 1u << 29) /* neither SSB nor BTC */
#define E8_EBX_IBPB (1u << 12)
#define E8_EBX_SSBD (1u << 24)
#define E21_ECX_NO  6u /* no TSA */

void machine_cpuid_speculation(uint32_t leaf, uint32_t out[4])
{
    if (leaf == 0x80000008) {
        out[1] = (boot_cpu.e8_ebx & E8_EBX_NO) | (has_ibpb() ? E8_EBX_IBPB : 0) |
                 (machine_has_ssbd() ? E8_EBX_SSBD : 0);
        return;
    }
    out[0] = spec_shown(&boot_cpu, choice.measures);
    out[1] = out[3] = 0;
    out[2] = boot_cpu.e21_ecx & E21_ECX_NO;
}

bool machine_has_ssbd(void)
{
    return choice.can & MEASURE(SSBD);
}

bool machine_spec_ctrl(struct vcpu *v, uint64_t value)
{
    if (!machine_has_ssbd() || value & ~(uint64_t)SPEC_CTRL_SSBD)
        return false;
    v->arch.spec_ctrl = (uint32_t)value;
    load_spec_ctrl(v);
    return true;
}

void machine_speculation(struct parvis_sysctl_speculation *out)
{
    *out = (struct parvis_sysctl_speculation){
        .affected = choice.affected,
        .open = choice.open,
        .measures = choice.measures,
        .off = choice.off,
        .on = choice.on,
        .second_threads = second_threads,
        .threads_left_alone = threads_left_alone,
    };
}
