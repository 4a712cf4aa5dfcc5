/* SPDX-License-Identifier: MIT */
/*
 * platform_op: firmware. Included by platform.h.
 *
 * firmware_info: what the firmware left behind, which the control domain's kernel would have found
 * itself on bare hardware. efi_runtime_call: UEFI's services, made on its behalf.
 *
 * Parvis does not call the firmware after the start: efi_runtime_call is refused. Of UEFI's
 * information it passes on the version and the list of configuration tables, by which the control
 * domain finds ACPI (docs/abi-coverage.md).
 *
 * How a UEFI service would be asked for, since kernels try and tools show the error:
 * `function` is the service by a number of this interface, `misc` carries what is a
 * flag or an attribute there, `status` is UEFI's own answer, and the hypercall's
 * result says whether the service was called at all.
 *
 *     get_variable: name is a UCS-2 string with its 0, vendor_guid its name space, size the room
 *     in data and afterwards the length; misc the attributes. A null data with size 0 asks for
 *     the length.
 *     get_next_variable_name: name and vendor_guid hold the present one and become the next one.
 *     get_time, set_time: fields as a calendar shows them, tz minutes from UTC or 2047 for none.
 *
 * Why it is refused: a UEFI service runs with the hypervisor's privileges, in the
 * firmware's own memory map, for as long as it likes. A hypervisor that calls it
 * trusts all of the firmware for all of its life, where one that does not trusts it
 * once. The price: no change of boot entries and no access to variables from the
 * running system. The clock is read from the RTC.
 *
 * What firmware_info can tell, type by type:
 *
 *     DISK_INFO, DISK_MBR_SIGNATURE, VBEDDC_INFO, KBD_SHIFT_FLAGS
 *             what a BIOS left: asked on every machine, answered -XEN_ESRCH, "no more of them"
 *     EFI_INFO, EFI_VERSION         the revision in the system table's header
 *     EFI_INFO, EFI_CONFIG_TABLE    address and number of configuration tables
 *     EFI_INFO, others              not passed on
 *     EFI_INFO on a machine that was not started by UEFI    -XEN_ENODEV
 *
 * A kernel that finds no EFI information looks for ACPI's root at the places of old,
 * which it finds on a machine with a BIOS, and in QEMU's direct start.
 */
#ifndef XEN_PLATFORM_EFI_H
#define XEN_PLATFORM_EFI_H

#include <xen/types.h>

#define XENPF_efi_runtime_call 49

/*
 * The services, by what a kernel wants them for:
 *
 *     get_time, set_time                       the clock chip, where there is no RTC
 *     get_wakeup_time, set_wakeup_time         switching the machine on at an hour
 *     get_next_high_monotonic_count            a number that never comes twice
 *     get_variable, set_variable,
 *     get_next_variable_name,
 *     query_variable_info                      boot entries, keys of Secure Boot, crash records
 *     query_capsule_capabilities,
 *     update_capsule                           new firmware, taken over at the next start
 *
 * All are refused with -XEN_EOPNOTSUPP, so Linux as control domain registers no such
 * services: no efivars directory, no rtc-efi. Its programs say so when they are asked
 * (efibootmgr: "EFI variables are not supported on this system").
 */
#define XEN_EFI_get_time                      1
#define XEN_EFI_set_time                      2
#define XEN_EFI_get_wakeup_time               3
#define XEN_EFI_set_wakeup_time               4
#define XEN_EFI_get_next_high_monotonic_count 5
#define XEN_EFI_get_variable                  6
#define XEN_EFI_set_variable                  7
#define XEN_EFI_get_next_variable_name        8
#define XEN_EFI_query_variable_info           9
#define XEN_EFI_query_capsule_capabilities    10
#define XEN_EFI_update_capsule                11

/*
 * Bits of `misc`, by function.
 *
 * The same bit means different things to different services: the name says to which. A
 * caller sets those of its service and finds in the same word those that the service
 * answered with.
 */
#define XEN_EFI_GET_TIME_SET_CLEARS_NS      0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_ENABLED     0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_PENDING     0x00000002
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE      0x00000001
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY 0x00000002
#define XEN_EFI_VARIABLE_NON_VOLATILE       0x00000001
#define XEN_EFI_VARIABLE_BOOTSERVICE_ACCESS 0x00000002
#define XEN_EFI_VARIABLE_RUNTIME_ACCESS     0x00000004
#define XEN_EFI_VARINFO_BOOT_SNAPSHOT       0x00000001

/*
 * A calendar date: year as it is written (1998 to 9999), month and day from 1,
 * daylight a pair of bits that says whether the zone has summer time and whether it is
 * on. It is UEFI's EFI_TIME without its padding.
 */
struct xenpf_efi_time {
    uint16_t year;
    uint8_t month;
    uint8_t day;
    uint8_t hour;
    uint8_t min;
    uint8_t sec;
    uint32_t ns;
    int16_t tz; /* minutes */
    uint8_t daylight;
};

/*
 * 128 bits that name a vendor or a table; printed as
 * data1-data2-data3-data4[0..1]-data4[2..7], the first three with their bytes in the
 * machine's order.
 */
struct xenpf_efi_guid {
    uint32_t data1;
    uint16_t data2;
    uint16_t data3;
    uint8_t data4[8];
};

/*
 * Which member of the union belongs to which function is told by the names;
 * get_variable and set_variable share one layout, and the four times another. Handles
 * are in the caller's memory; sg_list, the list of a capsule's pieces, holds machine
 * addresses.
 */
