/* SPDX-License-Identifier: MIT */
/*
 * The keys of an xl file that are one value each: see config_xl_internal.h.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_xl_internal.h"
#include "cpuset.h"

static long line_of(const struct xl *x, const char *key)
{
    return xl_line(&x->places, key, -1);
}

/* A whole number, as the library reads them, of what its unit says; what is missing leaves it as it
 * is. */
static void fill_count(const struct xl *x, const char *key, const char *unit, unsigned long most,
                       unsigned long *n)
{
    char *text = xl_string(x, key), *end;
    unsigned long value;

    if (!text)
        return;
    errno = 0;
    value = strtoul(text, &end, 0);
    if (*text < '0' || *text > '9' || *end)
        findings_error(x->f, -EINVAL, line_of(x, key), "%s: '%.64s' is no whole number%s", key,
                       text, unit);
    else if (errno || value > most)
        findings_error(x->f, -ERANGE, line_of(x, key), "%s: %.64s is more than %lu", key, text,
                       most);
    else
        *n = value;
    free(text);
}

static void fill_number(const struct xl *x, const char *key, unsigned long most, unsigned long *n)
{
    fill_count(x, key, "", most, n);
}

/* In MiB, which xl gives no unit to. 0 stays what was not understood. */
static uint64_t fill_memory(const struct xl *x, const char *key, uint64_t missing)
{
    unsigned long mib = ULONG_MAX;

    if (!line_of(x, key))
        return missing;
    fill_count(x, key, ": MiB, without a unit", CONFIG_MAX_MEMORY_KIB / 1024, &mib);
    if (mib == 0)
        findings_error(x->f, -ERANGE, line_of(x, key), "%s: 0 MiB is not between 2 MiB and 16 TiB",
                       key);
    return mib == ULONG_MAX ? 0 : mib * 1024;
}

static void fill_memories(const struct xl *x)
{
    struct domain_config *c = x->c;

    if (!line_of(x, "memory") && !line_of(x, "maxmem"))
        xl_missing(x, "memory");
    c->memory_kib = fill_memory(x, "maxmem", fill_memory(x, "memory", 0));
    c->current_kib = fill_memory(x, "memory", c->memory_kib);
    c->line.current = line_of(x, "memory");
    c->line.memory = line_of(x, "maxmem");
}

static void fill_vcpus(const struct xl *x)
{
    unsigned long max = CONFIG_MAX_VCPUS, online = 1;

    fill_number(x, "maxvcpus", 999999999, &max);
    fill_number(x, "vcpus", 999999999, &online);
    if (!line_of(x, "vcpus") && line_of(x, "maxvcpus"))
        online = max;
    x->c->max_vcpus = (unsigned int)(line_of(x, "maxvcpus") ? max : online);
    x->c->vcpus = (unsigned int)online;
    x->c->line.vcpu = line_of(x, "vcpus");
    x->c->line.max_vcpus = line_of(x, "maxvcpus");
}

static void fill_cpuset(const struct xl *x, const char *list, int item, uint64_t *set)
{
    const char *wrong = cpuset_parse(list, set);

    if (wrong)
        findings_error(x->f, -EINVAL, xl_line(&x->places, "cpus", item), "cpus: '%.64s': %s", list,
                       wrong);
}

/* A string is for all vCPUs, a list has one for each. */
static void fill_cpus(const struct xl *x)
{
    XLU_ConfigList *list;
    int entries;
    char *text;

    if (xlu_cfg_get_list(x->cfg, "cpus", &list, &entries, 1)) {
        text = xl_string(x, "cpus");
        if (text)
            fill_cpuset(x, text, -1, &x->c->cpuset);
        free(text);
        return;
    }
    for (int i = 0; i < entries; i++) {
        text = xl_item(x, "cpus", list, i);
        if (text && i >= (int)CONFIG_MAX_VCPUS)
            findings_error(x->f, -ERANGE, xl_line(&x->places, "cpus", i),
                           "cpus: vCPU %d is not between 0 and %u", i, CONFIG_MAX_VCPUS - 1);
        else if (text)
            fill_cpuset(x, text, i, &x->c->pin[i]);
        if (text && i < (int)CONFIG_MAX_VCPUS)
            x->c->line.pin[i] = xl_line(&x->places, "cpus", i);
        free(text);
    }
}

static uint32_t fill_limit(const struct xl *x, const char *key, unsigned long most)
{
    unsigned long n = ULONG_MAX;

    fill_number(x, key, most, &n);
    if (n == 0)
        findings_error(x->f, -ERANGE, line_of(x, key), "%s: 0 is not between 1 and %lu", key, most);
    return n == ULONG_MAX ? 0 : (uint32_t)n;
}

static void fill_shares(const struct xl *x)
{
    unsigned long cap = 0;

    fill_number(x, "cap", 100 * CONFIG_MAX_VCPUS, &cap);
    x->c->weight = fill_limit(x, "cpu_weight", 65535);
    x->c->cap = (unsigned int)cap;
    x->c->line.shares = line_of(x, "cpu_weight");
    x->c->line.quota = line_of(x, "cap");
}

/* crash: a core may be wanted. */
static void fill_action(const struct xl *x, const char *key, bool crash, enum end_action *a,
                        long *line)
{
    char *text = xl_string(x, key);
    enum end_action found;

    *line = line_of(x, key);
    if (text && end_action_find(text, &found) &&
        (crash || (found != END_COREDUMP_DESTROY && found != END_COREDUMP_RESTART)))
        *a = found;
    else if (text)
        findings_error(x->f, -EINVAL, *line,
                       "%s: '%.64s' is not accepted; accepted: destroy, restart, preserve, "
                       "rename-restart%s",
                       key, text, crash ? ", coredump-destroy, coredump-restart" : "");
    free(text);
}

