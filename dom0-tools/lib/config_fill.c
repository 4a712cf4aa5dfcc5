/* SPDX-License-Identifier: MIT */
/*
 * From a document to a struct domain_config: see config_fill.h.
 */
#include "config_fill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_nodes.h"
#include "config_units.h"
#include "cpuset.h"

/* Sizes are kept in KiB, rounded up to whole pages; one that was not understood stays 0. */
static void fill_size(xmlNodePtr n, uint64_t *kib, struct findings *f)
{
    char *unit = node_attr(n, "unit"), *digits = node_text(n);
    uint64_t value;

    errno = 0;
    value = strtoull(digits ? digits : "", NULL, 10);
    if (node_marked(n)) /* it may be its unit that was not understood */
        *kib = 0;
    else if (n && (errno == ERANGE || !unit_to_kib(value, unit_bytes(unit), kib)))
        findings_error(f, -ERANGE, xmlGetLineNo(n), "<%s> is too large", n->name);
    else if (n && *kib == 0)
        findings_error(f, -ERANGE, xmlGetLineNo(n), "<%s>: 0 KiB is not between 2 MiB and %s",
                       n->name, node_is(n, "memory") ? "16 TiB" : "<memory>");
    free(unit);
    free(digits);
}

static enum end_action fill_action(xmlNodePtr n, enum end_action missing)
{
    char *name = node_text(n);
    enum end_action a = missing;

    if (name && !end_action_find(name, &a))
        a = missing;
    free(name);
    return a;
}

static void fill_cpuset(xmlNodePtr n, uint64_t *set, struct findings *f)
{
    char *list = node_attr(n, "cpuset");
    const char *wrong = list ? cpuset_parse(list, set) : NULL;

    if (wrong)
        findings_error(f, -EINVAL, xmlGetLineNo(n), "<%s>: cpuset='%s': %s", n->name, list, wrong);
    free(list);
}

static void fill_pin(xmlNodePtr n, struct domain_config *c, struct findings *f)
{
    unsigned long vcpu = node_number(node_attr(n, "vcpu"), CONFIG_MAX_VCPUS);

    if (!xmlHasProp(n, BAD_CAST "vcpu"))
        return;
    if (vcpu >= CONFIG_MAX_VCPUS) {
        findings_error(f, -ERANGE, xmlGetLineNo(n), "<vcpupin>: vcpu='%lu' is not between 0 and %u",
                       vcpu, CONFIG_MAX_VCPUS - 1);
    } else if (c->pin[vcpu]) {
        findings_error(f, -EEXIST, xmlGetLineNo(n), "<vcpupin>: vcpu='%lu' is given twice", vcpu);
    } else {
        c->line.pin[vcpu] = xmlGetLineNo(n);
        fill_cpuset(n, &c->pin[vcpu], f);
    }
}

static bool is_negative(xmlNodePtr n)
{
    char *s = node_text(n);
    bool negative = s && *s == '-';

    free(s);
    return negative;
}

/* So much time of each period, for all vCPUs together: a cap. A negative one is none, as libvirt
 * has it. */
static void fill_quota(xmlNodePtr tune, struct domain_config *c, struct findings *f)
{
    xmlNodePtr n = node_child(tune, "global_quota"), per = node_child(tune, "global_period");
    bool none = !n || is_negative(n);
    unsigned long period = node_number(node_text(per), 100000);
    unsigned long quota = none ? 0 : node_number(node_text(n), 0);

    if (period < 1000 || period > 1000000)
        findings_error(f, -ERANGE, xmlGetLineNo(per),
                       "<global_period>: %lu us is not between 1000 and %u", period, 1000000);
    else if (!none && (quota * 100 < period || quota * 100 % period))
        findings_error(f, -ERANGE, xmlGetLineNo(n),
                       "<global_quota>: %lu us are not a whole number of hundredths, 1 or more, of "
                       "the period, %lu us; without it there is no cap",
                       quota, period);
    else
        c->cap = (unsigned int)(quota * 100 / period);
}

static void fill_cputune(xmlNodePtr tune, struct domain_config *c, struct findings *f)
{
    fill_quota(tune, c, f);
    c->weight = (unsigned int)node_number(node_text(node_child(tune, "shares")), 0);
    for (xmlNodePtr n = node_child(tune, "vcpupin"); n; n = node_next(n))
        fill_pin(n, c, f);
}

/* <type> says it, and machine, where it stands there, is that of the type: a schema of one element
 * cannot hold the two together. */
