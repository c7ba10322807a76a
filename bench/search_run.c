/* SPDX-License-Identifier: MIT
 *
 * Many seeded searches over recorded spaces, in as many processes as there are
 * cores: XGBoost keeps state of its own, which threads would share.
 */
#include "search_run.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_BATCH 1024
#define LOGS 8 /* to learn from, of each source; repeats take them in turn */

/* What all processes see. */
struct shared {
    atomic_size_t next; /* job */
    atomic_size_t done;
    atomic_flag failing;
    struct anole_error error; /* of the first to fail */
};

/* The logs of all sources; a space without enough results is itself the log. */
struct logs {
    uint64_t *configs; /* [sources][LOGS][log_trials] */
    uint32_t *counts;  /* [sources][LOGS] */
};

struct process_pool {
    struct bench_runs *runs;
    const struct bench_plan *plan;
    struct shared *shared;
    struct logs logs;
    void *memory; /* of `shared` and `logs` */
    size_t bytes;
};

typedef enum anole_status pool_job(const struct process_pool *pool, size_t job,
                                   struct anole_error *error);

/* Of the processor: other programs must not count. */
static double processor_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ----------------------------------------------------------------- one search */

/* What a search leaves; NULL where nobody asks. */
struct trace {
    float *best, *clock;
    uint64_t *configs;
    size_t trials; /* room in each, and the number to make */
    size_t made;
};

/* A search that goes on. */
struct search_state {
    const struct bench_space *space;
    struct anole_trials *trials;
    struct anole_search *search;
    struct bench_run run;
    double seen;  /* seconds */
    double clock; /* seconds */
};

static enum anole_status take_batch(struct search_state *state, struct trace *trace,
                                    const uint64_t *configs, size_t count,
                                    struct anole_error *error)
{
    const struct bench_space *space = state->space;
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        struct anole_result result;
        state->clock += bench_space_try(space, configs[i], &result);
        if (result.outcome == ANOLE_OUTCOME_OK)
            state->seen = fmin(state->seen, result.seconds);
        else
            state->run.failed++;
        if (trace->best)
            trace->best[trace->made] = (float)log(fmin(state->seen, space->worst) / space->optimum);
        if (trace->clock)
            trace->clock[trace->made] = (float)(state->clock / space->trial_seconds);
        if (trace->configs)
            trace->configs[trace->made] = configs[i];
        trace->made++;
        status = anole_trials_add(state->trials, configs[i], &result, error);
    }
    return status;
}

/* Until there are enough trials, or none left to make: then nothing changes. */
static enum anole_status run_search(struct search_state *state, struct trace *trace, size_t batch,
                                    bool own_time, struct anole_error *error)
{
    uint64_t configs[LARGEST_BATCH];
    enum anole_status status = ANOLE_DONE;
    double spent = 0.0;
    while (trace->made < trace->trials && status == ANOLE_DONE) {
        size_t rest = trace->trials - trace->made, count = 0;
        double began = processor_clock();
        status = anole_search_next(state->search, batch, configs,
                                   rest < LARGEST_BATCH ? rest : LARGEST_BATCH, &count, error);
        double seconds = processor_clock() - began;
        spent += seconds;
        if (own_time)
            state->clock += seconds;
        state->run.worst_batch = fmax(state->run.worst_batch, seconds);
        state->run.batches++;
        if (status != ANOLE_DONE || count == 0)
            break;
        status = take_batch(state, trace, configs, count, error);
    }
    state->run.batch_seconds = spent / fmax(1.0, state->run.batches);
    for (size_t i = trace->made; i < trace->trials && i > 0; i++) {
        if (trace->best)
            trace->best[i] = trace->best[i - 1];
        if (trace->clock)
            trace->clock[i] = trace->clock[i - 1];
    }
    return status;
}

struct priors {
    struct anole_prior_source *sources;
    size_t count;
};

static enum anole_status simulate(struct bench_run *run, struct trace *trace,
                                  const struct bench_plan *plan, const struct bench_space *space,
                                  const struct bench_strategy *strategy,
                                  const struct priors *priors, uint64_t seed,
                                  struct anole_error *error)
{
    struct search_state state = {.space = space, .seen = INFINITY};
    struct anole_search_options options = {.explorer = strategy->explorer,
                                           .sampler = strategy->sampler,
                                           .initial = plan->initial,
                                           .seed = seed};
    enum anole_status status = anole_trials_create(&state.trials, error);
    if (status == ANOLE_DONE)
        status = anole_search_create(&state.search, space->space, space->features, state.trials,
                                     &options, error);
    if (status == ANOLE_DONE && priors->count)
        status = anole_search_inform(state.search, priors->sources, priors->count, error);
    if (status == ANOLE_DONE)
        status = run_search(&state, trace, strategy->batch ? strategy->batch : plan->batch,
                            plan->own_time, error);
    if (status == ANOLE_DONE)
        *run = state.run;
    anole_search_destroy(state.search);
    anole_trials_destroy(state.trials);
    return status;
}

/* -------------------------------------------------------------------- priors */

