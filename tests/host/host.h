/* SPDX-License-Identifier: MIT */
/*
 * The machine on plain memory: what tests/host offers to tests besides the functions of
 * hypervisor/include/port/.
 *
 * host_init(frames) makes a machine with that many frames of RAM (all but the first 16 given to the
 * heap), one CPU, a clock that stands still until host_advance(), and no domain. Each test begins
 * with it: nothing is left of the one before. host_set_cpus(n) then adds CPUs, and host_run_on(cpu)
 * says which of them this thread plays from here on.
 *
 * Guest memory, by address:
 *   HOST_GUEST_BASE .. +HOST_GUEST_SIZE   a plain buffer (host_guest()), the same whoever is
 * current; for argument structures else                                  through the page tables at
 * current->arch.pv.cr3, when host_walk is set (mm tests) Everything else faults, as do accesses
 * that host_fault_* forbids.
 */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include <core/state/domain.h>
#include <port/machine.h>
#include <port/current.h>
#include <port/guest_access.h>

#define HOST_GUEST_BASE 0x100000ull
#define HOST_GUEST_SIZE 0x100000ull

void host_init(uint64_t frames);
#define HOST_MOST_CPUS 16
void host_set_cpus(unsigned int n);
void host_run_on(unsigned int cpu);
/* The CPU may be another after each host_run_on(): what port/current.h tells the compiler, that a
 * function begins and ends on one, is not true of tests. */
struct cpu *host_this_cpu(void);
#define this_cpu() host_this_cpu()

/* A thread for each CPU, each of which runs what the scheduler chose: step() is what a guest does
 * next, and returns whether it entered the hypervisor; entered: so it did before, or there was an
 * interrupt, and the exit path is behind it. Returns, with the number of steps, when all have
 * halted and no timer is set. (cpus.c) */
typedef bool host_step_fn(struct vcpu *v, bool entered);
uint64_t host_run_threads(host_step_fn *step);
extern bool host_threads; /* it is running */
/* An interrupt came while v ran its own code: what is done before the exit path. NULL: nothing */
extern void (*host_on_interrupt)(struct vcpu *v);
/* How often each CPU was at its exit path; and whether each other one has come there again, and
 * this CPU was not kicked meanwhile. */
void host_turns(uint64_t turns[HOST_MOST_CPUS]);
bool host_must_be_kicked(const uint64_t since[HOST_MOST_CPUS]);
void host_time_passes(s_time_t ns);     /* beyond what a step takes */
void host_give_way(void);               /* to other threads, while waiting for one */
void host_show_locks(unsigned int cpu); /* those that it holds, on stderr */

void *host_guest(gva_t gva);                     /* where the buffer has this address */
extern bool host_walk;                           /* other addresses go through page tables */
extern gva_t host_read_only, host_read_only_end; /* writes there fault */
extern gva_t host_fault, host_fault_end;         /* all access faults  */
extern uint64_t host_copies;                     /* guest copies made so far */
extern bool host_isolation_lacked;               /* what isolation_lacked() says */
/* Called before each copy: a guest that changes memory meanwhile */
extern void (*host_on_copy)(gva_t gva);

/* Moves the clock; each CPU runs what is due as its exit path would */
void host_advance(s_time_t ns);
void host_reap(void);      /* frees domains whose last reference went, as the exit path does */
void host_exit_path(void); /* cpu_do_pending() while there is something pending */
/* The deadline of each CPU's machine timer, and of this one's */
extern s_time_t host_armed_at[HOST_MOST_CPUS];
#define host_armed host_armed_at[this_cpu()->id]
extern bool host_clock_stable; /* all CPUs have one clock */

/* With domain_create() and vcpu_create(): a domain with its vCPUs up and pages of memory, unpaused.
 */
struct domain *host_domain(domid_t id, bool control, unsigned int vcpus, uint64_t pages);
/* The same of another kind than guest_kinds[0]. */
struct domain *host_domain_of(const struct guest_ops *kind, domid_t id, bool control,
                              unsigned int vcpus, uint64_t pages);
/* More frames for d, which lie nowhere in its own numbering; NULL: it may not have them. */
struct page_info *host_frames(struct domain *d, unsigned int order);
uint64_t host_time_run(const struct domain *d); /* ns that its vCPUs ran, by their run states */
/* v, if it has a CPU, blocks there, with no event pending; or wakes up, if it has blocked. */
void host_keep(struct vcpu *v, bool awake);
void host_run_as(struct vcpu *v);    /* the scheduler's choice, even when v is paused or down */
void host_destroy(struct domain *d); /* domain_kill() to its end */
void host_destroy_all(void);         /* of all; panic() when one is left */
/* A guest kind that has no page tables: what core's own tests use. host_init() makes it the
 * default. */
