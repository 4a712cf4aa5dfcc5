/* SPDX-License-Identifier: MIT */
/*
 * What an hvm guest cannot have: see config_firmware.h.
 */
#include "config_firmware.h"

#include <errno.h>
#include <string.h>

#include "config_nodes.h"

static const char *const firmwares[] = {"loader", "boot", "bootmenu", "nvram"};

static bool is_hvm(xmlNodePtr type)
{
    xmlChar *text = type ? xmlNodeGetContent(type) : NULL;
    bool hvm = text && strcmp((const char *)text, "hvm") == 0;

    xmlFree(text);
    return hvm;
}

/* A machine that is none of hvm guests: then one word of the two is wrong. */
static bool is_of_another(xmlNodePtr type)
{
    return node_attr_is(type, "machine", "xenpv") || node_attr_is(type, "machine", "xenpvh");
}

/* The first element that needs what there is not; NULL: none. */
static xmlNodePtr wanting(xmlNodePtr root)
{
    static const char *const in_devices[] = {"disk", "interface"};
    xmlNodePtr os = node_child(root, "os"), devices = node_child(root, "devices"), n;

    if (node_attr_is(node_child(os, "type"), "machine", "xenfv"))
        return node_child(os, "type");
    for (size_t i = 0; i < sizeof(firmwares) / sizeof(firmwares[0]); i++)
        if ((n = node_child(os, firmwares[i])) != NULL)
            return n;
    for (size_t i = 0; i < sizeof(in_devices) / sizeof(in_devices[0]); i++)
        if ((n = node_child(devices, in_devices[i])) != NULL)
            return n;
    return node_child(os, "kernel") ? NULL : os;
}

/* It is read on as what it is told to become. */
static void take_for_pvh(xmlNodePtr os)
{
    xmlNodePtr type = node_child(os, "type"), n;

    for (size_t i = 0; i < sizeof(firmwares) / sizeof(firmwares[0]); i++) {
        while ((n = node_child(os, firmwares[i])) != NULL)
            node_drop(n);
    }
    xmlNodeSetContent(type, BAD_CAST "xenpvh");
    xmlSetProp(type, BAD_CAST "machine", BAD_CAST "xenpvh");
}

void firmware_check(xmlNodePtr root, struct findings *f)
{
    xmlNodePtr os = node_child(root, "os"), n;

    if (!is_hvm(node_child(os, "type")) || is_of_another(node_child(os, "type")) ||
        !(n = wanting(root)))
        return;
    findings_error(f, -EINVAL, xmlGetLineNo(n),
                   "<%s>%s of an hvm guest: no firmware and no emulated devices: use PVH: "
                   "<type>xenpvh</type>",
                   n->name,
                   n == os                       ? " without <kernel>"
                   : n == node_child(os, "type") ? " xenfv"
                                                 : "");
    take_for_pvh(os);
}
