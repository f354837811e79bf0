/* Reads the wire on stdin. For every frame that ends it prints a line: the event and the content in hexadecimal; and
 * for an intact one a second line, the frame as frames.c sends it, its content cut into spans of up to 7 bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "frames.h"

static void put(uint8_t byte)
{
    printf("%02x", byte);
}

int main(void)
{
    static struct ebnn_frame_decoder decoder;
    static uint8_t content[1 << 16];
    static struct ebnn_span spans[(1 << 16) / 3];
    int byte;

    while ((byte = getchar()) != EOF) {
        uint8_t event = ebnn_frame_take(&decoder, (uint8_t)byte);
        uint32_t i;

        if (event == EBNN_FRAME_CONTENT) {
            if (decoder.length > sizeof content) {
                abort();
            }
            content[decoder.length - 1u] = decoder.value;
        } else if (event >= EBNN_FRAME_INTACT) {
            printf("%d ", event);
            for (i = 0; i < decoder.length; i++) {
                put(content[i]);
            }
            printf("\n");
            if (event == EBNN_FRAME_INTACT) {
                uint8_t count = 0;
                uint16_t size = decoder.length > 100u ? 1000u : 7u;
                for (i = 0; i < decoder.length; i += size) {
                    spans[count].bytes = content + i;
                    spans[count].count = (uint16_t)(decoder.length - i < size ? decoder.length - i : size);
                    count++;
                    spans[count].bytes = 0; /* an empty span in between */
                    spans[count].count = 0;
                    count++;
                }
                ebnn_frame_send(spans, count, put);
                printf("\n");
            }
        }
    }
    return 0;
}
