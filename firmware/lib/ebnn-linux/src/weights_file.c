/* weights_file.c - a network's constants in a file that is mapped: section 10 of SPEC.md has its format. */
#define _POSIX_C_SOURCE 200809L
#include "weights_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t number(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--)
        value = value << 8 | at[bytes];
    return value;
}

/* CRC-32 as zip and PNG have it, eight bits in two steps. */
static uint32_t crc32_of(const uint8_t *bytes, size_t count)
{
    static const uint32_t step[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                      0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                      0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFFu;
    size_t i;

    for (i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ step[crc & 15];
        crc = crc >> 4 ^ step[crc & 15];
    }
    return ~crc;
}

static int check(const uint8_t *file, size_t bytes, const ebnn_linux_network_t *network)
{
    static const char magic[8] = {'e', 'b', 'n', 'n', '-', 'w', 't', 's'};

    if (bytes < EBNN_LINUX_HEAD_BYTES || memcmp(file, magic, sizeof magic) != 0)
        return EBNN_LINUX_NO_WEIGHTS;
    if (number(file + 8, 4) != EBNN_LINUX_VERSION)
        return EBNN_LINUX_OTHER_VERSION;
    if (memcmp(file + 32, network->hash, 64) != 0)
        return EBNN_LINUX_OTHER_NETWORK;
    if (number(file + 16, 8) != network->constant_bytes ||
        (uint64_t)bytes != EBNN_LINUX_HEAD_BYTES + network->constant_bytes ||
        number(file + 12, 4) != crc32_of(file + 16, bytes - 16))
        return EBNN_LINUX_DAMAGED;
    return 0;
}

int ebnn_linux_map(ebnn_linux_file_t *file, const char *name, const ebnn_linux_network_t *network)
{
    const int handle = open(name, O_RDONLY | O_CLOEXEC);
    struct stat state;
    int error;

    file->mapped = NULL;
    if (handle < 0)
        return EBNN_LINUX_NO_FILE;
    if (fstat(handle, &state) != 0 || !S_ISREG(state.st_mode) || state.st_size < EBNN_LINUX_HEAD_BYTES) {
        close(handle);
        return EBNN_LINUX_NO_WEIGHTS;
    }
    file->bytes = (size_t)state.st_size;
    file->mapped = mmap(NULL, file->bytes, PROT_READ, MAP_SHARED, handle, 0);
    close(handle);
    if (file->mapped == MAP_FAILED) {
        file->mapped = NULL;
        return EBNN_LINUX_NO_MEMORY;
    }
    error = check((const uint8_t *)file->mapped, file->bytes, network);
    if (error)
        ebnn_linux_unmap(file);
    return error;
}

void ebnn_linux_unmap(ebnn_linux_file_t *file)
{
    if (file->mapped)
        munmap(file->mapped, file->bytes);
    file->mapped = NULL;
}
