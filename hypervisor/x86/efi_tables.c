/* SPDX-License-Identifier: MIT */
/*
 * What UEFI leaves behind for the control domain: its version and its list of configuration tables
 * (ACPI, SMBIOS, ...), which is where that kernel looks for ACPI on a machine started by UEFI.
 * Firmware keeps both in memory that is reserved for good. None of its services are called.
 */
#include <core/base/log.h>
#include <parvis/string.h>
#include <port/machine.h>

#include "x86.h"

/* EFI_SYSTEM_TABLE of the UEFI specification, 64-bit: offsets of what is needed. */
#define SIGNATURE  0x5453595320494249ull /* "IBI SYST" */
#define REVISION   8
#define NR_TABLES  104
#define TABLES     112
#define TABLE_SIZE 120

static struct machine_efi efi;

void init_efi(paddr_t system_table)
{
    const uint8_t *t = system_table ? map_physical(system_table, TABLE_SIZE, 0) : NULL;
    uint64_t signature, nr;

    if (!t)
        return;
    memcpy(&signature, t, sizeof(signature));
    if (signature != SIGNATURE) {
        log_warning("UEFI: the system table is not one");
        return;
    }
    memcpy(&efi.version, t + REVISION, sizeof(efi.version));
    memcpy(&nr, t + NR_TABLES, sizeof(nr));
    memcpy(&efi.tables, t + TABLES, sizeof(efi.tables));
    efi.nr_tables = nr < 1024 ? (uint32_t)nr : 0;
}

bool machine_efi(struct machine_efi *out)
{
    *out = efi;
    return efi.version != 0;
}
