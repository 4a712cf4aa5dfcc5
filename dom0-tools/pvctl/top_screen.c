/* SPDX-License-Identifier: MIT */
/*
 * pvctl top on a terminal, of any size: what does not fit is cut off, and the arrows go there. The
 * names stay where they are.
 */
#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "top.h"

#define FIRST_ROW 3 /* above: two lines about the machine, and the heads */

struct screen {
    const struct call *c;
    struct top_sample now;
    const struct top_column *by;
    unsigned int delay, left; /* seconds; samples that are still to be shown */
    size_t row, column;       /* the first ones that are shown */
    bool help;
};

/* Cut off where the screen ends. The last place of all is left, as writing there would scroll. */
static void put(int y, int x, const char *text)
{
    if (y < LINES && x < COLS - 1)
        mvaddnstr(y, x, text, COLS - 1 - x);
}

static void show_machine(const struct screen *s)
{
    const struct host_physinfo *m = &s->now.machine;
    unsigned int running = 0, blocked = 0, paused = 0, ended = 0;
    char text[160], at[16];
    time_t now = time(NULL);
    struct tm tm;

    for (size_t i = 0; i < s->now.nr; i++) {
        const struct host_domain *d = &s->now.row[i].l.d;

        ended += d->shutdown || d->dying;
        paused += d->paused && !d->shutdown && !d->dying;
        blocked += d->blocked && !d->paused && !d->shutdown && !d->dying;
        running += d->running && !d->paused && !d->shutdown && !d->dying;
    }
    strftime(at, sizeof(at), "%H:%M:%S", localtime_r(&now, &tm));
    snprintf(text, sizeof(text),
             "pvctl top  %s  %zu domain%s: %u running, %u blocked, %u paused, %u ended", at,
             s->now.nr, s->now.nr == 1 ? "" : "s", running, blocked, paused, ended);
    put(0, 0, text);
    snprintf(text, sizeof(text), "CPUs: %u at %u MHz  memory: %llu MiB, %llu MiB free", m->nr_cpus,
             m->cpu_khz / 1000, (unsigned long long)m->total_pages / 256,
             (unsigned long long)m->free_pages / 256);
    put(1, 0, text);
}

/* From column s->column on, behind the name. The heads: row NULL. */
static void show_line(const struct screen *s, int y, const struct top_row *row)
{
    int x = 0;

    for (size_t i = 0; top_columns[i].head; i++) {
        const struct top_column *c = &top_columns[i];
        char text[40];

        if (i > 0 && i <= s->column)
            continue;
        if (row)
            c->put(&s->now, row, text, sizeof(text));
        else
            snprintf(text, sizeof(text), "%*s", c->width, c->head);
        if (!row)
            attrset(c == s->by ? A_REVERSE | A_BOLD : A_REVERSE);
        put(y, x, text);
        x += (int)strlen(text) + 1;
    }
    attrset(A_NORMAL);
}

