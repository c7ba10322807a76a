/* SPDX-License-Identifier: MIT
 *
 * Tuning: from the options of a caller to a tuner, its progress, and what it found.
 */
#include "api/api.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "plugin/scratch.h"
#include "record/lockfolder.h"
#include "tune/range.h"
#include "tune/tuner.h"
#include "tune/tuner_lock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIME 180.0 /* seconds */
#define MOST_TIME (366.0 * 86400.0)

/* Of a time limit, what is set aside to run the network as a whole; and how much of it, at least,
 * must be left for that to be tried. */
#define IN_PLACE_SHARE 0.05
#define IN_PLACE_LEAST 1.0 /* seconds */
#define IN_PLACE_MOST 10.0
#define IN_PLACE_BOUND 0.25 /* of the limit */
#define IN_PLACE_NEEDED 0.5 /* seconds */
/* Of a time limit, what is set aside to find few kernels for all sizes. */
#define REDUCING_SHARE 0.15
/* Without a limit: seconds until it counts as hanging, and seconds of timing. */
#define IN_PLACE_PATIENCE 120.0
#define IN_PLACE_TIMING 3.0
#define IN_PLACE_EXCHANGING 6.0

/* What a caller sees of one task while it is tuned, and afterwards. */
struct item {
    struct anole_tune_task progress;
    size_t outcomes[ANOLE_OUTCOME_COUNT];
    struct anole_result_info result;
    struct anole_knob_value *knobs; /* or NULL */
    const char **labels;            /* likewise */
    char problem[256];
};

/* What one of the network's sizes comes to. */
struct size_item {
    struct anole_size_result result;
    struct anole_lock_device locked; /* with its tasks alone */
    struct anole_whole whole;
    char text[512];
};

struct anole_results {
    const struct anole_tasks *tasks;
    const struct anole_listed_device *device;
    struct anole_tune_state state;
    struct anole_tune_cost cost;
    const struct anole_tune_task **progress; /* [count] */
    struct item *items;                      /* [count] */
    size_t count;
    struct anole_lock_device locked; /* what the knobs' names are borrowed from */
    struct size_item *sizes;         /* [size_count], of which there is one at least */
    size_t size_count;
    /* Of the callback: */
    anole_tune_callback *callback;
    void *callback_context;
    const char *phase;
    size_t trials;
};

/* What one call needs beside its results. */
struct session {
    const struct anole_tasks *tasks;
    struct anole_tune_options options;
    struct anole_results *results;
    char *lock; /* the lock file, behind links; NULL: none is written */
    struct anole_tuner *tuner;
    bool *exchanged;             /* of each task: it was exchanged in the running network */
    char *scratch;               /* the folder of a history that is not kept; or NULL */
    char *history;               /* its path */
    struct anole_lockfile *from; /* whose configs are tried first; or NULL */
};

/* ---------------------------------------------------------------- progress */

#define IN_PLACE_PHASE "running the network"

static enum anole_tune_phase parse_phase(const char *text)
{
    return strcmp(text, "measuring defaults") == 0    ? ANOLE_TUNE_DEFAULTS
           : strcmp(text, "searching") == 0           ? ANOLE_TUNE_SEARCHING
           : strcmp(text, "comparing finalists") == 0 ? ANOLE_TUNE_COMPARING
           : strcmp(text, ANOLE_RANGE_PHASE) == 0     ? ANOLE_TUNE_COMPARING
           : strcmp(text, IN_PLACE_PHASE) == 0        ? ANOLE_TUNE_IN_PLACE
                                                      : ANOLE_TUNE_STARTING;
}

static void refresh_cost(struct anole_tune_cost *cost, const struct anole_tuner_view *view)
{
    *cost = (struct anole_tune_cost){
        .build = view->measure.build,
        .prepare = view->measure.prepare,
        .transfer = view->measure.transfer,
        .run = view->measure.run,
        .verify = view->measure.verify,
        .workers = view->measure.worker,
        .model = view->search.model,
        .explore = view->search.explore,
        .sample = view->search.sample,
        .history = view->history_seconds,
        .workers_started = view->measure.workers_started,
        .workers_lost = view->measure.workers_lost,
        .workers_recycled = view->measure.workers_recycled,
    };
}

