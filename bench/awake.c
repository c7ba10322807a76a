/* SPDX-License-Identifier: MIT */
#include "bench/awake.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct sleepless {
    pthread_t thread;
    bool started;
};

struct bench_awake {
    atomic_bool stop;
    size_t count;
    struct sleepless threads[];
};

static void *spin(void *context)
{
    const struct bench_awake *awake = context;
    pthread_setname_np(pthread_self(), BENCH_AWAKE_NAME);
    while (!atomic_load_explicit(&awake->stop, memory_order_relaxed))
        bench_relax();
    return NULL;
}

/* Of lowest priority from its first instruction on. */
static int start_on(struct bench_awake *awake, struct sleepless *sleepless, int core)
{
    const struct sched_param none = {.sched_priority = 0};
    pthread_attr_t attributes;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    int problem = pthread_attr_init(&attributes);
    if (problem)
        return problem;
    problem = pthread_attr_setaffinity_np(&attributes, sizeof one, &one);
    if (!problem)
        problem = pthread_create(&sleepless->thread, &attributes, spin, awake);
    pthread_attr_destroy(&attributes);
    sleepless->started = !problem;
    return problem ? problem : pthread_setschedparam(sleepless->thread, SCHED_IDLE, &none);
}

enum anole_status bench_awake_start(struct bench_awake **awake,
                                    const struct bench_affinity *affinity,
                                    struct anole_error *error)
{
    size_t cores = (size_t)CPU_COUNT(&affinity->cores);
    struct bench_awake *new = calloc(1, sizeof *new + cores * sizeof *new->threads);
    if (!new)
        return anole_fail_memory(error);
    atomic_init(&new->stop, false);
    int problem = 0;
    for (int core = 0; core < CPU_SETSIZE && !problem && new->count < cores; core++)
        if (CPU_ISSET(core, &affinity->cores))
            problem = start_on(new, &new->threads[new->count++], core);
    if (!problem) {
        *awake = new;
        return ANOLE_DONE;
    }
    bench_awake_stop(new);
    errno = problem;
    return anole_fail_errno(error, "keeping the cores awake");
}

void bench_awake_stop(struct bench_awake *awake)
{
    if (!awake)
        return;
    atomic_store(&awake->stop, true);
    for (size_t i = 0; i < awake->count; i++)
        if (awake->threads[i].started)
            pthread_join(awake->threads[i].thread, NULL);
    free(awake);
}
