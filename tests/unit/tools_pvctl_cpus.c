/* SPDX-License-Identifier: MIT */
/*
 * pvctl's verbs about CPUs, on a model of a machine with two: what they print, what they set, and
 * in which words and with which exit status they refuse. The program runs in this process, so that
 * what it did to the machine can be looked at.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lifecycle_support.h"
#include "pvctl_support.h"
#include "state.h"

static struct fake_domain *web;

static int setup(void **state)
{
    int rc = lifecycle_setup(state);

    if (rc == 0)
        web = pvctl_runs("web");
    return rc;
}

static void pins(void **state)
{
    (void)state;
    pvctl_ends("pin web", 0, "vCPU 0   0\nvCPU 1   all\n");
    pvctl_ends("pin web 1 0-1,^0", 0, "");
    assert_string_equal(pvctl_said, "");
    assert_int_equal(web->affinity[0], 1);
    assert_int_equal(web->affinity[1], 2);
    pvctl_ends("pin web 1", 0, "vCPU 1   1\n");
    pvctl_ends("pin web all all", 0, "");
    assert_int_equal(web->affinity[0], 3);
    assert_int_equal(web->affinity[1], 3);
    pvctl_ends("pin web all", 0, "vCPU 0   all\nvCPU 1   all\n");
}

/* What the machine lacks is named, and left out; where nothing is left, that is refused. */
static void pins_to_what_is_there(void **state)
{
    static const char *const warning =
        "pvctl: web: there are no CPUs 2-9: the machine has CPUs 0 to 1; the others are used\n";

    (void)state;
    pvctl_ends("pin web 0 1-9", 0, "");
    assert_string_equal(pvctl_said, warning);
    pvctl_ends("pin web 0", 0, "vCPU 0   1\n");
    pvctl_ends("pin web 0 0,2", 0, "");
    assert_string_equal(pvctl_said,
                        "pvctl: web: there is no CPU 2: the machine has CPUs 0 to 1; the "
                        "others are used\n");
    pvctl_ends("pin web 0", 0, "vCPU 0   0\n");
    /* All that there can be, or all but some: nothing is lacking. */
    pvctl_ends("pin web 0 0-63", 0, "");
    assert_string_equal(pvctl_said, "");
    pvctl_ends("pin web 0 1-63", 0, "");
    assert_string_equal(pvctl_said, "");
    pvctl_ends("pin web 0", 0, "vCPU 0   1\n");
    pvctl_ends("pin web 0 2", 2, "pvctl: web: there is no CPU 2: the machine has CPUs 0 to 1\n");
    pvctl_ends("pin web 0 2-9,63", 2, "pvctl: web: there are no CPUs 2-9,63: the machine has ");
    pvctl_ends("pin web 0 2-63", 2,
               "pvctl: web: there are no CPUs 2-63: the machine has CPUs 0 to 1\n");
    pvctl_ends("pin web 0", 0, "vCPU 0   1\n");
}

/* QEMU's first CPU is not safe for a guest that is not paravirtual: that is pvctl_said, and done.
 */
static void pins_to_what_is_not_safe(void **state)
{
    static const char *const warning = "pvctl: web: on QEMU's CPU 0 a fault of QEMU's may end a "
                                       "guest of kind pvh, or the machine, "
                                       "unless one thread runs all its CPUs; the others are safe\n";

    (void)state;
    f->emulated = true;
    pvctl_ends("pin web 0 0", 0, "");
    assert_string_equal(pvctl_said, "");
    web->d.kind = KIND_PVH;
    pvctl_ends("pin web 0 0", 0, "");
    assert_string_equal(pvctl_said, warning);
    pvctl_ends("pin web 0", 0, "vCPU 0   0\n");
    pvctl_ends("pin web all all", 0, "");
    assert_string_equal(pvctl_said, warning);
    pvctl_ends("pin web 0 1", 0, "");
    assert_string_equal(pvctl_said, "");
    f->emulated = false;
    pvctl_ends("pin web 0 0", 0, "");
    assert_string_equal(pvctl_said, "");
}