struct xenpf_efi_runtime_call {
    uint32_t function; /* in: XEN_EFI_* */
    /* in, out: by function */
    uint32_t misc;
    xen_ulong_t status; /* out: EFI_STATUS */
    union {
        struct {
            struct xenpf_efi_time time;
            uint32_t resolution;
            uint32_t accuracy;
        } get_time;
        struct xenpf_efi_time set_time;
        struct xenpf_efi_time get_wakeup_time;
        struct xenpf_efi_time set_wakeup_time;
        struct {
            xen_guest_handle_t name; /* UCS-2 */
            xen_ulong_t size;
            xen_guest_handle_t data;
            struct xenpf_efi_guid vendor_guid;
        } get_variable, set_variable;
        struct {
            xen_ulong_t size;
            xen_guest_handle_t name;
            struct xenpf_efi_guid vendor_guid;
        } get_next_variable_name;
        struct {
            uint32_t attr;
            uint64_t max_store_size;
            uint64_t remain_store_size;
            uint64_t max_size;
        } query_variable_info;
        struct {
            xen_guest_handle_t capsule_header_array;
            xen_ulong_t capsule_count;
            uint64_t max_capsule_size;
            uint32_t reset_type;
        } query_capsule_capabilities;
        struct {
            xen_guest_handle_t capsule_header_array;
            xen_ulong_t capsule_count;
            uint64_t sg_list; /* machine address */
        } update_capsule;
    } u;
};
typedef struct xenpf_efi_runtime_call xenpf_efi_runtime_call_t;

/*
 * firmware_info: type and index say what. -XEN_ESRCH: no such index (the end of a list of disks);
 * -XEN_ENODEV the firmware is of the other kind; -XEN_EINVAL unknown type.
 *
 * `index` counts within a type: disks from 0 on until -XEN_ESRCH, kinds of EFI
 * information by their number. The caller asks for what its kernel would have read
 * from the zero page of its boot loader.
 */
#define XENPF_firmware_info 50

/*
 * EFI_CONFIG_TABLE is the one that matters: the kernel walks nent entries of 24 bytes
 * (a GUID and an address) at machine address addr, which it maps like any memory that
 * is not RAM, and finds ACPI's root pointer, the SMBIOS tables, and what else firmware
 * has put there.
 *
 * EFI_MEM_INFO would answer for one address with the piece of UEFI's memory map that
 * it lies in; EFI_PCI_ROM with the copy of a card's ROM that the firmware kept, as
 * some cards have it nowhere else; APPLE_PROPERTIES with what such machines' firmware
 * says of its devices.
 */
#define XEN_FW_DISK_INFO          1 /* BIOS: a disk's EDD data */
#define XEN_FW_DISK_MBR_SIGNATURE 2 /* BIOS: bytes 440-443 of a disk */
#define XEN_FW_VBEDDC_INFO        3 /* BIOS: the screen's EDID */
#define XEN_FW_EFI_INFO           4 /* UEFI, by index: */

/*
 * VENDOR would be the firmware's maker as text; RT_VERSION tells which services a
 * kernel may use at all.
 */
#define XEN_FW_EFI_VERSION          0
#define XEN_FW_EFI_CONFIG_TABLE     1
#define XEN_FW_EFI_VENDOR           2
#define XEN_FW_EFI_MEM_INFO         3
#define XEN_FW_EFI_RT_VERSION       4
#define XEN_FW_EFI_PCI_ROM          5
#define XEN_FW_EFI_APPLE_PROPERTIES 6
#define XEN_FW_KBD_SHIFT_FLAGS      5 /* BIOS: state of the shift keys */

/*
 * In vendor, mem and pci_rom some fields are questions and the rest answers: bufsz is
 * the room in name; addr is an address in the range that is asked for; the five of
 * pci_rom name the function. All else is written by the hypervisor.
 */
struct xenpf_firmware_info {
    uint32_t type;  /* in: XEN_FW_* */
    uint32_t index; /* in */
    union {         /* out, but for buffers and their sizes */
        struct {
            uint8_t device; /* BIOS drive number */
            uint8_t version;
            uint16_t interface_support;
            uint16_t legacy_max_cylinder;
            uint8_t legacy_max_head;
            uint8_t legacy_sectors_per_track;
            /* its first word is the size */
            xen_guest_handle_t edd_params;
        } disk_info;
        struct {
            uint8_t device;
            uint32_t mbr_signature;
        } disk_mbr_signature;
        struct {
            uint8_t capabilities;
            uint8_t edid_transfer_time;
            xen_guest_handle_t edid; /* uint8_t[128] */
        } vbeddc_info;
        union xenpf_efi_info {
            /* EFI_VERSION, RT_VERSION */
            uint32_t version;
            struct {
                uint64_t addr;
                uint32_t nent;
            } cfg; /* CONFIG_TABLE */
            struct {
                uint32_t revision;
                uint32_t bufsz;          /* in */
                xen_guest_handle_t name; /* UCS-2 */
            } vendor;
            struct {
                uint64_t addr; /* in */
                uint64_t size;
                uint64_t attr;
                uint32_t type;
            } mem;
            struct {
                /* in, as the next four */
                uint16_t segment;
                uint8_t bus;
                uint8_t devfn;
                uint16_t vendor;
                uint16_t devid;
                uint64_t address;
                xen_ulong_t size;
            } pci_rom;
            struct {
                uint64_t address;
                xen_ulong_t size;
            } apple_properties;
        } efi_info;
        uint8_t kbd_shift_flags;
    } u;
};
typedef struct xenpf_firmware_info xenpf_firmware_info_t;

#endif /* XEN_PLATFORM_EFI_H */
