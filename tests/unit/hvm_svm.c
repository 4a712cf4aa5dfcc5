/* SPDX-License-Identifier: MIT */
/*
 * What hvm/cpu/svm.c finds out about the machine: whether guests can be fully virtualized there,
 * what is said where they cannot, and which CPUs are theirs. The instructions of SVM themselves no
 * test here carries out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <core/base/tlb.h>
#include <hvm/cpu.h>
#include <hvm/hvm.h>
#include <port/current.h>
#include <port/machine.h>
#include <x86/x86.h>
#include <xen/sysctl.h>

static struct cpu boot;
static unsigned int nr_cpus;
static uint64_t vm_cr;
static bool has_vm_cr;
static uint32_t family;

struct cpu_features cpu_has;
uint64_t hv_l4_phys;
struct tlb_clock tlb_clock_line;

/* ---- the machine ---- */

struct cpu *this_cpu(void)
{
    return &boot;
}

unsigned int machine_nr_cpus(void)
{
    return nr_cpus;
}

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    assert_int_equal(msr, 0xc0010114);
    *value = vm_cr;
    return has_vm_cr;
}

void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    assert_int_equal(leaf, 1);
    assert_int_equal(sub, 0);
    memset(out, 0, 4 * sizeof(*out));
    out[0] = family;
}

void *alloc_hv_pages(unsigned int order)
{
    (void)order;
    return NULL; /* so that it goes no further */
}

/* ---- what is not reached ---- */

void free_hv_pages(void *at, unsigned int order)
{
    (void)order;
    assert_null(at);
}

mfn_t frame_of(const void *mapped)
{
    fail_msg("which frame is %p?", mapped);
    return INVALID_MFN;
}

uint64_t rdmsr(uint32_t msr)
{
    fail_msg("reads MSR %#x", msr);
    return 0;
}

void wrmsr(uint32_t msr, uint64_t value)
{
    fail_msg("writes %#lx to MSR %#x", (unsigned long)value, msr);
}

void write_dr6(uint64_t value)
{
    fail_msg("writes %#lx to DR6", (unsigned long)value);
}

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    fail_msg("loads CR3 %#lx, %d", (unsigned long)cr3, keep_global);
}

void apic_send_ipi(uint32_t id, uint32_t what)
{
    fail_msg("sends %#x to %u", what, id);
}

void panic(const char *fmt, ...)
{
    fail_msg("panic: %s", fmt);
    abort();
}

/* ---- the tests ---- */

static int setup(void **state)
{
    (void)state;
    memset(&cpu_has, 0, sizeof(cpu_has));
    nr_cpus = 1;
    vm_cr = 0;
    has_vm_cr = true;
    family = 0x00800f12;
    cpu_has.svm = cpu_has.nested_paging = true;
    return 0;
}

static void lacks(const char *what, uint32_t capabilities)
{
    hvm_cpu_init();
    assert_non_null(hvm_cpu_lacks());
    if (!strstr(hvm_cpu_lacks(), what))
        fail_msg("it says: %s", hvm_cpu_lacks());
    assert_int_equal(hvm_cpu_capabilities() & ~capabilities, 0);
}

static void machines_that_cannot(void **state)
{
    (void)state;
    cpu_has.svm = false;
    lacks("no SVM", 0);
    cpu_has.svm = true;
    has_vm_cr = false;
    lacks("switched off in the firmware", 0);
    has_vm_cr = true;
    vm_cr = 1 << 4;
    lacks("switched off in the firmware", 0);
    vm_cr = 0;
    cpu_has.nested_paging = false;
    lacks("no nested paging", XEN_SYSCTL_PHYSCAP_hvm);
    cpu_has.nested_paging = true;
    family = 0x00100f53;
    lacks("erratum 383", XEN_SYSCTL_PHYSCAP_hvm);
    family = 0x00600f20; /* the next that there is */
    lacks("no memory", XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap);
}

/* QEMU's first CPU is not theirs, unless it is the only one. */
static void cpus_that_are_theirs(void **state)
{
    (void)state;
    for (nr_cpus = 1; nr_cpus <= NR_CPUS; nr_cpus++)
        for (unsigned int tcg = 0; tcg < 2; tcg++) {
            cpu_has.tcg = tcg;
            assert_true(hvm_cpu_affinity() == (tcg && nr_cpus > 1 ? ~1ull : ~0ull));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(machines_that_cannot, setup),
        cmocka_unit_test_setup(cpus_that_are_theirs, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
