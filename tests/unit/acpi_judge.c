/* SPDX-License-Identifier: MIT */
/*
 * The judge of ACPI tables: see acpi_judge.h. Structures after the specification's tables 5-3
 * (RSDP), 5-4 (header), 5-9 (FADT), 5-12 (FACS), 5-19 (MADT).
 */
#include "acpi_judge.h"

#include <stddef.h>
#include <string.h>

#include "judge_rule.h"

#define PACKED __attribute__((packed))

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt, length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} PACKED;

struct header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} PACKED;

struct address {
    uint8_t space, width, offset, access;
    uint64_t address;
} PACKED;

struct fadt {
    struct header h;
    uint32_t facs, dsdt;
    uint8_t reserved1, profile;
    uint16_t sci;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate;
    uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst;
    uint16_t c2, c3, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t boot_arch;
    uint8_t reserved2;
    uint32_t flags;
    struct address reset;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor;
    uint64_t x_facs, x_dsdt;
    struct address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0;
    struct address x_gpe1, sleep_control, sleep_status;
    uint64_t hypervisor;
} PACKED;

struct madt {
    struct header h;
    uint32_t lapic, flags;
} PACKED;

struct view {
    const uint8_t *bytes;
    uint64_t size, paddr;
};

static uint8_t sum(const void *at, uint64_t size)
{
    const uint8_t *b = at;
    uint8_t total = 0;

    while (size--)
        total = (uint8_t)(total + *b++);
    return total;
}

static const void *at_address(const struct view *v, uint64_t paddr, uint64_t size)
{
    if (paddr < v->paddr || paddr - v->paddr > v->size || size > v->size - (paddr - v->paddr))
        return NULL;
    return v->bytes + (paddr - v->paddr);
}

/* A table as a whole, with a sum of 0; NULL: it is none of that signature. */
static const void *table_at(const struct view *v, uint64_t paddr, const char *signature,
                            uint32_t least)
{
    const struct header *h = at_address(v, paddr, sizeof(*h));

    if (!h || memcmp(h->signature, signature, 4) != 0 || h->length < least ||
        !at_address(v, paddr, h->length) || sum(h, h->length) != 0)
        return NULL;
    return h;
}

static const struct header *xsdt_of(const struct view *v)
{
    const struct rsdp *r = at_address(v, v->paddr, sizeof(*r));

    if (!r || memcmp(r->signature, "RSD PTR ", 8) != 0 || r->revision < 2 || r->length != 36 ||
        sum(r, 20) != 0 || sum(r, 36) != 0)
        return NULL;
    return table_at(v, r->xsdt, "XSDT", sizeof(struct header) + 8);
}

static const void *listed(const struct view *v, const char *signature, uint32_t least)
{
    const struct header *xsdt = xsdt_of(v);
    const void *found = NULL;

    for (uint32_t at = sizeof(*xsdt); xsdt && at + 8 <= xsdt->length && !found; at += 8) {
        uint64_t paddr;

        memcpy(&paddr, (const uint8_t *)xsdt + at, 8);
        found = table_at(v, paddr, signature, least);
    }
    return found;
}

static int is_port(const struct address *a, uint64_t port, uint8_t width)
{
    return a->space == 1 && a->width == width && a->offset == 0 && a->address == port;
}

static const char *check_fadt(const struct fadt *f)
{
    static const struct address none;

    RULE(f->sci == 9, "FADT: SCI");
    RULE(f->smi_cmd == 0, "FADT: an SMI command");
    RULE(f->pm1a_evt == 0x600 && f->pm1_evt_len == 4, "FADT: PM1a event block");
    RULE(f->pm1a_cnt == 0x604 && f->pm1_cnt_len == 2, "FADT: PM1a control block");
    RULE(f->pm_tmr == 0x608 && f->pm_tmr_len == 4, "FADT: PM timer");
    RULE(is_port(&f->x_pm1a_evt, 0x600, 32), "FADT: X_PM1a_EVT_BLK");
    RULE(is_port(&f->x_pm1a_cnt, 0x604, 16), "FADT: X_PM1a_CNT_BLK");
    RULE(is_port(&f->x_pm_tmr, 0x608, 32), "FADT: X_PM_TMR_BLK");
    RULE(!f->pm1b_evt && !f->pm1b_cnt && !f->pm2_cnt && !f->gpe0 && !f->gpe1 && !f->pm2_cnt_len &&
             !f->gpe0_len && !f->gpe1_len,
         "FADT: registers that are not there");
    RULE(memcmp(&f->x_pm1b_evt, &none, sizeof(none)) == 0, "FADT: X_PM1b_EVT_BLK");
    RULE(memcmp(&f->x_gpe0, &none, sizeof(none)) == 0, "FADT: X_GPE0_BLK");
    RULE(f->c2 > 100 && f->c3 > 1000, "FADT: C2 or C3");
    RULE(f->boot_arch == 0x2d, "FADT: boot architecture flags");
    RULE((f->flags & 1u << 20) == 0, "FADT: it is no hardware-reduced machine");
    RULE((f->flags & 1u << 8) == 0, "FADT: the PM timer has 24 bits");
    RULE((f->flags & 1u) && (f->flags & 4u) && (f->flags & 0x60u) == 0x60u, "FADT: flags");
    RULE((f->flags & 1u << 10) && is_port(&f->reset, 0xcf9, 8) && f->reset_value == 6,
         "FADT: reset");
    RULE(f->hypervisor == 0, "FADT: it tells of a hypervisor");
    return NULL;
}

