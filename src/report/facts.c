/* SPDX-License-Identifier: MIT */
#include "report/facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double anole_report_costs(struct anole_report_cost *costs, const struct anole_report_tally *tally)
{
    const struct anole_trial_cost *cost = &tally->cost;
    costs[0] = (struct anole_report_cost){"build", "compiling kernels", cost->build};
    costs[1] = (struct anole_report_cost){"run", "timed runs and their warm-up", cost->run};
    costs[2] =
        (struct anole_report_cost){"verify", "comparing outputs with the reference", cost->verify};
    costs[3] = (struct anole_report_cost){"transfer", "moving data to and from the device",
                                          cost->transfer};
    costs[4] =
        (struct anole_report_cost){"generate", "writing sources, packing weights", cost->generate};
    return cost->build + cost->run + cost->verify + cost->transfer + cost->generate;
}

/* -------------------------------------------------------------- environment */

static void say_clocks(char *text, size_t size, const struct anole_report_tally *tally)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t t = 0; t < ANOLE_TIMER_COUNT; t++)
        if (tally->by_timer[t] && length < size)
            length += (size_t)snprintf(
                text + length, size - length, "%s%s (%zu trials)", length ? ", " : "",
                t == ANOLE_TIMER_UNSAID ? "not recorded" : anole_timer_text((enum anole_timer)t),
                tally->by_timer[t]);
}

/* Of lock files alone, whose trials are not at hand. */
static void say_lock_clocks(char *text, size_t size, const struct anole_report_column *column)
{
    size_t counts[ANOLE_TIMER_COUNT] = {0}, length = 0;
    for (size_t i = 0; i < column->task_count; i++)
        if (column->tasks[i].lock && column->tasks[i].lock->timer < ANOLE_TIMER_COUNT)
            counts[column->tasks[i].lock->timer]++;
    text[0] = '\0';
    for (size_t t = 0; t < ANOLE_TIMER_COUNT; t++)
        if (counts[t] && length < size)
            length += (size_t)snprintf(
                text + length, size - length, "%s%s (%zu layers)", length ? ", " : "",
                t == ANOLE_TIMER_UNSAID ? "not recorded" : anole_timer_text((enum anole_timer)t),
                counts[t]);
}

static void say_timing(char *text, size_t size, const struct anole_report_column *column)
{
    size_t cold = 0;
    for (size_t i = 0; i < column->task_count; i++)
        cold += column->tasks[i].warmth == ANOLE_WARMTH_COLD;
    snprintf(text, size,
             "%zu layer%s cold (weights out of the caches, as the network leaves them), "
             "%zu hot",
             cold, cold == 1 ? "" : "s", column->task_count - cold);
}

static struct anole_report_fact *add(struct anole_report_fact *facts, size_t *count,
                                     const char *name)
{
    facts[*count] = (struct anole_report_fact){.name = name};
    return &facts[(*count)++];
}

size_t anole_report_environment(struct anole_report_fact *facts,
                                const struct anole_report_column *column)
{
    size_t count = 0;
    struct anole_report_fact *fact = add(facts, &count, "device");
    snprintf(fact->text, sizeof fact->text, "%s%s%s", column->device, column->id[0] ? ", " : "",
             column->id);
    fact = add(facts, &count, "driver");
    snprintf(fact->text, sizeof fact->text, "%s %s", column->driver, column->driver_version);
    fact = add(facts, &count, "backend");
    snprintf(fact->text, sizeof fact->text, "%s %s, generator %u", column->backend,
             column->backend_version, column->generator);
    fact = add(facts, &count, "threads");
    if (column->threads)
        snprintf(fact->text, sizeof fact->text, "%u", column->threads);
    else
        snprintf(fact->text, sizeof fact->text, "all, or none of its own");
    fact = add(facts, &count, "precision");
    snprintf(fact->text, sizeof fact->text, "%s",
             column->dtype ? anole_precision_text(column->dtype) : "not known");
    fact = add(facts, &count, "tuned for");
    snprintf(fact->text, sizeof fact->text, "%s (%s)", anole_metric_text(column->metric),
             anole_metric_unit(column->metric));
    say_timing(add(facts, &count, "timed")->text, sizeof fact->text, column);
    fact = add(facts, &count, "clock");
    say_clocks(fact->text, sizeof fact->text, &column->tally);
    if (!fact->text[0])
        say_lock_clocks(fact->text, sizeof fact->text, column);
    if (!fact->text[0])
        snprintf(fact->text, sizeof fact->text, "not recorded");
    if (column->lock && column->lock->batch)
        snprintf(add(facts, &count, "batch")->text, sizeof fact->text, "%u", column->lock->batch);
    fact = add(facts, &count, "file");
    snprintf(fact->text, sizeof fact->text, "%s", column->path);
    if (column->simulated)
        snprintf(add(facts, &count, "simulated")->text, sizeof fact->text,
                 "yes: nothing was run or checked, times are the backend's");
    return count;
}

