#include "store.h"

#if defined(EBNN_UPDATABLE) && !defined(EBNN_OWN_STORE)

#if defined(__AVR__)
#include <avr/eeprom.h>
#include <stddef.h>

/* A program of yours may keep the EEPROM's end for itself. */
#ifndef EBNN_STORE_BYTES
#define EBNN_STORE_BYTES (E2END + 1u)
#endif

uint32_t ebnn_store_bytes(void)
{
    return EBNN_STORE_BYTES;
}

void ebnn_store_read(uint32_t at, uint8_t *bytes, uint32_t count)
{
    eeprom_read_block(bytes, (const void *)(size_t)at, (size_t)count);
}

void ebnn_store_write(uint32_t at, const uint8_t *bytes, uint32_t count)
{
    eeprom_update_block(bytes, (void *)(size_t)at, (size_t)count);
    eeprom_busy_wait();
}

#else

uint32_t ebnn_store_bytes(void)
{
    return 0;
}

void ebnn_store_read(uint32_t at, uint8_t *bytes, uint32_t count)
{
    (void)at;
    (void)bytes;
    (void)count;
}

void ebnn_store_write(uint32_t at, const uint8_t *bytes, uint32_t count)
{
    (void)at;
    (void)bytes;
    (void)count;
}

#endif
#endif
