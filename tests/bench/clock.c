/* SPDX-License-Identifier: MIT */
/*
 * What a reading of the clock costs an application: init of a Linux guest, which powers off when it
 * has printed it. Under -icount shift=0 a nanosecond is an instruction.
 */
#include <stdio.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#define N 100000

int main(void)
{
    struct timespec first, last;

    clock_gettime(CLOCK_MONOTONIC, &first);
    for (int i = 0; i < N; i++)
        clock_gettime(CLOCK_MONOTONIC, &last);
    printf("clock_gettime %ld\n",
           ((last.tv_sec - first.tv_sec) * 1000000000 + last.tv_nsec - first.tv_nsec) / N);
    fflush(stdout);
    sleep(1); /* for the console */
    reboot(RB_POWER_OFF);
    return 1;
}
