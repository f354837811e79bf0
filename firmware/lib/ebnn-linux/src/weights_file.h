/* weights_file.h - a network's constants in a file that is mapped: section 10 of SPEC.md has its format. */
#ifndef EBNN_LINUX_WEIGHTS_FILE_H
#define EBNN_LINUX_WEIGHTS_FILE_H

#include "ebnn_linux.h"

#define EBNN_LINUX_HEAD_BYTES 128

typedef struct {
    void *mapped;
    size_t bytes;
} ebnn_linux_file_t;

/* Maps a file and checks that it is whole and the network's own. Returns 0 or an error of ebnn_linux.h. */
int ebnn_linux_map(ebnn_linux_file_t *file, const char *name, const ebnn_linux_network_t *network);

void ebnn_linux_unmap(ebnn_linux_file_t *file);

#endif
