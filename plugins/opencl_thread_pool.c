/* SPDX-License-Identifier: MIT */
#include "opencl_thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define SPIN_SECONDS 200e-6 /* longer than most launches, and than what lies between two */
#define LOOKS 32            /* between two looks at the clock */

struct opencl_thread_pool {
    _Alignas(128) atomic_uint posts;         /* how often there was work; all wait for it */
    _Alignas(128) atomic_uint entered, left; /* by threads that looked whether it is open */
    atomic_bool open, quit;
    _Alignas(128) atomic_uint sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;  /* some counter, somewhere */
    uint32_t count, started; /* `started`: of `count`, the calling thread included */
    bool spins, placed;      /* placed: the calling thread has its core */
    int *cores;
    /* Written while closed: */
    void (*work)(void *context, uint32_t thread);
    void *context;
#ifdef __linux__
    cpu_set_t before; /* where the calling thread might be */
#endif
    pthread_t threads[];
};

/* ------------------------------------------------------------------ waiting */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool has_come(atomic_uint *counter, unsigned value)
{
    return (int)(atomic_load(counter) - value) >= 0;
}

static bool spin(atomic_uint *counter, unsigned value)
{
    double begin = now();
    do
        for (int i = 0; i < LOOKS; i++) {
            if (has_come(counter, value))
                return true;
            relax();
        }
    while (now() - begin < SPIN_SECONDS);
    return false;
}

void opencl_thread_pool_wait(struct opencl_thread_pool *pool, atomic_uint *counter, unsigned value)
{
    if (pool->spins ? spin(counter, value) : has_come(counter, value))
        return;
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!has_come(counter, value))
        pthread_cond_wait(&pool->changed, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

unsigned opencl_thread_pool_advance(struct opencl_thread_pool *pool, atomic_uint *counter)
{
    unsigned value = atomic_fetch_add(counter, 1) + 1;
    /* Either this sees the sleeper, or the sleeper saw the new value: both are in the one
     * order of all sequentially consistent accesses. */
    if (atomic_load(&pool->sleepers)) {
        pthread_mutex_lock(&pool->mutex);
        pthread_cond_broadcast(&pool->changed);
        pthread_mutex_unlock(&pool->mutex);
    }
    return value;
}

/* ------------------------------------------------------------------ threads */

static void place(const struct opencl_thread_pool *pool, uint32_t thread)
{
#ifdef __linux__
    cpu_set_t one;
    if (!pool->cores)
        return;
    CPU_ZERO(&one);
    CPU_SET(pool->cores[thread], &one);
    sched_setaffinity(0, sizeof one, &one); /* may be forbidden: then it is anywhere */
#else
    (void)pool;
    (void)thread;
#endif
}

struct start {
    struct opencl_thread_pool *pool;
    uint32_t thread;
};

static void *run_thread(void *context)
{
    struct start self = *(struct start *)context;
    free(context);
    struct opencl_thread_pool *pool = self.pool;
    unsigned seen = 0;
    place(pool, self.thread);
    while (!atomic_load(&pool->quit)) {
        opencl_thread_pool_wait(pool, &pool->posts, seen + 1);
        seen = atomic_load(&pool->posts);
        atomic_fetch_add(&pool->entered, 1);
        if (atomic_load(&pool->open))
            pool->work(pool->context, self.thread);
        opencl_thread_pool_advance(pool, &pool->left);
    }
    return NULL;
}

static bool start(struct opencl_thread_pool *pool, uint32_t i)
{
    struct start *context = malloc(sizeof *context);
    if (!context)
        return false;
    *context = (struct start){pool, i};
    if (pthread_create(&pool->threads[i], NULL, run_thread, context) == 0)
        return true;
    free(context);
    return false;
}

/* Who enters from here on finds it closed, and leaves at once: one that does so must not be
 * taken for one that is still at work.  Nobody is inside when as many have left, read first,
 * as have entered, read afterwards. */
static void wait_until_empty(struct opencl_thread_pool *pool)
{
    for (;;) {
        unsigned left = atomic_load(&pool->left), entered = atomic_load(&pool->entered);
        if (left == entered)
            return;
        opencl_thread_pool_wait(pool, &pool->left, entered);
    }
}

void opencl_thread_pool_run(struct opencl_thread_pool *pool,
                            void (*work)(void *context, uint32_t thread), void *context)
{
    if (!pool->placed) {
#ifdef __linux__
        if (pool->cores && sched_getaffinity(0, sizeof pool->before, &pool->before) != 0) {
            free(pool->cores);
            pool->cores = NULL;
        }
#endif
        place(pool, 0);
        pool->placed = true;
    }
    pool->work = work;
    pool->context = context;
    atomic_store(&pool->open, true);
    opencl_thread_pool_advance(pool, &pool->posts);
    work(context, 0);
    atomic_store(&pool->open, false);
    wait_until_empty(pool);
}

/* ------------------------------------------------------------------ the pool */

static bool copy_cores(struct opencl_thread_pool *pool,
                       const struct opencl_thread_pool_options *options)
{
    if (!options->cores)
        return true;
    pool->cores = calloc(options->count, sizeof *pool->cores);
    for (uint32_t i = 0; pool->cores && i < options->count; i++)
        pool->cores[i] = options->cores[i];
    return pool->cores;
}

struct opencl_thread_pool *
opencl_thread_pool_create(const struct opencl_thread_pool_options *options)
{
    size_t bytes = sizeof(struct opencl_thread_pool) + options->count * sizeof(pthread_t);
    struct opencl_thread_pool *pool = aligned_alloc(128, (bytes + 127) / 128 * 128);
    if (!pool)
        return NULL;
    *pool =
        (struct opencl_thread_pool){.count = options->count, .started = 1, .spins = options->spins};
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    bool complete = copy_cores(pool, options);
    while (complete && pool->started < pool->count) {
        complete = start(pool, pool->started);
        pool->started += complete;
    }
    if (complete)
        return pool;
    opencl_thread_pool_destroy(pool);
    return NULL;
}

void opencl_thread_pool_destroy(struct opencl_thread_pool *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->quit, true);
    opencl_thread_pool_advance(pool, &pool->posts);
    for (uint32_t i = 1; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
#ifdef __linux__
    if (pool->placed && pool->cores)
        sched_setaffinity(0, sizeof pool->before, &pool->before);
#endif
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->cores);
    free(pool);
}
