/* SPDX-License-Identifier: MIT */
/*
 * One measured operation: a name, a function that does it n times, and, when it needs
 * something, a function that prepares it (non-zero: cannot be measured here).
 *
 * The function says whether all was done: below 0, something was refused, and a refusal would be
 * a cheap figure. REPEAT is the loop that all of them use, so that the same overhead can be taken
 * off: two instructions an iteration. ASK is such a loop of something that has a result, and its
 * value is below 0 when one of the results is; one instruction an iteration, which stays.
 */
#ifndef BENCH_H
#define BENCH_H

struct bench {
    const char *name;
    long (*op)(unsigned int n);
    int (*prepare)(void);
    unsigned int most; /* this often in all, where it takes long; 0: as often as others */
};

/* Each ends with an entry without a name. */
extern const struct bench call_rows[], cpu_rows[], event_rows[], table_rows[], root_rows[],
    exception_rows[], memory_rows[], grant_rows[], user_rows[], vcpu_rows[], domain_rows[];
/* False, and said: the command line has a word that is none of this program's. */
bool words_are_known(void);
/* Answers what the next domain asks by domain_rows, and does not return unless it cannot; it
 * ends when the store says so, as the daemon that stops a machine asks its guests. */
int answer_next_domain(void);
/* What a fully virtualized kernel does in another way: without op, not at all. */
extern const struct bench hvm_rows[];
/* Of the machine, and not of a hypervisor: measured apart from the others. */
extern const struct bench machine_rows[];

#define REPEAT(n, ...)                                                                             \
    for (unsigned int i_ = (n); i_; i_--) {                                                        \
        __VA_ARGS__;                                                                               \
    }

#define ASK(n, ...)                                                                                \
    ({                                                                                             \
        long all_ = 0;                                                                             \
        REPEAT(n, all_ |= (__VA_ARGS__));                                                          \
        all_;                                                                                      \
    })

/* From the kernel to itself, right behind: by a frame that `leave` takes. */
#define IRET(leave, to_ss, to_cs)                                                                  \
    __asm__ volatile("mov %%rsp, %%rax\n\t"                                                        \
                     "pushq %[ss]\n\t"                                                             \
                     "pushq %%rax\n\t"                                                             \
                     "pushq %[flags]\n\t"                                                          \
                     "pushq %[cs]\n\t"                                                             \
                     "pushq $1f\n\t" leave "\n"                                                    \
                     "1:"                                                                          \
                     :                                                                             \
                     : [ss] "i"(to_ss), [flags] "i"(RFLAGS_IF), [cs] "i"(to_cs),                   \
                       [entry] "i"(__HYPERVISOR_iret * 32)                                         \
                     : "rax", "rcx", "r11", "memory")

#endif
