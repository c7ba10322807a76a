/* SPDX-License-Identifier: MIT */
#include "bench/idle_poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct poller {
    pthread_t thread;
    bool started;
};

struct bench_idle_poll {
    atomic_bool stop;
    size_t count;
    struct poller threads[];
};

static void *spin(void *context)
{
    const struct bench_idle_poll *idle_poll = context;
    pthread_setname_np(pthread_self(), BENCH_IDLE_POLL_NAME);
    while (!atomic_load_explicit(&idle_poll->stop, memory_order_relaxed))
        bench_relax();
    return NULL;
}

/* Of lowest priority from its first instruction on. */
static int start_on(struct bench_idle_poll *idle_poll, struct poller *poller, int core)
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
        problem = pthread_create(&poller->thread, &attributes, spin, idle_poll);
    pthread_attr_destroy(&attributes);
    poller->started = !problem;
    return problem ? problem : pthread_setschedparam(poller->thread, SCHED_IDLE, &none);
}

enum anole_status bench_idle_poll_start(struct bench_idle_poll **idle_poll,
                                        const struct bench_affinity *affinity,
                                        struct anole_error *error)
{
    size_t cores = (size_t)CPU_COUNT(&affinity->cores);
    struct bench_idle_poll *new = calloc(1, sizeof *new + cores * sizeof *new->threads);
    if (!new)
        return anole_fail_memory(error);
    atomic_init(&new->stop, false);
    int problem = 0;
    for (int core = 0; core < CPU_SETSIZE && !problem && new->count < cores; core++)
        if (CPU_ISSET(core, &affinity->cores))
            problem = start_on(new, &new->threads[new->count++], core);
    if (!problem) {
        *idle_poll = new;
        return ANOLE_DONE;
    }
    bench_idle_poll_stop(new);
    errno = problem;
    return anole_fail_errno(error, "keeping the cores awake");
}

void bench_idle_poll_stop(struct bench_idle_poll *idle_poll)
{
    if (!idle_poll)
        return;
    atomic_store(&idle_poll->stop, true);
    for (size_t i = 0; i < idle_poll->count; i++)
        if (idle_poll->threads[i].started)
            pthread_join(idle_poll->threads[i].thread, NULL);
    free(idle_poll);
}
