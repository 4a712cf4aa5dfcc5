/* SPDX-License-Identifier: MIT */
/*
 * pvctl attach-disk, pvctl attach-interface: a device comes to a domain that lives.
 *
 * What it is stands on the command line as virsh has it, or in xl's words, which Xen's library
 * reads.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_file.h"
#include "config_xl.h"
#include "device_path.h"
#include "devices.h"
#include "hotplug.h"
#include "interrupt.h"
#include "pvctl.h"

#define USED_MS 1000u
#define STEP_MS 50u

/* 0, or an exit status after it has been told what is wrong with the words of the command line:
 * without the key of xl's under which they would stand in a file. */
static int understood(const struct verb *v, const char *key, int rc, struct findings *f)
{
    const char *text = NULL;
    struct error e = {0};

    rc = rc ? rc : f->code;
    for (size_t i = 0; i < f->nr && !text; i++)
        text = f->list[i].code ? f->list[i].text : NULL;
    if (text && strncmp(text, key, strlen(key)) == 0)
        text += strlen(key);
    if (rc == -ENOMEM || (rc && !text)) {
        error_errno(&e, rc, "%s", v->name);
        rc = fail(&e);
    } else if (rc) {
        rc = usage_error(v, text, "");
    }
    findings_free(f);
    return rc;
}

/* A path from here; what is not there is below /dev, as xl has it. "phy:" and "file:" are xm's. */
static char *absolute(const char *source)
{
    static const char *const prefixes[] = {"phy:", "file:"};
    char *here = NULL, *path = NULL;

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(prefixes[i]);

        if (strncmp(source, prefixes[i], len) == 0)
            source += len;
    }
    if (*source != '/' && access(source, F_OK) == 0)
        here = getcwd(NULL, 0);
    if (asprintf(&path, "%s%s%s", here ? here : "", here ? "/" : "", source) < 0)
        path = NULL;
    free(here);
    return path;
}

/* What xl's library reads; NULL: no memory. */
static char *disk_words(const struct call *c)
{
    const char *mode = c->more[2] ? c->more[2] : "w";
    char *source, *words = NULL;

    if (!c->more[1])
        return strdup(c->more[0]);
    source = absolute(c->more[0]);
    if (source && asprintf(&words, "access=%s,vdev=%s,target=%s", mode, c->more[1], source) < 0)
        words = NULL;
    free(source);
    return words;
}

static int read_disk(const struct call *c, struct domain_config *out)
{
    struct findings f = {0};
    char *words = disk_words(c);
    int rc = words ? config_xl_disk(words, out, &f) : -ENOMEM;

    free(words);
    rc = understood(&verb_attach_disk, "disk: ", rc, &f);
    if (rc == 0 && out->nr_disks == 0)
        return usage_error(&verb_attach_disk, "there is no medium: a file or a block device", "");
    if (rc)
        return rc;
    config_settle_disks(out);
    out->disks[0].readonly |= (c->options & OPT_READONLY) != 0;
    out->disks[0].shareable = (c->options & OPT_SHAREABLE) != 0;
    return 0;
}

/* A guest that has a driver takes up what has come in no time; of one that has not by then, why the
 * device is of no use yet is told. */
static void tell_unused(const struct call *c, const struct live_domain *l, const char *kind,
                        unsigned int id, const char *name)
{
    char path[DEVICE_PATH], *state = NULL;
    unsigned int most = l->d.paused ? 0 : USED_MS;
    bool used = false;

    device_back_path(path, kind, l->d.domid, id, "/state");
    for (unsigned int ms = 0; !used && ms <= most && !(ms && interrupt_came()); ms += STEP_MS) {
        if (ms)
            device_system->sleep_ms(STEP_MS);
        free(state);
        state = NULL;
        if (c->h->ops->store_read(c->h, 0, path, &state))
            return; /* it has gone again, and the guest with it */
        used = strcmp(state, XENBUS_CONNECTED) == 0;
    }
    if (!used)
        fprintf(stderr,
                "pvctl: note: %s: %s is attached, and the guest does not use it yet (%s): it %s\n",
                l->name, name, device_state_text(state),
                l->d.paused ? "is paused" : "needs a driver for it");
    free(state);
}

static void tell_disk(const struct live_domain *l, const struct disk_config *d)
{
    json_open('{');
    json_string("name", l->name);
    json_number("id", l->d.domid);
    json_string("target", d->target);
    json_number("device", d->vdev);
    json_string("source", d->source);
    json_bool("readonly", d->readonly);
    json_close('}');
}

