/* SPDX-License-Identifier: MIT */
/*
 * pvctl on the model of a machine: see pvctl_support.h.
 */
#include "pvctl_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lifecycle_support.h"

int pvctl_main(int argc, char **argv); /* main() of pvctl.c, by another name */

char pvctl_said[65536];

int host_open_xen(struct host **out, struct error *e)
{
    (void)e;
    *out = &f->host;
    return 0;
}

int pvctl_run(const char *line)
{
    FILE *file = tmpfile();
    char copy[256], *argv[32] = {"pvctl"};
    int argc = 1, status, out = dup(1), err = dup(2);

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    fflush(stdout);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    status = pvctl_main(argc, argv);
    fflush(stdout);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(file);
    pvctl_said[fread(pvctl_said, 1, sizeof(pvctl_said) - 1, file)] = '\0';
    fclose(file);
    return status;
}

void pvctl_ends(const char *line, int status, const char *says)
{
    const char *error;
    int is = pvctl_run(line);

    if (is != status || !strstr(pvctl_said, says))
        fail_msg("`pvctl %s` ended with %d and said: %s", line, is, pvctl_said);
    error = strstr(pvctl_said, "pvctl");
    if (status && error) /* one line */
        assert_null(strstr(error + 1, "\npvctl"));
}

struct fake_domain *pvctl_runs(const char *name)
{
    struct fake_domain *d = fake_domain(f, start(name));

    d->d.paused = false;
    return d;
}