static void refresh(struct anole_results *results, const struct anole_tuner_view *view)
{
    struct anole_tune_state *state = &results->state;
    state->phase = parse_phase(view->phase);
    state->phase_text = view->phase;
    state->elapsed = view->elapsed;
    state->time_limit = view->time_limit;
    state->trials = view->trials;
    state->trial_limit = view->trial_limit;
    state->current = view->current;
    state->crowding = view->crowding;
    state->disturbed = view->disturbed;
    const double in_place = results->cost.in_place;
    refresh_cost(&results->cost, view);
    results->cost.in_place = in_place;
    for (size_t i = 0; i < results->count; i++) {
        const struct anole_tuner_task *task = &view->tasks[i];
        struct item *item = &results->items[i];
        item->progress.trials = task->trials;
        item->progress.resumed = task->resumed;
        item->progress.default_seconds = task->default_value;
        item->progress.best_seconds = task->best_value;
        memcpy(item->outcomes, task->failures, sizeof item->outcomes);
    }
}

static void observe(void *context, const struct anole_tuner_view *view)
{
    struct anole_results *results = context;
    enum anole_tune_event event = results->phase != view->phase     ? ANOLE_TUNE_PHASE
                                  : results->trials != view->trials ? ANOLE_TUNE_TRIAL
                                                                    : ANOLE_TUNE_TICK;
    results->phase = view->phase;
    results->trials = view->trials;
    refresh(results, view);
    results->callback(results->callback_context, event, &results->state);
}

/* The task of the caller's list that a tuner has under this key. */
static const struct anole_task_info *find_task(const struct anole_tasks *tasks, const char *key)
{
    for (size_t i = 0; i < anole_tasks_count(tasks); i++)
        if (strcmp(tasks->items[i].key, key) == 0)
            return &tasks->items[i].info;
    return NULL;
}

static enum anole_status make_items(struct anole_results *results,
                                    const struct anole_tuner_view *view, struct anole_error *error)
{
    results->items = calloc(view->task_count, sizeof *results->items);
    results->progress = calloc(view->task_count, sizeof *results->progress);
    if (!results->items || !results->progress)
        return anole_fail_memory(error);
    results->count = view->task_count;
    for (size_t i = 0; i < results->count; i++) {
        struct item *item = &results->items[i];
        item->progress.task = find_task(results->tasks, view->tasks[i].key);
        if (!item->progress.task)
            return anole_fail(error, ANOLE_ERR_INTERNAL, "task '%s' is not among those to tune",
                              view->tasks[i].key);
        item->progress.outcomes = item->outcomes;
        item->progress.outcome_count = ANOLE_OUTCOME_COUNT;
        results->progress[i] = &item->progress;
    }
    results->state.tasks = results->progress;
    results->state.task_count = results->count;
    results->state.cost = &results->cost;
    refresh(results, view);
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ options */

static enum anole_status parse_timing(enum anole_timing_choice *choice, const char *text,
                                      struct anole_error *error)
{
    enum anole_warmth warmth;
    if (!anole_warmth_parse(&warmth, text))
        return anole_fail(error, ANOLE_ERR_USAGE, "timing: expected hot or cold, found '%.60s'",
                          text);
    *choice = warmth == ANOLE_WARMTH_COLD ? ANOLE_TIMING_COLD : ANOLE_TIMING_HOT;
    return ANOLE_DONE;
}

static double set_aside(double limit, size_t sizes)
{
    const double most = IN_PLACE_MOST * (double)sizes, least = IN_PLACE_LEAST * (double)sizes;
    return fmin(IN_PLACE_BOUND * limit, fmin(most, fmax(least, IN_PLACE_SHARE * limit)));
}

static enum anole_status check_options(struct anole_tune_options *options,
                                       struct anole_tuner_options *tuner, size_t sizes,
                                       struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    if (!(options->time_limit >= 0.0 && options->time_limit <= MOST_TIME))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "the time limit: expected 0 to a year, found %g seconds",
                          options->time_limit);
    if (options->time_limit == 0.0 && options->trial_limit == 0)
        options->time_limit = DEFAULT_TIME;
    tuner->explorer = anole_explorers()[0];
    if (options->explorer)
        status = anole_explorer_find(&tuner->explorer, options->explorer, error);
    if (status == ANOLE_DONE && options->sampler)
        status = anole_sampler_find(&tuner->sampler, options->sampler, error);
    if (status == ANOLE_DONE && options->timing)
        status = parse_timing(&tuner->timing, options->timing, error);
    if (!(options->build_limit >= 0.0 && options->build_limit <= MOST_TIME) ||
        !(options->run_limit >= 0.0 && options->run_limit <= MOST_TIME))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "the limits of a build and a run: expected 0 to a year, found %g and %g "
                          "seconds",
                          options->build_limit, options->run_limit);
    tuner->build_limit = options->build_limit;
    tuner->run_limit = options->run_limit;
    tuner->seed = options->seed;
    tuner->time_limit = options->time_limit;
    tuner->set_aside = options->no_in_place ? 0.0 : set_aside(options->time_limit, sizes);
    tuner->most_kernels = options->most_kernels;
    tuner->trial_limit = options->trial_limit;
    tuner->transfer_paths = options->transfer_paths;
    tuner->transfer_count = options->transfer_count;
    return status;
}

