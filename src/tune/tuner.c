/* SPDX-License-Identifier: MIT */
#include "tune/tuner_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "measure/batch.h"
#include "op/task.h"
#include "record/lockfolder.h"
#include "tune/finalists.h"
#include "tune/suggest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Batches are capped: nothing gains from more trials between two fits. */
#define BATCH_CAPACITY 64

/* How a task begins: its default, up to GIVEN configs that lock files have of it, the best that a
 * history has of it from another device, the best of up to SISTERS other tasks, NEIGHBOURS small
 * changes of the default, and random configs up to INITIAL. */
#define GIVEN 3
#define SISTERS 3
#define NEIGHBOURS 4
#define INITIAL 12

/* Seconds that a reference may take whatever is left of the time: by its forecast, and until it
 * is given up. */
#define LEAST_REFERENCE 5.0
#define LEAST_REFERENCE_LIMIT 15.0

/* Trials in a row that something else keeps from being made, until a run stops. */
#define MOST_LOST 16

/* Share of a time budget, and seconds a task, kept for comparing finalists. */
#define FINAL_SHARE 0.15
#define FINAL_SECONDS 1.5
/* To load a finalist, until it is known: the driver has built it before. */
#define LOAD_SECONDS 0.1

/* ------------------------------------------------------------ view, clock */

static void refresh(struct anole_tuner *tuner)
{
    struct anole_tuner_view *view = &tuner->view;
    view->elapsed = anole_clock() - tuner->start;
    anole_measure_cost(tuner->measure, &view->measure);
    memset(&view->search, 0, sizeof view->search);
    for (size_t i = 0; i < view->task_count; i++) {
        struct anole_search_cost cost = {0};
        if (tuner->jobs[i].search)
            anole_search_cost(tuner->jobs[i].search, &cost);
        view->search.model += cost.model;
        view->search.explore += cost.explore;
        view->search.sample += cost.sample;
    }
}

static void show(struct anole_tuner *tuner)
{
    if (!tuner->observer)
        return;
    refresh(tuner);
    tuner->observer(tuner->observer_context, &tuner->view);
}

static bool stopped(const struct anole_tuner *tuner)
{
    return tuner->options.stop && tuner->options.stop(tuner->options.stop_context);
}

static enum anole_status interrupted(struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted; all finished trials are kept");
}

/* Seconds of a time budget that are set aside for the finalists. */
static double reserve(const struct anole_tuner *tuner)
{
    return fmin(FINAL_SECONDS * (double)tuner->view.task_count,
                FINAL_SHARE * tuner->options.time_limit);
}

/* Seconds left for searching. */
static double search_time_left(const struct anole_tuner *tuner)
{
    if (tuner->options.time_limit <= 0.0)
        return INFINITY;
    return tuner->options.time_limit - tuner->options.set_aside - reserve(tuner) -
           (anole_clock() - tuner->start);
}

/* A batch that is under way when the time for searching is over may finish, but
 * not eat more than half of the finalists' time. */
static bool overdue(const struct anole_tuner *tuner)
{
    return tuner->searching && search_time_left(tuner) < -0.5 * reserve(tuner);
}

/* The reference in the making takes longer than is left. */
static bool reference_overdue(struct anole_tuner *tuner)
{
    /* There is no measure yet, or no longer, while it is made or ended. */
    const bool overdue =
        tuner->measure && anole_measure_preparing(tuner->measure) > tuner->reference_limit;
    tuner->given_up |= overdue;
    return overdue;
}

bool anole_tuner_poll_stop(void *context)
{
    struct anole_tuner *tuner = context;
    show(tuner);
    return stopped(tuner) || overdue(tuner) || reference_overdue(tuner);
}

static size_t total_trials(const struct anole_tuner *tuner)
{
    size_t total = 0;
    for (size_t i = 0; i < tuner->view.task_count; i++)
        total += tuner->tasks[i].trials;
    return total;
}

/* ------------------------------------------------------------- one result */

