/* Shifts of 64 bits, by 0 to 63, as the compiler calls them. libgcc's are compiled for another core and do not link. */

typedef unsigned long long bits64;

bits64 __ashldi3(bits64 value, int by)
{
    unsigned long low = (unsigned long)value, high = (unsigned long)(value >> 32);

    if (by >= 32) {
        high = low << (by - 32);
        low = 0;
    } else if (by > 0) {
        high = high << by | low >> (32 - by);
        low <<= by;
    }
    return (bits64)high << 32 | low;
}

bits64 __lshrdi3(bits64 value, int by)
{
    unsigned long low = (unsigned long)value, high = (unsigned long)(value >> 32);

    if (by >= 32) {
        low = high >> (by - 32);
        high = 0;
    } else if (by > 0) {
        low = low >> by | high << (32 - by);
        high >>= by;
    }
    return (bits64)high << 32 | low;
}

long long __ashrdi3(long long value, int by)
{
    unsigned long low = (unsigned long)value;
    long high = (long)((bits64)value >> 32);

    if (by >= 32) {
        low = (unsigned long)(high >> (by - 32));
        high >>= 31;
    } else if (by > 0) {
        low = low >> by | (unsigned long)high << (32 - by);
        high >>= by;
    }
    return (long long)((bits64)(unsigned long)high << 32 | low);
}
