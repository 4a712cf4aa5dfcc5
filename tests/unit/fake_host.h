/* SPDX-License-Identifier: MIT */
/*
 * A machine that is not there: struct host as a model, for tests of the toolstack.
 *
 * It keeps domains, frames (real memory: a foreign mapping shows the frame's bytes), ports,
 * grants, mappings, transactions and the store. Any call that acquires or changes
 * something can be made to fail: the fail_at-th one returns fail_with. Calls that give back
 * do not fail, as one cannot undo them. Instead of failing, the call may be where the process
 * gets a signal (signal_at), or where it is killed: it jumps out (kill_at), and what the kernel
 * would give back of a dead process is given back by fake_process_died().
 *
 * fake_is_clean() is the oracle: no domain, no mapping, no port, no transaction,
 * no entry of any domain in the store, and every frame free.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <setjmp.h>

#include <xen/xen.h>

#include "host.h"

#define FAKE_FRAMES   16384u
#define FAKE_DOMAINS  32u
#define FAKE_PORTS    256u
#define FAKE_ENTRIES  1024u
#define FAKE_MAPPINGS 64u
#define FAKE_GRANTS   8u

struct fake_domain {
    struct host_domain d;
    bool live, vcpus_made, has_context, introduced;
    bool never_ran; /* none of its vCPUs did */
    bool pressed;   /* its power button was */
    uint64_t nmis;  /* vCPUs that got one, a bit each */
    struct vcpu_guest_context context;
    struct host_create created; /* what it was made with */
    uint64_t max_kib, pinned, hypercall_page;
    uint64_t param[40]; /* HVM_PARAM_* */
    uint32_t next_port;
    struct host_grant grants[FAKE_GRANTS];
    unsigned int nr_grants;
    struct host_sched sched;
    uint64_t affinity[64]; /* of each vCPU */
};

struct fake_port {
    bool bound, pending, masked;
    uint32_t domid, remote_port, notified;
};

struct fake_entry {
    char *path, *value;
    char perms[32];
};

struct fake_mapping {
    void *va;
    size_t pages;
    bool grant;
};

struct fake_host {
    struct host host;
    int fired; /* readable when a port is pending */
    int memfd;
    uint8_t *bytes;              /* of all frames */
    uint16_t owner[FAKE_FRAMES]; /* domid + 1, 0 = free */
    uint64_t gfn[FAKE_FRAMES];   /* where a fully virtualized domain has it */
    /* Frames by that number, as lists: frame + 1, 0 ends one. */
    uint16_t first[FAKE_FRAMES], next[FAKE_FRAMES];
    unsigned int taken;  /* at least so many at the top are taken */
    bool no_svm, no_hap; /* what the CPUs lack */
    bool emulated;       /* they are QEMU's software */
    struct fake_domain domains[FAKE_DOMAINS];
    struct fake_port ports[FAKE_PORTS];
    struct fake_entry entries[FAKE_ENTRIES];
    struct fake_entry saved[FAKE_ENTRIES]; /* while in a transaction */
    struct fake_mapping mappings[FAKE_MAPPINGS];
    unsigned int transactions;
    bool store_dead;                       /* its daemon has ended, */
    bool store_slow;                       /* or rather does not answer in time */
    bool will_not_die;                     /* destroying fails */
    unsigned int conflicts;                /* so many commits answer -EAGAIN first */
    uint64_t idle_ns[2];                   /* of each CPU */
    const char *log;                       /* what readconsole gives */
    uint32_t log_lost;                     /* so much of it is pushed out by now */
    void (*log_read)(struct fake_host *f); /* called before each read; NULL: nothing happens */
    /* Of each vCPU, times its number + 1; one goes up with each reading. */
    uint64_t counted[NR_COUNTERS];
    int no_counters; /* what is answered instead */
    int no_speculation;
    unsigned int second_threads, threads_left_alone;
    uint32_t spec_off, spec_on;
    uint64_t calls, fail_at;
    int fail_with;
    int events;                               /* a pipe: each byte is an event of the store */
    void (*store_event)(struct fake_host *f); /* what happens then */
    int link;                                 /* to the store's daemon: hangs up when it ends */
    const char *failed_call;
    uint64_t signal_at, kill_at;
    jmp_buf killed; /* where kill_at goes to */
};

struct fake_host *fake_new(void);
void fake_free(struct fake_host *f);
/* NULL, or what is left over. */
const char *fake_is_clean(struct fake_host *f);
struct fake_domain *fake_domain(struct fake_host *f, uint32_t domid);
/* The domain ends by itself. */
void fake_shutdown(struct fake_host *f, uint32_t domid, unsigned int reason);
/* This port of ours fires, if it is bound. */
void fake_fire(struct fake_host *f, uint32_t port);
/* The kernel unmaps and closes what a process had that was making a domain (grants are mapped by
 * the daemon alone). */
void fake_process_died(struct fake_host *f);
/* Value of an entry, or NULL. */
const char *fake_read(struct fake_host *f, const char *path);
const char *fake_perms(struct fake_host *f, const char *path);
/* The frame that the domain, or the host, names so; UINT64_MAX: none of its own. */
uint64_t fake_frame_at(struct fake_host *f, uint32_t domid, uint64_t number);
/* The bytes of a frame. */
void *fake_frame(struct fake_host *f, uint64_t mfn);
/* The back ends' drivers take up what they find: all of them come to this state. */
void fake_backends_take_up(struct fake_host *f, const char *state);

#endif