static const char *check_facs(const struct view *v, const struct fadt *f)
{
    uint64_t paddr = f->x_facs ? f->x_facs : f->facs;
    const struct header *h = at_address(v, paddr, 64);

    RULE(h && memcmp(h->signature, "FACS", 4) == 0 && h->length == 64, "FACS: there is none");
    RULE(paddr % 64 == 0, "FACS: not aligned to 64");
    return NULL;
}

static const char *check_dsdt(const struct view *v, const struct fadt *f)
{
    static const uint8_t s5[14] = {8, '_', 'S', '5', '_', 0x12, 8, 4, 0x0a, 5, 0x0a, 5, 0, 0};
    const uint8_t *dsdt = table_at(v, f->x_dsdt, "DSDT", 36 + sizeof(s5));

    RULE(f->dsdt == f->x_dsdt, "FADT: two addresses of the DSDT");
    RULE(dsdt, "DSDT: there is none");
    RULE(memcmp(dsdt + 36, s5, sizeof(s5)) == 0, "DSDT: _S5_");
    return NULL;
}

static const char *check_madt(const struct madt *m, unsigned int nr_vcpus)
{
    const uint8_t *at = (const uint8_t *)(m + 1), *end = (const uint8_t *)m + m->h.length;
    unsigned int cpus = 0, nmis = 0;

    RULE(m->lapic == 0xfee00000, "MADT: address of the local APIC");
    RULE(m->flags == 1, "MADT: PCAT_COMPAT");
    for (; at < end; at += at[1]) {
        RULE(end - at >= 2 && at[1] >= 2 && at[1] <= end - at, "MADT: an entry is cut off");
        if (at[0] == 0) {
            RULE(at[1] == 8 && at[2] == cpus && at[3] == cpus && at[4] == 1 && !at[5] && !at[6] &&
                     !at[7],
                 "MADT: a local APIC");
            cpus++;
        } else {
            RULE(at[0] == 4 && at[1] == 6 && at[2] == 0xff && !at[3] && !at[4] && at[5] == 1,
                 "MADT: an entry that is neither local APIC nor NMI at LINT1 of all");
            nmis++;
        }
    }
    RULE(cpus == nr_vcpus, "MADT: number of vCPUs");
    RULE(nmis == 1, "MADT: number of NMIs");
    return NULL;
}

const char *check_acpi(const uint8_t *bytes, uint64_t size, uint64_t paddr, unsigned int nr_vcpus)
{
    const struct view v = {bytes, size, paddr};
    const struct header *xsdt = xsdt_of(&v);
    const struct fadt *f = listed(&v, "FACP", sizeof(*f));
    const struct madt *m = listed(&v, "APIC", sizeof(*m));
    const char *fault;

    RULE(xsdt, "RSDP, XSDT: not found, or their sum is not 0");
    RULE(xsdt->length == sizeof(*xsdt) + 16, "XSDT: not two tables");
    RULE(f && m, "FADT, MADT: not found, or their sum is not 0");
    fault = check_fadt(f);
    fault = fault ? fault : check_facs(&v, f);
    fault = fault ? fault : check_dsdt(&v, f);
    return fault ? fault : check_madt(m, nr_vcpus);
}

const uint8_t *find_acpi(const uint8_t *bytes, uint64_t size, uint64_t paddr, const char *signature,
                         uint32_t *length)
{
    const struct view v = {bytes, size, paddr};
    const struct fadt *f = listed(&v, "FACP", sizeof(*f));
    const struct header *h = NULL;

    if (strcmp(signature, "XSDT") == 0)
        h = xsdt_of(&v);
    else if (strcmp(signature, "DSDT") == 0)
        h = f ? table_at(&v, f->x_dsdt, "DSDT", sizeof(*h)) : NULL;
    else if (strcmp(signature, "FACS") == 0)
        h = f ? at_address(&v, f->facs, 64) : NULL;
    else
        h = listed(&v, signature, sizeof(*h));
    *length = h ? h->length : 0;
    return (const uint8_t *)h;
}
