/* thread_pool.h - a bounded pool of threads that share the items of a loop. */
#ifndef EBNN_LINUX_THREAD_POOL_H
#define EBNN_LINUX_THREAD_POOL_H

#include <stdint.h>

typedef struct ebnn_linux_threads ebnn_linux_threads_t;

/* Runs item `index` on thread `thread`, from 0. */
typedef void (*ebnn_linux_item_t)(void *context, uint32_t index, uint32_t thread);

/* A pool of `count` threads with the caller's: `count` - 1 are made. NULL where they cannot be. */
ebnn_linux_threads_t *ebnn_linux_threads_start(uint32_t count);

/* Runs items 0 to `items` - 1 and returns when all are done. */
void ebnn_linux_threads_run(ebnn_linux_threads_t *pool, ebnn_linux_item_t item, void *context, uint32_t items);

void ebnn_linux_threads_stop(ebnn_linux_threads_t *pool);

#endif
