/* SPDX-License-Identifier: MIT */
/*
 * parvis.cfg: a good file gives what it says; each kind of mistake gives one sentence that names
 * the line and what would be accepted; no bytes, cut anywhere or changed at random, make the parser
 * read beyond them (address sanitizer) or accept nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <core/base/log.h>
#include <hv/boot_config.h>
#include <parvis/speculation.h>

static const char good[] = "# a comment\n"
                           "console = com2   # behind a blank too\n"
                           "loglevel=debug\r\n"
                           "debug_exit = 0xf4\n"
                           "on_end = halt\n"
                           "cpus = 64\n"
                           "smt = no\n"
                           "tsc = stable\n"
                           "\n"
                           "[control]\n"
                           "kernel = vmlinux\n"
                           "ramdisk = dom0.cpio.gz\n"
                           "cmdline = console=hvc0 root=/dev/ram0 a=b#c\n"
                           "vcpus = 2\n"
                           "affinity = all,^0\n"
                           "kind = pv\n"
                           "[domain hello]\n"
                           "kernel = hello\n"
                           "memory = 16M\n"
                           "cmdline =\n"
                           "weight = 65535\n"
                           "cap = 6400\n"
                           "affinity = 0-3, 5,^2, 62-63\n"
                           "kind = hvm\n";

static const char *const modules[] = {"parvis.cfg", "vmlinux", "dom0.cpio.gz", "hello", NULL};

static int find(struct boot_info *bi, const char *name)
{
    (void)bi;
    for (int i = 0; modules[i]; i++)
        if (!strcmp(modules[i], name))
            return i;
    return -1;
}

/* The text in memory that ends where it ends, so that the sanitizer sees a byte too far. */
static int parse(struct boot_info *bi, const char *text, size_t n, struct config_error *error)
{
    char *exact = malloc(n ? n : 1);
    int rc;

    memcpy(exact, text, n);
    memset(bi, 0, sizeof(*bi));
    config_defaults(bi);
    error->text[0] = 0;
    rc = config_parse(bi, exact, n, find, error);
    free(exact);
    return rc;
}

static void test_good(void **state)
{
    static struct boot_info bi;
    struct config_error error;

    (void)state;
    assert_int_equal(parse(&bi, good, sizeof(good) - 1, &error), 0);
    assert_int_equal(bi.console, 2);
    assert_int_equal(bi.loglevel, LOG_DEBUG);
    assert_int_equal(bi.debug_exit, 0xf4);
    assert_int_equal(bi.halt_on_end, 1);
    assert_int_equal(bi.cpus, 64);
    assert_int_equal(bi.no_smt, 1);
    assert_int_equal(bi.tsc_stable, 1);
    assert_int_equal(bi.nr_domains, 2);
    assert_true(bi.domains[0].is_control);
    assert_string_equal(bi.domains[0].name, "control");
    assert_int_equal(bi.domains[0].kernel, 1);
    assert_int_equal(bi.domains[0].ramdisk, 2);
    assert_string_equal(bi.domains[0].cmdline, "console=hvc0 root=/dev/ram0 a=b#c");
    assert_int_equal(bi.domains[0].memory, 0);
    assert_int_equal(bi.domains[0].vcpus, 2);
    assert_int_equal(bi.domains[0].weight, 0);
    assert_int_equal(bi.domains[0].cap, 0);
    assert_int_equal(bi.domains[0].affinity, ~1ull);
    assert_int_equal(bi.domains[0].kind, 0);
    assert_false(bi.domains[1].is_control);
    assert_string_equal(bi.domains[1].name, "hello");
    assert_int_equal(bi.domains[1].kernel, 3);
    assert_int_equal(bi.domains[1].ramdisk, -1);
    assert_int_equal(bi.domains[1].memory, 16 << 20);
    assert_int_equal(bi.domains[1].vcpus, 0);
    assert_int_equal(bi.domains[1].weight, 65535);
    assert_int_equal(bi.domains[1].cap, 6400);
    assert_int_equal(bi.domains[1].affinity, 0xc00000000000002b);
    assert_int_equal(bi.domains[1].kind, 1);
}

static void test_defaults(void **state)
{
    static struct boot_info bi;
    struct config_error error;
    static const char text[] = "[domain x]\nkernel=hello\nmemory=4K"; /* no newline at the end */

    (void)state;
    assert_int_equal(parse(&bi, text, sizeof(text) - 1, &error), 0);
    assert_int_equal(bi.console, 1);
    assert_int_equal(bi.loglevel, LOG_INFO);
    assert_int_equal(bi.debug_exit, 0);
    assert_int_equal(bi.cpus, 0);
    assert_int_equal(bi.no_smt, 0);
    assert_int_equal(bi.tsc_stable, 0);
    assert_int_equal(bi.domains[0].memory, 4096);
    assert_int_equal(bi.domains[0].kind, 0);
}

