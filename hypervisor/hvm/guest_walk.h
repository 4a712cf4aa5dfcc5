/* SPDX-License-Identifier: MIT */
/*
 * The addresses of a fully virtualized guest, through its own page tables: hvm/guest_walk.c; and
 * copies between them and the hypervisor: hvm/guest_walk_copy.c.
 */
#ifndef HVM_GUEST_WALK_H
#define HVM_GUEST_WALK_H

#include <hv/types.h>
#include <hv/x86_bits.h>
#include <hv/x86_insn.h>

struct domain;

/* The registers of a vCPU that say how it sees memory. */
struct guest_paging {
    uint64_t cr0, cr3, cr4, efer;
    /* 3: a user's access. What the CPU does for itself (descriptor tables) is as of 0, without AC
     */
    unsigned int cpl;
    bool ac; /* RFLAGS.AC */
};

/* In place of an error code: no such address, which is #GP (or #SS) and no page fault. */
#define GUEST_NOT_CANONICAL (~0u)

struct guest_walk_fault {
    gva_t va;      /* CR2 */
    uint32_t code; /* PFEC_*, or GUEST_NOT_CANONICAL */
};

/* Where va is. access: 0 (read), PFEC_WRITE, PFEC_INSN. Accessed and dirty bits are set. False: the
 * guest has f. */
bool __must_check guest_walk(const struct domain *d, const struct guest_paging *g, gva_t va,
                             uint32_t access, uint64_t *gpa, struct guest_walk_fault *f);

/* Copies n bytes to hv; or (PFEC_WRITE) from it. 0; -XEN_EFAULT: the guest has f; -XEN_ENXIO: at
 * f->va is no memory. Bytes before f->va are copied. n is a few pages at most. */
int __must_check guest_walk_copy(const struct domain *d, const struct guest_paging *g, void *hv,
                                 gva_t va, size_t n, uint32_t access, struct guest_walk_fault *f);
/* The instruction at va: how many of its bytes there are: all, or those before f->va. */
unsigned int guest_walk_fetch(const struct domain *d, const struct guest_paging *g, gva_t va,
                              uint8_t code[X86_INSN_MAX], struct guest_walk_fault *f);

#endif
