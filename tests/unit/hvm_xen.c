/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized guest that is told of Xen (profile pvh): the leaves of CPUID, the page of
 * stubs, hypercalls by VMMCALL with arguments in its own memory, areas for times. And each of them
 * refused: to a guest of profile hvm, from user mode and 32-bit code, with addresses that are none.
 */
#include "hvm_whole.h"

#include <core/guest/cpuid.h>
#include <core/sched/vcpu_time.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/features.h>
#include <xen/hvm/hvm_op.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define INJ       b->control.event_inj
#define PLACE     0x3000ull /* in the guest's memory, which is at its own addresses */
#define ENTRY(va) ((uint64_t *)whole_memory((WHOLE_PAGES - 1) * PAGE_SIZE) + ((va) >> 21))

static int setup(void **state)
{
    whole_setup(state);
    whole_told_of_xen();
    return 0;
}

/* --- leaves --- */

static void leaves(void **state)
{
    uint32_t out[4];

    (void)state;
    hvm_cpuid(v, 0x40000000, 0, out);
    assert_memory_equal(&out[1], "XenVMMXenVMM", 12);
    assert_true(out[0] >= 0x40000004 && out[0] < 0x40000100);
    hvm_cpuid(v, 0x40000002, 0, out);
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], MSR_HYPERCALL_PAGE);
    hvm_cpuid(d->vcpu[1], 0x40000004, 0, out);
    assert_int_equal(out[0], XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT);
    assert_int_equal(out[1], 1);
    assert_int_equal(out[2], d->domain_id);
    for (uint32_t leaf = 0x40000006; leaf < 0x40000200; leaf++) {
        hvm_cpuid(v, leaf, 0, out);
        assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
    }
    hvm_cpuid(v, 1, 0, out);
    assert_true(out[2] >> 21 & 1 && out[2] >> 31 & 1); /* x2APIC, a hypervisor */
}

/* --- the page of stubs --- */

static void hypercall_page(void **state)
{
    const uint8_t *page = whole_memory(0x5000);
    uint64_t value = 1;

    (void)state;
    assert_true(hvm_wrmsr(v, MSR_HYPERCALL_PAGE, 0x5000));
    for (uint32_t nr = 0; nr < 128; nr++) {
        const uint8_t stub[] = {0xb8, (uint8_t)nr, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3, 0xcc};

        assert_memory_equal(page + nr * 32, stub, sizeof(stub));
    }
    assert_true(hvm_rdmsr(v, MSR_HYPERCALL_PAGE, &value));
    assert_int_equal(value, 0);
}

static void no_hypercall_page(void **state)
{
    static const uint64_t where[] = {0x5001,     0x5fff,     WHOLE_PAGES * PAGE_SIZE,
                                     0xfee00000, 1ull << 40, ~0ull << 12};
    uint64_t value;

    (void)state;
    memset(whole_memory(0x5000), 7, PAGE_SIZE);
    for (unsigned int i = 0; i < ARRAY_SIZE(where); i++)
        assert_false(hvm_wrmsr(v, MSR_HYPERCALL_PAGE, where[i]));
    d->arch.hvm.xen = false;
    assert_false(hvm_wrmsr(v, MSR_HYPERCALL_PAGE, 0x5000));
    assert_false(hvm_rdmsr(v, MSR_HYPERCALL_PAGE, &value));
    assert_int_equal(*(uint8_t *)whole_memory(0x5000), 7);
}

/* --- VMMCALL --- */

static void calls(void **state)
{
    (void)state;
    assert_int_equal(whole_vmmcall(__HYPERVISOR_xen_version, XENVER_version, 0, 0), 4 << 16 | 17);
    v->regs.rax = 0xffffffff00000000ull | __HYPERVISOR_xen_version; /* EAX counts */
    v->regs.rdi = XENVER_version;
    whole_exit(EXIT_VMMCALL, 0, 0);
    assert_int_equal(v->regs.rax, 4 << 16 | 17);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_mmu_update, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_iret, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(63, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(64, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(64 + __HYPERVISOR_xen_version, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(~0u, 0, 0, 0), -XEN_ENOSYS);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_domctl, PLACE, 0, 0), -XEN_EPERM);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_sysctl, PLACE, 0, 0), -XEN_EPERM);
}

static void from_elsewhere(void **state)
{
    (void)state;
    for (b->save.cpl = 1; b->save.cpl < 4; b->save.cpl++)
        assert_int_equal(whole_vmmcall(__HYPERVISOR_xen_version, 0, 0, 0), -XEN_EPERM);
    b->save.cpl = 0;
    b->save.cs.attributes = 0xc9b; /* compatibility mode */
    assert_int_equal(whole_vmmcall(__HYPERVISOR_xen_version, 0, 0, 0), -XEN_EPERM);
    b->save.cs.attributes = 0xa9b;
    b->save.efer &= ~EFER_LMA;
    assert_int_equal(whole_vmmcall(__HYPERVISOR_xen_version, 0, 0, 0), -XEN_EPERM);
}

