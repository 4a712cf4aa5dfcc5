/* SPDX-License-Identifier: MIT */
/*
 * Parameters of a fully virtualized domain: numbers by which the domain and who builds it tell each
 * other where things are (hvm_op.h sets and gets them). A parameter that was never set is 0.
 *
 * A builder sets them before the first vCPU begins. The rings have the layouts of io/xs_wire.h and
 * io/console.h; each lies in a page of the domain's, and the port beside it is the domain's end of
 * the channel. A frame's number is the domain's own (gfn).
 *
 * A domain that is told of no hypervisor reads none of these: its console's ring is then the other
 * end of its serial port.
 */
#ifndef XEN_HVM_PARAMS_H
#define XEN_HVM_PARAMS_H

#include <xen/hvm/hvm_op.h>

/* The ring to xenstored. */
#define HVM_PARAM_STORE_PFN    1 /* gfn */
#define HVM_PARAM_STORE_EVTCHN 2 /* port */

/* The ring to the console's daemon. */
#define HVM_PARAM_CONSOLE_PFN    17 /* gfn */
#define HVM_PARAM_CONSOLE_EVTCHN 18 /* port */

#endif
