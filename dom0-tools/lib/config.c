/* SPDX-License-Identifier: MIT */
/*
 * Reading the configuration of a domain: see config.h.
 *
 * Four steps: libxml2 parses (no network, no entities: a document type declaration is refused),
 * blanks around values are taken off, as people and programs lay XML out prettily, the schema
 * decides whether every element and value is known, then the struct is filled and config_check()
 * looks at what a grammar cannot say. After the schema the shape of the document is certain, so the
 * filling functions look elements up without doubt.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "config_check.h"
#include "config_firmware.h"
#include "config_malformed.h"
#include "config_schema.h"
#include "cpuset.h"

#define MAX_FILE (1u << 20)

static xmlNodePtr child(xmlNodePtr n, const char *name)
{
    for (xmlNodePtr c = n ? n->children : NULL; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0)
            return c;
    }
    return NULL;
}

/* Copies into malloc'ed memory: xmlFree is not promised to be free. */
static char *take(xmlChar *s)
{
    char *copy = s ? strdup((const char *)s) : NULL;

    xmlFree(s);
    return copy;
}

static char *attr(xmlNodePtr n, const char *name)
{
    return n ? take(xmlGetProp(n, BAD_CAST name)) : NULL;
}

/* The text of an element; NULL if there is no element. */
static char *text(xmlNodePtr n)
{
    return n ? take(xmlNodeGetContent(n)) : NULL;
}

/* A copy without blanks around it; NULL if there are none, and without memory. */
static xmlChar *stripped(const xmlChar *s)
{
    size_t lead = strspn((const char *)s, CONFIG_BLANKS), len = strlen((const char *)s + lead);
    bool any = lead > 0;

    for (; len > 0 && strchr(CONFIG_BLANKS, s[lead + len - 1]); len--)
        any = true;
    return any ? xmlStrndup(s + lead, (int)len) : NULL;
}

/* Takes the blanks off each attribute, and off the text of each element that holds nothing else. */
static void strip_blanks(xmlNodePtr n)
{
    bool leaf = true;
    xmlChar *all, *value;

    for (xmlAttrPtr a = n->properties; a; a = a->next) {
        all = a->ns ? NULL : xmlNodeListGetString(n->doc, a->children, 1);
        value = all ? stripped(all) : NULL;
        if (value)
            xmlSetProp(n, a->name, value);
        xmlFree(value);
        xmlFree(all);
    }
    for (xmlNodePtr c = n->children; c; c = c->next) {
        if (c->type == XML_ELEMENT_NODE) {
            leaf = false;
            strip_blanks(c);
        }
    }
    all = leaf && n->children ? xmlNodeGetContent(n) : NULL;
    value = all ? stripped(all) : NULL;
    if (value) {
        xmlNodeSetContent(n, NULL);
        xmlAddChild(n, xmlNewDocText(n->doc, value));
    }
    xmlFree(value);
    xmlFree(all);
}

static unsigned long number(char *s, unsigned long missing)
{
    unsigned long n = s && *s ? strtoul(s, NULL, 10) : missing;

    free(s);
    return n;
}

static uint64_t unit_bytes(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        {"b", 1},
        {"bytes", 1},
        {"KB", 1000},
        {"k", 1024},
        {"KiB", 1024},
        {"MB", 1000000},
        {"M", 1 << 20},
        {"MiB", 1 << 20},
        {"GB", 1000000000},
        {"G", 1 << 30},
        {"GiB", 1 << 30},
        {"TB", UINT64_C(1000000000000)},
        {"T", UINT64_C(1) << 40},
        {"TiB", UINT64_C(1) << 40},
    };

    for (size_t i = 0; unit && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, unit) == 0)
            return units[i].bytes;
    }
    return 1024;
}

/* Sizes are kept in KiB, rounded up to whole pages. */
static int read_size(xmlNodePtr n, const char *file, uint64_t *kib, struct error *e)
{
    char *unit = attr(n, "unit"), *digits = text(n);
    uint64_t value, bytes;
    bool overflow;

    errno = 0;
    value = strtoull(digits ? digits : "", NULL, 10);
    overflow = errno == ERANGE || __builtin_mul_overflow(value, unit_bytes(unit), &bytes) ||
               __builtin_add_overflow(bytes, 4095, &bytes);
    free(unit);
    free(digits);
    if (overflow)
        return error_set(e, -ERANGE, "%s:%ld: <%s> is too large", file, xmlGetLineNo(n), n->name);
    *kib = bytes / 4096 * 4;
    return 0;
}

