/* SPDX-License-Identifier: MIT */
/*
 * pvctl undefine: the reverse of define. A domain that runs goes on.
 */
#include "definition.h"
#include "pvctl.h"

static int run(const struct call *c)
{
    struct error e = {0};

    definitions_come();
    return definition_remove(c->arg, &e) ? fail(&e) : EXIT_OK;
}

const struct verb verb_undefine = {
    .name = "undefine",
    .arg = "NAME...",
    .no_host = true,
    .each = true,
    .run = run,
    .summary = "forget what define has kept; a domain that runs goes on",
    .examples = "pvctl undefine web\n",
};
