/* SPDX-License-Identifier: MIT */
/*
 * Shows: how a system call enters the kernel and how iret leaves it, word by word: the frame, the
 * stack, flags, events, the registers; wherever the stack is, and whatever the flags.
 *
 * By both ways (ways.h). What ends the domain is a deed (do=NAME), one a run.
 */
#include <guest/user.h>

#include "ways.h"

const char test_name[] = "syscall";

#define FRAME_WORDS 7
#define AREA        (LOW + 16 * PAGE_SIZE)

#define DATA_SEGMENT 0x00cff3000000ffffull /* data, read and write, DPL 3, 4 GiB, present */
#define CODE_SEGMENT 0x00affb000000ffffull /* 64-bit code, DPL 3 */

/* What the iret hypercall reads. */
struct iret_frame {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/* What there is to see: where user mode, or the kernel, came back. The assembly below knows it. */
static struct {
    uint64_t rsp, rflags, mask;  /* of the kernel, as it was entered */
    uint64_t frame[FRAME_WORDS]; /* on its stack: rcx, r11, rip, cs and mask, rflags, rsp, ss */
    uint64_t rax, rbx, rbp, r10; /* of user mode */
} seen __attribute__((used));

/* in: what iret leads to; comes back when user mode makes a system call. */
void syscall_leave(const struct iret_frame *frame);
void syscall_entered(void);
/* iret to the kernel itself, right behind: what RAX, RCX, R11 and the flags are then. */
void syscall_iret_to_kernel(struct iret_frame *frame, uint64_t out[4]);

static uint64_t kernel_rsp __attribute__((used));
static volatile uint8_t *mask_at __attribute__((used));

__asm__("	.pushsection .text\n"
        "syscall_leave:\n"
        "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "	mov %rsp, kernel_rsp(%rip)\n"
        "	mov %rdi, %rsp\n"
        "	mov $23, %eax\n" /* __HYPERVISOR_iret */
        "	syscall\n"
        "	ud2\n"
        "syscall_entered:\n"
        "	mov %rax, seen + 80(%rip)\n"
        "	mov %rbx, seen + 88(%rip)\n"
        "	mov %rbp, seen + 96(%rip)\n"
        "	mov %r10, seen + 104(%rip)\n"
        "	mov mask_at(%rip), %rax\n"
        "	movzbl (%rax), %eax\n"
        "	mov %rax, seen + 16(%rip)\n"
        "	mov %rsp, seen(%rip)\n"
        "	lea seen + 24(%rip), %rdi\n"
        "	mov %rsp, %rsi\n"
        "	mov kernel_rsp(%rip), %rsp\n"
        "	pushfq\n"
        "	popq seen + 8(%rip)\n"
        "	cld\n"
        "	mov $7, %ecx\n"
        "	rep movsq\n"
        "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "	ret\n"
        "syscall_iret_to_kernel:\n"
        "	push %rbx; push %rbp\n"
        "	mov %rsi, %rbx\n"
        "	mov %rsp, 56(%rdi)\n"
        "	lea 1f(%rip), %rax\n"
        "	mov %rax, 32(%rdi)\n"
        "	mov %rdi, %rsp\n"
        "	mov $23, %eax\n"
        "	syscall\n"
        "	ud2\n"
        "1:	mov %rax, (%rbx)\n"
        "	mov %rcx, 8(%rbx)\n"
        "	mov %r11, 16(%rbx)\n"
        "	pushfq\n"
        "	popq 24(%rbx)\n"
        "	pushq $2\n"
        "	popfq\n"
        "	pop %rbp; pop %rbx\n"
        "	ret\n"
        "	.popsection\n");

/* mov %rcx, %rbx; mov %r11, %rbp; syscall: which takes both */
static const uint8_t user_code[] = {0x48, 0x89, 0xcb, 0x4c, 0x89, 0xdd, 0x0f, 0x05, 0x0f, 0x0b};
#define AFTER_SYSCALL (USER_CODE + 8)

static void set_callback(bool masks)
{
    struct callback_register reg = {
        .type = CALLBACKTYPE_syscall,
        .flags = masks ? CALLBACKF_mask_events : 0,
        .address = (unsigned long)syscall_entered,
    };

    CHECK_EQ(HYPERVISOR_callback_op(CALLBACKOP_register, &reg), 0, "an entry for system calls");
}

static struct iret_frame to_user(uint64_t rflags, uint64_t flags)
{
    return (struct iret_frame){.rax = 0x1a1a,
                               .r11 = 0x1111,
                               .rcx = 0xcccc,
                               .flags = flags,
                               .rip = USER_CODE,
                               .cs = FLAT_USER_CS,
                               .rflags = rflags | RFLAGS_ALWAYS,
                               .rsp = USER_STACK_TOP - 8,
                               .ss = FLAT_USER_SS};
}

/* Into user mode by that frame, and back by its system call; the kernel's stack ends at sp. */
static void there_and_back(const struct iret_frame *f, unsigned long sp, bool masks)
{
    events_disable();
    memset(&seen, 0, sizeof(seen));
    syscall_leave(f);
    CHECK_EQ(seen.rsp, (sp & ~15ul) - 8 * FRAME_WORDS, "the frame is at the stack's aligned end");
    CHECK_EQ(seen.frame[0], AFTER_SYSCALL, "a system call's RCX");
    CHECK_EQ(seen.frame[1] & f->rflags & ~(RFLAGS_IOPL | RFLAGS_RF | RFLAGS_IF),
             f->rflags & ~(RFLAGS_IOPL | RFLAGS_RF | RFLAGS_IF), "and R11, its flags");
    CHECK_EQ(seen.frame[2], AFTER_SYSCALL, "it goes on behind it");
    CHECK_EQ(seen.frame[3] & 0xffffffff, FLAT_USER_CS, "in user mode");
    CHECK_EQ(seen.frame[3] >> 32, !(f->rflags & RFLAGS_IF), "with events masked as they were");
    CHECK_EQ(!!(seen.frame[4] & RFLAGS_IF), !!(f->rflags & RFLAGS_IF), "which the flags say too");
    CHECK_EQ(seen.frame[4] & (RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID),
             f->rflags & (RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID), "with its other flags");
    CHECK_EQ(seen.frame[5], USER_STACK_TOP - 8, "on its stack");
    CHECK_EQ(seen.frame[6], FLAT_USER_SS, "in its segment");
    CHECK_EQ(seen.rflags & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC), 0, "the kernel has none of them");
    CHECK_EQ(seen.mask, masks || !(f->rflags & RFLAGS_IF), "events are masked if the entry asks");
    CHECK_EQ(probe_read((void *)USER_CODE, NULL), TRAP_PAGE_FAULT, "by the kernel's page table");
    CHECK_EQ(seen.rax, 0x1a1a, "user mode had the frame's RAX");
    if (f->flags & VGCF_in_syscall && !test_on_parvis()) {
        seen.rbx = seen.rbp = 0; /* free: those of the hypercall where Xen has switched meanwhile */
    } else if (f->flags & VGCF_in_syscall) {
        CHECK_EQ(seen.rbx, f->rip, "RCX is free after a system call");
    } else {
        CHECK_EQ(seen.rbx, f->rcx, "and its RCX");
        CHECK_EQ(seen.rbp, f->r11, "and its R11");
    }
}

