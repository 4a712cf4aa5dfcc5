/* SPDX-License-Identifier: MIT */
/*
 * A guest whose other vCPU changes page tables while they are walked. The walker is alone here:
 * each time it asks where a frame is, which it does before each look at an entry and before each
 * mark, something may happen. What the guest wrote is never undone; a walk ends soon, whatever
 * happens; and each reference is given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <core/domain/domain_pages.h>
#include <core/state/domain.h>
#include <hvm/guest_walk.h>
#include <hvm/npt.h>
#include <port/machine.h>

#define PAGES  8
#define PLAIN  7ull
#define MARKED (PLAIN | 0x20)

static uint64_t memory[PAGES][512] __attribute__((aligned(4096)));
static struct domain d;
static unsigned int asked;
static void (*meanwhile)(unsigned int time); /* the first is 1 */

/* ---- what the walker stands on ---- */

char *frame_map = (char *)memory;
struct page_info *frame_table = (struct page_info[PAGES]){0};
uint64_t max_mfn = PAGES - 1;
static bool gone[PAGES];

mfn_t npt_lookup(const struct domain *dom, gfn_t gfn)
{
    assert_ptr_equal(dom, &d);
    asked++;
    if (meanwhile)
        meanwhile(asked);
    return gfn.n < PAGES && !gone[gfn.n] ? MFN(gfn.n) : INVALID_MFN;
}

struct page_info *get_page_from_mfn(mfn_t mfn, const struct domain *dom)
{
    assert_ptr_equal(dom, &d);
    if (mfn.n >= PAGES)
        return NULL;
    frame_table[mfn.n].count_info++;
    return &frame_table[mfn.n];
}

void free_owned_page(struct page_info *pg)
{
    assert_int_equal(pg->count_info, 0);
}

mfn_t frame_of(const void *mapped)
{
    return MFN((uint64_t)((const char *)mapped - (const char *)memory) / PAGE_SIZE);
}

void panic(const char *fmt, ...)
{
    fail_msg("%s", fmt);
    abort();
}

/* ---- the tests ---- */

static const struct guest_paging g = {
    .cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
    .cr3 = 0x1000,
    .cr4 = X86_CR4_PAE,
    .efer = EFER_LME | EFER_LMA,
};

/* Pages 1 to 4 are tables, 5 is mapped, 6 is another. */
static int setup(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    memset(gone, 0, sizeof(gone));
    for (unsigned int i = 1; i <= 4; i++)
        memory[i][0] = (i + 1) << 12 | PLAIN;
    asked = 0;
    meanwhile = NULL;
    return 0;
}

static bool walk(uint32_t access, uint64_t *gpa, struct guest_walk_fault *f)
{
    bool ok = guest_walk(&d, &g, 0x123, access, gpa, f);

    for (unsigned int i = 0; i < PAGES; i++)
        assert_int_equal(frame_table[i].count_info, 0);
    return ok;
}

static void nothing_happens(void **state)
{
    struct guest_walk_fault f;
    uint64_t gpa;

    (void)state;
    assert_true(walk(PFEC_WRITE, &gpa, &f));
    assert_int_equal(gpa, 0x5123);
    assert_int_equal(asked, 8);
    assert_int_equal(memory[3][0], 0x4000 | MARKED);
    assert_int_equal(memory[4][0], 0x5000 | MARKED | 0x40);
    asked = 0;
    assert_true(walk(PFEC_WRITE, &gpa, &f)); /* all is marked */
    assert_int_equal(asked, 4);
}

static unsigned int when;

static void move_the_page(unsigned int time)
{
    if (time == when)
        memory[4][0] = 0x6000 | PLAIN;
}

/* The last entry changes at each moment. */
static void moved(void **state)
{
    (void)state;
    for (when = 1; when <= 8; when++) {
        struct guest_walk_fault f;
        uint64_t gpa;

        setup(NULL);
        meanwhile = move_the_page;
        assert_true(walk(PFEC_WRITE, &gpa, &f));
        assert_int_equal(gpa, 0x6123);
        assert_int_equal(memory[4][0], 0x6000 | MARKED | 0x40);
        assert_int_equal(asked, when == 8 ? 8 + 5 : 8);
    }
}

