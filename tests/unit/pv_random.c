/* SPDX-License-Identifier: MIT */
/*
 * The random lives of pv_random.h: hypercalls, and the domains' coming and going. Numbers are
 * small, so that things collide; now and then wild.
 */
#include "pv_random.h"
#include "grant_oracle.h"

#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/grant/grant_table.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <port/atomic.h>
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

#define take   pv_random_take
#define call   pv_random_call
#define ARG    PV_RANDOM_ARG
#define LIST   PV_RANDOM_LIST
#define GUESTS 3u
#define FRAMES 1024
#define RING   20u /* frame of each guest's console ring, while the hypervisor drains it */

static struct {
    struct mm_guest g;
    bool there, ending;
    evtchn_port_t console;
} slot[GUESTS];
static const uint8_t *input, *input_end;
static domid_t next_id;
static jmp_buf stopped;

unsigned int pv_random_take(unsigned int below)
{
    return input < input_end ? *input++ % below : 0;
}

struct mm_guest *pv_random_guest(void)
{
    return &slot[take(GUESTS)].g;
}

mfn_t pv_random_frame(void)
{
    const struct mm_guest *g = take(8) ? &slot[1].g : pv_random_guest();
    unsigned int kind = take(16);

    if (kind == 0)
        return MFN(take(16)); /* what is not the heap's */
    if (kind == 1)
        return frame_of(g->d->shared_info);
    if (kind == 2)
        return MFN(max_mfn + 8 - take(16));
    return g->frame[take(RING + 4)];
}

uint64_t pv_random_entry(void)
{
    static const uint64_t flags[] = {0,
                                     PTE_PRESENT,
                                     MM_RO,
                                     MM_RW,
                                     MM_RW | PTE_GLOBAL,
                                     MM_RO | PTE_NX,
                                     MM_RW ^ PTE_USER,
                                     MM_RW | PTE_PSE};

    return mm_pte(pv_random_frame(), flags[take(ARRAY_SIZE(flags))]);
}

uint64_t pv_random_word(void)
{
    static const uint64_t odd[] = {~0ull,  1ull << 63, 0x7fffffff,   0x80000000,
                                   0x7ff0, 0x7ff1,     0x7ff2,       0x0000800000000000ull,
                                   4096,   8192,       1u << 31 | 1, 0xffff830000000000ull};

    switch (take(16)) {
    case 0 ... 5:
        return take(12);
    case 6 ... 7:
        return pv_random_frame().n;
    case 8 ... 9:
        return mm_va(take(MM_FRAMES)) + (take(2) ? 0 : take(256) * 8);
    case 10:
        return pv_random_entry();
    case 11:
        return LIST + take(4) * 0x100;
    case 12:
        return mm_entry_addr(&slot[take(GUESTS)].g, take(RING), take(256)) |
               (take(4) ? 0 : take(8));
    case 13:
        return odd[take(ARRAY_SIZE(odd))];
    default:
        return (uint64_t)take(256) << 8 | take(256);
    }
}

void pv_random_fill(gva_t at, unsigned int words)
{
    for (unsigned int i = 0; i < words; i++)
        ((uint64_t *)host_guest(at))[i] = pv_random_word();
}

long pv_random_call(struct vcpu *v, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
                    uint64_t a3)
{
    const uint64_t args[6] = {a0, a1, a2, a3};
    long rc;

    if (take(3) == 0)
        atomic_or(&this_cpu()->pending, CPU_WORK_CONSOLE); /* gives way wherever it may */
    rc = host_hypercall(v, nr, args, NULL);
    atomic_and(&this_cpu()->pending, ~CPU_WORK_CONSOLE);
    return rc;
}

domid_t pv_random_domid(void)
{
    static const domid_t odd[] = {DOMID_IO, DOMID_XEN, 77, 0xffff};

    if (take(3) == 0)
        return DOMID_SELF;
    if (take(8) == 0 && pv_random_neighbour())
        return pv_random_neighbour()->domain_id;
    return take(16) ? slot[take(GUESTS)].g.d->domain_id : odd[take(ARRAY_SIZE(odd))];
}

