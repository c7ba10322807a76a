/* SPDX-License-Identifier: MIT */
#include "tune/range.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "measure/compare.h"
#include "op/task_kin.h"
#include "tune/cover.h"
#include "tune/finalists.h"
#include "tune/suggest.h"
#include "tune/tuner_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Configs that are held against each other, the default of the size aside. */
#define MOST_CANDIDATES 24
#define LEAST_CANDIDATES 4
#define LEAST_ROUNDS 6
#define TIMING 1.5  /* seconds a task */
#define LOADING 0.1 /* to load a kernel, until it is known */

/* A config of a task. */
struct candidate {
    size_t task;
    uint64_t config;
};

/* How the candidates do for one task. */
struct column {
    size_t task;
    uint64_t configs[MOST_CANDIDATES + 1]; /* first the default */
    size_t places[MOST_CANDIDATES]; /* of each candidate in `configs`; SIZE_MAX: it is none */
    struct anole_result results[MOST_CANDIDATES + 1];
    double *samples;
    size_t count, rounds;
    size_t best; /* among `configs`; SIZE_MAX: none works */
};

struct reduction {
    struct anole_tuner *tuner;
    struct anole_tuner_final *finals;
    struct candidate candidates[MOST_CANDIDATES];
    size_t candidate_count;
    struct column *columns; /* of the group in hand */
    size_t column_count;
    size_t left;    /* tasks that may still have to be timed, of all groups */
    double loading; /* seconds a kernel */
};

static const struct anole_space *space_of(const struct anole_tuner *tuner, size_t task)
{
    return anole_generator_space(tuner->jobs[task].generator);
}

bool anole_range_same_config(uint64_t *same, const struct anole_space *to,
                             const struct anole_space *from, uint64_t config)
{
    int64_t theirs[ANOLE_MAX_KNOBS], ours[ANOLE_MAX_KNOBS];
    const size_t count = anole_space_knob_count(to);
    uint64_t found;
    if (anole_space_knob_count(from) != count || !anole_suggest_translate(&found, to, from, config))
        return false;
    anole_space_values(from, config, theirs);
    anole_space_values(to, found, ours);
    for (size_t k = 0; k < count; k++) {
        size_t source = anole_space_find_knob(from, anole_space_knob(to, k)->name);
        if (source == SIZE_MAX || theirs[source] != ours[k])
            return false;
    }
    *same = found;
    return true;
}

/* ------------------------------------------------------------------- groups */

/* The task of the view that a part's is; SIZE_MAX: it was left out. */
static size_t find_task(const struct anole_tuner_task *tasks, size_t count,
                        const struct anole_task *task)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&tasks[i].source->task, task, sizeof *task) == 0)
            return i;
    return SIZE_MAX;
}

static void join(size_t *groups, size_t count, size_t a, size_t b)
{
    const size_t from = groups[a] > groups[b] ? groups[a] : groups[b];
    const size_t to = groups[a] > groups[b] ? groups[b] : groups[a];
    for (size_t i = 0; i < count; i++)
        if (groups[i] == from)
            groups[i] = to;
}

/* How many of its kin stand before a task in its size. */
static size_t rank_of(const struct anole_workload *part, size_t task)
{
    size_t rank = 0;
    for (size_t i = 0; i < task; i++)
        rank += anole_task_is_kin(&part->tasks[i].task, &part->tasks[task].task);
    return rank;
}

/* The kin of that rank in another size, or the last that there is; SIZE_MAX: none. */
static size_t find_kin(const struct anole_workload *part, const struct anole_task *task,
                       size_t rank)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0, seen = 0; i < part->task_count && seen <= rank; i++)
        if (anole_task_is_kin(&part->tasks[i].task, task)) {
            found = i;
            seen++;
        }
    return found;
}

void anole_range_groups(size_t *groups, const struct anole_workload *served,
                        const struct anole_tuner_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        groups[i] = i;
    for (size_t p = 0; p < served->part_count; p++) {
        const struct anole_workload *part = served->parts[p];
        const struct anole_workload *first = served->parts[0];
        for (size_t i = 0; i < part->task_count && p > 0; i++) {
            size_t own = find_task(tasks, count, &part->tasks[i].task);
            size_t kin = find_kin(first, &part->tasks[i].task, rank_of(part, i));
            size_t other =
                kin == SIZE_MAX ? SIZE_MAX : find_task(tasks, count, &first->tasks[kin].task);
            if (own != SIZE_MAX && other != SIZE_MAX)
                join(groups, count, own, other);
        }
    }
}

/* --------------------------------------------------------------- candidates */

