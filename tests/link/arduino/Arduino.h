/* As much of the Arduino core as firmware/src/main.cpp uses, to compile it against. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

struct SerialPort {
    void begin(unsigned long baud);
    int available();
    int read();
    size_t write(uint8_t byte);
};
extern SerialPort Serial;
unsigned long micros();
void setup();
void loop();

#endif