/* ---- the vCPU's own ---- */

static void vcpus(struct mm_guest *g, struct vcpu *v)
{
    static const uint8_t common[] = {VCPUOP_up,
                                     VCPUOP_up,
                                     VCPUOP_down,
                                     VCPUOP_send_nmi,
                                     VCPUOP_set_periodic_timer,
                                     VCPUOP_register_vcpu_info};
    unsigned int cmd = take(3) ? common[take(ARRAY_SIZE(common))] : take(15);

    if (take(3) == 0) {
        pv_random_context(g);
        (void)call(v, __HYPERVISOR_vcpu_op, VCPUOP_initialise, take(3), ARG, 0);
        return;
    }
    pv_random_fill(ARG, 4);
    if (cmd == VCPUOP_register_vcpu_info || cmd == VCPUOP_register_runstate_memory_area)
        *(uint64_t *)host_guest(ARG) = take(2) ? g->frame[MM_SPARE + take(16)].n : mm_va(take(40));
    (void)call(v, __HYPERVISOR_vcpu_op, cmd, take(3), ARG, 0);
}

static void traps_and_callbacks(struct mm_guest *g, struct vcpu *v)
{
    struct trap_info *t = host_guest(ARG);
    unsigned int n = take(4);

    switch (take(6)) {
    case 0:
        for (unsigned int i = 0; i < n; i++)
            t[i] = (struct trap_info){.vector = (uint8_t)take(256),
                                      .flags = (uint8_t)take(8),
                                      .cs = 0xe033,
                                      .address = take(8) ? 0x7000 : pv_random_word()};
        t[n].address = 0;
        (void)call(v, __HYPERVISOR_set_trap_table, take(16) ? ARG : 0, 0, 0, 0);
        break;
    case 1:
        *(struct callback_register *)host_guest(ARG) = (struct callback_register){
            .type = (uint16_t)take(9), .flags = (uint16_t)take(2), .address = pv_random_word()};
        (void)call(v, __HYPERVISOR_callback_op, take(3), ARG, 0, 0);
        break;
    case 2:
        (void)call(v, __HYPERVISOR_stack_switch, 0xe02b,
                   take(4) ? mm_va(MM_FRAMES - 2) + PAGE_SIZE : pv_random_word(), 0, 0);
        break;
    case 3:
        ((uint64_t *)host_guest(ARG))[0] = g->frame[MM_SPARE + take(12)].n;
        ((uint64_t *)host_guest(ARG))[1] = pv_random_frame().n;
        (void)call(v, __HYPERVISOR_set_gdt, ARG, take(3) * 512, 0, 0);
        break;
    case 4:
        *(struct mmuext_op *)host_guest(ARG) =
            (struct mmuext_op){.cmd = MMUEXT_SET_LDT,
                               .arg1.linear_addr = mm_va(MM_SPARE + take(12)),
                               .arg2.nr_ents = take(4) * 512};
        (void)call(v, __HYPERVISOR_mmuext_op, ARG, 1, 0, DOMID_SELF);
        break;
    default:
        (void)call(v, __HYPERVISOR_update_descriptor, pv_random_word() & ~7ull,
                   take(2) ? 0xcffa000000ffffull : pv_random_word(), 0, 0);
    }
}

/* ---- everything else ---- */

static void events_and_time(struct vcpu *v)
{
    pv_random_fill(ARG, 3);
    if (take(2))
        (void)call(v, __HYPERVISOR_event_channel_op, take(12), ARG, 0, 0);
    else if (take(2))
        (void)call(v, __HYPERVISOR_sched_op, v->domain->is_control ? take(2) * 3u : take(8), ARG, 0,
                   0);
    else
        (void)call(v, __HYPERVISOR_set_timer_op, (uint64_t)clock_now() + pv_random_word(), 0, 0, 0);
}