static void add_candidate(struct reduction *reduction, size_t task, uint64_t config, size_t room)
{
    const struct anole_space *space = space_of(reduction->tuner, task);
    if (reduction->candidate_count >= room)
        return;
    for (size_t i = 0; i < reduction->candidate_count; i++) {
        const struct candidate *known = &reduction->candidates[i];
        uint64_t same;
        if (anole_range_same_config(&same, space, space_of(reduction->tuner, known->task),
                                    known->config) &&
            same == config)
            return;
    }
    reduction->candidates[reduction->candidate_count++] =
        (struct candidate){.task = task, .config = config};
}

/* What each size has found; returns how many configs that are. */
static size_t list_found(struct reduction *reduction)
{
    reduction->candidate_count = 0;
    for (size_t i = 0; i < reduction->column_count; i++) {
        const size_t task = reduction->columns[i].task;
        add_candidate(reduction, task, reduction->finals[task].config, MOST_CANDIDATES);
    }
    return reduction->candidate_count;
}

/* And what was close to that, the closest of each first; the default is the last of them. */
static void list_close(struct reduction *reduction, size_t room)
{
    for (size_t rank = 0; rank < ANOLE_TUNER_CANDIDATES; rank++)
        for (size_t i = 0; i < reduction->column_count; i++) {
            const size_t task = reduction->columns[i].task;
            const struct anole_tuner_final *final = &reduction->finals[task];
            if (rank < final->candidate_count)
                add_candidate(reduction, task, final->candidates[rank].config, room);
        }
}

/* ------------------------------------------------------------------- timing */

static void place_candidates(const struct reduction *reduction, struct column *column)
{
    const struct anole_space *space = space_of(reduction->tuner, column->task);
    column->configs[0] = anole_space_default(space);
    column->count = 1;
    for (size_t c = 0; c < reduction->candidate_count; c++) {
        const struct candidate *candidate = &reduction->candidates[c];
        uint64_t config;
        column->places[c] = SIZE_MAX;
        if (!anole_range_same_config(&config, space, space_of(reduction->tuner, candidate->task),
                                     candidate->config))
            continue;
        column->places[c] = config == column->configs[0] ? 0 : column->count;
        if (column->places[c] > 0)
            column->configs[column->count++] = config;
    }
}

/* Seconds for one task. */
static double share_of(const struct reduction *reduction)
{
    const struct anole_tuner *tuner = reduction->tuner;
    const struct anole_tuner_options *options = &tuner->options;
    if (options->time_limit <= 0.0)
        return INFINITY;
    const double end = tuner->start + options->time_limit - options->set_aside + options->reducing;
    return fmax(0.0, end - anole_clock()) / (double)(reduction->left > 0 ? reduction->left : 1);
}

static enum anole_status time_column(struct reduction *reduction, struct column *column,
                                     struct anole_error *error)
{
    struct anole_tuner *tuner = reduction->tuner;
    const struct anole_tuner_job *job = &tuner->jobs[column->task];
    const double start = anole_clock();
    place_candidates(reduction, column);
    const double seconds =
        fmax(0.0, fmin(TIMING, share_of(reduction) - reduction->loading * (double)column->count));
    tuner->view.current = column->task;
    tuner->reference_limit = INFINITY;
    anole_measure_set_timer(tuner->measure, job->timer);
    enum anole_status status = anole_measure_compare(
        tuner->measure, job->generator, column->configs, column->count, seconds, LEAST_ROUNDS,
        column->results, &column->samples, &column->rounds, error);
    if (status != ANOLE_DONE)
        return status;
    column->best = SIZE_MAX;
    for (size_t i = 0; i < column->count; i++)
        if (column->results[i].outcome == ANOLE_OUTCOME_OK &&
            (column->best == SIZE_MAX || anole_result_cost(&column->results[i]) <
                                             anole_result_cost(&column->results[column->best])))
            column->best = i;
    const double loading = (anole_clock() - start - seconds) / (double)column->count;
    reduction->loading = fmax(0.0, 0.5 * (reduction->loading + loading));
    reduction->left--;
    return ANOLE_DONE;
}

static double loss_of(const struct column *column, size_t candidate)
{
    const size_t place = column->places[candidate];
    if (place == SIZE_MAX || column->best == SIZE_MAX ||
        column->results[place].outcome != ANOLE_OUTCOME_OK)
        return INFINITY;
    return anole_result_cost(&column->results[place]) /
               anole_result_cost(&column->results[column->best]) -
           1.0;
}

/* ----------------------------------------------------------------- deciding */

static enum anole_status set_slowdown(struct anole_tuner_final *final, const struct column *column,
                                      size_t place, struct anole_error *error)
{
    final->slowdown = final->slowdown_low = final->slowdown_high = 1.0;
    if (place == column->best)
        return ANOLE_DONE;
    struct anole_summary ratio;
    double *scratch = malloc((column->rounds + 1) * sizeof *scratch);
    if (!scratch)
        return anole_fail_memory(error);
    anole_summarise_ratio(&ratio, column->samples + place * column->rounds,
                          column->samples + column->best * column->rounds, column->rounds, scratch);
    free(scratch);
    final->slowdown = ratio.median;
    final->slowdown_low = ratio.low;
    final->slowdown_high = ratio.high;
    return ANOLE_DONE;
}

