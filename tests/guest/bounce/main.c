/* SPDX-License-Identifier: MIT */
/*
 * Shows: how an exception enters the kernel, word by word, from the kernel itself and from user
 * mode, with an error code and without: the frame, the stack, flags, events, the registers;
 * wherever the stack is, and whatever the flags.
 *
 * By both ways (ways.h). What ends the domain is a deed (do=NAME), one a run.
 */
#include <guest/user.h>

#include "ways.h"

const char test_name[] = "bounce";

#define MOST_WORDS 8
#define RCX        0xccccul
#define R11        0x1111ul

/* What there is to see where the kernel was entered. The assembly below knows it. */
static struct {
    uint64_t rsp, rflags, mask;
    uint64_t frame[MOST_WORDS]; /* rcx, r11, [error code], rip, cs and mask, rflags, rsp, ss */
} seen __attribute__((used));
static uint64_t words __attribute__((used)); /* in the frame */

/* The kernel's own exception on the stack that ends at sp, and these flags: at bounce_broke, or by
 * a read at bounce_touched. */
void bounce_break(unsigned long sp, uint64_t rflags);
void bounce_touch(unsigned long sp, uint64_t rflags);
extern char bounce_broke[], bounce_touched[];
/* User mode by trap_resume(), until its exception. */
void bounce_leave(struct trap_regs *regs);
void bounce_entered(void);

static uint64_t kernel_rsp __attribute__((used));
static volatile uint8_t *mask_at __attribute__((used));

#define KEEP_STACK                                                                                 \
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"                          \
    "	mov %rsp, kernel_rsp(%rip)\n"
#define RAISE                                                                                      \
    KEEP_STACK                                                                                     \
    "	mov $0xcccc, %ecx\n"                                                                         \
    "	mov $0x1111, %r11d\n"                                                                        \
    "	push %rsi\n"                                                                                 \
    "	popfq\n"                                                                                     \
    "	mov %rdi, %rsp\n"

__asm__("	.pushsection .text\n"
        "bounce_break:\n" RAISE "	int3\n"
        "bounce_broke:\n"
        "	ud2\n"
        "bounce_touch:\n" RAISE "bounce_touched:\n"
        "	movb 0x1230, %al\n"
        "	ud2\n"
        "bounce_leave:\n" KEEP_STACK "	jmp trap_resume\n"
        "bounce_entered:\n"
        "	mov %rsp, seen(%rip)\n"
        "	mov %rsp, %rsi\n"
        "	mov kernel_rsp(%rip), %rsp\n"
        "	pushfq\n"
        "	popq seen + 8(%rip)\n"
        "	cld\n"
        "	mov mask_at(%rip), %rax\n"
        "	movzbl (%rax), %eax\n"
        "	mov %rax, seen + 16(%rip)\n"
        "	lea seen + 24(%rip), %rdi\n"
        "	mov words(%rip), %ecx\n"
        "	rep movsq\n"
        "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "	ret\n"
        "	.popsection\n");

static const uint8_t user_break[] = {0xcc, 0x0f, 0x0b};
static const uint8_t user_touch[] = {0x8a, 0x04, 0x25, 0x30,
                                     0x12, 0x00, 0x00}; /* as bounce_touch */

static void set_handlers(bool masks)
{
    const struct trap_info traps[] = {
        {TRAP_BREAKPOINT, 3 | (masks ? 4 : 0), FLAT_KERNEL_CS, (unsigned long)bounce_entered},
        {TRAP_PAGE_FAULT, masks ? 4 : 0, FLAT_KERNEL_CS, (unsigned long)bounce_entered},
        {0, 0, 0, 0},
    };

    CHECK_EQ(HYPERVISOR_set_trap_table(traps), 0, "handlers for both exceptions");
}

/* One exception. */
struct one {
    bool user, touch, masks; /* where, which of the two, what its handler asks for */
    uint64_t rflags;
};

static void raise_it(const struct one *o, unsigned long sp)
{
    struct trap_regs r = {.rcx = RCX,
                          .r11 = R11,
                          .rip = USER_CODE,
                          .cs = FLAT_USER_CS,
                          .rflags = o->rflags | RFLAGS_ALWAYS,
                          .rsp = USER_STACK_TOP - 8,
                          .ss = FLAT_USER_SS};

    words = o->touch ? 8 : 7;
    memset(&seen, 0, sizeof(seen));
    events_disable();
    if (o->user) {
        bounce_leave(&r);
    } else {
        *mask_at = !(o->rflags & RFLAGS_IF);
        (o->touch ? bounce_touch : bounce_break)(sp, o->rflags | RFLAGS_ALWAYS);
        events_disable();
    }
}

static uint64_t rip_of(const struct one *o)
{
    if (o->user)
        return USER_CODE + (o->touch ? 0 : 1); /* int3 is a trap: RIP is behind it */
    return (unsigned long)(o->touch ? bounce_touched : bounce_broke);
}

