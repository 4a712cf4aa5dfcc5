/* SPDX-License-Identifier: MIT */
/*
 * What other programs write into domain XML: see config_policy.h. parvis-domain(5) has all of it.
 *
 * Who looks for a word of libvirt's format finds it here, in the schema, or nowhere: then it is
 * refused as not known.
 */
#include <stddef.h>

#include "config_policy.h"

#define NO_FRAMEBUFFER "there is no framebuffer: use the console"
#define NO_DEVICE      "there is no such device; the guest starts without it"
#define OWN_CPU        "a guest sees the machine's CPU"
#define OWN_MEMORY     "a guest's memory is its own, of small pages, on the one node"
#define NO_EMULATOR    "nothing emulates devices"
#define DISK_CACHE     "a disk is read and written directly"
#define NO_LABELS      "there are no security labels"
#define NO_PC          "a guest is no PC, and has none of it"
#define NO_BURST       "a limit holds at all times, there is no burst above it"
#define ISOLATION      "the interface would not be as separate from others as that asks"

/* clang-format off */
const struct rule config_domain_rules[] = {
    {"resource|genid", NULL, NULL, SILENT, NULL},
    {"vcpu", NULL, "placement", SILENT, NULL},
    {"vcpus", "elements", NULL, SILENT, NULL}, /* libvirt's list of what <vcpu> says; with a number in it, it is a mistake */
    {"cpu", NULL, NULL, NOTE, OWN_CPU},
    {"maxMemory|memoryBacking|memtune|numatune", NULL, NULL, NOTE, OWN_MEMORY},
    {"memory|currentMemory", NULL, "dumpCore|slots", SILENT, NULL},
    {"blkiotune|iothreads|iothreadids|defaultiothread", NULL, NULL, NOTE, "the back ends' threads are the kernel's"},
    {"sysinfo|pm|perf|on_lockfailure", NULL, NULL, NOTE, NO_PC},
    {"idmap", NULL, NULL, NOTE, "it is of containers"},
    {"bootloader_args", NULL, NULL, NOTE, "GRUB's menu is on the guest's disk"},
    {"keywrap|launchSecurity", NULL, NULL, REFUSE, "memory is not encrypted"},
    {"cputune/emulatorpin|iothreadpin|vcpusched|iothreadsched|emulatorsched|cachetune|memorytune|emulator_period|emulator_quota|iothread_period|iothread_quota",
     NULL, NULL, NOTE, NO_EMULATOR},
    {"cputune/period|quota", NULL, NULL, NOTE, "a cap is of all vCPUs together: <global_quota>"},
    {"os/boot|bootmenu|bios|smbios|acpi|bootdev", NULL, NULL, NOTE, NO_PC},
    {"os/loader|nvram|init|initarg|initenv|initdir|inituser|initgroup|dtb|firmware", NULL, NULL, REFUSE, "a guest begins with <kernel>, or with GRUB on its disk"},
    {"features/xen/e820_host", NULL, NULL, NOTE, "a guest has no part of the machine's memory map"},
    {"features/xen/passthrough", "state=on", NULL, REFUSE, "no device of the machine is given to a guest"},
    {"features/xen/passthrough", NULL, NULL, SILENT, NULL},
    {"features/acpi|apic|pae", NULL, "eoi|state", SILENT, NULL},
    {"features/hap|viridian|hyperv|kvm|pvspinlock|pmu|vmport|smm|ioapic|hpt|vmcoreinfo|msrs|tcg|privnet|gic|ras|capabilities|async-teardown|htm|nested-hv|ccf-assist|ps2",
     NULL, NULL, NOTE, "it is of other hypervisors, or of guests that begin with firmware"},
    {"clock", "offset=localtime|timezone|variable|absolute", NULL, REFUSE, "a guest's clock is UTC: offset='utc'; the guest has its time zone"},
    {"clock", NULL, "adjustment|basis|timezone|start", SILENT, NULL},
    {"clock/timer", NULL, NULL, NOTE, "a guest's time is Xen's"},
    {"seclabel", "type=none", NULL, SILENT, NULL},
    {"seclabel", NULL, NULL, NOTE, NO_LABELS},
    {NULL, NULL, NULL, SILENT, NULL},
};