static enum anole_status decide_column(struct reduction *reduction, const struct column *column,
                                       size_t candidate, struct anole_error *error)
{
    const struct anole_tuner *tuner = reduction->tuner;
    struct anole_tuner_final *final = &reduction->finals[column->task];
    if (candidate == SIZE_MAX) {
        anole_log_warning("%s: none of the %u kernels of its layer works: it keeps one of its own",
                          tuner->tasks[column->task].label, tuner->options.most_kernels);
        return ANOLE_DONE;
    }
    const struct anole_finalists_timed timed = {.configs = column->configs,
                                                .results = column->results,
                                                .samples = column->samples,
                                                .rounds = column->rounds};
    enum anole_status status = anole_finalists_settle(final, tuner->jobs[column->task].generator,
                                                      &timed, column->places[candidate], error);
    return status == ANOLE_DONE ? set_slowdown(final, column, column->places[candidate], error)
                                : status;
}

static enum anole_status decide_group(struct reduction *reduction, struct anole_error *error)
{
    const size_t candidates = reduction->candidate_count, sizes = reduction->column_count;
    double *loss = calloc(candidates * sizes + 1, sizeof *loss);
    bool chosen[MOST_CANDIDATES] = {false};
    struct anole_cover cover;
    if (!loss)
        return anole_fail_memory(error);
    for (size_t c = 0; c < candidates; c++)
        for (size_t s = 0; s < sizes; s++)
            loss[c * sizes + s] = loss_of(&reduction->columns[s], c);
    anole_cover_choose(chosen, &cover, loss, candidates, sizes,
                       reduction->tuner->options.most_kernels);
    enum anole_status status = ANOLE_DONE;
    for (size_t s = 0; s < sizes && status == ANOLE_DONE; s++)
        status = decide_column(reduction, &reduction->columns[s],
                               anole_cover_best(chosen, loss, candidates, sizes, s), error);
    free(loss);
    return status;
}

/* Each size keeps what it found, as there are few enough configs. */
static void keep_all(struct reduction *reduction)
{
    for (size_t i = 0; i < reduction->column_count; i++) {
        struct anole_tuner_final *final = &reduction->finals[reduction->columns[i].task];
        final->slowdown = final->slowdown_low = final->slowdown_high = 1.0;
    }
    reduction->left -= reduction->column_count;
}

static enum anole_status reduce_group(struct reduction *reduction, struct anole_error *error)
{
    const struct anole_tuner *tuner = reduction->tuner;
    if (list_found(reduction) <= tuner->options.most_kernels) {
        keep_all(reduction);
        return ANOLE_DONE;
    }
    /* Half of the time, at least, is for timing. */
    const double room = fmin(MOST_CANDIDATES, 0.5 * share_of(reduction) / reduction->loading);
    list_close(reduction, room > LEAST_CANDIDATES ? (size_t)room : LEAST_CANDIDATES);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < reduction->column_count && status == ANOLE_DONE; i++)
        status = tuner->options.stop && tuner->options.stop(tuner->options.stop_context)
                     ? anole_fail(error, ANOLE_ERR_INTERRUPTED,
                                  "interrupted; all finished trials are kept")
                     : time_column(reduction, &reduction->columns[i], error);
    if (status == ANOLE_DONE)
        status = decide_group(reduction, error);
    for (size_t i = 0; i < reduction->column_count; i++)
        free(reduction->columns[i].samples);
    return status;
}

enum anole_status anole_tuner_reduce(struct anole_tuner *tuner, struct anole_tuner_final *finals,
                                     struct anole_error *error)
{
    const size_t count = tuner->view.task_count;
    struct reduction reduction = {.tuner = tuner, .finals = finals, .loading = LOADING};
    size_t *groups = calloc(count + 1, sizeof *groups);
    reduction.columns = calloc(count + 1, sizeof *reduction.columns);
    enum anole_status status = groups && reduction.columns ? ANOLE_DONE : anole_fail_memory(error);
    tuner->view.phase = ANOLE_RANGE_PHASE;
    for (size_t i = 0; i < count; i++)
        reduction.left += finals[i].found;
    if (status == ANOLE_DONE)
        anole_range_groups(groups, tuner->served, tuner->tasks, count);
    for (size_t g = 0; g < count && status == ANOLE_DONE; g++) {
        reduction.column_count = 0;
        for (size_t i = g; i < count; i++)
            if (groups[i] == g && finals[i].found)
                reduction.columns[reduction.column_count++] = (struct column){.task = i};
        if (reduction.column_count > 0)
            status = reduce_group(&reduction, error);
    }
    for (size_t i = 0; i < count; i++)
        finals[i].candidate_count = finals[i].candidate_count > 0;
    free(reduction.columns);
    free(groups);
    return status;
}
