/* A small stand-in for the Arduino 101's core: as much of it as a sketch needs that talks over serial.
 *
 * With it a sketch is compiled and linked for the Curie's ARC core and measured against its memory. Serial is the UART
 * at pins 0 and 1, not USB. */
#ifndef Arduino_h
#define Arduino_h

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

void setup(void);
void loop(void);
unsigned long micros(void);
unsigned long millis(void);
void delay(unsigned long milliseconds);
void yield(void);

#ifdef __cplusplus
}

class UartSerial {
public:
    void begin(unsigned long baud);
    int available();
    int read();
    size_t write(uint8_t byte);
    size_t write(const uint8_t *bytes, size_t count);
    void flush();
    operator bool() { return true; }
};

extern UartSerial Serial;
#endif

#endif