/* What would be refused after the whole budget is refused now. */
static enum anole_status check_lockfile(struct session *session, struct anole_error *error)
{
    const struct anole_workload *workload = session->tasks->workload;
    const char *path = session->options.lock_path, *history = session->options.history_path;
    struct anole_lockfile *lockfile = NULL;
    char safe[256];
    if (!path)
        return ANOLE_DONE;
    if (history && anole_file_same(path, history))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "%s: expected two files, one for the history and one for what is found, "
                          "found this one twice",
                          anole_text_printable(safe, sizeof safe, path));
    enum anole_status status =
        anole_lockfile_open(&lockfile, path, workload->name, workload->path, error);
    anole_lockfile_destroy(lockfile);
    if (status == ANOLE_DONE)
        status = anole_file_check_replace(path, error);
    if (status != ANOLE_DONE)
        return status;
    session->lock = realpath(path, NULL);
    if (!session->lock)
        session->lock = strdup(path);
    return session->lock ? ANOLE_DONE : anole_fail_memory(error);
}

/* A history that nobody wants to keep is one all the same: trials are not repeated. */
static enum anole_status choose_history(struct session *session, struct anole_error *error)
{
    if (session->options.history_path)
        return ANOLE_DONE;
    enum anole_status status = anole_scratch_create(&session->scratch, error);
    if (status != ANOLE_DONE)
        return status;
    if (asprintf(&session->history, "%s/history", session->scratch) < 0) {
        session->history = NULL;
        return anole_fail_memory(error);
    }
    session->options.history_path = session->history;
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------ results */

static void say_problem(struct item *item, const struct anole_tuner_task *task,
                        const struct anole_tuner_final *final)
{
    if (task->trials == 0 && final->problem[0])
        snprintf(item->problem, sizeof item->problem, "%s", final->problem);
    else if (isnan(task->best_value))
        snprintf(item->problem, sizeof item->problem, "nothing valid found after %zu trials",
                 task->trials);
    else
        snprintf(item->problem, sizeof item->problem,
                 "the best of %zu trials could not be run again, to be compared: %.150s",
                 task->trials, final->problem);
}

static enum anole_status fill_found(struct item *item, const struct anole_lock_task *locked,
                                    struct anole_error *error)
{
    struct anole_result_info *result = &item->result;
    item->knobs = calloc(locked->knob_count + 1, sizeof *item->knobs);
    item->labels = anole_locked_labels(locked);
    if (!item->knobs || !item->labels)
        return anole_fail_memory(error);
    for (size_t i = 0; i < locked->knob_count; i++)
        item->knobs[i] = (struct anole_knob_value){.name = locked->knobs[i].name,
                                                   .value = locked->knobs[i].value};
    result->found = true;
    result->knobs = item->knobs;
    result->knob_count = locked->knob_count;
    result->knob_labels = item->labels;
    result->tie = locked->tie;
    result->seconds = locked->value;
    result->low = locked->low;
    result->high = locked->high;
    result->default_seconds = locked->default_value;
    result->speedup = locked->speedup;
    result->speedup_low = locked->speedup_low;
    result->speedup_high = locked->speedup_high;
    result->source_hash = locked->source_hash;
    result->timing = anole_warmth_text(locked->warmth);
    result->clock = anole_timer_text(locked->timer);
    result->crowding = locked->crowding;
    result->disturbed = locked->disturbed;
    anole_result_in_place(result, locked);
    anole_result_slowdown(result, locked);
    return ANOLE_DONE;
}

static enum anole_status fill_results(struct session *session,
                                      const struct anole_tuner_final *finals,
                                      struct anole_error *error)
{
    struct anole_results *results = session->results;
    const struct anole_tuner_view *view = anole_tuner_view(session->tuner);
    size_t found = 0;
    refresh(results, view);
    enum anole_status status =
        anole_tuner_lock(session->tuner, finals, ANOLE_TUNER_ALL_SIZES, &results->locked, error);
    for (size_t i = 0; status == ANOLE_DONE && i < results->count; i++) {
        struct item *item = &results->items[i];
        const struct anole_task_info *task = item->progress.task;
        item->result = (struct anole_result_info){
            .key = task->key,
            .label = task->label,
            .layer = task->multiplicity > 0 ? task->layers[0] : "",
            .multiplicity = task->multiplicity,
            .flops = task->flops,
            .seconds = NAN,
            .low = NAN,
            .high = NAN,
            .default_seconds = NAN,
            .speedup = NAN,
            .speedup_low = NAN,
            .speedup_high = NAN,
            .in_place_seconds = NAN,
            .alone_seconds = NAN,
            .alone_in_place_seconds = NAN,
            .slowdown = NAN,
            .slowdown_low = NAN,
            .slowdown_high = NAN,
            .trials = item->progress.trials,
            .problem = item->problem,
            .timing = anole_warmth_text(ANOLE_WARMTH_HOT),
            .clock = anole_timer_text(ANOLE_TIMER_UNSAID),
        };
        if (finals[i].found)
            status = fill_found(item, &results->locked.tasks[found++], error);
        else
            say_problem(item, &view->tasks[i], &finals[i]);
    }
    return status;
}

/* ------------------------------------------------------------------ in place */

/* Why the network is not run as a whole; NULL: it is. */
static const char *find_obstacle(const struct session *session,
                                 const struct anole_lock_device *locked, double left)
{
    const struct anole_results *results = session->results;
    if (session->options.no_in_place)
        return "it was not wanted";
    if (session->tasks->workload->no_graph)
        return session->tasks->workload->no_graph;
    if (results->device->info.simulated)
        return "the device is simulated";
    if (locked->task_count == 0)
        return "nothing was found";
    if (locked->metric != ANOLE_METRIC_SECONDS)
        return "it was not tuned for time";
    if (anole_context_stopped(session->tasks->context))
        return "it was interrupted";
    return left < IN_PLACE_NEEDED ? "no time was left for it" : NULL;
}

/* Polled while it runs. */
static bool watch_in_place(void *context)
{
    struct session *session = context;
    struct anole_results *results = session->results;
    if (results->callback)
        observe(results, anole_tuner_view(session->tuner));
    return anole_context_stopped(session->tasks->context);
}

/* What the network is to choose between: tasks of this size, of which several configs are close
 * alone; those that another size chose for stay as they are.  *tasks: the caller's to free; *of: of
 * each, its final. */
static enum anole_status list_candidates(struct anole_inplace_task **tasks, size_t **of,
                                         size_t *count, const struct session *session,
                                         const struct anole_lock_device *locked,
                                         const struct anole_tuner_final *finals,
                                         struct anole_error *error)
{
    const struct anole_results *results = session->results;
    *tasks = calloc(results->count + 1, sizeof **tasks);
    *of = calloc(results->count + 1, sizeof **of);
    *count = 0;
    if (!*tasks || !*of)
        return anole_fail_memory(error);
    for (size_t i = 0; i < results->count; i++) {
        const char *key = results->items[i].progress.task->key;
        if (!finals[i].found || finals[i].candidate_count < 2 || session->exchanged[i] ||
            !anole_lock_task_find(locked, key))
            continue;
        struct anole_inplace_task *task = &(*tasks)[*count];
        snprintf(task->key, sizeof task->key, "%s", key);
        for (size_t c = 0; c < finals[i].candidate_count && c < ANOLE_INPLACE_CANDIDATES; c++)
            task->configs[task->count++] = finals[i].candidates[c].config;
        (*of)[(*count)++] = i;
    }
    return ANOLE_DONE;
}

static void take_choices(struct session *session, struct anole_tuner_final *finals,
                         const struct anole_lock_device *locked,
                         const struct anole_inplace_task *tasks, const size_t *of, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t layers = anole_lock_task_find(locked, tasks[i].key)->multiplicity;
        double in_place[ANOLE_INPLACE_CANDIDATES];
        finals[of[i]].in_place_disturbed = tasks[i].disturbed;
        if (!tasks[i].judged)
            continue;
        for (uint32_t c = 0; c < tasks[i].count; c++)
            in_place[c] = tasks[i].steps[c] / layers;
        anole_tuner_choose(&finals[of[i]], tasks[i].chosen, in_place);
        session->exchanged[of[i]] = true;
    }
}

