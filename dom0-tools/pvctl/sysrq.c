/* SPDX-License-Identifier: MIT */
/*
 * pvctl sysrq, pvctl trigger: what a hand on the machine would do: a magic key for Linux, which it
 * finds in the store; a non-maskable interrupt; the power button of an hvm guest.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pvctl.h"
#include "store.h"

static int run_sysrq(const struct call *c)
{
    const char *letter = c->more[0];
    struct live_domain l;
    struct error e = {0};
    int rc;

    if (strlen(letter) != 1 || !isalnum((unsigned char)*letter))
        return usage_error(&verb_sysrq, "a key is one letter or digit, not ", letter);
    rc = need_guest(c, "press such a key of", &l);
    rc = rc ? rc : need_asked(c, &l);
    if (rc)
        return rc;
    rc = store_serves(c->h, l.d.domid);
    if (rc == -ENOENT) {
        error_set(
            &e, -ENODATA,
            "%s: it cannot be asked, for the store has no entries of it (it has none of those "
            "of parvis.cfg)",
            l.name);
        return fail(&e);
    }
    rc = rc ? rc : store_domain_set(c->h, l.d.domid, "control/sysrq", letter);
    if (rc) {
        error_errno(&e, rc, "%s: writing control/sysrq in the store", l.name);
        return fail(&e);
    }
    return EXIT_OK;
}

const struct verb verb_sysrq = {
    .name = "sysrq",
    .arg = "NAME... KEY",
    .each = true,
    .behind = 1,
    .run = run_sysrq,
    .summary = "press a magic SysRq key of Linux",
    .help = "KEY is a letter or digit: s writes what is not on the disks yet, t shows the tasks, l "
            "what\n"
            "each CPU does, h lists the keys; the answer stands in the domain's console. Which "
            "keys do\n"
            "something, kernel.sysrq says in the guest.\n",
    .examples = "pvctl sysrq web s\n"
                "pvctl sysrq web t; pvctl console web </dev/null\n",
};

static int nmi(const struct call *c, const struct live_domain *l, struct error *e)
{
    const char *which = c->more[1];
    unsigned long vcpu = 0;
    char *end;
    int rc;

    if (which) {
        vcpu = strtoul(which, &end, 10);
        if (*which < '0' || *which > '9' || *end)
            return error_set(e, -ERANGE, "%s: this is no vCPU's number: %s", l->name, which);
    }
    if (vcpu > l->d.max_vcpu_id)
        return error_set(e, -ERANGE, "%s: there is no vCPU %s: it has %u", l->name, which,
                         l->d.max_vcpu_id + 1);
    rc = c->h->ops->vcpu_send_nmi(c->h, l->d.domid, (uint32_t)vcpu);
    return rc ? error_errno(e, rc, "%s: vCPU %lu: sending an NMI", l->name, vcpu) : 0;
}

static int power(const struct call *c, const struct live_domain *l, struct error *e)
{
    int rc;

    if (l->d.kind != KIND_HVM)
        return error_set(e, -EOPNOTSUPP,
                         "%s: a %s guest has no power button; `pvctl shutdown` asks it", l->name,
                         kind_name(l->d.kind));
    rc = c->h->ops->domain_power_button(c->h, l->d.domid);
    return rc ? error_errno(e, rc, "%s: pressing its power button", l->name) : 0;
}

static int run_trigger(const struct call *c)
{
    bool by_name = strcmp(c->called, "inject-nmi") == 0; /* virsh's verb says which */
    const char *what = by_name ? "nmi" : c->more[0];
    struct live_domain l;
    struct error e = {0};
    int rc;

    if (!what)
        return usage_error(&verb_trigger, "missing argument WHAT", "");
    if (strcmp(what, "nmi") != 0 && strcmp(what, "power") != 0)
        return usage_error(&verb_trigger, "neither nmi nor power: ", what);
    rc = need_guest(c, "trigger", &l);
    if (rc)
        return rc;
    if (l.d.shutdown || l.d.dying)
        error_set(&e, 0, "%s: it has ended (%s)", l.name, domain_state_text(&l.d));
    rc = e.code ? e.code : *what == 'n' ? nmi(c, &l, &e) : power(c, &l, &e);
    return rc ? fail(&e) : EXIT_OK;
}

const struct verb verb_trigger = {
    .name = "trigger",
    .arg = "NAME [WHAT] [VCPU]",
    .run = run_trigger,
    .summary = "send a domain an NMI, or press its power button",
    .help = "WHAT is nmi, a non-maskable interrupt to a vCPU (0 if none is named), or power, the "
            "power\n"
            "button of an hvm guest. Who says inject-nmi names the domain alone.\n",
    .examples = "pvctl trigger web nmi\n"
                "pvctl trigger web nmi 1\n",
};
