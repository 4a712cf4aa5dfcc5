/* SPDX-License-Identifier: MIT */
/*
 * resize: asks the terminal at the other end of a serial line for its size, and tells the kernel.
 *
 * A serial line does not know that size, but the terminal does: sent to the far corner, it answers
 * where the cursor is. The shell of the control domain asks at each prompt (/etc/profile), so
 * nothing that is typed meanwhile may be lost: what is not the answer is put back to be read again,
 * and who has typed ahead is not asked. A program in a terminal's place answers nothing, and is not
 * waited for long.
 *
 * Status 0: the size is set, or nothing was asked; 1: no answer; 2: this is no terminal.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"

#define ANSWER_MS 1000
#define QUESTION  "\0337\033[999;999H\033[6n\0338" /* where the cursor is is kept and given back */

/* Takes ESC [ ROWS ; COLUMNS R out of what was read; false: it is not there. */
static bool take_answer(char *text, struct winsize *size)
{
    for (char *at = strchr(text, '\033'); at; at = strchr(at + 1, '\033')) {
        unsigned short rows, columns;
        int len;

        if (sscanf(at, "\033[%4hu;%4hu%n", &rows, &columns, &len) == 2 && at[len] == 'R' && rows &&
            columns) {
            *size = (struct winsize){.ws_row = rows, .ws_col = columns};
            memmove(at, at + len + 1, strlen(at + len + 1) + 1);
            return true;
        }
    }
    return false;
}

/* The beginning of an answer whose rest has not come is not put back: nobody typed it. */
static void cut_unfinished(char *text)
{
    char *at = strrchr(text, '\033');

    if (at && at[1] == '[' && at[2 + strspn(at + 2, "0123456789;")] == '\0')
        *at = '\0';
}

/* Asks; what else comes meanwhile stays in text. */
static bool ask(char *text, size_t room, struct winsize *size)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t limit = now_ms() + ANSWER_MS;
    int64_t left;
    size_t len = 0;

    if (write(STDOUT_FILENO, QUESTION, strlen(QUESTION)) < 0)
        return false;
    while (len + 1 < room && (left = (int64_t)(limit - now_ms())) > 0 &&
           poll(&p, 1, (int)left) > 0) {
        ssize_t n = read(STDIN_FILENO, text + len, room - 1 - len);

        if (n <= 0)
            break;
        len = strnlen(text, len + (size_t)n); /* nobody types a NUL */
        text[len] = '\0';
        if (take_answer(text, size))
            return true;
    }
    cut_unfinished(text);
    return false;
}

static bool typed_ahead(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

int main(void)
{
    struct termios before, raw;
    struct winsize size = {0};
    char text[4096] = "";
    bool answered;

    if (tcgetattr(STDIN_FILENO, &before) < 0 || !isatty(STDOUT_FILENO)) {
        fputs("resize: standard input and output are no terminal\n", stderr);
        return 2;
    }
    raw = before;
    cfmakeraw(&raw);
    raw.c_oflag = before.c_oflag;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    answered = typed_ahead() || ask(text, sizeof(text), &size);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    for (const char *c = text; *c; c++)
        ioctl(STDIN_FILENO, TIOCSTI, c);
    if (size.ws_row && ioctl(STDIN_FILENO, TIOCSWINSZ, &size) < 0)
        perror("resize");
    return answered ? 0 : 1;
}
