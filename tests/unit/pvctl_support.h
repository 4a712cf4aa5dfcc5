/* SPDX-License-Identifier: MIT */
/*
 * pvctl as a program on the model of a machine, in the test's own process, so that what it did to
 * the machine can be looked at.
 */
#ifndef PVCTL_SUPPORT_H
#define PVCTL_SUPPORT_H

struct fake_domain;

/* What the last run printed, on either stream. */
extern char pvctl_said[65536];

/* Its exit status. Words are separated by blanks. */
int pvctl_run(const char *line);
/* The run ends with this status, and says this among others. An error is one line. */
void pvctl_ends(const char *line, int status, const char *says);
/* A domain of this name, which runs. */
struct fake_domain *pvctl_runs(const char *name);

#endif