/* What the guest does to its console ring, which the hypervisor drains. */
static void console_ring(unsigned int who)
{
    struct mm_guest *g = &slot[who].g;
    struct xencons_interface *x = (void *)mm_words(g, RING);
    struct page_info *pg = mm_page(g, RING);

    if (!slot[who].console || !get_page_and_writable(pg, g->d))
        return;
    memset(x->out + take(200), (int)take(256), 40);
    x->out_prod += take(4) ? take(64) : (uint32_t)pv_random_word();
    x->in_cons = take(4) ? x->in_prod : (uint32_t)pv_random_word();
    x->out_cons += take(8) ? 0 : take(256);
    put_page_and_type(pg);
    *(evtchn_port_t *)host_guest(ARG) = slot[who].console;
    (void)call(g->v, __HYPERVISOR_event_channel_op, EVTCHNOP_send, ARG, 0, 0);
    console_work();
}

static void any_call(struct vcpu *v)
{
    unsigned int nr = take(50);

    pv_random_fill(ARG, 6);
    pv_random_fill(LIST, 4);
    if (nr == __HYPERVISOR_iret || (v->domain->is_control && (nr == __HYPERVISOR_sched_op ||
                                                              nr == __HYPERVISOR_sched_op_compat ||
                                                              nr == __HYPERVISOR_platform_op)))
        return; /* its own end is the machine's */
    if (nr == __HYPERVISOR_multicall) {
        for (unsigned int i = 0; i < 3; i++)
            ((struct multicall_entry *)host_guest(ARG))[i] = (struct multicall_entry){
                .op = v->domain->is_control ? __HYPERVISOR_mmuext_op : take(40),
                .args = {pv_random_word(), ARG, 1, pv_random_word()}};
        (void)call(v, nr, ARG, take(4), 0, 0);
        return;
    }
    (void)call(v, nr, take(2) ? ARG : pv_random_word(), take(2) ? ARG : pv_random_word(),
               pv_random_word(), pv_random_word());
}

static void control(struct vcpu *v)
{
    static const uint16_t common[] = {XEN_DOMCTL_pausedomain,       XEN_DOMCTL_unpausedomain,
                                      XEN_DOMCTL_setvcpucontext,    XEN_DOMCTL_getvcpucontext,
                                      XEN_DOMCTL_getpageframeinfo3, XEN_DOMCTL_resumedomain,
                                      XEN_DOMCTL_max_mem,           XEN_DOMCTL_scheduler_op};
    struct xen_domctl op = {.interface_version = XEN_DOMCTL_INTERFACE_VERSION};
    unsigned int who = 1 + take(2);

    pv_random_fill(ARG + 0x8000, 8);
    memcpy(&op.u, host_guest(ARG + 0x8000), 64);
    op.cmd = take(4) ? common[take(ARRAY_SIZE(common))] : take(90);
    op.domain = take(8) ? slot[who].g.d->domain_id : pv_random_domid();
    if (op.cmd == XEN_DOMCTL_destroydomain || op.cmd == XEN_DOMCTL_createdomain)
        return; /* below, half and whole */
    if (op.cmd == XEN_DOMCTL_setvcpucontext || op.cmd == XEN_DOMCTL_getvcpucontext) {
        pv_random_context(&slot[who].g);
        op.u.vcpucontext.vcpu = take(3);
        op.u.vcpucontext.ctxt = ARG;
    } else if (op.cmd == XEN_DOMCTL_max_mem) {
        op.u.max_mem.max_memkb = (MM_FRAMES + take(32)) * 4;
    }
    memcpy(host_guest(LIST), &op, sizeof(op));
    (void)call(v, __HYPERVISOR_domctl, LIST, 0, 0, 0);
}

static void begin(unsigned int i)
{
    struct mm_guest *g = &slot[i].g;
    uint32_t port = 0;

    mm_guest_init_vcpus(g, i ? next_id++ : 0, i == 0, 2);
    g->d->vcpu[1]->initialised = false;
    atomic_or(&g->d->vcpu[1]->pause_flags, VPF_down);
    vcpu_sleep(g->d->vcpu[1]);
    g->d->vm_assist = 1u << VMASST_TYPE_writable_pagetables;
    for (unsigned int n = 0; n < 20; n++)
        g->v->arch.pv.traps[n].address = 0x7000;
    g->v->arch.pv.callback[CALLBACKTYPE_event].address = 0x7100;
    g->v->arch.pv.callback[CALLBACKTYPE_failsafe].address = 0x7100;
    g->v->arch.pv.kernel_sp = mm_va(MM_FRAMES - 2) + PAGE_SIZE;
    slot[i].there = true;
    slot[i].ending = false;
    if (i && !console_alloc_port(g->d, &port) &&
        !console_attach_ring(g->d, GFN(g->frame[RING].n), port))
        slot[i].console = port;
}

