/* SPDX-License-Identifier: MIT */
/*
 * What libxml2 asks of ICU, answered without ICU.
 *
 * Debian builds libxml2 with ICU (45 MB of libraries) to read documents in any character
 * set. Domain files are UTF-8, which libxml2 decodes by itself, as it does ASCII, UTF-16 and
 * Latin-1. The tools are linked statically, and this file says "no such converter" to
 * every request for another one; libxml2 then refuses the document by the name of its
 * encoding. Static programs start three times as fast, which is most of the time of a `list`.
 *
 * The names carry ICU's version (72 in Debian 12). With another libxml2 the link fails, and
 * says which names are missing.
 */
#include <stddef.h>

#define U_FILE_ACCESS_ERROR 4

void *ucnv_open_72(const char *name, int *error);
void ucnv_close_72(void *converter);
void ucnv_convertEx_72(void);
void ucnv_setFromUCallBack_72(void);
void ucnv_setToUCallBack_72(void);
void UCNV_FROM_U_CALLBACK_STOP_72(void);
void UCNV_TO_U_CALLBACK_STOP_72(void);

void *ucnv_open_72(const char *name, int *error)
{
    (void)name;
    *error = U_FILE_ACCESS_ERROR;
    return NULL;
}

/* The rest is reached with a converter only, and there is none. */
void ucnv_close_72(void *converter)
{
    (void)converter;
}

void ucnv_convertEx_72(void)
{
}

void ucnv_setFromUCallBack_72(void)
{
}

void ucnv_setToUCallBack_72(void)
{
}

void UCNV_FROM_U_CALLBACK_STOP_72(void)
{
}

void UCNV_TO_U_CALLBACK_STOP_72(void)
{
}
