/* SPDX-License-Identifier: MIT */
/*
 * mmuext_op: a batch of operations on page tables as a whole: pins, base tables, flushes, the LDT,
 * clearing and copying frames.
 *
 * One function an operation, one row of the table each. An operation that is pre-empted is issued
 * again as it was: what it had done is kept in the frame (page_type.c).
 */
#include <port/nospec.h>
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <parvis/string.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

struct mmuext {
    struct vcpu *v;
    struct domain *pg_owner; /* of the frames that are named */
};

static int op_pin(struct mmuext *m, const struct mmuext_op *op)
{
    return pv_pin_table(m->pg_owner, MFN(op->arg1.mfn),
                        table_type(op->cmd - MMUEXT_PIN_L1_TABLE + 1));
}

static int op_unpin(struct mmuext *m, const struct mmuext_op *op)
{
    return pv_unpin_table(m->pg_owner, MFN(op->arg1.mfn));
}

static int op_new_baseptr(struct mmuext *m, const struct mmuext_op *op)
{
    return pv_new_kernel_table(m->v, MFN(op->arg1.mfn));
}

static int op_new_user_baseptr(struct mmuext *m, const struct mmuext_op *op)
{
    return pv_new_user_table(m->v, MFN(op->arg1.mfn));
}

static int op_flush_local(struct mmuext *m, const struct mmuext_op *op __unused)
{
    pv_flush_local(m->v, false, 0);
    return 0;
}

static int op_invlpg_local(struct mmuext *m, const struct mmuext_op *op)
{
    pv_flush_local(m->v, true, op->arg1.linear_addr);
    return 0;
}

/* ABI: a set that cannot be read is -EINVAL here. */
static int op_flush_multi(struct mmuext *m, const struct mmuext_op *op)
{
    return pv_flush_vcpus(m->v, op->arg2.vcpumask, false, 0) ? -XEN_EINVAL : 0;
}

static int op_invlpg_multi(struct mmuext *m, const struct mmuext_op *op)
{
    return pv_flush_vcpus(m->v, op->arg2.vcpumask, true, op->arg1.linear_addr) ? -XEN_EINVAL : 0;
}

static int op_flush_all(struct mmuext *m, const struct mmuext_op *op __unused)
{
    pv_flush_cpus(m->v, ALL_CPUS, false, 0);
    return 0;
}

static int op_invlpg_all(struct mmuext *m, const struct mmuext_op *op)
{
    pv_flush_cpus(m->v, ALL_CPUS, true, op->arg1.linear_addr);
    return 0;
}

/* Only who has device memory can have a use for it; for others it would be a way to slow everyone
 * down. */
static int op_flush_cache(struct mmuext *m, const struct mmuext_op *op)
{
    if (!m->v->domain->is_control)
        return op->cmd == MMUEXT_FLUSH_CACHE ? -XEN_EACCES : -XEN_EINVAL;
    flush_cache_all();
    return 0;
}

static int op_set_ldt(struct mmuext *m, const struct mmuext_op *op)
{
    unsigned int entries = op->arg2.nr_ents;
    gva_t base = entries ? op->arg1.linear_addr : 0;

    if ((base & ~PAGE_MASK) || !pv_addr_ok(base) || entries > 8192)
        return refused(-XEN_EINVAL, "SET_LDT: %u entries at %#lx", entries, base);
    if (m->v->arch.pv.ldt_ents != entries || m->v->arch.pv.ldt_base != base)
        pv_set_ldt(m->v, base, entries);
    return 0;
}

/* The frame with a general and a writable reference, or NULL. */
static struct page_info *get_writable(struct mmuext *m, uint64_t number)
{
    mfn_t mfn = pv_frame_of(m->pg_owner, number);
    struct page_info *pg = mfn_valid(mfn) ? mfn_to_page_nospec(mfn) : NULL;

    if (pg && get_page_and_writable(pg, m->pg_owner))
        return pg;
    refused(0, "clear or copy: frame %#lx is not d%u's to write", number, m->pg_owner->domain_id);
    return NULL;
}

static int op_clear_page(struct mmuext *m, const struct mmuext_op *op)
{
    struct page_info *pg = get_writable(m, op->arg1.mfn);
    void *page;

    if (!pg)
        return -XEN_EINVAL;
    page = map_guest_frame(m->pg_owner, page_to_mfn(pg));
    memset(page, 0, PAGE_SIZE);
    unmap_guest_frame(m->pg_owner, page);
    put_page_and_type(pg);
    return 0;
}

static int op_copy_page(struct mmuext *m, const struct mmuext_op *op)
{
    mfn_t source = pv_frame_of(m->pg_owner, op->arg2.src_mfn);
    struct page_info *from = get_page_from_mfn(source, m->pg_owner), *to;
    void *page;

    if (!from)
        return refused(-XEN_EINVAL, "COPY_PAGE: %#lx is not a frame of d%u", op->arg2.src_mfn,
                       m->pg_owner->domain_id);
    to = get_writable(m, op->arg1.mfn);
    if (!to) {
        put_page(from);
        return -XEN_EINVAL;
    }
    if (to != from) {
        page = map_guest_frame(m->pg_owner, page_to_mfn(to));
        memcpy(page, read_frame(page_to_mfn(from)), PAGE_SIZE);
        unmap_guest_frame(m->pg_owner, page);
    }
    put_page_and_type(to);
    put_page(from);
    return 0;
}

/* XSA-167: superpages do not exist here; nothing is looked at. */
static int op_superpage(struct mmuext *m __unused, const struct mmuext_op *op __unused)
{
    return -XEN_EOPNOTSUPP;
}