#define BIT(measure) (1u << MEASURE_##measure)

/* What spec-ctrl leaves out and takes. */
static const struct {
    const char *value;
    uint32_t off, on;
} spec_ctrl[] = {
    {"yes", 0, 0},
    {"no", ~0u, 0},
    {"ibrs", 0, BIT(IBRS)},
    {"ssbd", 0, BIT(SSBD)},
    {"no-verw", BIT(VERW), 0},
    {"no-ibpb-entry , no-ibpb", BIT(IBPB_ENTRY) | BIT(IBPB), 0},
    {"no, rsb,verw", ~(BIT(RSB_FILL) | BIT(VERW)), BIT(RSB_FILL) | BIT(VERW)},
    {"rsb,no", ~0u, 0},
    {"rsb,no-rsb", BIT(RSB_FILL), 0},
    {"no-rsb,rsb", 0, BIT(RSB_FILL)},
    {"no,yes", 0, 0},
};

static void test_spec_ctrl(void **state)
{
    static struct boot_info bi;
    struct config_error error;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(spec_ctrl); i++) {
        char text[128];
        int n = snprintf(text, sizeof(text), "spec-ctrl = %s\n[domain x]\nkernel=hello\nmemory=4K",
                         spec_ctrl[i].value);

        assert_int_equal(parse(&bi, text, (size_t)n, &error), 0);
        assert_int_equal(bi.spec_off, spec_ctrl[i].off);
        assert_int_equal(bi.spec_on, spec_ctrl[i].on);
    }
}

