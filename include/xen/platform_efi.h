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
 */
#ifndef XEN_PLATFORM_EFI_H
#define XEN_PLATFORM_EFI_H

#include <xen/types.h>

#define XENPF_efi_runtime_call 49
#define XEN_EFI_get_time 1
#define XEN_EFI_set_time 2
#define XEN_EFI_get_wakeup_time 3
#define XEN_EFI_set_wakeup_time 4
#define XEN_EFI_get_next_high_monotonic_count 5
#define XEN_EFI_get_variable 6
#define XEN_EFI_set_variable 7
#define XEN_EFI_get_next_variable_name 8
#define XEN_EFI_query_variable_info 9
#define XEN_EFI_query_capsule_capabilities 10
#define XEN_EFI_update_capsule 11

/* Bits of `misc`, by function. */
#define XEN_EFI_GET_TIME_SET_CLEARS_NS 0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_ENABLED 0x00000001
#define XEN_EFI_GET_WAKEUP_TIME_PENDING 0x00000002
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE 0x00000001
#define XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY 0x00000002
#define XEN_EFI_VARIABLE_NON_VOLATILE 0x00000001
#define XEN_EFI_VARIABLE_BOOTSERVICE_ACCESS 0x00000002
#define XEN_EFI_VARIABLE_RUNTIME_ACCESS 0x00000004
#define XEN_EFI_VARINFO_BOOT_SNAPSHOT 0x00000001

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

struct xenpf_efi_guid {
    uint32_t data1;
    uint16_t data2;
    uint16_t data3;
    uint8_t data4[8];
};

struct xenpf_efi_runtime_call {
    uint32_t function;  /* in: XEN_EFI_* */
    uint32_t misc;      /* in, out: by function */
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
 */
#define XENPF_firmware_info 50
#define XEN_FW_DISK_INFO 1          /* BIOS: a disk's EDD data */
#define XEN_FW_DISK_MBR_SIGNATURE 2 /* BIOS: bytes 440-443 of a disk */
#define XEN_FW_VBEDDC_INFO 3        /* BIOS: the screen's EDID */
#define XEN_FW_EFI_INFO 4           /* UEFI, by index: */
#define XEN_FW_EFI_VERSION 0
#define XEN_FW_EFI_CONFIG_TABLE 1
#define XEN_FW_EFI_VENDOR 2
#define XEN_FW_EFI_MEM_INFO 3
#define XEN_FW_EFI_RT_VERSION 4
#define XEN_FW_EFI_PCI_ROM 5
#define XEN_FW_EFI_APPLE_PROPERTIES 6
#define XEN_FW_KBD_SHIFT_FLAGS 5 /* BIOS: state of the shift keys */

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
            xen_guest_handle_t edd_params; /* its first word is the size */
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
            uint32_t version; /* EFI_VERSION, RT_VERSION */
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
                uint16_t segment; /* in, as the next four */
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
