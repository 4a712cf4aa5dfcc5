/* SPDX-License-Identifier: MIT */
/*
 * The disk of definitions comes some seconds after the prompt, with the machine's drivers. What
 * would be written before lies in a folder that the disk then covers, and what is looked for is not
 * there yet: so who reads or writes definitions waits, as create waits for a guest's disks.
 *
 * The control domain's start makes the mark before its prompt comes (etc/rc), and takes it away
 * when the disk is mounted, or is found not to be there (etc/start-domains).
 */
#include <stdio.h>
#include <unistd.h>

#include "pvctl.h"
#include "state.h"

#define STEP_US 100000u
#define STEPS   1200u /* two minutes: the drivers of a large machine */

void definitions_come(void)
{
    const char *mark = state_path("definitions-starting");

    for (unsigned int i = 0; i < STEPS && access(mark, F_OK) == 0; i++) {
        if (i == 0)
            fputs("pvctl: the disk of definitions may yet come, with the machine's drivers: "
                  "waiting\n",
                  stderr);
        usleep(STEP_US);
    }
}
