/* SPDX-License-Identifier: MIT */
/* Writes the document that fuzzing of the configuration starts from to the standard output. */
#include <stdio.h>

#include "../unit/tools_config.h"

int main(void)
{
    (void)parse;
    return fwrite(good, 1, sizeof(good) - 1, stdout) != sizeof(good) - 1;
}
