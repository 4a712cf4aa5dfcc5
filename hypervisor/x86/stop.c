/* SPDX-License-Identifier: MIT */
/*
 * Ends: panic, power off, reboot, and the crash that a test can see.
 *
 * What is not an ordinary end is told to QEMU's debug-exit port when parvis.cfg names it; then, or
 * where no such port answers, the machine is switched off: what was said is on the console. Where
 * ACPI cannot do it the CPU halts for good. Nothing here allocates, and a panic waits for no lock.
 *
 * One CPU ends the machine, whoever asks first. It stops the others by NMI, so that nobody changes
 * what is to be told, and only then takes locks no more: who held one stands still. After a panic
 * it lets them tell where they were, one after another; one that does not answer is named. A CPU
 * that comes to an end of its own meanwhile stands still too, and says it when its turn comes.
 */
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>

#include "acpi.h"
#include "insn.h"
#include "stop.h"
#include "x86.h"

uint16_t debug_exit_port;

#define PORT_RESET           0xcf9
#define RESET_FULL           0x06
#define PORT_KEYBOARD        0x64
#define KEYBOARD_PULSE_RESET 0xfe

enum { RUNS, STANDS, HAS_TOLD }; /* struct arch_cpu.stopped */

#define PATIENCE SECONDS(2) /* with all of them, and with each that tells */

#define BY_PANIC 0x100u
static uint32_t ender = NO_CPU; /* who ends the machine, and whether by a panic: then all tell */
static uint32_t turn = NO_CPU;  /* who of the others may tell */

void halt_for_good(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* True: it came there within our patience. */
static bool wait_until(struct cpu *c, uint32_t stopped, uint64_t since)
{
    while (__atomic_load_n(&c->arch.stopped, __ATOMIC_ACQUIRE) < stopped) {
        if (clock_ticks() - since > clock_ticks_for(PATIENCE))
            return false;
        cpu_relax();
    }
    return true;
}

static void stop_others(uint32_t me)
{
    unsigned int n = machine_nr_cpus();
    uint64_t since = clock_ticks();

    for (unsigned int i = 0; i < n; i++)
        if (i != me)
            apic_send_ipi(machine_apic_id(i), IPI_NMI);
    for (unsigned int i = 0; i < n; i++)
        if (i != me)
            (void)wait_until(cpu_by_id(i), STANDS, since);
    ignore_locks();
    console_queue(false);
}

static void let_others_tell(uint32_t me)
{
    for (unsigned int i = 0; i < machine_nr_cpus(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (i == me)
            continue;
        __atomic_store_n(&turn, i, __ATOMIC_RELEASE);
        if (READ_ONCE(c->arch.stopped) == RUNS || !wait_until(c, HAS_TOLD, clock_ticks()))
            log_error("CPU %u does not answer", i);
    }
}

bool machine_ends(void)
{
    return READ_ONCE(ender) != NO_CPU;
}

static bool is_ender(void)
{
    return (READ_ONCE(ender) & ~BY_PANIC) == this_cpu()->id;
}

void begin_end(bool is_panic)
{
    struct cpu *c = this_cpu();
    uint32_t was = cmpxchg(&ender, NO_CPU, c->id | (is_panic ? BY_PANIC : 0));

    if (was == NO_CPU) {
        stop_others(c->id);
    } else if (!is_ender()) {
        __atomic_store_n(&c->arch.stopped, STANDS, __ATOMIC_RELEASE);
        if (!(was & BY_PANIC))
            halt_for_good();
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != c->id)
            cpu_relax();
    }
}

void tell_where(const struct cpu_user_regs *regs)
{
    const struct vcpu *v = current;

    /* An NMI of the machine's own came upon who ends it or stands already. */
    if (is_ender() || READ_ONCE(this_cpu()->arch.stopped) != RUNS)
        return;
    begin_end(true);
    if (is_idle(v))
        log_error("CPU %u was idle", this_cpu()->id);
    else
        log_error("CPU %u was in %s d%uv%u, rip %#lx", this_cpu()->id,
                  regs->cs & 3 ? "the guest" : "the hypervisor for", v->domain->domain_id,
                  v->vcpu_id, regs->rip);
    if (!(regs->cs & 3))
        dump_stack(regs->rip, regs->rbp);
    machine_stop(STOP_PANIC);
}

static void reboot(void)
{
    acpi_reset();
    outb(PORT_RESET, 0x02);
    outb(PORT_RESET, RESET_FULL);
    wait_a_moment();
    outb(PORT_KEYBOARD, KEYBOARD_PULSE_RESET);
    wait_a_moment();
    /* The last way that always works: an exception with no table to look in. */
    lidt(&(struct table_pointer){.limit = 0, .base = 0});
    __asm__ volatile("int3");
}

void machine_stop(enum stop_kind kind)
{
    static bool heard, tried;

    cli();
    begin_end(kind == STOP_PANIC);
    if (!is_ender()) {
        __atomic_store_n(&this_cpu()->arch.stopped, HAS_TOLD, __ATOMIC_RELEASE);
        halt_for_good();
    }
    if ((ender & BY_PANIC) && !heard) {
        heard = true; /* a fault while they tell does not begin it anew */
        let_others_tell(this_cpu()->id);
    }
    uart_drain(); /* what was said last is what one wants to know */
    /* A real machine has something else there, or nothing, which reads as 0xff: leave it alone. */
    if (kind != STOP_POWEROFF && kind != STOP_REBOOT && debug_exit_port &&
        inb(debug_exit_port) == 0)
        outb(debug_exit_port, (uint8_t)kind);
    if (kind == STOP_REBOOT)
        reboot();
    if (!tried) {
        tried = true; /* which may panic: without memory it has no page tables to look for ACPI */
        acpi_power_off();
    }
    log_error("halted: this machine cannot be switched off by ACPI");
    halt_for_good();
}

void panic(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    begin_end(true);
    log_error("panic: %s", text);
    dump_stack((uint64_t)__builtin_return_address(0), *(uint64_t *)__builtin_frame_address(0));
    machine_stop(STOP_PANIC);
}
