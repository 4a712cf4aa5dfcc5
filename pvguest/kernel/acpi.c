/* SPDX-License-Identifier: MIT */
/*
 * What a fully virtualized kernel reads in ACPI's tables: which APIC id each of its vCPUs has, in
 * the order in which MADT lists them. (Xen's are twice the vCPU's number.)
 *
 *   RSDP -> XSDT -> MADT
 *
 * They lie outside the memory that is the kernel's own. A table is in two pages at most.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/pagetable.h>

#define XSDT_AT      24 /* in RSDP */
#define LENGTH_AT    4  /* in each table, whose first four bytes are its name */
#define XSDT_ENTRIES 36
#define MADT_ENTRIES 44
#define ENTRY_LAPIC  0
#define LAPIC_ID_AT  3 /* in an entry, which begins with type and length */

static uint8_t ids[MOST_CPUS];
static unsigned int nr_ids;

static const uint8_t *look_at(uint64_t paddr)
{
    const unsigned long mfns[] = {paddr >> PAGE_SHIFT, (paddr >> PAGE_SHIFT) + 1};
    const uint8_t *at = map_frames(mfns, 2, PTE_KERNEL_RO | PTE_NX);

    BUG_ON(!at);
    return at + (paddr & ~PAGE_MASK);
}

static void unmap(const uint8_t *table)
{
    unmap_frames((void *)((unsigned long)table & PAGE_MASK), 2);
}

static uint32_t length(const uint8_t *table)
{
    uint32_t bytes;

    memcpy(&bytes, table + LENGTH_AT, sizeof(bytes));
    return bytes;
}

static uint64_t pointer(const uint8_t *at)
{
    uint64_t paddr;

    memcpy(&paddr, at, sizeof(paddr));
    return paddr;
}

static void read_madt(const uint8_t *madt)
{
    const uint8_t *end = madt + length(madt);

    for (const uint8_t *entry = madt + MADT_ENTRIES; entry < end && entry[1]; entry += entry[1])
        if (entry[0] == ENTRY_LAPIC && nr_ids < MOST_CPUS)
            ids[nr_ids++] = entry[LAPIC_ID_AT];
}

void acpi_init(uint64_t rsdp_paddr)
{
    const uint8_t *rsdp = look_at(rsdp_paddr), *xsdt = look_at(pointer(rsdp + XSDT_AT));

    for (uint32_t at = XSDT_ENTRIES; at < length(xsdt); at += 8) {
        const uint8_t *table = look_at(pointer(xsdt + at));

        if (!memcmp(table, "APIC", 4))
            read_madt(table);
        unmap(table);
    }
    unmap(xsdt);
    unmap(rsdp);
}

int acpi_apic_id(unsigned int vcpu)
{
    return vcpu < nr_ids ? ids[vcpu] : -XEN_ENOENT;
}