/* `own` is what was decided for this size, `locked` what was saved. */
static enum anole_status ask_in_place(struct session *session, struct anole_tuner_final *finals,
                                      const struct anole_lock_device *own,
                                      const struct anole_lock_device *locked, double left,
                                      struct anole_inplace_report *report,
                                      struct anole_error *error)
{
    const struct anole_listed_device *device = session->results->device;
    const char *scratch;
    size_t *of = NULL;
    anole_tuner_rest(session->tuner, &scratch);
    struct anole_inplace_request request = {
        .network = session->tasks->workload->path,
        .lock = locked,
        .backend = &device->devices->registry->entries[device->entry->backend],
        .device = device->entry,
        .threads = device->devices->threads,
        .scratch = scratch,
        .seconds = fmin(left, IN_PLACE_PATIENCE),
        .timing = IN_PLACE_TIMING,
        .exchanging = isfinite(left) ? left : IN_PLACE_EXCHANGING,
        .stop = watch_in_place,
        .context = session,
    };
    enum anole_status status =
        list_candidates(&request.tasks, &of, &request.task_count, session, own, finals, error);
    const double start = anole_clock();
    if (status == ANOLE_DONE)
        status = anole_inplace_run(report, &request, error);
    session->results->cost.in_place += anole_clock() - start;
    if (status == ANOLE_DONE && report->ran)
        take_choices(session, finals, own, request.tasks, of, request.task_count);
    free(request.tasks);
    free(of);
    return status;
}

