/* SPDX-License-Identifier: MIT */
/*
 * platform_op: what the control domain's kernel does for the machine as a whole: the wall clock,
 * sleep states, CPUs, symbols.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/subop.h>
#include <core/sched/vcpu_time.h>
#include <port/machine.h>
#include <xen/platform.h>

#define NSEC_PER_SEC 1000000000u

static long set_time(uint64_t secs, uint32_t nsecs, uint64_t system_time)
{
    /* Within what 64 bits of nanoseconds hold, and not in the future of this machine's clock. */
    if (nsecs >= NSEC_PER_SEC || secs >= UINT64_MAX / NSEC_PER_SEC / 2 ||
        system_time > secs * NSEC_PER_SEC + nsecs)
        return refused(-XEN_EINVAL, "settime: %lu s %u ns at %lu", (unsigned long)secs, nsecs,
                       (unsigned long)system_time);
    wallclock_set(secs * NSEC_PER_SEC + nsecs - system_time);
    return 0;
}

static long op_settime64(struct xen_platform_op *op)
{
    if (op->u.settime64.mbz)
        return -XEN_EINVAL;
    return set_time(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
}

static long op_settime32(struct xen_platform_op *op)
{
    return set_time(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
}

static long efi_info(xenpf_firmware_info_t *f)
{
    struct machine_efi efi;

    if (!machine_efi(&efi))
        return -XEN_ENODEV; /* ABI: so the kernel learns that there is no UEFI */
    switch (f->index) {
    case XEN_FW_EFI_VERSION:
        f->u.efi_info.version = efi.version;
        return 0;
    case XEN_FW_EFI_CONFIG_TABLE:
        f->u.efi_info.cfg.addr = efi.tables;
        f->u.efi_info.cfg.nent = efi.nr_tables;
        return 0;
    default:
        return refused(-XEN_EINVAL, "firmware_info: UEFI index %u is not offered", f->index);
    }
}

/* The BIOS's disk, mode and key tables belong to a real-mode start; there was none. UEFI's services
 * are not offered, its tables are. */
static long op_firmware_info(struct xen_platform_op *op)
{
    if (op->u.firmware_info.type == XEN_FW_EFI_INFO)
        return efi_info(&op->u.firmware_info);
    return refused(-XEN_ESRCH, "firmware_info: type %u is not known of this machine",
                   op->u.firmware_info.type);
}

static long op_get_cpuinfo(struct xen_platform_op *op)
{
    xenpf_pcpuinfo_t *p = &op->u.pcpu_info;

    p->max_present = machine_nr_cpus() - 1;
    p->flags = p->xen_cpuid > p->max_present ? XEN_PCPU_FLAGS_INVALID : XEN_PCPU_FLAGS_ONLINE;
    if (p->flags == XEN_PCPU_FLAGS_ONLINE) {
        p->apic_id = machine_apic_id(p->xen_cpuid);
        p->acpi_id = machine_acpi_id(p->xen_cpuid);
    }
    return 0;
}

#define SLEEP_S5 5

static long op_enter_acpi_sleep(struct xen_platform_op *op)
{
    const xenpf_enter_acpi_sleep_t *s = &op->u.enter_acpi_sleep;

    if (s->flags || s->sleep_state != SLEEP_S5)
        return refused(-XEN_EOPNOTSUPP, "enter_acpi_sleep: S%u; only S5 (off) is offered",
                       s->sleep_state);
    machine_stop(STOP_POWEROFF);
}

static long op_platform_quirk(struct xen_platform_op *op)
{
    log_info("the control domain reports platform quirk %u", op->u.platform_quirk.quirk_id);
    return 0;
}

/* ABI: as where firmware has no services once it is left, which Linux asks for as it starts, and
 * does without: nobody's mistake. */
static long left_out(struct xen_platform_op *op __unused)
{
    return -XEN_EOPNOTSUPP;
}

/* clang-format off */
#define OPS(OP)                                                                          \
    OP(XENPF_settime64,        op_settime64,        struct xen_platform_op, SUBOP_IN)    \
    OP(XENPF_settime32,        op_settime32,        struct xen_platform_op, SUBOP_IN)    \
    OP(XENPF_firmware_info,    op_firmware_info,    struct xen_platform_op, SUBOP_INOUT) \
    OP(XENPF_efi_runtime_call, left_out,            struct xen_platform_op, SUBOP_IN)    \
    OP(XENPF_get_cpuinfo,      op_get_cpuinfo,      struct xen_platform_op, SUBOP_INOUT) \
    OP(XENPF_enter_acpi_sleep, op_enter_acpi_sleep, struct xen_platform_op, SUBOP_IN)    \
    OP(XENPF_platform_quirk,   op_platform_quirk,   struct xen_platform_op, SUBOP_IN)
SUBOPS(operations, OPS, -XEN_EOPNOTSUPP, .version = XENPF_INTERFACE_VERSION, .size = sizeof(struct xen_platform_op))
/* clang-format on */

long do_platform_op(gva_t arg)
{
    return subop_run_control(&operations, arg);
}
