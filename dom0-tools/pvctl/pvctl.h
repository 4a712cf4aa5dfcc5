/* SPDX-License-Identifier: MIT */
/*
 * pvctl: what its verbs share.
 *
 * A verb is one line of verb_rows.h and one struct verb, in a file of its own. The main program
 * parses the options that it declares (option_rows.h), so all verbs read their command line alike,
 * and says what was wrong in one line. A verb returns its exit status.
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
    EXIT_CONFIG = 4,    /* the domain's configuration is not accepted, or its file cannot be read */
    EXIT_NO_HOST = 5,   /* not the control domain, or a daemon is missing */
    EXIT_CRASHED = 6,   /* the domain whose end was watched crashed */
};

struct definition;

/* Options (option_rows.h): AT_JSON is its place in the tables, OPT_JSON its bit. */
enum {
#define OPTION(id, ...) AT_##id,
#include "option_rows.h"
#undef OPTION
    NR_OPTIONS
};
enum {
#define OPTION(id, ...) OPT_##id = UINT64_C(1) << AT_##id,
#include "option_rows.h"
#undef OPTION
};

struct option_row {
    const char *name;
    char letter;                 /* 0 = none */
    const char *value, *meaning; /* value: what the option wants, NULL = nothing */
    unsigned int least, most;    /* of a number; most 0: it is text */
};
extern const struct option_row option_rows[]; /* NR_OPTIONS, and one with name NULL */

#define NR_MORE 3

/* Where a name is not one of domain_name_ok(). */
#define NAME_RULE "a name has letters, digits and _.+-, at most 64, and is no number: "

struct call {
    uint64_t options;                /* given ones, OPT_* */
    unsigned int number[NR_OPTIONS]; /* their values, by AT_* */
    const char *text[NR_OPTIONS];    /* and as they were typed */
    const char *called; /* the verb as it was typed: maybe xl's or virsh's name for it */
    const char *arg;    /* the first argument, NULL if the verb takes none or it is left out */
    const char *more[NR_MORE]; /* and those behind it */
    const char **args;         /* all of them */
    size_t nr_args;
    struct host *h; /* open unless the verb says no_host */
};

struct verb {
    const char *name;
    /* "NAME", "FILE", "[VERB]" = may be left out, NULL = none, "NAME [VCPU]" = two, "FILE..." = any
     * number */
    const char *arg;
    uint64_t options; /* accepted ones */
    bool no_host;
    /* It is run once for each argument (or, with --all, each guest), which is c->arg; the worst
     * exit status is the command's. With --json, several are an array. */
    bool each;
    size_t behind;        /* so many arguments at the end are for all of them: c->more */
    const char *one_more; /* why one more argument is refused that others take there; NULL: none */
    int (*run)(const struct call *c);
    const char *summary;  /* one line */
    const char *help;     /* what `pvctl help VERB` adds; NULL = nothing */
    const char *examples; /* of command lines, one a line; they stand in pvctl(1), too */
};

/* In the file of its name. */
#define VERB(name) extern const struct verb verb_##name;
#include "verb_rows.h"
#undef VERB
extern const struct verb *const verbs[]; /* ends with NULL */
/* By its name, or by xl's or virsh's name for it. */
const struct verb *find_verb(const char *name);
/* The verb, of whatever name, that was meant; NULL = none is near. */
const char *near_verb(const char *typed);

struct alias {
    const char *whose, *name, *verb;
};
extern const struct alias aliases[]; /* ends with name NULL */

struct exit_code {
    int code;
    const char *meaning;
};
extern const struct exit_code exit_codes[]; /* ends with meaning NULL */

