/* SPDX-License-Identifier: MIT */
/*
 * The frame around each guest test: counts checks, keeps the worst result, prints it last.
 */
#include "test.h"

enum result { SUCCESS, SKIP, ERROR, FAILURE };

static const char *const result_names[] = {"success", "skip", "error", "failure"};
static enum result worst = SUCCESS;
static unsigned int checks;
static bool verbose; /* verbose=1 on the command line: say what is being looked at */

static void worsen(enum result r)
{
    if (r > worst)
        worst = r;
}

static void report(const char *kind, const char *fmt, va_list ap)
{
    char text[256];

    vsnprintf(text, sizeof(text), fmt, ap);
    printf("%s: %s\n", kind, text);
}

void test_skip(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("skip", fmt, ap);
    va_end(ap);
    worsen(SKIP);
}

void test_error(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("error", fmt, ap);
    va_end(ap);
    worsen(ERROR);
}

void test_failure(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("FAILURE", fmt, ap);
    va_end(ap);
    worsen(FAILURE);
}

bool test_on_parvis(void)
{
    xen_extraversion_t extra = "";

    HYPERVISOR_xen_version(XENVER_extraversion, extra);
    return !memcmp(extra, ".0-parvis-", 10);
}

void test_check(bool ok, const char *file, int line, const char *what)
{
    checks++;
    if (verbose)
        printf("%s:%d: %s\n", file, line, what);
    if (!ok)
        test_failure("%s:%d: %s", file, line, what);
}

void test_check_equal(long got, long want, const char *file, int line, const char *what)
{
    test_check(true, file, line, what);
    if (got != want)
        test_failure("%s:%d: %s: got %ld (0x%lx), want %ld (0x%lx)", file, line, what, got,
                     (unsigned long)got, want, (unsigned long)want);
}

void test_check_either(long got, long a, long b, const char *file, int line, const char *what)
{
    test_check(true, file, line, what);
    if (got != a && got != b)
        test_failure("%s:%d: %s: got %ld, want %ld or %ld", file, line, what, got, a, b);
}

int guest_main(void)
{
    verbose = cmdline_number("verbose", 0);
    printf("TEST-BEGIN: %s\n", test_name);
    test_main();
    if (!checks && worst == SUCCESS)
        test_error("nothing was checked");
    printf("%u checks\nTEST-RESULT: %s %s\n", checks, test_name, result_names[worst]);
    return 0;
}
