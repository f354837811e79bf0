#include "board.h"

#include <semihost.h>

void bare_stop(const char *what, uint32_t pc)
{
    char place[] = " at pc 0x00000000\n";
    uint8_t i;

    for (i = 0; i < 8u; i++) {
        place[16 - i] = "0123456789abcdef"[pc & 15u];
        pc >>= 4;
    }
    sys_semihost_write0(what);
    sys_semihost_write0(place);
    sys_semihost_exit(ADP_Stopped_InternalError, 1);
    for (;;) {
    }
}
