/* SPDX-License-Identifier: MIT */
/*
 * Shows: no hypercall can be made to do harm by garbage arguments.
 *
 * Every hypercall number from 0 to 127 is called 150 times with arguments drawn from a
 * list of nasty words: null, all ones, sign boundaries, small numbers, non-canonical
 * addresses, addresses of the hypervisor, an unmapped page, and a readable page of noise. Each
 * call must answer with an error of the documented range or succeed harmlessly, and after each
 * the guest must still be able to make a hypercall and take an exception. Numbers that name no
 * hypercall must answer -ENOSYS.
 *
 * What is left out is what would rightly end or stop the guest: iret, blocking, shutting
 * down, taking the vCPU down, moving the kernel's GS base, printing noise.
 *
 * Touches XSA-20 (timer periods), 29 and 212 (handles), 31 and 158 (orders), 221 (poll ports),
 * 296 (vcpu_op arguments).
 */
#include "test.h"

const char test_name[] = "hypercall-garbage";

#define CALLS         150
#define LARGEST_ERRNO 133
#define STUBS         128 /* in the hypercall page */

static unsigned char *noise;
static uint64_t random_state = 88172645463325252ul;

static uint64_t random64(void) /* xorshift: the same sequence in every run */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t nasty_word(void)
{
    static const uint64_t words[] = {
        0,
        1,
        2,
        3,
        4,
        5,
        7,
        16,
        32,
        4096,
        0x7fff0,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x7ff0, /* DOMID_SELF */
        0x100000000,
        0x7fffffffffff, /* last canonical address below */
        0x800000000000, /* not canonical */
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffff800000000000, /* hypervisor: read-only m2p */
        0xffff82d040000000, /* hypervisor: image */
        0xffff830000000000, /* hypervisor: direct map */
        0xfffffffffffff000,
        0xfffffffffffffff8,
        0xffffffffffffffff,
        0x10000, /* nothing mapped */
    };
    uint64_t r = random64();

    if (r % 8 == 0)
        return (uint64_t)noise + (r >> 8) % 4000;
    if (r % 8 == 1)
        return random64();
    return words[(r >> 8) % ARRAY_SIZE(words)];
}

static bool is_readable(uint64_t va)
{
    return probe_read((void *)va, NULL) == -1;
}

/* True for calls that a guest must not make if it wants to live. */
static bool suicidal(unsigned int nr, const uint64_t *a)
{
    uint32_t cmd = (uint32_t)a[0];

    switch (nr) {
    case __HYPERVISOR_iret:
        return true;
    case __HYPERVISOR_sched_op:
        return cmd == SCHEDOP_block || is_readable(a[1]);
    case __HYPERVISOR_sched_op_compat:
        return cmd == SCHEDOP_block || cmd == SCHEDOP_shutdown;
    case __HYPERVISOR_vcpu_op:
        return cmd == VCPUOP_down || cmd == VCPUOP_initialise || cmd == VCPUOP_up ||
               cmd == VCPUOP_register_vcpu_info;
    case __HYPERVISOR_set_segment_base:
        return cmd == SEGBASE_GS_KERNEL || cmd == SEGBASE_GS_USER_SEL;
    case __HYPERVISOR_console_io:
        return is_readable(a[2]);
    case __HYPERVISOR_vm_assist:
        return cmd <= VMASST_CMD_disable;
    default:
        return false;
    }
}

static bool ignore(struct trap_regs *regs)
{
    (void)regs;
    return true;
}

/* Number of hypercalls that this ABI does not have; the others may refuse, but as they like. */
static bool is_unassigned(unsigned int nr)
{
    return nr == 11 || (nr >= 43 && nr <= 47) || nr >= 56;
}

static bool guest_lives(void)
{
    uint64_t error;

    traps_init(); /* a garbage trap table or callback may have been accepted */
    return HYPERVISOR_xen_version(XENVER_version, NULL) > 0 &&
           probe_write((void *)0x10000, 0, &error) == TRAP_PAGE_FAULT;
}

static void one_call(unsigned int nr)
{
    uint64_t a[5];
    long rc;

    for (unsigned int i = 0; i < 5; i++)
        a[i] = nasty_word();
    if (suicidal(nr, a))
        return;
    rc = hypercall5(nr, a[0], a[1], a[2], a[3], a[4]);
    events_disable();
    HYPERVISOR_set_debugreg(7, 0);
    if (is_unassigned(nr) ? rc != -XEN_ENOSYS
                          : rc < -LARGEST_ERRNO && nr != __HYPERVISOR_get_debugreg)
        test_failure("hypercall %u(0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx) answers %ld", nr, a[0], a[1],
                     a[2], a[3], a[4], rc);
    if (!guest_lives())
        test_failure("after hypercall %u(0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx) nothing works", nr,
                     a[0], a[1], a[2], a[3], a[4]);
}

/* Each kind of copy: a struct, a number, one word and more to where the hypervisor has its own. */
static void the_hypervisors_memory(void)
{
    void *direct_map = (void *)0xffff830000000000ul;
    gnttab_setup_table_t frames = {
        .dom = DOMID_SELF, .nr_frames = 1, .frame_list = (unsigned long)direct_map};
    long rc;

    CHECK_EQ(HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, direct_map), -XEN_EFAULT,
             "is not read");
    CHECK_EQ(HYPERVISOR_event_channel_op(EVTCHNOP_send, direct_map), -XEN_EFAULT, "nor a port");
    CHECK_EQ(HYPERVISOR_xen_version(XENVER_capabilities, direct_map), -XEN_EFAULT, "nor written");
    rc = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &frames, 1);
    CHECK_EITHER(rc ? rc : frames.status, GNTST_bad_virt_addr, -XEN_EFAULT, "not one word of it");
}

/* The way Linux does it, without the page, so that numbers above its end can be tried. */
static long raw_hypercall(unsigned long nr)
{
    long rc;

    __asm__ volatile("syscall" : "=a"(rc) : "0"(nr) : "rcx", "r11", "memory");
    return rc;
}

void test_main(void)
{
    static const unsigned long beyond[] = {64, 128, 1000, 0x7fffffff, 0xffffffff};
    evtchn_port_t port;

    noise = test_page();
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        noise[i] = (unsigned char)(random64() | 1); /* no zeros: not a terminator of anything */
    trap_set_handler(TRAP_DEBUG, ignore);
    trap_set_handler(2, ignore); /* VCPUOP_send_nmi to oneself is legal */
    events_disable();
    for (unsigned int nr = 0; nr < STUBS; nr++) {
        for (unsigned int i = 0; i < CALLS; i++)
            one_call(nr);
        CHECK(guest_lives(), "the guest lives after a hypercall's garbage");
    }
    the_hypervisors_memory();
    for (unsigned int i = 0; i < ARRAY_SIZE(beyond); i++)
        CHECK_EQ(raw_hypercall(beyond[i]), -XEN_ENOSYS, "a number beyond the table is -ENOSYS");
    HYPERVISOR_set_timer_op(0);
    events_enable();
    CHECK_EQ(event_bind_ipi(0, NULL, NULL, &port), 0, "events can still be bound");
}
