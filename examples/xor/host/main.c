/* Prints XOR's truth table as the network computes it. */
#include <stdio.h>

#include "../xor.h"

int main(void)
{
    uint8_t bits; /* bit 0 is the first input, bit 1 the second */

    for (bits = 0; bits < 4; bits++) {
        uint8_t output[1];

        ebnn_compute(&bits, output);
        printf("%d xor %d = %d\n", bits & 1, bits >> 1, output[0]);
    }
    return 0;
}
