/* SPDX-License-Identifier: MIT */
/*
 * Non-maskable interrupts of a guest.
 *
 * A guest sets its handler as vector 2 of its trap table, or by CALLBACKTYPE_nmi, which is the same
 * (callback.h). The older call for it, nmi_op, is refused with -XEN_ENOSYS; its numbers are below.
 *
 * The machine's NMIs go to the control domain's vCPU 0; VCPUOP_send_nmi and
 * XEN_DOMCTL_sendtrigger send one to any vCPU. A guest without a handler does not notice. Why a
 * machine NMI came is in arch_shared_info.nmi_reason. While one is handled no other is delivered
 * until the next iret.
 */
#ifndef XEN_NMI_H
#define XEN_NMI_H

#include <xen/xen.h>

/*
 * The control domain's kernel reads the reason in its NMI handler in place of port
 * 0x61, which is not its own; unknown means that neither bit of that port was set.
 */
#define _XEN_NMIREASON_io_error 0 /* a device said so: port 0x61 bit 6 */
#define XEN_NMIREASON_io_error  (1UL << _XEN_NMIREASON_io_error)
#define _XEN_NMIREASON_pci_serr 1 /* system error on PCI: port 0x61 bit 7 */
#define XEN_NMIREASON_pci_serr  (1UL << _XEN_NMIREASON_pci_serr)
#define _XEN_NMIREASON_unknown  2
#define XEN_NMIREASON_unknown   (1UL << _XEN_NMIREASON_unknown)

/* Sets the NMI callback of the calling vCPU. */
#define XENNMI_register_callback 0
struct xennmi_callback {
    unsigned long handler_address;
    unsigned long pad;
};
typedef struct xennmi_callback xennmi_callback_t;

/* Takes it away. No argument. */
#define XENNMI_unregister_callback 1

#endif /* XEN_NMI_H */
