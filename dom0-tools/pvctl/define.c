/* SPDX-License-Identifier: MIT */
/*
 * pvctl define: keeps a domain's configuration under its name, for `start` and for the next start
 * of the machine.
 */
#include "config.h"
#include "definition.h"
#include "pvctl.h"

static int run(const struct call *c)
{
    struct domain_config cfg;
    struct error e = {0};
    int rc;

    if (read_config(c, &cfg))
        return EXIT_CONFIG;
    definitions_come();
    rc = definition_write(&cfg, &e) ? fail(&e) : EXIT_OK;
    if (rc == EXIT_OK)
        printf("%s: defined\n", cfg.name);
    if (rc == EXIT_OK && definition_is_lost_at_the_end())
        fprintf(stderr,
                "pvctl: note: %s lies in memory until the machine ends: pvctl(1) says how it "
                "is kept\n",
                definition_path(cfg.name));
    domain_config_free(&cfg);
    return rc;
}

const struct verb verb_define = {
    .name = "define",
    .arg = "FILE...",
    .options = OPT_STRICT,
    .no_host = true,
    .each = true,
    .run = run,
    .summary = "keep a domain's configuration under its name, and start nothing",
    .help =
        "FILE is as for create. The definition gets a uuid and MAC addresses, if it has none, and "
        "keeps\n"
        "them, also when it is defined anew. A domain of its name that runs goes on as it is.\n",
    .examples = "pvctl define web.xml\n"
                "pvctl dumpxml web | pvctl define -\n",
};
