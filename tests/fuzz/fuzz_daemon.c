/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes parvisd with all that guests and clients can do to it, on the model of the machine: bytes
 * choose what guests write to the store and into their rings, events, ends, and messages of
 * clients.
 *
 * The oracle: the daemon goes on; when all domains have been taken away nothing of them is left in
 * the machine (fake_is_clean()), and nothing is left allocated (the leak checker says so at the
 * end).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "client.h"
#include "client_ask.h"
#include "collector.h"
#include "daemon.h"
#include "daemon_support.h"
#include "policy.h"
#include "reaper.h"

#define GUESTS  3u
#define CLIENTS 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[GUESTS] = {"one", "two", "six"};
static struct xencons_interface *ring[GUESTS];
static uint32_t domid[GUESTS];
static bool there[GUESTS];
static int client[CLIENTS] = {-1, -1, -1};
static const uint8_t *input, *input_end;

static unsigned int take(unsigned int below)
{
    return input < input_end ? *input++ % below : 0;
}

/* Up to `most` bytes, with an end. */
static void take_text(char *out, size_t most)
{
    size_t n = take(16) ? take(24) : most;

    for (size_t i = 0; i < most && i < n && input < input_end; i++)
        *out++ = (char)*input++;
    *out = '\0';
}

static void write_store(unsigned int g)
{
    static const char *const places[] = {"console/port",
                                         "console/ring-ref",
                                         "console/limit",
                                         "console/tty",
                                         "control/shutdown",
                                         "name",
                                         "device/vbd/51712/state",
                                         "device/vif/0/state",
                                         "error/x",
                                         "domid",
                                         "vm",
                                         "a/b/c"};
    char path[64], value[300];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid[g],
             places[take(sizeof(places) / sizeof(places[0]))]);
    take_text(value, sizeof(value) - 1);
    (void)f->host.ops->store_write(&f->host, 0, path, value);
}

static void write_ring(unsigned int g)
{
    struct xencons_interface *x = ring[g];
    char text[200];

    take_text(text, sizeof(text) - 1);
    (void)say(x, text, strlen(text));
    if (take(4) == 0)
        x->out_prod += take(2) ? take(256) : 0x80000000u + take(256);
    if (take(4) == 0)
        x->in_cons += take(256);
    if (take(8) == 0)
        x->out_cons = x->in_prod = take(256) << 24;
    if (console_by_name(names[g]))
        fire(names[g]);
}

static void serve_clients(void)
{
    struct pollfd p[MAX_CLIENTS];
    unsigned int n = client_poll_set(p);

    (void)poll(p, n, 0);
    client_serve(&f->host, p, n, client_request);
}

static void message(void)
{
    static const char types[] = {D_MAKE, D_SERVE,   D_REAP, D_CONSOLE, D_WAIT,
                                 D_DATA, D_HISTORY, D_OK,   D_END,     'z'};
    int *fd = &client[take(CLIENTS)];
    struct error e = {0};
    char text[256], uuid[37];

    if (*fd < 0) {
        *fd = daemon_connect(&e);
        if (*fd >= 0)
            client_accept(listener);
    } else if (take(6) == 0) {
        close(*fd);
        *fd = -1;
    } else {
        switch (take(5)) {
        case 0:
            take_text(text, sizeof(text) - 1);
            break;
        case 1:
            snprintf(text, sizeof(text), "%u %u %s", domid[take(GUESTS)], take(8),
                     names[take(GUESTS)]);
            break;
        case 2:
            uuid_format((const uint8_t[16]){(uint8_t)names[take(GUESTS)][0]}, uuid);
            snprintf(text, sizeof(text), "%u %s %s x", domid[take(GUESTS)], uuid,
                     names[take(GUESTS)]);
            break;
        default:
            snprintf(text, sizeof(text), take(2) ? "%s" : "%s %u", names[take(GUESTS)],
                     domid[take(GUESTS)]);
        }
        if (take(6) == 0)
            snprintf(text, sizeof(text), "%u", domid[take(GUESTS)]);
        if (daemon_send(*fd, (enum daemon_message)types[take(sizeof(types))], text, strlen(text))) {
            close(*fd);
            *fd = -1;
        } else {
            while (recv(*fd, text, sizeof(text), MSG_DONTWAIT) > 0)
                ;
        }
    }
    serve_clients();
}

static void go_on(void)
{
    int status;
    pid_t pid;

    clock_ms += take(8) ? take(200) : 5000;
    policy_check(&f->host);
    (void)collector_run(&f->host);
    policy_go_on();
    client_go_on(&f->host);
    (void)console_pump_waiting(&f->host);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        policy_child(&f->host, pid, status);
}

static void step(void)
{
    unsigned int g = take(GUESTS);

    if (!there[g]) {
        there[g] = true;
        if (take(2))
            ring[g] = serve(names[g], take(2) ? "preserve" : "destroy", &domid[g]);
        else
            ring[g] = make_guest(names[g], "destroy", &domid[g]);
        return;
    }
    if (!fake_domain(f, domid[g])) { /* taken away; the next life begins when the daemon is done */
        there[g] = reaper_has_name(names[g]);
        go_on();
        return;
    }
    switch (take(8)) {
    case 0:
    case 1:
        write_store(g);
        break;
    case 2:
    case 3:
        write_ring(g);
        break;
    case 4:
    case 5:
        message();
        break;
    case 6:
        if (take(4) == 0)
            fake_shutdown(f, domid[g], take(3) ? SHUTDOWN_poweroff : SHUTDOWN_crash);
        break;
    default:
        break;
    }
    go_on();
}

/* All end; who kept them lets go. */
static void end_all(void)
{
    struct error e = {0};

    (void)e;
    for (unsigned int i = 0; i < CLIENTS; i++) {
        if (client[i] >= 0)
            close(client[i]);
        client[i] = -1;
    }
    client_close_all();
    for (unsigned int g = 0; g < GUESTS; g++) {
        struct fake_domain *d = there[g] ? fake_domain(f, domid[g]) : NULL;

        if (d && d->live)
            reaper_start(&f->host, domid[g], d->d.uuid, names[g], "destroyed");
        there[g] = false;
    }
    reaper_close(&f->host);
    console_close_all(&f->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *left;

    input = data;
    input_end = data + size;
    if (daemon_setup(NULL))
        abort();
    while (input < input_end)
        step();
    end_all();
    left = fake_is_clean(f);
    if (left) {
        fprintf(stderr, "left behind: %s\n", left);
        abort();
    }
    (void)daemon_teardown(NULL);
    return 0;
}