extern const struct guest_ops host_guest_ops;
/* A guest of the host's kind names frame n by n + host_gfn_base; 0, until a test sets it. */
extern uint64_t host_gfn_base;

/* What was asked of the machine. */
/* What another CPU does while the hypervisor flushes one: called before each flush. */
extern void (*host_on_flush)(void);
extern unsigned int host_flushes, host_cache_flushes, host_kicks, host_stops;
extern enum stop_kind host_stop_kind;
extern bool host_full_cpu; /* CPUID, MSRs and XCR0 are those of a CPU that has everything */
/* CPUID's answers, in place of host_full_cpu; NULL: not */
extern void (*host_cpuid)(uint32_t leaf, uint32_t sub, uint32_t out[4]);
#define HOST_PCI_DEVFN 0x0au                   /* of the one PCI function there is, on bus 0 */
extern unsigned int host_barriers;             /* of branch predictors, that guests asked for */
extern const char *host_hvm_lacks;             /* for full virtualization; NULL: nothing */
extern uint64_t host_hvm_xcr0;                 /* that the guest left behind; 0: no XSAVE */
extern uint64_t host_hvm_affinity;             /* where such guests may run */
extern __thread uint64_t host_hvm_debugreg[4]; /* the CPU's, while such a guest is on it */
extern void (*host_on_stop)(void); /* machine_stop() calls it; it must not return. NULL: abort() */
/* panic() calls it with what it says; it must not return. NULL: abort() */
extern void (*host_on_panic)(const char *text);
extern char host_console[65536]; /* what the UART got */
extern unsigned int host_console_len;
extern unsigned int host_console_room; /* how many bytes the UART takes now */
extern bool host_console_interrupts;   /* it is to say when it takes more   */
void host_type(const char *s);         /* the UART's input */
unsigned int host_locks_held(void);
/* Called before a lock is taken, and after it was released: what another CPU does meanwhile. */
extern void (*host_on_lock)(const spinlock_t *l, bool released);

/* The machine's interrupts: lines 0 to HOST_GSIS - 1, then messages. Line 4 is the hypervisor's
 * own. */
#define HOST_GSIS     24
#define HOST_MESSAGES 8
struct host_irq {
    struct domain *d; /* who has it; NULL: nobody */
    bool level, masked, message;
    unsigned int cpu; /* where it goes */
};
extern struct host_irq host_irq[NR_IRQS];
extern unsigned int host_mmcfg_trusted; /* windows that were vouched for */
void host_interrupt(unsigned int irq);  /* the device interrupts */

/* After host_init(): CPUs know nothing, and a switch is done at once (tests of the scheduler). */
extern bool host_no_tlbs;
/* What CPUs may still know of page tables (tlb.c): lets each vCPU's CPU learn all it can, and ends
 * the test when one knows what it must not. host_hypercall() does so after each. */
void host_tlb_check(void);
/* The CPUs of the model: by id; asked to flush; and what this_cpu() is meanwhile (NULL: itself). */
struct cpu *host_tlb_cpu(unsigned int id);
void host_tlb_kick(unsigned int id);
void host_play(struct cpu *c);
/* The frame that current's CPU knows at an address. */
bool host_tlb_lookup(gva_t va, bool write, mfn_t *out);
/* Recounts every reference and type of frames from scratch and compares: 0, or the number of frames
 * that differ (logged). (pv_invariants.c) */
unsigned int host_recount(void);

/* Recounts what core keeps: frames of the heap and of each domain, both ends of each channel, run
 * queues. Ends the test when they differ. */
void host_check_invariants(void);

/* The hypercall in v's registers, as entry does it; v is current. Issued again: rip is 2 less. */
void host_syscall(struct vcpu *v);
/* Calls hypercall nr as v, as entry does, with re-issues; the result, and how often it was issued
 * in *issues (may be NULL). */
long host_hypercall(struct vcpu *v, unsigned int nr, const uint64_t args[6], unsigned int *issues);

/* Under the memory sanitizer: ends the test when one of the bytes was never written, for then a
 * guest gets what was on the hypervisor's stack. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define HOST_MSAN
#endif
#endif
#ifdef HOST_MSAN
void __msan_check_mem_is_initialized(const volatile void *p, size_t n);
void __msan_unpoison(const volatile void *p, size_t n);
#define host_is_written(p, n)      __msan_unpoison(p, n)
#define host_must_be_written(p, n) __msan_check_mem_is_initialized(p, n)
#else
#define host_is_written(p, n)      ((void)(p), (void)(n))
#define host_must_be_written(p, n) ((void)(p), (void)(n))
#endif

#endif
