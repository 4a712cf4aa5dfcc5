/* SPDX-License-Identifier: MIT */
/*
 * Parameters of a fully virtualized domain: numbers by which the domain and who builds it tell each
 * other where things are (hvm_op.h sets and gets them). A parameter that was never set is 0.
 *
 * A builder sets them before the first vCPU begins. A domain may set its own ports, and how it is
 * told of events. The rings have the layouts of io/xs_wire.h and
 * io/console.h; each lies in a page of the domain's, and the port beside it is the domain's end of
 * the channel. A frame's number is the domain's own (gfn).
 *
 * A domain that is told of no hypervisor reads none of these: its console's ring is then the other
 * end of its serial port.
 */
#ifndef XEN_HVM_PARAMS_H
#define XEN_HVM_PARAMS_H

#include <xen/hvm/hvm_op.h>

/*
 * How all vCPUs are told that evtchn_upcall_pending is 1; evtchn_upcall_mask means nothing to them.
 * 0: not at all. Else bits 56 to 63 are one of the types. With a vector (bits 0 to 7, 16 to 255) a
 * vCPU is interrupted whenever it takes interrupts (RFLAGS.IF) and the byte is set, whatever its
 * local APIC has in service, and without an EOI: the handler clears the byte. Interrupt lines can
 * be named, and nothing comes by them: there is none.
 */
#define HVM_PARAM_CALLBACK_IRQ           0
#define HVM_PARAM_CALLBACK_IRQ_TYPE_MASK 0xff00000000000000ULL
#define HVM_PARAM_CALLBACK_TYPE_GSI      0
#define HVM_PARAM_CALLBACK_TYPE_PCI_INTX 1
#define HVM_PARAM_CALLBACK_TYPE_VECTOR   2

/* The ring to xenstored. */
#define HVM_PARAM_STORE_PFN    1 /* gfn */
#define HVM_PARAM_STORE_EVTCHN 2 /* port */

/* The ring to the console's daemon. */
#define HVM_PARAM_CONSOLE_PFN    17 /* gfn */
#define HVM_PARAM_CONSOLE_EVTCHN 18 /* port */

#endif
