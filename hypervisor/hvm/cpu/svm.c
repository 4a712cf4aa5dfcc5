/* SPDX-License-Identifier: MIT */
/*
 * SVM on this machine: whether it is there, each CPU's part of it, and the switch of vCPUs.
 *
 * The general registers are in struct vcpu, the FPU is switched by x86/ for every kind; what is
 * left are the debug registers that no VMCB has, and flushes. All guests' translations bear one
 * ASID; a run flushes them when another vCPU ran before, or the hypervisor flushed its own
 * meanwhile (core/base/tlb.c): so what a CPU has promised to forget is forgotten before any guest
 * runs.
 */
#include <core/base/log.h>
#include <core/base/tlb.h>
#include <hv/fpu_area.h>
#include <hvm/cpu.h>
#include <hvm/hvm.h>
#include <hvm/vmcb.h>
#include <port/current.h>
#include <port/machine.h>
#include <x86/insn.h>
#include <x86/regs.h>
#include <x86/x86.h>
#include <xen/sysctl.h>

#define MSR_VM_CR       0xc0010114
#define VM_CR_SVMDIS    (1u << 4)
#define MSR_VM_HSAVE_PA 0xc0010117

#define IOPM_ORDER  2 /* three pages: 64 Ki ports, and three beyond */
#define MSRPM_ORDER 1

static const char *lacks = "its CPUs were not asked yet";
static uint32_t capabilities;
static uint64_t host_address[NR_CPUS]; /* where VMSAVE wrote what the machine itself has */
static uint8_t *iopm, *msrpm;

const char *hvm_cpu_lacks(void)
{
    return lacks;
}

uint32_t hvm_cpu_capabilities(void)
{
    return capabilities;
}

/* Of QEMU's first CPU others undo what VMRUN and #VMEXIT did, where its CPUs are threads: "QEMU's
 * first CPU" in docs/architecture.md. */
uint64_t hvm_cpu_affinity(void)
{
    return cpu_has.tcg && machine_nr_cpus() > 1 ? ~1ull : ~0ull;
}

uint64_t hvm_cpu_iopm(void)
{
    return frame_of(iopm).n << PAGE_SHIFT;
}

uint64_t hvm_cpu_msrpm(void)
{
    return frame_of(msrpm).n << PAGE_SHIFT;
}

/* The guest has this MSR for itself: it is in the VMCB. Two bits each: read, write. */
static void open_msr(uint32_t msr)
{
    uint32_t bit = (msr & 0x1fff) * 2 + (msr >= 0xc0000000 ? 0x800 * 8 : 0);

    msrpm[bit / 8] &= (uint8_t) ~(3u << bit % 8);
}

static bool make_maps(void)
{
    static const uint32_t open[] = {
        MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_STAR,    MSR_LSTAR,
        MSR_CSTAR,       MSR_SFMASK,       MSR_FS_BASE,      MSR_GS_BASE, MSR_KERNEL_GS_BASE,
    };

    iopm = alloc_hv_pages(IOPM_ORDER);
    msrpm = alloc_hv_pages(MSRPM_ORDER);
    if (!iopm || !msrpm)
        return false;
    memset(iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
    memset(msrpm, 0xff, PAGE_SIZE << MSRPM_ORDER);
    for (unsigned int i = 0; i < ARRAY_SIZE(open); i++)
        open_msr(open[i]);
    return true;
}

/* AMD's revision guide 41322, erratum 383: tables that map an address by pages of two sizes, which
 * a guest writes as it likes, can be a machine check, and that is the machine's end. Family 10h. */
static bool has_erratum_383(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    return (r[0] & 0xff00f00) == 0x100f00;
}

static const char *look(void)
{
    uint64_t vm_cr;

    if (!cpu_has.svm)
        return "its CPUs have no SVM (AMD-V)";
    if (!machine_rdmsr_safe(MSR_VM_CR, &vm_cr) || (vm_cr & VM_CR_SVMDIS))
        return "SVM (AMD-V) is switched off in the firmware";
    capabilities = XEN_SYSCTL_PHYSCAP_hvm;
    if (!cpu_has.nested_paging)
        return "its CPUs have no nested paging";
    if (has_erratum_383())
        return "its CPUs (AMD's family 10h) let a guest end the machine: erratum 383";
    capabilities |= XEN_SYSCTL_PHYSCAP_hap;
    return make_maps() ? NULL : "no memory was left for the permission maps";
}

/* This CPU's host save area, and what VMLOAD is to bring back. */
static bool enable(void)
{
    void *area = alloc_hv_pages(0), *host = alloc_hv_pages(0);

    if (!area || !host) {
        free_hv_pages(area, 0);
        free_hv_pages(host, 0);
        return false;
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, frame_of(area).n << PAGE_SHIFT);
    host_address[this_cpu()->id] = frame_of(host).n << PAGE_SHIFT;
    __asm__ volatile("vmsave %0" : : "a"(host_address[this_cpu()->id]) : "memory");
    return true;
}

void hvm_cpu_init(void)
{
    if (this_cpu()->id == 0)
        lacks = look();
    if (!lacks && !enable())
        panic("no memory for the host save area of CPU %u", this_cpu()->id);
}

uint64_t hvm_cpu_xcr0(void)
{
    uint32_t lo, hi;

    if (!cpu_has.xsave)
        return 0;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    this_cpu()->arch.xcr0 = (uint64_t)hi << 32 | lo;
    return this_cpu()->arch.xcr0;
}

void hvm_cpu_write_dr(unsigned int n, uint64_t value)
{
    static void (*const write[])(uint64_t) = {write_dr0, write_dr1, write_dr2, write_dr3};

    write[n](value);
}

/* An interrupt is on its way when the guest is entered. */
void hvm_cpu_leave_at_once(void)
{
    apic_send_ipi(this_cpu()->arch.apic_id, VECTOR_KICK);
}

void hvm_cpu_load(struct vcpu *v)
{
    struct hvm_vcpu *h = &v->arch.hvm;

    load_cr3(hv_l4_phys);
    /* The end of a run loads these again by the machine's GDT, and a fault is then the machine's
     * end: so not the selectors that a paravirtual guest left. */
    (void)load_ds_safe(0);
    (void)load_es_safe(0);
    h->host_address = host_address[this_cpu()->id];
    h->flushes = this_cpu()->arch.flushes - 1;
    write_dr0(h->debugreg[0]);
    write_dr1(h->debugreg[1]);
    write_dr2(h->debugreg[2]);
    write_dr3(h->debugreg[3]);
}

void hvm_cpu_save(struct vcpu *v)
{
    struct hvm_vcpu *h = &v->arch.hvm;

    h->debugreg[0] = read_dr0();
    h->debugreg[1] = read_dr1();
    h->debugreg[2] = read_dr2();
    h->debugreg[3] = read_dr3();
    /* The guest's is in the VMCB. Bits that it set would stay for the next. */
    write_dr6(X86_DR6_DEFAULT);
}
