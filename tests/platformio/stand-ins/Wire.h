/* Wire with an MPU6050 at it: its registers from 3B hex on, 14 bytes for each reading, come from stdin in hex. */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>
#include <stdio.h>

class TwoWire
{
  public:
    void begin()
    {
    }
    void beginTransmission(uint8_t address)
    {
        present = address == 0x68;
        count = 0;
    }
    void write(uint8_t byte)
    {
        if (count++ == 0)
            number = byte;
        else
            registers[number++ & 0x7F] = byte;
    }
    uint8_t endTransmission(bool = true)
    {
        return present ? 0 : 2;
    }
    uint8_t requestFrom(uint8_t, uint8_t bytes)
    {
        const bool set = registers[0x6B] == 0x01 && registers[0x1B] == 0x18 && registers[0x1C] == 0x08;

        for (int i = 0; i < 14; i++) {
            unsigned int byte;

            if (scanf("%2x", &byte) != 1)
                return 0;
            registers[0x3B + i] = (uint8_t)byte;
        }
        return set ? bytes : 0;
    }
    int read()
    {
        return registers[number++ & 0x7F];
    }

  private:
    bool present;
    uint8_t count, number, registers[128];
};

static TwoWire Wire;

#endif
