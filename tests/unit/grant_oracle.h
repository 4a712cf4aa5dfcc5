/* SPDX-License-Identifier: MIT */
/*
 * The oracle of grants: recounts from the maptracks of all domains how often each grant is in use,
 * and compares with what each granter's active entries say; and holds each maptrack's chain of free
 * handles against its used ones. Aborts with a line that says what differs. (host_recount()
 * recounts the references of frames, those of grant mappings among them.)
 */
#ifndef TESTS_GRANT_ORACLE_H
#define TESTS_GRANT_ORACLE_H

#include <core/grant/grant_internal.h>

void grant_oracle_check(void);

#endif
