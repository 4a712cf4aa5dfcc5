/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls as such: the lightest ones, several in one, timers, the scheduler, the console.
 */
#include <guest/kernel.h>
#include <guest/time.h>

#include "bench.h"

#define UNKNOWN_HYPERCALL 63
#define HOUR              3600000000000ul

static long op_unknown(unsigned int n)
{
    long all = -1;

    REPEAT(n, all &= hypercall0(UNKNOWN_HYPERCALL));
    return all < 0 ? 0 : -1; /* each was refused */
}

static long op_version(unsigned int n)
{
    return ASK(n, HYPERVISOR_xen_version(XENVER_version, NULL));
}

static long op_multicall(unsigned int n)
{
    multicall_entry_t calls[8];
    long all;

    memset(calls, 0, sizeof(calls));
    for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
        calls[i].op = __HYPERVISOR_xen_version; /* sub-operation 0 is XENVER_version */
    all = ASK(n, HYPERVISOR_multicall(calls, ARRAY_SIZE(calls)));
    for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
        all |= (long)calls[i].result;
    return all;
}

static long op_timer_cancel(unsigned int n)
{
    return ASK(n, HYPERVISOR_set_timer_op(0));
}

static uint64_t later;

static int prepare_later(void)
{
    later = time_system_ns() + HOUR;
    return 0;
}

static long op_timer_far(unsigned int n)
{
    return ASK(n, HYPERVISOR_set_timer_op(later));
}

static long op_singleshot_far(unsigned int n)
{
    vcpu_set_singleshot_timer_t shot = {.timeout_abs_ns = later};

    return ASK(n, HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &shot));
}

static long op_yield(unsigned int n)
{
    return ASK(n, HYPERVISOR_sched_op(SCHEDOP_yield, NULL));
}

static char blanks[64];

static int prepare_blanks(void)
{
    memset(blanks, ' ', sizeof(blanks));
    return 0;
}

static long op_console_1(unsigned int n)
{
    return ASK(n, HYPERVISOR_console_io(CONSOLEIO_write, 1, blanks));
}

static long op_console_64(unsigned int n)
{
    return ASK(n, HYPERVISOR_console_io(CONSOLEIO_write, sizeof(blanks), blanks));
}

/* clang-format off */
const struct bench call_rows[] = {
    {"hypercall_unknown",   op_unknown,        NULL, 0},
    {"xen_version",         op_version,        NULL, 0},
    {"multicall_8_version", op_multicall,      NULL, 0},
    {"set_timer_cancel",    op_timer_cancel,   NULL, 0},
    {"set_timer_far",       op_timer_far,      prepare_later, 0},
    {"set_singleshot_far",  op_singleshot_far, prepare_later, 0},
    {"sched_yield",         op_yield,          NULL, 0},
    {"console_io_1",        op_console_1,      prepare_blanks, 20},
    {"console_io_64",       op_console_64,     prepare_blanks, 20},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
