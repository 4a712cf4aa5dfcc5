/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the loader: any bytes as a kernel, in a domain of 2 MiB or 4 MiB.
 *
 * The first byte chooses the configuration, the rest is the file. The oracle is check_domain():
 * whatever the loader accepts must be a domain that a guest can rely on; whatever it refuses must
 * come with a sentence and an error of the documented ones. The sanitizers watch the file (a heap
 * block of exact size) and the domain's pages (windows of exact size).
 *
 * Built with clang -fsanitize=fuzzer for real fuzzing, and into unit_loader_hostile for a fixed
 * corpus that runs in each check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/errno.h>

#include "../unit/loader_support.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loader_error error = {""};
    struct loader_image image;
    uint8_t *file;
    int rc;

    if (size < 1)
        return 0;
    file = malloc(size - 1);
    memcpy(file, data + 1, size - 1);
    rc = loader_parse(&image, file, size - 1, &error);
    if (rc) {
        check_refusal(rc, &error);
    } else {
        const struct loader_config config = {
            .nr_pages = data[0] & 1 ? 1024 : 512,
            .cmdline = data[0] & 2 ? "a=b" : NULL,
            .ramdisk = data[0] & 4 ? broken : NULL,
            .ramdisk_size = sizeof(broken),
            .control = data[0] & 8,
            .shared_info = 0x1000,
            .store_evtchn = 3,
            .console_evtchn = 4,
        };

        lay_out(&image, &config, data[0] & 16 ? 1 : 0);
    }
    free(file);
    return 0;
}
