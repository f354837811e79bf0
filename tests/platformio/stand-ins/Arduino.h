/* As much of an Arduino core as a sketch needs: time stands still but for what it waits, and it prints to stdout. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define F(text) (text)

extern uint32_t stand_in_time;

inline uint32_t micros()
{
    return stand_in_time;
}

inline void delay(uint32_t milliseconds)
{
    stand_in_time += 1000u * milliseconds;
}

class StandInSerial
{
  public:
    void begin(long)
    {
    }
    void print(const char *text)
    {
        fputs(text, stdout);
    }
    void print(char letter)
    {
        putchar(letter);
    }
    void print(unsigned int value)
    {
        printf("%u", value);
    }
    void print(int value)
    {
        printf("%d", value);
    }
    void print(double value, int decimals)
    {
        printf("%.*f", decimals, value);
    }
    void println()
    {
        putchar('\n');
    }
    template <typename T> void println(T value)
    {
        print(value);
        println();
    }
};

extern StandInSerial Serial;

void setup();
void loop();

#endif
