/* SPDX-License-Identifier: MIT */
/*
 * pvctl top, plot and stats --prometheus on a model of the machine, with a folder that looks like
 * the kernel's /sys: what they print, to the letter where other programs read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lifecycle_support.h"
#include "pvctl_support.h"
#include "state.h"
#include "traffic.h"

int pvctl_main(int argc, char **argv);

static char sys[96];
static struct fake_domain *web;

static void put(const char *where, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", sys, where);
    for (char *at = path + strlen(sys) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_number(const char *dir, const char *name, unsigned long long n)
{
    char path[128], text[32];

    snprintf(path, sizeof(path), "%s/statistics/%s", dir, name);
    snprintf(text, sizeof(text), "%llu\n", n);
    put(path, text);
}

static int setup(void **state)
{
    char dir[64];
    int rc = lifecycle_setup(state);

    if (rc)
        return rc;
    snprintf(sys, sizeof(sys), "%s", state_path("sys"));
    traffic_sys = sys;
    mkdir(sys, 0700);
    web = pvctl_runs("web");
    web->d.cpu_time_ns = UINT64_C(12500000000);
    web->d.online_vcpus = 1;
    web->d.blocked = true;
    web->d.running = false;
    snprintf(dir, sizeof(dir), "class/net/vif%u.0", web->d.domid);
    put_number(dir, "rx_bytes", 4096);
    put_number(dir, "rx_packets", 3);
    put_number(dir, "tx_bytes", 1048576);
    put_number(dir, "tx_packets", 700);
    put("class/net/eth0/statistics/rx_bytes", "99\n"); /* nobody's */
    snprintf(dir, sizeof(dir), "bus/xen-backend/devices/vbd-%u-51712", web->d.domid);
    put_number(dir, "oo_req", 1);
    put_number(dir, "rd_req", 10);
    put_number(dir, "wr_req", 20);
    put_number(dir, "rd_sect", 80);
    put_number(dir, "wr_sect", 160);
    return 0;
}

/* ---- as xentop ---- */

/* The line of this domain, as xentop would put it. */
static const char *line_of(const char *name)
{
    static char line[512];
    const char *at = strstr(pvctl_said, name), *begin = at;

    assert_non_null(at);
    while (begin > pvctl_said && begin[-1] != '\n')
        begin--;
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(begin, "\n"), begin);
    return line;
}

static void lines_of_xentop(void **state)
{
    char path[200];

    (void)state;
    pvctl_ends("top --batch -i 1", 0, "");
    assert_memory_equal(
        pvctl_said,
        "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS "
        "NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT SSID\n"
        "  Domain-0 -----r ",
        180);
    assert_string_equal(
        line_of("web"),
        "       web --b---         12    0.0       4096    6.2       4096       6.2     1    1 "
        "    1024        4    1        1       10       20         80        160    0");
    /* A disk without counters is one all the same, and they are none. */
    snprintf(path, sizeof(path), "%s/bus/xen-backend/devices/vbd-%u-51712/statistics/oo_req", sys,
             web->d.domid);
    unlink(path);
    fake_shutdown(f, web->d.domid, 3);
    web->d.max_pages = UINT32_MAX;
    pvctl_ends("top -b -i 1", 0, "");
    assert_non_null(strstr(line_of("web"), " -sbc-- "));
    assert_non_null(strstr(line_of("web"), "   no limit       n/a "));
    assert_non_null(
        strstr(line_of("web"), "    1        -        -        -          -          -  "));
    /* The name of another tool's domain, which is cut off in the midst of a character. */
    web->d.uuid[0]++;
    snprintf(path, sizeof(path), "/local/domain/%u/name", web->d.domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "abcdefghi\xc3\xbc"), 0);
    pvctl_ends("top -b -i 1", 0, "\nabcdefghi? ");
}

static void two_looks(void **state)
{
    (void)state;
    f->kill_at = 0;
    pvctl_ends("top -b -i 2 -d 1", 0, "");
    assert_non_null(strstr(strstr(pvctl_said, "NAME") + 1, "NAME"));
    pvctl_ends("top -b -i 0", 2, "--iterations wants a number");
    pvctl_ends("top -b -d 0", 2, "--delay wants a number");
    pvctl_ends("top -b -i 1 -r /no/such", 1, "/no/such: No such file or directory");
}

static void as_json(void **state)
{
    (void)state;
    pvctl_ends("top --json -i 1", 0, "\"name\": \"web\"");
    assert_non_null(strstr(pvctl_said, "\"received_bytes\": 1048576,"));
    assert_non_null(strstr(pvctl_said, "\"sent_bytes\": 4096,"));
    assert_non_null(strstr(pvctl_said, "\"read_bytes\": 40960,"));
    assert_non_null(strstr(pvctl_said, "\"state\": \"blocked\","));
}

