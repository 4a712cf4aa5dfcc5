/* SPDX-License-Identifier: MIT */
/*
 * The C library's calls that change what is remembered, as steps at which a process may be killed:
 * see killed_calls.h.
 */
#define _GNU_SOURCE
#include "killed_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon_support.h"
#include "fake_parts.h"

void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

void expect_leaks(bool yes)
{
    void (*call)(void) = yes ? __lsan_disable : __lsan_enable;

    if (call)
        call();
}

int unlink(const char *path)
{
    fake_gives_back(f, __func__);
    return unlinkat(AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
    fake_gives_back(f, __func__);
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
    fake_gives_back(f, __func__);
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}