/* One line on standard error: what is wrong with the command line. Returns EXIT_USAGE. */
int usage_error(const struct verb *v, const char *text, const char *what);
/* Prints "pvctl: ..." and returns the exit status that fits the code. */
int fail(const struct error *e);
/* The same, of one that was looked for; of one that is defined: how it is started. */
int fail_to_find(const char *name, const struct error *e);
/* Finds the domain c->arg; 0 or an exit status, after it has been told. */
int __must_check need_domain(const struct call *c, struct live_domain *l);
/* Finds a domain that can be asked for something by the store: not an hvm guest, nor one that has
 * ended. */
int __must_check need_asked(const struct call *c, struct live_domain *l);
/* Finds the domain, and refuses one that is still being created. */
int __must_check need_whole(const struct call *c, struct live_domain *l);
/* The same, and refuses the control domain: "it would `what` the machine under your feet". */
int __must_check need_guest(const struct call *c, const char *what, struct live_domain *l);

/* The domains of c->args, or all there are; one free(). An exit status: the worst of what has been
 * told; those that there are, are in the list even so. */
int __must_check chosen_domains(const struct call *c, struct live_domain **l, size_t *n);
/* Before definitions are read or written: their disk, if there is one, is mounted from here on. */
void definitions_come(void);
/* All that are defined; definition_list_free(). Of what cannot be read it is told; then
 * EXIT_CONFIG.
 */
int __must_check defined_domains(struct definition **list, size_t *n);
/* Of two exit statuses the worse: a crash tells more than a refusal. */
int worse(int a, int b);

/* create.c: reads the file c->arg; what is found stands on standard error: errors, or what has no
 * effect. 0, or negative when it has been told. */
int __must_check read_config(const struct call *c, struct domain_config *cfg);
/* Makes the domain, and does what --console, --paused and --json say. Exit status. */
int __must_check create_domain(const struct call *c, struct domain_config *cfg);

/* dumpxml.c: a configuration, to standard output. Other programs' texts in it stand as they came: a
 * terminal shows what is in them, and does not obey. */
void print_xml(const char *xml);
/* devices_list.c: XenbusState, in words. */
const char *device_state_text(const char *number);
/* vcpu_list.c: "running", "runnable", "blocked", "paused", "offline". */
const char *vcpu_state_text(const struct host_domain *d, const struct host_vcpu *v);
/* One that has not run yet has no CPU, whatever number stands there. */
bool vcpu_has_run(const struct host_vcpu *v);
/* The CPUs of the set that the machine has. all_by_name: "all" when it has all. */
void affinity_text(uint64_t cpus, unsigned int nr_cpus, bool all_by_name, char out[CPUSET_TEXT]);
/* console.c: the socket of the domain's console, or a negative errno. take: also where somebody has
 * it. */
int __must_check console_open(const char *name, bool take, struct error *e);
/* What a domain printed, to standard output: a terminal shows it, and does not obey. 0 or -errno.
 */
int __must_check console_write(const char *data, size_t len);
/* others_console.c: of a domain that another program made, the terminal of its console. -ENODATA
 * and e as it was: it has none. It is locked until it is done. */
int __must_check others_console(struct host *h, const char *which, struct error *e);
void others_console_done(void);
/* Copies between terminal and console until the domain ends or, at a terminal, ^]; unless
 * to_its_end, also until the console is quiet after the end of the input. Exit status. */
int __must_check console_attach(int fd, const char *name, bool to_its_end);
/* shutdown.c: asks one domain, or all, for "poweroff" or "reboot"; may wait for it. */
int __must_check request_end(const struct call *c, const char *wish);
/* "crashed" and "killed by" are failures. */
bool end_is_crash(const char *how);

/* json.c: a small writer. Commas are its business. */
void json_one_line(void); /* from here on each document is a line */
void json_open(char bracket);
void json_close(char bracket);
void json_key(const char *key);
void json_string(const char *key, const char *value);
void json_item(const char *value); /* of a list */
void json_number(const char *key, unsigned long long value);
void json_decimal(const char *key, double value); /* one digit behind the point */
void json_bool(const char *key, bool value);

#endif