static void look(const struct one *o, unsigned long sp)
{
    const uint64_t *at = seen.frame + (o->touch ? 3 : 2);
    uint64_t shown = RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID;

    CHECK_EQ(seen.rsp, (sp & ~15ul) - 8 * words, "the frame is at the stack's aligned end");
    CHECK_EQ(seen.frame[0], RCX, "RCX is in it");
    CHECK_EQ(seen.frame[1], R11, "and R11");
    if (o->touch)
        CHECK_EQ(seen.frame[2], o->user ? 4 : 0, "the error code: a read, of whom");
    CHECK_EQ(at[0], rip_of(o), "where it was");
    CHECK_EQ(at[1] & 0xffffffff, o->user ? FLAT_USER_CS : FLAT_KERNEL_CS & ~3ul, "in which mode");
    CHECK_EQ(at[1] >> 32, !(o->rflags & RFLAGS_IF), "with events masked as they were");
    CHECK_EQ(!!(at[2] & RFLAGS_IF), !!(o->rflags & RFLAGS_IF), "which the flags say too");
    CHECK_EQ(at[2] & shown, o->rflags & shown, "with its other flags");
    CHECK_EQ(at[3], o->user ? USER_STACK_TOP - 8 : sp, "on its stack");
    CHECK_EQ(at[4] & ~3ul, (o->user ? FLAT_USER_SS : FLAT_KERNEL_SS) & ~3ul, "in its segment");
    CHECK_EQ(seen.rflags & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC), 0, "the kernel has none of them");
    CHECK_EQ(seen.mask, o->masks || !(o->rflags & RFLAGS_IF), "events are masked if it asks");
}

static void one_exception(const struct one *o, unsigned long sp)
{
    raise_it(o, sp);
    look(o, sp);
}

static const uint64_t modes[] = {0,
                                 RFLAGS_IF,
                                 RFLAGS_IF | RFLAGS_DF,
                                 RFLAGS_IF | RFLAGS_NT,
                                 RFLAGS_IF | RFLAGS_AC,
                                 RFLAGS_NT | RFLAGS_DF | RFLAGS_AC,
                                 RFLAGS_IF | RFLAGS_ID};

/* i: the lowest bits say which */
static struct one exception(unsigned int i)
{
    struct one o = {.user = i & 1, .touch = i & 2, .masks = i & 4, .rflags = modes[i / 8]};

    set_handlers(o.masks);
    BUG_ON(user_load(o.touch ? user_touch : user_break,
                     o.touch ? sizeof(user_touch) : sizeof(user_break)));
    return o;
}

/* What is seen is the same by both ways. */
static void all_modes(unsigned long sp)
{
    typeof(seen) first;

    ways_set_stack(sp);
    for (unsigned int i = 0; i < ARRAY_SIZE(modes) * 8; i++) {
        struct one o = exception(i);

        ways_choose(false);
        one_exception(&o, sp);
        first = seen;
        ways_choose(true);
        one_exception(&o, sp);
        CHECK(!memcmp(&first, &seen, sizeof(seen)), "both ways are alike");
    }
}

/* A stack in the lower half, at the very top, unaligned, and one that was just made writable. */
static void stacks(void)
{
    static const unsigned int off[] = {0, 1, 8, 15};
    char *page = test_page();
    pte_t pte = pte_make(virt_to_mfn(page), PTE_KERNEL_RW | PTE_USER | PTE_NX);

    NEED(!pt_map(LOW, pte) && !pt_map(TOP, pte));
    for (unsigned int i = 0; i < 8; i++) {
        struct one o = exception(8 + i / 2);

        ways_choose(i & 1);
        for (unsigned int k = 0; k < ARRAY_SIZE(off); k++) {
            const unsigned long at[] = {(unsigned long)page + PAGE_SIZE - off[k],
                                        LOW + PAGE_SIZE - off[k], 0ul - off[k]};

            for (unsigned int n = 0; n < ARRAY_SIZE(at); n++) {
                ways_set_stack(at[n]);
                one_exception(&o, at[n]);
            }
        }
        ways_set_stack((unsigned long)page + PAGE_SIZE);
        NEED(!test_page_protect(page, false));
        (void)*(volatile char *)page;
        NEED(!pt_write(pt_walk(pt_root, (unsigned long)page, 1), pte)); /* no flush */
        one_exception(&o, (unsigned long)page + PAGE_SIZE);
    }
}

/* The kernel's table has a page where user mode's stack is: a frame could be put there. */
static void without_a_stack(unsigned long sp)
{
    struct one o = exception(8 + (unsigned int)cmdline_number("which", 0));

    BUG_ON(pt_map(USER_STACK_TOP - PAGE_SIZE,
                  pte_make(virt_to_mfn(test_page()), PTE_KERNEL_RW | PTE_NX)));
    raise_it(&o, sp);
}

void test_main(void)
{
    char *stack = test_page();

    NEED(!user_init());
    NEED(!user_load(user_break, sizeof(user_break)));
    mask_at = &shared_info->vcpu_info[0].evtchn_upcall_mask;
    if (ways_deed(without_a_stack, NULL, 0))
        return;
    all_modes((unsigned long)stack + PAGE_SIZE);
    stacks();
    ways_choose(false);
    events_enable();
}
