/* Memory that keeps a pushed network while the power is off, byte by byte.
 *
 * store.c has it for Arduino cores: the EEPROM of an AVR, none for others. Firmware with a store of its own defines
 * EBNN_OWN_STORE and these three functions.
 */
#ifndef EBNN_STORE_H
#define EBNN_STORE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that there are, a multiple of 8; 0: a pushed network is gone after a reset. */
uint32_t ebnn_store_bytes(void);

void ebnn_store_read(uint32_t at, uint8_t *bytes, uint32_t count);

/* Writes one byte after the other and returns when the last is kept. Where the power fails meanwhile, those before are
 * written, one may be anything, and those after are as before. */
void ebnn_store_write(uint32_t at, const uint8_t *bytes, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