static void who_is_not_told(void **state)
{
    uint64_t rip = v->regs.rip;

    (void)state;
    d->arch.hvm.xen = false;
    whole_registers(__HYPERVISOR_xen_version, 0, 0, 0);
    whole_exit(EXIT_VMMCALL, 0, 0);
    assert_int_equal(whole_exception(), TRAP_invalid_op);
    assert_int_equal(v->regs.rip, rip);
    assert_int_equal(v->regs.rax, __HYPERVISOR_xen_version);
}

static long features_at(gva_t at)
{
    return whole_vmmcall(__HYPERVISOR_xen_version, XENVER_get_features, at, 0);
}

static void arguments(void **state)
{
    struct xen_feature_info info = {.submap_idx = 0};

    (void)state;
    assert_int_equal(whole_vmmcall_at(PLACE, __HYPERVISOR_xen_version, XENVER_get_features, &info),
                     0);
    assert_true(info.submap & 1u << XENFEAT_hvm_callback_vector);
    assert_true(info.submap & 1u << XENFEAT_auto_translated_physmap);
    assert_false(info.submap & 1u << XENFEAT_dom0);
    /* Across pages; and what its user mode could not reach. */
    memset(whole_memory(PLACE + PAGE_SIZE - 4), 0, 4);
    memset(whole_memory(PLACE + PAGE_SIZE), 0, 4);
    assert_int_equal(features_at(PLACE + PAGE_SIZE - 4), 0);
    assert_int_equal(*(uint32_t *)whole_memory(PLACE + PAGE_SIZE), info.submap);
    *ENTRY(PLACE) &= ~(uint64_t)PTE_USER;
    assert_int_equal(features_at(PLACE), 0);
}

static void arguments_that_are_nowhere(void **state)
{
    static const gva_t where[] = {
        0x40000000,              /* no page of its tables */
        WHOLE_PAGES * PAGE_SIZE, /* a page, and no memory */
        0xfffULL << 48,
        1ull << 47, /* no address */
        0xffff800000000000ull,
        0xffff830000000000ull, /* the hypervisor's, were it paravirtual */
        ~0ull,
        ~0ull - 7,
        WHOLE_PAGES * PAGE_SIZE - 4, /* half of it */
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(where); i++)
        assert_int_equal(features_at(where[i]), -XEN_EFAULT);
    b->save.cr0 |= X86_CR0_WP;
    *ENTRY(PLACE) &= ~(uint64_t)PTE_RW;
    assert_int_equal(features_at(PLACE), -XEN_EFAULT);
    b->save.cr4 |= X86_CR4_SMAP; /* a page of its users', which its kernel does not reach now */
    *ENTRY(PLACE) |= PTE_RW;
    assert_int_equal(features_at(PLACE), -XEN_EFAULT);
    v->regs.rflags |= X86_EFLAGS_AC;
    assert_int_equal(features_at(PLACE), 0);
    b->save.cr3 = 1ull << 39; /* no table there */
    assert_int_equal(features_at(PLACE), -XEN_EFAULT);
}

/* A list that gives way at each entry: RIP stays, and the registers say what is left. */
static void it_gives_way(void **state)
{
    struct multicall_entry list[3] = {{.op = __HYPERVISOR_xen_version, .args = {XENVER_version}}};
    uint64_t rip = v->regs.rip;
    unsigned int turns = 0;

    (void)state;
    list[1] = list[0];
    list[2] = (struct multicall_entry){.op = __HYPERVISOR_multicall};
    memcpy(whole_memory(PLACE), list, sizeof(list));
    whole_registers(__HYPERVISOR_multicall, PLACE, 3, 0);
    do {
        assert_true(turns < 3);
        assert_int_equal(v->regs.rip, rip);
        assert_int_equal((uint32_t)v->regs.rax, __HYPERVISOR_multicall);
        assert_int_equal(v->regs.rdi, PLACE + turns * sizeof(list[0]));
        assert_int_equal(v->regs.rsi, 3 - turns);
        this_cpu()->pending |= CPU_WORK_TIMER;
        whole_exit(EXIT_VMMCALL, 0, 0);
        turns++;
    } while (v->regs.rip == rip);
    assert_int_equal(turns, 3);
    assert_int_equal(v->regs.rip, rip + 3);
    assert_int_equal(v->regs.rax, 0);
    memcpy(list, whole_memory(PLACE), sizeof(list));
    assert_int_equal(list[1].result, 4 << 16 | 17);
    assert_int_equal((long)list[2].result, -XEN_EINVAL);
    host_exit_path();
}