/* clang-format off */
static const struct {
    int (*handler)(struct mmuext *, const struct mmuext_op *);
    bool foreign; /* may be done for another domain's frames */
} ops[] = {
    [MMUEXT_PIN_L1_TABLE]       = { op_pin, true },
    [MMUEXT_PIN_L2_TABLE]       = { op_pin, true },
    [MMUEXT_PIN_L3_TABLE]       = { op_pin, true },
    [MMUEXT_PIN_L4_TABLE]       = { op_pin, true },
    [MMUEXT_UNPIN_TABLE]        = { op_unpin, true },
    [MMUEXT_NEW_BASEPTR]        = { op_new_baseptr, false },
    [MMUEXT_TLB_FLUSH_LOCAL]    = { op_flush_local, false },
    [MMUEXT_INVLPG_LOCAL]       = { op_invlpg_local, false },
    [MMUEXT_TLB_FLUSH_MULTI]    = { op_flush_multi, false },
    [MMUEXT_INVLPG_MULTI]       = { op_invlpg_multi, false },
    [MMUEXT_TLB_FLUSH_ALL]      = { op_flush_all, false },
    [MMUEXT_INVLPG_ALL]         = { op_invlpg_all, false },
    [MMUEXT_FLUSH_CACHE]        = { op_flush_cache, false },
    [MMUEXT_SET_LDT]            = { op_set_ldt, false },
    [MMUEXT_NEW_USER_BASEPTR]   = { op_new_user_baseptr, false },
    [MMUEXT_CLEAR_PAGE]         = { op_clear_page, true },
    [MMUEXT_COPY_PAGE]          = { op_copy_page, true },
    [MMUEXT_FLUSH_CACHE_GLOBAL] = { op_flush_cache, false },
    [MMUEXT_MARK_SUPER]         = { op_superpage, true },
    [MMUEXT_UNMARK_SUPER]       = { op_superpage, true },
};
/* clang-format on */

static __inlined int do_op(struct mmuext *m, const struct mmuext_op *op)
{
    uint64_t cmd = index_nospec(op->cmd, ARRAY_SIZE(ops));

    if (unlikely(op->cmd >= ARRAY_SIZE(ops) || !ops[cmd].handler))
        return -XEN_ENOSYS;
    if (unlikely(m->pg_owner != m->v->domain) && !ops[cmd].foreign)
        return -XEN_EPERM;
    return ops[cmd].handler(m, op);
}

/* Inline twice: it is each of the two. Advances both as far as it comes. */
static __inlined int run_ops(struct mmuext *m, gva_t *uops, unsigned int *left)
{
    struct mmuext_op op __uninitialized;
    int rc;

    while (*left) {
        if (copy_from_guest(&op, *uops, sizeof(op)))
            return -XEN_EFAULT;
        rc = do_op(m, &op);
        if (unlikely(rc))
            return rc;
        *uops += sizeof(op);
        if (--*left && (m->v->arch.pv.old_guest_table[0].n || hypercall_preempt_check_step()))
            return -XEN_ERESTART;
    }
    return 0;
}

static __noinline long run_many(struct vcpu *v, gva_t uops, unsigned int count, gva_t pdone,
                                unsigned int foreigndom)
{
    struct mmuext m = {.v = v};
    unsigned int left, done = 0;
    long rc;

    if (unlikely(pv_finish_old_table(v)))
        return hypercall_create_continuation(uops, count, pdone, foreigndom);
    /* As in mmu_update: all done, the result travels in foreigndom. */
    if (unlikely(count == MMU_UPDATE_PREEMPTED && !uops))
        return (int)foreigndom;
    if (unlikely(count & MMU_UPDATE_PREEMPTED)) {
        count &= ~MMU_UPDATE_PREEMPTED;
        if (pdone && copy_from_guest(&done, pdone, sizeof(done)))
            done = 0;
    }
    if (unlikely(!guest_range_ok(uops, (uint64_t)count * sizeof(struct mmuext_op))))
        return -XEN_EFAULT;
    rc = get_pg_owner((domid_t)foreigndom, &m.pg_owner);
    if (unlikely(rc))
        return rc;
    left = count;
    if (unlikely(m.pg_owner == dom_io && !v->domain->is_control))
        rc = -XEN_EPERM;
    else
        rc = run_ops(&m, &uops, &left);
    put_pg_owner(m.pg_owner);

    if (pdone) {
        done += count - left;
        if (copy_to_guest(pdone, &done, sizeof(done)) && !rc)
            log_guest(v->domain, "d%u: mmuext_op cannot report how much was done",
                      v->domain->domain_id);
    }
    return mmu_conclude(v, rc, uops, left, pdone, foreigndom);
}

/* The same of what kernels mostly ask: the caller's own frames, nothing to finish, nobody who wants
 * to know how much was done. */
static __noinline long run_own(struct vcpu *v, gva_t uops, unsigned int left)
{
    struct mmuext m = {.v = v, .pg_owner = v->domain};
    int rc;

    if (left > 1 && !guest_range_ok(uops, (uint64_t)left * sizeof(struct mmuext_op)))
        return -XEN_EFAULT;
    rc = run_ops(&m, &uops, &left);
    return mmu_conclude(v, rc, uops, left, 0, DOMID_SELF);
}

long do_mmuext_op(gva_t uops, unsigned int count, gva_t pdone, unsigned int foreigndom)
{
    struct vcpu *v = current;

    if (is_plain(v, pdone, foreigndom) && likely(!(count & MMU_UPDATE_PREEMPTED)))
        return run_own(v, uops, count);
    return run_many(v, uops, count, pdone, foreigndom);
}