static const uint64_t modes[] = {0,
                                 RFLAGS_IF,
                                 RFLAGS_IF | RFLAGS_DF,
                                 RFLAGS_IF | RFLAGS_NT,
                                 RFLAGS_IF | RFLAGS_AC,
                                 RFLAGS_NT | RFLAGS_DF | RFLAGS_AC,
                                 RFLAGS_IF | RFLAGS_RF,
                                 RFLAGS_IF | RFLAGS_ID};

/* Each mode of flags, with RCX and R11 kept or free, and an entry that masks events or does not;
 * what is seen is the same by both ways. */
static void all_modes(unsigned long sp)
{
    typeof(seen) first;

    for (unsigned int i = 0; i < ARRAY_SIZE(modes) * 4; i++) {
        struct iret_frame f = to_user(modes[i / 4], i & 1 ? VGCF_in_syscall : 0);

        set_callback(i & 2);
        ways_choose(false);
        there_and_back(&f, sp, i & 2);
        first = seen;
        ways_choose(true);
        there_and_back(&f, sp, i & 2);
        CHECK(!memcmp(&first, &seen, sizeof(seen)), "both ways are alike");
    }
    set_callback(true);
}

/* A stack in the lower half, at the very top, unaligned, and one that was just made writable. */
static void stacks(void)
{
    static const unsigned int off[] = {0, 1, 8, 15};
    struct iret_frame f = to_user(RFLAGS_IF, 0);
    char *page = test_page();
    pte_t pte = pte_make(virt_to_mfn(page), PTE_KERNEL_RW | PTE_USER | PTE_NX);

    NEED(!pt_map(LOW, pte) && !pt_map(TOP, pte));
    for (unsigned int longer = 0; longer < 2; longer++) {
        ways_choose(longer);
        for (unsigned int i = 0; i < ARRAY_SIZE(off); i++) {
            const unsigned long at[] = {(unsigned long)page + PAGE_SIZE - off[i],
                                        LOW + PAGE_SIZE - off[i], 0ul - off[i]};

            for (unsigned int k = 0; k < ARRAY_SIZE(at); k++) {
                ways_set_stack(at[k]);
                there_and_back(&f, at[k], true);
            }
        }
        ways_set_stack((unsigned long)page + PAGE_SIZE);
        NEED(!test_page_protect(page, false));
        (void)probe_read(page, NULL);
        NEED(!pt_write(pt_walk(pt_root, (unsigned long)page, 1), pte)); /* no flush */
        there_and_back(&f, (unsigned long)page + PAGE_SIZE, true);
    }
}