static uint64_t *log_of(const struct process_pool *pool, size_t source, size_t log)
{
    return pool->logs.configs + (source * LOGS + log) * pool->plan->log_trials;
}

/* Writes one log of one source: a search there by the default explorer. */
static enum anole_status write_log(const struct process_pool *pool, size_t job,
                                   struct anole_error *error)
{
    const struct bench_plan *plan = pool->plan;
    const struct bench_space *source = &plan->sources.items[job / LOGS];
    struct trace trace = {.configs = log_of(pool, job / LOGS, job % LOGS),
                          .trials = plan->log_trials};
    struct bench_strategy strategy = {.explorer = anole_explorers()[0]};
    struct bench_run run;
    enum anole_status status = ANOLE_DONE;
    size_t recorded = anole_recording_count(source->recording);
    if (recorded > plan->log_trials) {
        uint64_t seed = (plan->seed ^ UINT64_C(0x6c6f67)) + job; /* not those of the repeats */
        status = simulate(&run, &trace, plan, source, &strategy, &(struct priors){0}, seed, error);
    } else {
        for (trace.made = 0; trace.made < recorded; trace.made++)
            trace.configs[trace.made] = anole_recording_get(source->recording, trace.made)->config;
    }
    pool->logs.counts[job] = (uint32_t)trace.made;
    return status;
}

static void priors_fini(struct priors *priors)
{
    for (size_t i = 0; i < priors->count; i++)
        anole_trials_destroy((struct anole_trials *)priors->sources[i].trials);
    free(priors->sources);
}

static enum anole_status read_log(struct anole_trials **trials, const struct process_pool *pool,
                                  size_t source, size_t log, struct anole_error *error)
{
    const uint64_t *configs = log_of(pool, source, log);
    struct anole_trials *made;
    enum anole_status status = anole_trials_create(&made, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < pool->logs.counts[source * LOGS + log] && status == ANOLE_DONE; i++) {
        struct anole_result result;
        bench_space_try(&pool->plan->sources.items[source], configs[i], &result);
        status = anole_trials_add(made, configs[i], &result, error);
    }
    if (status == ANOLE_DONE)
        *trials = made;
    else
        anole_trials_destroy(made);
    return status;
}

/* A log of every source but the space itself. */
static enum anole_status read_priors(struct priors *priors, const struct process_pool *pool,
                                     const struct bench_space *space, size_t repeat,
                                     struct anole_error *error)
{
    const struct bench_spaces *sources = &pool->plan->sources;
    enum anole_status status = ANOLE_DONE;
    priors->sources = calloc(sources->count + 1, sizeof *priors->sources);
    if (!priors->sources)
        return anole_fail_memory(error);
    for (size_t i = 0; i < sources->count && status == ANOLE_DONE; i++) {
        struct anole_trials *trials;
        if (strcmp(sources->items[i].path, space->path) == 0)
            continue;
        status = read_log(&trials, pool, i, repeat % LOGS, error);
        if (status == ANOLE_DONE)
            priors->sources[priors->count++] = (struct anole_prior_source){
                .features = sources->items[i].features, .trials = trials, .group = (unsigned)i};
    }
    return status;
}

/* One repeat of one strategy in one space. */
static enum anole_status search_once(const struct process_pool *pool, size_t job,
                                     struct anole_error *error)
{
    const struct bench_plan *plan = pool->plan;
    /* All strategies of a repeat follow one another: what runs is a fair sample
     * of the whole at any time. */
    size_t strategy = job % plan->strategy_count, rest = job / plan->strategy_count;
    size_t space = rest % plan->spaces.count, repeat = rest / plan->spaces.count;
    size_t index = bench_run_index(plan, space, strategy, repeat);
    struct trace trace = {.best = pool->runs->best + index * plan->trials,
                          .clock = pool->runs->clock + index * plan->trials,
                          .trials = plan->trials};
    struct priors priors = {0};
    enum anole_status status = ANOLE_DONE;
    if (plan->strategies[strategy].transfers)
        status = read_priors(&priors, pool, &plan->spaces.items[space], repeat, error);
    if (status == ANOLE_DONE)
        status = simulate(&pool->runs->runs[index], &trace, plan, &plan->spaces.items[space],
                          &plan->strategies[strategy], &priors, plan->seed + repeat, error);
    priors_fini(&priors);
    return status;
}

/* ------------------------------------------------------------------ processes */

static void work(const struct process_pool *pool, pool_job *job, size_t jobs)
{
    struct shared *shared = pool->shared;
    for (;;) {
        struct anole_error error = {0};
        size_t mine = atomic_fetch_add(&shared->next, 1);
        if (mine >= jobs)
            return;
        if (job(pool, mine, &error) != ANOLE_DONE) {
            if (!atomic_flag_test_and_set(&shared->failing))
                shared->error = error;
            atomic_store(&shared->next, jobs);
            return;
        }
        atomic_fetch_add(&shared->done, 1);
    }
}

