/* SPDX-License-Identifier: MIT */
/*
 * What is held of a reader of configurations, whatever its bytes: what it refuses, it refuses with
 * lines that can be printed; what it takes is written as XML and read again, strictly, to the same.
 */
#ifndef CONFIG_ORACLE_H
#define CONFIG_ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlstring.h>

#include "config.h"

static void require(bool good, const char *what, const char *text)
{
    if (!good) {
        fprintf(stderr, "the configuration's reader broke a rule: %s: \"%s\"\n", what, text);
        abort();
    }
}

static void read_again(const struct domain_config *c)
{
    char *first = domain_config_to_xml(c, -1), *second;
    struct domain_config again;
    struct error e = {0};

    require(domain_config_parse(first, strlen(first), "again", &again, &e) == 0, e.text, first);
    second = domain_config_to_xml(&again, -1);
    require(strcmp(first, second) == 0, first, second);
    domain_config_free(&again);
    free(first);
    free(second);
}

/* rc: what the reader returned. Frees both. */
static void judge_reading(int rc, struct domain_config *c, struct findings *f)
{
    bool any = false;

    for (size_t i = 0; i < f->nr; i++) {
        any = any || f->list[i].code;
        for (const char *s = f->list[i].text; *s; s++)
            require((unsigned char)*s >= ' ' && *s != 0x7f, "a line that cannot be printed",
                    f->list[i].text);
        require(xmlCheckUTF8((const unsigned char *)f->list[i].text), "a line that is no UTF-8",
                f->list[i].text);
        require(i == 0 || f->list[i].line >= f->list[i - 1].line, "not in the file's order",
                f->list[i].text);
    }
    require(rc == f->code && (rc < 0) == (any || (f->too_many && rc < 0)),
            "no reason, or no refusal", f->nr ? f->list[0].text : "");
    if (rc == 0) {
        read_again(c);
        domain_config_free(c);
    }
    findings_free(f);
}

#endif