/* Each mistake: the file, and words of the sentence. */
static const struct {
    const char *text, *words;
} mistakes[] = {
    {"", "nothing to start"},
    {"console = com1\n", "nothing to start"},
    {"console = com3\n", "cfg:1: console: `com3` is not one of: com1, com2"},
    {"loglevel = loud\n", "error, warning, info, debug"},
    {"\nconsol = com1\n",
     "cfg:2: unknown key `consol`; before the first section there are: console"},
    {"console = com1\nconsole = com1\n", "cfg:2: console is given twice"},
    {"debug_exit = 0x10000\n", "not an I/O port"},
    {"debug_exit = 12a\n", "not an I/O port"},
    {"on_end = reboot\n", "poweroff, halt"},
    {"cpus = 0\n", "cfg:1: cpus: `0` is not a number from 1 to 64"},
    {"cpus = 65\n", "cfg:1: cpus: `65` is not a number from 1 to 64"},
    {"cpus = all\n", "cfg:1: cpus: `all` is not a number from 1 to 64"},
    {"cpus = 18446744073709551617\n", "is not a number from 1 to 64"},
    {"smt = maybe\n", "cfg:1: smt: `maybe` is not one of: yes, no"},
    {"\ntsc = steady\n", "cfg:2: tsc: `steady` is not one of: auto, stable"},
    {"\nspec-ctrl = maybe\n", "cfg:2: spec-ctrl: `maybe` is not one of: yes, no, ibrs, eibrs, "},
    {"spec-ctrl = verw,,rsb\n", "cfg:1: spec-ctrl: `` is not one of"},
    {"spec-ctrl = verw, vervv ,rsb\n", "cfg:1: spec-ctrl: `vervv` is not one of"},
    {"spec-ctrl = no-yes\n", "cfg:1: spec-ctrl: `no-yes` is not one of"},
    {"spec-ctrl = no-\n", "or one of these behind no-"},
    {"spec-ctrl = verw=1\n", "spec-ctrl: `verw=1` is not one of"},
    {"spec-ctrl =\n", "spec-ctrl has no value"},
    {"tsc =\n", "cfg:1: tsc has no value"},
    {"console =\n", "console has no value"},
    {"console\n", "neither `key = value` nor a [section]"},
    {"[guest x]\n", "unknown section [guest x]; there are [control] and [domain NAME]"},
    {"[domain]\n", "unknown section"},
    {"[domain x\n", "lacks the closing ]"},
    {"[domain x y]\n", "has a blank"},
    {"[domain x]\nmemory=16M\n", "cfg:1: x has no `kernel`"},
    {"[domain x]\nkernel=hello\n", "cfg:1: x has no `memory`"},
    {"[domain x]\nkernel=hello\nmemory=1M\n[domain x]\n", "two sections for `x`"},
    {"[control]\nkernel=vmlinux\n[control]\n", "cfg:3: there are two sections for `control`"},
    {"[domain x]\nkernel=nothere\n",
     "cfg:2: kernel: there is no file `nothere`, or it cannot be read"},
    {"[domain x]\nkernel=../hello\n", "not a file name"},
    {"[domain x]\nkernel=EFI\\hello\n", "not a file name"},
    {"[domain x]\nkernel=hello\nmemory=16\n", "cfg:3: memory: `16` is not a size"},
    {"[domain x]\nkernel=hello\nmemory=1K\n", "whole pages"},
    {"[domain x]\nkernel=hello\nmemory=0M\n", "not a size"},
    {"[domain x]\nkernel=hello\nmemory=99999999999999999999G\n", "not a size"},
    {"[domain x]\nkernel=hello\nmemory=18014398509481984K\n", "not a size"},
    {"[domain x]\nkernel=hello\nvcpus=0\n", "vcpus: `0` is not a number from 1 to 64"},
    {"[domain x]\nkernel=hello\nvcpus=65\n", "not a number from 1 to 64"},
    {"[domain x]\nkernel=hello\nweight=0\n", "cfg:3: weight: `0` is not a number from 1 to 65535"},
    {"[domain x]\nkernel=hello\nweight=65536\n", "weight: `65536` is not a number from 1 to 65535"},
    {"[domain x]\nkernel=hello\ncap=6401\n", "cap: `6401` is not a number from 0 to 6400"},
    {"[domain x]\nkernel=hello\ncap=-1\n", "cap: `-1` is not"},
    {"[domain x]\nkernel=hello\ncap=50%\n", "cap: `50%` is not a number"},
    {"[domain x]\nkernel=hello\naffinity=64\n",
     "cfg:3: affinity: `64` is not a list of CPUs from 0 to 63: 0-3,5,^2 or all"},
    {"[domain x]\nkernel=hello\naffinity=0-64\n", "`0-64` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=3-1\n", "`3-1` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=1,\n", "`1,` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=,\n", "`,` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=^\n", "`^` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=1-\n", "`1-` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=-1\n", "`-1` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=0-18446744073709551615\n", "is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=some\n", "`some` is not a list of CPUs"},
    {"[domain x]\nkernel=hello\naffinity=^1\n", "affinity: `^1` names no CPU"},
    {"[domain x]\nkernel=hello\naffinity=all,^0-63\n", "names no CPU"},
    {"[domain x]\nkernel=hello\naffinity=\n", "affinity has no value"},
    {"[domain x]\nkernel=hello\nkind=xen\n", "cfg:3: kind: `xen` is not one of: pv, hvm, pvh"},
    {"[domain x]\nkernel=hello\nkind=HVM\n", "kind: `HVM` is not one of: pv, hvm, pvh"},
    {"[domain x]\nkernel=hello\nkind=\n", "kind has no value"},
    {"[domain x]\nkind=hvm\nkind=hvm\n", "cfg:3: kind is given twice"},
    {"\n[control]\nkernel=vmlinux\nkind=hvm\n",
     "cfg:2: the control domain can be of no kind but pv"},
    {"[domain x]\nkernel=hello\nkernel=hello\n", "kernel is given twice"},
    {"[domain x]\nconsole=com1\n",
     "unknown key `console`; a domain has: kernel, ramdisk, cmdline, memory, vcpus, weight, cap, "
     "affinity, kind; those of the hypervisor belong above the sections"},
    {"console = com1\001\n", "is not text"},
    {"[domain 0123456789012345678901234567890123456789]\n", "at most 31"},
};

static void test_mistakes(void **state)
{
    static struct boot_info bi;
    struct config_error error;

    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        assert_int_equal(parse(&bi, mistakes[i].text, strlen(mistakes[i].text), &error), -1);
        if (!strstr(error.text, mistakes[i].words))
            fail_msg("\"%s\"\nsays \"%s\"\nnot \"%s\"", mistakes[i].text, error.text,
                     mistakes[i].words);
        assert_int_equal(strncmp(error.text, "parvis.cfg:", 11), 0);
    }
}

static void test_too_much(void **state)
{
    static struct boot_info bi;
    static char text[16384];
    struct config_error error;
    size_t n = 0;

    (void)state;
    for (unsigned int i = 0; i <= BOOT_MAX_DOMAINS; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "[domain d%u]\nkernel=hello\nmemory=1M\n",
                              i);
    assert_int_equal(parse(&bi, text, n, &error), -1);
    assert_non_null(strstr(error.text, "more than 128 sections"));

    n = (size_t)snprintf(text, sizeof(text), "[domain x]\nkernel=hello\nmemory=1M\ncmdline=");
    memset(text + n, 'a', BOOT_STRING);
    assert_int_equal(parse(&bi, text, n + BOOT_STRING, &error), -1);
    assert_non_null(strstr(error.text, "cmdline has 512 characters; at most 511"));
    assert_int_equal(parse(&bi, text, n + BOOT_STRING - 1, &error), 0);
}

