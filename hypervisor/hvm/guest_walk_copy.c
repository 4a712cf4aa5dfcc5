/* SPDX-License-Identifier: MIT */
/*
 * Copies between the hypervisor and a fully virtualized guest's addresses, page by page: through
 * the guest's tables (hvm/guest_walk.c), then the domain's (hvm/npt.c), to a frame that is held by
 * a reference meanwhile. Who decides by what is copied decides by the copy.
 */
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <hvm/guest_walk.h>
#include <hvm/npt.h>
#include <parvis/string.h>
#include <xen/errno.h>

/* Within a page. false: there is no memory. */
static bool copy_physical(const struct domain *d, uint64_t gpa, char *hv, size_t n, bool write)
{
    struct page_info *pg = get_page_from_mfn(npt_lookup(d, GFN(gpa >> PAGE_SHIFT)), d);
    size_t offset = gpa & ~PAGE_MASK;

    if (!pg)
        return false;
    if (write) {
        char *frame = map_guest_frame(d, page_to_mfn(pg));

        memcpy(frame + offset, hv, n);
        unmap_guest_frame(d, frame);
    } else {
        memcpy(hv, (const char *)read_frame(page_to_mfn(pg)) + offset, n);
    }
    put_page(pg);
    return true;
}

int guest_walk_copy(const struct domain *d, const struct guest_paging *g, void *hv, gva_t va,
                    size_t n, uint32_t access, struct guest_walk_fault *f)
{
    for (size_t done = 0, part; done < n; done += part) {
        gva_t at = va + done;
        uint64_t gpa;

        part = MIN(n - done, PAGE_SIZE - (at & ~PAGE_MASK));
        if (!guest_walk(d, g, at, access, &gpa, f))
            return -XEN_EFAULT;
        if (!copy_physical(d, gpa, (char *)hv + done, part, access & PFEC_WRITE))
            return -XEN_ENXIO;
    }
    return 0;
}

unsigned int guest_walk_fetch(const struct domain *d, const struct guest_paging *g, gva_t va,
                              uint8_t code[X86_INSN_MAX], struct guest_walk_fault *f)
{
    unsigned int first = (unsigned int)MIN(X86_INSN_MAX, PAGE_SIZE - (va & ~PAGE_MASK));

    if (guest_walk_copy(d, g, code, va, first, PFEC_INSN, f))
        return 0;
    if (guest_walk_copy(d, g, code + first, va + first, X86_INSN_MAX - first, PFEC_INSN, f))
        return first;
    return X86_INSN_MAX;
}
