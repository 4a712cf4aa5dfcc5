/* SPDX-License-Identifier: MIT */
/*
 * A TCG plugin for QEMU: how often instructions are executed that cost a real CPU more than others.
 *
 * An instruction is one tick under -icount, be it an addition or a VMRUN. What the plugin counts
 * between the two marks of a run (linux-ops, tests/bench/linux/main.c) says how many of a run's
 * instructions were which of those that cross between rings, between guest and hypervisor, or that
 * flush. It looks at opcodes alone, so it counts the same without a hypervisor, on Parvis and on
 * Xen, and needs the help of none of them.
 *
 * An exception or an interrupt has no opcode; each of them, and each SYSCALL and INT, ends by an
 * IRET or a SYSRET, which have: the difference is their number. An instruction that faults is
 * counted as if it had been executed.
 *
 * QEMU's own TLB is no CPU's. What a CPU would have to walk page tables for is told by one that is
 * simulated beside (tlb.c), of each access to memory and each page that is executed.
 *
 * Argument: out=FILE, written whenever a run ends: a line a run, `NAME=TIMES`
 * for each of NAMES. On one CPU.
 *
 * The declarations are those of the plugin interface of QEMU 7.2 (version 1), whose header is not
 * in Debian's packages.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlb.h"

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };
typedef void (*qemu_plugin_tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_exec_cb)(unsigned int vcpu, void *arg);
typedef void (*qemu_plugin_mem_cb)(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                                   void *arg);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_trans_cb fn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                enum qemu_plugin_op op, void *to, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb fn,
                                            enum qemu_plugin_cb_flags flags, void *arg);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_mem_cb fn,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *arg);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                               char **argv);

#define MOST_BYTES 15
#define PAGE       4096

/* What is counted: INSTRUCTIONS is all of them; WALKS and WALKS_4K are tlb.c's, by size. */
/* clang-format off */
#define NAMES(X) \
    X(instructions) X(syscall) X(sysret) X(iret) X(int) X(swapgs) X(cr0) X(cr3) X(cr4) X(invlpg) \
    X(invpcid) X(vmrun) X(rdmsr) X(wrmsr) X(cpuid) X(rdtsc) X(port) X(hlt) X(walks) X(walks_4k)
/* clang-format on */
#define ENUM(name)   EVENT_##name,
#define STRING(name) #name,
enum event { NAMES(ENUM) NR_EVENTS, NONE = NR_EVENTS };
static const char *const names[] = {NAMES(STRING)};

static uint64_t now[NR_EVENTS], begin[NR_EVENTS];
static FILE *out;

static enum event system_event(const uint8_t *at, bool memory)
{
    switch (at[2]) {
    case 0xd8:
        return EVENT_vmrun;
    case 0xf8:
        return EVENT_swapgs;
    case 0xf9:
        return EVENT_rdtsc;
    default:
        return memory && (at[2] >> 3 & 7) == 7 ? EVENT_invlpg : NONE;
    }
}

static enum event control_register(uint8_t modrm)
{
    switch (modrm >> 3 & 7) {
    case 0:
        return EVENT_cr0;
    case 3:
        return EVENT_cr3;
    case 4:
        return EVENT_cr4;
    default:
        return NONE;
    }
}

/* Those whose opcode begins with 0f; padded to three bytes. */
static enum event of_two_bytes(const uint8_t *at)
{
    switch (at[1]) {
    case 0x01:
        return system_event(at, at[2] < 0xc0);
    case 0x05:
        return EVENT_syscall;
    case 0x06:
        return EVENT_cr0;
    case 0x07:
        return EVENT_sysret;
    case 0x22:
        return control_register(at[2]);
    case 0x30:
        return EVENT_wrmsr;
    case 0x31:
        return EVENT_rdtsc;
    case 0x32:
        return EVENT_rdmsr;
    case 0x38:
        return at[2] == 0x82 ? EVENT_invpcid : NONE;
    case 0xa2:
        return EVENT_cpuid;
    default:
        return NONE;
    }
}

static bool is_prefix(uint8_t byte)
{
    return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || (byte & 0xf0) == 0x40;
}

static enum event event_of(const uint8_t *at)
{
    while (is_prefix(*at))
        at++;
    switch (*at) {
    case 0x0f:
        return of_two_bytes(at);
    case 0xcc:
    case 0xcd:
        return EVENT_int;
    case 0xcf:
        return EVENT_iret;
    case 0xf4:
        return EVENT_hlt;
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x6f:
    case 0xe4:
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
        return EVENT_port;
    default:
        return NONE;
    }
}

static void tell_walks(void)
{
    now[EVENT_walks] = tlb_walks[TLB_LARGE];
    now[EVENT_walks_4k] = tlb_walks[TLB_SMALL];
}

static void begins(unsigned int vcpu, void *none)
{
    (void)vcpu, (void)none;
    tell_walks();
    memcpy(begin, now, sizeof(begin));
}

static void ends(unsigned int vcpu, void *none)
{
    (void)vcpu, (void)none;
    tell_walks();
    for (unsigned int i = 0; i < NR_EVENTS; i++)
        fprintf(out, "%s=%" PRIu64 "%c", names[i], now[i] - begin[i],
                i + 1 < NR_EVENTS ? ' ' : '\n');
    fflush(out);
}

/* The no-ops of linux-ops: nopl NUMBER(%rax). */
static bool is_mark(const uint8_t *at, uint32_t number)
{
    return !memcmp(at, (const uint8_t[]){0x0f, 0x1f, 0x80}, 3) && !memcmp(at + 3, &number, 4);
}

static void executed(unsigned int vcpu, void *address)
{
    (void)vcpu;
    tlb_access((uint64_t)address);
}

static void accessed(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *none)
{
    (void)vcpu, (void)info, (void)none;
    tlb_access(address);
}

static void loads_cr3(unsigned int vcpu, void *address)
{
    (void)vcpu;
    tlb_load_cr3((uint64_t)address);
}

static void flushes(unsigned int vcpu, void *none)
{
    (void)vcpu, (void)none;
    tlb_flush();
}

static void call(struct qemu_plugin_insn *insn, qemu_plugin_exec_cb fn, uint64_t arg)
{
    qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, QEMU_PLUGIN_CB_NO_REGS, (void *)arg);
}

static void add_one(struct qemu_plugin_insn *insn, enum event event)
{
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &now[event], 1);
}

static void watch(struct qemu_plugin_insn *insn, uint64_t at)
{
    uint8_t bytes[MOST_BYTES + 3] = {0};
    enum event event;

    memcpy(bytes, qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
    if (is_mark(bytes, 0x6f705f62))
        call(insn, begins, 0);
    if (is_mark(bytes, 0x6f705f65))
        call(insn, ends, 0);
    add_one(insn, EVENT_instructions);
    event = event_of(bytes);
    if (event != NONE)
        add_one(insn, event);
    if (event == EVENT_cr3)
        call(insn, loads_cr3, at);
    if (event == EVENT_cr4 || event == EVENT_invpcid)
        call(insn, flushes, 0);
    qemu_plugin_register_vcpu_mem_cb(insn, accessed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                     NULL);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    uint64_t page = ~0ull;

    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t at = qemu_plugin_insn_vaddr(insn);

        if (at / PAGE != page) { /* the first one, or beyond the end of a page */
            page = at / PAGE;
            call(insn, executed, at);
        }
        watch(insn, at);
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                               char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4))
        return -1;
    out = fopen(argv[0] + 4, "w");
    if (!out)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
