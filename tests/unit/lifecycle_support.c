/* SPDX-License-Identifier: MIT */
/*
 * What the tests of a domain's life share: see lifecycle_support.h.
 */
#include "lifecycle_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader_support.h"
#include "state.h"

static char dir[64];
static char kernel[96];
struct fake_host *f;
int served, released;
const char *last_how;
static int making;

static int test_serve(void *ctx, uint32_t domid, uint32_t port, const char *name, struct error *e)
{
    (void)name, (void)port;
    assert_true(fake_domain(ctx, domid)->d.paused);
    if (++((struct fake_host *)ctx)->calls == f->fail_at) {
        f->failed_call = "console service";
        return error_set(e, f->fail_with, "%s: no console", name);
    }
    served++;
    return 0;
}

/* Nobody is there who could: the tools take the domain away themselves. */
static int test_reap(void *ctx, const struct host_domain *d, const char *name, const char *how,
                     struct error *e)
{
    (void)ctx, (void)d, (void)name;
    released++;
    last_how = how;
    return error_set(e, -ECONNREFUSED, "no daemon");
}

static int test_begin(void *ctx, const char *name, struct error *e)
{
    (void)ctx, (void)name, (void)e;
    making++;
    return 0;
}

static void test_end(void *ctx)
{
    (void)ctx;
    making--;
}

struct console_service service = {test_begin, test_end, test_serve, test_reap, NULL};

struct domain_config config(const char *name)
{
    struct domain_config c = {
        .name = strdup(name),
        .kernel = strdup(kernel),
        .cmdline = strdup("a=b"),
        .memory_kib = 4096,
        .current_kib = 4096,
        .max_vcpus = 2,
        .vcpus = 1,
        .weight = 300,
        .cap = 150,
        .cpuset = 1,
        .pin = {[1] = UINT64_MAX},
    };

    return c;
}

int lifecycle_setup(void **state)
{
    struct simple_kernel k = {.virt_base = 0xffffffff80000000,
                              .paddr = 0x100000,
                              .size = 0x3000,
                              .hypercall_page = 0xffffffff80101000,
                              .pvh_entry = 0x100100}; /* of each kind */
    size_t size;
    uint8_t *image;
    FILE *file;

    (void)state;
    strcpy(dir, "/tmp/parvis-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    setenv("PARVIS_RUN", dir, 1);
    snprintf(kernel, sizeof(kernel), "%s/kernel", dir);
    image = make_simple_kernel(&k, &size);
    file = fopen(kernel, "w");
    fwrite(image, 1, size, file);
    fclose(file);
    free(image);
    f = fake_new();
    service.ctx = f;
    served = released = making = 0;
    return 0;
}

int lifecycle_teardown(void **state)
{
    char command[128];

    (void)state;
    fake_free(f);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

/* Makes it and leaves it paused. */
static int make_and_go(struct domain_config *c, uint32_t *domid, struct error *e)
{
    int rc = lifecycle_make(&f->host, c, &service, domid, e);

    rc = rc ? rc : lifecycle_go(&f->host, c, &service, *domid, true, e);
    assert_int_equal(making, 0);
    return rc;
}

uint32_t start(const char *name)
{
    struct domain_config c = config(name);
    struct error e = {0};
    uint32_t domid = 0;

    if (make_and_go(&c, &domid, &e))
        fail_msg("%s", e.text);
    domain_config_free(&c);
    return domid;
}

void reap(const char *which, const char *how)
{
    struct live_domain l;
    struct error e = {0};

    assert_int_equal(lifecycle_find(&f->host, which, &l, &e), 0);
    if (lifecycle_reap(&f->host, &l.d, l.name, how, &service, &e))
        fail_msg("%s", e.text);
}

int try_start(struct domain_config *c, struct error *e)
{
    uint32_t domid;
    int rc;

    memset(e, 0, sizeof(*e));
    rc = make_and_go(c, &domid, e);
    domain_config_free(c);
    return rc;
}

/* Nothing of the name is left in the state directory either. */
void assert_no_state(const char *name)
{
    struct state_entry *list;
    size_t n;

    assert_int_equal(state_list(&list, &n), 0);
    if (n)
        fail_msg("the name %s is still taken after %s failed", name, f->failed_call);
    free(list);
}
