/* SPDX-License-Identifier: MIT */
/*
 * pvctl autostart: says of a domain that is defined whether it is started with the machine.
 */
#include "definition.h"
#include "pvctl.h"

static int run(const struct call *c)
{
    bool disable = c->options & OPT_DISABLE;
    int order = c->options & OPT_ORDER ? (int)c->number[AT_ORDER] : AUTOSTART_ORDER;
    struct error e = {0};

    if (disable && (c->options & OPT_ORDER))
        return usage_error(&verb_autostart, "either --order or --disable", "");
    definitions_come();
    return definition_autostart(c->arg, disable ? AUTOSTART_NONE : order, &e) ? fail(&e) : EXIT_OK;
}

const struct verb verb_autostart = {
    .name = "autostart",
    .arg = "NAME...",
    .options = OPT_DISABLE | OPT_ORDER,
    .no_host = true,
    .each = true,
    .run = run,
    .summary = "start a domain that is defined with the machine, or not any more",
    .help = "`pvctl list --all` shows which are. They are started one after the other: those of "
            "lower order\n"
            "first, then by name. What became of them is in /run/parvis/autostart.log.\n",
    .examples = "pvctl autostart web\n"
                "pvctl autostart --order 10 db\n"
                "pvctl autostart --disable web\n",
};
