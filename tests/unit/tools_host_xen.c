/* SPDX-License-Identifier: MIT */
/*
 * The real machine's operations that give lists, on a model of the hypervisor behind libxencall:
 * its log, and its list of domains, are longer than the buffer that hypercalls have.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host_xen.h"

#include <xen/xen.h>

#include <xen/domctl.h>
#include <xen/sysctl.h>

#include <parvis/speculation.h>

#define LOG_BYTES 70000u
#define DOMAINS   2000u
#define GAP       3u /* between the numbers of two domains */

static char log_text[LOG_BYTES];
static uint32_t oldest; /* of the log, what is before it is lost */
static unsigned int calls;
static int refuses;       /* how the machine's speculation cannot be asked for */
static uint32_t too_many; /* so many more than there is room for, the hypervisor says it gave */

static long readconsole(struct xen_sysctl_readconsole *r)
{
    uint32_t left;

    if (r->index < oldest)
        r->index = oldest;
    left = LOG_BYTES - r->index;
    r->count = r->count < left ? r->count : left;
    memcpy((void *)(uintptr_t)r->buffer, log_text + r->index, r->count);
    r->index += r->count;
    r->count += too_many;
    return 0;
}

static long domains(struct xen_sysctl_getdomaininfolist *l)
{
    struct xen_domctl_getdomaininfo *out = (void *)(uintptr_t)l->buffer;
    uint32_t i = (l->first_domain + GAP - 1) / GAP, n = 0;

    for (; i < DOMAINS && n < l->max_domains; i++)
        out[n++] = (struct xen_domctl_getdomaininfo){.domain = (domid_t)(i * GAP), .tot_pages = i};
    l->num_domains = n + too_many;
    return 0;
}

int xencall1(xencall_handle *x, unsigned int op, uint64_t arg)
{
    struct xen_sysctl *s = (void *)(uintptr_t)arg;

    (void)x;
    calls++;
    assert_int_equal(op, __HYPERVISOR_sysctl);
    assert_int_equal(s->interface_version, XEN_SYSCTL_INTERFACE_VERSION);
    if (s->cmd == PARVIS_SYSCTL_speculation) {
        memset(&s->u, 0xff, sizeof(s->u));
        errno = refuses;
        return refuses ? -1 : 0;
    }
    if (s->cmd == XEN_SYSCTL_readconsole)
        return (int)readconsole(&s->u.readconsole);
    assert_int_equal(s->cmd, XEN_SYSCTL_getdomaininfolist);
    return (int)domains(&s->u.getdomaininfolist);
}

int xencall2(xencall_handle *x, unsigned int op, uint64_t a, uint64_t b)
{
    (void)x, (void)op, (void)a, (void)b;
    errno = ENOSYS;
    return -1;
}

static struct host_xen machine;

static int setup(void **state)
{
    (void)state;
    machine = (struct host_xen){.op = calloc(1, HOST_PAGE_SIZE), .list = malloc(HOST_LIST_BYTES)};
    for (uint32_t i = 0; i < LOG_BYTES; i++)
        log_text[i] = (char)('a' + i % 23);
    oldest = calls = too_many = 0;
    return !machine.op || !machine.list;
}

static int teardown(void **state)
{
    (void)state;
    free(machine.op);
    free(machine.list);
    return 0;
}

/* From this place on, in pieces of so many bytes, until there is no more; what came. */
static uint32_t read_log(uint32_t index, uint32_t piece, uint32_t from)
{
    char *buf = malloc(piece);
    uint32_t sum = 0, len;

    do {
        len = piece;
        assert_int_equal(hx_readconsole(&machine.host, buf, &len, &index, false), 0);
        assert_true(len <= piece);
        assert_memory_equal(buf, log_text + from + sum, len);
        sum += len;
        assert_int_equal(index, from + sum);
    } while (len > 0);
    free(buf);
    return sum;
}

/* However large or small the caller's buffer is; a log that has lost something begins behind that,
 * and the place says so. */
static void the_log_in_pieces(void **state)
{
    (void)state;
    assert_int_equal(read_log(0, 1000, 0), LOG_BYTES);
    assert_int_equal(calls, LOG_BYTES / 1000 + 1);
    assert_int_equal(read_log(0, HOST_LIST_BYTES, 0), LOG_BYTES);
    assert_int_equal(read_log(0, 1 << 20, 0), LOG_BYTES);
    assert_int_equal(read_log(69000, 7, 69000), 1000);
    oldest = 4464;
    assert_int_equal(read_log(0, 4096, 4464), LOG_BYTES - 4464);
    assert_int_equal(read_log(5000, 4096, 5000), LOG_BYTES - 5000);
}

/* All of them, each once, in as many calls as they need; and no more than are asked for. */
static void more_domains_than_fit(void **state)
{
    const unsigned int room = HOST_LIST_BYTES / sizeof(struct xen_domctl_getdomaininfo);
    struct host_domain *all = calloc(DOMAINS + 1, sizeof(*all));
    unsigned int n;

    (void)state;
    assert_true(room < DOMAINS);
    assert_int_equal(hx_domain_list(&machine.host, 0, all, DOMAINS + 1, &n), 0);
    assert_int_equal(n, DOMAINS);
    assert_int_equal(calls, DOMAINS / room + 1);
    for (unsigned int i = 0; i < n; i++) {
        assert_int_equal(all[i].domid, i * GAP);
        assert_int_equal(all[i].nr_pages, i);
    }
    assert_int_equal(hx_domain_list(&machine.host, 4, all, room + 5, &n), 0);
    assert_int_equal(n, room + 5);
    assert_int_equal(all[0].domid, 6);
    assert_int_equal(all[room + 4].domid, 6 + (room + 4) * GAP);
    assert_int_equal(hx_domain_list(&machine.host, DOMAINS * GAP, all, 1, &n), 0);
    assert_int_equal(n, 0);
    free(all);
}

/* What cannot be is not believed: nothing is read from behind the buffer. */
static void more_than_there_is_room_for(void **state)
{
    struct host_domain d[4];
    uint32_t len = 16, index = 0;
    unsigned int n;
    char buf[16];

    (void)state;
    too_many = 1;
    assert_int_equal(hx_domain_list(&machine.host, 0, d, 4, &n), -EPROTO);
    assert_int_equal(hx_readconsole(&machine.host, buf, &len, &index, false), -EPROTO);
    assert_int_equal(index, 0);
}

/* What was refused gives nothing. */
static void speculation_is_refused(void **state)
{
    struct parvis_sysctl_speculation s = {0}, none = {0}, all;

    (void)state;
    memset(&all, 0xff, sizeof(all));
    refuses = ENOSYS;
    assert_int_equal(hx_speculation(&machine.host, &s), -EOPNOTSUPP);
    refuses = EPERM;
    assert_int_equal(hx_speculation(&machine.host, &s), -EPERM);
    assert_memory_equal(&s, &none, sizeof(s));
    refuses = 0;
    assert_int_equal(hx_speculation(&machine.host, &s), 0);
    assert_memory_equal(&s, &all, sizeof(s));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_log_in_pieces),
        T(more_domains_than_fit),
        T(more_than_there_is_room_for),
        T(speculation_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
