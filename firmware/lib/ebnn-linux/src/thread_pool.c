/* thread_pool.c - a bounded pool of threads that share the items of a loop. */
#define _POSIX_C_SOURCE 200809L
#include "thread_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    ebnn_linux_threads_t *pool;
    pthread_t thread;
    uint32_t number;
} worker_t;

struct ebnn_linux_threads {
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    ebnn_linux_item_t item;
    void *context;
    uint32_t items, next, busy, round;
    uint32_t made; /* threads beside the caller's */
    int stop;
    pid_t owner; /* a child of fork has none of the threads */
    worker_t *workers;
};

static void take_items(ebnn_linux_threads_t *pool, uint32_t thread)
{
    uint32_t index;

    while ((index = __atomic_fetch_add(&pool->next, 1, __ATOMIC_RELAXED)) < pool->items)
        pool->item(pool->context, index, thread);
}

static void *work(void *given)
{
    worker_t *worker = (worker_t *)given;
    ebnn_linux_threads_t *pool = worker->pool;
    uint32_t seen = 0;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->round == seen && !pool->stop)
            pthread_cond_wait(&pool->begin, &pool->lock);
        if (pool->stop)
            break;
        seen = pool->round;
        pthread_mutex_unlock(&pool->lock);
        take_items(pool, worker->number);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->end);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

ebnn_linux_threads_t *ebnn_linux_threads_start(uint32_t count)
{
    ebnn_linux_threads_t *pool = (ebnn_linux_threads_t *)calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pool->owner = getpid();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    if (count > 1) {
        pool->workers = (worker_t *)calloc(count - 1, sizeof *pool->workers);
        while (pool->workers && pool->made < count - 1) {
            worker_t *worker = pool->workers + pool->made;

            worker->pool = pool;
            worker->number = pool->made + 1;
            if (pthread_create(&worker->thread, NULL, work, worker) != 0)
                break;
            pool->made++;
        }
        if (pool->made < count - 1) {
            ebnn_linux_threads_stop(pool);
            return NULL;
        }
    }
    return pool;
}

void ebnn_linux_threads_run(ebnn_linux_threads_t *pool, ebnn_linux_item_t item, void *context, uint32_t items)
{
    uint32_t index;

    if (pool->made == 0 || items < 2 || pool->owner != getpid()) {
        for (index = 0; index < items; index++)
            item(context, index, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->item = item;
    pool->context = context;
    pool->items = items;
    pool->next = 0;
    pool->busy = pool->made;
    pool->round++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    take_items(pool, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->busy)
        pthread_cond_wait(&pool->end, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void ebnn_linux_threads_stop(ebnn_linux_threads_t *pool)
{
    uint32_t i;

    if (!pool)
        return;
    if (pool->owner == getpid()) {
        pthread_mutex_lock(&pool->lock);
        pool->stop = 1;
        pthread_cond_broadcast(&pool->begin);
        pthread_mutex_unlock(&pool->lock);
        for (i = 0; i < pool->made; i++)
            pthread_join(pool->workers[i].thread, NULL);
        pthread_cond_destroy(&pool->begin);
        pthread_cond_destroy(&pool->end);
        pthread_mutex_destroy(&pool->lock);
    }
    free(pool->workers);
    free(pool);
}