/* Records what came of it: the finals may be others now. */
static enum anole_status record_in_place(struct session *session,
                                         const struct anole_tuner_final *finals, size_t size,
                                         const struct anole_inplace_report *report,
                                         struct anole_error *error)
{
    struct anole_lock_in_place record;
    anole_inplace_record(&record, report);
    if (!report->ran)
        return ANOLE_DONE;
    return session->lock
               ? anole_tuner_save(session->tuner, finals, size, &record, session->lock, error)
               : ANOLE_DONE;
}

/* Seconds that running the network in a size may take, of several that are still to come. */
static double in_place_left(const struct session *session, size_t size)
{
    const double limit = session->options.time_limit;
    const size_t sizes = session->results->size_count - size;
    double left = limit > 0 ? limit - anole_tuner_view(session->tuner)->elapsed : INFINITY;
    return left / (double)sizes;
}

/* When all is decided and saved: what goes wrong here costs nothing of that. */
static enum anole_status run_size_in_place(struct session *session,
                                           struct anole_tuner_final *finals, size_t size,
                                           struct anole_error *error)
{
    struct size_item *item = &session->results->sizes[size];
    const double left = in_place_left(session, size);
    struct anole_lock_device own = {.task_count = 0};
    struct anole_inplace_report report = {.ran = false};
    enum anole_status status = anole_tuner_lock(session->tuner, finals, size, &own, error);
    if (status != ANOLE_DONE)
        return status;
    const char *obstacle = find_obstacle(session, &own, left);
    /* With what an earlier run found of other tasks. */
    const struct anole_lock_device *locked = &own;
    struct anole_lockfile *lockfile = NULL;
    if (session->lock && !obstacle)
        status = anole_lockfile_open(&lockfile, session->lock, session->tasks->workload->name,
                                     session->tasks->workload->path, error);
    if (lockfile && anole_lockfile_same(lockfile, &own))
        locked = anole_lockfile_same(lockfile, &own);
    if (status == ANOLE_DONE && !obstacle) {
        anole_tuner_phase(session->tuner, IN_PLACE_PHASE);
        status = ask_in_place(session, finals, &own, locked, left, &report, error);
        if (status == ANOLE_ERR_INTERRUPTED) {
            anole_error_clear(error);
            obstacle = "it was interrupted";
            status = ANOLE_DONE;
        }
    }
    if (status == ANOLE_DONE && !obstacle)
        status = record_in_place(session, finals, size, &report, error);
    anole_lockfile_destroy(lockfile);
    anole_lock_device_fini(&own);
    if (status == ANOLE_DONE)
        status = anole_tuner_lock(session->tuner, finals, size, &item->locked, error);
    if (status == ANOLE_DONE && obstacle)
        anole_whole_skip(&item->whole, obstacle);
    else if (status == ANOLE_DONE)
        anole_whole_take(&item->whole, &report, &item->locked);
    return status;
}

