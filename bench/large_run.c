/* SPDX-License-Identifier: MIT
 *
 * Many seeded searches, on all cores.
 */
#include "large.h"

#include "base/hash.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_BATCH 128

/* Seconds of this process's processor: other processes do not count. */
static double cpu_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One measurement: the truth and its noise. */
static struct anole_result measure(const struct large_world *world, uint64_t config,
                                   struct anole_rng *rng)
{
    double seconds = large_world_seconds(world, config);
    struct anole_result result = {.outcome = ANOLE_OUTCOME_COMPILE, .seconds = NAN};
    double noise = exp(world->noise * anole_rng_normal(rng));
    if (!isnan(seconds)) {
        result.outcome = ANOLE_OUTCOME_OK;
        result.seconds = result.low = result.high = seconds * noise;
    }
    return result;
}

/* The real trials of all the other tasks. */
static enum anole_status inform(struct anole_search *search, const struct large_plan *plan,
                                size_t world, struct anole_error *error)
{
    struct anole_prior_source sources[LARGE_MAX_WORLDS];
    size_t count = 0;
    for (size_t w = 0; w < plan->world_count; w++)
        if (w != world)
            sources[count++] = (struct anole_prior_source){
                .features = plan->worlds[w].features,
                .trials = plan->worlds[w].real,
            };
    return anole_search_inform(search, sources, count, error);
}

struct progress {
    size_t done;
    double best; /* ratio */
    double spent;
    float *ratio, *spent_at;
};

static enum anole_status take_batch(struct progress *progress, const struct large_plan *plan,
                                    const struct large_world *world, struct anole_search *search,
                                    struct anole_trials *trials, struct anole_rng *rng,
                                    struct anole_error *error)
{
    uint64_t configs[MOST_BATCH];
    size_t left = plan->trials - progress->done, count = 0;
    double began = cpu_clock();
    enum anole_status status =
        anole_search_next(search, 0, configs, left < MOST_BATCH ? left : MOST_BATCH, &count, error);
    progress->spent += cpu_clock() - began;
    if (status == ANOLE_DONE && !count)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "%s: nothing left to try", world->task);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        const struct anole_trial *best;
        struct anole_result result = measure(world, configs[i], rng);
        status = anole_trials_add(trials, configs[i], &result, error);
        /* What it would end with: the best as measured, by its true time. */
        if (status == ANOLE_DONE && (best = anole_trials_best(trials)))
            progress->best = large_world_seconds(world, best->config) / world->optimum;
        progress->ratio[progress->done] = (float)progress->best;
        progress->spent_at[progress->done++] = (float)progress->spent;
    }
    return status;
}

static enum anole_status run_one(const struct large_runs *runs, size_t w, size_t c, size_t r,
                                 struct anole_error *error)
{
    const struct large_plan *plan = runs->plan;
    const struct large_world *world = &plan->worlds[w];
    const struct large_contender *contender = &plan->contenders[c];
    size_t at = large_run_index(plan, w, c, r);
    struct progress progress = {
        .best = 100.0, .ratio = runs->ratio + at, .spent_at = runs->spent + at};
    /* Paired: the same seed for all contenders. */
    struct anole_search_options options = {
        .explorer = contender->explorer,
        .sampler = contender->sampler,
        .seed = anole_hash_combine(plan->seed, r),
    };
    struct anole_rng rng;
    struct anole_trials *trials = NULL;
    struct anole_search *search = NULL;
    anole_rng_init(&rng, anole_hash_combine(options.seed, 1));
    enum anole_status status = anole_trials_create(&trials, error);
    if (status == ANOLE_DONE)
        status =
            anole_search_create(&search, world->space, world->features, trials, &options, error);
    double began = cpu_clock();
    if (status == ANOLE_DONE && contender->transfer)
        status = inform(search, plan, w, error);
    progress.spent = cpu_clock() - began;
    while (status == ANOLE_DONE && progress.done < plan->trials)
        status = take_batch(&progress, plan, world, search, trials, &rng, error);
    anole_search_destroy(search);
    anole_trials_destroy(trials);
    return status;
}

/* Every `processes`-th run, from `first` on. */
static int run_share(const struct large_runs *runs, size_t first)
{
    const struct large_plan *plan = runs->plan;
    size_t count = plan->world_count * plan->contender_count * plan->repeats;
    for (size_t i = first; i < count; i += plan->processes) {
        struct anole_error error = {0};
        size_t world = i / plan->repeats / plan->contender_count;
        size_t contender = i / plan->repeats % plan->contender_count;
        if (run_one(runs, world, contender, i % plan->repeats, &error) != ANOLE_DONE) {
            fprintf(stderr, "anole-bench-large: %s\n", error.text);
            return 1;
        }
    }
    return 0;
}

static enum anole_status wait_all(const pid_t *children, size_t count, struct anole_error *error)
{
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        int status;
        while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
            ;
        failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return failed ? anole_fail(error, ANOLE_ERR_INTERNAL, "a process that searched failed")
                  : ANOLE_DONE;
}

enum anole_status large_run_all(struct large_runs *runs, const struct large_plan *plan,
                                struct anole_error *error)
{
    size_t numbers = plan->world_count * plan->contender_count * plan->repeats * plan->trials;
    pid_t children[64];
    size_t started = 0;
    *runs = (struct large_runs){.plan = plan, .bytes = 2 * numbers * sizeof(float)};
    runs->memory =
        mmap(NULL, runs->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (runs->memory == MAP_FAILED) {
        runs->memory = NULL;
        return anole_fail_memory(error);
    }
    runs->ratio = runs->memory;
    runs->spent = runs->ratio + numbers;
    fflush(stdout);
    for (; started < plan->processes && started < 64; started++) {
        children[started] = fork();
        if (children[started] < 0)
            break;
        if (children[started] == 0)
            _exit(run_share(runs, started));
    }
    enum anole_status status = wait_all(children, started, error);
    if (status == ANOLE_DONE && started < plan->processes)
        status =
            anole_fail(error, ANOLE_ERR_INTERNAL, "cannot start a process: %s", strerror(errno));
    return status;
}

void large_runs_fini(struct large_runs *runs)
{
    if (runs->memory)
        munmap(runs->memory, runs->bytes);
}
