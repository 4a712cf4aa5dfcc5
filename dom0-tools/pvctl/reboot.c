/* SPDX-License-Identifier: MIT */
/*
 * pvctl reboot: asks the domain to reboot. What follows is its <on_reboot>.
 */
#include "pvctl.h"

static int run(const struct call *c)
{
    return request_end(c, "reboot");
}

const struct verb verb_reboot = {
    .name = "reboot",
    .arg = "NAME...",
    .options = OPT_ALL | OPT_WAIT | OPT_TIMEOUT,
    .run = run,
    .summary = "ask a domain, or all, to reboot",
    .help = "With --wait the command ends when the new life is there. What pin and sched have set "
            "holds on.\n",
    .examples = "pvctl reboot web\n"
                "pvctl reboot --all --wait\n",
};