static void fill_size(struct size_item *item)
{
    const struct anole_lock_device *locked = &item->locked;
    struct anole_size_result *result = &item->result;
    double alone = 0;
    *result = (struct anole_size_result){
        .text = anole_lock_sizes_text(item->text, sizeof item->text, locked),
        .batch = locked->batch,
        .shapes = (const char *const *)locked->shapes,
        .shape_count = locked->shape_count,
        .seconds = anole_lock_device_sum(locked),
        .in_place = &item->whole.info,
    };
    for (size_t i = 0; i < locked->task_count; i++) {
        const struct anole_lock_task *task = &locked->tasks[i];
        result->layers += task->multiplicity;
        alone += task->multiplicity * task->value / (task->slowdown > 0 ? task->slowdown : 1.0);
    }
    result->alone_seconds = locked->most_kernels > 0 ? alone : NAN;
}

static enum anole_status run_in_place(struct session *session, struct anole_tuner_final *finals,
                                      struct anole_error *error)
{
    struct anole_results *results = session->results;
    enum anole_status status = ANOLE_DONE;
    session->exchanged = calloc(results->count + 1, sizeof *session->exchanged);
    if (!session->exchanged)
        return anole_fail_memory(error);
    for (size_t i = 0; i < results->size_count && status == ANOLE_DONE; i++) {
        status = run_size_in_place(session, finals, i, error);
        if (status == ANOLE_DONE)
            fill_size(&results->sizes[i]);
    }
    return status == ANOLE_DONE ? fill_results(session, finals, error) : status;
}

/* ---------------------------------------------------------------------- run */

static size_t count_sizes(const struct anole_workload *workload)
{
    return workload->part_count > 0 ? workload->part_count : 1;
}

