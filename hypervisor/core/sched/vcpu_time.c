/* SPDX-License-Identifier: MIT */
/*
 * Time as guests see it.
 *
 * pvclock: the guest reads the TSC itself and computes  system_time + scale(tsc - tsc_timestamp)
 * from values that the hypervisor leaves in vcpu_info.time. They are published by a version count:
 * odd while they change. They come from one reading of the TSC, at which nothing is rounded, so
 * that two publications never disagree and time does not step back. As the scale is the
 * hypervisor's own, values do not age; they are renewed once a second to keep the multiplication
 * far from overflow.
 *
 * Run state area and time memory area lie at guest addresses that the guest registered: they are
 * written on its own page tables when it is switched in, and (run state) out, so that its other
 * vCPUs see that it is not running. ABI: with VMASST_TYPE_runstate_update_flag the entry time has
 * its top bit set while the rest changes.
 *
 * The wall clock in shared_info is renewed when one of the domain's vCPUs gets the CPU and finds
 * that it was set since: a domain that does not run does not look.
 *
 * Locks: none for a vCPU's own values (its CPU writes them); wc_lock guards the wall clock of all
 * shared_info pages.
 */
#include <core/domain/guest_memory.h>
#include <core/sched/vcpu_time.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

static spinlock_t wc_lock = SPINLOCK_INIT(RANK_TIMER);
static uint64_t wc_at_zero;

static void publish(struct vcpu_time_info *to, uint64_t ticks, uint64_t system_time)
{
    uint32_t version = READ_ONCE(to->version), mul;
    int8_t shift;

    clock_scale(&mul, &shift);
    WRITE_ONCE(to->version, version | 1);
    smp_wmb();
    to->tsc_timestamp = ticks;
    to->system_time = system_time;
    to->tsc_to_system_mul = mul;
    to->tsc_shift = shift;
    to->flags = clock_stable() ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
    smp_wmb();
    WRITE_ONCE(to->version, (version | 1) + 1);
}

/* The registered copy; its version field is the guest's memory, so ours is used. */
static void write_time_area(struct vcpu *v)
{
    struct vcpu_time_info copy;
    gva_t at = READ_ONCE(v->time_info_gva);

    if (likely(!at))
        return;
    copy = v->vcpu_info->time;
    copy.version = v->time_stamp.version | 1;
    if (copy_to_guest(at, &copy.version, sizeof(copy.version)) ||
        copy_to_guest(at + sizeof(copy.version), (char *)&copy + sizeof(copy.version),
                      sizeof(copy) - sizeof(copy.version)))
        goto err_fault;
    v->time_stamp.version = copy.version + 1;
    copy.version = v->time_stamp.version;
    if (!copy_to_guest(at, &copy.version, sizeof(copy.version)))
        return;
err_fault:
    WRITE_ONCE(v->areas_stale, true);
}

void vcpu_time_write(struct vcpu *v)
{
    uint64_t ticks = clock_stamp();

    v->time_stamp.tsc = ticks;
    v->time_stamp.system_time = (uint64_t)clock_at(ticks);
    publish(&v->vcpu_info->time, ticks, v->time_stamp.system_time);
}

void vcpu_time_refresh(struct vcpu *v, s_time_t now)
{
    if (unlikely(READ_ONCE(v->domain->wc_at_zero) != READ_ONCE(wc_at_zero)))
        wallclock_write(v->domain);
    if (likely(v->time_stamp.tsc &&
               (uint64_t)now - v->time_stamp.system_time < (uint64_t)clock_told_holds))
        return;
    vcpu_time_write(v);
    write_time_area(v);
}

/* The whole run state; with the update flag, its top bit marks the time in between. */
static __noinline void write_runstate(struct vcpu *v, gva_t at)
{
    gva_t entry = at + offsetof(struct vcpu_runstate_info, state_entry_time);
    struct vcpu_runstate_info info;
    uint64_t marked;

    info.state = (int)v->sched.state;
    info.state_entry_time = (uint64_t)v->sched.state_since;
    for (unsigned int i = 0; i < ARRAY_SIZE(info.time); i++)
        info.time[i] = v->sched.time[i];
    if (READ_ONCE(v->domain->vm_assist) & (1u << VMASST_TYPE_runstate_update_flag)) {
        marked = info.state_entry_time | XEN_RUNSTATE_UPDATE;
        if (copy_word_to_guest(entry, marked))
            goto err_fault;
        smp_wmb();
        info.state_entry_time = marked;
    }
    /* The padding behind state is the guest's: it is left alone. */
    if (copy_to_guest(at, &info.state, sizeof(info.state)) ||
        copy_to_guest(entry, &info.state_entry_time,
                      sizeof(info) - offsetof(struct vcpu_runstate_info, state_entry_time)))
        goto err_fault;
    if (info.state_entry_time & XEN_RUNSTATE_UPDATE) {
        marked = info.state_entry_time & ~XEN_RUNSTATE_UPDATE;
        smp_wmb();
        if (copy_word_to_guest(entry, marked))
            goto err_fault;
    }
    return;
err_fault:
    WRITE_ONCE(v->areas_stale, true);
}

void vcpu_runstate_write(struct vcpu *v)
{
    gva_t at = READ_ONCE(v->runstate_gva);

    if (at)
        write_runstate(v, at);
}

void vcpu_areas_switched_in(struct vcpu *v)
{
    bool stale = xchg(&v->areas_stale, false);

    vcpu_runstate_write(v);
    if (unlikely(stale))
        write_time_area(v);
}

static void write_wallclock(struct shared_info *s, uint64_t at_zero)
{
    uint64_t sec = at_zero / 1000000000ull;

    WRITE_ONCE(s->wc_version, READ_ONCE(s->wc_version) | 1);
    smp_wmb();
    s->wc_sec = (uint32_t)sec;
    s->wc_sec_hi = (uint32_t)(sec >> 32);
    s->wc_nsec = (uint32_t)(at_zero % 1000000000ull);
    smp_wmb();
    WRITE_ONCE(s->wc_version, READ_ONCE(s->wc_version) + 1);
}

/* Race: the page goes in domain_kill(), a control operation on d that found all of its vCPUs off
 * their CPUs. Who comes here is a vCPU of d that runs, another control operation on d, of which
 * there is one at a time, or who makes d, which nobody finds yet. */
void wallclock_write(struct domain *d)
{
    spin_lock(&wc_lock);
    if (!wc_at_zero)
        WRITE_ONCE(wc_at_zero, clock_wall_at_zero());
    WRITE_ONCE(d->wc_at_zero, wc_at_zero);
    if (d->shared_info)
        write_wallclock(d->shared_info,
                        wc_at_zero + (uint64_t)(READ_ONCE(d->time_offset) * 1000000000ll));
    spin_unlock(&wc_lock);
}

void wallclock_set(uint64_t ns_at_zero)
{
    spin_lock(&wc_lock);
    WRITE_ONCE(wc_at_zero, ns_at_zero);
    spin_unlock(&wc_lock);
    wallclock_write(current->domain);
}
