/* SPDX-License-Identifier: MIT */
/*
 * The hypercall table and the way back into a hypercall that gave way.
 *
 * Each row of core/guest/hypercall_table.h becomes a table entry. All parameters are integers,
 * which the calling convention passes in registers whose upper halves a callee ignores, so the
 * handler itself is the entry; rows for the control domain get a gate in front. The table is
 * checked when it is compiled: a number used twice, a wrong count of parameters.
 *
 * Continuation: a handler that has done a part returns -XEN_ERESTART. hypercall_continuation() left
 * the arguments for the rest; without it they are the same again. Re-issuing sets the guest's RIP
 * back onto the SYSCALL (2 bytes), so that whatever is pending is done in between, and the guest
 * sees nothing of it. In a multicall the entry's arguments are replaced instead. A guest may change
 * its registers and memory in between: a re-issued call checks everything again (XSA-111, XSA-296,
 * XSA-454: what comes back in the arguments is a request like any other).
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <port/current.h>
#include <xen/arch-x86/xen-mca.h>

#define SYSCALL_LENGTH 2
#define MAX_ARGS       6

/* clang-format off */
#define COUNT_(a, b, c, d, e, f, n, ...) n
#define COUNT(...) COUNT_(__VA_ARGS__, 6, 5, 4, 3, 2, 1, 0)
#define HYPERCALL(name, who, n, ...) \
    _Static_assert(COUNT(__VA_ARGS__) == (n) || (n) == 0, "hypercall_table.h: parameters of " #name);
#include <core/guest/hypercall_table.h>
#undef HYPERCALL

#define ENTRY_OF(name) ((hypercall_fn_t)(void (*)(void))do_##name)
#define GATE_HC_ANY(name)
/* All of the control domain's take one argument; another would not compile. */
#define GATE_HC_CONTROL(name)                                                                      \
    static long gate_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) \
    {                                                                                              \
        (void)b, (void)c, (void)d, (void)e, (void)f;                                               \
        if (unlikely(!current->domain->is_control))                                                \
            return refused(-XEN_EPERM, "only the control domain may call this");                   \
        return do_##name(a);                                                                       \
    }
#define HYPERCALL(name, who, n, ...) GATE_##who(name)
#include <core/guest/hypercall_table.h>
#undef HYPERCALL

static long unknown_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return refused(-XEN_ENOSYS, "there is no hypercall %u", hypercall_running(current));
}

#define ROW_HC_ANY(name) ENTRY_OF(name)
#define ROW_HC_CONTROL(name) gate_##name
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init" /* the rows override the range; two rows of one number: see names[] */
#define HYPERCALL(name, who, n, ...) [__HYPERVISOR_##name] = ROW_##who(name),
const hypercall_fn_t hypercall_table[NR_HYPERCALLS] = {
    [0 ... NR_HYPERCALLS - 1] = unknown_hypercall,
#include <core/guest/hypercall_table.h>
};
#undef HYPERCALL
#pragma GCC diagnostic pop

#define HYPERCALL(name, who, n, ...) [__HYPERVISOR_##name] = #name,
static const char *const names[NR_HYPERCALLS] = {
#include <core/guest/hypercall_table.h>
};
#undef HYPERCALL
/* clang-format on */

const char *hypercall_name(unsigned int nr)
{
    return nr < NR_HYPERCALLS && names[nr] ? names[nr] : "unknown hypercall";
}

bool hypercall_slice_used(struct cpu *c)
{
    s_time_t now = clock_now();

    if (unlikely(c->slice_end == 0)) {
        c->slice_end = now + HYPERCALL_SLICE;
        return false;
    }
    return now > c->slice_end;
}

long hypercall_continuation(unsigned int n, ...)
{
    struct vcpu *v = current;
    va_list ap;

    BUG_ON(n > MAX_ARGS);
    va_start(ap, n);
    for (unsigned int i = 0; i < n; i++)
        v->hc_args[i] = va_arg(ap, uint64_t);
    va_end(ap);
    v->hc_nr_args = (uint8_t)n;
    v->continuation = true;
    return -XEN_ERESTART;
}

/* iret gives the guest's RAX, get_debugreg a value of the guest's: any number, and no error. */
bool hypercall_gave_way(const struct vcpu *v, long rc)
{
    return rc == -XEN_ERESTART && v->hc_nr != __HYPERVISOR_iret &&
           v->hc_nr != __HYPERVISOR_get_debugreg;
}

void hypercall_reissue(struct vcpu *v)
{
    uint64_t *const reg[MAX_ARGS] = {&v->regs.rdi, &v->regs.rsi, &v->regs.rdx,
                                     &v->regs.r10, &v->regs.r8,  &v->regs.r9};

    if (!hypercall_gave_way(v, -XEN_ERESTART)) {
        v->regs.rax = (uint64_t)-XEN_ERESTART;
        return;
    }
    if (v->continuation)
        for (unsigned int i = 0; i < v->hc_nr_args; i++)
            *reg[i] = v->hc_args[i];
    v->continuation = false;
    v->regs.rax = v->hc_nr;
    v->regs.rip -= SYSCALL_LENGTH;
    this_cpu()->slice_end = 0;
}

void hypercall_dispatch(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->regs;
    unsigned int nr = (unsigned int)r->rax;
    long rc;

    v->hc_nr = nr;
    this_cpu()->slice_end = 0;
    if (likely(nr < NR_HYPERCALLS))
        rc = hypercall_table[nr](r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
    else
        rc = -XEN_ENOSYS;
    if (unlikely(rc == -XEN_ERESTART))
        hypercall_reissue(v);
    else
        r->rax = (uint64_t)rc;
}
