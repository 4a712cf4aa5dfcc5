/* SPDX-License-Identifier: MIT */
/*
 * Instructions that are there for some CPUs alone: a measure against speculation that is not taken
 * costs one instruction that does nothing.
 *
 * The code has them all in place, and a table says where (SPEC in x86/entry.inc, lock_barrier() in
 * x86/insn.h). At the start, while the image can be written to and no other CPU runs, each site
 * that is not for this machine is overwritten with a jump to its end. Sites may lie in sites: the
 * outer one, which comes first in the table, is overwritten last.
 *
 * Returns are in no table: each is a jump to one thunk (x86/thunk.asm), 5 bytes that nothing else
 * in the code can be, as tests/branches.py sees of each image.
 */
#include <parvis/string.h>
#include <x86/speculation.h>

/* NOPs of one instruction, by length (Intel SDM volume 2B, NOP). */
#define LONGEST_NOP 9u
static const uint8_t nops[LONGEST_NOP][LONGEST_NOP] = {
    {0x90},
    {0x66, 0x90},
    {0x0f, 0x1f, 0x00},
    {0x0f, 0x1f, 0x40, 0x00},
    {0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
    {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
};

static void leave_out(uint8_t *code, uint32_t length)
{
    uint32_t behind = length - 5; /* the long jump */

    if (length <= LONGEST_NOP) {
        memcpy(code, nops[length - 1], length);
    } else if (length <= 2 + 127) {
        code[0] = 0xeb;
        code[1] = (uint8_t)(length - 2);
    } else {
        code[0] = 0xe9;
        memcpy(code + 1, &behind, sizeof(behind));
    }
}

void spec_patch(struct spec_site *first, struct spec_site *end, uint32_t measures)
{
    while (end-- > first)
        if (!(end->measures & ~SITE_UNLESS & measures) == !(end->measures & SITE_UNLESS))
            leave_out((uint8_t *)&end->at + end->at, end->length);
}

#define RETURN 0xc3
#define STOP   0xcc /* what a CPU that runs ahead does behind it */

void spec_return_at_once(uint8_t *code, const uint8_t *end, const uint8_t *thunk)
{
    static const uint8_t instead[5] = {RETURN, STOP, STOP, STOP, STOP};
    int32_t behind;

    for (; code + sizeof(instead) <= end; code++) {
        memcpy(&behind, code + 1, sizeof(behind));
        if (*code == 0xe9 && code + sizeof(instead) + behind == thunk)
            memcpy(code, instead, sizeof(instead));
    }
}
