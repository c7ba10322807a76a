/* SPDX-License-Identifier: MIT */
#include "cli/progress_share.h"

#include <math.h>

void anole_progress_estimate(const struct anole_tune_state *state, double *before, double *after)
{
    *before = *after = 0.0;
    for (size_t i = 0; i < state->task_count; i++) {
        const struct anole_tune_task *task = state->tasks[i];
        if (isnan(task->default_seconds) || isnan(task->best_seconds))
            continue;
        *before += task->task->multiplicity * task->default_seconds;
        *after += task->task->multiplicity * task->best_seconds;
    }
}

size_t anole_progress_resumed(const struct anole_tune_state *state)
{
    size_t count = 0;
    for (size_t i = 0; i < state->task_count; i++)
        count += state->tasks[i]->resumed;
    return count;
}

double anole_progress_share(const struct anole_tune_state *state)
{
    double share = 0.0;
    if (state->time_limit > 0.0)
        share = state->elapsed / state->time_limit;
    /* The limit counts what the history has as well. */
    if (state->trial_limit > 0)
        share = fmax(share, (double)(state->trials + anole_progress_resumed(state)) /
                                (double)state->trial_limit);
    return fmin(fmax(share, 0.0), 1.0);
}
