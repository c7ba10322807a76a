/* SPDX-License-Identifier: MIT
 *
 * The samplers that there are, and what they share.  For sampler*.c only;
 * everybody else uses sampler.h.
 */
#ifndef ANOLE_SAMPLERS_H
#define ANOLE_SAMPLERS_H

#include "search/sampler.h"

extern const struct anole_sampler_ops anole_sampler_adaptive;
extern const struct anole_sampler_ops anole_sampler_chameleon;
extern const struct anole_sampler_ops anole_sampler_top;
extern const struct anole_sampler_ops anole_sampler_greedy;
extern const struct anole_sampler_ops anole_sampler_planned; /* in plan.c */

/* What has been picked so far. */
struct anole_picks {
    const struct anole_explorer_context *context;
    uint64_t *configs;
    size_t count, capacity;
};

/* Takes a config if there is room, it is valid, still to be tried, and not taken
 * yet; true if it was taken. */
bool anole_picks_take(struct anole_picks *picks, uint64_t config);

/* Takes the best candidates that are left. */
void anole_picks_fill(struct anole_picks *picks, const struct anole_candidate *candidates,
                      size_t count);

/* Positions of all knobs between 0 and 1, row after row: points[count x knobs],
 * the caller's to free.  NULL if memory ran out. */
float *anole_candidates_positions(const struct anole_space *space,
                                  const struct anole_candidate *candidates, size_t count);

/* A config made of the values that are most frequent among some candidates
 * (those with label `label`; all where labels is NULL): knob by knob.  It may
 * violate the constraints. */
uint64_t anole_candidates_synthesise(const struct anole_space *space,
                                     const struct anole_candidate *candidates, size_t count,
                                     const size_t *labels, size_t label);

#endif