void anole_tuner_note_result(struct anole_tuner *tuner, size_t task, uint64_t config,
                             const struct anole_result *result)
{
    struct anole_tuner_task *line = &tuner->tasks[task];
    const struct anole_space *space = anole_generator_space(tuner->jobs[task].generator);
    line->trials++;
    line->failures[result->outcome] += result->outcome != ANOLE_OUTCOME_OK;
    if (result->outcome == ANOLE_OUTCOME_OK && config == anole_space_default(space))
        line->default_value = anole_result_value(result);
    const struct anole_trial *best = anole_trials_best(tuner->jobs[task].trials);
    line->best_value = best ? anole_result_value(&best->result) : NAN;
    tuner->jobs[task].best_cost = best ? anole_result_cost(&best->result) : NAN;
    line->best_config = best ? best->config : anole_space_default(space);
}

static void note_crowding(struct anole_tuner *tuner, const struct anole_result *result)
{
    tuner->timed += result->cost.run;
    tuner->crowded += result->crowding * result->cost.run;
    tuner->view.disturbed += result->disturbed > 0;
    tuner->view.crowding = tuner->timed > 0.0 ? tuner->crowded / tuner->timed : 0.0;
}

struct sink_context {
    struct anole_tuner *tuner;
    size_t task;
    double builds, others; /* seconds of the batch's trials */
};

/* No trial: the history says nothing of it, so that the same command tries it again.  In this
 * run it is left alone. */
static enum anole_status take_lost(struct anole_tuner *tuner, struct anole_tuner_job *job,
                                   uint64_t config, const struct anole_result *result,
                                   struct anole_error *error)
{
    if (++tuner->lost >= MOST_LOST)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "%zu trials in a row came to nothing through no fault of a kernel: %s; "
                          "none of them is kept",
                          tuner->lost, result->message);
    anole_log_warning("a trial is put off: %s", result->message);
    return anole_trials_add(job->trials, config, result, error);
}

/* Journal first: what is not on disk did not happen. */
static enum anole_status take_result(void *context, size_t index, uint64_t config,
                                     const struct anole_result *result, struct anole_error *error)
{
    (void)index;
    struct sink_context *sink = context;
    struct anole_tuner *tuner = sink->tuner;
    struct anole_tuner_job *job = &tuner->jobs[sink->task];
    if (result->outcome == ANOLE_OUTCOME_LOST)
        return take_lost(tuner, job, config, result, error);
    tuner->lost = 0;
    double start = anole_clock();
    enum anole_status status = anole_history_append(
        tuner->history, &job->key, anole_generator_space(job->generator), config, result, error);
    tuner->view.history_seconds += anole_clock() - start;
    sink->builds += result->cost.build;
    sink->others += result->cost.transfer + result->cost.run + result->cost.verify;
    if (status == ANOLE_DONE)
        status = anole_trials_add(job->trials, config, result, error);
    if (status != ANOLE_DONE)
        return status;
    tuner->view.trials++;
    if (result->outcome == ANOLE_OUTCOME_OK)
        job->timer = result->timer;
    anole_tuner_note_result(tuner, sink->task, config, result);
    note_crowding(tuner, result);
    show(tuner);
    return ANOLE_DONE;
}

enum anole_status anole_tuner_announce(void *context, const struct anole_generator *generator,
                                       uint64_t config, bool over, struct anole_error *error)
{
    struct anole_tuner *tuner = context;
    const struct anole_space *space = anole_generator_space(generator);
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        const struct anole_tuner_job *job = &tuner->jobs[i];
        if (job->generator == generator)
            return over ? anole_history_withdraw(tuner->history, &job->key, space, config, error)
                        : anole_history_begin(tuner->history, &job->key, space, config, error);
    }
    return ANOLE_DONE;
}

void anole_tuner_observe(struct anole_tuner *tuner, anole_tuner_observer *observer, void *context)
{
    tuner->observer = observer;
    tuner->observer_context = context;
}

const struct anole_tuner_view *anole_tuner_view(struct anole_tuner *tuner)
{
    refresh(tuner);
    return &tuner->view;
}

void anole_tuner_rest(struct anole_tuner *tuner, const char **scratch)
{
    anole_measure_rest(tuner->measure);
    *scratch = anole_measure_scratch(tuner->measure);
}

void anole_tuner_phase(struct anole_tuner *tuner, const char *phase)
{
    tuner->view.phase = phase;
}

/* -------------------------------------------------------------- searching */

/* No further turn for a task whose kernels cannot be verified in time. */
static void leave_out(struct anole_tuner *tuner, size_t task, const char *seconds)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    snprintf(job->left_out, sizeof job->left_out,
             "to compute its reference takes %s, more than is left of the time; give more with "
             "--time",
             seconds);
    anole_log_warning("%s is left out: %s", tuner->tasks[task].label, job->left_out);
    anole_schedule_exhaust(tuner->schedule, task);
}