static void what_is_for_others(void **state)
{
    static const unsigned int assists[] = {
        VMASST_TYPE_4gb_segments, VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3,
        VMASST_TYPE_architectural_iopl, 31};
    struct physdev_set_iopl iopl = {.iopl = 1};
    struct physdev_set_iobitmap bitmap = {.nr_ports = 1};

    (void)state;
    assert_int_equal(whole_vmmcall_at(PLACE, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &iopl),
                     -XEN_ENOSYS);
    assert_int_equal(
        whole_vmmcall_at(PLACE, __HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, &bitmap),
        -XEN_ENOSYS);
    for (unsigned int i = 0; i < ARRAY_SIZE(assists); i++)
        assert_int_equal(whole_vmmcall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, assists[i], 0),
                         -XEN_EINVAL);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                                   VMASST_TYPE_runstate_update_flag, 0),
                     0);
    assert_int_equal(d->vm_assist, 1u << VMASST_TYPE_runstate_update_flag);
}

/* --- vCPUs and time --- */

static void areas(void **state)
{
    struct vcpu_register_runstate_memory_area run = {.addr.h = 0xffff888000000000ull};
    struct vcpu_register_time_memory_area time = {.addr.h = 0x7000};
    const struct vcpu_time_info *told = whole_memory(0x7000);

    (void)state;
    memcpy(whole_memory(PLACE), &run, sizeof(run)); /* nothing is there: it is tried again */
    assert_int_equal(
        whole_vmmcall(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, PLACE), 0);
    assert_true(v->areas_stale);
    run.addr.h = 0x8000;
    memcpy(whole_memory(PLACE), &run, sizeof(run));
    assert_int_equal(
        whole_vmmcall(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, PLACE), 0);
    assert_int_equal(*(uint32_t *)whole_memory(0x8000), RUNSTATE_running);
    memcpy(whole_memory(PLACE), &time, sizeof(time));
    assert_int_equal(
        whole_vmmcall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, PLACE), 0);
    assert_int_equal(told->tsc_to_system_mul, v->vcpu_info->time.tsc_to_system_mul);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0), 0);
}

/* In a page that is its kernel's alone, whatever runs. */
static void areas_while_users_run(void **state)
{
    (void)state;
    v->runstate_gva = PLACE;
    *ENTRY(PLACE) &= ~(uint64_t)PTE_USER;
    memset(whole_memory(PLACE), 0x5a, 64);
    b->save.cpl = 3;
    vcpu_runstate_write(v);
    assert_int_equal(*(uint32_t *)whole_memory(PLACE), RUNSTATE_running);
}

/* Registered in 64-bit mode; it has begun anew since (INIT), and has no such address. */
static void areas_of_one_who_begins_anew(void **state)
{
    (void)state;
    v->runstate_gva = 0xffff888000008000ull;
    memset(whole_memory(0x8000), 0x5a, 64);
    hvm_reset_vcpu(v);
    vcpu_runstate_write(v);
    assert_true(v->areas_stale);
    assert_int_equal(*(uint64_t *)whole_memory(0x8000), 0x5a5a5a5a5a5a5a5a);
}

/* Its console is a ring: there is no UART. */
static void no_uart(void **state)
{
    (void)state;
    for (unsigned int port = 0x3f8; port < 0x400; port++)
        assert_int_equal(hvm_port_read(v, port, 1), 0xff);
    hvm_port_write(v, 0x3fb, 1, 0x03);
    assert_int_equal(hvm_port_read(v, 0x3fb, 1), 0xff);
    d->arch.hvm.xen = false;
    assert_int_equal(hvm_port_read(v, 0x3fb, 1), 0);
}

/* Linux tries this once, and goes without: no line of the log is about it. */
static void no_shadows(void **state)
{
    char text[4096] = "";
    uint32_t pos = 0;

    (void)state;
    log_clear();
    assert_int_equal(whole_vmmcall(__HYPERVISOR_hvm_op, HVMOP_pagetable_dying, PLACE, 0),
                     -XEN_ENOSYS);
    assert_int_equal(log_read(text, sizeof(text) - 1, &pos), 0);
    assert_int_equal(whole_vmmcall(__HYPERVISOR_hvm_op, 8, PLACE, 0), -XEN_ENOSYS);
    log_read(text, sizeof(text) - 1, &pos);
    assert_non_null(strstr(text, "there is no operation 8"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(leaves),
        T(hypercall_page),
        T(no_hypercall_page),
        T(calls),
        T(from_elsewhere),
        T(who_is_not_told),
        T(arguments),
        T(arguments_that_are_nowhere),
        T(it_gives_way),
        T(what_is_for_others),
        T(areas),
        T(areas_while_users_run),
        T(areas_of_one_who_begins_anew),
        T(no_uart),
        T(no_shadows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
