/* SPDX-License-Identifier: MIT */
/*
 * The machine layer on plain memory: RAM, console, and the rest of port/machine.h.
 *
 * RAM is one mapping, so that the sanitizer sees every access, and core poisons what is free
 * (port/sanitize.h). The direct map is that mapping. CPUs and time are in cpus.c, TLBs in tlb.c.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <core/base/log.h>
#include <parvis/speculation.h>
#include <port/sanitize.h>
#include <core/frame/m2p.h>

static char *ram;
static size_t ram_size;
unsigned int host_stops;
enum stop_kind host_stop_kind;
void (*host_on_stop)(void);
void (*host_on_panic)(const char *text);
char host_console[65536];
unsigned int host_console_room = ~0u;
bool host_console_interrupts;
unsigned int host_console_len;
static const char *input = "";

void host_memory_init(uint64_t frames);
void host_memory_init(uint64_t frames)
{
    if (ram) {
        sanitize_unpoison(ram, ram_size);
        munmap(ram, ram_size);
    }
    ram_size = frames * PAGE_SIZE;
    ram = mmap(NULL, ram_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    frame_map = ram;
    free(frame_table);
    free(machine_to_phys);
    max_mfn = frames - 1;
    frame_table = calloc(frames, sizeof(*frame_table));
    machine_to_phys = malloc(frames * sizeof(*machine_to_phys));
    if (ram == MAP_FAILED || !frame_table || !machine_to_phys)
        abort();
    memset(machine_to_phys, 0xff, frames * sizeof(*machine_to_phys));
    host_stops = host_console_len = 0;
    host_on_stop = NULL;
    host_on_panic = NULL;
    input = "";
}

char *frame_map;
uint64_t *machine_to_phys;
uint64_t *hv_l4;

mfn_t frame_of(const void *mapped)
{
    BUG_ON((const char *)mapped < ram || (const char *)mapped >= ram + ram_size);
    return MFN((uint64_t)((const char *)mapped - ram) / PAGE_SIZE);
}

s_time_t clock_at(uint64_t ticks)
{
    return (s_time_t)(ticks / 2);
}

void clock_scale(uint32_t *mul, int8_t *shift)
{
    *mul = 0x80000000u;
    *shift = 0;
}

uint64_t clock_khz(void)
{
    return 2000000;
}

bool host_clock_stable = true;
s_time_t clock_told_holds = SECONDS(1);

bool clock_stable(void)
{
    return host_clock_stable;
}

uint64_t clock_wall_at_zero(void)
{
    return 1700000000ull * 1000000000ull;
}

uint32_t machine_apic_id(unsigned int cpu)
{
    return cpu * 2;
}

uint32_t machine_acpi_id(unsigned int cpu)
{
    return cpu + 1;
}

/* Two threads a core, two cores a socket. */
void machine_cpu_place(unsigned int cpu, uint32_t *core, uint32_t *socket)
{
    *core = cpu / 2 % 2;
    *socket = cpu / 4;
}

void machine_cpu_features(uint32_t *words, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        words[i] = 0x1000 + i;
}

uint64_t absent_frame_bits;

bool isolating, host_isolation_lacked;

bool isolation_lacked(gva_t va)
{
    (void)va;
    return host_isolation_lacked;
}

void machine_speculation(struct parvis_sysctl_speculation *out)
{
    *out = (struct parvis_sysctl_speculation){.affected = 7, .open = 2, .measures = 12};
}

bool machine_efi(struct machine_efi *out)
{
    *out = (struct machine_efi){.tables = 0x1000, .version = 2 << 16 | 70, .nr_tables = 3};
    return true;
}

void machine_sync_fpu(struct vcpu *v)
{
    (void)v;
}

/* The first 16 frames play the devices' part. */
bool iomem_access_permitted(const struct domain *d, mfn_t mfn)
{
    return d->is_control && mfn.n >= 8 && mfn.n < 16;
}

bool ioport_access_permitted(const struct domain *d, unsigned int port, unsigned int bytes)
{
    return d->is_control && port + bytes <= 0x400;
}

bool machine_console_putc(char c)
{
    if (!host_console_room)
        return false;
    host_console_room--;
    if (host_console_len < sizeof(host_console) - 1) {
        host_console[host_console_len++] = c;
        host_console[host_console_len] = 0;
    }
    return true;
}

void machine_console_interrupts(bool on)
{
    host_console_interrupts = on;
}

int machine_console_getc(void)
{
    return *input ? (unsigned char)*input++ : -1;
}

void host_type(const char *s)
{
    input = s;
}

void machine_stop(enum stop_kind kind)
{
    host_stops++;
    host_stop_kind = kind;
    if (host_on_stop)
        host_on_stop();
    fprintf(stderr, "machine_stop(%d)\n", kind);
    abort();
}

void panic(const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (host_on_panic)
        host_on_panic(text);
    fprintf(stderr, "panic: %s\n", text);
    abort();
}
