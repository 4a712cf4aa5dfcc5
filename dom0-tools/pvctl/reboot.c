/* SPDX-License-Identifier: MIT */
/*
 * pvctl reboot: asks the domain to reboot. What follows is its <on_reboot>.
 */
#include "pvctl.h"

int verb_reboot(const struct call *c)
{
    return request_end(c, "reboot");
}