static void does_not_pin(void **state)
{
    (void)state;
    pvctl_ends("pin nobody 0 1", 3, "pvctl: nobody: no such domain");
    pvctl_ends("pin web 2 0", 2, "pvctl: web: there is no vCPU 2: it has 2");
    pvctl_ends("pin web -1 0", 2, "pvctl pin: unknown option -1");
    pvctl_ends("pin web 1x 0", 2,
               "pvctl pin: neither a vCPU's number nor all: 1x; `pvctl help pin`");
    pvctl_ends("pin web 99999999999 0", 2, "neither a vCPU's number nor all: 99999999999");
    pvctl_ends("pin web 0 0,^0", 2, "pvctl pin: it names no CPU: 0,^0; ");
    pvctl_ends("pin web 0 one", 2,
               "pvctl pin: it is no list of CPUs such as 0-3,5,^2 or all: one; ");
    pvctl_ends("pin web 0 64", 2, "pvctl pin: there is no CPU above 63: 64; ");
    assert_int_equal(web->affinity[1], 3);
    pvctl_ends("help pin", 0, "`pvctl vcpu-list --json` has it for programs: affinity.\n");
}

/* A configuration that names what is not there is not accepted. */
static void does_not_create(void **state)
{
    static const char *const bad[][2] = {
        {"<vcpu cpuset='5'>1</vcpu>", "pvctl: bad: <vcpu>: there is no CPU 5: the machine has "},
        {"<vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='5'/></cputune>",
         "pvctl: bad: <vcpupin>: vCPU 1: there is no CPU 5: the machine has "},
        {"<vcpu>4</vcpu><cputune><global_quota>300000</global_quota></cputune>",
         "pvctl: bad: <global_quota>: a cap of 300 % of a CPU; the machine has 2 CPUs"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char path[96], line[128];
        FILE *file;

        snprintf(path, sizeof(path), "%s", state_path("bad.xml"));
        file = fopen(path, "w");
        fprintf(file,
                "<domain type='xen'><name>bad</name><memory>8192</memory>%s<os><type>linux</type>"
                "<kernel>/k</kernel></os></domain>",
                bad[i][0]);
        fclose(file);
        snprintf(line, sizeof(line), "create %s", path);
        pvctl_ends(line, 4, bad[i][1]);
    }
}

static void shares(void **state)
{
    (void)state;
    pvctl_ends("sched web", 0, "  Weight  Cap(%)\nweb ");
    pvctl_ends("sched web", 0, "     300     150\n");
    pvctl_ends("sched web --weight 65535", 0, "");
    assert_int_equal(web->sched.weight, 65535);
    assert_int_equal(web->sched.cap, 150);
    pvctl_ends("sched --cap 0 web", 0, "");
    pvctl_ends("sched web", 0, "   65535    none\n");
    pvctl_ends("sched web --weight 1 --cap 200", 0, "");
    assert_int_equal(web->sched.weight, 1);
    assert_int_equal(web->sched.cap, 200);
    pvctl_ends("sched web --weight 5 --cap 201", 2,
               "pvctl: web: a cap of 201 %: vCPUs 2, CPUs 2, so at most 200 %");
    assert_int_equal(web->sched.weight, 1);
    pvctl_ends("sched nobody", 3, "pvctl: nobody: no such domain");
    pvctl_ends("sched nobody --weight 5", 3, "pvctl: nobody: no such domain");
    pvctl_ends("sched --json", 0, "\"weight\": 1,\n    \"cap\": 200\n");
    pvctl_ends("sched", 0, "\nDomain-0 ");
}

static void lists_vcpus(void **state)
{
    struct fake_domain *other = pvctl_runs("other");

    (void)state;
    pvctl_ends("vcpu-list web", 0, "Name ");
    pvctl_ends("vcpu-list web", 0, "     0    0  running          0.0  0\n");
    pvctl_ends("vcpu-list web", 0, "     1    1  offline          1.5  all\n");
    assert_null(strstr(pvctl_said, "other"));
    pvctl_ends("vcpu-list", 0, "\nother ");
    pvctl_ends("vcpu-list", 0, "\nweb ");
    pvctl_ends("vcpu-list --json web", 0,
               "\"vcpu\": 1,\n    \"cpu\": 1,\n    \"state\": \"offline\",\n"
               "    \"cpu_time_ns\": 1500000000,\n    \"affinity\": \"0-1\"\n  }\n]\n");
    pvctl_ends("vcpu-list nobody", 3, "pvctl: nobody: no such domain");
    other->never_ran = true;
    pvctl_ends("vcpu-list other", 0, "     0    -  runnable         0.0  0\n");
    pvctl_ends("vcpu-list other", 0, "     1    -  offline          0.0  all\n");
    pvctl_ends("vcpu-list --json other", 0, "\"vcpu\": 1,\n    \"state\": \"offline\",\n");
    pvctl_ends("dominfo web", 0, "vCPU 1       offline, CPU 1, 1.500 s\n");
    pvctl_ends("dominfo other", 0, "vCPU 1       offline, CPU -, 0.000 s\n");
    pvctl_ends("dominfo --json other", 0, "\"id\": 1,\n      \"state\": \"offline\",\n");
    web->d.paused = true; /* so its vCPUs do not run, whatever else they would do */
    pvctl_ends("vcpu-list web", 0, "     0    0  paused           0.0  0\n");
    pvctl_ends("vcpu-list web", 0, "     1    1  offline          1.5  all\n");
    pvctl_ends("dominfo web", 0, "vCPU 0       paused, CPU 0, 0.000 s\n");
    web->d.paused = false;
    web->d.shutdown = true;
    pvctl_ends("vcpu-list --json web", 0,
               "\"vcpu\": 0,\n    \"cpu\": 0,\n    \"state\": \"paused\",\n");
    web->d.shutdown = false;
    pvctl_ends("vcpu-list other", 0, "     0    -  runnable         0.0  0\n");
    other->vcpus_made = false; /* it goes while we look */
    pvctl_ends("vcpu-list", 0, "\nweb ");
    assert_null(strstr(pvctl_said, "other"));
}

static void shows_stats(void **state)
{
    (void)state;
    pvctl_runs("other");
    f->counted[COUNTER_syscalls] = 5;
    f->counted[COUNTER_exit_port] = 7;
    f->counted[COUNTER_exit_npt_fault] = 1;
    f->counted[COUNTER_grants_mapped] = 2;
    f->counted[COUNTER_grants_copied] = 3;
    f->counted[COUNTER_hypercall + 23] = 1000000000000;
    f->counted[COUNTER_hypercall + 63] = 1;
    /* Two vCPUs: three times as much, and 1.5 seconds. */
    pvctl_ends("stats web", 0, "Name ");
    pvctl_ends(
        "stats web", 0,
        "       1.5          15 3000000000003           0          24        8000          15\n");
    assert_null(strstr(pvctl_said, "other"));
    pvctl_ends("stats", 0, "\nother ");
    pvctl_ends("stats", 0, "\nweb ");
    pvctl_ends("stats", 0, "\nDomain-0 ");
    pvctl_ends("stats --json web", 0, "\"cpu_time_ns\": 1500000000,\n    \"syscalls\": 15,\n");
    pvctl_ends("stats --json web", 0, "\"grants\": 15\n  }\n]\n");
    pvctl_ends("stats --events web", 0, "web, number ");
    pvctl_ends("stats --events web", 0,
               "\n  exit_port                                            21\n");
    pvctl_ends("stats --events web", 0,
               "\n  hypercall_iret                            3000000000000\n");
    pvctl_ends("stats --events web", 0,
               "\n  hypercall_63                                          3\n");
    assert_null(strstr(pvctl_said, "exit_msr"));
    pvctl_ends("stats --events --json web", 0, "\"vcpu\": [\n      {\n        \"id\": 0,\n");
    pvctl_ends("stats --events --json web", 0, "\"exit_port\": 14,\n"); /* vCPU 1 alone */
    pvctl_ends("stats --events --json web", 0, "\"exit_msr\": 0,\n");
    pvctl_ends("stats --events --json web", 0, "\"hypercall_63\": 2\n        }\n      }\n    ]\n");
    assert_null(strstr(pvctl_said, "hypercall_62"));
    pvctl_ends("stats nobody", 3, "pvctl: nobody: no such domain");
}

static void no_stats(void **state)
{
    (void)state;
    f->no_counters = -EOPNOTSUPP;
    pvctl_ends("stats", 1, "pvctl: this hypervisor has no event counters\n");
    f->no_counters = -EPROTO;
    pvctl_ends("stats", 1,
               "pvctl: this hypervisor has other event counters: it is of another version\n");
    f->no_counters = -ESRCH; /* all go at this moment */
    pvctl_ends("stats --json web", 0, "\"syscalls\": 0,\n");
}

/* The line behind the title, from the number behind the domain's on: percent, ..., switches. */
static void rates(const char *line, double *cpu, double *switches)
{
    const char *at = strstr(line, "\nweb ");

    assert_non_null(at);
    assert_int_equal(sscanf(at, "\nweb %*u %lf %*f %*f %*f %*f %lf", cpu, switches), 2);
}

/* Twice, until the machine does not answer any more: the first time there is nothing to subtract.
 */
static void stats_by_interval(void **state)
{
    double cpu, switches;

    (void)state;
    f->calls = 0;
    pvctl_ends("stats web", 0, "Time(s)");
    f->fail_at = 2 * f->calls + 1;
    f->calls = 0;
    f->counted[COUNTER_syscalls] = 5;
    assert_int_equal(pvctl_run("stats web --interval 1"), 1);
    assert_non_null(strstr(pvctl_said, "CPU(%)"));
    assert_null(strstr(strstr(pvctl_said, "Name ") + 1, "Name "));
    rates(pvctl_said, &cpu, &switches);
    assert_true(cpu == 0);
    /* 2000 more of vCPU 0, 4000 of vCPU 1, within a second or little more */
    assert_true(switches > 600 && switches <= 6001);
    f->calls = 0;
    assert_int_equal(pvctl_run("stats --json --events web --interval=1"), 1);
    assert_non_null(strstr(pvctl_said, "\"cpu_percent\": 0.0,\n"));
    assert_non_null(strstr(pvctl_said, "\"syscalls\": 0.0,\n"));
}

/* A domain that answers for none of its vCPUs, as one that is made just now: rates as of any. */
static void stats_of_no_vcpu(void **state)
{
    (void)state;
    f->no_counters = -ESRCH;
    f->calls = 0;
    pvctl_ends("stats web", 0, "Time(s)");
    f->fail_at = 2 * f->calls + 1;
    f->calls = 0;
    assert_int_equal(pvctl_run("stats --json web --interval 1"), 1);
    assert_non_null(strstr(pvctl_said, "\"cpu_percent\": 0.0,\n    \"syscalls\": 0.0,\n"));
    f->fail_at = 0;
    pvctl_ends("stats nobody --interval 1", 3, "pvctl: nobody: no such domain\n");
}

/* What parvis.cfg asked for is told from what the CPUs need, in its own words. */
static void shows_what_was_asked(void **state)
{
    uint32_t verw = 1u << MEASURE_VERW, pti = 1u << MEASURE_PTI;
    const struct {
        uint32_t off, on;
        const char *text, *json;
    } asked[] = {
        {0, 0, "\nspec-ctrl        default\n", "\"spec_ctrl\": \"default\""},
        {~0u, 0, "\nspec-ctrl        no\n", "\"spec_ctrl\": \"no\""},
        {~0u & ~pti, pti, "\nspec-ctrl        no,pti\n", "\"spec_ctrl\": \"no,pti\""},
        {verw, pti, "\nspec-ctrl        yes,no-verw,pti\n", "\"spec_ctrl\": \"yes,no-verw,pti\""},
    };

    (void)state;
    for (unsigned int i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        f->spec_off = asked[i].off;
        f->spec_on = asked[i].on;
        pvctl_ends("info", 0, asked[i].text);
        pvctl_ends("info --json", 0, asked[i].json);
    }
}

static void shows_cpus(void **state)
{
    (void)state;
    pvctl_ends("info", 0, "\nCPUs             2 (2 cores a socket, 1 thread a core)\n");
    pvctl_ends("info", 0, "\nCPU model        Model T\n");
    pvctl_ends("info", 0,
               "\naffected by      meltdown mds locks\nstill open       meltdown\n"
               "mitigations      verw lock-harden\nspec-ctrl        default\nsmt              no "
               "CPU is the second thread of a "
               "core\n");
    f->second_threads = 2;
    pvctl_ends("info", 0, "\nsmt              2 CPUs are second threads of a core\n");
    f->second_threads = 1;
    pvctl_ends("info", 0, "\nsmt              1 CPU is the second thread of a core\n");
    f->second_threads = 0;
    f->threads_left_alone = 3;
    pvctl_ends("info", 0, "\nsmt              off: 3 second threads are left alone (smt = no)\n");
    pvctl_ends("info --json", 0, "\"second_threads\": 0,\n    \"threads_left_alone\": 3\n");
    f->emulated = true;
    pvctl_ends("info", 0,
               "\naffected by      meltdown mds locks (QEMU's emulation: its CPUs are none)\n");
    pvctl_ends("info --json", 0, "\"emulated\": true,\n    \"affected\": [");
    f->emulated = false;
    pvctl_ends(
        "info --json", 0,
        "\"speculation\": {\n    \"emulated\": false,\n    \"affected\": [\n      \"meltdown\",\n "
        "     \"mds\",\n");
    f->no_speculation = -EOPNOTSUPP;
    pvctl_ends("info", 0, "\nCPU model        Model T\n");
    assert_null(strstr(pvctl_said, "mitigations"));
    f->no_speculation = 0;
    pvctl_ends("info", 0, "\nCPU 0            100 % busy, idle for 0.0 s since the start\n");
    pvctl_ends("info", 0, "\nCPU 1              0 % busy, idle for ");
    pvctl_ends("info --json", 0,
               "\"cpu\": [\n    {\n      \"id\": 0,\n      \"busy_percent\": 100,\n"
               "      \"idle_time_ns\": 0\n    },\n    {\n      \"id\": 1,\n"
               "      \"busy_percent\": 0,\n");
}

/* Whichever call fails, it is told. */
static void any_call_may_fail(void **state)
{
    static const char *const lines[] = {"info",
                                        "pin web",
                                        "pin web 0 1",
                                        "sched web --weight 7",
                                        "sched web --cap 7",
                                        "stats",
                                        "stats --json --events web"};
    int status;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        f->fail_at = 0;
        do {
            f->calls = 0;
            f->failed_call = NULL;
            f->fail_at++;
            status = pvctl_run(lines[i]);
            if (status != (f->failed_call ? 1 : 0) ||
                (status && strncmp(pvctl_said, "pvctl: ", 7) != 0))
                fail_msg("`pvctl %s` ended with %d and pvctl_said: %s", lines[i], status,
                         pvctl_said);
        } while (f->failed_call);
        assert_true(f->fail_at > 2);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, lifecycle_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(pins),
        T(pins_to_what_is_there),
        T(pins_to_what_is_not_safe),
        T(does_not_pin),
        T(does_not_create),
        T(shares),
        T(lists_vcpus),
        T(shows_what_was_asked),
        T(shows_cpus),
        T(any_call_may_fail),
        T(shows_stats),
        T(no_stats),
        T(stats_by_interval),
        T(stats_of_no_vcpu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