/* ---- a file, and its picture ---- */

static char *read_all(const char *path)
{
    char *text = NULL;

    assert_int_equal(state_read_file(path, &text), 0);
    return text;
}

static void records_and_draws(void **state)
{
    char line[256], csv[96], svg[96], *text, *again;
    struct stat st;

    (void)state;
    umask(022);
    snprintf(csv, sizeof(csv), "%s", state_path("a.csv"));
    snprintf(svg, sizeof(svg), "%s", state_path("a.svg"));
    snprintf(line, sizeof(line), "top -b -i 2 -d 1 --record %s", csv);
    pvctl_ends(line, 0, "NAME");
    text = read_all(csv);
    assert_memory_equal(text, "time,name,id,state,cpu_seconds,cpu_percent,", 43);
    assert_non_null(strstr(text, ",blocked,12.500,0.0,4096,1,1048576,4096,40960,81920\n"));
    /* What was seen once is not lost; a pipe, or a device, has nothing to lose. */
    snprintf(line, sizeof(line), "top -b -i 1 --record %s", csv);
    pvctl_ends(line, 1, "a.csv: it has something in it already: name a new file");
    again = read_all(csv);
    assert_string_equal(again, text);
    pvctl_ends("top -b -i 1 --record /dev/null", 0, "NAME");
    snprintf(line, sizeof(line), "plot %s %s", csv, csv);
    pvctl_ends(line, 1, "a.csv: this is the file that is to be drawn");
    free(again);
    again = read_all(csv);
    assert_string_equal(again, text);
    free(again);
    free(text);
    snprintf(line, sizeof(line), "plot %s %s", csv, svg);
    pvctl_ends(line, 0, "");
    assert_int_equal(stat(svg, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644); /* others may see it */
    text = read_all(svg);
    assert_memory_equal(text, "<svg xmlns=", 11);
    assert_non_null(strstr(text, ">web ("));
    assert_string_equal(text + strlen(text) - 7, "</svg>\n");
    free(text);
}

#define HEAD                                                                                       \
    "time,name,id,state,cpu_seconds,cpu_percent,memory_kib,vcpus,received_bytes,sent_bytes,"       \
    "read_bytes,written_bytes\n"

static void draws_bytes(const char *text, size_t len, int status, const char *says)
{
    char line[256], csv[96];
    FILE *file;

    snprintf(csv, sizeof(csv), "%s", state_path("b.csv"));
    file = fopen(csv, "w");
    fwrite(text, 1, len, file);
    fclose(file);
    snprintf(line, sizeof(line), "plot %s %s", csv, state_path("b.svg"));
    pvctl_ends(line, status, says);
    if (status)
        assert_int_not_equal(access(state_path("b.svg"), F_OK), 0);
}

static void draws(const char *text, int status, const char *says)
{
    draws_bytes(text, strlen(text), status, says);
}

static void draws_what_it_can(void **state)
{
    static const char holed[] = HEAD "1,w,1,running,1,2,3,4,5,6,7,8\n\0\0\n2,w,1,running";
    char *text;

    (void)state;
    draws("", 1, "b.csv: there is nothing in it to draw");
    draws(HEAD, 1, "b.csv: there is nothing in it to draw");
    draws("time,other\n1,2\n", 1, "b.csv:1: not as `pvctl top --record` writes it");
    draws(HEAD "1,web,1,running,1,2,3,4,5,6,7\n", 1, "b.csv:2: not as");
    draws(HEAD "1,web,1,running,1,2,3,4,5,6,7,8,9\n", 1, "b.csv:2: not as");
    draws(HEAD "1,web,1,running,1,x,3,4,5,6,7,8\n", 1, "b.csv:2: not as");
    draws(HEAD "1,web,1,running,1,nan,3,4,5,6,7,8\n", 1, "b.csv:2: not as");
    draws(HEAD "1,web,1,running,1,,3,4,5,6,7,8\n", 1, "b.csv:2: not as");
    draws(HEAD "9e17,web,1,running,1,2,3,4,5,6,7,8\n", 1, "b.csv:2: not as"); /* no calendar */
    draws(HEAD "1,web,4294967296,running,1,2,3,4,5,6,7,8\n", 1, "b.csv:2: not as");
    draws(HEAD "2,w,1,running,1,2,3,4,5,6,7,8\n1,w,1,running,1,2,3,4,5,6,7,8\n", 1, "b.csv:3: not");
    draws_bytes(holed, sizeof(holed) - 1, 1, "b.csv:3: not as"); /* the power was cut */
    draws(HEAD "1,\"a,\"\"<b>\",1,running,1,2,3,4,5,6,7,8\n2,w,1,run", 0, "");
    text = read_all(state_path("b.svg"));
    assert_non_null(strstr(text, ">a,&#34;&#60;b&#62; (1)<"));
    free(text);
    draws(HEAD "1,a\1\x1b\xff\x7f<b,1,running,1,2,3,4,5,6,7,8\n", 0, "");
    text = read_all(state_path("b.svg"));
    for (const char *at = text; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at < 0x7f));
    assert_non_null(strstr(text, "&#60;b (1)<"));
    free(text);
    pvctl_ends("plot /no/such /tmp/x.svg", 1, "/no/such: No such file or directory");
    pvctl_ends("plot /no/such", 2, "missing argument PICTURE");
}

