/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls of the domain of hvm_exit_random.c: most are of those that a guest makes, with an
 * argument of that shape; the others have any number and any words.
 */
#include "hvm_exit_random.h"

#include <core/grant/grant_table.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define ARGUMENT 0x3000ull
#define LIST_AT  (ARGUMENT + 0x40) /* of frame numbers */
#define TABLES   0x8000ull         /* of its page tables: its first 2 MiB are where they are */
#define HOLE     0x100000ull       /* a frame number where nothing is */
#define WORDS    8u                /* of an argument */

enum word {
    ANY,
    SELF,        /* whose memory, and a number above */
    PARAM,       /* the same, and the number of a parameter */
    SMALL,       /* a number */
    TWO,         /* two of 32 bits */
    ORDER,       /* how many frames together: large ones too */
    FRAME,       /* its own number of one */
    FRAMES_AT,   /* where a list of them is */
    BATCH,       /* whose, which space, how many */
    CALLBACK,    /* how it is told of events */
    VCPU_VECTOR, /* for which, by which */
    CALL,        /* a number of a hypercall */
};

static const struct shape {
    uint8_t nr, op;
    uint8_t words[WORDS]; /* enum word */
} shapes[] = {
    {__HYPERVISOR_memory_op, XENMEM_add_to_physmap, {SELF, FRAME, FRAME}},
    {__HYPERVISOR_memory_op, XENMEM_add_to_physmap, {SELF, SMALL, FRAME}},
    {__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, {BATCH, FRAMES_AT, FRAMES_AT, FRAMES_AT}},
    {__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, {SELF, FRAME}},
    {__HYPERVISOR_memory_op, XENMEM_decrease_reservation, {FRAMES_AT, SMALL, ORDER, SELF}},
    {__HYPERVISOR_memory_op, XENMEM_populate_physmap, {FRAMES_AT, SMALL, ORDER, SELF}},
    {__HYPERVISOR_memory_op, XENMEM_populate_physmap, {FRAMES_AT, SMALL, ORDER, SELF}},
    {__HYPERVISOR_hvm_op, HVMOP_set_param, {PARAM, CALLBACK}},
    {__HYPERVISOR_hvm_op, HVMOP_get_param, {PARAM}},
    {__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, {VCPU_VECTOR}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, {SELF}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, {SELF}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, {SMALL}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, {TWO}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, {TWO}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_send, {SMALL}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_close, {SMALL}},
    {__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, {SMALL}},
    {__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, {FRAME, SMALL}},
    {__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, {FRAMES_AT}},
    {__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, {FRAMES_AT}},
    {__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, {ANY, SMALL}},
    {__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, {ANY}},
    {__HYPERVISOR_vcpu_op, VCPUOP_up, {ANY}},
    {__HYPERVISOR_vcpu_op, VCPUOP_down, {ANY}},
    {__HYPERVISOR_vcpu_op, VCPUOP_initialise, {ANY}},
    {__HYPERVISOR_sched_op, SCHEDOP_poll, {FRAMES_AT, SMALL, ANY}},
    {__HYPERVISOR_sched_op, SCHEDOP_shutdown, {SMALL}},
    {__HYPERVISOR_sched_op, SCHEDOP_block, {ANY}},
    {__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, {SELF, FRAMES_AT}},
    {__HYPERVISOR_grant_table_op, GNTTABOP_query_size, {SELF}},
    {__HYPERVISOR_multicall, 0, {CALL, ANY, SMALL, FRAMES_AT, SMALL}},
};

static void put_word(uint64_t gpa, uint64_t value)
{
    if (memory_at(gpa))
        *(uint64_t *)(void *)memory_at(gpa) = value;
}

static void go_to_long_mode(struct vcpu *w)
{
    struct vmcb *s = vmcb_of(w);

    put_word(TABLES, (TABLES + PAGE_SIZE) | 7);
    put_word(TABLES + PAGE_SIZE, (TABLES + 2 * PAGE_SIZE) | 7);
    put_word(TABLES + 2 * PAGE_SIZE, 0x87);
    s->save.cr0 |= X86_CR0_PG | X86_CR0_PE;
    s->save.cr4 |= X86_CR4_PAE;
    s->save.cr3 = TABLES;
    s->save.efer |= EFER_LMA;
    s->save.cs.attributes = 0xa9b;
    s->save.cpl = 0;
}

