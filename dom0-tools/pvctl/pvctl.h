/* SPDX-License-Identifier: MIT */
/*
 * pvctl: what its verbs share.
 *
 * A verb is one row of the table in table.c and one function in a file of its name. The
 * main program parses the options that the row declares, so all verbs read their command
 * line alike, and says what was wrong in one line. A verb returns its exit status.
 */
#ifndef PVCTL_H
#define PVCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cpuset.h"
#include "error.h"
#include "host.h"
#include "lifecycle.h"

/* Exit status; docs/man/pvctl.1 lists them. */
enum {
    EXIT_OK = 0,
    EXIT_REFUSED = 1,   /* the operation was refused or failed */
    EXIT_USAGE = 2,     /* the command line is wrong, or asks for what is not there */
    EXIT_NO_DOMAIN = 3, /* no such domain */
    EXIT_CONFIG = 4,    /* the domain's configuration is not accepted */
    EXIT_NO_HOST = 5,   /* not the control domain, or a daemon is missing */
    EXIT_CRASHED = 6,   /* the domain whose end was watched crashed */
};

enum option {
    OPT_JSON = 1 << 0,
    OPT_CONSOLE = 1 << 1,
    OPT_PAUSED = 1 << 2,
    OPT_WAIT = 1 << 3,
    OPT_CLEAR = 1 << 4,
    OPT_ALL = 1 << 5,
    OPT_TIMEOUT = 1 << 6,
    OPT_WEIGHT = 1 << 7,
    OPT_CAP = 1 << 8,
    OPT_EVENTS = 1 << 9,
    OPT_INTERVAL = 1 << 10,
    OPT_STRICT = 1 << 11,
};

struct call {
    unsigned int options;  /* given ones, OPT_* */
    unsigned int timeout;  /* --timeout, in seconds; 0 = none */
    unsigned int weight;   /* --weight */
    unsigned int cap;      /* --cap, in hundredths of a CPU */
    unsigned int interval; /* --interval, in seconds */
    const char *arg;       /* the first argument, NULL if the verb takes none or it is left out */
    const char *more[2];   /* and those behind it */
    const char **args;     /* all of them, of a verb that takes any number */
    size_t nr_args;
    struct host *h; /* open unless the verb says no_host */
};

struct verb {
    const char *name;
    /* "NAME", "FILE", "[VERB]" = may be left out, NULL = none, "NAME [VCPU]" = two, "FILE..." = any
     * number */
    const char *arg;
    unsigned int options; /* accepted ones */
    bool no_host;
    int (*run)(const struct call *c);
    const char *summary; /* one line */
    const char *help;    /* what `pvctl help VERB` adds */
};

extern const struct verb verbs[]; /* ends with name NULL */
const struct verb *find_verb(const char *name);

struct option_name {
    enum option bit;
    const char *text, *value, *meaning; /* value: what the option wants, NULL = nothing */
    unsigned int least, most;           /* of the value */
};
extern const struct option_name option_names[]; /* ends with text NULL */

struct exit_code {
    int code;
    const char *meaning;
};
extern const struct exit_code exit_codes[]; /* ends with meaning NULL */

int verb_create(const struct call *c);
int verb_check(const struct call *c);
int verb_list(const struct call *c);
int verb_info(const struct call *c);
int verb_dominfo(const struct call *c);
int verb_dumpxml(const struct call *c);
int verb_console(const struct call *c);
int verb_pause(const struct call *c);
int verb_unpause(const struct call *c);
int verb_shutdown(const struct call *c);
int verb_reboot(const struct call *c);
int verb_save(const struct call *c);
int verb_restore(const struct call *c);
int verb_destroy(const struct call *c);
int verb_dmesg(const struct call *c);
int verb_vcpu_list(const struct call *c);
int verb_pin(const struct call *c);
int verb_sched(const struct call *c);
int verb_stats(const struct call *c);
int verb_help(const struct call *c);

/* One line on standard error: what is wrong with the command line. Returns EXIT_USAGE. */
int usage_error(const struct verb *v, const char *text, const char *what);
/* Prints "pvctl: ..." and returns the exit status that fits the code. */
int fail(const struct error *e);
/* Finds the domain c->arg; 0 or an exit status, after it has been told. */
int __must_check need_domain(const struct call *c, struct live_domain *l);
/* The same, and refuses one that is still being created. */
int __must_check need_whole(const struct call *c, struct live_domain *l);
/* The same, and refuses the control domain: "it would `what` the machine under your feet". */
int __must_check need_guest(const struct call *c, const char *what, struct live_domain *l);

/* The domain c->arg, or all there are; one free(). 0 or an exit status, after it has been told. */
int __must_check chosen_domains(const struct call *c, struct live_domain **l, size_t *n);

/* vcpu_list.c: "running", "runnable", "blocked", "paused", "offline". */
const char *vcpu_state_text(const struct host_domain *d, const struct host_vcpu *v);
/* One that has not run yet has no CPU, whatever number stands there. */
bool vcpu_has_run(const struct host_vcpu *v);
/* The CPUs of the set that the machine has. all_by_name: "all" when it has all. */
void affinity_text(uint64_t cpus, unsigned int nr_cpus, bool all_by_name, char out[CPUSET_TEXT]);
/* console.c: the socket of the domain's console, or a negative errno. */
int __must_check console_open(const char *name, struct error *e);
/* Copies between terminal and console until the domain ends or, at a terminal, ^]; unless
 * to_its_end, also until the console is quiet after the end of the input. Exit status. */
int __must_check console_attach(int fd, const char *name, bool to_its_end);
/* shutdown.c: asks one domain, or all, for "poweroff" or "reboot"; may wait for it. */
int __must_check request_end(const struct call *c, const char *wish);
/* "crashed" and "killed by" are failures. */
bool end_is_crash(const char *how);

/* json.c: a small writer. Commas are its business. */
void json_open(char bracket);
void json_close(char bracket);
void json_key(const char *key);
void json_string(const char *key, const char *value);
void json_item(const char *value); /* of a list */
void json_number(const char *key, unsigned long long value);
void json_decimal(const char *key, double value); /* one digit behind the point */
void json_bool(const char *key, bool value);

#endif
