/* SPDX-License-Identifier: MIT */
/* The fully virtualized domains of events.c: vm_events.c. */
#ifndef TESTS_TORTURE_VM_EVENTS_H
#define TESTS_TORTURE_VM_EVENTS_H

#include "torture.h"

#define VM_EVENTS_VCPUS 4

extern const struct vm_program torture_vm_events;

/* Makes the two from that id on. The port that d0 has to the console of one of them. */
evtchn_port_t vm_events_setup(domid_t first);
/* A port is pending. False: it is not that one. */
bool vm_events_take(struct guest *g, evtchn_port_t port);
/* The console is told what was taken. False: all that was. */
bool vm_events_tell(struct guest *g);

#endif