static enum anole_status start(pid_t *child, const struct process_pool *pool, pool_job *job,
                               size_t jobs, struct anole_error *error)
{
    pid_t parent = getpid();
    fflush(NULL);
    *child = fork();
    if (*child < 0)
        return anole_fail_errno(error, "no further process could be started");
    if (*child > 0)
        return ANOLE_DONE;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        work(pool, job, jobs);
    _exit(0);
}

static void show_progress(const struct process_pool *pool, size_t jobs)
{
    if (!pool->plan->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r%zu of %zu searches ", atomic_load(&pool->shared->done), jobs);
}

/* Waits for one of them; false if it came to grief. */
static bool wait_for(const struct process_pool *pool, pid_t child, size_t jobs)
{
    int state;
    for (;;) {
        pid_t ended = waitpid(child, &state, WNOHANG);
        if (ended == child)
            return WIFEXITED(state) && WEXITSTATUS(state) == 0;
        if (ended < 0 && errno != EINTR)
            return false;
        show_progress(pool, jobs);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static enum anole_status run_jobs(const struct process_pool *pool, pool_job *job, size_t jobs,
                                  struct anole_error *error)
{
    size_t wanted = pool->plan->processes < jobs ? pool->plan->processes : jobs, started = 0;
    enum anole_status status = ANOLE_DONE;
    pid_t *children = calloc(wanted + 1, sizeof *children);
    if (!children)
        return anole_fail_memory(error);
    atomic_store(&pool->shared->next, 0);
    atomic_store(&pool->shared->done, 0);
    while (started < wanted && status == ANOLE_DONE) {
        status = start(&children[started], pool, job, jobs, error);
        started += status == ANOLE_DONE;
    }
    bool whole = true;
    for (size_t i = 0; i < started; i++)
        whole = wait_for(pool, children[i], jobs) && whole;
    free(children);
    if (!pool->plan->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    if (status == ANOLE_DONE && pool->shared->error.status != ANOLE_DONE)
        status = anole_fail(error, pool->shared->error.status, "%s", pool->shared->error.text);
    if (status == ANOLE_DONE && (!whole || atomic_load(&pool->shared->done) != jobs))
        status = anole_fail(error, ANOLE_ERR_WORKER, "a process that searched died");
    return status;
}

/* --------------------------------------------------------------------- memory */

/* Memory that the processes share. */
static enum anole_status map(void **memory, size_t bytes, struct anole_error *error)
{
    void *mapped =
        mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return anole_fail_memory(error);
    *memory = mapped;
    return ANOLE_DONE;
}

static enum anole_status map_runs(struct bench_runs *runs, const struct bench_plan *plan,
                                  struct anole_error *error)
{
    size_t count = plan->spaces.count * plan->strategy_count * plan->repeats, each;
    if (__builtin_mul_overflow(plan->trials, 2 * sizeof *runs->best, &each) ||
        __builtin_add_overflow(each, sizeof *runs->runs, &each) ||
        __builtin_mul_overflow(count, each, &runs->bytes))
        return anole_fail_memory(error);
    enum anole_status status = map(&runs->memory, runs->bytes, error);
    if (status != ANOLE_DONE)
        return status;
    runs->plan = plan;
    runs->runs = runs->memory;
    runs->best = (float *)(runs->runs + count);
    runs->clock = runs->best + count * plan->trials;
    return ANOLE_DONE;
}

static enum anole_status map_pool(struct process_pool *pool, struct anole_error *error)
{
    size_t logs = pool->plan->sources.count * LOGS, configs = logs * pool->plan->log_trials;
    pool->bytes = sizeof *pool->shared + configs * sizeof *pool->logs.configs +
                  logs * sizeof *pool->logs.counts;
    enum anole_status status = map(&pool->memory, pool->bytes, error);
    if (status != ANOLE_DONE)
        return status;
    pool->logs.configs = pool->memory;
    pool->shared = (struct shared *)(pool->logs.configs + configs);
    pool->logs.counts = (uint32_t *)(pool->shared + 1);
    return ANOLE_DONE;
}

enum anole_status bench_run_all(struct bench_runs *runs, const struct bench_plan *plan,
                                struct anole_error *error)
{
    struct bench_runs made = {0};
    struct process_pool pool = {.runs = &made, .plan = plan};
    enum anole_status status = map_runs(&made, plan, error);
    if (status == ANOLE_DONE)
        status = map_pool(&pool, error);
    if (status == ANOLE_DONE && plan->sources.count)
        status = run_jobs(&pool, write_log, plan->sources.count * LOGS, error);
    if (status == ANOLE_DONE)
        status = run_jobs(&pool, search_once,
                          plan->spaces.count * plan->strategy_count * plan->repeats, error);
    if (pool.memory)
        munmap(pool.memory, pool.bytes);
    if (status == ANOLE_DONE)
        *runs = made;
    else
        bench_runs_fini(&made);
    return status;
}

void bench_runs_fini(struct bench_runs *runs)
{
    if (runs->memory)
        munmap(runs->memory, runs->bytes);
    *runs = (struct bench_runs){0};
}
