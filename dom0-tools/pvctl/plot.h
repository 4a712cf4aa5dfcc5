/* SPDX-License-Identifier: MIT */
/*
 * pvctl plot: a picture (SVG) of what `pvctl top --record` wrote: read (plot.c), and drawn
 * (plot_svg.c).
 */
#ifndef PVCTL_PLOT_H
#define PVCTL_PLOT_H

#include "pvctl.h"

/* What is drawn: one below the other. */
enum { PLOT_CPU, PLOT_MEMORY, PLOT_NETWORK, PLOT_DISK, NR_PLOTS };

struct plot_point {
    double time;
    double value[NR_PLOTS]; /* percent, MiB, KiB a second, KiB a second */
};

/* A domain, by name and number; its points in the order of time. */
struct plot_line {
    char name[65];
    unsigned int id;
    struct plot_point *point;
    size_t nr;
    double bytes[NR_PLOTS]; /* counters at its last point, while they are read */
};

struct plot {
    struct plot_line *line;
    size_t nr;
};

void plot_draw(const struct plot *p, const char *title, FILE *out);

#endif
