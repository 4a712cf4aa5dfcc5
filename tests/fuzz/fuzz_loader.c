/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the loader: any bytes as a kernel, in a domain of 2 MiB or 4 MiB; fully virtualized, of 4
 * MiB or a little more.
 *
 * The first byte chooses the configuration and how it starts, the rest is the file. The oracles are
 * check_domain() and check_pvh_domain(): whatever the loader accepts must be a domain that a guest
 * can rely on; whatever it refuses must come with a sentence and an error of the documented ones.
 * The sanitizers watch the file (a heap block of exact size) and the domain's pages (windows of
 * exact size).
 *
 * Built with clang -fsanitize=fuzzer for real fuzzing, and into unit_loader_hostile for a fixed
 * corpus that runs in each check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/errno.h>

#include "../unit/loader_support.h"
#include "../unit/pvh_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char broken[] = "the loader broke a rule";

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s: %s\n", broken, what);
        abort();
    }
}

static void check_refusal(int rc, const struct loader_error *error)
{
    require(rc == -XEN_ENOEXEC || rc == -XEN_ENOMEM || rc == -XEN_EINVAL, "its error codes");
    require(error->text[0] != '\0', "a refusal without a sentence");
    require(memchr(error->text, '\0', sizeof(error->text)) != NULL, "an endless sentence");
    for (const char *s = error->text; *s; s++)
        require(*s >= ' ' && *s < 0x7f, "a sentence that cannot be printed");
}

static void lay_out(const struct loader_image *image, const struct loader_config *config,
                    uint64_t max_window)
{
    struct loader_error error = {""};
    struct loader_layout layout;
    struct memory m;
    const char *fault;
    int rc = loader_plan(&layout, image, config, &error);

    if (rc) {
        check_refusal(rc, &error);
        return;
    }
    memory_init(&m, config->nr_pages);
    m.max_window = max_window;
    rc = loader_write(&layout, image, config, &m.target, &error);
    require(rc == 0, "what was planned could not be written");
    fault = check_domain(&m, &layout, image, config);
    require(fault == NULL, fault);
    memory_free(&m);
}

static void lay_out_pvh(const struct loader_image *image, const struct loader_config *config,
                        uint64_t max_window)
{
    struct loader_error error = {""};
    struct loader_pvh_layout layout;
    struct pvh_memory p;
    const char *fault;
    int rc = loader_pvh_plan(&layout, image, config, &error);

    if (rc) {
        check_refusal(rc, &error);
        return;
    }
    pvh_memory_init(&p, config->nr_pages);
    p.m.max_window = max_window;
    rc = loader_pvh_write(&layout, image, config, &p.target, &error);
    require(rc == 0, "what was planned could not be written");
    fault = check_pvh_domain(&p, &layout, image, config);
    require(fault == NULL, fault);
    memory_free(&p.m);
}

static void load(const uint8_t *file, size_t size, uint8_t choice)
{
    struct loader_error error = {""};
    struct loader_image image;
    bool pvh = choice & 32;
    struct loader_config config = {
        .nr_pages = choice & 1 ? 1024 : 512,
        .cmdline = choice & 2 ? "a=b" : NULL,
        .ramdisk = choice & 4 ? broken : NULL,
        .ramdisk_size = sizeof(broken),
        .control = choice & 8,
        .nr_vcpus = choice & 8 ? 64 : 1,
        .shared_info = 0x1000,
        .store_evtchn = 3,
        .console_evtchn = 4,
    };
    uint64_t max_window = choice & 16 ? 1 : 0;
    int rc;

    if (pvh) {
        rc = loader_pvh_parse(&image, file, size, &error);
        config.nr_pages = choice & 1 ? HVM_MIN_PAGES : HVM_MIN_PAGES + 77;
    } else {
        rc = loader_parse(&image, file, size, &error);
    }
    if (rc)
        check_refusal(rc, &error);
    else if (pvh)
        lay_out_pvh(&image, &config, max_window);
    else
        lay_out(&image, &config, max_window);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *file;

    if (size < 1)
        return 0;
    file = malloc(size - 1);
    memcpy(file, data + 1, size - 1);
    load(file, size - 1, data[0]);
    free(file);
    return 0;
}
