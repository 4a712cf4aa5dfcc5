/* SPDX-License-Identifier: MIT */
/*
 * What to do instead of a verb, or an option, that xl or virsh has and pvctl has not.
 */
#ifndef PARVIS_PVCTL_HINT_H
#define PARVIS_PVCTL_HINT_H

/* The line; NULL: it is no verb of theirs, or one that there is. */
const char *verb_hint(const char *typed);
/* The same of an option of this verb of ours; without its dashes. */
const char *option_hint(const char *verb, const char *option);

#endif