/* -------------------------------------------------------------- disturbance */

void anole_report_disturbance(struct anole_text *out, const struct anole_report_column *column)
{
    const struct anole_report_tally *tally = &column->tally;
    size_t disturbed = 0, in_place = 0, locked = 0;
    for (size_t i = 0; i < column->task_count; i++) {
        const struct anole_lock_task *lock = column->tasks[i].lock;
        locked += lock != NULL;
        disturbed += lock && lock->disturbed;
        in_place += lock && lock->in_place_disturbed;
    }
    if (tally->timed)
        anole_text_printf(out,
                          "Other work had the cores for %.1f %% of the time in which kernels were "
                          "timed (at most %.1f %% of one trial's); %zu of %zu timed trials count "
                          "samples that it disturbed.",
                          100.0 * tally->crowding / (double)tally->timed,
                          100.0 * tally->worst_crowding, tally->disturbed, tally->timed);
    if (locked)
        anole_text_printf(out,
                          "%s%zu of %zu final comparisons were disturbed, and decided nothing; "
                          "%zu choices between kernels in the running network were.",
                          tally->timed ? "  " : "", disturbed, locked, in_place);
    const struct anole_lock_in_place *whole = anole_report_in_place(column);
    if (whole)
        anole_text_printf(out, "  The network's own time is of %u rounds%s.", whole->rounds,
                          whole->disturbed ? ", disturbed ones among them" : ", none disturbed");
    if (!tally->timed && !locked)
        anole_text_printf(out, "Nothing is recorded of it.");
}

/* ------------------------------------------------------------------- the rest */

struct anole_word anole_report_speedup(const struct anole_report_task *task)
{
    struct anole_word times = anole_word_times(task->speedup), word = {"-"};
    if (!isfinite(task->speedup))
        return word;
    snprintf(word.text, sizeof word.text, "%.20s%s%.30s%s", times.text,
             isfinite(task->speedup_low) ? " " : "",
             anole_word_ratio_interval(task->speedup_low, task->speedup_high).text,
             task->tie ? ", tie" : "");
    return word;
}

struct anole_word anole_report_rate(const struct anole_report_task *task, double amount)
{
    return anole_word_short(amount > 0 ? amount / task->value / 1e9 : NAN);
}

struct anole_word anole_report_trials(const struct anole_report_task *task)
{
    return anole_word_count(task->trial_count ? task->trial_count
                            : task->lock      ? task->lock->trials
                                              : 0);
}

struct anole_word anole_report_fastest(const struct anole_report *report,
                                       const struct anole_report_row *row)
{
    const struct anole_report_task *best = NULL, *next = NULL;
    struct anole_word word = {"-"};
    char letter = '-';
    for (size_t c = 0; c < report->column_count; c++) {
        const struct anole_report_task *task = row->tasks[c];
        if (!task || !isfinite(task->value))
            continue;
        if (!best || task->value < best->value) {
            next = best;
            best = task;
            letter = report->columns[c].letter;
        } else if (!next || task->value < next->value) {
            next = task;
        }
    }
    if (!next)
        return word;
    if (isfinite(best->high) && isfinite(next->low) && next->low <= best->high)
        snprintf(word.text, sizeof word.text, "%c (tie)", letter);
    else
        snprintf(word.text, sizeof word.text, "%c %.40s", letter,
                 anole_word_times(next->value / best->value).text);
    return word;
}

const struct anole_lock_in_place *anole_report_in_place(const struct anole_report_column *column)
{
    return column->lock && column->lock->in_place.rounds ? &column->lock->in_place : NULL;
}

const char *anole_report_roof_source(const struct anole_report *report)
{
    if (report->peak > 0.0 || report->bandwidth > 0.0)
        return report->peak > 0.0 && report->bandwidth > 0.0
                   ? "Both roofs are as they were given."
                   : "One roof is as it was given; the other is only the most that any layer "
                     "reached, for files do not hold what the device is able to.";
    return "The roofs are only the most that any layer reached: files do not hold what the device "
           "is able to.  --peak and --bandwidth give measured ones.";
}

void anole_report_roof(double *flops, double *bytes, const struct anole_report *report,
                       const struct anole_report_column *column)
{
    *flops = report->peak > 0.0 ? report->peak : column->most_flops;
    *bytes = report->bandwidth > 0.0 ? report->bandwidth : column->most_bytes;
}
