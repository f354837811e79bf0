/* Prints XOR's truth table as the network computes it. */
#include <stdio.h>

#include "../xor.h"

int main(void)
{
    uint8_t bits; /* bit 0 is the first input, bit 1 the second */

    for (bits = 0; bits < 4; bits++) {
        printf("%d xor %d = %d\n", bits & 1, bits >> 1, xor_predict(&bits));
    }
    return 0;
}
