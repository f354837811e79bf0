/* Byte by byte; compiled so that the compiler does not make calls to these very functions of the loops. */
#include "string.h"

void *memcpy(void *to, const void *from, size_t count)
{
    return memmove(to, from, count);
}

void *memmove(void *to, const void *from, size_t count)
{
    unsigned char *target = to;
    const unsigned char *source = from;

    if (target < source) {
        while (count-- > 0) {
            *target++ = *source++;
        }
    } else {
        while (count-- > 0) {
            target[count] = source[count];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    unsigned char *target = to;

    while (count-- > 0) {
        *target++ = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const unsigned char *a = left;
    const unsigned char *b = right;

    for (; count > 0; a++, b++, count--) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}
