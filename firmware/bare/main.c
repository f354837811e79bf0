/* The bare-metal part of the responder, in place of the Arduino core: 1 microsecond is 1 instruction. */
#include "board.h"
#include "responder.h"
#include "memory.h"

void ebnn_port_put(uint8_t byte)
{
    bare_put(byte);
}

uint32_t ebnn_port_micros(void)
{
    return bare_instructions();
}

int main(void)
{
    bare_paint();
    bare_start();
#ifdef EBNN_UPDATABLE
    ebnn_responder_reset();
#endif
    for (;;) {
        ebnn_responder_take(bare_get());
    }
}
