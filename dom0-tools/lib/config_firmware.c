/* SPDX-License-Identifier: MIT */
/*
 * What an hvm guest cannot have: see config_firmware.h.
 */
#include "config_firmware.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static xmlNodePtr child(xmlNodePtr n, const char *name)
{
    for (n = n ? n->children : NULL; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0)
            return n;
    return NULL;
}

static bool is_hvm(xmlNodePtr type)
{
    xmlChar *text = type ? xmlNodeGetContent(type) : NULL;
    bool hvm = text && strcmp((const char *)text, "hvm") == 0;

    xmlFree(text);
    return hvm;
}

static bool has_machine(xmlNodePtr type, const char *name)
{
    xmlChar *machine = xmlGetProp(type, BAD_CAST "machine");
    bool has = machine && strcmp((const char *)machine, name) == 0;

    xmlFree(machine);
    return has;
}

/* The first element that needs what there is not; NULL: none. */
static xmlNodePtr wanting(xmlNodePtr root)
{
    static const char *const in_os[] = {"loader", "boot", "bootmenu", "nvram"};
    static const char *const in_devices[] = {"disk", "interface"};
    xmlNodePtr os = child(root, "os"), devices = child(root, "devices"), n;

    if (has_machine(child(os, "type"), "xenfv"))
        return child(os, "type");
    for (size_t i = 0; i < sizeof(in_os) / sizeof(in_os[0]); i++)
        if ((n = child(os, in_os[i])) != NULL)
            return n;
    for (size_t i = 0; i < sizeof(in_devices) / sizeof(in_devices[0]); i++)
        if ((n = child(devices, in_devices[i])) != NULL)
            return n;
    return child(os, "kernel") ? NULL : os;
}

int firmware_check(xmlNodePtr root, const char *file, struct error *e)
{
    xmlNodePtr os = child(root, "os"), n;

    if (!is_hvm(child(os, "type")) || !(n = wanting(root)))
        return 0;
    return error_set(e, -EINVAL,
                     "%s:%ld: <%s>%s of an hvm guest: no firmware and no emulated "
                     "devices: use PVH",
                     file, xmlGetLineNo(n), n->name,
                     n == os                  ? " without <kernel>"
                     : n == child(os, "type") ? " xenfv"
                                              : "");
}