/* A step of a domain's end, in which others meet it half undone; the last is followed by a new
 * domain. */
static void end_a_bit(unsigned int i)
{
    struct domain *d = slot[i].g.d;
    int rc;

    if (current->domain == d)
        host_run_as(this_cpu()->idle);
    slot[i].ending = true;
    slot[i].console = 0;
    this_cpu()->slice_end = 0;
    if (take(4))
        atomic_or(&this_cpu()->pending, CPU_WORK_CONSOLE);
    rc = domain_kill(d);
    atomic_and(&this_cpu()->pending, ~CPU_WORK_CONSOLE);
    if (rc)
        return;
    host_exit_path();
    mm_forget(&slot[i].g);
    slot[i].there = false;
    if (heap_free_frames() > 3 * MM_FRAMES)
        begin(i);
    else
        longjmp(stopped, 2);
}

static void act(unsigned int who)
{
    struct mm_guest *g = &slot[who].g;
    struct vcpu *v = g->d->vcpu[take(4) ? 0 : 1];

    if (g->d->shutting_down)
        domain_resume(g->d);
    vcpu_unblock(v);
    if (!v->initialised || !vcpu_runnable(v))
        v = g->v;
    if (!v->initialised || !vcpu_runnable(v))
        return;
    if (current != v)
        host_run_as(v);
    if (take(3) == 0 || !guest_kernel_mode(v)) {
        if (!who && take(8)) /* the control domain's end is the machine's */
            return;
        pv_random_cpu(g, v);
        return;
    }
    switch (take(13)) {
    case 0 ... 2:
        pv_random_tables(g, v);
        break;
    case 3:
        pv_random_make_table(g, v);
        break;
    case 4:
        pv_random_reservations(g, v);
        break;
    case 5:
        pv_random_grants(g, v);
        break;
    case 6:
        vcpus(g, v);
        break;
    case 7:
        traps_and_callbacks(g, v);
        break;
    case 8:
        events_and_time(v);
        break;
    case 9:
        console_ring(who);
        break;
    case 10:
        if (!pv_random_neighbour())
            pv_random_neighbour_begin(next_id++);
        pv_random_beside_it(g, v);
        break;
    case 11:
        if (!who) {
            control(v);
            break;
        } /* fallthrough */
    default:
        any_call(v);
    }
}

static void recount(void)
{
    host_check_invariants();
    grant_oracle_check();
    if (!host_recount())
        return;
    fprintf(stderr, "references differ:\n%.*s\n", (int)host_console_len, host_console);
    abort();
}

static void step(void)
{
    unsigned int what = take(64), who = what % GUESTS;

    if (what == 63) {
        host_advance(MILLISECS(1 + take(20)));
    } else if (slot[who].ending || (who && what >= 60)) {
        end_a_bit(who);
    } else {
        act(who);
        host_exit_path();
    }
    host_tlb_check();
}

static void on_stop(void)
{
    longjmp(stopped, 1);
}

void pv_random_run(const uint8_t *data, size_t n, unsigned int every)
{
    input = data;
    input_end = data + n;
    next_id = 1;
    mm_init(FRAMES);
    mm_recount = false;
    console_init();
    log_set_level(LOG_ERROR);
    host_walk = true;
    host_on_stop = on_stop;
    memset(slot, 0, sizeof(slot));
    for (unsigned int i = 0; i < GUESTS; i++)
        begin(i);
    pv_random_neighbour_begin(next_id++);
    if (setjmp(stopped))
        return; /* the control domain ended the machine, or memory did */
    for (volatile unsigned int i = 1; input < input_end; i++) {
        step();
        if (i % every == 0)
            recount();
    }
    recount();
    pv_random_neighbour_end();
    mm_fini();
}
