/* SPDX-License-Identifier: MIT */
/*
 * linux-calibrate: what the CPU at hand takes for what the comparison's model has constants for, as
 * far as a program of Linux can tell that honestly.
 *
 * A walk of page tables: a chain of loads, each of which says where the next one is, through one
 * line of each of many pages; beside a chain through as many lines that lie close together. Both
 * miss the first cache alike, and nothing goes on while one waits, so the difference is what is
 * spent on addresses: by the second level of the TLB where the pages are few, by walks where it
 * does not hold them. In a fully virtualized guest these are walks of nested tables.
 *
 * A system call that is not there: SYSCALL and SYSRET, and the kernel's way between them, so that
 * it is more than the two alone. A switch between two processes, and between two threads: the
 * difference is a write to CR3, with what the kernel does beside and what is to be found again.
 * What an exception takes cannot be told: each one that a program can have is handled at length.
 *
 * The unit is a tick of the time-stamp counter, which need not be a cycle. So a loop that takes a
 * cycle each time on today's CPUs is measured too; who reads the lines (constants_of.py) has cycles
 * by it. The least, the median and the most of many runs.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define RUNS     15
#define PAGE     4096ul
#define LINE     64ul
#define LOOPS    1000000ul
#define CALLS    10000ul
#define SWITCHES 2000ul
#define FEW      512ul  /* pages: more than a first level holds, fewer than a second */
#define MANY     8192ul /* more than any second level holds */

static void failed(const char *what)
{
    fprintf(stderr, "linux-calibrate: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t ticks(void)
{
    _mm_lfence();
    return __rdtsc();
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Says what one of `times` took, of so many runs; the first is not among them. */
static void measure(const char *name, void (*op)(void *arg), void *arg, unsigned long times)
{
    double each[RUNS];

    op(arg);
    for (int i = 0; i < RUNS; i++) {
        uint64_t begin = ticks();

        op(arg);
        each[i] = (double)(ticks() - begin) / (double)times;
    }
    qsort(each, RUNS, sizeof(each[0]), by_size);
    printf("%s %.2f %.2f %.2f\n", name, each[0], each[RUNS / 2], each[RUNS - 1]);
}

static void loop(void *arg)
{
    unsigned long n = LOOPS;

    (void)arg;
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(n));
}

static void system_call(void *arg)
{
    (void)arg;
    for (unsigned long i = 0; i < CALLS; i++)
        syscall(-1);
}

/* ---- chains of loads ---- */

struct chain {
    char *memory;
    unsigned long length, stride;
};

/* Where the n-th is: each in another place of its page, or all would be in few sets of the cache.
 */
static void **line(const struct chain *c, unsigned long n)
{
    return (void **)(c->memory + n * c->stride + (c->stride >= PAGE ? n * LINE % PAGE : 0));
}

/* A ring through all lines in an order that no prefetcher guesses. */
static void tie(struct chain *c)
{
    unsigned long *order = malloc(c->length * sizeof(*order));

    if (!order)
        failed("memory");
    for (unsigned long i = 0; i < c->length; i++)
        order[i] = i;
    srand(1);
    for (unsigned long i = c->length - 1; i; i--) {
        unsigned long other = (unsigned long)rand() % (i + 1), kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
    for (unsigned long i = 0; i < c->length; i++)
        *line(c, order[i]) = line(c, order[(i + 1) % c->length]);
    free(order);
}

static void follow(void *arg)
{
    const struct chain *c = arg;
    void **at = line(c, 0);

    for (unsigned long i = 0; i < c->length; i++)
        at = *(void *volatile *)at;
    __asm__ volatile("" : : "r"(at));
}

static void measure_chain(const char *name, unsigned long length, unsigned long stride)
{
    struct chain c = {NULL, length, stride};
    unsigned long size = length * stride;

    c.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c.memory == MAP_FAILED)
        failed("mmap");
    madvise(c.memory, size, MADV_NOHUGEPAGE); /* a kernel without large pages does not know it */
    tie(&c);
    measure(name, follow, &c, length);
    munmap(c.memory, size);
}

/* ---- switches on one CPU ---- */

static void yield(void *arg)
{
    (void)arg;
    for (unsigned long i = 0; i < SWITCHES; i++)
        sched_yield();
}

static volatile bool enough;

static void *yield_until_enough(void *arg)
{
    while (!enough)
        yield(arg);
    return NULL;
}

static void measure_threads(void)
{
    pthread_t other;

    errno = pthread_create(&other, NULL, yield_until_enough, NULL);
    if (errno)
        failed("a thread");
    measure("two_switches_of_threads", yield, NULL, SWITCHES);
    enough = true;
    pthread_join(other, NULL);
}

static void measure_processes(void)
{
    pid_t other;

    enough = false;
    other = fork();
    if (other < 0)
        failed("fork");
    if (!other)
        yield_until_enough(NULL);
    measure("two_switches_of_processes", yield, NULL, SWITCHES);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
}

static void stay_on_one_cpu(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        failed("sched_setaffinity");
}

/* ---- where this is ---- */

/* The CPU's name, blanks at its ends left out. */
static void name_of_cpu(char *name)
{
    unsigned int regs[12] = {0};
    char *begin = (char *)regs;

    for (unsigned int i = 0; i < 3; i++)
        __get_cpuid(0x80000002 + i, &regs[4 * i], &regs[4 * i + 1], &regs[4 * i + 2],
                    &regs[4 * i + 3]);
    begin[sizeof(regs) - 1] = '\0';
    begin += strspn(begin, " ");
    strcpy(name, *begin ? begin : "unknown CPU");
    for (size_t end = strlen(name); end && name[end - 1] == ' '; end--)
        name[end - 1] = '\0';
}

/* What kind of kernel this runs on; one that says nothing of a hypervisor may have one all the
 * same. */
static const char *kind(void)
{
    char type[16] = "";
    FILE *f = fopen("/sys/hypervisor/guest_type", "r");
    unsigned int a, b, c = 0, d;

    if (f) {
        if (fscanf(f, "%15s", type) != 1)
            type[0] = '\0';
        fclose(f);
    }
    if (!strcmp(type, "PV"))
        return "pv";
    if (type[0])
        return "nested";
    __get_cpuid(1, &a, &b, &c, &d);
    return c >> 31 ? "nested" : "native";
}

int main(int argc, char **argv)
{
    char cpu[64], day[16];
    time_t now = time(NULL);
    const char *where = argc > 1 ? argv[1] : kind();

    if (argc > 2 || (strcmp(where, "native") && strcmp(where, "pv") && strcmp(where, "nested"))) {
        fprintf(stderr, "usage: linux-calibrate [native | pv | nested]\n");
        return 2;
    }
    stay_on_one_cpu();
    name_of_cpu(cpu);
    strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&now));
    printf("CALIBRATION-BEGIN linux %s %s %s\n", where, day, cpu);
    measure("million_loops", loop, NULL, 1);
    measure("system_call", system_call, NULL, CALLS);
    measure_chain("load_close", FEW, LINE);
    measure_chain("load_few_pages", FEW, PAGE);
    measure_chain("load_close_many", MANY, LINE);
    measure_chain("load_many_pages", MANY, PAGE);
    measure_threads();
    measure_processes();
    printf("CALIBRATION-END\n");
    return 0;
}
