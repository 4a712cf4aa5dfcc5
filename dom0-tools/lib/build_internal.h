/* SPDX-License-Identifier: MIT */
/*
 * The domain builder, between its files: build.c has what is the same for all kinds of guests,
 * build_pv.c and build_hvm.c what is of one, window.c the way to the domain's pages.
 */
#ifndef PARVIS_TOOLS_BUILD_INTERNAL_H
#define PARVIS_TOOLS_BUILD_INTERNAL_H

#include <parvis/loader.h>
#include <parvis/loader_pvh.h>

#include "build.h"
#include "kernel_image.h"

#define KIB_PER_PAGE   4
#define CONTROL_DOMAIN 0u

struct builder;

/* What is of a kind. Each sets the error when it fails. */
struct build_kind {
    unsigned int order;    /* of the extents that its memory is given in */
    uint64_t pages_beside; /* that the domain has beside its memory */
    /* From the files alone: can it be, and where does everything go? */
    int (*plan)(struct builder *b, struct error *e);
    int (*give_memory)(struct builder *b, struct error *e);
    /* The memory is there, the ports are open: what is in it, and how vCPU 0 begins. */
    int (*lay_out)(struct builder *b, struct error *e);
};
extern const struct build_kind build_pv, build_hvm;

/* Pages of the domain that are mapped here. */
struct window {
    uint8_t *va;
    uint64_t pfn, count;
    int error; /* why the last could not be opened */
};

struct builder {
    struct host *h;
    const struct domain_config *cfg;
    const struct build_kind *kind;
    struct file_image kernel, ramdisk;
    struct loader_image image;
    struct loader_config config;
    union {
        struct loader_layout layout;
        struct loader_pvh_layout pvh;
    };
    struct build_result result;
    uint64_t nr_pages;
    uint64_t given; /* pages of its memory that it has */
    uint64_t *mfns; /* of each pfn; NULL: the host knows a page by the domain's own number */
    struct window window;
};

/* Gives the domain pages from *at on, as many as there are; *at goes on to the first that it did
 * not get. */
int __must_check build_populate(struct builder *b, uint64_t *at, uint64_t end, struct error *e);
/* The daemons of the control domain reach the two rings by grants. */
int __must_check build_grant_rings(struct builder *b, struct error *e);
/* How loader_*write() ended, in words. */
int __must_check build_written(struct builder *b, int rc, const struct loader_error *why,
                               struct error *e);

/* window.c. The functions of struct loader_target, but for its ctx, which is the builder. */
void *window_map(void *ctx, uint64_t pfn, uint64_t *count);
void window_unmap(void *ctx, void *va, uint64_t count);
int __must_check window_close(struct builder *b);

#endif
