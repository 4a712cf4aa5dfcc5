/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the reader of domain configurations: any bytes as XML.
 *
 * The oracle: what is refused is refused with one printable line that begins with the file; what is
 * taken is written again and read again to the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define SCHEMA "dom0-tools/schema/domain.rng"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what, const struct error *e)
{
    if (!good) {
        fprintf(stderr, "the configuration's reader broke a rule: %s: %d \"%s\"\n", what, e->code,
                e->text);
        abort();
    }
}

static void read_again(const struct domain_config *c)
{
    char *first = domain_config_to_xml(c, -1), *second;
    struct domain_config again;
    struct error e = {0};

    require(domain_config_parse(first, strlen(first), "again", SCHEMA, &again, &e) == 0, first, &e);
    second = domain_config_to_xml(&again, -1);
    require(strcmp(first, second) == 0, second, &e);
    domain_config_free(&again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct domain_config c;
    struct error e = {0};
    int rc = domain_config_parse((const char *)data, size, "t.xml", SCHEMA, &c, &e);

    if (rc) {
        require(rc < 0 && rc == e.code && strncmp(e.text, "t.xml", 5) == 0, "a refusal", &e);
        for (const char *s = e.text; *s; s++)
            require((unsigned char)*s >= ' ' && *s != 0x7f, "a line that cannot be printed", &e);
        return 0;
    }
    read_again(&c);
    domain_config_free(&c);
    return 0;
}
