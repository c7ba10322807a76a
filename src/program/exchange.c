/* SPDX-License-Identifier: MIT */
#include "program/exchange.h"

#include "base/clock.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_RUNS 3
#define LEAST_ROUNDS 6 /* an interval of fewer samples says nothing */
#define MOST_ROUNDS 200
#define RUNS_A_TURN 3
/* A gain below this is not worth another kernel: of several intervals of 95 %, one is off by
 * chance. */
#define LEAST_GAIN 1.01
/* Shares below this are not looked into. */
#define LEAST_SHARE 0.005

struct exchange {
    struct anole_instance *instance;
    const struct anole_program *program;
    struct anole_exchange_task *tasks;
    size_t count;
    size_t *owners;       /* of each step: its task, or ANOLE_NONE */
    size_t *choices;      /* of each step, as decided so far */
    size_t *tried;        /* room for those of a candidate */
    double *step_seconds; /* room for one run */
    double *shares;       /* of each task: seconds of a run */
    double seconds;       /* of a run of the network */
    struct anole_quiet *quiet;
};

/* Samples of a task's candidates. */
struct contest {
    struct anole_exchange_task *task;
    size_t candidates[ANOLE_EXCHANGE_MOST]; /* those that can be had; 0 comes first */
    size_t count;
    size_t rounds, tries; /* that count, and with those that were disturbed */
    struct anole_variant *variants[ANOLE_EXCHANGE_MOST];
    double whole[ANOLE_EXCHANGE_MOST][MOST_ROUNDS], steps[ANOLE_EXCHANGE_MOST][MOST_ROUNDS];
    double scratch[MOST_ROUNDS];
};

/* ------------------------------------------------------------------ what is what */

static size_t owner_of(const struct exchange *exchange, const struct anole_step *step)
{
    char key[ANOLE_TASK_KEY];
    if (step->kind != ANOLE_STEP_TUNED && step->kind != ANOLE_STEP_DEFAULT)
        return ANOLE_NONE;
    struct anole_task task = *exchange->program->kernels[step->kernel].generated->kernel.task;
    task.out_pitch = 0;
    anole_task_key(key, &task);
    for (size_t i = 0; i < exchange->count; i++)
        if (strcmp(exchange->tasks[i].key, key) == 0)
            return i;
    return ANOLE_NONE;
}

/* The choice of a step that is this config; ANOLE_NONE: it has no such kernel. */
static size_t choice_of(const struct exchange *exchange, const struct anole_step *step,
                        uint64_t config)
{
    const struct anole_program_kernel *kernels = exchange->program->kernels;
    if (kernels[step->kernel].config == config)
        return 0;
    for (size_t i = 0; i < step->other_count; i++)
        if (kernels[step->others[i].kernel].config == config)
            return i + 1;
    return ANOLE_NONE;
}

/* Puts a candidate into all places of its task; false: one of them has no such kernel. */
static bool place(size_t *choices, const struct exchange *exchange, size_t task, uint64_t config)
{
    for (size_t s = 0; s < exchange->program->step_count; s++) {
        if (exchange->owners[s] != task)
            continue;
        choices[s] = choice_of(exchange, &exchange->program->steps[s], config);
        if (choices[s] == ANOLE_NONE)
            return false;
    }
    return true;
}

static double sum_steps(const struct exchange *exchange, size_t task)
{
    double sum = 0;
    for (size_t s = 0; s < exchange->program->step_count; s++)
        if (exchange->owners[s] == task)
            sum += exchange->step_seconds[s];
    return sum;
}

/* How long the network takes, and each task in it.  Where the device has no clock, all tasks are
 * taken to be alike. */
static enum anole_status profile(struct exchange *exchange, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    exchange->seconds = INFINITY;
    for (size_t i = 0; i < PROFILE_RUNS && status == ANOLE_DONE; i++) {
        double seconds;
        status = anole_instance_run(exchange->instance, exchange->step_seconds, &seconds, error);
        if (status == ANOLE_DONE)
            exchange->seconds = fmin(exchange->seconds, seconds);
        for (size_t t = 0; t < exchange->count && status == ANOLE_DONE; t++) {
            const double sum = sum_steps(exchange, t);
            const double known = isnan(sum) ? exchange->seconds / (double)exchange->count : sum;
            exchange->shares[t] = i == 0 ? known : fmin(exchange->shares[t], known);
        }
    }
    return status;
}

/* --------------------------------------------------------------------- judging */

static bool are_known(const double *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(samples[i] > 0))
            return false;
    return true;
}

/* How many times faster candidate i is than the first, in turn. */
static bool compare(struct anole_summary *ratio, struct contest *contest,
                    double (*samples)[MOST_ROUNDS], size_t i)
{
    if (!are_known(samples[0], contest->rounds) || !are_known(samples[i], contest->rounds))
        return false;
    anole_summarise_ratio(ratio, samples[0], samples[i], contest->rounds, contest->scratch);
    return true;
}