static enum anole_status prepare(struct session *session, const struct anole_tune_options *given,
                                 struct anole_error *error)
{
    struct anole_results *results = session->results;
    const struct anole_workload *workload = session->tasks->workload;
    struct anole_tuner_options tuner = {.stop = anole_context_stopped,
                                        .stop_context = session->tasks->context,
                                        .threads = results->device->devices->threads};
    enum anole_status status = anole_options_copy(&session->options, sizeof session->options, given,
                                                  "struct anole_tune_options", error);
    if (status == ANOLE_DONE)
        status = check_options(&session->options, &tuner, count_sizes(workload), error);
    /* Nothing is to be run in it. */
    if (workload->no_graph || results->device->info.simulated)
        tuner.set_aside = 0.0;
    if (status == ANOLE_DONE && tuner.most_kernels > 0 && workload->part_count == 0)
        status = anole_fail(error, ANOLE_ERR_USAGE,
                            "%u kernels a layer: expected a network in several sizes, such as "
                            "--batch 1,4,16, found one",
                            tuner.most_kernels);
    if (tuner.most_kernels > 0)
        tuner.reducing = REDUCING_SHARE * tuner.time_limit;
    tuner.set_aside += tuner.reducing;
    if (status == ANOLE_DONE)
        status = check_lockfile(session, error);
    if (status == ANOLE_DONE)
        status = choose_history(session, error);
    if (status != ANOLE_DONE)
        return status;
    tuner.history_path = session->options.history_path;
    if (session->options.from) {
        status = anole_lockfolder_load(&session->from, session->options.from, error);
        if (status != ANOLE_DONE)
            return status;
    }
    tuner.from = session->from;
    status = anole_tuner_create(&session->tuner, workload, results->device->devices->registry,
                                results->device->entry, &tuner, error);
    if (status == ANOLE_DONE)
        status = make_items(results, anole_tuner_view(session->tuner), error);
    if (status == ANOLE_DONE && session->options.progress) {
        results->callback = session->options.progress;
        results->callback_context = session->options.progress_context;
        anole_tuner_observe(session->tuner, observe, results);
    }
    return status;
}

static enum anole_status save(struct session *session, const struct anole_tuner_final *finals,
                              struct anole_error *error)
{
    struct anole_results *results = session->results;
    enum anole_status status = ANOLE_DONE;
    results->size_count = anole_tuner_size_count(session->tuner);
    results->sizes = calloc(results->size_count, sizeof *results->sizes);
    if (!results->sizes)
        return anole_fail_memory(error);
    for (size_t i = 0; i < results->size_count && session->lock && status == ANOLE_DONE; i++)
        status = anole_tuner_save(session->tuner, finals, i, NULL, session->lock, error);
    return status;
}

static enum anole_status run(struct session *session, struct anole_error *error)
{
    const struct anole_workload *workload = session->tasks->workload;
    const struct anole_listed_device *device = session->results->device;
    bool plain = workload->dtype == ANOLE_F32;
    struct anole_tuner_final *finals = calloc(session->results->count, sizeof *finals);
    if (!finals)
        return anole_fail_memory(error);
    anole_log_info("tuning %s (%zu tasks%s%s) on %s: %s", workload->name, session->results->count,
                   plain ? "" : ", ", plain ? "" : anole_precision_text(workload->dtype),
                   device->info.id, device->info.name);
    enum anole_status status = anole_tuner_run(session->tuner, error);
    if (status == ANOLE_DONE)
        status = anole_tuner_finish(session->tuner, finals, error);
    if (status == ANOLE_DONE && session->options.most_kernels > 0)
        status = anole_tuner_reduce(session->tuner, finals, error);
    if (status == ANOLE_DONE)
        status = save(session, finals, error);
    if (status == ANOLE_DONE)
        status = run_in_place(session, finals, error);
    anole_tuner_observe(session->tuner, NULL, NULL);
    if (status == ANOLE_DONE)
        refresh(session->results, anole_tuner_view(session->tuner));
    free(finals);
    return status;
}

