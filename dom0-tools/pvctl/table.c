/* SPDX-License-Identifier: MIT */
/*
 * The verbs of pvctl: a new one is a row here and a file of its name.
 */
#include <string.h>

#include "pvctl.h"

/* clang-format off */
const struct option_name option_names[] = {
    {OPT_CONSOLE, "--console", "attach to the console before the first instruction"},
    {OPT_PAUSED,  "--paused",  "leave the new domain paused"},
    {OPT_WAIT,    "--wait",    "return when the domain has ended, and say how"},
    {OPT_JSON,    "--json",    "print JSON"},
    {OPT_CLEAR,   "--clear",   "empty the log after reading"},
    {0, NULL, NULL},
};

const struct verb verbs[] = {
    {"create",   "FILE.xml", OPT_CONSOLE | OPT_PAUSED, false, verb_create,
     "create a domain from libvirt domain XML and start it",
     "parvis-domain(5) describes the file. With --console the exit status tells how the domain\n"
     "ended: 0, or 6 for a crash. ^] detaches.\n"},
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
    {"shutdown", "NAME",     OPT_WAIT,                 false, verb_shutdown,
     "ask a domain to power off",
     "The domain does it by itself, if it listens; `destroy` does not ask.\n"},
    {"reboot",   "NAME",     OPT_WAIT,                 false, verb_reboot,
     "ask a domain to reboot", ""},
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
        if (strcmp(v->name, name) == 0) {
            return v;
        }
    }
    return NULL;
}