static bool excludes_one(const struct anole_summary *ratio)
{
    return ratio->low > 1 || ratio->high < 1;
}

/* Whether more rounds would tell nothing new of any candidate. */
static bool is_decided(struct contest *contest)
{
    for (size_t i = 1; i < contest->count; i++) {
        struct anole_summary whole, steps;
        if (compare(&whole, contest, contest->whole, i) && excludes_one(&whole))
            continue;
        if (!compare(&steps, contest, contest->steps, i) || !excludes_one(&steps))
            return false;
    }
    return true;
}

static bool is_gain(const struct anole_summary *ratio)
{
    return ratio->low > 1 && ratio->median >= LEAST_GAIN;
}

/* ---------------------------------------------------------------------- timing */

/* The first run brings back what the others have evicted; the whole is timed without a look at its
 * steps, which costs time. */
static enum anole_status take_turn(struct exchange *exchange, struct contest *contest, size_t i,
                                   size_t owner, struct anole_error *error)
{
    const struct anole_variant *variant = contest->variants[i];
    double *whole = &contest->whole[i][contest->rounds];
    enum anole_status status = anole_variant_run(exchange->instance, variant, NULL, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_variant_run(exchange->instance, variant, NULL, whole, error);
    if (status == ANOLE_DONE)
        status =
            anole_variant_run(exchange->instance, variant, exchange->step_seconds, NULL, error);
    if (status == ANOLE_DONE)
        contest->steps[i][contest->rounds] = sum_steps(exchange, owner);
    return status;
}

static enum anole_status make_variants(struct exchange *exchange, struct contest *contest,
                                       size_t owner, struct anole_error *error)
{
    const size_t steps = exchange->program->step_count;
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < contest->count && status == ANOLE_DONE; i++) {
        memcpy(exchange->tried, exchange->choices, steps * sizeof *exchange->tried);
        if (place(exchange->tried, exchange, owner,
                  contest->task->candidates[contest->candidates[i]].config))
            status = anole_variant_create(&contest->variants[i], exchange->instance,
                                          exchange->tried, error);
    }
    return status;
}

/* One that was disturbed is not counted, and the next takes its place. */
static enum anole_status one_round(struct exchange *exchange, struct contest *contest, size_t owner,
                                   struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    anole_quiet_begin(exchange->quiet);
    for (size_t i = 0; i < contest->count && status == ANOLE_DONE; i++)
        status = take_turn(exchange, contest, (contest->tries + i) % contest->count, owner, error);
    const bool disturbed = anole_quiet_end(exchange->quiet);
    contest->tries++;
    contest->rounds += status == ANOLE_DONE && !disturbed;
    return status;
}

static bool goes_on(struct contest *contest, double deadline)
{
    if (contest->rounds == MOST_ROUNDS || contest->tries == 2 * MOST_ROUNDS)
        return false;
    if (contest->tries < LEAST_ROUNDS)
        return true;
    return anole_clock() < deadline && (contest->rounds < LEAST_ROUNDS || !is_decided(contest));
}

/* Who begins changes from round to round. */
static enum anole_status run_rounds(struct exchange *exchange, struct contest *contest,
                                    size_t owner, double deadline, struct anole_error *error)
{
    enum anole_status status = make_variants(exchange, contest, owner, error);
    while (status == ANOLE_DONE && goes_on(contest, deadline))
        status = one_round(exchange, contest, owner, error);
    for (size_t i = 0; i < contest->count; i++)
        anole_variant_destroy(contest->variants[i]);
    return status;
}

/* ------------------------------------------------------------------- the winner */

/* By the network's time; where that does not tell them apart, by the steps' own. */
static size_t find_winner(struct contest *contest)
{
    size_t by_whole = 0, by_steps = 0;
    double best_whole = 1, best_steps = 1;
    for (size_t i = 1; i < contest->count; i++) {
        struct anole_summary whole, steps;
        if (!compare(&whole, contest, contest->whole, i) || whole.high < 1)
            continue;
        if (is_gain(&whole) && whole.median > best_whole) {
            best_whole = whole.median;
            by_whole = i;
        }
        if (compare(&steps, contest, contest->steps, i) && is_gain(&steps) &&
            steps.median > best_steps) {
            best_steps = steps.median;
            by_steps = i;
        }
    }
    return by_whole ? by_whole : by_steps;
}

