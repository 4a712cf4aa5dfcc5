/* SPDX-License-Identifier: MIT */
/* Instructions of a guest that touch a device's memory: hvm/mmio.c. */
#ifndef HVM_MMIO_H
#define HVM_MMIO_H

#include <hv/types.h>

/* What one does with the four bytes that faulted. */
struct mmio_access {
    bool write;
    bool immediate; /* it writes value, else a register's low half */
    uint8_t reg;    /* which: x86_reg(); or which it reads into (x86_set_reg(), 4 bytes) */
    uint8_t length; /* of the instruction */
    uint32_t value;
};

/* The n bytes of code at RIP, of a segment of so many bits: 16, 32, 64. false: none of those that
 * are carried out. */
bool mmio_decode(const uint8_t *code, unsigned int n, unsigned int bits, struct mmio_access *out);

#endif
