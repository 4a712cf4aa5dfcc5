/* SPDX-License-Identifier: MIT */
/*
 * Processes of the daemon: see child.h.
 */
#define _GNU_SOURCE /* pipe2 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char pvctl[256] = "pvctl";

void child_set_pvctl(const char *path)
{
    snprintf(pvctl, sizeof(pvctl), "%s", path);
}

static void run(const char *verb, const char *first, const char *second, int messages, pid_t daemon)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != daemon)
        _exit(1);
    dup2(messages, STDERR_FILENO);
    execlp(pvctl, "pvctl", verb, first, second, (char *)NULL); /* NULL ends them where it stands */
    fprintf(stderr, "%s: %s\n", pvctl, strerror(errno));
    _exit(127);
}

pid_t child_start(const char *verb, const char *first, const char *second, int *messages)
{
    int ends[2];
    pid_t daemon = getpid(), pid;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        run(verb, first, second, ends[1], daemon);
    if (pid < 0) {
        pid = -errno;
        close(ends[0]);
    } else {
        *messages = ends[0];
    }
    close(ends[1]);
    return pid;
}

void child_last_message(int *messages, char *out, size_t size)
{
    char text[1024], *save = NULL, *line;
    ssize_t n = read(*messages, text, sizeof(text) - 1);

    snprintf(out, size, "it ended without a message");
    text[n > 0 ? n : 0] = '\0';
    for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        snprintf(out, size, "%s", strncmp(line, "pvctl: ", 7) == 0 ? line + 7 : line);
    close(*messages);
    *messages = -1;
}
