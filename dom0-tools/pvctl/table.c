/* SPDX-License-Identifier: MIT */
/*
 * The verbs of pvctl: a new one is a row here and a file of its name.
 */
#include <string.h>

#include "pvctl.h"

/* clang-format off */
const struct option_name option_names[] = {
    {OPT_CONSOLE, "--console", NULL,      "attach to the console before the first instruction", 0, 0},
    {OPT_PAUSED,  "--paused",  NULL,      "leave the new domain paused", 0, 0},
    {OPT_ALL,     "--all",     NULL,      "all domains but the control domain", 0, 0},
    {OPT_WAIT,    "--wait",    NULL,      "return when it is done, and say how it ended", 0, 0},
    {OPT_TIMEOUT, "--timeout", "SECONDS", "wait no longer (default 120, 0 = without limit)", 0, 1000000},
    {OPT_WEIGHT,  "--weight",  "N",       "its weight from now on: 1 to 65535; 256 is usual", 1, 65535},
    {OPT_CAP,     "--cap",     "N",       "its cap from now on, in percent of one CPU; 0 = none", 0, 6400},
    {OPT_EVENTS,  "--events",  NULL,      "all events, each by its name", 0, 0},
    {OPT_INTERVAL, "--interval", "SECONDS", "so often: what came since the last time, a second", 1, 86400},
    {OPT_STRICT,  "--strict",  NULL,      "refuse what has no effect, too", 0, 0},
    {OPT_JSON,    "--json",    NULL,      "print JSON", 0, 0},
    {OPT_CLEAR,   "--clear",   NULL,      "empty the log after reading", 0, 0},
    {0, NULL, NULL, NULL, 0, 0},
};

const struct exit_code exit_codes[] = {
    {EXIT_OK,        "done; a domain whose end was watched ended without a crash, or the reader detached"},
    {EXIT_REFUSED,   "refused, failed, or not done within the time; one line on standard error says why"},
    {EXIT_USAGE,     "wrong command line, or one that asks for a CPU, a vCPU or a cap that there cannot be here"},
    {EXIT_NO_DOMAIN, "no such domain"},
    {EXIT_CONFIG,    "the domain's configuration is not accepted"},
    {EXIT_NO_HOST,   "not the control domain, or a daemon (xenstored, parvisd) does not answer"},
    {EXIT_CRASHED,   "the domain whose end was watched (console, --console, --wait) crashed"},
    {0, NULL},
};

