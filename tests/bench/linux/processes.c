/* SPDX-License-Identifier: MIT */
/* Processes and threads: made, and waited for. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

#define PAGE 4096ul
#define COW  64ul

static void wait_for(pid_t child)
{
    int status;

    must(waitpid(child, &status, 0), "waitpid");
    if (status)
        failed("what a child was to do");
}

static void exec_self(void)
{
    execl(self, self, ENDS_AT_ONCE, (char *)NULL);
    _exit(1);
}

static void fork_exit(unsigned int times)
{
    while (times--) {
        pid_t child = (pid_t)must(fork(), "fork");

        if (!child)
            _exit(0);
        wait_for(child);
    }
}

static char *pages;

static void map_pages(void)
{
    pages = mmap(NULL, COW * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (pages == MAP_FAILED)
        failed("mmap");
}

static void unmap_pages(void)
{
    must(munmap(pages, COW * PAGE), "munmap");
}

static void fork_copy(unsigned int times)
{
    while (times--) {
        pid_t child = (pid_t)must(fork(), "fork");

        if (!child) {
            for (unsigned long i = 0; i < COW; i++)
                ((volatile char *)pages)[i * PAGE] = 1;
            _exit(0);
        }
        wait_for(child);
    }
}

static void fork_exec(unsigned int times)
{
    while (times--) {
        pid_t child = (pid_t)must(fork(), "fork");

        if (!child)
            exec_self();
        wait_for(child);
    }
}

static void vfork_exec(unsigned int times)
{
    while (times--) {
        pid_t child = (pid_t)must(vfork(), "vfork");

        if (!child)
            exec_self();
        wait_for(child);
    }
}

static void shell(unsigned int times)
{
    while (times--)
        if (system("exit 0")) /* what is nothing is forked for all the same */
            failed("a shell");
}

static void *thread(void *none)
{
    return none;
}

static void thread_join(unsigned int times)
{
    while (times--) {
        pthread_t t;

        if (pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL))
            failed("a thread");
    }
}

const struct op processes[] = {
    {"fork_exit", 50, fork_exit, NULL, NULL},
    {"fork_copy_64", 30, fork_copy, map_pages, unmap_pages},
    {"fork_exec_exit", 50, fork_exec, NULL, NULL},
    {"vfork_exec_exit", 50, vfork_exec, NULL, NULL},
    {"shell", 30, shell, NULL, NULL},
    {"thread_create_join", 300, thread_join, NULL, NULL},
    {NULL, 0, NULL, NULL, NULL},
};
