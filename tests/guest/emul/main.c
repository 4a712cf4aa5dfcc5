/* SPDX-License-Identifier: MIT */
/*
 * Shows: privileged instructions of the guest kernel are carried out for it where the ABI says
 * so, and fault where it does not.
 *
 * The kernel runs in ring 3, so each of them traps; what is emulated is a short list (CPUID by the
 * forced-emulation prefix, MSRs, control and debug registers, port I/O, CLTS; stores of the CPU's
 * tables, where it has UMIP). Everything else is a general-protection fault of the guest.
 *
 * XSA-12 and XSA-444 (debug registers), XSA-193 (non-canonical bases), XSA-333 (MISC_ENABLE),
 * XSA-351 (energy counters).
 */
#include <guest/user.h>

#include "test.h"

const char test_name[] = "emul";

#define MSR_EFER            0xc0000080u
#define MSR_FS_BASE         0xc0000100u
#define MSR_MISC_ENABLE     0x1a0u
#define MSR_RAPL_POWER_UNIT 0x606u
#define MSR_PKG_ENERGY      0x611u
#define NONCANONICAL        0x0000800000000000ul

#define CR0_PE 1ul
#define CR0_TS 8ul
#define CR0_PG (1ul << 31)

#define CPUID7_ECX_UMIP 4u

struct msr {
    uint32_t index;
    uint64_t value;
};

static void do_rdmsr(void *arg)
{
    struct msr *m = arg;
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(m->index));
    m->value = (uint64_t)high << 32 | low;
}

static void do_wrmsr(void *arg)
{
    struct msr *m = arg;

    __asm__ volatile("wrmsr"
                     :
                     : "a"((uint32_t)m->value), "d"((uint32_t)(m->value >> 32)), "c"(m->index));
}

static int rdmsr(uint32_t index, uint64_t *value)
{
    struct msr m = {.index = index};
    int vector = probe_call(do_rdmsr, &m, NULL);

    if (value)
        *value = m.value;
    return vector;
}

static int wrmsr(uint32_t index, uint64_t value)
{
    struct msr m = {.index = index, .value = value};

    return probe_call(do_wrmsr, &m, NULL);
}

static void msrs(void)
{
    uint64_t value = 0, target = 0x1122334455667788ul, seen = 0;

    CHECK_EQ(rdmsr(MSR_EFER, &value), -1, "EFER can be read");
    CHECK((value & 0x500) == 0x500, "and says long mode");
    CHECK_EQ(wrmsr(MSR_FS_BASE, (uint64_t)&target), -1, "the FS base can be written");
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    CHECK_EQ(seen, target, "and works");
    CHECK_EQ(rdmsr(MSR_FS_BASE, &value), -1, "and read back");
    CHECK_EQ(value, (uint64_t)&target, "with the same value");
    CHECK_EQ(wrmsr(MSR_FS_BASE, NONCANONICAL), TRAP_GP, "XSA-193: a non-canonical base faults");
    CHECK_EQ(rdmsr(0xdeadbeef, NULL), TRAP_GP, "an MSR that does not exist faults");
    CHECK_EQ(wrmsr(0xdeadbeef, 0), TRAP_GP, "to write, too");
    CHECK_EQ(rdmsr(MSR_RAPL_POWER_UNIT, NULL), TRAP_GP,
             "XSA-351: energy counters are not for guests");
    CHECK_EQ(rdmsr(MSR_PKG_ENERGY, NULL), TRAP_GP, "none of them");
    wrmsr(MSR_MISC_ENABLE, 1);
    CHECK(HYPERVISOR_xen_version(XENVER_version, NULL) > 0, "XSA-333: MISC_ENABLE does no harm");
    wrmsr(MSR_FS_BASE, 0);
}

static void forced_cpuid(uint32_t leaf, uint32_t *regs)
{
    __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                     : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
                     : "0"(leaf), "2"(0));
}

