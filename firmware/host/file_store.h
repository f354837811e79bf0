/* A file in place of a board's EEPROM. */
#ifndef EBNN_FILE_STORE_H
#define EBNN_FILE_STORE_H

/* Opens the file, or makes it, erased; NULL: the store lies in memory and is gone after a reset. Ends the program where
 * it cannot. `writes`: bytes that are written until the power fails, with the next half written; 0: it never does. */
void ebnn_file_store_open(const char *path, unsigned long writes);

#endif
