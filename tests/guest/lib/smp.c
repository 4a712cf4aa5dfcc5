/* SPDX-License-Identifier: MIT */
/*
 * Tests on several vCPUs: one function on all of them at once.
 */
#include "test.h"

static void (*function)(unsigned int vcpu);
static unsigned int arrived;

static void meet(unsigned int all)
{
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < all)
        test_rest();
}

static void begin(void *all)
{
    meet((unsigned int)(uintptr_t)all);
    function(this_cpu()->id);
}

unsigned int test_vcpus(void)
{
    unsigned int n = 1;

    while (n < MAX_VCPUS && HYPERVISOR_vcpu_op(VCPUOP_is_up, n, NULL) != -XEN_ENOENT)
        n++;
    return n;
}

bool test_on_all(void (*fn)(unsigned int vcpu))
{
    unsigned int all = test_vcpus();

    function = fn;
    arrived = 0;
    for (unsigned int v = 1; v < all; v++)
        if (smp_start(v, begin, (void *)(uintptr_t)all)) {
            test_error("vCPU %u does not start", v);
            return false;
        }
    meet(all);
    fn(0);
    for (unsigned int v = 1; v < all; v++)
        while (HYPERVISOR_vcpu_op(VCPUOP_is_up, v, NULL))
            test_rest();
    return true;
}

unsigned int test_physical_cpu(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ebx >> 24;
}

uint32_t test_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}
