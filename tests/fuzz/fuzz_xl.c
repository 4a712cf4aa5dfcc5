/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reader of xl's files: any bytes. libxlutil, which is Debian's, is not looked into;
 * what it does not free of a file that it refuses is its own.
 */
#include "config_oracle.h"
#include "config_xl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:xlu__cfg\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_how how = {.strict = false};
    struct domain_config c;
    struct findings f = {0};
    int rc = config_xl_read((const char *)data, size, &how, &c, &f);

    judge_reading(rc, &c, &f);
    return 0;
}