/* A frame for iret in the lower half, at the very top, across two pages. */
static void frames(void)
{
    char *pages = test_page();
    struct iret_frame f = to_user(RFLAGS_IF, 0);
    const unsigned long at[] = {LOW + 64, LOW + PAGE_SIZE - sizeof(f), 0ul - sizeof(f),
                                LOW + PAGE_SIZE - 40, LOW + PAGE_SIZE - 36};

    NEED(!pt_map(LOW + PAGE_SIZE, pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
    ways_set_stack((unsigned long)pages + 1024);
    for (unsigned int i = 0; i < 2 * ARRAY_SIZE(at); i++) {
        ways_choose(i & 1);
        memcpy((void *)at[i / 2], &f, sizeof(f));
        there_and_back((void *)at[i / 2], (unsigned long)pages + 1024, true);
    }
}

/* Iret to the kernel itself. */
static void to_the_kernel(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(modes) * 4; i++) {
        struct iret_frame f = to_user(modes[i / 4] & ~RFLAGS_DF, i & 2 ? VGCF_in_syscall : 0);
        uint64_t out[4];

        ways_choose(i & 1);
        f.cs = FLAT_KERNEL_CS & ~3ul;
        f.ss = FLAT_KERNEL_SS;
        f.rax = i & 4 ? -85ul : 7; /* which is -ERESTART */
        events_disable();
        syscall_iret_to_kernel(&f, out);
        CHECK_EQ(*mask_at, !(f.rflags & RFLAGS_IF), "events are masked as the frame says");
        CHECK_EQ(out[0], f.rax, "the kernel has the frame's RAX");
        CHECK_EQ(out[1], i & 2 ? f.rip : f.rcx, "its RCX, or RIP");
        CHECK_EQ(out[3] & (RFLAGS_NT | RFLAGS_AC | RFLAGS_ID | RFLAGS_TF),
                 f.rflags & (RFLAGS_NT | RFLAGS_AC | RFLAGS_ID), "and its flags");
        if (!(i & 2))
            CHECK_EQ(out[2], f.r11, "and its R11");
    }
    events_enable();
}

/* Iret with RCX and R11 free, which would let SYSRET be used, to segments that SYSRET knows not.
 * Xen uses it all the same. */
static void selectors(unsigned long sp)
{
    static const uint8_t code[] = {0x8c, 0xcb, 0x8c, 0xd5, 0x66, 0x90, 0x0f, 0x05};
    uint64_t *gdt = test_page();
    xen_ulong_t frame = virt_to_mfn(gdt);
    bool on_parvis = test_on_parvis();

    gdt[1] = DATA_SEGMENT;
    gdt[2] = CODE_SEGMENT;
    NEED(!test_page_protect(gdt, false));
    NEED(!HYPERVISOR_set_gdt(&frame, 512));
    BUG_ON(user_load(code, sizeof(code))); /* mov %cs, %ebx; mov %ss, %ebp; syscall */
    ways_set_stack(sp);
    for (unsigned int i = 0; i < 8; i++) {
        struct iret_frame f = to_user(RFLAGS_IF, VGCF_in_syscall);

        ways_choose(i & 1);
        if (i & 2)
            f.cs = 2 * 8 | 3;
        if (i & 4)
            f.ss = 1 * 8 | 3;
        events_disable();
        syscall_leave(&f);
        CHECK_EITHER(seen.rbx, f.cs, on_parvis ? f.cs : FLAT_USER_CS,
                     "user mode has the frame's CS");
        CHECK_EITHER(seen.rbp, f.ss, on_parvis ? f.ss : FLAT_USER_SS, "and SS");
    }
    ways_choose(false);
    NEED(!HYPERVISOR_set_gdt(NULL, 0));
    BUG_ON(user_load(user_code, sizeof(user_code)));
}

/* What Xen could not write while a kernel ran it forgets; it keeps it for the kernel only where
 * user mode ran, and no test can have a time written just then. */
static bool keeps_what_it_could_not_write(void)
{
    return test_on_parvis();
}

/* A time area that could not be written is, when a system call brings its kernel back. */
static void areas(void)
{
    struct iret_frame f = to_user(RFLAGS_IF, 0);
    volatile vcpu_time_info_t *time = (void *)AREA;
    vcpu_register_time_memory_area_t reg = {.addr.v = (void *)AREA};
    char *stack = test_page();

    ways_set_stack((unsigned long)stack + PAGE_SIZE);
    for (unsigned int longer = 0; longer < 2; longer++) {
        ways_choose(longer);
        CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg), 0,
                 "an area may be where nothing is yet");
        NEED(!pt_map(AREA, pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
        CHECK_EQ(time->version, 0, "which nobody has written");
        there_and_back(&f, (unsigned long)stack + PAGE_SIZE, true);
        CHECK(time->version && !(time->version & 1), "then it is written");
        CHECK(time->system_time, "with the time");
        NEED(!pt_unmap(AREA));
    }
    reg.addr.v = NULL;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &reg), 0, "given up");
    ways_choose(false);
}

