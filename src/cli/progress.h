/* SPDX-License-Identifier: MIT
 *
 * A run as it goes, on stderr: a few lines that repaint themselves on a terminal, a plain
 * line now and then elsewhere, or a JSON object an event for another program's display.
 */
#ifndef ANOLE_PROGRESS_H
#define ANOLE_PROGRESS_H

#include <anole/anole.h>

struct anole_progress;

/* With `json`, an object an event; see progress_events.h. */
enum anole_status anole_progress_create(struct anole_progress **progress, bool json,
                                        struct anole_error *error);
/* Leaves the terminal clean. */
void anole_progress_destroy(struct anole_progress *progress);

/* An anole_tune_callback; the context is the progress. */
void anole_progress_show(void *progress, enum anole_tune_event event,
                         const struct anole_tune_state *state);

#endif
