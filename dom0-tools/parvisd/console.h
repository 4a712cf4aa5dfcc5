/* SPDX-License-Identifier: MIT */
/*
 * The consoles that the daemon keeps: one for each name.
 *
 * A console is bound to a living domain (ring mapped, event port bound) or not (its domain
 * has ended, or is being restarted). A guest may take its ring or its port away: a daemon that is
 * started then has a console without a ring, by which its domain's end is acted upon all the same;
 * who asks for it, and each look at all domains, tries again.
 * Its history outlives the domain: whoever asks later still gets the first byte, the last byte, and
 * how it ended. The newest CONSOLES_ENDED ended ones are kept; of those that were put aside
 * (aside.h), which a guest can have done again and again, the newest CONSOLES_ASIDE of each name:
 * one name's do not push out another's.
 *
 * The ring page is shared with a guest that may be hostile. Only the two indices that the
 * guest writes are read from it, each once per use; our own indices are private copies. A
 * distance that cannot be is a broken ring: what it holds is skipped, with a note in the
 * history. A flooding guest is served CONSOLE_BURST bytes in each CONSOLE_WINDOW_MS, then
 * waits: its port stays masked, and the others are not disturbed.
 *
 * With a reader attached that does not keep up, the ring is left to fill: the guest waits,
 * as on a serial line with flow control, and nothing is lost. Without a reader nobody waits.
 */
#ifndef PARVIS_CONSOLE_H
#define PARVIS_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "carried.h"
#include "error.h"
#include "history.h"
#include "host.h"
#include "tty.h"

#define CONSOLE_NONE      UINT32_MAX
#define CONSOLE_BURST     (256u << 10)
#define CONSOLE_WINDOW_MS 100
#define CONSOLE_INPUT     4096u
#define CONSOLES_ENDED    64u
#define CONSOLES_ASIDE    2u
/* Of a console without a ring. */
#define CONSOLE_TAKEN "the guest has taken its console away: nobody can type there"

struct xencons_interface;

struct console {
    struct console *next;
    char name[65];
    char aside_of[65]; /* the name that it had before it was put aside; "": it was not */
    uint32_t domid;    /* CONSOLE_NONE: not bound */
    struct xencons_interface *ring; /* NULL: not bound, or the guest has taken it away */
    uint32_t port;                  /* our end */
    uint32_t out_cons, in_prod;     /* our indices */
    bool masked;                    /* the port has fired and waits for our unmask */
    uint64_t window_ms;             /* when the present window began */
    uint32_t window_bytes;          /* consumed in it */

    struct history history;
    const void *reader; /* the one client that is attached, or NULL */
    pid_t reader_pid;
    uint64_t reader_pos;
    unsigned int listeners;    /* clients that only look on: nobody waits for them */
    char input[CONSOLE_INPUT]; /* typed, not yet in the ring */
    uint32_t input_len;
    struct tty *tty; /* NULL: it has none */

    bool ended;   /* `how` is valid */
    bool handled; /* the end of this domain has been acted upon */
    char how[256];
    bool restarting;        /* a successor is made, or will be: history and reader stay */
    bool successor;         /* it is to be started when this domain is gone */
    struct carried carried; /* what the successor takes along */
    uint64_t started_ms;
    unsigned int quick; /* lives in a row that were too short */
    bool unsettled;     /* what says its name may not say this one: policy_adopt() */
    pid_t restarter;
    bool given_up; /* and told to stop: how it all ended is told already */
    pid_t dumper;  /* writes its core, to `core`; what is done then is `then` */
    char core[151];
    enum end_action then;
    int messages; /* what the restarter, or the dumper, says */
};

extern struct console *consoles;

/* Binds the console of `name` to a domain, whose end of the channel is port, making it if need be.
 */
int __must_check console_serve(struct host *h, uint32_t domid, uint32_t port, const char *name,
                               struct error *e);
/* The same of a domain that somebody else has made: its port stands in the store. Where the guest
 * itself is why it cannot be reached, it has no ring. */
int __must_check console_adopt(struct host *h, uint32_t domid, const char *name, struct error *e);
/* The guest had taken its console away. It may have given it back: one without a ring has it then.
 */
void console_try_again(struct host *h, struct console *c);
/* A domain that a daemon before this one was to start again: its console, which waits for it. */
int __must_check console_expect(const char *name);
/* Is there one of this name that is bound, waits for its next life, or is read? NULL: no; else what
 * the last domain of this name does so, "is still there". */
const char *console_use(const char *name);
/* This console has another name from now on, one that is not in use: what is kept of the last of
 * that name goes. */
void console_rename(struct console *c, const char *name);
/* Takes what is in the ring, lets go of ring and port. The domain has ended: `how`. */
void console_release(struct host *h, struct console *c, const char *how);
/* Remembers how it ended while the domain is still there (preserved). */
void console_set_ended(struct console *c, const char *how);
/* The number of a port, as it is written: nothing else, and not cut. */
bool console_port_number(const char *text, uint32_t *port);
/* Moves bytes both ways as far as they go now. */
void console_pump(struct host *h, struct console *c);
/* All that wait for their window or their reader; returns ms until the next try, or -1. */
int console_pump_waiting(struct host *h);
/* A port has fired. */
void console_event(struct host *h, uint32_t port);

struct console *console_by_name(const char *name);
/* The one that is bound to this domain. */
struct console *console_by_domid(uint32_t domid);
/* Writes the histories of all consoles to their files and lets go of everything. */
void console_close_all(struct host *h);

#endif