/* It took longer than had been thought. */
static void give_up(struct anole_tuner *tuner, size_t task)
{
    char words[48];
    snprintf(words, sizeof words, "over %.0f s", tuner->reference_limit);
    leave_out(tuner, task, words);
}

/* Whether there is time for the reference of a task.  Sets the limit of computing it. */
static bool has_time(struct anole_tuner *tuner, size_t task)
{
    char words[48];
    const struct anole_task *source = anole_generator_task(tuner->jobs[task].generator);
    const double left = search_time_left(tuner);
    const double seconds = anole_measure_reference_seconds(tuner->measure, source);
    tuner->reference_limit = fmax(left, LEAST_REFERENCE_LIMIT);
    tuner->given_up = false;
    if (seconds <= fmax(left, LEAST_REFERENCE))
        return true;
    snprintf(words, sizeof words, "about %.0f s", seconds);
    leave_out(tuner, task, words);
    return false;
}

static enum anole_status measure_batch(struct anole_tuner *tuner, size_t task,
                                       const uint64_t *configs, size_t count,
                                       struct anole_error *error)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    struct sink_context sink = {.tuner = tuner, .task = task};
    size_t before = tuner->tasks[task].trials;
    /* What takes far longer is given up early, whatever it is measured for. */
    const struct anole_trial *best = anole_trials_best(job->trials);
    double best_seconds = best ? best->result.seconds : NAN;
    tuner->view.current = task;
    if (!has_time(tuner, task))
        return ANOLE_DONE;
    anole_measure_set_timer(tuner->measure, job->timer);
    enum anole_status status = anole_measure_batch(tuner->measure, job->generator, configs, count,
                                                   best_seconds, take_result, &sink, error);
    if (status == ANOLE_ERR_INTERRUPTED && !stopped(tuner)) {
        anole_error_clear(error); /* cut off by the clock: what is done is kept */
        status = ANOLE_DONE;
        if (tuner->given_up)
            give_up(tuner, task);
    }
    size_t made = tuner->tasks[task].trials - before;
    if (made > 0) {
        anole_schedule_update(tuner->schedule, task, made, job->best_cost);
        anole_schedule_charge(tuner->schedule, task,
                              sink.builds / anole_measure_builders(tuner->measure) + sink.others);
    }
    return status;
}

/* The default config of every task that has none yet: the figures to beat, and a
 * time for the schedule to go by. */
static enum anole_status measure_defaults(struct anole_tuner *tuner, struct anole_error *error)
{
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        if (tuner->jobs[i].started)
            continue;
        if (stopped(tuner))
            return interrupted(error);
        uint64_t config = anole_space_default(anole_generator_space(tuner->jobs[i].generator));
        enum anole_status status = measure_batch(tuner, i, &config, 1, error);
        if (status != ANOLE_DONE)
            return status;
        tuner->jobs[i].started = true;
    }
    return ANOLE_DONE;
}

/* What lock files have of this very task, the most similar entry first. */
static size_t suggest_given(const struct anole_tuner *tuner, size_t task, uint64_t *configs)
{
    struct anole_lock_similar similar[GIVEN];
    const struct anole_lockfile *from = tuner->options.from;
    const struct anole_space *space = anole_generator_space(tuner->jobs[task].generator);
    struct anole_history_key here = tuner->jobs[task].key;
    char words[256];
    size_t count = 0;
    here.threads = tuner->options.threads; /* as lock files have them */
    size_t found = from ? anole_lock_similar(similar, GIVEN, from, &here, true) : 0;
    for (size_t i = 0; i < found; i++) {
        const struct anole_lock_device *device = &from->devices[similar[i].device];
        struct anole_error why = {.status = ANOLE_DONE};
        anole_lock_differences_text(words, sizeof words, device, similar[i].differences);
        if (anole_lock_task_config(&configs[count], &device->tasks[similar[i].task], space, &why) ==
            ANOLE_DONE)
            count++;
        else
            anole_log_warning("of %s: %s; passed over", words, why.text);
        if (i == 0 && count == 1)
            anole_log_info("%s begins with what was found on %s: %s", tuner->tasks[task].label,
                           similar[i].differences ? "a similar machine" : "this one", words);
    }
    return count;
}

