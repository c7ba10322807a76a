/* SPDX-License-Identifier: MIT */
#include "program/constants.h"

#include "base/environment.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Packed weights are kept where making them takes this much longer than reading them would: bytes
 * that are hashed and read in a second of processor time, and twice that for the disk. */
#define READ_SPEED 1e9
#define LEAST_WORK 1e-3 /* seconds; less is not worth a file */

#define MOST_THREADS 64

/* Seconds that this thread has worked. */
static double processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The cache is used by one thread at a time. */
struct shared {
    const struct anole_program *program;
    struct anole_program_cache *cache;
    pthread_mutex_t mutex;
    void *const *out;
    atomic_size_t next, cached;
    const struct anole_environment *environment;
    enum anole_status status; /* of the first that failed; guarded by `mutex` */
    struct anole_error error;
};

static bool find_packed(struct shared *shared, const struct anole_program_constant *constant,
                        void *out)
{
    struct anole_disk_entry entry = {.data = NULL};
    pthread_mutex_lock(&shared->mutex);
    bool found = anole_program_cache_find_weights(&entry, shared->cache, constant);
    pthread_mutex_unlock(&shared->mutex);
    if (found)
        memcpy(out, entry.data, constant->place.bytes);
    anole_disk_entry_fini(&entry);
    return found;
}

/* Packs, and keeps the result if that was work. */
static enum anole_status pack(struct shared *shared, const struct anole_program_constant *constant,
                              void *out, struct anole_error *error)
{
    const size_t bytes = anole_program_tensor_bytes(shared->program->graph, constant->tensor);
    double start = processor_time();
    enum anole_status status = anole_program_pack(shared->program, constant, out, error);
    double took = processor_time() - start;
    if (status == ANOLE_DONE &&
        took > LEAST_WORK + 2 * (double)(bytes + constant->place.bytes) / READ_SPEED) {
        pthread_mutex_lock(&shared->mutex);
        anole_program_cache_store_weights(shared->cache, constant, out);
        pthread_mutex_unlock(&shared->mutex);
    }
    return status;
}

static enum anole_status write_one(struct shared *shared,
                                   const struct anole_program_constant *constant, void *out,
                                   bool *cached, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    *cached = constant->kernel != ANOLE_NONE && find_packed(shared, constant, out);
    if (constant->kernel == ANOLE_NONE)
        status = anole_program_pack(shared->program, constant, out, error);
    else if (!*cached)
        status = pack(shared, constant, out, error);
    anole_graph_forget(shared->program->graph, constant->tensor);
    return status;
}

enum anole_status anole_program_write_constant(const struct anole_program *program,
                                               struct anole_program_cache *cache,
                                               const struct anole_program_constant *constant,
                                               void *out, bool *cached, struct anole_error *error)
{
    struct shared shared = {.program = program, .cache = cache, .mutex = PTHREAD_MUTEX_INITIALIZER};
    return write_one(&shared, constant, out, cached, error);
}

/* One constant after another, until none is left or one has failed. */
static void *work(void *context)
{
    struct shared *shared = context;
    const struct anole_environment *before = anole_environment_enter(shared->environment);
    for (;;) {
        size_t i = atomic_fetch_add(&shared->next, 1);
        struct anole_error error = {.status = ANOLE_DONE};
        bool cached;
        if (i >= shared->program->constant_count)
            break;
        enum anole_status status =
            write_one(shared, &shared->program->constants[i], shared->out[i], &cached, &error);
        atomic_fetch_add(&shared->cached, status == ANOLE_DONE && cached);
        if (status == ANOLE_DONE)
            continue;
        pthread_mutex_lock(&shared->mutex);
        if (shared->status == ANOLE_DONE) {
            shared->status = status;
            shared->error = error;
        }
        pthread_mutex_unlock(&shared->mutex);
        atomic_store(&shared->next, shared->program->constant_count);
    }
    anole_environment_enter(before);
    return NULL;
}

enum anole_status anole_program_write_constants(const struct anole_program *program,
                                                struct anole_program_cache *cache, void *const *out,
                                                uint32_t threads, size_t *cached,
                                                struct anole_error *error)
{
    struct shared shared = {.program = program,
                            .cache = cache,
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .out = out,
                            .environment = anole_environment()};
    pthread_t others[MOST_THREADS];
    uint32_t count = 0;
    /* A thread that cannot be had is one less. */
    while (count + 1 < threads && count < MOST_THREADS &&
           pthread_create(&others[count], NULL, work, &shared) == 0)
        count++;
    work(&shared);
    for (uint32_t i = 0; i < count; i++)
        pthread_join(others[i], NULL);
    pthread_mutex_destroy(&shared.mutex);
    *cached = atomic_load(&shared.cached);
    if (shared.status != ANOLE_DONE && error)
        *error = shared.error;
    return shared.status;
}
