/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest has one handler for NMIs, whichever way it named it last. The callback for NMIs is
 * vector 2 of the trap table: registered, it takes the place of what the table had, and a table
 * that comes later takes its place. Taken back by either way, NMIs are lost.
 *
 * The handler of a callback is entered with events masked; that of the table, if its flags ask for
 * it.
 */
#include "test.h"

const char test_name[] = "nmi";

#define NMI        2
#define STUB_BYTES 16ul /* of an entry: pvguest/kernel/entry.asm */

extern char trap_entries[];

static unsigned int by_table, by_callback;
static unsigned int masked; /* were events, in the handler */

static bool table_entered(struct trap_regs *regs)
{
    (void)regs;
    by_table++;
    masked = this_cpu()->info->evtchn_upcall_mask;
    return true;
}

/* At the entry of breakpoints, which look the same. */
static bool callback_entered(struct trap_regs *regs)
{
    (void)regs;
    by_callback++;
    masked = this_cpu()->info->evtchn_upcall_mask;
    return true;
}

static unsigned long entry(unsigned int vector)
{
    return (unsigned long)trap_entries + vector * STUB_BYTES;
}

static long callback(unsigned long address)
{
    struct callback_register reg = {.type = CALLBACKTYPE_nmi, .address = address};

    return HYPERVISOR_callback_op(CALLBACKOP_register, &reg);
}

static void table(uint8_t flags)
{
    const struct trap_info traps[] = {{NMI, flags, FLAT_KERNEL_CS, entry(NMI)}, {0, 0, 0, 0}};

    CHECK_EQ(HYPERVISOR_set_trap_table(traps), 0, "vector 2 can be set");
}

static void sends(unsigned int wanted_table, unsigned int wanted_callback, const char *what)
{
    by_table = by_callback = 0;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL), 0, "an NMI can be sent");
    CHECK_EQ(by_table, wanted_table, what);
    CHECK_EQ(by_callback, wanted_callback, what);
}

static void the_last_one_counts(void)
{
    sends(1, 0, "the trap table's handler is called");
    CHECK_EQ(masked, 1, "with events masked, as it asks");
    CHECK_EQ(callback(entry(TRAP_BREAKPOINT)), 0, "a callback can be registered");
    sends(0, 1, "it takes the place of the trap table's");
    CHECK_EQ(masked, 1, "and is entered with events masked");
    table(0);
    sends(1, 0, "a trap table takes the place of the callback");
    CHECK_EQ(masked, 0, "and events are not masked where it does not ask for it");
    CHECK_EQ(callback(entry(TRAP_BREAKPOINT)), 0, "a callback can be registered again");
    CHECK_EQ(callback(0x0000800000000000ul), -XEN_EINVAL, "not at an address that is none");
    sends(0, 1, "it is called in place of the trap table's");
}

static void taken_back(void)
{
    struct callback_unregister none = {.type = CALLBACKTYPE_nmi};

    CHECK_EQ(HYPERVISOR_callback_op(CALLBACKOP_unregister, &none), 0, "it can be taken back");
    sends(0, 0, "an NMI is lost then");
    table(4);
    sends(1, 0, "until the trap table has a handler");
    CHECK_EQ(HYPERVISOR_callback_op(CALLBACKOP_unregister, &none), 0, "which goes likewise");
    sends(0, 0, "an NMI is lost then");
    table(4);
    CHECK_EQ(callback(0), 0, "a callback at 0 is none");
    sends(0, 0, "and takes the trap table's away");
    CHECK_EQ(callback(entry(TRAP_BREAKPOINT)), 0, "a callback can be registered");
    CHECK_EQ(HYPERVISOR_set_trap_table(NULL), 0, "all traps can be taken away");
    sends(0, 0, "the callback went with them");
}

void test_main(void)
{
    trap_set_handler(NMI, table_entered);
    trap_set_handler(TRAP_BREAKPOINT, callback_entered);
    events_enable();
    the_last_one_counts();
    taken_back();
}