/* ---- Prometheus ---- */

static void for_prometheus(void **state)
{
    char line[160];

    (void)state;
    f->counted[COUNTER_syscalls] = 5;
    pvctl_ends("stats --prometheus", 0, "# TYPE parvis_domain_cpu_seconds_total counter\n");
    snprintf(line, sizeof(line), "parvis_domain_cpu_seconds_total{domain=\"web\",id=\"%u\"} 12.5",
             web->d.domid);
    assert_non_null(strstr(pvctl_said, line));
    snprintf(line, sizeof(line),
             "parvis_domain_events_total{domain=\"web\",id=\"%u\",event=\"syscalls\"} 15\n",
             web->d.domid);
    assert_non_null(strstr(pvctl_said, line));
    snprintf(
        line, sizeof(line),
        "parvis_domain_network_receive_bytes_total{domain=\"web\",id=\"%u\",interface=\"vif%u.0\"} "
        "1048576\n",
        web->d.domid, web->d.domid);
    assert_non_null(strstr(pvctl_said, line));
    snprintf(
        line, sizeof(line),
        "parvis_domain_disk_written_bytes_total{domain=\"web\",id=\"%u\",device=\"xvda\"} 81920\n",
        web->d.domid);
    assert_non_null(strstr(pvctl_said, line));
    snprintf(line, sizeof(line),
             "parvis_domain_state{domain=\"web\",id=\"%u\",state=\"blocked\"} 1\n", web->d.domid);
    assert_non_null(strstr(pvctl_said, line));
    pvctl_ends("stats --prometheus --json", 2, "--prometheus has all events, once");
    pvctl_ends("stats --prometheus nobody", 3, "nobody: no such domain");
    f->no_counters = -EPROTO;
    pvctl_ends("stats --prometheus", 1, "other event counters");
    f->no_counters = 0;
}

/* A disk's number says more than its name: two that have one name are two series. */
static void no_series_comes_twice(void **state)
{
    const uint32_t numbers[] = {51713, 1u << 28, (1u << 28) + 1, (1u << 28) + (16u << 8), 768};
    char *lines[4096], *save = NULL;
    size_t nr = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        static const char *const files[] = {"oo_req", "rd_req", "wr_req", "rd_sect", "wr_sect"};
        char dir[64];

        snprintf(dir, sizeof(dir), "bus/xen-backend/devices/vbd-%u-%u", web->d.domid, numbers[i]);
        for (size_t k = 0; k < 5; k++)
            put_number(dir, files[k], i);
    }
    pvctl_ends("stats --prometheus", 0, "device=\"xvda\"");
    assert_non_null(strstr(pvctl_said, "device=\"xvda1\""));
    assert_non_null(strstr(pvctl_said, "device=\"268435456\""));
    assert_non_null(strstr(pvctl_said, "device=\"268435457\""));
    assert_non_null(strstr(pvctl_said, "device=\"xvdq\""));
    assert_non_null(strstr(pvctl_said, "device=\"768\""));
    for (char *l = strtok_r(pvctl_said, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        if (*l == '#')
            continue;
        *strrchr(l, ' ') = '\0';
        assert_true(nr < sizeof(lines) / sizeof(lines[0]));
        lines[nr++] = l;
        for (size_t i = 0; i + 1 < nr; i++)
            assert_string_not_equal(lines[i], l);
    }
    assert_true(nr > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_of_xentop, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(two_looks, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(as_json, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(records_and_draws, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(draws_what_it_can, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(for_prometheus, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(no_series_comes_twice, setup, lifecycle_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