/* What other systems' editors leave, and a file that is as long as its owner likes. */
static void test_foreign_and_long(void **state)
{
    static const char *const begins[] = {("\xef\xbb\xbf"
                                          "console = com2\r\n"),
                                         "\xef\xbb\xbf# a comment\r\n", "\xef\xbb\xbf\r\n",
                                         "\xef\xbb\xbf"};
    struct boot_info *bi = malloc(sizeof(*bi));
    struct config_error error;
    char *text = malloc(200000);
    size_t n;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        n = (size_t)sprintf(text, "%s[domain hello]\r\nkernel = hello\r\nmemory = 16M\r\n",
                            begins[i]);
        assert_int_equal(parse(bi, text, n, &error), 0);
        assert_int_equal(bi->console, i ? 1 : 2);
        assert_string_equal(bi->domains[0].name, "hello");
        assert_int_equal(bi->domains[0].memory, 16 << 20);
    }
    /* The mark alone, half of it, and one that is not at the beginning. */
    assert_int_equal(parse(bi, "\xef\xbb\xbf", 3, &error), -1);
    assert_int_equal(parse(bi, "\xef\xbb", 2, &error), -1);
    assert_int_equal(parse(bi, "\n\xef\xbb\xbf[control]\nkernel=vmlinux\n", 29, &error), -1);

    n = 0;
    for (unsigned int i = 0; i < 9850; i++)
        n += (size_t)sprintf(text + n, "# line %u\n", i + 1);
    for (unsigned int i = 0; i < 50; i++)
        n += (size_t)sprintf(text + n, "[domain d%u]\nkernel = hello\nmemory = %uM\n", i, i + 1);
    assert_int_equal(parse(bi, text, n, &error), 0);
    assert_int_equal(bi->nr_domains, 50);
    assert_int_equal(bi->domains[49].memory, 50 << 20);
    n += (size_t)sprintf(text + n, "banana\n");
    assert_int_equal(parse(bi, text, n, &error), -1);
    assert_non_null(strstr(error.text, "parvis.cfg:10001: "));
    free(text);
    free(bi);
}

static void test_command_line(void **state)
{
    static struct boot_info bi;
    struct config_error error;

    (void)state;
    memset(&bi, 0, sizeof(bi));
    strcpy(bi.cmdline, "build/parvis.bin loglevel=error  debug_exit=0xf4 quiet");
    assert_int_equal(config_parse_cmdline(&bi, &error), 0);
    assert_int_equal(bi.loglevel, LOG_ERROR);
    assert_int_equal(bi.debug_exit, 0xf4);
    strcpy(bi.cmdline, "x kernel=vmlinux");
    assert_int_equal(config_parse_cmdline(&bi, &error), -1);
    assert_non_null(strstr(error.text, "command line:2: unknown key `kernel`"));
    strcpy(bi.cmdline, "loglevel=");
    assert_int_equal(config_parse_cmdline(&bi, &error), -1);
}

/* Whatever comes: a result, and if it is good, one that the rest can rely on. */
static void check_result(const struct boot_info *bi, int rc, const struct config_error *error)
{
    if (rc) {
        assert_int_equal(rc, -1);
        assert_true(error->text[0] && memchr(error->text, 0, sizeof(error->text)));
        return;
    }
    assert_in_range(bi->nr_domains, 1, BOOT_MAX_DOMAINS);
    for (unsigned int i = 0; i < bi->nr_domains; i++) {
        assert_in_range(bi->domains[i].kernel, 0, 3);
        assert_in_range(bi->domains[i].vcpus, 0, 64);
        assert_true(bi->domains[i].is_control || bi->domains[i].memory);
        assert_in_range(bi->domains[i].kind, 0, bi->domains[i].is_control ? 0 : 1);
        assert_non_null(memchr(bi->domains[i].name, 0, sizeof(bi->domains[i].name)));
        assert_non_null(memchr(bi->domains[i].cmdline, 0, sizeof(bi->domains[i].cmdline)));
    }
}

static void test_hostile(void **state)
{
    static struct boot_info bi;
    static const char bytes[] = "[]=# \n\r\0\xff/\\09azKMG";
    struct config_error error;
    char text[sizeof(good)];

    (void)state;
    for (size_t n = 0; n < sizeof(good); n++)
        check_result(&bi, parse(&bi, good, n, &error), &error);
    srand(1);
    for (unsigned int round = 0; round < 20000; round++) {
        memcpy(text, good, sizeof(good));
        for (int i = rand() % 6; i >= 0; i--)
            text[(size_t)rand() % (sizeof(good) - 1)] = bytes[(size_t)rand() % sizeof(bytes)];
        check_result(&bi, parse(&bi, text, sizeof(good) - 1, &error), &error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),         cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_spec_ctrl),    cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_too_much),     cmocka_unit_test(test_foreign_and_long),
        cmocka_unit_test(test_command_line), cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
