/* SPDX-License-Identifier: MIT */
/* Calls that return at once, files, signals and sleep. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ops.h"

static void null_call(unsigned int times)
{
    while (times--)
        syscall(SYS_getppid);
}

static void clock_reading(unsigned int times)
{
    struct timespec now;

    while (times--)
        clock_gettime(CLOCK_MONOTONIC, &now);
}

static int zero, null;

static void open_devices(void)
{
    zero = (int)must(open("/dev/zero", O_RDONLY), "/dev/zero");
    null = (int)must(open("/dev/null", O_WRONLY), "/dev/null");
}

static void close_devices(void)
{
    close(zero);
    close(null);
}

static void read_byte(unsigned int times)
{
    char byte;

    while (times--)
        must(read(zero, &byte, 1), "read");
}

static void write_byte(unsigned int times)
{
    while (times--)
        must(write(null, "", 1), "write");
}

static void handler(int signal)
{
    (void)signal;
}

static void set_handler(void)
{
    must(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, NULL), "sigaction");
}

static void signal_self(unsigned int times)
{
    pid_t pid = getpid();

    while (times--)
        must(kill(pid, SIGUSR1), "kill");
}

#define FILE_NAME "/tmp/linux-ops.file"

static void create_and_delete(unsigned int times)
{
    while (times--) {
        close((int)must(open(FILE_NAME, O_CREAT | O_EXCL | O_WRONLY, 0600), FILE_NAME));
        must(unlink(FILE_NAME), FILE_NAME);
    }
}

static void short_sleep(unsigned int times)
{
    while (times--)
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
}

const struct op calls[] = {
    {"null_call", 20000, null_call, NULL, NULL},
    {"clock_gettime", 20000, clock_reading, NULL, NULL},
    {"read_1", 10000, read_byte, open_devices, close_devices},
    {"write_1", 10000, write_byte, open_devices, close_devices},
    {"signal", 2000, signal_self, set_handler, NULL},
    {"file_create_delete", 1000, create_and_delete, NULL, NULL},
    {"nanosleep_1us", 500, short_sleep, NULL, NULL},
    {NULL, 0, NULL, NULL, NULL},
};
