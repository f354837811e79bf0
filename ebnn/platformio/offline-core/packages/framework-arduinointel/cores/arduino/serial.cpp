/* Serial: the Curie's second UART, which is laid out like a 16550; its FIFO buffers, no interrupt is used. */
#include "Arduino.h"

UartSerial Serial;

namespace {

volatile uint32_t *const uart = reinterpret_cast<volatile uint32_t *>(0xB0002400);

enum Register { DATA = 0, DIVISOR_LOW = 0, INTERRUPTS = 1, DIVISOR_HIGH = 1, FIFO = 2, LINE = 3, STATUS = 5 };

const uint32_t EIGHT_BITS = 0x03;
const uint32_t DIVISOR_ACCESS = 0x80;
const uint32_t FIFO_ON_AND_EMPTY = 0x07;
const uint32_t RECEIVED = 0x01;
const uint32_t ROOM_TO_SEND = 0x20;
const uint32_t ALL_SENT = 0x40;

} // namespace

void UartSerial::begin(unsigned long baud)
{
    const uint32_t divisor = F_CPU / 16ul / baud;

    uart[INTERRUPTS] = 0;
    uart[LINE] = DIVISOR_ACCESS | EIGHT_BITS;
    uart[DIVISOR_LOW] = divisor & 0xFF;
    uart[DIVISOR_HIGH] = divisor >> 8;
    uart[LINE] = EIGHT_BITS;
    uart[FIFO] = FIFO_ON_AND_EMPTY;
}

int UartSerial::available()
{
    return (uart[STATUS] & RECEIVED) != 0 ? 1 : 0;
}

int UartSerial::read()
{
    return available() ? static_cast<int>(uart[DATA] & 0xFF) : -1;
}

size_t UartSerial::write(uint8_t byte)
{
    while ((uart[STATUS] & ROOM_TO_SEND) == 0) {
    }
    uart[DATA] = byte;
    return 1;
}

size_t UartSerial::write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write(bytes[i]);
    }
    return count;
}

void UartSerial::flush()
{
    while ((uart[STATUS] & ALL_SENT) == 0) {
    }
}
