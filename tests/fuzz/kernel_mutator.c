/* SPDX-License-Identifier: MIT */
/*
 * How the fuzzer of the kernel reader changes its inputs. Bytes changed at random end at the magic
 * number or at a checksum; so half of the time the change is made inside: to what is packed, which
 * is packed anew, or behind the magic number, or to the payload of a bzImage, whose header then
 * says where it is.
 */
#include <string.h>

#include "kernel_pack.h"

#define ROOM 8192u

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* A new content in some format. */
static size_t pack_anew(uint8_t *data, size_t max_size, unsigned int seed)
{
    static uint8_t content[ROOM], packed[ROOM];
    size_t size = 64 + seed / 64 % 1024;

    memset(content, (int)(seed >> 16), size);
    memcpy(content, "\177ELF\2\1\1", 8);
    size = LLVMFuzzerMutate(content, size, sizeof(content) / 2);
    size = kernel_pack(seed % PACK_FORMATS, content, size, packed, sizeof(packed));
    if (size && size <= max_size)
        memcpy(data, packed, size);
    return size <= max_size ? size : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    static uint8_t whole[ROOM];
    size_t n = 0;

    switch (seed & 7) {
    case 0:
        n = pack_anew(data, max_size, seed >> 3);
        break;
    case 1:
        n = size <= sizeof(whole)
                ? kernel_wrap(data, size, whole, max_size < ROOM ? max_size : ROOM)
                : 0;
        memcpy(data, whole, n);
        break;
    case 2:
    case 3:
        if (size > 6)
            n = 6 + LLVMFuzzerMutate(data + 6, size - 6, max_size - 6);
        break;
    case 4:
        if (size > 1040)
            n = 1040 + LLVMFuzzerMutate(data + 1040, size - 1040, max_size - 1040);
        break;
    }
    return n ? n : LLVMFuzzerMutate(data, size, max_size);
}