static void conclude(struct contest *contest)
{
    struct anole_exchange_task *task = contest->task;
    task->disturbed = contest->rounds < LEAST_ROUNDS;
    if (task->disturbed) /* what was chosen alone stays */
        return;
    task->judged = true;
    task->chosen = contest->candidates[find_winner(contest)];
    for (size_t i = 0; i < contest->count; i++) {
        struct anole_exchange_candidate *candidate = &task->candidates[contest->candidates[i]];
        struct anole_summary summary;
        if (are_known(contest->steps[i], contest->rounds)) {
            anole_summarise(&summary, contest->steps[i], contest->rounds);
            candidate->steps = summary.median;
        }
        anole_summarise(&summary, contest->whole[i], contest->rounds);
        candidate->whole = summary.median;
    }
}

/* Those of which every place has a kernel, as many as there is time for. */
static void list_candidates(struct contest *contest, const struct exchange *exchange, size_t owner,
                            double seconds)
{
    struct anole_exchange_task *task = contest->task;
    const double turns = LEAST_ROUNDS * RUNS_A_TURN * exchange->seconds;
    for (size_t c = 0; c < task->count; c++)
        if ((double)(contest->count + 1) * turns <= seconds &&
            place(exchange->tried, exchange, owner, task->candidates[c].config))
            contest->candidates[contest->count++] = c;
        else if (c == 0)
            return;
}

static enum anole_status hold(struct exchange *exchange, size_t owner, double deadline,
                              struct anole_error *error)
{
    struct contest *contest = calloc(1, sizeof *contest);
    if (!contest)
        return anole_fail_memory(error);
    contest->task = &exchange->tasks[owner];
    enum anole_status status = ANOLE_DONE;
    list_candidates(contest, exchange, owner, deadline - anole_clock());
    if (contest->count > 1)
        status = run_rounds(exchange, contest, owner, deadline, error);
    if (status == ANOLE_DONE && contest->count > 1) {
        conclude(contest);
        place(exchange->choices, exchange, owner,
              contest->task->candidates[contest->task->chosen].config);
    }
    free(contest);
    return status;
}

/* The largest share of those that are left; ANOLE_NONE: none is worth it. */
static size_t find_next(const struct exchange *exchange, double *left)
{
    size_t next = ANOLE_NONE;
    *left = 0;
    for (size_t t = 0; t < exchange->count; t++) {
        const double share = exchange->shares[t];
        if (exchange->tasks[t].count < 2 || !(share >= LEAST_SHARE * exchange->seconds))
            continue;
        *left += share;
        if (next == ANOLE_NONE || share > exchange->shares[next])
            next = t;
    }
    return next;
}

static enum anole_status go_through(struct exchange *exchange, double deadline,
                                    struct anole_error *error)
{
    enum anole_status status = profile(exchange, error);
    double left;
    size_t next;
    while (status == ANOLE_DONE && (next = find_next(exchange, &left)) != ANOLE_NONE) {
        const double now = anole_clock();
        if (now >= deadline)
            break;
        /* Time as the task's share of what is left, but enough for two if there is that. */
        const double least = 2.5 * LEAST_ROUNDS * RUNS_A_TURN * exchange->seconds;
        const double fair = (deadline - now) * exchange->shares[next] / left;
        status = hold(exchange, next, now + fmin(deadline - now, fmax(fair, least)), error);
        exchange->shares[next] = -1;
    }
    return status;
}

enum anole_status anole_exchange_run(size_t *choices, struct anole_instance *instance,
                                     const struct anole_program *program,
                                     struct anole_exchange_task *tasks, size_t count,
                                     double deadline, struct anole_quiet *quiet,
                                     struct anole_error *error)
{
    const size_t steps = program->step_count + 1;
    struct exchange exchange = {.instance = instance,
                                .program = program,
                                .quiet = quiet,
                                .tasks = tasks,
                                .count = count,
                                .owners = calloc(steps, sizeof(size_t)),
                                .choices = choices,
                                .tried = calloc(steps, sizeof(size_t)),
                                .step_seconds = calloc(steps, sizeof(double)),
                                .shares = calloc(count + 1, sizeof(double))};
    enum anole_status status = ANOLE_DONE;
    if (!exchange.owners || !exchange.tried || !exchange.step_seconds || !exchange.shares)
        status = anole_fail_memory(error);
    for (size_t s = 0; s < program->step_count && status == ANOLE_DONE; s++) {
        exchange.owners[s] = owner_of(&exchange, &program->steps[s]);
        choices[s] = 0;
    }
    for (size_t t = 0; t < count; t++) {
        tasks[t].judged = tasks[t].disturbed = false;
        tasks[t].chosen = 0;
        for (size_t c = 0; c < tasks[t].count; c++)
            tasks[t].candidates[c].steps = tasks[t].candidates[c].whole = NAN;
    }
    if (status == ANOLE_DONE && count > 0)
        status = go_through(&exchange, deadline, error);
    free(exchange.owners);
    free(exchange.tried);
    free(exchange.step_seconds);
    free(exchange.shares);
    return status;
}
