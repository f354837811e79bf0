#define _POSIX_C_SOURCE 200809L

#include "file_store.h"

#include "../src/store.h"

#ifdef EBNN_UPDATABLE
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef EBNN_STORE_BYTES
#define EBNN_STORE_BYTES 65536u
#endif

static uint8_t in_memory[EBNN_STORE_BYTES];
static uint8_t *store = in_memory;
static unsigned long until_failure;

static void fail(const char *path)
{
    perror(path);
    exit(1);
}

void ebnn_file_store_open(const char *path, unsigned long writes)
{
    struct stat facts;
    int file;

    memset(in_memory, 0xFF, sizeof in_memory);
    until_failure = writes;
    if (path == NULL) {
        return;
    }
    file = open(path, O_RDWR | O_CREAT, 0600);
    if (file < 0 || fstat(file, &facts) != 0) {
        fail(path);
    }
    if (facts.st_size < (off_t)sizeof in_memory) {
        size_t missing = sizeof in_memory - (size_t)facts.st_size;
        if (pwrite(file, in_memory, missing, facts.st_size) != (ssize_t)missing) {
            fail(path);
        }
    }
    store = (uint8_t *)mmap(NULL, sizeof in_memory, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (store == (uint8_t *)MAP_FAILED) {
        fail(path);
    }
    (void)close(file);
}

uint32_t ebnn_store_bytes(void)
{
    return EBNN_STORE_BYTES;
}

void ebnn_store_read(uint32_t at, uint8_t *bytes, uint32_t count)
{
    memcpy(bytes, store + at, count);
}

/* As an EEPROM it leaves a byte alone that is there already, and erases one before it writes it. */
void ebnn_store_write(uint32_t at, const uint8_t *bytes, uint32_t count)
{
    volatile uint8_t *const to = store + at;
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (to[i] != bytes[i]) {
            to[i] = 0xFF;
            if (until_failure != 0u && --until_failure == 0u) {
                (void)raise(SIGKILL);
            }
            to[i] = bytes[i];
        }
    }
}

#endif