const struct verb verbs[] = {
    {"create",   "FILE", OPT_CONSOLE | OPT_PAUSED | OPT_STRICT | OPT_JSON, false, verb_create,
     "create a domain from its file and start it",
     "FILE is libvirt domain XML, or a file of xl: its content tells. - is the standard input.\n"
     "/etc/parvis has examples; docs/man/parvis-domain.5 of Parvis's sources describes both. What has\n"
     "no effect here is passed over, with a note if somebody may miss it; what there is not is refused.\n"
     "With --console the command ends when the domain does, also where its standard input has ended;\n"
     "at a terminal ^] detaches. With --paused too, it waits for somebody to unpause the domain.\n"},
    {"check",    "FILE...",  OPT_STRICT | OPT_JSON,    true, verb_check,
     "say what create would say to files, and create nothing",
     "All errors of a file, each with its line. It needs no hypervisor and no root; whether disks and\n"
     "bridges are there it does not look. - is the standard input. Status 4: one is not accepted.\n"},
    {"list",     NULL,       OPT_JSON,                 false, verb_list,
     "list the domains: name, number, memory, vCPUs, state, CPU time, kind",
     "vCPUs are those online. A domain is running when one of its vCPUs is; runnable: one wants to\n"
     "run, and waits for a CPU or rests for the domain's cap; blocked: all wait for events.\n"},
    {"info",     NULL,       OPT_JSON,                 false, verb_info,
     "show version, CPUs and memory of the machine",
     "How busy each CPU is, is measured during a fifth of a second; pvctl itself runs on one.\n"},
    {"dominfo",  "NAME",     OPT_JSON,                 false, verb_dominfo,
     "show one domain, by name or number",
     "`pvctl help vcpu-list` explains the states of its vCPUs. One that has not run yet has no CPU:\n"
     "-, and in JSON no member cpu.\n"},
    {"dumpxml",  "NAME",     0,                        false, verb_dumpxml,
     "print the configuration of a live domain",
     "It is the one that the domain was created with; what pin and sched have set does not stand in it.\n"},
    {"console",  "NAME",     0,                        true,  verb_console,
     "attach to a console: all from the first byte, then live; ^] detaches",
     "One reader at a time. Works for a domain that has ended, too, until its name is\n"
     "used again. Where its standard input ends, it ends when the console has printed nothing\n"
     "for two seconds: `echo uname | pvctl console NAME` shows the answer.\n"},
    {"pause",    "NAME",     0,                        false, verb_pause,
     "stop a domain where it is", ""},
    {"unpause",  "NAME",     0,                        false, verb_unpause,
     "let a paused domain go on", ""},
    {"shutdown", "[NAME]",   OPT_ALL | OPT_WAIT | OPT_TIMEOUT, false, verb_shutdown,
     "ask a domain, or all, to power off",
     "The domain does it by itself, if it listens; `destroy` does not ask. An hvm guest finds its power\n"
     "button pressed: something in it has to act on that, such as acpid.\n"},
    {"reboot",   "NAME",     OPT_WAIT | OPT_TIMEOUT,   false, verb_reboot,
     "ask a domain to reboot",
     "With --wait the command ends when the new life is there. What pin and sched have set holds on.\n"},
    {"save",     "NAME FILE", 0,                       false, verb_save,
     "not built yet: no domain can be saved", "It is refused, and the domain goes on as it was.\n"},
    {"restore",  "FILE",     0,                        true,  verb_restore,
     "not built yet, as save", ""},
    {"destroy",  "NAME",     0,                        false, verb_destroy,
     "end a domain at once and free all that it has", ""},
    {"vcpu-list", "[NAME]",  OPT_JSON,                 false, verb_vcpu_list,
     "list the vCPUs: CPU, state, CPU time, and where each may run",
     "States: running; runnable: it waits for a CPU, or rests for its domain's cap (`pvctl sched`);\n"
     "blocked: it waits for an event; paused: its domain is, or has ended; offline: its guest has\n"
     "turned it off, or has not started it. A vCPU that has not run yet has no CPU: -, and in JSON\n"
     "no member cpu.\n"},
    {"pin",      "NAME [VCPU] [CPUS]", 0,              false, verb_pin,
     "show or set on which CPUs a vCPU may run",
     "VCPU is a number or all. CPUS is a list: 0-3,5,^2 (^ takes out again), or all. Those that the\n"
     "machine lacks are named, and left out; where it lacks all of them, that is an error. Without\n"
     "CPUS it shows where the vCPUs may run; `pvctl vcpu-list --json` has it for programs: affinity.\n"},
    {"sched",    "[NAME]",   OPT_WEIGHT | OPT_CAP | OPT_JSON, false, verb_sched,
     "show or set weight and cap, the shares of CPU time",
     "A domain with twice the weight of another gets twice the time where both want all they\n"
     "can get. A cap holds all its vCPUs together below so many percent of one CPU: 150 is one and\n"
     "a half. Without --weight and --cap it shows those of the domain, or of all.\n"},
    {"stats",    "[NAME]",   OPT_EVENTS | OPT_INTERVAL | OPT_JSON, false, verb_stats,
     "show what the hypervisor counted: system calls, hypercalls, exits, ...",
     "Of all vCPUs of the domain, or of each domain, since they were made. With --events each event\n"
     "that there was, by its name, in JSON for each vCPU; include/parvis/counters.h of Parvis's sources\n"
     "says what each one is. With --interval, until it is stopped: CPU time in percent of one CPU, and\n"
     "events a second. Grants are those mapped and copied.\n"},
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
