/* SPDX-License-Identifier: MIT */
/*
 * Limits of a disk's rate in domain XML: see config_rates.h.
 */
#include "config_rates.h"

#include <errno.h>
#include <inttypes.h>

#include "config_nodes.h"

static const struct {
    const char *name;
    uint64_t least, most;
} rows[NR_DISK_RATES] = {
    [DISK_READ_BYTES] = {"read_bytes_sec", CONFIG_MIN_RATE_BYTES, CONFIG_MAX_RATE_BYTES},
    [DISK_WRITE_BYTES] = {"write_bytes_sec", CONFIG_MIN_RATE_BYTES, CONFIG_MAX_RATE_BYTES},
    [DISK_READ_IOPS] = {"read_iops_sec", 1, CONFIG_MAX_RATE_IOPS},
    [DISK_WRITE_IOPS] = {"write_iops_sec", 1, CONFIG_MAX_RATE_IOPS},
};

void config_rates_fill(xmlNodePtr disk, struct disk_rates *r, struct findings *f)
{
    xmlNodePtr tune = node_child(disk, "iotune");

    for (unsigned int i = 0; i < NR_DISK_RATES; i++) {
        xmlNodePtr n = node_child(tune, rows[i].name);
        uint64_t rate = node_number(node_text(n), 0);

        if (rate && (rate < rows[i].least || rate > rows[i].most))
            findings_error(f, -ERANGE, xmlGetLineNo(n),
                           "<%s>: %" PRIu64 " a second is not between %" PRIu64 " and %" PRIu64
                           "; 0 is without limit",
                           rows[i].name, rate, rows[i].least, rows[i].most);
        else
            r->of[i] = rate;
    }
}

void config_rates_put(FILE *f, const struct disk_rates *r)
{
    if (!disk_rates_any(r))
        return;
    fputs("      <iotune>\n", f);
    for (unsigned int i = 0; i < NR_DISK_RATES; i++) {
        if (r->of[i])
            fprintf(f, "        <%s>%" PRIu64 "</%s>\n", rows[i].name, r->of[i], rows[i].name);
    }
    fputs("      </iotune>\n", f);
}
