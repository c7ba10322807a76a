/* SPDX-License-Identifier: MIT
 *
 * A run as it goes for another program: `tune --log-json`.  stderr then has one JSON object a
 * line and nothing else, messages among them; docs/using.md says what is in them.
 */
#ifndef ANOLE_PROGRESS_EVENTS_H
#define ANOLE_PROGRESS_EVENTS_H

#include <anole/anole.h>

/* From now on, till the program ends, messages are events. */
void anole_progress_events_begin(void);

/* "start": what is tuned for what, and where results go. */
void anole_progress_events_start(const char *network, const char *device, const char *history,
                                 const char *output);

/* "phase" or "trial", when one has begun or ended, or "tick", at most once a second. */
void anole_progress_events_show(enum anole_tune_event event, const struct anole_tune_state *state);

/* "task", one a task, and "end": what was found. */
void anole_progress_events_end(const struct anole_results *results);

#endif
