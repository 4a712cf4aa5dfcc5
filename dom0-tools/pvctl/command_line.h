/* SPDX-License-Identifier: MIT */
/*
 * The command line of a verb, read by its row.
 */
#ifndef PVCTL_COMMAND_LINE_H
#define PVCTL_COMMAND_LINE_H

#include "pvctl.h"

#define ASKS_FOR_HELP (-1)

/* argv[0] is the verb. 0; ASKS_FOR_HELP; or an exit status, after it has been told what is wrong.
 * c->args has room for all. */
int __must_check command_line(const struct verb *v, int argc, char **argv, struct call *c);

#endif
