/* SPDX-License-Identifier: MIT */
/*
 * What takes long says how far it is: see progress.h.
 */
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"

#define PATIENCE_MS 500
#define STEP_MS     200

#define EMPTY_LINE "\r\033[K"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static bool shown, caught[sizeof(signals) / sizeof(signals[0])];

/* What would have ended the process does that now. */
static void end_by(int signal)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};

    if (write(STDERR_FILENO, EMPTY_LINE, sizeof(EMPTY_LINE) - 1) < 0)
        errno = 0; /* there is nobody to tell */
    sigaction(signal, &standard, NULL);
    raise(signal);
}

/* Signals that somebody waits for, or nobody wants, are left alone. */
static void catch_signals(bool on)
{
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction now, ours = {.sa_handler = on ? end_by : SIG_DFL};

        if (sigaction(signals[i], NULL, &now) < 0)
            continue;
        if (on ? now.sa_handler == SIG_DFL : caught[i] && now.sa_handler == end_by) {
            sigaction(signals[i], &ours, NULL);
            caught[i] = on;
        }
    }
}

static bool on_terminal(void)
{
    return isatty(STDERR_FILENO) && isatty(STDOUT_FILENO);
}

void progress_clear(void)
{
    if (!shown)
        return;
    fputs(EMPTY_LINE, stderr);
    shown = false;
    catch_signals(false);
}

static void show(void)
{
    if (!shown)
        catch_signals(true);
    shown = true;
}

void progress(const char *name, const char *what, uint64_t done, uint64_t total)
{
    static uint64_t next;
    uint64_t now = now_ms();

    if (next == 0)
        next = now + PATIENCE_MS;
    if (done >= total) {
        progress_clear();
        next = 0;
    } else if (now >= next && on_terminal()) {
        show();
        fprintf(stderr, "\r%s: %s %u %%", name, what, (unsigned int)(done * 100 / total));
        next = now + STEP_MS;
    }
}

void progress_line(const char *text)
{
    if (!on_terminal())
        return;
    show();
    fprintf(stderr, EMPTY_LINE "%s", text);
}

int progress_poll(struct pollfd *p, nfds_t n, int timeout_ms, const char *name, const char *what)
{
    const uint64_t start = now_ms();
    bool terminal = on_terminal();
    int rc;

    for (;;) {
        uint64_t passed = now_ms() - start;
        int left = timeout_ms < 0                   ? PATIENCE_MS
                   : passed >= (uint64_t)timeout_ms ? 0
                                                    : timeout_ms - (int)passed;

        rc = poll(p, n, !terminal ? timeout_ms : left < PATIENCE_MS ? left : PATIENCE_MS);
        if (rc != 0 || !terminal || left == 0)
            break;
        passed = now_ms() - start;
        if (passed >= PATIENCE_MS) {
            show();
            fprintf(stderr, "\r%s: %s, %u s", name, what, (unsigned int)(passed / 1000));
        }
    }
    progress_clear();
    return rc;
}
