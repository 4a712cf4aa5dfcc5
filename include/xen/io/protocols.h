/* SPDX-License-Identifier: MIT */
/*
 * Names of ring layouts.
 *
 * The layout of requests can depend on the word size of the front end (io/blkif.h: ids and
 * sector numbers). It writes one of these names to its key `protocol`; without the key, the back
 * end takes its own.
 */
#ifndef XEN_IO_PROTOCOLS_H
#define XEN_IO_PROTOCOLS_H

#define XEN_IO_PROTO_ABI_X86_32 "x86_32-abi"
#define XEN_IO_PROTO_ABI_X86_64 "x86_64-abi"
#define XEN_IO_PROTO_ABI_ARM    "arm-abi"

#define XEN_IO_PROTO_ABI_NATIVE XEN_IO_PROTO_ABI_X86_64

#endif /* XEN_IO_PROTOCOLS_H */