static void show_help(void)
{
    static const char *const lines[] = {
        "q        quit",
        "s, S     sort by the next column, by the one before",
        "d        seconds from one look to the next",
        "arrows   the other domains and columns; also page up, page down, home",
        "space    look now",
        "h, ?     this",
        "",
        "NETTX: sent to the guest, NETRX: received from it, in KiB since its start.",
        "VBD_OO: times that a disk's requests ran out; sectors are of 512 bytes.",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        put((int)i, 0, lines[i]);
}

static void show_bottom(const struct screen *s)
{
    char text[96];

    snprintf(text, sizeof(text), "q quit  s sort: %s  d delay: %u s  h help", s->by->head,
             s->delay);
    attrset(A_REVERSE);
    put(LINES - 1, 0, text);
    attrset(A_NORMAL);
}

static void show(struct screen *s)
{
    const size_t rows = LINES > FIRST_ROW + 1 ? (size_t)(LINES - FIRST_ROW - 1) : 0;

    if (s->row + rows > s->now.nr)
        s->row = s->now.nr > rows ? s->now.nr - rows : 0;
    erase();
    if (s->help) {
        show_help();
    } else {
        show_machine(s);
        show_line(s, FIRST_ROW - 1, NULL);
        for (size_t i = 0; i < rows && s->row + i < s->now.nr; i++)
            show_line(s, FIRST_ROW + (int)i, &s->now.row[s->row + i]);
    }
    show_bottom(s);
    refresh();
}

static void ask_delay(struct screen *s)
{
    char text[8] = "";
    int n;

    move(LINES - 1, 0);
    clrtoeol();
    put(LINES - 1, 0, "seconds: ");
    echo();
    nodelay(stdscr, FALSE);
    getnstr(text, sizeof(text) - 1);
    nodelay(stdscr, TRUE);
    noecho();
    n = atoi(text);
    if (n >= 1 && n <= 86400)
        s->delay = (unsigned int)n;
    else
        beep();
}

static void sort_by(struct screen *s, int step)
{
    size_t n = 0, at = (size_t)(s->by - top_columns);

    while (top_columns[n].head)
        n++;
    s->by = &top_columns[(at + n + (size_t)step) % n];
    top_sort(&s->now, s->by);
}

static void scroll_to(struct screen *s, int key)
{
    size_t page = LINES > FIRST_ROW + 2 ? (size_t)(LINES - FIRST_ROW - 1) : 1;

    if (key == KEY_UP && s->row > 0)
        s->row--;
    else if (key == KEY_DOWN)
        s->row++; /* show() knows where the end is */
    else if (key == KEY_PPAGE)
        s->row -= s->row < page ? s->row : page;
    else if (key == KEY_NPAGE)
        s->row += page;
    else if (key == KEY_HOME)
        s->row = s->column = 0;
    else if (key == KEY_LEFT && s->column > 0)
        s->column--;
    else if (key == KEY_RIGHT && top_columns[s->column + 2].head)
        s->column++;
}

enum wish { GO_ON, LOOK, QUIT };

static enum wish take_key(struct screen *s, int key)
{
    if (key == 'q' || key == 'Q')
        return QUIT;
    if (key == ' ')
        return LOOK;
    if (s->help || key == 'h' || key == 'H' || key == '?')
        s->help = !s->help;
    else if (key == 's' || key == 'S')
        sort_by(s, key == 's' ? 1 : -1);
    else if (key == 'd' || key == 'D')
        ask_delay(s);
    else
        scroll_to(s, key);
    return GO_ON;
}

/* Keys, until it is time to look again. A terminal that hangs up is like q, and so is a signal,
 * which ends us when the screen is as it was. */
static enum wish wait_for_keys(struct screen *s)
{
    const uint64_t start = now_ms();

    for (;;) {
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        int64_t wait = (int64_t)(start + s->delay * UINT64_C(1000) - now_ms());
        int key, ready;

        if (interrupt_came())
            return QUIT;
        if (wait <= 0)
            return LOOK;
        ready = poll(&p, 1, (int)wait);
        key = getch(); /* a new size is one, too */
        if (ready > 0 && key == ERR)
            return QUIT;
        for (; key != ERR; key = getch()) {
            enum wish w = take_key(s, key);

            if (w != GO_ON)
                return w;
        }
        show(s);
    }
}

static int look(struct screen *s, FILE *record, struct error *e)
{
    struct top_sample next;
    int rc = top_take(s->c->h, s->now.row ? &s->now : NULL, &next, e);

    if (rc)
        return rc;
    top_forget(&s->now);
    s->now = next;
    if (record)
        rc = top_record(record, s->c->text[AT_RECORD], &s->now, e);
    top_sort(&s->now, s->by);
    return rc;
}

static int run_screen(struct screen *s, FILE *record, struct error *e)
{
    int rc = look(s, record, e);

    while (rc == 0) {
        show(s);
        if (--s->left == 0 || wait_for_keys(s) == QUIT)
            break;
        rc = look(s, record, e);
    }
    return rc;
}

int top_screen(const struct call *c, FILE *record)
{
    struct screen s = {.c = c,
                       .by = &top_columns[TOP_BY_CPU],
                       .delay = top_delay(c),
                       .left = c->options & OPT_ITERATIONS ? c->number[AT_ITERATIONS] : UINT32_MAX};
    const char *type = getenv("TERM");
    struct error e = {0};
    SCREEN *screen;

    interrupt_catch(); /* before curses does, which would exit with 1 */
    screen = newterm(NULL, stdout, stdin);
    if (!screen) {
        error_set(&e, -ENOTTY,
                  "this terminal, %s, is not known here: TERM=vt100 may do, or pvctl top --batch",
                  type && *type ? type : "of no TERM");
        return fail(&e);
    }
    cbreak();
    noecho();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    curs_set(0);
    (void)run_screen(&s, record, &e);
    move(LINES - 1, 0); /* where the prompt will stand */
    clrtoeol();
    refresh();
    endwin();
    delscreen(screen);
    top_forget(&s.now);
    return e.code ? fail(&e) : EXIT_OK;
}
