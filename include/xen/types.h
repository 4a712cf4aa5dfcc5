/* SPDX-License-Identifier: MIT */
/*
 * The scalar types that every header of the ABI uses, for x86-64 only.
 *
 * A "guest handle" is an address in the virtual memory of whoever makes the call: 8 bytes,
 * 8-aligned. On the hypervisor's side it must never be mistaken for something that can be
 * dereferenced, so it is an integer here, xen_guest_handle_t, and is read and written through
 * the guest-copy functions alone. Xen's own headers wrap a C pointer of each pointed-to type in
 * a struct of its own; the layout is the same 8 bytes. The comment beside each such field says
 * what it points to.
 *
 * Programs (tools, guests) store a pointer with set_xen_guest_handle(field, pointer) and get it
 * back with get_xen_guest_handle(pointer, field), as with Xen's headers.
 *
 * Frames: a "pfn" or "gfn" is a guest's own idea of a frame number; an "mfn" is the machine's.
 * A PV guest knows both and translates by itself, so nearly every xen_pfn_t of this ABI is an
 * mfn; each field says which. INVALID is all ones.
 *
 * Sizes are those of LP64: int 4 bytes, long and pointers 8. Structures have the
 * padding that the C compiler for x86-64 gives them, unless a field named pad stands
 * for it; a test compares the size and the offset of every member with the headers of
 * Debian's libxen-dev.
 */
#ifndef XEN_TYPES_H
#define XEN_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef uint16_t domid_t;                /* see the DOMID_* numbers in xen.h */
typedef unsigned long xen_pfn_t;         /* a frame number: address / 4096 */
typedef unsigned long xen_ulong_t;       /* a machine word, 64 bits */
typedef unsigned long xen_callback_t;    /* a virtual address in the guest where it is entered */
typedef uint64_t xen_guest_handle_t;     /* an address in the caller's memory */
typedef uint8_t xen_domain_handle_t[16]; /* a UUID, bytes in printing order; opaque to Parvis */

/* In the control interface, fields that are 8-aligned whatever the caller's word size. */
typedef uint64_t uint64_aligned_t;
typedef int64_t int64_aligned_t;

/*
 * A set of CPUs, vCPUs or nodes in the control interface: bit i of byte i/8. nr_bits is the size
 * of the caller's buffer; bits that the hypervisor knows beyond it are cut off, and bits of the
 * buffer beyond what it knows read as zero and are ignored on input.
 */
struct xenctl_bitmap {
    /* uint8_t[(nr_bits + 7) / 8] */
    xen_guest_handle_t bitmap;
    uint32_t nr_bits;
};
typedef struct xenctl_bitmap xenctl_bitmap_t;

/* In printf format strings. */
#define PRI_xen_pfn   "lx"
#define PRIu_xen_pfn  "lu"
#define PRI_xen_ulong "lx"

/* The newest of Xen's interface versions that these headers describe: 4.14 to 4.17. */
#define __XEN_LATEST_INTERFACE_VERSION__ 0x00040e00

#define XEN_GUEST_HANDLE(name)                xen_guest_handle_t
#define XEN_GUEST_HANDLE_64(name)             xen_guest_handle_t
#define set_xen_guest_handle(handle, pointer) ((handle) = (uint64_t)(uintptr_t)(pointer))
#define get_xen_guest_handle(pointer, handle) ((pointer) = (void *)(uintptr_t)(handle))

#endif /* XEN_TYPES_H */
