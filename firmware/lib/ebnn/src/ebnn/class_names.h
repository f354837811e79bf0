/*
 * Names of classes: texts in UTF-8, one after the other in flash, each ended by 0.
 */
#ifndef EBNN_CLASS_NAMES_H
#define EBNN_CLASS_NAMES_H

#include "port.h"

/* Where name k lies, in flash. */
EBNN_INLINE const char *ebnn_name_at(const char *names, uint8_t k)
{
    for (; k > 0; names++)
        if (EBNN_READ_U8(names) == 0u)
            k--;
    return names;
}

/* Copies a text from flash, its 0 included. Returns `to`. */
EBNN_INLINE char *ebnn_copy_text(char *to, const char *text)
{
    size_t i = 0;

    do
        to[i] = (char)EBNN_READ_U8(text + i);
    while (to[i++] != 0);
    return to;
}

#endif