/* Its own, where nothing is, where nothing can be. */
static uint64_t take_frame(void)
{
    static const uint64_t far[] = {HOLE, HOLE + 1, HOLE + 2, 0x200, 0xfee00, 1ull << 28};
    uint8_t what = (uint8_t)take(1);

    return what < 160 ? what % (WHOLE_PAGES + 2) : far[what % ARRAY_SIZE(far)];
}

static uint64_t take_any(void)
{
    static const uint64_t words[] = {
        0, 1, 2, 5, 9, DOMID_SELF, 0x5100000000, LIST_AT, ARGUMENT + PAGE_SIZE - 8, HOLE, ~0ull};

    return words[take(1) % ARRAY_SIZE(words)];
}

static uint64_t take_word(enum word kind)
{
    static const uint8_t params[] = {0, 0, 0, 1, 2, 17, 18, 19};
    static const uint8_t vectors[] = {0x0f, 0x10, 0x51, 0xf3};
    uint8_t what = (uint8_t)take(1);

    switch (kind) {
    case SELF:
        return (what < 230 ? DOMID_SELF : what % 3u) | (uint64_t)(what % 5) << 32;
    case PARAM:
        return DOMID_SELF | (uint64_t)params[what % ARRAY_SIZE(params)] << 32;
    case SMALL:
        return what < 250 ? what % 4u : what;
    case TWO:
        return what % 4u | (uint64_t)(what / 4 % 8) << 32;
    case ORDER:
        return what % 8 ? what % 2u : 9;
    case FRAME:
        return take_frame();
    case FRAMES_AT:
        return what < 240 ? LIST_AT : take_any();
    case BATCH:
        return DOMID_SELF | (uint64_t)(what % 5) << 16 | (uint64_t)(what / 5 % 8) << 32;
    case CALLBACK:
        return 2ull << 56 | vectors[what % ARRAY_SIZE(vectors)];
    case VCPU_VECTOR:
        return what % 4u | (uint64_t)vectors[what / 4 % ARRAY_SIZE(vectors)] << 32;
    case CALL:
        return shapes[what % ARRAY_SIZE(shapes)].nr;
    case ANY:
        break;
    }
    return take_any();
}

static void put_argument(const struct shape *s)
{
    for (unsigned int i = 0; i < WORDS; i++)
        put_word(ARGUMENT + i * 8, take_word(s->words[i]));
    for (unsigned int i = 0; i < WORDS; i++)
        put_word(LIST_AT + i * 8, take_frame());
}

/* In the registers of this call. */
static void put_registers(const struct shape *s)
{
    uint64_t at = take(1) % 16 ? ARGUMENT : take_value();

    if (s->nr == __HYPERVISOR_vcpu_op)
        whole_registers(s->nr, s->op, take(1) % 4, at);
    else if (s->nr == __HYPERVISOR_multicall)
        whole_registers(s->nr, at, take(1) % 4, 0);
    else
        whole_registers(s->nr, s->op, at, take(1) % 4);
}

void call_hypervisor(struct vcpu *w)
{
    struct shape s = {.words = {ANY}};
    uint8_t what = (uint8_t)take(1);

    b = vmcb_of(w);
    v = w;
    if (take(1) % 8)
        go_to_long_mode(w);
    if (what < 224) {
        s = shapes[what % ARRAY_SIZE(shapes)];
    } else {
        s.nr = (uint8_t)take(1);
        s.op = take(1) % 32;
    }
    put_argument(&s);
    put_registers(&s);
    if (take(1) % 8 == 0)
        this_cpu()->pending |= CPU_WORK_TIMER; /* it gives way where it can */
    b->control.exit_int_info = 0;
    b->control.next_rip = 0;
    whole_exit(EXIT_VMMCALL, 0, 0);
    host_exit_path();
}

void copy_grants(void)
{
    struct gnttab_copy copy = {
        .source = {.domid = 1, .u.ref = 8, .offset = (uint16_t)take(2)},
        .dest = {.domid = 1, .u.ref = 9, .offset = (uint16_t)take(2)},
        .len = (uint16_t)take(2),
        .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref,
    };

    grant_table_set_entry(d, 8, 0, take_frame());
    grant_table_set_entry(d, 9, 0, take_frame());
    host_run_as(dom0->vcpu[0]);
    memcpy(host_guest(ARG), &copy, sizeof(copy));
    (void)call(dom0->vcpu[0], grant_table_op, GNTTABOP_copy, ARG, 1);
}
