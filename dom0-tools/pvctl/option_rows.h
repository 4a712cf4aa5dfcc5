/* SPDX-License-Identifier: MIT */
/*
 * The options of pvctl's verbs: one row an option. What it is called in the source, its name, its
 * letter (0 = none; as xl has it, where xl has it: the options of one verb have different ones),
 * what its value is called (NULL = it has none), what it means, and of a number the least and the
 * greatest. A value with the greatest 0 is text.
 */
/* clang-format off */
OPTION(CONSOLE,  "console",  'c', NULL,      "attach to the console before the first instruction", 0, 0)
OPTION(PAUSED,   "paused",   'p', NULL,      "leave the new domain paused", 0, 0)
OPTION(ALL,      "all",      'a', NULL,      "all domains but the control domain", 0, 0)
OPTION(WAIT,     "wait",     'w', NULL,      "return when it is done, and say how it ended", 0, 0)
OPTION(TIMEOUT,  "timeout",  't', "SECONDS", "wait, and no longer (default 120, 0 = without limit)", 0, 1000000)
OPTION(DESTROY,  "destroy",  0,   NULL,      "with --all: wait, and destroy what has not ended by then", 0, 0)
OPTION(WEIGHT,   "weight",   'w', "N",       "its weight from now on: 1 to 65535; 256 is usual", 1, 65535)
OPTION(CAP,      "cap",      'c', "N",       "its cap from now on, in percent of one CPU; 0 = none", 0, 6400)
OPTION(EVENTS,   "events",   'e', NULL,      "all events, each by its name", 0, 0)
OPTION(INTERVAL, "interval", 'i', "SECONDS", "so often: what came since the last time, a second", 1, 86400)
OPTION(PROMETHEUS, "prometheus", 0, NULL,    "in Prometheus' text format", 0, 0)
OPTION(STRICT,   "strict",   0,   NULL,      "refuse what has no effect, too", 0, 0)
OPTION(NAME,     "name",     'n', "NAME",    "its name, whatever the file says", 0, 0)
OPTION(UNIT,     "unit",     'u', "UNIT",    "memory in this unit: KiB, MiB, GiB, ...", 0, 0)
OPTION(FOLLOW,   "follow",   'f', NULL,      "go on with what comes, until it is stopped", 0, 0)
OPTION(OFF_TOO,  "all",      'a', NULL,      "those too that are defined and do not run", 0, 0)
OPTION(INACTIVE, "inactive", 0,   NULL,      "what it is defined as, though it runs", 0, 0)
OPTION(AUTOSTART, "autostart", 'a', NULL,    "those that are started with the machine, in their order", 0, 0)
OPTION(DISABLE,  "disable",  0,   NULL,      "from now on it is not", 0, 0)
OPTION(ORDER,    "order",    'o', "N",       "lower numbers first (default 50)", 0, 99)
OPTION(LINES,    "lines",    'n', "N",       "of what was there before, the last so many lines", 0, 1000000)
OPTION(FORCE,    "force",    0,   NULL,      "take the console from who has it", 0, 0)
OPTION(READONLY, "readonly", 'r', NULL,      "the guest may not write it", 0, 0)
OPTION(SHAREABLE, "shareable", 's', NULL,    "other domains may write it too, and know of each other", 0, 0)
OPTION(TAKE,     "force",    'f', NULL,      "take it away though the guest does not let it go", 0, 0)
OPTION(MAC,      "mac",      'm', "MAC",     "its address, as 00:16:3e:00:00:01", 0, 0)
OPTION(JSON,     "json",     'j', NULL,      "print JSON", 0, 0)
OPTION(LIVE,     "live",     'L', NULL,      "the domain goes on meanwhile", 0, 0)
OPTION(CRASH,    "crash",    'C', NULL,      "end the domain afterwards, as if it had crashed", 0, 0)
OPTION(RESET,    "reset",    'R', NULL,      "end the domain afterwards, and create it again", 0, 0)
OPTION(COUNT,    "count",    'n', "N",       "end after so many", 1, 1000000000)
OPTION(FOR,      "timeout",  't', "SECONDS", "end after so many (default 0, never)", 0, 1000000)
OPTION(BATCH,    "batch",    'b', NULL,      "print lines, as xentop does", 0, 0)
OPTION(ITERATIONS, "iterations", 'i', "N",   "end after so many looks", 1, 1000000000)
OPTION(DELAY,    "delay",    'd', "SECONDS", "from one look to the next (default 3)", 1, 86400)
OPTION(RECORD,   "record",   'r', "FILE",    "write down what was seen, for `pvctl plot`", 0, 0)
OPTION(CLEAR,    "clear",    'c', NULL,      "empty the log after reading", 0, 0)
/* clang-format on */