static void move_the_table(unsigned int time)
{
    if (time == when)
        memory[3][0] = 0x7000 | PLAIN;
}

/* So does one above, which counts until it is marked. */
static void table_moved(void **state)
{
    (void)state;
    for (when = 1; when <= 8; when++) {
        struct guest_walk_fault f;
        uint64_t gpa;

        setup(NULL);
        memory[7][0] = 0x6000 | PLAIN;
        meanwhile = move_the_table;
        assert_true(walk(PFEC_WRITE, &gpa, &f));
        assert_int_equal(gpa, when <= 6 ? 0x6123 : 0x5123);
        assert_int_equal(memory[3][0], 0x7000 | (when <= 6 ? MARKED : PLAIN));
        assert_int_equal(memory[4][0], 0x5000 | (when <= 6 ? PLAIN : MARKED | 0x40));
    }
}

static void take_away(unsigned int time)
{
    if (time == when)
        memory[4][0] = 0;
}

static void taken_away(void **state)
{
    (void)state;
    for (when = 1; when <= 8; when++) {
        struct guest_walk_fault f;
        uint64_t gpa;

        setup(NULL);
        meanwhile = take_away;
        assert_false(walk(PFEC_WRITE, &gpa, &f));
        assert_int_equal(f.code, PFEC_WRITE);
        assert_int_equal(memory[4][0], 0); /* no mark on what is not there */
    }
}

/* What the walker has found of it stays true for nobody: other rights. */
static void write_protect(unsigned int time)
{
    if (time == when)
        memory[4][0] = 0x5005;
}

static void protected(void **state)
{
    (void)state;
    for (when = 1; when <= 8; when++) {
        struct guest_walk_fault f;
        uint64_t gpa;

        setup(NULL);
        meanwhile = write_protect;
        assert_false(walk(PFEC_WRITE, &gpa, &f));
        assert_int_equal(f.code, PFEC_PRESENT | PFEC_WRITE);
        assert_int_equal(memory[4][0], 0x5005);
    }
}

/* Without end: the fault that a page that is not there would have given. */
static void flip(unsigned int time)
{
    memory[4][0] = (time & 1 ? 0x6000 : 0x5000) | PLAIN;
}

static void changed_without_end(void **state)
{
    struct guest_walk_fault f;
    uint64_t gpa;

    (void)state;
    meanwhile = flip;
    assert_false(walk(PFEC_WRITE, &gpa, &f));
    assert_int_equal(f.code, PFEC_WRITE);
    assert_int_equal(f.va, 0x123);
    assert_in_range(asked, 8, 8 * 8);
    assert_int_equal(memory[4][0] & 0x60, 0);
}

static void clear_marks(unsigned int time)
{
    (void)time;
    for (unsigned int i = 1; i <= 4; i++)
        memory[i][0] &= ~0x60ull;
}

/* Marks that go are set, and nothing is done anew for that. */
static void marks_cleared(void **state)
{
    struct guest_walk_fault f;
    uint64_t gpa;

    (void)state;
    meanwhile = clear_marks;
    assert_true(walk(PFEC_WRITE, &gpa, &f));
    assert_int_equal(asked, 8);
    assert_int_equal(memory[4][0], 0x5000 | MARKED | 0x40);
}

static void balloon_out(unsigned int time)
{
    gone[4] |= time == when;
}

/* The frame of a table goes: its entries are ones then. */
static void table_gone(void **state)
{
    (void)state;
    for (when = 1; when <= 8; when++) {
        struct guest_walk_fault f;
        uint64_t gpa;

        setup(NULL);
        meanwhile = balloon_out;
        assert_false(walk(0, &gpa, &f));
        assert_int_equal(f.code, PFEC_PRESENT | PFEC_RESERVED);
        assert_int_equal(memory[4][0], 0x5000 | PLAIN);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(nothing_happens), TEST(moved),      TEST(table_moved),
        TEST(taken_away),      TEST(protected),  TEST(changed_without_end),
        TEST(marks_cleared),   TEST(table_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