static void session_fini(struct session *session)
{
    anole_tuner_destroy(session->tuner);
    anole_lockfile_destroy(session->from);
    free(session->lock);
    free(session->exchanged);
    if (session->scratch)
        anole_scratch_remove(session->scratch);
    free(session->scratch);
    free(session->history);
}

enum anole_status anole_tune(struct anole_results **results, const struct anole_tasks *tasks,
                             const struct anole_device_info *device,
                             const struct anole_tune_options *options, struct anole_error *error)
{
    struct session session = {.tasks = tasks, .results = calloc(1, sizeof *session.results)};
    if (!session.results)
        return anole_fail_memory(error);
    session.results->tasks = tasks;
    session.results->device = anole_listed_device(device);
    struct anole_scope scope;
    anole_scope_enter(&scope, tasks->context);
    enum anole_status status = prepare(&session, options, error);
    if (status == ANOLE_DONE)
        status = run(&session, error);
    session_fini(&session);
    anole_scope_leave(&scope);
    if (status != ANOLE_DONE) {
        anole_results_destroy(session.results);
        return status;
    }
    *results = session.results;
    return ANOLE_DONE;
}

void anole_results_destroy(struct anole_results *results)
{
    if (!results)
        return;
    for (size_t i = 0; i < results->count; i++) {
        free(results->items[i].knobs);
        free(results->items[i].labels);
    }
    free(results->items);
    free(results->progress);
    for (size_t i = 0; i < results->size_count && results->sizes; i++)
        anole_lock_device_fini(&results->sizes[i].locked);
    free(results->sizes);
    anole_lock_device_fini(&results->locked);
    free(results);
}

/* ----------------------------------------------------------------- getters */

size_t anole_results_count(const struct anole_results *results)
{
    return results->count;
}

const struct anole_result_info *anole_results_get(const struct anole_results *results, size_t index)
{
    return index < results->count ? &results->items[index].result : NULL;
}

const struct anole_in_place *anole_results_in_place(const struct anole_results *results)
{
    return &results->sizes[0].whole.info;
}

size_t anole_results_size_count(const struct anole_results *results)
{
    return results->size_count;
}

const struct anole_size_result *anole_results_size(const struct anole_results *results,
                                                   size_t index)
{
    return index < results->size_count ? &results->sizes[index].result : NULL;
}

const struct anole_tune_state *anole_results_state(const struct anole_results *results)
{
    return &results->state;
}

/* ----------------------------------------------------------------- verdicts */

enum anole_status anole_results_check(const struct anole_results *results,
                                      struct anole_error *error)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct item *item = &results->items[i];
        if (item->result.found)
            continue;
        return anole_fail(error, ANOLE_ERR_NOTHING_VALID, "%s: %s%s", item->result.label,
                          item->problem,
                          isnan(item->progress.best_seconds)
                              ? "; see the messages in the history"
                              : "; the history keeps them, and the same command compares them when "
                                "the device is well");
    }
    return ANOLE_DONE;
}

static enum anole_status compare(const struct anole_results *results,
                                 const struct anole_tuned *baseline, double percent,
                                 struct anole_error *error)
{
    double ratio;
    enum anole_status status = anole_lock_device_against(&ratio, &results->locked,
                                                         baseline->lockfile, baseline->path, error);
    if (status != ANOLE_DONE)
        return status;
    double slower = 100.0 * (ratio - 1.0);
    if (slower > percent)
        return anole_fail(error, ANOLE_ERR_SLOWER, "%.1f %% slower than %s: expected at most %g %%",
                          slower, baseline->path, percent);
    anole_log_info("against %s: %+.1f %% time", baseline->path, slower);
    return ANOLE_DONE;
}

enum anole_status anole_results_compare(const struct anole_results *results,
                                        const struct anole_tuned *baseline, double percent,
                                        struct anole_error *error)
{
    struct anole_scope scope;
    anole_scope_enter(&scope, baseline->context);
    enum anole_status status = compare(results, baseline, percent, error);
    anole_scope_leave(&scope);
    return status;
}
