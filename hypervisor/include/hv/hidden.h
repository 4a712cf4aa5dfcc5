/* SPDX-License-Identifier: MIT */
/*
 * Included before everything else of the hypervisor's own build (hypervisor.mk).
 *
 * -fvisibility=hidden speaks of what a file defines; what it only declares may still be someone
 * else's to the compiler, and the address of such a function would be fetched from a GOT, which
 * this image does not have. All of it is ours.
 */
#ifndef HV_HIDDEN_H
#define HV_HIDDEN_H

#pragma GCC visibility push(hidden)

#endif
