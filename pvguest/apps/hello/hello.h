/* SPDX-License-Identifier: MIT */
/*
 * What the two files of hello share: main.c greets and waits, shell.c answers the console.
 */
#ifndef HELLO_H
#define HELLO_H

void print_date(void);

void shell_prompt(void);
/* Takes what is typed so far; runs each complete line. */
void shell_input(void);

#endif