static void cpuid(void)
{
    uint32_t r[4];
    char name[13];

    forced_cpuid(0x40000000, r);
    memcpy(name, &r[1], 12);
    name[12] = '\0';
    CHECK(!strcmp(name, "XenVMMXenVMM"), "the hypervisor leaf carries the name of the ABI");
    CHECK(r[0] >= 0x40000002, "and says how many leaves there are");
    forced_cpuid(0x40000001, r);
    CHECK_EQ(r[0], HYPERVISOR_xen_version(XENVER_version, NULL),
             "the version agrees with the hypercall");
    forced_cpuid(0, r);
    CHECK(r[0] >= 1, "basic leaves are there");
    forced_cpuid(1, r);
    CHECK(r[3] & 1, "with an FPU");
    CHECK(!(r[3] & (1 << 12)), "and without what a PV guest cannot use: MTRRs");
    forced_cpuid(0x80000001, r);
    CHECK(r[3] & (1 << 29), "long mode");
}

static void do_cli(void *arg)
{
    (void)arg;
    __asm__ volatile("cli");
}

static void do_hlt(void *arg)
{
    (void)arg;
    __asm__ volatile("hlt");
}

static void do_lgdt(void *arg)
{
    __asm__ volatile("lgdt (%0)" : : "r"(arg));
}

static void do_ltr(void *arg)
{
    __asm__ volatile("ltr %w0" : : "r"(arg));
}

static void refused(void)
{
    static char zeros[16];

    CHECK_EQ(probe_call(do_cli, NULL, NULL), TRAP_GP, "cli");
    CHECK_EQ(probe_call(do_hlt, NULL, NULL), TRAP_GP, "hlt");
    CHECK_EQ(probe_call(do_lgdt, zeros, NULL), TRAP_GP, "lgdt");
    CHECK_EQ(probe_call(do_ltr, NULL, NULL), TRAP_GP, "ltr");
}

struct __attribute__((packed)) table {
    uint16_t limit;
    uint64_t base;
};

static void do_store_tables(void *arg)
{
    struct table *table = arg;

    __asm__ volatile("sgdt %0" : "=m"(table[0]));
    __asm__ volatile("sidt %0" : "=m"(table[1]));
}

static void do_store_selectors(void *arg)
{
    uint64_t *value = arg;

    __asm__ volatile("sldt %0" : "=r"(value[0]));
    __asm__ volatile("str %0" : "=r"(value[1]));
    __asm__ volatile("smsw %0" : "=r"(value[2]));
}

/* sidt -16(%rsp); mov -14(%rsp), %rax; ud2 */
static const uint8_t code_sidt[] = {0x0f, 0x01, 0x4c, 0x24, 0xf0, 0x48,
                                    0x8b, 0x44, 0x24, 0xf2, 0x0f, 0x0b};

/* The CPU's own tables, which are the hypervisor's, are not shown where the CPU can hide them. */
static void tables_of_the_cpu(void)
{
    struct trap_regs regs = {.rip = USER_CODE, .rsp = USER_STACK_TOP, .rflags = RFLAGS_IF};
    struct table table[2] = {{1, 1}, {1, 1}};
    uint64_t value[3] = {1, 1, 0};
    uint32_t a = 7, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    CHECK_EQ(probe_call(do_store_tables, table, NULL), -1, "sgdt and sidt");
    CHECK_EQ(probe_call(do_store_selectors, value, NULL), -1, "sldt, str and smsw");
    CHECK((value[2] & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG), "which says paging");
    NEED(!user_load(code_sidt, sizeof(code_sidt)));
    CHECK_EQ(user_run(&regs), TRAP_INVALID_OP, "sidt of an application");
    if (!(c & CPUID7_ECX_UMIP))
        return;
    printf("this CPU has UMIP\n");
    CHECK(!table[0].limit && !table[0].base && !table[1].limit && !table[1].base, "no table");
    CHECK_EQ(value[0] | value[1], 0, "no LDT and no task");
    CHECK_EQ(regs.rax, 0, "nor for an application");
}

static uint64_t cr_value;

static void do_read_cr0(void *arg)
{
    (void)arg;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr_value));
}

static void do_write_cr0(void *arg)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(arg));
}

static void do_read_cr2(void *arg)
{
    (void)arg;
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr_value));
}

static void do_read_cr3(void *arg)
{
    (void)arg;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr_value));
}

static void do_clts(void *arg)
{
    (void)arg;
    __asm__ volatile("clts");
}

