/* Runs a sketch until its sensor has no readings left. */
#include <Arduino.h>

uint32_t stand_in_time;
StandInSerial Serial;

int main()
{
    setup();
    for (;;) {
        int letter = getchar();

        if (letter == EOF)
            return 0;
        ungetc(letter, stdin);
        loop();
        stand_in_time += 5000u;
    }
}
