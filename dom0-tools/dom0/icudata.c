/* SPDX-License-Identifier: MIT */
/*
 * An empty ICU data library for the control domain's image.
 *
 * Debian's libxml2 is linked with ICU, whose data library is 30 MB: tables for converting hundreds
 * of character sets, which the tools never ask for, since domain files are UTF-8 and libxml2
 * decodes that by itself. ICU accepts a data library without entries, and that is what this file
 * makes: one common-data header (magic, endianness, format "CmnD") followed by a table of contents
 * that lists nothing. The image, which lives in memory and is unpacked at every boot, becomes 30 MB
 * smaller.
 */
#include <stdint.h>

struct icu_common_data {
    uint16_t header_size;
    uint8_t magic[2];
    uint16_t info_size;
    uint16_t reserved;
    uint8_t is_big_endian;
    uint8_t charset_family;
    uint8_t sizeof_uchar;
    uint8_t reserved_byte;
    uint8_t data_format[4];
    uint8_t format_version[4];
    uint8_t data_version[4];
    uint8_t padding[8];
    uint32_t entries; /* the table of contents: how many, then none */
    uint32_t end[3];
};

extern const struct icu_common_data icudt72_dat;

const struct icu_common_data icudt72_dat = {
    .header_size = 32,
    .magic = {0xda, 0x27},
    .info_size = 20,
    .sizeof_uchar = 2,
    .data_format = {'C', 'm', 'n', 'D'},
    .format_version = {1, 0, 0, 0},
};
