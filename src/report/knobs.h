/* SPDX-License-Identifier: MIT
 *
 * Which knobs of a task mattered: how much worse the cost model that searches tells good configs
 * from bad ones when the values of one knob are shuffled (permutation importance), on trials that
 * it was not fitted to; and the two that mattered most against each other.
 */
#ifndef ANOLE_REPORT_KNOBS_H
#define ANOLE_REPORT_KNOBS_H

#include "report/model.h"

#define ANOLE_HEAT_SIDE 12   /* values of a knob that are told apart; of more, neighbours share */
#define ANOLE_KNOBS_LEAST 24 /* configs; of fewer nothing is said */

struct anole_report_knob {
    size_t knob;       /* its place in the task */
    double importance; /* what it adds to the squared error, as a share of what all add */
    size_t values;     /* distinct ones that were tried */
};

struct anole_heat_side {
    size_t knob, count;
    int64_t low[ANOLE_HEAT_SIDE], high[ANOLE_HEAT_SIDE];
};

struct anole_report_knobs {
    size_t configs;   /* that it was learnt from */
    double explained; /* share of the variance that the model predicts: at most 1, or below 0 */
    struct anole_report_knob knobs[ANOLE_MAX_KNOBS]; /* those with two values at least; the
                                                        most important first */
    size_t count;
    struct anole_heat_side rows, columns;          /* of the heat map: count 0 if there is none */
    double best[ANOLE_HEAT_SIDE][ANOLE_HEAT_SIDE]; /* NaN: nothing ran */
    size_t tried[ANOLE_HEAT_SIDE][ANOLE_HEAT_SIDE];
};

/* *knobs NULL if there are too few trials, or too many values, to say anything; else the caller's
 * to free(). */
enum anole_status anole_report_knobs_create(struct anole_report_knobs **knobs,
                                            const struct anole_report_task *task,
                                            struct anole_error *error) ANOLE_CHECKED;
/* Of the tasks that take most of each device, in the report. */
enum anole_status anole_report_study(struct anole_report *report,
                                     struct anole_error *error) ANOLE_CHECKED;

/* True if the model predicts enough for its importances to mean something. */
bool anole_report_knobs_say(const struct anole_report_knobs *knobs);

#endif
