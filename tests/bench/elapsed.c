/* SPDX-License-Identifier: MIT */
/*
 * How long a command takes, on this machine's clock, from its fork to its end: "elapsed COMMAND..."
 * says the microseconds on standard error, and ends as it does.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    long begin = now_us();
    pid_t pid = argc > 1 ? vfork() : -1;
    int status = -1;

    if (pid == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 126;
    fprintf(stderr, "elapsed %ld us\n", now_us() - begin);
    return WEXITSTATUS(status);
}
