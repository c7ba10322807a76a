/* SPDX-License-Identifier: MIT */
#include "program/constants.h"

#include "base/environment.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Packed weights of so many bytes are kept.  Bytes decide, and not how long packing took: on a
 * busy machine that says little, and what is kept would differ from start to start. */
#define LEAST_KEPT ((size_t)64 << 10)

#define MOST_THREADS 64

/* A tensor of so many bytes is packed while no other is: with what it takes beside its place, it
 * would be there twice when all the others are, too. */
#define ALONE ((size_t)64 << 20)

struct shared {
    const struct anole_program *program;
    struct anole_program_cache *cache;
    pthread_mutex_t mutex; /* of what is written to the cache, and of the failure */
    const size_t *order;   /* [end], and what follows */
    size_t end;
    void *const *out;
    atomic_size_t next, cached;
    const struct anole_environment *environment;
    enum anole_status status; /* of the first that failed */
    struct anole_error error;
};

/* Whether the cache is asked, and told: a file costs more than packing the smallest. */
static bool is_kept(const struct anole_program_constant *constant)
{
    return constant->kernel != ANOLE_NONE && constant->place.bytes >= LEAST_KEPT;
}

static enum anole_status write_one(struct shared *shared,
                                   const struct anole_program_constant *constant, void *out,
                                   bool *cached, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    *cached = is_kept(constant) && anole_program_cache_read_weights(out, shared->cache, constant);
    if (!*cached)
        status = anole_program_pack(shared->program, constant, out, error);
    if (status == ANOLE_DONE && !*cached && is_kept(constant)) {
        pthread_mutex_lock(&shared->mutex);
        anole_program_cache_store_weights(shared->cache, constant, out);
        pthread_mutex_unlock(&shared->mutex);
    }
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

/* One constant after another, up to the end, or until one has failed. */
static void *work(void *context)
{
    struct shared *shared = context;
    const struct anole_environment *before = anole_environment_enter(shared->environment);
    for (;;) {
        size_t i = atomic_fetch_add(&shared->next, 1);
        struct anole_error error = {.status = ANOLE_DONE};
        bool cached;
        if (i >= shared->end)
            break;
        const size_t c = shared->order[i];
        enum anole_status status =
            write_one(shared, &shared->program->constants[c], shared->out[c], &cached, &error);
        atomic_fetch_add(&shared->cached, status == ANOLE_DONE && cached);
        if (status == ANOLE_DONE)
            continue;
        pthread_mutex_lock(&shared->mutex);
        if (shared->status == ANOLE_DONE) {
            shared->status = status;
            shared->error = error;
        }
        pthread_mutex_unlock(&shared->mutex);
        atomic_store(&shared->next, shared->end);
    }
    anole_environment_enter(before);
    return NULL;
}

struct item {
    size_t constant, bytes;
};

static int compare_sizes(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->constant < y->constant ? -1 : x->constant > y->constant;
}

/* The largest first; *alone: how many of them are for one thread.  NULL: no memory. */
static size_t *find_order(const struct anole_program *program, size_t *alone)
{
    const size_t count = program->constant_count;
    struct item *items = calloc(count + 1, sizeof *items);
    size_t *order = calloc(count + 1, sizeof *order);
    *alone = 0;
    for (size_t i = 0; items && i < count; i++)
        items[i] = (struct item){
            .constant = i,
            .bytes = anole_program_tensor_bytes(program->graph, program->constants[i].tensor)};
    if (items && order && count > 0) {
        qsort(items, count, sizeof *items, compare_sizes);
        for (size_t i = 0; i < count; i++) {
            order[i] = items[i].constant;
            *alone += items[i].bytes >= ALONE;
        }
    }
    if (!items) {
        free(order);
        order = NULL;
    }
    free(items);
    return order;
}

/* By this thread and others.  A thread that cannot be had is one less. */
static void work_together(struct shared *shared, uint32_t threads)
{
    pthread_t others[MOST_THREADS];
    uint32_t count = 0;
    while (count + 1 < threads && count < MOST_THREADS &&
           pthread_create(&others[count], NULL, work, shared) == 0)
        count++;
    work(shared);
    for (uint32_t i = 0; i < count; i++)
        pthread_join(others[i], NULL);
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
    size_t *order = find_order(program, &shared.end);
    if (!order)
        return anole_fail_memory(error);
    shared.order = order;
    work(&shared);
    atomic_store(&shared.next, shared.end);
    if (shared.status == ANOLE_DONE && shared.end < program->constant_count) {
        shared.end = program->constant_count;
        work_together(&shared, threads);
    }
    pthread_mutex_destroy(&shared.mutex);
    free(order);
    *cached = atomic_load(&shared.cached);
    if (shared.status != ANOLE_DONE && error)
        *error = shared.error;
    return shared.status;
}