/* The best that another device's history has of it. */
static size_t suggest_past(const struct anole_tuner *tuner, size_t task, uint64_t *configs)
{
    char key[ANOLE_TASK_KEY];
    for (size_t i = 0; i < anole_transfer_count(tuner->transfer); i++) {
        struct anole_prior_source source;
        const struct anole_task *past = anole_transfer_task(tuner->transfer, i);
        uint32_t kind;
        anole_task_key(key, past);
        anole_transfer_get(tuner->transfer, i, &source, &kind);
        const struct anole_trial *best = anole_trials_best(source.trials);
        if (strcmp(key, tuner->tasks[task].key) == 0 && best) {
            configs[0] = best->config;
            return 1;
        }
    }
    return 0;
}

/* What was best elsewhere, what was for the tasks before, and small changes of the default. */
static size_t suggest(struct anole_tuner *tuner, size_t task, uint64_t *configs,
                      struct anole_rng *rng)
{
    const struct anole_space *space = anole_generator_space(tuner->jobs[task].generator);
    uint64_t fallback = anole_space_default(space);
    size_t count = suggest_given(tuner, task, configs);
    count += suggest_past(tuner, task, configs + count);
    const size_t most = count + SISTERS;
    for (size_t i = 0; i < tuner->view.task_count && count < most; i++) {
        const struct anole_space *other = anole_generator_space(tuner->jobs[i].generator);
        uint64_t config = tuner->tasks[i].best_config;
        if (i == task || isnan(tuner->tasks[i].best_value) ||
            config == anole_space_default(other) ||
            tuner->tasks[i].source->task.kind != tuner->tasks[task].source->task.kind)
            continue;
        if (anole_suggest_translate(&configs[count], space, other, config) &&
            configs[count] != fallback)
            count++;
    }
    return count + anole_suggest_neighbours(configs + count, NEIGHBOURS, space, fallback, rng);
}

static bool executable_of(void *context, uint64_t *executable, uint64_t config)
{
    return anole_generator_executable(executable, context, config);
}

/* Where trials are counted, each is to count for itself; a simulated device builds nothing. */
static struct anole_sharing sharing_of(const struct anole_tuner *tuner, size_t task)
{
    struct anole_generator *generator = tuner->jobs[task].generator;
    const struct anole_device *device = anole_generator_device(generator);
    if (tuner->options.trial_limit > 0 || tuner->options.time_limit <= 0.0 ||
        device->flags & ANOLE_DEVICE_SIMULATED)
        return (struct anole_sharing){.executable = NULL};
    return (struct anole_sharing){.executable = executable_of,
                                  .context = generator,
                                  .parallel = anole_measure_builders(tuner->measure)};
}

/* Made at a task's first turn, so that it can profit from the tasks before it. */
static enum anole_status open_search(struct anole_tuner *tuner, size_t task,
                                     struct anole_error *error)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    struct anole_rng parent, rng;
    anole_rng_init(&parent, tuner->options.seed);
    anole_rng_fork(&rng, &parent, tuner->tasks[task].key);
    uint64_t suggestions[GIVEN + 1 + SISTERS + NEIGHBOURS];
    const struct anole_explorer_ops *explorer = tuner->options.explorer;
    /* Of the only config there is nothing to learn. */
    if (anole_space_knob_count(anole_generator_space(job->generator)) == 0)
        (void)anole_explorer_find(&explorer, "random", NULL);
    struct anole_search_options search = {
        .explorer = explorer,
        .sampler = tuner->options.sampler,
        .initial = INITIAL,
        .suggestions = suggestions,
        .suggestion_count = suggest(tuner, task, suggestions, &rng),
        .sharing = sharing_of(tuner, task),
        .seed = anole_rng_u64(&rng),
    };
    return anole_search_create(&job->search, anole_generator_space(job->generator),
                               anole_generator_features(job->generator), job->trials, &search,
                               error);
}

