/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the console daemon share: guests as the builder leaves them, on the model
 * of the machine (fake_host.h), and a clock that goes when a test says so.
 */
#ifndef DAEMON_SUPPORT_H
#define DAEMON_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "daemon.h"
#include "devices.h"
#include "fake_host.h"

struct xencons_interface;

extern struct fake_host *f;
extern int listener;
extern uint64_t clock_ms;

int daemon_setup(void **state);
int daemon_teardown(void **state);
/* The same, and cores go to a folder that is not there yet, and goes with the rest. */
int daemon_setup_dumps(void **state);
extern char dumps[96];
bool dump_is_there(const char *name);
/* What the daemon logs goes nowhere else from here to daemon_heard(), which returns it. */
void daemon_hear(void);
const char *daemon_heard(void);
/* Ring granted, port open, entries written, name taken. */
struct xencons_interface *make_guest(const char *name, const char *on_poweroff, uint32_t *domid);
/* The same, and served by the daemon. */
struct xencons_interface *serve(const char *name, const char *on_poweroff, uint32_t *domid);
/* The same, called web, whose configuration says this of a crash. */
uint32_t serve_one(const char *on_crash);
/* The same, with these elements. */
uint32_t serve_with(const char *ends);
/* A stand-in for pvctl, which parvisd starts: it adds its arguments to the file `called`, and what
 * the file says that it is given to `given`, both in the state directory, and does this. */
void fake_pvctl(const char *does);
/* Waits for one that parvisd has started, and tells it. */
void wait_child(void);
/* It has lived long enough to live again, and crashes. */
void crash(uint32_t domid);
/* `pvctl rename`, without its asking. */
void give_name(uint32_t domid, const char *from, const char *to);
/* The name that a domain has now; "" if none. */
const char *name_of(uint32_t domid);
/* The guest prints; returns how many bytes fitted. */
uint32_t say(struct xencons_interface *ring, const char *text, size_t len);
/* The guest sends an event. */
void fire(const char *name);
/* One turn of the daemon's loop, without waiting. */
void turn(void);
/* A client that asks; the daemon has had a turn. Returns its socket. */
int ask(enum daemon_message type, const char *text);
/* The domain's end of its console's channel. */
uint32_t console_port(uint32_t domid);
/* What `pvctl destroy` asks for; uuid NULL: it is that of the domain that has the number now. */
const char *destroys(uint32_t domid, const uint8_t *uuid, const char *name);
/* The next message that it gets; text NULL: whatever it says. */
void next_is(int fd, int type, const char *text);
char *history_text(const struct console *c);
void history_says(const char *name, const char *text);
/* Gives the domain a disk, by the back end's entry in the store. */
void add_disk(uint32_t domid);
/* A device_system's backend_lives: the disk's back end is there for as many looks as this says. */
extern int lingering;
bool still_there(const char *device);

/* A Linux that takes up at once whatever it is asked for. */
extern const struct device_system willing_system;

#endif