/* A step in user mode traps there, and not in the kernel. */
static void steps(void)
{
    for (unsigned int longer = 0; longer < 2; longer++) {
        struct trap_regs r = {
            .rip = USER_CODE, .rsp = USER_STACK_TOP, .rflags = RFLAGS_TF | RFLAGS_IF};

        ways_choose(longer);
        CHECK_EQ(user_run(&r), TRAP_DEBUG, "a step in user mode");
        CHECK_EQ(r.rip, USER_CODE + 3, "is one instruction");
        CHECK_EQ(r.rflags & RFLAGS_TF, RFLAGS_TF, "and its flag is in the frame");
    }
    ways_choose(false);
}

/* ---- what ends the domain ---- */

static struct iret_frame bad;

static void without_a_stack(unsigned long sp)
{
    (void)sp;
    bad = to_user(RFLAGS_IF, 0);
    events_disable();
    syscall_leave(&bad);
}

static void no_frame(void)
{
    syscall_leave((void *)LOW);
}

static void half_a_frame(void)
{
    BUG_ON(pt_map(TOP - PAGE_SIZE, pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
    syscall_leave((void *)(TOP - 32));
}

/* What would follow it, if addresses went on at 0, is there. */
static void frame_beyond_the_top(void)
{
    BUG_ON(pt_map(TOP, pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
    BUG_ON(pt_map(0, pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
    syscall_leave((void *)(0ul - 64));
}

static void frame_of_the_hypervisor(void)
{
    syscall_leave((void *)OF_THE_HYPERVISOR);
}

static void no_user_table(void)
{
    bad = to_user(RFLAGS_IF, 0);
    BUG_ON(test_mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
    syscall_leave(&bad);
}

static const struct ways_deed deeds[] = {
    {"no-frame", no_frame},
    {"half-a-frame", half_a_frame},
    {"frame-beyond-the-top", frame_beyond_the_top},
    {"frame-of-the-hypervisor", frame_of_the_hypervisor},
    {"no-user-table", no_user_table},
};

void test_main(void)
{
    char *stack = test_page();

    NEED(!user_init());
    NEED(!user_load(user_code, sizeof(user_code)));
    mask_at = &shared_info->vcpu_info[0].evtchn_upcall_mask;
    set_callback(true);
    if (ways_deed(without_a_stack, deeds, ARRAY_SIZE(deeds)))
        return;
    ways_set_stack((unsigned long)stack + PAGE_SIZE);
    all_modes((unsigned long)stack + PAGE_SIZE);
    stacks();
    frames();
    to_the_kernel();
    selectors((unsigned long)stack + PAGE_SIZE);
    if (keeps_what_it_could_not_write())
        areas();
    steps();
}
