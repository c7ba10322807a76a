/* SPDX-License-Identifier: MIT */
#include "tune/schedule.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Batches over which the recent gain is averaged. */
#define WINDOW 3

/* Expected relative gain of a batch before anything is known, and the number of
 * trials after which half of that expectation is left: the best of n random
 * draws improves about as 1/n. */
#define PRIOR_GAIN 0.3
#define PRIOR_TRIALS 8.0

struct entry {
    double multiplicity;
    double work;
    double best;         /* seconds; NaN: none */
    double past[WINDOW]; /* best before each of the last batches; NaN: none */
    size_t batches;
    size_t trials;
    double seconds; /* of a batch, the last ones counting most; 0: not known */
    bool exhausted;
};

struct anole_schedule {
    size_t count;
    struct entry entries[];
};

enum anole_status anole_schedule_create(struct anole_schedule **schedule, size_t task_count,
                                        struct anole_error *error)
{
    struct anole_schedule *new = NULL;
    if (task_count <= (SIZE_MAX - sizeof *new) / sizeof new->entries[0])
        new = calloc(1, sizeof *new + task_count * sizeof new->entries[0]);
    if (!new)
        return anole_fail_memory(error);
    new->count = task_count;
    for (size_t i = 0; i < task_count; i++) {
        struct entry *entry = &new->entries[i];
        entry->multiplicity = 1.0;
        entry->work = 1.0;
        entry->best = NAN;
        for (int k = 0; k < WINDOW; k++)
            entry->past[k] = NAN;
    }
    *schedule = new;
    return ANOLE_DONE;
}

void anole_schedule_destroy(struct anole_schedule *schedule)
{
    free(schedule);
}

void anole_schedule_set(struct anole_schedule *schedule, size_t task, double multiplicity,
                        double work)
{
    schedule->entries[task].multiplicity = multiplicity;
    schedule->entries[task].work = work;
}

void anole_schedule_update(struct anole_schedule *schedule, size_t task, size_t trials, double best)
{
    struct entry *entry = &schedule->entries[task];
    for (int k = WINDOW - 1; k > 0; k--)
        entry->past[k] = entry->past[k - 1];
    entry->past[0] = entry->best;
    entry->best = best;
    entry->batches++;
    entry->trials += trials;
}

void anole_schedule_charge(struct anole_schedule *schedule, size_t task, double seconds)
{
    struct entry *entry = &schedule->entries[task];
    if (!(seconds > 0.0) || isinf(seconds))
        return;
    /* Batches with builds and those without take turns: several are averaged. */
    entry->seconds = entry->seconds > 0.0 ? 0.75 * entry->seconds + 0.25 * seconds : seconds;
}

/* Seconds of a batch whose task has had none, or is silent: 1 if all are. */
static double usual_seconds(const struct anole_schedule *schedule)
{
    double sum = 0.0;
    size_t known = 0;
    for (size_t i = 0; i < schedule->count; i++) {
        sum += schedule->entries[i].seconds;
        known += schedule->entries[i].seconds > 0.0;
    }
    return known > 0 ? sum / (double)known : 1.0;
}

void anole_schedule_exhaust(struct anole_schedule *schedule, size_t task)
{
    schedule->entries[task].exhausted = true;
}

/* Seconds a unit of work takes, over the tasks whose time is known; 1 if none is. */
static double seconds_per_work(const struct anole_schedule *schedule)
{
    double seconds = 0.0, work = 0.0;
    for (size_t i = 0; i < schedule->count; i++) {
        const struct entry *entry = &schedule->entries[i];
        if (isnan(entry->best))
            continue;
        seconds += entry->best;
        work += entry->work;
    }
    return work > 0.0 ? seconds / work : 1.0;
}

/* Relative gain to expect of one more batch: half what the last ones brought,
 * half what their number lets hope.  The second part never dies, so no task is
 * forgotten; the first lets a task that still improves keep its turn. */
static double expected_gain(const struct entry *entry)
{
    double hope = PRIOR_GAIN * PRIOR_TRIALS / (PRIOR_TRIALS + (double)entry->trials);
    if (isnan(entry->best))
        return hope;
    double before = NAN;
    int batches = 0;
    for (int k = 0; k < WINDOW && !isnan(entry->past[k]); k++) {
        before = entry->past[k];
        batches = k + 1;
    }
    if (batches == 0)
        return hope;
    double recent = (before - entry->best) / before / batches;
    return 0.5 * (recent > 0.0 ? recent : 0.0) + 0.5 * hope;
}

double anole_schedule_promise(const struct anole_schedule *schedule, size_t task)
{
    const struct entry *entry = &schedule->entries[task];
    double seconds = isnan(entry->best) ? entry->work * seconds_per_work(schedule) : entry->best;
    return entry->multiplicity * seconds * expected_gain(entry);
}

size_t anole_schedule_next(const struct anole_schedule *schedule)
{
    const double usual = usual_seconds(schedule);
    size_t chosen = SIZE_MAX;
    double most = -1.0;
    bool fresh = false;
    for (size_t i = 0; i < schedule->count; i++) {
        const struct entry *entry = &schedule->entries[i];
        bool untouched = entry->batches == 0;
        if (entry->exhausted || (fresh && !untouched))
            continue;
        double promise = anole_schedule_promise(schedule, i);
        promise /= entry->seconds > 0.0 ? entry->seconds : usual;
        if (promise > most || (untouched && !fresh)) {
            chosen = i;
            most = promise;
            fresh = untouched;
        }
    }
    return chosen;
}