static void control_registers(void)
{
    uint64_t cr0;

    CHECK_EQ(probe_call(do_read_cr0, NULL, NULL), -1, "CR0 can be read");
    cr0 = cr_value;
    CHECK((cr0 & (CR0_PE | CR0_PG)) == (CR0_PE | CR0_PG), "and says protected mode and paging");
    CHECK_EQ(probe_call(do_write_cr0, (void *)(cr0 | CR0_TS), NULL), -1, "TS can be set");
    probe_call(do_read_cr0, NULL, NULL);
    CHECK(cr_value & CR0_TS, "and shows");
    CHECK_EQ(probe_call(do_clts, NULL, NULL), -1, "clts clears it");
    probe_call(do_read_cr0, NULL, NULL);
    CHECK_EQ(cr_value & CR0_TS, 0, "and that shows");
    CHECK_EQ(probe_call(do_write_cr0, (void *)(cr0 & ~CR0_PG), NULL), TRAP_GP,
             "paging cannot be turned off");
    CHECK_EQ(probe_read((void *)0x10000, NULL), TRAP_PAGE_FAULT, "a fault");
    CHECK_EQ(probe_call(do_read_cr2, NULL, NULL), -1, "CR2 can be read");
    CHECK_EQ(cr_value, 0x10000, "and is the address");
    CHECK_EQ(probe_call(do_read_cr3, NULL, NULL), -1, "CR3 can be read");
    CHECK_EQ(cr_value >> PAGE_SHIFT, virt_to_mfn(pt_root), "and is the root's frame");
}

static uint8_t port_value;

static void do_in(void *arg)
{
    __asm__ volatile("inb %w1, %0" : "=a"(port_value) : "d"(arg));
}

static void do_out(void *arg)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(0), "d"(arg));
}

static void ports(void)
{
    physdev_set_iopl_t iopl = {.iopl = 1};

    CHECK_EQ(probe_call(do_in, (void *)0x80, NULL), TRAP_GP, "without I/O privilege a port faults");
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0,
             "the kernel may raise its own level");
    CHECK_EQ(probe_call(do_in, (void *)0x80, NULL), -1, "then a port answers");
    CHECK_EQ(port_value, 0xff, "as if nothing were there");
    CHECK_EQ(probe_call(do_out, (void *)0x80, NULL), -1, "and takes anything");
    iopl.iopl = 4;
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), -XEN_EINVAL, "there is no level 4");
    iopl.iopl = 0;
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0, "lowered");
    CHECK_EQ(probe_call(do_in, (void *)0x80, NULL), TRAP_GP, "and the port faults again");
}

/* in $0x80, %al; ud2 */
static const uint8_t code_in[] = {0xe4, 0x80, 0x0f, 0x0b};
static const uint8_t code_cli[] = {0xfa, 0x0f, 0x0b};

static unsigned int run(const uint8_t *code, size_t len, uint64_t rflags, struct trap_regs *regs)
{
    *regs = (struct trap_regs){.rip = USER_CODE, .rsp = USER_STACK_TOP, .rflags = rflags};
    BUG_ON(user_load(code, len));
    return user_run(regs);
}

static unsigned int run_in(uint64_t rflags)
{
    struct trap_regs regs;
    unsigned int vector = run(code_in, sizeof(code_in), rflags, &regs);

    CHECK(vector != TRAP_INVALID_OP || (regs.rax & 0xff) == 0xff, "a port that nobody has");
    return vector;
}

/* Applications: the bitmap lies in the kernel's memory, which is not in their page table. */
static void ports_of_applications(void)
{
    physdev_set_iopl_t iopl = {.iopl = 3};
    uint8_t *bits = test_page();
    physdev_set_iobitmap_t map = {.nr_ports = 0x100};

    memset(bits, 0xff, PAGE_SIZE);
    set_xen_guest_handle(map.bitmap, bits);
    CHECK_EQ(run_in(0), TRAP_GP, "an application may not reach a port");
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &map), 0, "a bitmap of ports");
    CHECK_EQ(run_in(0), TRAP_GP, "where all are forbidden");
    bits[0x80 / 8] = 0xfe;
    CHECK_EQ(run_in(0), TRAP_INVALID_OP, "one is allowed, and works");
    bits[0x80 / 8] = 0xfd;
    CHECK_EQ(run_in(0), TRAP_GP, "another is");
    bits[0x80 / 8] = 0xfe;
    map.nr_ports = 0x80;
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &map), 0, "a shorter bitmap");
    CHECK_EQ(run_in(0), TRAP_GP, "says nothing of ports beyond");
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0, "level 3");
    CHECK_EQ(run_in(0), TRAP_INVALID_OP, "opens all of them");
    iopl.iopl = 0;
    CHECK_EQ(HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0, "level 0");
    CHECK_EQ(run_in(3ul << 12), TRAP_GP, "the level in a frame says nothing");
}

