/* SPDX-License-Identifier: MIT */
/*
 * What the tests of a domain's life share: a model of the machine, a small kernel made to order,
 * and a console service that counts and can refuse.
 */
#ifndef LIFECYCLE_SUPPORT_H
#define LIFECYCLE_SUPPORT_H

#include "config.h"
#include "fake_host.h"
#include "lifecycle.h"

extern struct fake_host *f;
extern struct console_service service;
extern int served, released; /* calls of the console service */
extern const char *last_how;

int lifecycle_setup(void **state);
int lifecycle_teardown(void **state);
/* The configuration of a small domain. */
struct domain_config config(const char *name);
/* Makes it and leaves it paused; must succeed. */
uint32_t start(const char *name);
/* The same, which may fail; frees c. */
int try_start(struct domain_config *c, struct error *e);
void reap(const char *which, const char *how);
/* Nothing of the name is left in the state directory. */
void assert_no_state(const char *name);

#endif