static enum end_action read_action(xmlNodePtr n, enum end_action missing)
{
    char *s = text(n);
    enum end_action a = missing;

    for (int i = END_DESTROY; s && i <= END_PRESERVE; i++) {
        if (strcmp(s, end_action_name((enum end_action)i)) == 0)
            a = (enum end_action)i;
    }
    free(s);
    return a;
}

static int read_disk(xmlNodePtr n, const char *file, struct disk_config *d, struct error *e)
{
    xmlNodePtr source = child(n, "source");
    char *type = attr(n, "type");
    bool block = type && strcmp(type, "block") == 0;
    const char *wanted = block ? "dev" : "file";

    free(type);
    d->kind = block ? DISK_BLOCK : DISK_FILE;
    d->source = attr(source, wanted);
    if (!d->source || xmlHasProp(source, BAD_CAST(block ? "file" : "dev")))
        return error_set(e, -EINVAL,
                         "%s:%ld: <source> of a disk of type '%s' has the one attribute '%s'", file,
                         xmlGetLineNo(source), block ? "block" : "file", wanted);
    d->line = xmlGetLineNo(n);
    d->target = attr(child(n, "target"), "dev");
    d->readonly = child(n, "readonly") != NULL;
    d->shareable = child(n, "shareable") != NULL;
    return 0;
}

static int read_nic(xmlNodePtr n, struct nic_config *nic)
{
    char *mac = attr(child(n, "mac"), "address");

    nic->line = xmlGetLineNo(n);
    if (mac) {
        nic->mac_given =
            sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &nic->mac[0], &nic->mac[1],
                   &nic->mac[2], &nic->mac[3], &nic->mac[4], &nic->mac[5]) == 6;
        free(mac);
    }
    nic->bridge = attr(child(n, "source"), "bridge");
    nic->ifname = attr(child(n, "target"), "dev");
    return 0;
}

static size_t count(xmlNodePtr n, const char *name)
{
    size_t nr = 0;

    for (xmlNodePtr c = n ? n->children : NULL; c; c = c->next)
        nr += c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0;
    return nr;
}

static int read_devices(xmlNodePtr n, const char *file, struct domain_config *c, struct error *e)
{
    size_t disks = count(n, "disk"), nics = count(n, "interface");
    int rc = 0;

    if (disks > CONFIG_MAX_DISKS || nics > CONFIG_MAX_NICS)
        return error_set(e, -E2BIG, "%s:%ld: <devices>: at most %u disks and %u interfaces", file,
                         xmlGetLineNo(n), CONFIG_MAX_DISKS, CONFIG_MAX_NICS);
    c->disks = calloc(disks + 1, sizeof(*c->disks));
    c->nics = calloc(nics + 1, sizeof(*c->nics));
    if (!c->disks || !c->nics)
        return error_errno(e, -ENOMEM, "%s", file);
    for (xmlNodePtr d = n->children; d && rc == 0; d = d->next) {
        if (d->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp((const char *)d->name, "disk") == 0)
            rc = read_disk(d, file, &c->disks[c->nr_disks++], e);
        else if (strcmp((const char *)d->name, "interface") == 0)
            rc = read_nic(d, &c->nics[c->nr_nics++]);
    }
    c->console = child(n, "console") || child(n, "serial");
    return rc;
}

static int read_cpuset(xmlNodePtr n, const char *file, uint64_t *set, struct error *e)
{
    char *list = attr(n, "cpuset");
    const char *wrong = list ? cpuset_parse(list, set) : NULL;
    int rc = 0;

    if (wrong)
        rc = error_set(e, -EINVAL, "%s:%ld: <%s>: cpuset='%s': %s", file, xmlGetLineNo(n), n->name,
                       list, wrong);
    free(list);
    return rc;
}

