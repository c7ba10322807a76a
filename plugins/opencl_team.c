/* SPDX-License-Identifier: MIT */
#include "opencl_team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define SPIN_SECONDS 200e-6 /* longer than most launches, and than what lies between two */
#define LOOKS 32            /* between two looks at the clock */

struct opencl_team {
    _Alignas(128) atomic_uint posts;         /* how often there was work; all wait for it */
    _Alignas(128) atomic_uint entered, left; /* by members that looked whether it is open */
    atomic_bool open, quit;
    _Alignas(128) atomic_uint sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;  /* some counter, somewhere */
    uint32_t count, started; /* `started`: members with a thread, the caller included */
    bool spins, placed;      /* placed: the calling thread has its core */
    int *cores;
    /* Written while closed: */
    void (*work)(void *context, uint32_t member);
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

void opencl_team_wait(struct opencl_team *team, atomic_uint *counter, unsigned value)
{
    if (team->spins ? spin(counter, value) : has_come(counter, value))
        return;
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleepers, 1);
    while (!has_come(counter, value))
        pthread_cond_wait(&team->changed, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

unsigned opencl_team_advance(struct opencl_team *team, atomic_uint *counter)
{
    unsigned value = atomic_fetch_add(counter, 1) + 1;
    /* Either this sees the sleeper, or the sleeper saw the new value: both are in the one
     * order of all sequentially consistent accesses. */
    if (atomic_load(&team->sleepers)) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->changed);
        pthread_mutex_unlock(&team->mutex);
    }
    return value;
}

/* ------------------------------------------------------------------ members */

static void place(const struct opencl_team *team, uint32_t member)
{
#ifdef __linux__
    cpu_set_t one;
    if (!team->cores)
        return;
    CPU_ZERO(&one);
    CPU_SET(team->cores[member], &one);
    sched_setaffinity(0, sizeof one, &one); /* may be forbidden: then it is anywhere */
#else
    (void)team;
    (void)member;
#endif
}

struct start {
    struct opencl_team *team;
    uint32_t member;
};

static void *member(void *context)
{
    struct start self = *(struct start *)context;
    free(context);
    struct opencl_team *team = self.team;
    unsigned seen = 0;
    place(team, self.member);
    while (!atomic_load(&team->quit)) {
        opencl_team_wait(team, &team->posts, seen + 1);
        seen = atomic_load(&team->posts);
        atomic_fetch_add(&team->entered, 1);
        if (atomic_load(&team->open))
            team->work(team->context, self.member);
        opencl_team_advance(team, &team->left);
    }
    return NULL;
}

static bool start(struct opencl_team *team, uint32_t i)
{
    struct start *context = malloc(sizeof *context);
    if (!context)
        return false;
    *context = (struct start){team, i};
    if (pthread_create(&team->threads[i], NULL, member, context) == 0)
        return true;
    free(context);
    return false;
}

/* Who enters from here on finds it closed, and leaves at once: one that does so must not be
 * taken for one that is still at work.  Nobody is inside when as many have left, read first,
 * as have entered, read afterwards. */
static void wait_until_empty(struct opencl_team *team)
{
    for (;;) {
        unsigned left = atomic_load(&team->left), entered = atomic_load(&team->entered);
        if (left == entered)
            return;
        opencl_team_wait(team, &team->left, entered);
    }
}

void opencl_team_work(struct opencl_team *team, void (*work)(void *context, uint32_t member),
                      void *context)
{
    if (!team->placed) {
#ifdef __linux__
        if (team->cores && sched_getaffinity(0, sizeof team->before, &team->before) != 0) {
            free(team->cores);
            team->cores = NULL;
        }
#endif
        place(team, 0);
        team->placed = true;
    }
    team->work = work;
    team->context = context;
    atomic_store(&team->open, true);
    opencl_team_advance(team, &team->posts);
    work(context, 0);
    atomic_store(&team->open, false);
    wait_until_empty(team);
}

/* ------------------------------------------------------------------ the team */

static bool copy_cores(struct opencl_team *team, const struct opencl_team_terms *terms)
{
    if (!terms->cores)
        return true;
    team->cores = calloc(terms->count, sizeof *team->cores);
    for (uint32_t i = 0; team->cores && i < terms->count; i++)
        team->cores[i] = terms->cores[i];
    return team->cores;
}

struct opencl_team *opencl_team_create(const struct opencl_team_terms *terms)
{
    size_t bytes = sizeof(struct opencl_team) + terms->count * sizeof(pthread_t);
    struct opencl_team *team = aligned_alloc(128, (bytes + 127) / 128 * 128);
    if (!team)
        return NULL;
    *team = (struct opencl_team){.count = terms->count, .started = 1, .spins = terms->spins};
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->changed, NULL);
    bool complete = copy_cores(team, terms);
    while (complete && team->started < team->count) {
        complete = start(team, team->started);
        team->started += complete;
    }
    if (complete)
        return team;
    opencl_team_destroy(team);
    return NULL;
}

void opencl_team_destroy(struct opencl_team *team)
{
    if (!team)
        return;
    atomic_store(&team->quit, true);
    opencl_team_advance(team, &team->posts);
    for (uint32_t i = 1; i < team->started; i++)
        pthread_join(team->threads[i], NULL);
#ifdef __linux__
    if (team->placed && team->cores)
        sched_setaffinity(0, sizeof team->before, &team->before);
#endif
    pthread_cond_destroy(&team->changed);
    pthread_mutex_destroy(&team->mutex);
    free(team->cores);
    free(team);
}
