/* SPDX-License-Identifier: MIT */
/*
 * Documents at random: a good one is damaged in up to three places, by rules that know what an
 * element and an attribute are. Whatever is refused is explained by file, line and element, in the
 * tools' own words: the walk beside the schema finds a reason for all that libxml2 turns down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "tools_config.h"

static uint32_t next_random(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

/* The element that a walk in document order meets as the n-th. */
static xmlNodePtr nth_element(xmlNodePtr root, unsigned int n)
{
    xmlNodePtr at = root;

    while (n--) {
        do {
            xmlNodePtr next = at->children ? at->children : at->next;

            while (!next && at != root) {
                at = at->parent;
                next = at == root ? NULL : at->next;
            }
            at = next ? next : root;
        } while (at->type != XML_ELEMENT_NODE);
    }
    return at;
}

static void damage(xmlDocPtr doc, uint32_t *seed)
{
    static const char *const words[] = {
        "domain", "name",     "memory", "unit",    "vcpu",     "type",    "source", "dev",  "file",
        "xen",    "disk",     "target", "16",      "",         "static",  "MiB",    "/a b", "xvdb",
        "a\nb",   "\xc2\xa0", "-1",     "console", "readonly", "cputune", "shares"};
    const uint32_t nr = sizeof(words) / sizeof(words[0]);
    xmlNodePtr root = xmlDocGetRootElement(doc), n = nth_element(root, next_random(seed, 40));
    const char *name = words[next_random(seed, 12)], *value = words[next_random(seed, nr)];

    switch (next_random(seed, 8)) {
    case 0:
        if (n != root) {
            xmlUnlinkNode(n);
            xmlFreeNode(n);
        }
        break;
    case 1:
        if (n != root) {
            xmlAddNextSibling(n, xmlCopyNode(n, 1));
        }
        break;
    case 2:
        xmlNodeSetName(n, BAD_CAST name);
        break;
    case 3:
        xmlNodeSetContent(n, BAD_CAST value);
        break;
    case 4:
        xmlSetProp(n, BAD_CAST name, BAD_CAST value);
        break;
    case 5:
        if (n->properties) {
            xmlRemoveProp(n->properties);
        }
        break;
    case 6:
        xmlAddChild(n, xmlCopyNode(nth_element(root, 1 + next_random(seed, 39)), 1));
        break;
    default:
        xmlNodeAddContent(n, BAD_CAST value);
    }
}

static void every_refusal_is_explained(void **state)
{
    uint32_t seed = 2611;
    unsigned int refused = 0;

    (void)state;
    for (unsigned int round = 0; round < 1500; round++) {
        xmlDocPtr doc = xmlReadMemory(good, sizeof(good) - 1, "t.xml", NULL, 0);
        unsigned int places = 1 + next_random(&seed, 3);
        struct domain_config c;
        struct error e;
        xmlChar *text;
        int size;

        while (places--) {
            damage(doc, &seed);
        }
        xmlDocDumpMemory(doc, &text, &size);
        if (parse((char *)text, &c, &e) == 0) {
            domain_config_free(&c);
        } else {
            refused++;
            /* file:line: <element>, in our words */
            if (strncmp(e.text, "t.xml:", 6) != 0 || e.text[6] < '1' || e.text[6] > '9' ||
                !strchr(e.text, '<') || strstr(e.text, "does not fit the schema")) {
                fail_msg("round %u: %s: for\n%s", round, e.text, (char *)text);
            }
        }
        xmlFree(text);
        xmlFreeDoc(doc);
    }
    assert_in_range(refused, 500, 1499);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_refusal_is_explained)};
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    xmlRelaxNGCleanupTypes();
    xmlCleanupParser();
    return rc;
}
