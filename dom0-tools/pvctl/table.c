/* SPDX-License-Identifier: MIT */
/*
 * The verbs of pvctl: a new one is a row here and a file of its name.
 */
#include <string.h>

#include "pvctl.h"

/* clang-format off */
const struct option_name option_names[] = {
    {OPT_CONSOLE, "--console", NULL,      "attach to the console before the first instruction"},
    {OPT_PAUSED,  "--paused",  NULL,      "leave the new domain paused"},
    {OPT_ALL,     "--all",     NULL,      "all domains but the control domain"},
    {OPT_WAIT,    "--wait",    NULL,      "return when it is done, and say how it ended"},
    {OPT_TIMEOUT, "--timeout", "SECONDS", "wait no longer (default 120, 0 = without limit)"},
    {OPT_JSON,    "--json",    NULL,      "print JSON"},
    {OPT_CLEAR,   "--clear",   NULL,      "empty the log after reading"},
    {0, NULL, NULL, NULL},
};

const struct exit_code exit_codes[] = {
    {EXIT_OK,        "done; a domain whose end was watched ended without a crash, or the reader detached"},
    {EXIT_REFUSED,   "refused, failed, or not done within the time; one line on standard error says why"},
    {EXIT_USAGE,     "wrong command line"},
    {EXIT_NO_DOMAIN, "no such domain"},
    {EXIT_CONFIG,    "the domain's configuration is not accepted"},
    {EXIT_NO_HOST,   "not the control domain, or a daemon (xenstored, parvisd) does not answer"},
    {EXIT_CRASHED,   "the domain whose end was watched (console, --console, --wait) crashed"},
    {0, NULL},
};

const struct verb verbs[] = {
    {"create",   "FILE.xml", OPT_CONSOLE | OPT_PAUSED | OPT_JSON, false, verb_create,
     "create a domain from libvirt domain XML and start it",
     "/etc/parvis has examples; docs/man/parvis-domain.5 of Parvis's sources describes the file.\n"
     "With --console the command ends when the domain does; ^] detaches.\n"},
    {"list",     NULL,       OPT_JSON,                 false, verb_list,
     "list the domains: name, number, memory, vCPUs, state, CPU time", ""},
    {"info",     NULL,       OPT_JSON,                 false, verb_info,
     "show version, CPUs and memory of the machine", ""},
    {"dominfo",  "NAME",     OPT_JSON,                 false, verb_dominfo,
     "show one domain, by name or number", ""},
    {"dumpxml",  "NAME",     0,                        false, verb_dumpxml,
     "print the configuration of a live domain", ""},
    {"console",  "NAME",     0,                        true,  verb_console,
     "attach to a console: all from the first byte, then live; ^] detaches",
     "One reader at a time. Works for a domain that has ended, too, until its name is\n"
     "used again.\n"},
    {"pause",    "NAME",     0,                        false, verb_pause,
     "stop a domain where it is", ""},
    {"unpause",  "NAME",     0,                        false, verb_unpause,
     "let a paused domain go on", ""},
    {"shutdown", "[NAME]",   OPT_ALL | OPT_WAIT | OPT_TIMEOUT, false, verb_shutdown,
     "ask a domain, or all, to power off",
     "The domain does it by itself, if it listens; `destroy` does not ask.\n"},
    {"reboot",   "NAME",     OPT_WAIT | OPT_TIMEOUT,   false, verb_reboot,
     "ask a domain to reboot",
     "With --wait the command ends when the new life is there.\n"},
    {"destroy",  "NAME",     0,                        false, verb_destroy,
     "end a domain at once and free all that it has", ""},
    {"dmesg",    NULL,       OPT_CLEAR,                false, verb_dmesg,
     "print the hypervisor's log", ""},
    {"help",     "[VERB]",   0,                        true,  verb_help,
     "explain a verb, or list them all", ""},
    {NULL, NULL, 0, false, NULL, NULL, NULL},
};
/* clang-format on */

const struct verb *find_verb(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++) {
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}