static void fill_kind(xmlNodePtr os, struct domain_config *c, struct findings *f)
{
    xmlNodePtr n = node_child(os, "type");
    char *type = node_text(n), *machine = node_attr(n, "machine");
    const char *wanted = "xenpv";

    c->kind = KIND_PV;
    if (type && strcmp(type, "hvm") == 0) {
        c->kind = KIND_HVM;
        wanted = NULL;
    } else if (type && strcmp(type, "xenpvh") == 0) {
        c->kind = KIND_PVH;
        wanted = "xenpvh";
    }
    if (machine && (!wanted || strcmp(machine, wanted) != 0))
        findings_error(f, -EINVAL, xmlGetLineNo(n), "<type>: machine='%s' does not go with %s%s%s",
                       machine, type ? type : "?", wanted ? "; it has " : ", which has none",
                       wanted                           ? wanted
                       : strcmp(machine, "xenpv") == 0  ? "; it is of linux"
                       : strcmp(machine, "xenpvh") == 0 ? "; it is of xenpvh"
                                                        : "");
    free(type);
    free(machine);
}

static int fill_os(xmlNodePtr root, struct domain_config *c, struct findings *f)
{
    xmlNodePtr os = node_child(root, "os");

    fill_kind(os, c, f);
    c->bootloader = node_text(node_child(root, "bootloader"));
    c->kernel = node_text(node_child(os, "kernel"));
    c->ramdisk = node_text(node_child(os, "initrd"));
    c->cmdline = node_child(os, "cmdline") ? node_text(node_child(os, "cmdline")) : strdup("");
    return config_settle_kernel(c, f) && c->cmdline ? 0 : -ENOMEM;
}

static void fill_lines(xmlNodePtr root, struct domain_config *c)
{
    xmlNodePtr kernel = node_at(root, "os/kernel");

    c->line = (struct config_lines){
        .name = node_line(node_child(root, "name"), root),
        .memory = node_line(node_child(root, "memory"), root),
        .current = node_line(node_child(root, "currentMemory"), root),
        .vcpu = node_line(node_child(root, "vcpu"), root),
        .cmdline = node_line(node_at(root, "os/cmdline"), root),
        .kernel = node_line(kernel ? kernel : node_child(root, "os"), root),
        .ramdisk = node_line(node_at(root, "os/initrd"), root),
        .shares = node_line(node_at(root, "cputune/shares"), root),
        .quota = node_line(node_at(root, "cputune/global_quota"), root),
        .on_poweroff = node_line(node_child(root, "on_poweroff"), root),
        .on_reboot = node_line(node_child(root, "on_reboot"), root),
        .on_crash = node_line(node_child(root, "on_crash"), root),
        .bootloader = node_line(node_child(root, "bootloader"), root),
        .title = node_line(node_child(root, "title"), root),
        .description = node_line(node_child(root, "description"), root),
        .metadata = node_line(node_child(root, "metadata"), root),
    };
}

/* As many as can be where how many was not understood: then there is room for each <vcpupin>. */
static void fill_vcpus(xmlNodePtr root, struct domain_config *c, struct findings *f)
{
    xmlNodePtr vcpu = node_child(root, "vcpu");
    unsigned int missing = !vcpu && node_marked(root) ? CONFIG_MAX_VCPUS : 1;

    c->max_vcpus = (unsigned int)node_number(node_text(vcpu), missing);
    c->vcpus = (unsigned int)node_number(node_attr(vcpu, "current"), c->max_vcpus);
    fill_cpuset(vcpu, &c->cpuset, f);
}

int config_fill(xmlNodePtr root, struct domain_config *c, struct findings *f)
{
    char *uuid = node_text(node_child(root, "uuid"));
    int rc;

    fill_lines(root, c);
    c->uuid_given = uuid && uuid_parse(uuid, c->uuid);
    free(uuid);
    c->name = node_text(node_child(root, "name"));
    c->title = node_text(node_child(root, "title"));
    c->description = node_text(node_child(root, "description"));
    rc = fill_os(root, c, f);
    fill_vcpus(root, c, f);
    c->on_poweroff = fill_action(node_child(root, "on_poweroff"), END_DESTROY);
    c->on_reboot = fill_action(node_child(root, "on_reboot"), END_RESTART);
    c->on_crash = fill_action(node_child(root, "on_crash"), END_DESTROY);
    fill_size(node_child(root, "memory"), &c->memory_kib, f);
    c->current_kib = c->memory_kib;
    fill_size(node_child(root, "currentMemory"), &c->current_kib, f);
    fill_cputune(node_child(root, "cputune"), c, f);
    return rc ? rc : config_fill_devices(node_child(root, "devices"), c, f);
}
