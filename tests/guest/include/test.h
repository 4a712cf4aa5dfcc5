/* SPDX-License-Identifier: MIT */
/*
 * Guest tests: a guest per test, which shows one thing and says how it went. Those whose name
 * begins with hvm- are for a fully virtualized guest; some need one that knows nothing of Xen.
 *
 * A test defines test_name and test_main(). Results have an order, and the worst one wins:
 *
 *     success   all that was looked at is as it should be
 *     skip      it could not be tried here (test_skip says why)
 *     error     the test itself is broken: it could not set up what it wanted to look at
 *     failure   the hypervisor did something that it must not do
 *
 * A test that never checked anything ends as an error: silence proves nothing. The last line is
 * `TEST-RESULT: <name> <result>`, and the domain powers off; a kernel that crashes on the way
 * prints why instead. The same binary runs on Parvis and on Xen, where a check that fails
 * on both is a wrong idea of the ABI.
 */
#ifndef TEST_H
#define TEST_H

#include <guest/kernel.h>
#include <guest/pagetable.h>
#include <guest/time.h>

extern const char test_name[];
void test_main(void);

void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void test_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void test_failure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Each counts as one thing looked at. what is a sentence in the words of the ABI. */
void test_check(bool ok, const char *file, int line, const char *what);
void test_check_equal(long got, long want, const char *file, int line, const char *what);
/* got must be one of two values: where hypervisors of the family differ and both are safe. */
void test_check_either(long got, long a, long b, const char *file, int line, const char *what);

#define CHECK(cond, what) test_check((cond), __FILE__, __LINE__, (what))
#define CHECK_EQ(got, want, what)                                                                  \
    test_check_equal((long)(got), (long)(want), __FILE__, __LINE__, (what))
#define CHECK_EITHER(got, a, b, what)                                                              \
    test_check_either((long)(got), (a), (b), __FILE__, __LINE__, (what))

/* Whether the hypervisor is Parvis: where another may do less than it (what, is said there). */
bool test_on_parvis(void);

/* Needed to go on; when it fails the test ends as an error. */
#define NEED(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            test_error("%s:%d: cannot go on without %s", __FILE__, __LINE__, #cond);               \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* What an access does: -1 when it works, else the vector (the page fault error code in *error). */
int probe_read(const volatile void *va, uint64_t *error);
int probe_write(volatile void *va, uint64_t value, uint64_t *error);
/* Calls fn(arg) and says which vector ended it, -1 for none. */
int probe_call(void (*fn)(void *), void *arg, uint64_t *error);

/* The iret hypercall by hand, or (nr: multicall) a list that has one: its frame leads to the next
 * instruction, with this value for RAX, which is the result. */
unsigned long test_iret(unsigned long nr, void *a, unsigned long b, unsigned long rax);

/* A fresh page, filled with zeros; ends the test when there is none. */
void *test_page(void);
/* A root table that maps what the kernel's does, in a page that is read-only and no table yet. */
pte_t *test_root(void);
/* Changes a page of the linear map to read-only or back to writable. */
int test_page_protect(void *page, bool writable);
/* One mmuext_op on DOMID_SELF: 0 or -XEN_E*. */
int test_mmuext(unsigned int cmd, unsigned long arg1, unsigned long arg2);

/* ---- several vCPUs ---- */

/* How many vCPUs the domain has. */
unsigned int test_vcpus(void);
/* Calls fn on all of them, from one moment on, with the number of each; returns when all are
 * through, and the others down. False: the test cannot go on. */
bool test_on_all(void (*fn)(unsigned int vcpu));
/* The APIC id of the CPU that this vCPU is on now: CPUID is not trapped where these tests run. */
unsigned int test_physical_cpu(void);
/* A turn of a wait for another vCPU: lets others run here, and other CPUs where one thread is all.
 */
static inline void test_rest(void)
{
    sched_yield();
    cpu_relax();
}

/* The next of a row of numbers, the same each time; *state is never 0. */
uint32_t test_random(uint32_t *state);

#endif
