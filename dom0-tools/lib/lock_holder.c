/* SPDX-License-Identifier: MIT */
/*
 * Who has a lock: see lock_holder.h.
 */
#include "lock_holder.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "plain.h"

#define COMMAND 41u /* with the line's other words it fits a terminal of 80 columns */

/* ABI: "1: FLOCK  ADVISORY  WRITE 4711 fe:01:6818305 0 EOF"; who waits for it has "->" before. */
static int find_process(const struct stat *file)
{
    FILE *f = fopen("/proc/locks", "re");
    int pid = 0, found = 0;
    char line[160];

    while (f && !found && fgets(line, sizeof(line), f)) {
        unsigned int maj, min;
        unsigned long ino;

        if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%lu", &pid, &maj, &min, &ino) == 4 &&
            makedev(maj, min) == file->st_dev && ino == file->st_ino)
            found = pid;
    }
    if (f)
        fclose(f);
    return found;
}

/* How it was started; "" if it has ended meanwhile. */
static void read_command(int pid, char out[COMMAND])
{
    char path[32];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    f = fopen(path, "re");
    if (f) {
        n = fread(out, 1, COMMAND - 1, f);
        fclose(f);
    }
    while (n && out[n - 1] == '\0')
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] ? out[i] : ' ';
    out[n] = '\0';
    plain_line(out);
}

/* ABI: "4711 (pvctl) T ..."; a name may have anything in it. */
static bool is_stopped(int pid)
{
    char path[32], text[128];
    const char *end;
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    f = fopen(path, "re");
    if (f) {
        n = fread(text, 1, sizeof(text) - 1, f);
        fclose(f);
    }
    text[n] = '\0';
    end = strrchr(text, ')');
    return end && (strncmp(end, ") T", 3) == 0 || strncmp(end, ") t", 3) == 0);
}

void lock_holder(const struct stat *file, char out[LOCK_HOLDER])
{
    int pid = find_process(file);
    char command[COMMAND];

    if (pid <= 0) {
        snprintf(out, LOCK_HOLDER, "another process");
        return;
    }
    read_command(pid, command);
    snprintf(out, LOCK_HOLDER, "%sprocess %d%s%s%s", is_stopped(pid) ? "stopped " : "", pid,
             *command ? " (" : "", command, *command ? ")" : "");
}