/* One batch for the task whose turn it is.  *more false: nothing is left. */
static enum anole_status search_batch(struct anole_tuner *tuner, bool *more,
                                      struct anole_error *error)
{
    size_t task = anole_schedule_next(tuner->schedule);
    if (task == SIZE_MAX) {
        *more = false;
        return ANOLE_DONE;
    }
    uint64_t configs[BATCH_CAPACITY];
    size_t count = 0;
    size_t room = BATCH_CAPACITY;
    if (tuner->options.trial_limit > 0) {
        size_t left = tuner->options.trial_limit - total_trials(tuner);
        room = left < room ? left : room;
    }
    enum anole_status status = ANOLE_DONE;
    if (!tuner->jobs[task].search)
        status = open_search(tuner, task, error);
    if (status == ANOLE_DONE)
        status = anole_tuner_inform(tuner, task, error);
    if (status == ANOLE_DONE)
        status = anole_search_next(tuner->jobs[task].search, 0, configs, room, &count, error);
    if (status == ANOLE_DONE)
        status = anole_generator_trouble(tuner->jobs[task].generator, error);
    if (status != ANOLE_DONE)
        return status;
    if (count == 0) {
        anole_schedule_exhaust(tuner->schedule, task);
        return ANOLE_DONE;
    }
    return measure_batch(tuner, task, configs, count, error);
}

enum anole_status anole_tuner_run(struct anole_tuner *tuner, struct anole_error *error)
{
    tuner->view.phase = "measuring defaults";
    enum anole_status status = measure_defaults(tuner, error);
    tuner->view.phase = "searching";
    tuner->searching = true;
    bool more = true;
    while (status == ANOLE_DONE && more) {
        if (stopped(tuner)) {
            status = interrupted(error);
            break;
        }
        if (search_time_left(tuner) <= 0.0)
            break;
        if (tuner->options.trial_limit > 0 && total_trials(tuner) >= tuner->options.trial_limit)
            break;
        status = search_batch(tuner, &more, error);
    }
    tuner->searching = false;
    return status;
}

/* -------------------------------------------------------------- finishing */

/* A task's part of the time that is left. */
static double final_share(const struct anole_tuner *tuner, size_t task)
{
    if (tuner->options.time_limit <= 0.0)
        return INFINITY;
    double left =
        tuner->options.time_limit - tuner->options.set_aside - (anole_clock() - tuner->start);
    return left / (double)(tuner->view.task_count - task);
}

/* What was measured in this run is decided, however long a reference that is no longer kept takes
 * to compute again. */
static enum anole_status decide(struct anole_tuner *tuner, struct anole_tuner_final *final,
                                size_t task, const struct anole_finalists_plan *plan,
                                struct anole_error *error)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    const bool measured = tuner->tasks[task].trials > tuner->tasks[task].resumed;
    enum anole_status status = ANOLE_DONE;
    bool possible = !job->left_out[0];
    if (possible && measured)
        tuner->reference_limit = INFINITY;
    else if (possible)
        possible = has_time(tuner, task);
    if (possible) {
        anole_measure_set_timer(tuner->measure, job->timer);
        status =
            anole_finalists_decide(final, tuner->measure, job->generator, job->trials, plan, error);
        if (status == ANOLE_ERR_INTERRUPTED && tuner->given_up && !stopped(tuner)) {
            anole_error_clear(error);
            status = ANOLE_DONE;
            give_up(tuner, task);
        }
    }
    if (job->left_out[0]) {
        *final = (struct anole_tuner_final){
            .found = false, .in_place = NAN, .alone_value = NAN, .alone_in_place = NAN};
        snprintf(final->problem, sizeof final->problem, "%s", job->left_out);
    }
    return status;
}

enum anole_status anole_tuner_finish(struct anole_tuner *tuner, struct anole_tuner_final *finals,
                                     struct anole_error *error)
{
    double load = LOAD_SECONDS;
    tuner->view.phase = "comparing finalists";
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        if (stopped(tuner))
            return interrupted(error);
        struct anole_finalists_plan plan;
        anole_finalists_plan(&plan, final_share(tuner, i), load, FINAL_SECONDS);
        tuner->view.current = i;
        show(tuner);
        double start = anole_clock();
        enum anole_status status = decide(tuner, &finals[i], i, &plan, error);
        if (status != ANOLE_DONE)
            return status;
        if (tuner->jobs[i].left_out[0])
            continue;
        /* What it took beyond its timing is what the next one is going to take. */
        tuner->timed += plan.seconds;
        tuner->crowded += plan.seconds * finals[i].crowding;
        tuner->view.disturbed += finals[i].disturbed;
        double spent = anole_clock() - start - plan.seconds;
        load = fmax(0.0, 0.5 * (load + spent / (double)(plan.count + 1)));
    }
    return ANOLE_DONE;
}
