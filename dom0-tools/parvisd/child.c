/* SPDX-License-Identifier: MIT */
/*
 * Processes of the daemon: see child.h.
 */
#define _GNU_SOURCE /* memfd_create */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plain.h"

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
    int file = memfd_create("messages", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    pid_t daemon = getpid(), pid;

    if (file < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        run(verb, first, second, file, daemon);
    if (pid < 0) {
        pid = -errno;
        close(file);
    } else {
        *messages = file;
    }
    return pid;
}

/* A script may have printed before it, anything and without an end of its line. */
static const char *own_words(const char *line)
{
    const char *own = strstr(line, "pvctl: ");

    return own ? own + strlen("pvctl: ") : line;
}

void child_last_message(int *messages, char *out, size_t size)
{
    char text[1024], *save = NULL, *line;
    struct stat st = {0};
    off_t from = fstat(*messages, &st) < 0 || st.st_size < (off_t)sizeof(text)
                     ? 0
                     : st.st_size - (off_t)sizeof(text) + 1;
    ssize_t n = pread(*messages, text, sizeof(text) - 1, from);

    snprintf(out, size, "it ended without a message");
    text[n > 0 ? n : 0] = '\0';
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] == '\0')
            text[i] = '\n';
    }
    for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        snprintf(out, size, "%s", own_words(line));
    plain_line(out);
    /* Who prints on is refused: what nobody will read would take memory for as long as it lives. */
    if (ftruncate(*messages, 0) == 0)
        fcntl(*messages, F_ADD_SEALS, F_SEAL_GROW);
    close(*messages);
    *messages = -1;
}
