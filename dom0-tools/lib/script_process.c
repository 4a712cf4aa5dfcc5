/* SPDX-License-Identifier: MIT */
/*
 * A script as a process: see script_process.h.
 */
#define _GNU_SOURCE /* posix_spawn_file_actions_addclosefrom_np */
#include "script_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int script_check(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    return access(path, X_OK) < 0 ? -errno : 0;
}

/* Its input is empty, its output goes where our messages go, and nothing else of ours is open. */
static int set_files(posix_spawn_file_actions_t *files)
{
    int rc = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    rc = rc ? rc : posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
    return rc ? rc : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

/* The daemon blocks signals and ignores SIGPIPE; programs expect neither. */
static int set_signals(posix_spawnattr_t *attr)
{
    sigset_t none, pipes;
    int rc;

    sigemptyset(&none);
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    rc = posix_spawnattr_setsigmask(attr, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &pipes);
    rc = rc ? rc : posix_spawnattr_setpgroup(attr, 0);
    return rc ? rc
              : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
}

int script_start(char *const argv[], char *const envp[])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    pid_t pid = 0;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc)
        return -rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = set_files(&files);
        rc = rc ? rc : set_signals(&attr);
        rc = rc ? rc : posix_spawn(&pid, argv[0], &files, &attr, argv, envp);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc ? -rc : pid;
}

int script_look(int pid, int *status)
{
    pid_t rc = waitpid(pid, status, WNOHANG);

    return rc == 0 ? -EAGAIN : rc < 0 ? -errno : 0;
}

/* Its group has its number for as long as it has not been looked at: no other is meant. It may have
 * left that for one of its session, as ours is. */
void script_kill(int pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}
