/* SPDX-License-Identifier: MIT */
/*
 * What sources of x86/ say, which tests look at without the core's log.
 */
#ifndef TESTS_X86_LOG_H
#define TESTS_X86_LOG_H

extern char said[2048]; /* line by line; a test empties it */

#endif
