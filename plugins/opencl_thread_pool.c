/* SPDX-License-Identifier: MIT */
#include "opencl_thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define SPIN_SECONDS 200e-6 /* longer than most launches, and than what lies between two */
#define LOOKS 32            /* between two looks at the clock */

/* A thread that was kept from its core for so long has met somebody who wants it; what a
 * kernel does on the side takes less. */
#define LOST_SECONDS 500e-6
/* What waking up takes on a core that has nothing else to do. */
#define WAKE_SECONDS 20e-6
/* For so long afterwards threads sleep instead of spinning. */
#define CROWDED_SECONDS 50e-3

/* How a thread was treated, when it last looked. */
struct treatment {
    bool known;
    long switches, sleeps;     /* how often it was sent away, and went to sleep */
    unsigned long long waited; /* nanoseconds, ready to run */
};

struct opencl_thread_pool {
    _Alignas(128) atomic_uint posts;         /* how often there was work; all wait for it */
    _Alignas(128) atomic_uint entered, left; /* by threads that looked whether it is open */
    atomic_bool open, quit;
    _Alignas(128) atomic_uint sleepers;
    /* Nanoseconds of the clock until which the cores are shared with others; 0: they are not. */
    atomic_llong crowded_until;
    atomic_uint crowds; /* how often that was found */
    pthread_mutex_t mutex;
    pthread_cond_t changed;  /* some counter, somewhere */
    uint32_t count, started; /* `started`: of `count`, the calling thread included */
    bool spins, placed;      /* placed: the calling thread has its core */
    int *cores;
    struct treatment treatment; /* of the calling thread */
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

static void note_crowd(struct opencl_thread_pool *pool, double when)
{
    atomic_store(&pool->crowded_until, (long long)((when + CROWDED_SECONDS) * 1e9));
    atomic_fetch_add(&pool->crowds, 1);
}

/* Who spins uses up his share of a core that somebody else wants, and is kept waiting when
 * there is work; who sleeps is let in before those that did not. */
static bool is_crowded(struct opencl_thread_pool *pool)
{
    long long until = atomic_load(&pool->crowded_until);
    if (until == 0)
        return false;
    if (now() * 1e9 < (double)until)
        return true;
    atomic_compare_exchange_strong(&pool->crowded_until, &until, 0);
    return false;
}

/* A few looks take a microsecond or two, unless another thread ran meanwhile. */
static bool spin(struct opencl_thread_pool *pool, atomic_uint *counter, unsigned value)
{
    double begin = now(), before = begin, after;
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (has_come(counter, value))
                return true;
            relax();
        }
        after = now();
        if (after - before > LOST_SECONDS) {
            note_crowd(pool, after);
            break;
        }
        before = after;
    } while (after - begin < SPIN_SECONDS);
    return has_come(counter, value);
}

static bool look_a_while(struct opencl_thread_pool *pool, atomic_uint *counter, unsigned value)
{
    if (pool->spins && !is_crowded(pool))
        return spin(pool, counter, value);
    return has_come(counter, value);
}

void opencl_thread_pool_wait(struct opencl_thread_pool *pool, atomic_uint *counter, unsigned value)
{
    if (look_a_while(pool, counter, value))
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

/* ------------------------------------------------------------------ crowds */

#ifdef __linux__
/* Nanoseconds that this thread was ready to run, and did not; 0: not known. */
static unsigned long long waited_so_far(void)
{
    unsigned long long ran, waited;
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    fclose(file);
    return waited;
}
#endif

/* Between two runs: whether this thread was kept from its core in the last.  Cheap as long as
 * it was not. */
static void look_back(struct opencl_thread_pool *pool, struct treatment *last)
{
#ifdef __linux__
    struct rusage usage;
    if (!pool->spins || getrusage(RUSAGE_THREAD, &usage) != 0 ||
        (last->known && usage.ru_nivcsw == last->switches))
        return;
    unsigned long long waited = waited_so_far();
    double lost = 1e-9 * (double)(waited - last->waited) -
                  WAKE_SECONDS * (double)(usage.ru_nvcsw - last->sleeps);
    if (last->known && lost > LOST_SECONDS)
        note_crowd(pool, now());
    *last = (struct treatment){
        .known = true, .switches = usage.ru_nivcsw, .sleeps = usage.ru_nvcsw, .waited = waited};
#else
    (void)pool;
    (void)last;
#endif
}

unsigned opencl_thread_pool_crowds(struct opencl_thread_pool *pool)
{
    return atomic_load(&pool->crowds);
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
    struct treatment treatment = {.known = false};
    place(pool, self.thread);
    look_back(pool, &treatment);
    while (!atomic_load(&pool->quit)) {
        opencl_thread_pool_wait(pool, &pool->posts, seen + 1);
        seen = atomic_load(&pool->posts);
        atomic_fetch_add(&pool->entered, 1);
        if (atomic_load(&pool->open))
            pool->work(pool->context, self.thread);
        opencl_thread_pool_advance(pool, &pool->left);
        look_back(pool, &treatment);
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
        look_back(pool, &pool->treatment);
    }
    pool->work = work;
    pool->context = context;
    atomic_store(&pool->open, true);
    opencl_thread_pool_advance(pool, &pool->posts);
    work(context, 0);
    atomic_store(&pool->open, false);
    wait_until_empty(pool);
    look_back(pool, &pool->treatment);
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