static int read_pin(xmlNodePtr n, const char *file, struct domain_config *c, struct error *e)
{
    unsigned long vcpu = number(attr(n, "vcpu"), 0);

    if (vcpu >= CONFIG_MAX_VCPUS)
        return error_set(e, -ERANGE, "%s:%ld: <vcpupin>: vcpu='%lu' is not between 0 and %u", file,
                         xmlGetLineNo(n), vcpu, CONFIG_MAX_VCPUS - 1);
    if (c->pin[vcpu])
        return error_set(e, -EEXIST, "%s:%ld: <vcpupin>: vcpu='%lu' is given twice", file,
                         xmlGetLineNo(n), vcpu);
    c->line.pin[vcpu] = xmlGetLineNo(n);
    return read_cpuset(n, file, &c->pin[vcpu], e);
}

static bool is_negative(xmlNodePtr n)
{
    char *s = n ? text(n) : NULL;
    bool negative = s && *s == '-';

    free(s);
    return negative;
}

/* So much time of each period, for all vCPUs together: a cap. A negative one is none, as libvirt
 * has it. */
static int read_quota(xmlNodePtr tune, const char *file, struct domain_config *c, struct error *e)
{
    xmlNodePtr n = child(tune, "global_quota"), per = child(tune, "global_period");
    bool none = !n || is_negative(n);
    unsigned long period = number(text(per), 100000), quota = none ? 0 : number(text(n), 0);

    if (period < 1000 || period > 1000000)
        return error_set(e, -ERANGE, "%s:%ld: <global_period>: %lu us is not between 1000 and %u",
                         file, xmlGetLineNo(per), period, 1000000);
    if (!none && (quota * 100 < period || quota * 100 % period))
        return error_set(e, -ERANGE,
                         "%s:%ld: <global_quota>: %lu us are not a whole number of hundredths, 1 "
                         "or more, of the period, %lu us; without it there is no cap",
                         file, xmlGetLineNo(n), quota, period);
    c->cap = (unsigned int)(quota * 100 / period);
    return 0;
}

static int read_cputune(xmlNodePtr tune, const char *file, struct domain_config *c, struct error *e)
{
    int rc = read_quota(tune, file, c, e);

    c->weight = (unsigned int)number(text(child(tune, "shares")), 0);
    for (xmlNodePtr n = tune ? tune->children : NULL; n && rc == 0; n = n->next) {
        if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, "vcpupin") == 0)
            rc = read_pin(n, file, c, e);
    }
    return rc;
}

static long line_of(xmlNodePtr n, xmlNodePtr missing)
{
    return xmlGetLineNo(n ? n : missing);
}

/* <type> says it, and machine, where it stands there, is that of the type: a schema of one element
 * cannot hold the two together. */
static int read_kind(xmlNodePtr os, const char *file, struct domain_config *c, struct error *e)
{
    xmlNodePtr n = child(os, "type");
    char *type = text(n), *machine = attr(n, "machine");
    const char *wanted = "xenpv";
    int rc = 0;

    c->kind = KIND_PV;
    if (type && strcmp(type, "hvm") == 0) {
        c->kind = KIND_HVM;
        wanted = NULL;
    } else if (type && strcmp(type, "xenpvh") == 0) {
        c->kind = KIND_PVH;
        wanted = "xenpvh";
    }
    if (machine && (!wanted || strcmp(machine, wanted) != 0))
        rc = error_set(e, -EINVAL, "%s:%ld: <type>: machine='%s' does not go with %s%s%s", file,
                       xmlGetLineNo(n), machine, type, wanted ? "; it has " : ", which has none",
                       wanted ? wanted : "");
    free(type);
    free(machine);
    return rc;
}

