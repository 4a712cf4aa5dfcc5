/* SPDX-License-Identifier: MIT */
/*
 * Guest memory on the host: a plain buffer for arguments, and, for the tests of direct paging, what
 * the current vCPU's CPU remembers (tlb.c) or finds in its page tables. A test may forbid ranges,
 * and may change memory between two copies as a hostile guest would.
 */
#include "host.h"

#include <string.h>

#include <core/state/guest_ops.h>
#include <pv/mm.h>
#include <xen/errno.h>

static char buffer[HOST_GUEST_SIZE];

bool host_walk;
gva_t host_read_only, host_read_only_end, host_fault, host_fault_end;
uint64_t host_copies;
void (*host_on_copy)(gva_t gva);

void host_guest_init(void);
void host_guest_init(void)
{
    memset(buffer, 0, sizeof(buffer));
    host_walk = false;
    host_read_only = host_read_only_end = host_fault = host_fault_end = 0;
    host_copies = 0;
    host_on_copy = NULL;
}

void *host_guest(gva_t gva)
{
    return buffer + (gva - HOST_GUEST_BASE);
}

/* A guest whose addresses go through tables of its kind; but not for the buffer. */
static bool is_elsewhere(gva_t gva)
{
    return current->domain->ops && current->domain->ops->copy &&
           !(gva >= HOST_GUEST_BASE && gva < HOST_GUEST_BASE + HOST_GUEST_SIZE);
}

bool guest_range_ok(gva_t gva, uint64_t n)
{
    uint64_t end;

    if (n == 0)
        return true;
    if (__builtin_add_overflow(gva, n - 1, &end))
        return false;
    if (end < 0x0000800000000000ull)
        return true;
    return gva >= 0xffff880000000000ull || is_elsewhere(gva);
}

/* The byte at gva for reading or writing; NULL: it faults. */
static char *walk(gva_t gva, bool write)
{
    mfn_t table = MFN(current->arch.pv.cr3 >> PAGE_SHIFT);

    if (host_tlb_lookup(gva, write, &table))
        return (char *)map_frame(table) + (gva & ~PAGE_MASK);
    for (int shift = 39;; shift -= 9) {
        uint64_t *entries, pte;

        if (table.n > max_mfn)
            return NULL;
        entries = map_frame(table);
        pte = entries[gva >> shift & 511];
        if (!(pte & PTE_PRESENT) || !(pte & PTE_USER) || (write && !(pte & PTE_RW)))
            return NULL;
        table = pte_mfn(pte);
        if (shift == 12)
            break;
    }
    return table.n > max_mfn ? NULL : (char *)map_frame(table) + (gva & ~PAGE_MASK);
}

static char *translate(gva_t gva, bool write)
{
    if (gva >= host_fault && gva < host_fault_end)
        return NULL;
    if (write && gva >= host_read_only && gva < host_read_only_end)
        return NULL;
    if (gva >= HOST_GUEST_BASE && gva < HOST_GUEST_BASE + HOST_GUEST_SIZE)
        return host_guest(gva);
    return host_walk ? walk(gva, write) : NULL;
}

/* Byte by byte, so that a fault in the middle leaves what the machine leaves. from NULL: zeros. */
static int copy(void *hv, const void *from, gva_t gva, size_t n, bool write)
{
    WRITE_ONCE(host_copies, READ_ONCE(host_copies) + 1); /* of several threads, it may miss some */
    if (host_on_copy)
        host_on_copy(gva);
    if (is_elsewhere(gva))
        return from || !write
                   ? current->domain->ops->copy(current, write ? (void *)from : hv, gva, n, write)
                   : -XEN_EFAULT;
    if (!guest_range_ok(gva, n))
        return -XEN_EFAULT;
    for (size_t i = 0; i < n; i++) {
        char *at = translate(gva + i, write);

        if (!at)
            return -XEN_EFAULT;
        if (!write)
            ((char *)hv)[i] = READ_ONCE(*at);
        else
            WRITE_ONCE(*at, from ? ((const char *)from)[i] : 0);
    }
    return 0;
}

int copy_from_guest(void *to, gva_t from, size_t n)
{
    int rc = copy(to, NULL, from, n, false);

    host_is_written(to, n); /* the guest may have its own back */
    return rc;
}

int64_t read_guest_u32(gva_t from)
{
    uint32_t value = 0;

    return copy_from_guest(&value, from, sizeof(value)) ? -XEN_EFAULT : (int64_t)value;
}

int guest_write(gva_t to, const void *from, size_t n)
{
    host_must_be_written(from, n);
    return copy(NULL, from, to, n, true);
}

int guest_write_word(gva_t to, uint64_t word)
{
    return guest_write(to, &word, sizeof(word));
}

int guest_try(gva_t at, const void *was, size_t n)
{
    const gva_t end[] = {at, at + n - 1};

    host_must_be_written(was, n);
    if (is_elsewhere(at))
        return guest_write(at, was, n);
    if (host_on_copy)
        host_on_copy(at);
    if (!guest_range_ok(at, n))
        return -XEN_EFAULT;
    for (unsigned int i = 0; i < 2; i++) {
        char *byte = translate(end[i], true);

        if (!byte)
            return -XEN_EFAULT;
        __atomic_fetch_or(byte, 0, __ATOMIC_SEQ_CST);
    }
    return 0;
}

int guest_write_zeros(gva_t to, size_t n)
{
    return copy(NULL, NULL, to, n, true);
}
