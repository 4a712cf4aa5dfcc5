/* SPDX-License-Identifier: MIT */
/*
 * What is tried again and again, until it can be done, says once why it cannot: for each name each
 * reason, as one may be hindered by several in turn, and several at the same time.
 */
#ifndef PARVIS_TELL_ONCE_H
#define PARVIS_TELL_ONCE_H

/* To the log, if it was not told of this name. So many are remembered; then the oldest may be told
 * once more. */
#define TOLD_MOST 512u
void tell_once(const char *name, const char *text);
/* It could be done: what hinders it the next time is told. */
void tell_again(const char *name);

#endif