static int read_domain(xmlNodePtr root, const char *file, struct domain_config *c, struct error *e)
{
    xmlNodePtr os = child(root, "os"), vcpu = child(root, "vcpu"), devices = child(root, "devices");
    xmlNodePtr tune = child(root, "cputune");
    char *uuid = text(child(root, "uuid"));
    int rc;

    c->uuid_given = uuid && uuid_parse(uuid, c->uuid);
    free(uuid);
    c->name = text(child(root, "name"));
    c->title = text(child(root, "title"));
    c->description = text(child(root, "description"));
    c->kernel = text(child(os, "kernel"));
    c->ramdisk = text(child(os, "initrd"));
    c->cmdline = child(os, "cmdline") ? text(child(os, "cmdline")) : strdup("");
    if (!c->name || !c->kernel || !c->cmdline)
        return error_errno(e, -ENOMEM, "%s", file);
    rc = read_kind(os, file, c, e);
    if (rc)
        return rc;
    c->max_vcpus = (unsigned int)number(text(vcpu), 1);
    c->vcpus = (unsigned int)number(attr(vcpu, "current"), c->max_vcpus);
    c->on_poweroff = read_action(child(root, "on_poweroff"), END_DESTROY);
    c->on_reboot = read_action(child(root, "on_reboot"), END_RESTART);
    c->on_crash = read_action(child(root, "on_crash"), END_DESTROY);
    c->line = (struct config_lines){
        .name = line_of(child(root, "name"), root),
        .memory = line_of(child(root, "memory"), root),
        .current = line_of(child(root, "currentMemory"), root),
        .vcpu = line_of(vcpu, root),
        .cmdline = line_of(child(os, "cmdline"), root),
        .shares = line_of(child(tune, "shares"), root),
        .quota = line_of(child(tune, "global_quota"), root),
    };
    rc = read_size(child(root, "memory"), file, &c->memory_kib, e);
    c->current_kib = c->memory_kib;
    if (rc == 0 && child(root, "currentMemory"))
        rc = read_size(child(root, "currentMemory"), file, &c->current_kib, e);
    rc = rc ? rc : read_cpuset(vcpu, file, &c->cpuset, e);
    rc = rc ? rc : read_cputune(tune, file, c, e);
    if (rc == 0 && devices)
        rc = read_devices(devices, file, c, e);
    return rc;
}

int domain_config_parse(const char *xml, size_t len, const char *name, const char *schema,
                        struct domain_config *out, struct error *e)
{
    struct domain_config c = {0};
    struct malformed fault;
    xmlParserCtxtPtr ctxt;
    xmlDocPtr doc;
    int rc;

    if (len == 0)
        return error_set(e, -EINVAL, "%s: the file is empty", name);
    if (len > MAX_FILE)
        return error_set(e, -EFBIG, "%s: more than 1 MiB of XML", name);
    ctxt = xmlNewParserCtxt();
    if (!ctxt)
        return error_errno(e, -ENOMEM, "%s", name);
    doc = malformed_read(ctxt, xml, (int)len, name, &fault);
    if (!doc) {
        rc = malformed_report(&fault, name, e);
    } else if (doc->intSubset) {
        rc = error_set(e, -EINVAL, "%s: a document type declaration is not accepted", name);
    } else {
        strip_blanks(xmlDocGetRootElement(doc));
        rc = firmware_check(xmlDocGetRootElement(doc), name, e);
        if (rc == 0)
            rc = schema_check(doc, name, schema, e);
        if (rc == 0)
            rc = read_domain(xmlDocGetRootElement(doc), name, &c, e);
        if (rc == 0)
            rc = config_check(&c, name, e);
    }
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(ctxt);
    if (rc)
        domain_config_free(&c);
    else
        *out = c;
    return rc;
}

int domain_config_read(const char *path, const char *schema, struct domain_config *out,
                       struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    size_t len = 0;
    struct stat st;
    char *buf;

    if (fd < 0)
        return error_errno(e, -errno, "%s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(e, -EINVAL, "%s: not a regular file", path);
    }
    buf = malloc(MAX_FILE + 1);
    while (buf && len <= MAX_FILE) {
        ssize_t n = read(fd, buf + len, MAX_FILE + 1 - len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    close(fd);
    rc = buf ? domain_config_parse(buf, len, path, schema, out, e)
             : error_errno(e, -ENOMEM, "%s", path);
    free(buf);
    return rc;
}

void domain_config_free(struct domain_config *c)
{
    for (size_t i = 0; i < c->nr_disks; i++) {
        free(c->disks[i].source);
        free(c->disks[i].target);
    }
    for (size_t i = 0; i < c->nr_nics; i++) {
        free(c->nics[i].bridge);
        free(c->nics[i].ifname);
    }
    free(c->disks);
    free(c->nics);
    free(c->name);
    free(c->title);
    free(c->description);
    free(c->kernel);
    free(c->ramdisk);
    free(c->cmdline);
    memset(c, 0, sizeof(*c));
}
