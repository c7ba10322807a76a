/* SPDX-License-Identifier: MIT */
#include "bench/stream.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LINE 64 /* bytes: one of each is enough */

struct part {
    struct bench_stream *stream;
    pthread_t thread;
    size_t begin, end;
    int core; /* -1: wherever */
};

struct bench_stream {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned sweeps, done; /* asked for; parts of the last that are done */
    bool quit;
    char *memory;
    uint32_t count;
    struct part parts[];
};

static void read_part(const struct part *part)
{
    const volatile char *memory = part->stream->memory;
    for (size_t i = part->begin; i < part->end; i += LINE)
        (void)memory[i];
}

static void place(const struct part *part)
{
    cpu_set_t one;
    if (part->core < 0)
        return;
    CPU_ZERO(&one);
    CPU_SET(part->core, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static void *run(void *context)
{
    struct part *part = context;
    struct bench_stream *stream = part->stream;
    unsigned seen = 0;
    place(part);
    pthread_mutex_lock(&stream->mutex);
    for (;;) {
        while (stream->sweeps == seen && !stream->quit)
            pthread_cond_wait(&stream->changed, &stream->mutex);
        if (stream->quit)
            break;
        seen = stream->sweeps;
        pthread_mutex_unlock(&stream->mutex);
        read_part(part);
        pthread_mutex_lock(&stream->mutex);
        stream->done++;
        pthread_cond_broadcast(&stream->changed);
    }
    pthread_mutex_unlock(&stream->mutex);
    return NULL;
}

/* The n-th core that this process may use, round and round. */
static int find_core(uint32_t n)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) == 0)
        return -1;
    n %= (uint32_t)CPU_COUNT(&set);
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &set) && n-- == 0)
            return core;
    return -1;
}

struct bench_stream *bench_stream_create(size_t bytes, uint32_t threads)
{
    struct bench_stream *stream = calloc(1, sizeof *stream + threads * sizeof *stream->parts);
    if (!stream)
        return NULL;
    stream->memory = malloc(bytes);
    if (!stream->memory) {
        free(stream);
        return NULL;
    }
    memset(stream->memory, 1, bytes);
    pthread_mutex_init(&stream->mutex, NULL);
    pthread_cond_init(&stream->changed, NULL);
    for (uint32_t i = 0; i < threads; i++) {
        struct part *part = &stream->parts[i];
        *part = (struct part){.stream = stream,
                              .begin = bytes / threads * i,
                              .end = i + 1 == threads ? bytes : bytes / threads * (i + 1),
                              .core = find_core(i)};
        if (pthread_create(&part->thread, NULL, run, part) != 0)
            break;
        stream->count++;
    }
    if (stream->count == threads)
        return stream;
    bench_stream_destroy(stream);
    return NULL;
}

void bench_stream_sweep(struct bench_stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    stream->done = 0;
    stream->sweeps++;
    pthread_cond_broadcast(&stream->changed);
    while (stream->done < stream->count)
        pthread_cond_wait(&stream->changed, &stream->mutex);
    pthread_mutex_unlock(&stream->mutex);
}

void bench_stream_destroy(struct bench_stream *stream)
{
    if (!stream)
        return;
    pthread_mutex_lock(&stream->mutex);
    stream->quit = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
    for (uint32_t i = 0; i < stream->count; i++)
        pthread_join(stream->parts[i].thread, NULL);
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->mutex);
    free(stream->memory);
    free(stream);
}
