/* SPDX-License-Identifier: MIT */
/*
 * Reading the hypervisor's clocks, and the one-shot timer. See time.h for the protocol.
 */
#include <guest/kernel.h>
#include <guest/time.h>

#define NS_PER_S           1000000000ul
#define DAYS_PER_400_YEARS 146097

/* ticks scaled to nanoseconds: (ticks << shift) * mul / 2^32, without losing high bits. */
static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    if (shift >= 0)
        ticks <<= shift;
    else
        ticks >>= -shift;
    return (uint64_t)(((unsigned __int128)ticks * mul) >> 32);
}

uint64_t time_system_ns(void)
{
    const volatile vcpu_time_info_t *t = &this_cpu()->info->time;
    uint32_t version;
    uint64_t ns;

    do {
        version = t->version;
        barrier();
        ns = t->system_time + scale(rdtsc() - t->tsc_timestamp, t->tsc_to_system_mul, t->tsc_shift);
        barrier();
    } while ((version & 1) || version != t->version);
    return ns;
}

uint64_t time_wall(uint32_t *ns)
{
    const volatile shared_info_t *s = shared_info;
    uint64_t seconds, nanoseconds;
    uint32_t version;

    do {
        version = s->wc_version;
        barrier();
        seconds = s->wc_sec | (uint64_t)s->wc_sec_hi << 32;
        nanoseconds = s->wc_nsec;
        barrier();
    } while ((version & 1) || version != s->wc_version);
    nanoseconds += time_system_ns();
    if (ns)
        *ns = (uint32_t)(nanoseconds % NS_PER_S);
    return seconds + nanoseconds / NS_PER_S;
}

/* Civil calendar from a day number: shift the year to start in March, so that the leap day is
 * its last day; then eras of 400 years, years of the era, and months by a linear formula. */
void time_to_date(uint64_t seconds, struct date *date)
{
    uint64_t days = seconds / 86400 + 719468; /* since 1 March of year 0 */
    uint64_t era = days / DAYS_PER_400_YEARS, doe = days % DAYS_PER_400_YEARS;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint64_t mp = (5 * doy + 2) / 153;

    date->day = (unsigned int)(doy - (153 * mp + 2) / 5 + 1);
    date->month = (unsigned int)(mp < 10 ? mp + 3 : mp - 9);
    date->year = (unsigned int)(yoe + era * 400 + (date->month <= 2));
    date->hour = (unsigned int)(seconds % 86400 / 3600);
    date->minute = (unsigned int)(seconds % 3600 / 60);
    date->second = (unsigned int)(seconds % 60);
}

static void timer_event(evtchn_port_t port, void *ctx)
{
    (void)port; /* being woken up is all */
    (void)ctx;
}

void time_init(void)
{
    unsigned int vcpu = this_cpu()->id;
    evtchn_port_t port;
    int rc;

    if (!has_hypercalls())
        return;
    rc = event_bind_virq(VIRQ_TIMER, vcpu, timer_event, NULL, &port);
    if (rc && rc != -XEN_EEXIST) /* one that begins anew has it still */
        panic("cannot bind VIRQ_TIMER of vCPU %u: %d", vcpu, rc);
    /* Some builders start the vCPU with a periodic timer. */
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, vcpu, NULL);
}

int time_set_deadline(uint64_t deadline_ns)
{
    return (int)HYPERVISOR_set_timer_op(deadline_ns);
}

/* Armed again before each sleep: what the guest reckons may be a little behind the processor whose
 * timer fired, and a timer fires once. */
void time_sleep_ns(uint64_t ns)
{
    uint64_t deadline = time_system_ns() + ns;
    bool enabled = events_disable();

    while (time_system_ns() < deadline) {
        int rc = time_set_deadline(deadline);

        BUG_ON(rc);
        sched_block();
        events_disable();
    }
    time_set_deadline(0);
    events_restore(enabled);
}
