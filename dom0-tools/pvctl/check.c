/* SPDX-License-Identifier: MIT */
/*
 * pvctl check: what `create` would say to files, without a domain, a hypervisor or the rights of
 * root. What depends on the machine (are the disks there, and free?) is not looked at.
 */
#include "config_file.h"
#include "pvctl.h"

static void print_json(const char *file, bool accepted, const struct findings *f)
{
    json_open('{');
    json_string("file", file);
    json_bool("accepted", accepted);
    json_key("findings");
    json_open('[');
    for (size_t i = 0; i < f->nr; i++) {
        json_open('{');
        json_number("line", f->list[i].line > 0 ? (unsigned long long)f->list[i].line : 0);
        json_string("kind", f->list[i].code ? "error" : "note");
        json_string("text", f->list[i].text);
        json_close('}');
    }
    json_close(']');
    json_close('}');
}

/* true: it is accepted. */
static bool check_one(const struct call *c, const char *path)
{
    const struct config_how how = {.strict = c->options & OPT_STRICT};
    const char *file = config_file_name(path);
    struct domain_config cfg;
    struct findings f = {0};
    bool accepted = config_file_read(path, &how, &cfg, &f) == 0;

    if (c->options & OPT_JSON) {
        print_json(file, accepted, &f);
    } else {
        findings_print(&f, "pvctl: ", file, stderr);
        if (accepted)
            printf("%s: %s, kind %s, is accepted\n", file, cfg.name, kind_name(cfg.kind));
    }
    if (accepted)
        domain_config_free(&cfg);
    findings_free(&f);
    return accepted;
}

static int run(const struct call *c)
{
    int rc = EXIT_OK;

    if (c->options & OPT_JSON)
        json_open('[');
    for (size_t i = 0; i < c->nr_args; i++)
        rc = check_one(c, c->args[i]) ? rc : EXIT_CONFIG;
    if (c->options & OPT_JSON)
        json_close(']');
    return rc;
}

const struct verb verb_check = {
    .name = "check",
    .arg = "FILE...",
    .options = OPT_STRICT | OPT_JSON,
    .no_host = true,
    .run = run,
    .summary = "say what create would say to files, and create nothing",
    .help = "All errors of a file, each with its line. It needs no hypervisor and no root; whether "
            "disks and\n"
            "bridges are there it does not look. - is the standard input. Status 4: one is not "
            "accepted.\n",
    .examples = "pvctl check web.cfg db.xml\n"
                "pvctl check --json - <web.cfg\n",
};