/* VMASST_TYPE_architectural_iopl: the level is in the frames, as on hardware, and level 0 is enough
 * for the kernel. */
static void architectural_iopl(void)
{
    struct trap_regs regs;

    CHECK_EQ(probe_call(do_cli, NULL, NULL), TRAP_GP, "cli of a kernel with level 0");
    CHECK_EQ(HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), 0,
             "an architectural I/O privilege level");
    CHECK_EQ(probe_call(do_cli, NULL, NULL), -1, "cli at level 0, then");
    CHECK_EQ(probe_call(do_in, (void *)0x80, NULL), -1, "and a port");
    CHECK_EQ(run_in(3ul << 12 | RFLAGS_IF), TRAP_INVALID_OP, "iret gives an application level 3");
    CHECK_EQ(run_in(2ul << 12 | RFLAGS_IF), TRAP_GP, "level 2 is not enough");
    CHECK_EQ(run(code_cli, sizeof(code_cli), 3ul << 12 | RFLAGS_IF, &regs), TRAP_INVALID_OP, "cli");
    CHECK_EQ(regs.rflags & 3ul << 12, 3ul << 12, "the frame shows the level");
    CHECK(regs.rflags & RFLAGS_IF, "and cli changed nothing");
    CHECK_EQ(run(code_cli, sizeof(code_cli), RFLAGS_IF, &regs), TRAP_GP, "cli at level 0");
    CHECK_EQ(HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl), 0, "off");
    CHECK_EQ(probe_call(do_cli, NULL, NULL), TRAP_GP, "cli needs a level again");
}

static unsigned int hits;

static bool breakpoint_hit(struct trap_regs *regs)
{
    hits++;
    regs->rflags |= 1ul << 16; /* RF: go on over it */
    HYPERVISOR_set_debugreg(7, 0);
    return true;
}

static void __attribute__((noinline)) target_function(void)
{
    barrier();
}

static void __attribute__((noinline)) other_function(void)
{
    barrier();
    barrier();
}

static void debug_registers(void)
{
    CHECK_EQ(HYPERVISOR_get_debugreg(6), 0xffff0ff0, "DR6 as after a reset");
    CHECK_EQ(HYPERVISOR_get_debugreg(7), 0x400, "and DR7");
    trap_set_handler(TRAP_DEBUG, breakpoint_hit);
    CHECK(HYPERVISOR_set_debugreg(0, 0xffff830000000000ul) < 0, "no breakpoint in the hypervisor");
    CHECK(HYPERVISOR_set_debugreg(0, NONCANONICAL) < 0, "nor at no address");
    CHECK_EQ(HYPERVISOR_set_debugreg(0, (unsigned long)target_function), 0, "a breakpoint");
    CHECK_EQ(HYPERVISOR_get_debugreg(0), (unsigned long)target_function, "reads back");
    CHECK_EQ(HYPERVISOR_set_debugreg(7, 1), 0, "switched on");
    target_function();
    CHECK_EQ(hits, 1, "it is hit");
    CHECK(HYPERVISOR_get_debugreg(6) & 1, "DR6 says which");
    CHECK_EQ(HYPERVISOR_set_debugreg(7, 1), 0, "switched on once more");
    CHECK_EQ(HYPERVISOR_set_debugreg(0, (unsigned long)other_function), 0, "and moved");
    target_function();
    CHECK_EQ(hits, 1, "it is not where it was");
    other_function();
    CHECK_EQ(hits, 2, "but where it is now");
    CHECK(HYPERVISOR_set_debugreg(7, 0xffffffff00000000ul) < 0, "XSA-12: reserved bits of DR7");
    CHECK(HYPERVISOR_set_debugreg(9, 0) < 0, "there is no DR9");
    HYPERVISOR_set_debugreg(7, 0);
    HYPERVISOR_set_debugreg(0, 0);
    trap_set_handler(TRAP_DEBUG, NULL);
}

void test_main(void)
{
    NEED(!user_init());
    msrs();
    cpuid();
    refused();
    control_registers();
    ports();
    ports_of_applications();
    architectural_iopl();
    tables_of_the_cpu();
    debug_registers();
}
