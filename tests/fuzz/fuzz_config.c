/* SPDX-License-Identifier: MIT */
/* Fuzzes the reader of domain XML: any bytes, read as people's files are and strictly. */
#include "config_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int strict = 0; strict < 2; strict++) {
        const struct config_how how = {.strict = strict};
        struct domain_config c;
        struct findings f = {0};
        int rc = domain_config_xml((const char *)data, size, &how, &c, &f);

        judge_reading(rc, &c, &f);
    }
    return 0;
}
