/* SPDX-License-Identifier: MIT */
/*
 * What CPUs let be read, or steered, while they run ahead, and what the hypervisor does about it:
 * the words of parvis.cfg (spec-ctrl), of the log, and of `pvctl info`; and how the tools ask.
 *
 * A set is a word with a bit for each. Which holes a CPU has and which measures are taken is
 * decided once, at the start (hypervisor/x86/spec_choice.c); docs/advisories.md has the rest.
 */
#ifndef PARVIS_SPECULATION_H
#define PARVIS_SPECULATION_H

#include <stdint.h>

/* clang-format off */
#define SPEC_HOLES(X)                                                                              \
    X(MELTDOWN,   "meltdown")      /* the hypervisor's memory, by a guest's kernel or program */   \
    X(BTI,        "spectre-v2")    /* a guest trains where the hypervisor's branches go */         \
    X(BTI_GUESTS, "spectre-v2-guests") /* or those of another guest */                             \
    X(RSB,        "return-stack")  /* the hypervisor returns to where a guest called from */       \
    X(BTC,        "branch-type")   /* what is no branch is taken for one: Retbleed, AMD */         \
    X(SRSO,       "srso")          /* returns overflow by such branches, AMD */                    \
    X(BHI,        "bhi")           /* branch history chooses among the hypervisor's own targets */ \
    X(ITS,        "its")           /* a guest's direct branches train indirect ones and returns */   \
    X(SSB,        "ssb")           /* loads pass older stores */                                   \
    X(L1TF,       "l1tf")          /* what absent entries of page tables name, if it is cached */  \
    X(MDS,        "mds")           /* buffers of loads and stores; TSX aborts, register files */   \
    X(TSA,        "tsa")           /* likewise, AMD */                                             \
    X(GDS,        "gds")           /* registers of vectors, by gathers */                          \
    X(SRBDS,      "srbds")         /* what RDRAND and the like got, by any core */                 \
    X(ZENBLEED,   "zenbleed")      /* registers of vectors, AMD */                                 \
    X(DIV,        "div")           /* the divider's last result, AMD */                            \
    X(FP_DIV,     "fp-dss")        /* what the divider of floating point had, AMD */               \
    X(OP_CACHE,   "op-cache")      /* decoded instructions become a guest's, AMD */                \
    X(LOCKS,      "locks")         /* what a lock guards is used before the lock is had */         \
    X(THREADS,    "threads")       /* those of a core share what measures clear, while both run */

/* Words of Xen's option spec-ctrl where they mean the same. */
#define SPEC_MEASURES(X)                                                                           \
    X(IBRS,       "ibrs")          /* restricted indirect branches, written at each entry */       \
    X(EIBRS,      "eibrs")         /* the same where once is enough */                             \
    X(RETPOLINE,  "retpoline")     /* indirect branches by way of a return */                      \
    X(IBPB,       "ibpb")          /* a barrier when a CPU goes to another domain */               \
    X(IBPB_ENTRY, "ibpb-entry")    /* a barrier at each entry from a guest */                      \
    X(RSB_FILL,   "rsb")           /* the return stack is filled at each entry */                  \
    X(BHI_DIS,    "bhi-dis-s")     /* no history in the hypervisor's branches */                   \
    X(STIBP,      "stibp")         /* no targets from the core's other thread, in guests too */    \
    X(BHB_ENTRY,  "bhb-entry")     /* the history is overwritten at each entry from a guest */     \
    X(ITS,        "its")           /* returns stand where only they can train them */              \
    X(VERW,       "verw")          /* buffers are cleared on the way to a guest */                 \
    X(PTI,        "pti")           /* guests run on page tables without the hypervisor */          \
    X(L1TF,       "pv-l1tf")       /* absent entries may not name RAM */                           \
    X(DIV_SCRUB,  "div-scrub")     /* a division on the way to a guest */                          \
    X(ZENBLEED,   "zenbleed")      /* the bit that avoids it */                                    \
    X(FP_DIV,     "fp-dss")        /* likewise */                                                  \
    X(OP_CACHE,   "op-cache")      /* likewise */                                                  \
    X(SPEC_REDUCE, "bp-spec-reduce") /* likewise, for who is fully virtualized */                  \
    X(GDS_MIT,    "gds-mit")       /* the microcode's measure is on */                             \
    X(SRB_LOCK,   "srb-lock")      /* likewise */                                                  \
    X(LOCK,       "lock-harden")   /* a barrier when a lock is had */                              \
    X(SSBD,       "ssbd")          /* no load passes a store, in guests too */

enum spec_hole {
#define SPEC_NAME(name, word) HOLE_##name,
    SPEC_HOLES(SPEC_NAME)
#undef SPEC_NAME
};
enum spec_measure {
#define SPEC_NAME(name, word) MEASURE_##name,
    SPEC_MEASURES(SPEC_NAME)
#undef SPEC_NAME
    NR_MEASURES
};
/* clang-format on */

/* The words, by number. */
#define SPEC_WORD(name, word) word,
static inline const char *spec_hole_word(unsigned int hole)
{
    static const char *const words[] = {SPEC_HOLES(SPEC_WORD)};

    return words[hole];
}

static inline const char *spec_measure_word(unsigned int measure)
{
    static const char *const words[] = {SPEC_MEASURES(SPEC_WORD)};

    return words[measure];
}
#undef SPEC_WORD

/* A sysctl of Parvis' own, with Xen's head (xen/sysctl.h: cmd, interface_version) and this in place
 * of the union: all are results. */
#define PARVIS_SYSCTL_speculation 128
struct parvis_sysctl_speculation {
    uint32_t affected; /* holes that the CPUs have */
    uint32_t open;     /* those of them that no measure closes */
    uint32_t measures; /* that are taken */
    uint32_t off, on;  /* what spec-ctrl left out and asked for; 0 and 0: CPUs alone decided */
    /* Second threads of a core: CPUs that run, and those that smt = no leaves alone. */
    uint32_t second_threads, threads_left_alone;
};

#endif