static int run_disk(const struct call *c)
{
    struct domain_config one = {0};
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "attach a disk to", &l);

    rc = rc ? rc : read_disk(c, &one);
    if (rc == 0) {
        one.name = strdup(l.name);
        interrupt_catch();
        rc = one.name ? hotplug_add_disk(c->h, &l, &one, &e)
                      : error_errno(&e, -ENOMEM, "%s", l.name);
        rc = rc ? fail(&e) : EXIT_OK;
    }
    if (rc == 0 && (c->options & OPT_JSON))
        tell_disk(&l, &one.disks[0]);
    if (rc == 0)
        tell_unused(c, &l, "vbd", one.disks[0].vdev, one.disks[0].target);
    domain_config_free(&one);
    return rc;
}

const struct verb verb_attach_disk = {
    .name = "attach-disk",
    .arg = "NAME SOURCE [TARGET] [MODE]",
    .options = OPT_READONLY | OPT_SHAREABLE | OPT_JSON,
    .run = run_disk,
    .summary = "give a running domain a disk",
    .help =
        "SOURCE is a file or a block device, TARGET its name in the guest, such as xvdb, MODE r\n"
        "or w (the default). Or SOURCE alone, in the words of xl-disk-configuration(5). The\n"
        "domain has it in its next life, too: `pvctl dumpxml` shows it. If the guest does not use "
        "it\n"
        "after a second, a note says in which state it is.\n",
    .examples = "pvctl attach-disk web /srv/more.img xvdb\n"
                "pvctl attach-disk web --readonly /dev/vg0/shared xvdc\n"
                "pvctl attach-disk web format=raw,vdev=xvdb,access=rw,target=/srv/more.img\n",
};

/* "bridge xenbr0" is virsh's, "mac=... bridge=..." xl's; a name alone is a bridge's. NULL: no
 * memory. */
static char *nic_words(const struct call *c)
{
    size_t size = 64;
    char *words;

    for (size_t i = 1; i < c->nr_args; i++)
        size += strlen(c->args[i]) + 16;
    size += c->options & OPT_MAC ? strlen(c->text[AT_MAC]) : 0;
    words = calloc(1, size);
    for (size_t i = 1; words && i < c->nr_args; i++) {
        size_t at = strlen(words);
        const char *word = c->args[i];

        if (i == 1 && c->nr_args > 2 && strcmp(word, "bridge") == 0)
            continue;
        snprintf(words + at, size - at, "%s%s%s", at ? "," : "",
                 strchr(word, '=') ? "" : "bridge=", word);
    }
    if (words && (c->options & OPT_MAC)) {
        size_t at = strlen(words);

        snprintf(words + at, size - at, "%smac=%s", at ? "," : "", c->text[AT_MAC]);
    }
    return words;
}

static int read_nic(const struct call *c, struct domain_config *out)
{
    struct findings f = {0};
    char *words = nic_words(c);
    int rc = words ? config_xl_nic(words, out, &f) : -ENOMEM;

    free(words);
    return understood(&verb_attach_interface, "vif: ", rc, &f);
}

static void tell_nic(const struct call *c, const struct live_domain *l, const struct nic_config *n,
                     unsigned int id)
{
    char mac[18];

    mac_format(n->mac, mac);
    if (!(c->options & OPT_JSON)) {
        printf("%s: interface %u, %s\n", l->name, id, mac);
        return;
    }
    json_open('{');
    json_string("name", l->name);
    json_number("id", l->d.domid);
    json_number("device", id);
    json_string("mac", mac);
    json_string("bridge", n->bridge);
    json_close('}');
}

static int run_nic(const struct call *c)
{
    struct domain_config one = {0};
    struct live_domain l;
    struct error e = {0};
    unsigned int id = 0;
    char name[24];
    int rc = need_guest(c, "attach an interface to", &l);

    rc = rc ? rc : read_nic(c, &one);
    if (rc == 0) {
        one.name = strdup(l.name);
        interrupt_catch();
        rc = one.name ? hotplug_add_nic(c->h, &l, &one, &id, &e)
                      : error_errno(&e, -ENOMEM, "%s", l.name);
        rc = rc ? fail(&e) : EXIT_OK;
    }
    if (rc == 0) {
        tell_nic(c, &l, &one.nics[0], id);
        snprintf(name, sizeof(name), "interface %u", id);
        tell_unused(c, &l, "vif", id, name);
    }
    domain_config_free(&one);
    return rc;
}

const struct verb verb_attach_interface = {
    .name = "attach-interface",
    .arg = "NAME [BRIDGE...]",
    .options = OPT_MAC | OPT_JSON,
    .run = run_nic,
    .summary = "give a running domain a network interface",
    .help = "Without BRIDGE it is on xenbr0. Words of xl-network-configuration(5) are understood,\n"
            "too. An address is made up where none is given. The domain has the interface in its\n"
            "next life, too.\n",
    .examples = "pvctl attach-interface web\n"
                "pvctl attach-interface web --mac 00:16:3e:00:00:01 xenbr1\n"
                "pvctl attach-interface web bridge=xenbr1 rate=10Mb/s\n",
};