const struct rule config_device_rules[] = {
    /* each device */
    {"devices/disk|interface|console|serial|controller|input|memballoon/alias|address", NULL, NULL, SILENT, NULL},
    {"devices/disk|interface|console|serial|controller|input|memballoon/acpi", NULL, NULL, SILENT, NULL},

    /* disks */
    {"devices/disk", "type=network", NULL, REFUSE, "the disk is not in this machine: a file, or a block device"},
    {"devices/disk", "type=dir|volume|nvme|vhostuser|vhostvdpa", NULL, REFUSE, "only libvirt or an emulator knows where it is: a file, or a block device"},
    {"devices/disk", "device=floppy|lun", NULL, REFUSE, "disks and cdroms only"},
    {"devices/disk", "rawio=yes", NULL, REFUSE, "a guest sends a disk no commands but to read and write"},
    {"devices/disk", NULL, "rawio|sgio|snapshot|model", SILENT, NULL},
    {"devices/disk/backenddomain", NULL, NULL, REFUSE, "back ends are in the control domain"},
    {"devices/disk/transient", NULL, NULL, REFUSE, "what the guest writes stays"},
    {"devices/disk/encryption|auth", NULL, NULL, REFUSE, "disks are not decrypted, nor asked for over a network"},
    {"devices/disk/script", NULL, NULL, REFUSE, "scripts are not run"},
    {"devices/disk/driver", "type=qcow|qcow2|qed|vdi|vmdk|vpc|vhd|vhdx|cow|dmg|bochs|cloop|luks|ploop|fat|iso|dir", NULL, REFUSE,
     "images are raw: `qemu-img convert -O raw` makes one"},
    {"devices/disk/driver", NULL, "cache|io|discard|detect_zeroes|error_policy|rerror_policy|ioeventfd|event_idx|copy_on_read|iothread|queues|queue_size|iommu|ats|packed|page_per_vq|discard_no_unref|metadata_cache",
     NOTE, DISK_CACHE},
    {"devices/disk/driver/metadata_cache|iothreads|statistics", NULL, NULL, NOTE, DISK_CACHE},
    {"devices/disk/source", NULL, "index|startupPolicy", SILENT, NULL},
    {"devices/disk/source/seclabel", NULL, NULL, NOTE, NO_LABELS},
    {"devices/disk/source/encryption|auth", NULL, NULL, REFUSE, "disks are not decrypted, nor asked for over a network"},
    {"devices/disk/source/slices|reservations|cookies|ssl|readahead|timeout", NULL, NULL, REFUSE, "a disk is the whole of its file or block device"},
    {"devices/disk/target", "bus!=xen", "bus", NOTE, "it is a Xen disk all the same"},
    {"devices/disk/target", NULL, "tray|removable|rotation_rate", SILENT, NULL},
    {"devices/disk/backingStore|boot|mirror", NULL, NULL, SILENT, NULL},
    {"devices/disk/blockio|geometry|serial|wwn|vendor|product", NULL, NULL, NOTE, "a Xen disk has blocks of 512 bytes, and no label"},
    {"devices/disk/iotune/total_bytes_sec|total_iops_sec", NULL, NULL, REFUSE, "reading and writing have a limit each: read_ and write_, not total_"},
    {"devices/disk/iotune/total_bytes_sec_max|read_bytes_sec_max|write_bytes_sec_max|total_iops_sec_max|read_iops_sec_max|write_iops_sec_max", NULL, NULL, REFUSE, NO_BURST},
    {"devices/disk/iotune/total_bytes_sec_max_length|read_bytes_sec_max_length|write_bytes_sec_max_length|total_iops_sec_max_length|read_iops_sec_max_length|write_iops_sec_max_length",
     NULL, NULL, REFUSE, NO_BURST},
    {"devices/disk/iotune/size_iops_sec", NULL, NULL, REFUSE, "a request counts as one, whatever its size"},
    {"devices/disk/iotune/group_name", NULL, NULL, REFUSE, "each disk has its limit for itself"},

    /* interfaces */
    {"devices/interface", "type=user|direct|internal|hostdev|udp|server|client|mcast|vhostuser|vdpa|null|vds", NULL, REFUSE,
     "an interface is on a bridge of the control domain, type='bridge', or alone in it, type='ethernet'"},
    {"devices/interface", NULL, "managed|trustGuestRxFilters", SILENT, NULL},
    {"devices/interface/backenddomain", NULL, NULL, REFUSE, "back ends are in the control domain"},
    {"devices/interface/filterref|vlan|virtualport|port", NULL, NULL, REFUSE, ISOLATION},
    {"devices/interface/link", "state=down", NULL, REFUSE, "an interface is up"},
    {"devices/interface/link", NULL, NULL, SILENT, NULL},
    {"devices/interface/mac", NULL, "type|check", SILENT, NULL},
    {"devices/interface/source", NULL, "network|portid|portgroup|dev|mode", SILENT, NULL},
    {"devices/interface/target", NULL, "managed", SILENT, NULL},
    {"devices/interface/model", "type=netfront", NULL, SILENT, NULL},
    {"devices/interface/model", NULL, NULL, NOTE, "it is a Xen interface all the same"},
    {"devices/interface/driver|coalesce|tune|backend|rom|guest|mtu|teaming", NULL, NULL, NOTE, "the front and back end decide on it"},
    {"devices/interface/boot", NULL, NULL, SILENT, NULL},
    {"devices/interface/route", NULL, NULL, NOTE, "a guest sets its routes"},
    {"devices/interface/ip", NULL, "family|prefix|peer", SILENT, NULL},
    {"devices/interface/bandwidth/inbound", NULL, NULL, NOTE, "what a guest is sent has no limit: <outbound> is of what it sends"},
    {"devices/interface/bandwidth/outbound", NULL, "peak|burst|floor", NOTE, "the average alone counts"},

    /* the console */
    {"devices/console", NULL, "tty", SILENT, NULL},
    {"devices/console|serial/source|log|protocol", NULL, NULL, SILENT, NULL},
    {"devices/console", "type!=pty", NULL, NOTE, "`pvctl console` has the console, whatever is asked for"},
    {"devices/serial", "type!=pty", NULL, NOTE, "`pvctl console` has the console, whatever is asked for"},
    {"devices/serial/target", NULL, "type", SILENT, NULL},
    {"devices/serial/target/model", NULL, NULL, SILENT, NULL},
    {"devices/channel|parallel", NULL, NULL, NOTE, NO_DEVICE},

    /* the rest */
    {"devices/graphics|video", NULL, NULL, NOTE, NO_FRAMEBUFFER},
    {"devices/input", "bus!=xen", NULL, NOTE, NO_FRAMEBUFFER},
    {"devices/input", "type=tablet|passthrough|evdev", NULL, NOTE, NO_FRAMEBUFFER},
    {"devices/input", NULL, "model", SILENT, NULL},
    {"devices/input/driver", NULL, NULL, SILENT, NULL},
    {"devices/controller", "type!=xenbus", NULL, NOTE, "there are no controllers"},
    {"devices/controller", NULL, "index|model", SILENT, NULL},
    {"devices/memballoon", "model=none|virtio|virtio-transitional|virtio-non-transitional", NULL, NOTE, "a guest's balloon is Xen's"},
    {"devices/memballoon", NULL, "autodeflate|freePageReporting", SILENT, NULL},
    {"devices/memballoon/stats|driver", NULL, NULL, SILENT, NULL},
    {"devices/rng", NULL, NULL, NOTE, "a guest's randomness is its CPU's"},
    {"devices/sound|audio|watchdog|panic|hub|redirdev|redirfilter|smartcard|crypto|pstore", NULL, NULL, NOTE, NO_DEVICE},
    {"devices/hostdev", NULL, NULL, REFUSE, "no device of the machine is given to a guest"},
    {"devices/filesystem", NULL, NULL, REFUSE, "no directory is shared with a guest: give it a disk, or a network"},
    {"devices/tpm", NULL, NULL, REFUSE, "there is no TPM for a guest"},
    {"devices/memory|shmem|lease|vsock|iommu|nvram", NULL, NULL, REFUSE, "there is no such device"},
    {NULL, NULL, NULL, SILENT, NULL},
};
/* clang-format on */
