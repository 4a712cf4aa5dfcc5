/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of a PV guest.
 *
 * A PV guest has no IDT. It hands the hypervisor a table of (vector, address, flags) with
 * set_trap_table; an exception that the processor raises in the guest is then "bounced": the
 * hypervisor pushes a frame on the guest kernel's stack and goes on at the address. The low two
 * bits of flags say from which ring `int n` may raise the vector (3: applications too); bit 2
 * says that events are masked on entry, which is asked for all of them here: a handler runs
 * undisturbed, and its return unmasks.
 *
 * Events, the failsafe callback and system calls of applications come through callbacks, which
 * callback_op registers. entry.asm makes all of them look alike.
 */
#include <guest/console.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/traps.h>
#include <guest/user.h>

#define VECTORS          32
#define FLAT_KERNEL_CS   FLAT_KERNEL_CS64
#define ENTRY_STUB_SIZE  16 /* entry.asm */
#define TRAP_MASK_EVENTS 4

extern char trap_entries[], event_entry[], failsafe_entry[], syscall_entry[];
extern char trap_catch_landing[];
int trap_catch_call(struct trap_catch *c, void (*fn)(void *), void *arg);
void trap_dispatch(struct trap_regs *regs);

static trap_handler_t handlers[VECTOR_COUNT];

static const char *const names[VECTOR_COUNT] = {
    [TRAP_DIVIDE] = "divide error",
    [TRAP_DEBUG] = "debug",
    [TRAP_BREAKPOINT] = "breakpoint",
    [TRAP_OVERFLOW] = "overflow",
    [TRAP_BOUNDS] = "bounds",
    [TRAP_INVALID_OP] = "invalid opcode",
    [TRAP_NO_DEVICE] = "device not available",
    [TRAP_INVALID_TSS] = "invalid TSS",
    [TRAP_NO_SEGMENT] = "segment not present",
    [TRAP_STACK] = "stack fault",
    [TRAP_GP] = "general protection",
    [TRAP_PAGE_FAULT] = "page fault",
    [TRAP_FPU] = "x87 error",
    [TRAP_ALIGNMENT] = "alignment check",
    [TRAP_SIMD] = "SIMD error",
    [VECTOR_FAILSAFE] = "failsafe callback",
    [VECTOR_SYSCALL] = "system call",
};

const char *trap_name(unsigned int vector)
{
    return vector < VECTOR_COUNT && names[vector] ? names[vector] : "exception";
}

uint64_t trap_fault_address(void)
{
    return is_pv() ? this_cpu()->info->arch.cr2 : read_cr2();
}

void trap_set_handler(unsigned int vector, trap_handler_t handler)
{
    BUG_ON(vector >= VECTOR_COUNT);
    handlers[vector] = handler;
}

bool trap_catch(struct trap_catch *c, void (*fn)(void *arg), void *arg)
{
    struct percpu *cpu = this_cpu();
    struct trap_catch *outer = cpu->catching;
    int caught;

    cpu->catching = c;
    caught = trap_catch_call(c, fn, arg);
    cpu->catching = outer;
    return caught;
}

/* Sends the interrupted code to the end of the innermost trap_catch(). */
static bool leave_catch(struct trap_regs *regs)
{
    struct trap_catch *c = this_cpu()->catching;

    if (!c || regs->vector == VECTOR_EVENT || !trap_from_kernel(regs))
        return false;
    c->vector = (unsigned int)regs->vector;
    c->error = regs->error;
    c->rip = regs->rip;
    c->cr2 = trap_fault_address();
    regs->rip = (uint64_t)trap_catch_landing;
    regs->rsp = c->rsp; /* an event may come before the landing takes it */
    regs->rdi = (uint64_t)c;
    return true;
}

/* Called by entry.asm. */
void trap_dispatch(struct trap_regs *regs)
{
    if (handlers[regs->vector] && handlers[regs->vector](regs))
        return;
    if (leave_catch(regs) || user_leave(regs))
        return;
    console_dying();
    printf("\nUNHANDLED %s (vector %lu, error 0x%lx)", trap_name((unsigned int)regs->vector),
           regs->vector, regs->error);
    if (regs->vector == TRAP_PAGE_FAULT)
        printf(" at address 0x%lx", trap_fault_address());
    printf("\n");
    trap_print_regs(regs);
    backtrace_print(regs->rip, regs->rbp);
    shutdown_domain(SHUTDOWN_crash);
}

static bool handle_event(struct trap_regs *regs)
{
    (void)regs;
    events_dispatch();
    return true;
}

static void register_callback(uint16_t type, const char *entry, uint16_t flags)
{
    struct callback_register reg = {
        .type = type,
        .flags = flags,
        .address = (unsigned long)entry,
    };
    long rc = HYPERVISOR_callback_op(CALLBACKOP_register, &reg);

    if (rc)
        panic("callback %u refused: %ld", type, rc);
}

void traps_init(void)
{
    trap_info_t table[VECTORS + 1];
    long rc;

    handlers[VECTOR_EVENT] = handle_event;
    if (!is_pv())
        return;
    memset(table, 0, sizeof(table));
    for (unsigned int i = 0; i < VECTORS; i++) {
        table[i].vector = (uint8_t)i;
        table[i].flags = TRAP_MASK_EVENTS;
        table[i].cs = FLAT_KERNEL_CS;
        table[i].address = (unsigned long)(trap_entries + i * ENTRY_STUB_SIZE);
    }
    /* int3 and into are for applications as well. */
    table[TRAP_BREAKPOINT].flags |= 3;
    table[TRAP_OVERFLOW].flags |= 3;
    rc = HYPERVISOR_set_trap_table(table); /* the all-zero entry ends the table */
    if (rc)
        panic("trap table refused: %ld", rc);
    register_callback(CALLBACKTYPE_event, event_entry, 0);
    register_callback(CALLBACKTYPE_failsafe, failsafe_entry, CALLBACKF_mask_events);
    register_callback(CALLBACKTYPE_syscall, syscall_entry, CALLBACKF_mask_events);
}