static void fill_actions(const struct xl *x)
{
    struct domain_config *c = x->c;

    c->on_poweroff = c->on_crash = END_DESTROY;
    c->on_reboot = END_RESTART;
    fill_action(x, "on_poweroff", false, &c->on_poweroff, &c->line.on_poweroff);
    fill_action(x, "on_reboot", false, &c->on_reboot, &c->line.on_reboot);
    fill_action(x, "on_crash", true, &c->on_crash, &c->line.on_crash);
}

/* What the key type says, or builder of old; of both the first. */
static void fill_kind(const struct xl *x)
{
    const char *key = line_of(x, "type") ? "type" : "builder";
    char *text = xl_string(x, key);

    if (!text || strcmp(text, "pv") == 0 || strcmp(text, "linux") == 0 ||
        strcmp(text, "generic") == 0)
        x->c->kind = KIND_PV;
    else if (strcmp(text, "pvh") == 0)
        x->c->kind = KIND_PVH;
    else if (strcmp(text, "hvm") == 0)
        findings_error(x->f, -ENOTSUP, line_of(x, key),
                       "%s: hvm: no firmware and no emulated devices: use pvh", key);
    else
        findings_error(x->f, -EINVAL, line_of(x, key),
                       "%s: '%.64s' is not accepted; accepted: pv, pvh", key, text);
    free(text);
}

/* A path from where pvctl was called, as xl has it: whoever starts the domain again is elsewhere,
 * and the name of that place may be anything. */
static int fill_path(const struct xl *x, const char *key, char **out)
{
    char *path = xl_string(x, key), *here;

    *out = NULL;
    if (!path || !*path) {
        free(path);
        return 0;
    }
    if (*path == '/') {
        *out = path;
        return 0;
    }
    here = getcwd(NULL, 0);
    if (!here || asprintf(out, "%s/%s", here, path) < 0)
        *out = NULL;
    free(here);
    free(path);
    if (!*out)
        return -ENOMEM;
    if (!xl_keeps(x, key, *out, line_of(x, key))) {
        free(*out);
        *out = NULL;
    }
    return 0;
}

/* cmdline, or root and extra. */
static int fill_cmdline(const struct xl *x)
{
    char *line = xl_string(x, "cmdline"), *root = xl_string(x, "root"),
         *extra = xl_string(x, "extra");
    int n = 0;

    x->c->line.cmdline = line_of(x, line ? "cmdline" : extra ? "extra" : "root");
    if (line && (root || extra))
        findings_note(x->f, line_of(x, root ? "root" : "extra"),
                      "%s: cmdline is the whole command line", root ? "root" : "extra");
    if (line)
        x->c->cmdline = line;
    else
        n = asprintf(&x->c->cmdline, "%s%s%s%s", root && *root ? "root=" : "", root ? root : "",
                     root && *root && extra && *extra ? " " : "", extra ? extra : "");
    if (n < 0)
        x->c->cmdline = NULL;
    free(root);
    free(extra);
    return x->c->cmdline ? 0 : -ENOMEM;
}

static bool is_grub(const char *bootloader)
{
    static const char *const names[] = {"pygrub", "pvgrub", "pvgrub64"};
    const char *slash = strrchr(bootloader, '/');

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(slash ? slash + 1 : bootloader, names[i]) == 0)
            return true;
    }
    return false;
}

static void fill_bootloader(const struct xl *x)
{
    char *text = xl_string(x, "bootloader");

    if (text && *text && !is_grub(text)) {
        findings_error(
            x->f, -ENOTSUP, line_of(x, "bootloader"),
            "bootloader: '%.64s' is not accepted; accepted: pygrub or pvgrub, which mean "
            "GRUB in the guest",
            text);
    } else if (text && *text) {
        x->c->bootloader = text;
        text = NULL;
    }
    free(text);
}

static int fill_start(const struct xl *x)
{
    int rc = fill_path(x, "kernel", &x->c->kernel);

    rc = rc ? rc : fill_path(x, "ramdisk", &x->c->ramdisk);
    rc = rc ? rc : fill_cmdline(x);
    fill_bootloader(x);
    x->c->line.kernel = line_of(x, "kernel");
    x->c->line.ramdisk = line_of(x, "ramdisk");
    x->c->line.bootloader = line_of(x, "bootloader");
    if (rc == 0 && !config_settle_kernel(x->c, x->f))
        rc = -ENOMEM;
    return rc;
}

static void fill_identity(const struct xl *x)
{
    char *uuid = xl_string(x, "uuid");

    x->c->name = xl_string(x, "name");
    x->c->line.name = line_of(x, "name");
    if (!x->c->line.name)
        xl_missing(x, "name");
    x->c->uuid_given = uuid && uuid_parse(uuid, x->c->uuid);
    if (uuid && !x->c->uuid_given)
        findings_error(x->f, -EINVAL, line_of(x, "uuid"),
                       "uuid: '%.64s' is not 32 hexadecimal digits, as 8-4-4-4-12", uuid);
    free(uuid);
}

int xl_fill(const struct xl *x)
{
    struct domain_config *c = x->c;

    fill_identity(x);
    fill_kind(x);
    fill_memories(x);
    fill_vcpus(x);
    fill_cpus(x);
    fill_shares(x);
    fill_actions(x);
    c->max_grant_frames = fill_limit(x, "max_grant_frames", CONFIG_MAX_GRANT_FRAMES);
    c->max_event_channels = fill_limit(x, "max_event_channels", CONFIG_MAX_EVENT_CHANNELS);
    c->line.limits = line_of(x, "max_grant_frames");
    return fill_start(x);
}
