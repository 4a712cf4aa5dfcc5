/* SPDX-License-Identifier: MIT */
/*
 * pvctl create: a domain from its file. Its console is kept from before its first
 * instruction, so --console misses nothing, however short the domain lives.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "interrupt.h"
#include "pvctl.h"

/* The console is opened before the first instruction. The domain is made; that its console is
 * taken already is no reason to undo it. */
static int open_console(const struct call *c, const char *name)
{
    struct error e = {0};
    int console = c->options & OPT_CONSOLE ? console_open(name, false, &e) : -1;

    if (e.code)
        fail(&e);
    return console;
}

int create_domain(const struct call *c, struct domain_config *cfg)
{
    bool paused = c->options & OPT_PAUSED;
    struct error e = {0};
    uint32_t domid;
    int console, rc;

    if (lifecycle_make(c->h, cfg, &console_by_daemon, &domid, &e)) {
        rc = fail(&e);
        return e.code == -ERANGE ? EXIT_CONFIG : rc; /* it wants CPUs that are not there */
    }
    console = open_console(c, cfg->name);
    rc = lifecycle_go(c->h, cfg, &console_by_daemon, domid, paused, &e) ? fail(&e) : EXIT_OK;
    if (rc)
        return rc;
    interrupt_release();
    if ((c->options & OPT_CONSOLE) && paused)
        fprintf(stderr, "[%s: paused: `pvctl unpause` elsewhere lets it go on]\n", cfg->name);
    if (c->options & OPT_CONSOLE)
        return console < 0 ? EXIT_REFUSED : console_attach(console, cfg->name, true);
    if (c->options & OPT_JSON) {
        json_open('{');
        json_string("name", cfg->name);
        json_number("id", domid);
        json_bool("paused", paused);
        json_close('}');
    } else {
        printf("%s: domain %u%s\n", cfg->name, domid, paused ? ", paused" : "");
    }
    return EXIT_OK;
}

int read_config(const struct call *c, struct domain_config *cfg)
{
    const struct config_how how = {.strict = c->options & OPT_STRICT};
    struct findings f = {0};
    int rc = config_file_read(c->arg, &how, cfg, &f);

    findings_print(&f, "pvctl: ", config_file_name(c->arg), stderr);
    findings_free(&f);
    return rc;
}

/* What --name says. */
static int rename_config(const struct call *c, struct domain_config *cfg)
{
    struct error e = {0};
    char *name;

    if (!(c->options & OPT_NAME))
        return 0;
    name = strdup(c->text[AT_NAME]);
    if (!name) {
        error_errno(&e, -ENOMEM, "--name");
        return fail(&e);
    }
    free(cfg->name);
    cfg->name = name;
    return 0;
}

static int run(const struct call *c)
{
    struct domain_config cfg;
    int rc;

    if ((c->options & OPT_NAME) && !domain_name_ok(c->text[AT_NAME]))
        return usage_error(&verb_create, NAME_RULE, c->text[AT_NAME]);
    if (read_config(c, &cfg))
        return EXIT_CONFIG;
    rc = rename_config(c, &cfg);
    rc = rc ? rc : create_domain(c, &cfg);
    domain_config_free(&cfg);
    return rc;
}

const struct verb verb_create = {
    .name = "create",
    .arg = "FILE...",
    .each = true,
    .options = OPT_NAME | OPT_CONSOLE | OPT_PAUSED | OPT_STRICT | OPT_JSON,
    .run = run,
    .summary = "create a domain from its file and start it",
    .help =
        "FILE is libvirt domain XML, or a file of xl: its content tells. - is the standard input.\n"
        "/etc/parvis has examples; docs/man/parvis-domain.5 of Parvis's sources describes both. "
        "What has\n"
        "no effect here is passed over, with a note if somebody may miss it; what there is not is "
        "refused.\n"
        "With --console the command ends when the domain does, also where its standard input has "
        "ended;\n"
        "at a terminal ^] detaches. With --paused too, it waits for somebody to unpause the "
        "domain.\n",
    .examples = "pvctl create /etc/parvis/hello.xml\n"
                "pvctl create --console web.cfg\n"
                "pvctl create --name test web.cfg\n"
                "pvctl create web.cfg db.cfg\n"
                "sed s/web/test/ web.cfg | pvctl create -\n",
};
