/* SPDX-License-Identifier: MIT */
/* Whether a machine can run fully virtualized guests. */
#ifndef PARVIS_TOOLS_MACHINE_LACKS_H
#define PARVIS_TOOLS_MACHINE_LACKS_H

#include "host.h"

/* What it lacks for them, in words; NULL: nothing. */
static inline const char *machine_lacks(const struct host_physinfo *p)
{
    return !p->svm   ? "its CPUs have no SVM (AMD-V)"
           : !p->hvm ? "SVM (AMD-V) is switched off in the firmware"
           : !p->hap ? "its CPUs have no nested paging that is safe"
                     : NULL;
}

#endif
