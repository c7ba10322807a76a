/* SPDX-License-Identifier: MIT
 *
 * How far a run has come, in the figures that every display of it needs.
 */
#ifndef ANOLE_PROGRESS_SHARE_H
#define ANOLE_PROGRESS_SHARE_H

#include <anole/anole.h>

/* Trials that the history had. */
size_t anole_progress_resumed(const struct anole_tune_state *state);

/* The network's time, seconds, with defaults and with the best so far, over the tasks for which
 * both are known; 0: of none. */
void anole_progress_estimate(const struct anole_tune_state *state, double *before, double *after);

/* How much of the run is behind, 0 to 1, by whichever of its limits is nearer; 0 if it has none. */
double anole_progress_share(const struct anole_tune_state *state);

#endif
