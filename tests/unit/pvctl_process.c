/* SPDX-License-Identifier: MIT */
/*
 * pvctl as a process beside the daemon: see pvctl_process.h.
 */
#include "pvctl_process.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_support.h"

#define PACE 100 /* so much faster its time goes */

char process_said[1 << 20];
static bool is_pvctl;

int __real_poll(struct pollfd *p, nfds_t n, int ms);
int __wrap_poll(struct pollfd *p, nfds_t n, int ms);

int __wrap_poll(struct pollfd *p, nfds_t n, int ms)
{
    int rc = __real_poll(p, n, is_pvctl && ms > 0 ? ms / PACE + 1 : ms);

    if (is_pvctl && rc == 0)
        clock_ms += (uint64_t)ms;
    return rc;
}

int host_open_xen(struct host **out, struct error *e)
{
    (void)e;
    *out = &f->host;
    return 0;
}

void process_becomes(const char *line, FILE *out)
{
    char copy[256], *argv[16] = {"pvctl"};
    int argc = 1;

    is_pvctl = true;
    snprintf(copy, sizeof(copy), "%s", line);
    dup2(fileno(out), STDOUT_FILENO);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        if (*word == '>')
            dup2(open(word + 1, O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
        else
            argv[argc++] = word;
    }
    dup2(fileno(out), STDERR_FILENO);
    exit(pvctl_main(argc, argv));
}

void process_ends(const char *line, int status, const char *says, void (*each_turn)(void))
{
    FILE *out = tmpfile();
    pid_t pid;
    int is;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        process_becomes(line, out);
    while (waitpid(pid, &is, WNOHANG) != pid) {
        turn();
        if (each_turn)
            each_turn();
        usleep(1000);
    }
    assert_true(WIFEXITED(is));
    rewind(out);
    process_said[fread(process_said, 1, sizeof(process_said) - 1, out)] = '\0';
    fclose(out);
    if (WEXITSTATUS(is) != status || strcmp(process_said, says) != 0)
        fail_msg("`pvctl %s` ended with %d and said: %s", line, WEXITSTATUS(is), process_said);
}
