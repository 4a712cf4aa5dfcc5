/* SPDX-License-Identifier: MIT */
/*
 * pvctl domxml-from-native: a file of xl as domain XML. What is read is what `create` would make of
 * it; the notes on what has no effect stand on standard error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_file.h"
#include "pvctl.h"

static int run(const struct call *c)
{
    const struct config_how how = {.strict = c->options & OPT_STRICT};
    const char *path = c->more[0] ? c->more[0] : c->arg;
    struct domain_config cfg;
    struct findings f = {0};
    struct error e = {0};
    char *xml;
    int rc;

    if (c->more[0] && strcmp(c->arg, "xen-xl") != 0 && strcmp(c->arg, "xen-xm") != 0)
        return usage_error(&verb_domxml_from_native, "the format is xen-xl, not ", c->arg);
    rc = config_file_read(path, &how, &cfg, &f);
    findings_print(&f, "pvctl: ", config_file_name(path), stderr);
    findings_free(&f);
    if (rc)
        return EXIT_CONFIG;
    xml = domain_config_to_xml(&cfg, -1);
    domain_config_free(&cfg);
    if (!xml) {
        error_errno(&e, -ENOMEM, "%s", config_file_name(path));
        return fail(&e);
    }
    print_xml(xml);
    free(xml);
    return EXIT_OK;
}

const struct verb verb_domxml_from_native = {
    .name = "domxml-from-native",
    .arg = "FILE [FILE]",
    .options = OPT_STRICT,
    .no_host = true,
    .run = run,
    .summary = "print a file of xl as domain XML",
    .help =
        "Of two words the first is the format, as with virsh: xen-xl. Domain XML is read too, and\n"
        "comes out as pvctl keeps it. - is the standard input. It needs no hypervisor and no "
        "root.\n",
    .examples = "pvctl domxml-from-native web.cfg >web.xml\n"
                "pvctl domxml-from-native xen-xl web.cfg\n",
};
