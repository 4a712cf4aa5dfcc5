/* SPDX-License-Identifier: MIT */
/*
 * pvctl detach-disk, pvctl detach-interface: a device leaves a domain that lives.
 */
#include <string.h>

#include "hotplug.h"
#include "interrupt.h"
#include "pvctl.h"

static int end(const struct call *c, const struct live_domain *l, int rc, const struct error *e)
{
    if (rc)
        return fail(e);
    if (c->options & OPT_JSON) {
        json_open('{');
        json_string("name", l->name);
        json_number("id", l->d.domid);
        json_close('}');
    }
    return EXIT_OK;
}

static int run_disk(const struct call *c)
{
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "detach a disk from", &l);

    if (rc)
        return rc;
    interrupt_catch();
    rc = hotplug_remove_disk(c->h, &l, c->more[0], c->options & OPT_TAKE, &e);
    return end(c, &l, rc, &e);
}

const struct verb verb_detach_disk = {
    .name = "detach-disk",
    .arg = "NAME TARGET",
    .options = OPT_TAKE | OPT_JSON,
    .run = run_disk,
    .summary = "take a disk from a running domain",
    .help =
        "TARGET is its name in the guest, such as xvdb, or its number. The guest is asked for\n"
        "it, and may keep it for ten seconds; --force does not ask. Unmount it there first: Linux\n"
        "from 5.15 on gives away a mounted disk, too, and what was not written to it is lost.\n",
    .examples = "pvctl detach-disk web xvdb\n"
                "pvctl detach-disk web xvdb --force\n",
};

static int run_nic(const struct call *c)
{
    const char *which = c->options & OPT_MAC ? c->text[AT_MAC] : c->more[0];
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "detach an interface from", &l);

    if (rc)
        return rc;
    if (which && strcmp(which, "bridge") == 0)
        which = NULL; /* virsh wants the type of the interface there */
    else if ((c->options & OPT_MAC) && c->more[0] && strcmp(c->more[0], "bridge") != 0)
        return usage_error(&verb_detach_interface, "--mac, or an interface: ", c->more[0]);
    interrupt_catch();
    rc = hotplug_remove_nic(c->h, &l, which, c->options & OPT_TAKE, &e);
    return end(c, &l, rc, &e);
}

const struct verb verb_detach_interface = {
    .name = "detach-interface",
    .arg = "NAME [INTERFACE]",
    .options = OPT_MAC | OPT_TAKE | OPT_JSON,
    .run = run_nic,
    .summary = "take a network interface from a running domain",
    .help = "INTERFACE is its number or its address; it may be left out where there is one only.\n"
            "The guest is asked for it, and may keep it for ten seconds; --force does not ask.\n",
    .examples = "pvctl detach-interface web\n"
                "pvctl detach-interface web 1\n"
                "pvctl detach-interface web --mac 00:16:3e:00:00:01\n",
};
