/* SPDX-License-Identifier: MIT */
/*
 * pvctl plot, the picture: four panels one below the other with the same time, a line for each
 * domain, and the names beside. Numbers on the axes are round.
 */
#include <limits.h>
#include <math.h>
#include <time.h>

#include "plain.h"
#include "plot.h"

#define WIDTH   1000
#define LEFT    70
#define RIGHT   190 /* for the names */
#define TOP     40
#define PANEL   170
#define BETWEEN 40
#define SHOWN   28u /* names; that they are more is said */

static const char *const titles[NR_PLOTS] = {
    [PLOT_CPU] = "CPU, percent of one",
    [PLOT_MEMORY] = "memory, MiB",
    [PLOT_NETWORK] = "network, KiB a second, received and sent",
    [PLOT_DISK] = "disks, KiB a second, read and written",
};

/* Told apart by people who see red and green alike, too; then they come again, broken. */
static const char *const colours[] = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#d55e00", "#000000", "#999933"};
#define NR_COLOURS (sizeof(colours) / sizeof(colours[0]))
static const char *const dashes[] = {"none", "6 3", "2 2", "8 2 2 2"};
#define NR_DASHES (sizeof(dashes) / sizeof(dashes[0]))

/* What the axes span. */
struct span {
    double from, to, most[NR_PLOTS];
};

/* XML has no text that would control something, or is none: that is made visible. */
static void put_text(FILE *out, const char *of)
{
    char line[PATH_MAX], *text = line;

    snprintf(line, sizeof(line), "%s", of);
    plain_line(line);
    for (; *text; text++) {
        if (*text == '&' || *text == '<' || *text == '>' || *text == '"')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

/* 1, 2 or 5 times a power of ten, at least so much. */
static double round_up(double most)
{
    double power = pow(10, floor(log10(most > 0 ? most : 1)));
    double n = most / power;

    return power * (n <= 1 ? 1 : n <= 2 ? 2 : n <= 5 ? 5 : 10);
}

static struct span measure(const struct plot *p)
{
    struct span s = {.from = INFINITY, .to = -INFINITY};

    for (size_t i = 0; i < p->nr; i++) {
        for (size_t k = 0; k < p->line[i].nr; k++) {
            const struct plot_point *at = &p->line[i].point[k];

            s.from = fmin(s.from, at->time);
            s.to = fmax(s.to, at->time);
            for (int n = 0; n < NR_PLOTS; n++)
                s.most[n] = fmax(s.most[n], at->value[n]);
        }
    }
    for (int n = 0; n < NR_PLOTS; n++)
        s.most[n] = round_up(s.most[n]);
    if (s.to <= s.from)
        s.to = s.from + 1;
    return s;
}

static double x_of(const struct span *s, double time)
{
    return LEFT + (time - s->from) / (s->to - s->from) * (WIDTH - LEFT - RIGHT);
}

static int top_of(int panel)
{
    return TOP + panel * (PANEL + BETWEEN);
}

static void draw_axes(const struct span *s, int panel, FILE *out)
{
    const int top = top_of(panel), right = WIDTH - RIGHT;

    fprintf(out, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT, top - 6, titles[panel]);
    for (int i = 0; i <= 4; i++) {
        double y = top + PANEL * (1 - i / 4.0);
        time_t at = (time_t)(s->from + (s->to - s->from) * i / 4);
        char text[16] = "";
        struct tm tm;

        fprintf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", LEFT, y, right);
        fprintf(out, "<text class=\"y\" x=\"%d\" y=\"%.1f\">%.6g</text>\n", LEFT - 6, y + 4,
                s->most[panel] * i / 4);
        strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&at, &tm));
        fprintf(out, "<text class=\"x\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                LEFT + (right - LEFT) * i / 4.0, top + PANEL + 14, text);
    }
}

static void style(size_t i, FILE *out)
{
    fprintf(out, "stroke=\"%s\" stroke-dasharray=\"%s\"", colours[i % NR_COLOURS],
            dashes[i / NR_COLOURS % NR_DASHES]);
}

/* One point alone is drawn as a dot: a line of no length with round ends. */
static void draw_line(const struct plot_line *l, size_t i, const struct span *s, int panel,
                      FILE *out)
{
    fputs("<path class=\"line\" ", out);
    style(i, out);
    fputs(" d=\"", out);
    for (size_t k = 0; k < l->nr; k++)
        fprintf(out, "%c%.1f %.1f", k ? 'L' : 'M', x_of(s, l->point[k].time),
                top_of(panel) + PANEL * (1 - l->point[k].value[panel] / s->most[panel]));
    fputs(l->nr == 1 ? "h0\"/>\n" : "\"/>\n", out);
}

static void draw_names(const struct plot *p, FILE *out)
{
    const int x = WIDTH - RIGHT + 15;
    size_t shown = p->nr < SHOWN ? p->nr : SHOWN;

    for (size_t i = 0; i < shown; i++) {
        int y = TOP + 10 + (int)i * 20;

        fprintf(out, "<path class=\"line\" ");
        style(i, out);
        fprintf(out, " d=\"M%d %dh24\"/><text x=\"%d\" y=\"%d\">", x, y - 4, x + 30, y);
        put_text(out, p->line[i].name);
        fprintf(out, " (%u)</text>\n", p->line[i].id);
    }
    if (shown < p->nr)
        fprintf(out, "<text x=\"%d\" y=\"%d\">and %zu more</text>\n", x, TOP + 10 + (int)shown * 20,
                p->nr - shown);
}

void plot_draw(const struct plot *p, const char *title, FILE *out)
{
    const struct span s = measure(p);
    const int height = top_of(NR_PLOTS);

    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n<title>",
            WIDTH, height, WIDTH, height);
    put_text(out, title);
    fputs("</title>\n<style>.grid{stroke:#ddd}.line{fill:none;stroke-width:1.5;"
          "stroke-linecap:round}.x{text-anchor:middle}.y{text-anchor:end}</style>\n"
          "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
          out);
    for (int panel = 0; panel < NR_PLOTS; panel++) {
        draw_axes(&s, panel, out);
        for (size_t i = 0; i < p->nr; i++)
            draw_line(&p->line[i], i, &s, panel, out);
    }
    draw_names(p, out);
    fputs("</svg>\n", out);
}
