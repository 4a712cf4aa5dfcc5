/* SPDX-License-Identifier: MIT */
/*
 * Whether an application of this machine reads the clock by itself (its vDSO), or the kernel for
 * it: the kernel is asked to refuse it the system call, and what can be read then came without one.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(rules) / sizeof(rules[0]), .filter = rules};
    struct timespec t;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("vdso_clock");
        return 2;
    }
    if (!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t)) {
        puts("the system call is not refused");
        return 2;
    }
    if (clock_gettime(CLOCK_MONOTONIC, &t) || clock_gettime(CLOCK_REALTIME, &t)) {
        puts("the kernel reads the clock");
        return 1;
    }
    puts("the application reads the clock");
    return 0;
}
