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

/* Takes up to `wanted` configs by a local search on measured times, from several
 * places at once.  A peak is a config that ran and that none of those tried beside it
 * (one knob apart) beats: the best config is one, and so is the best of every other
 * region that was looked into.  The peak in place r (the best: 1) has as many
 * neighbours tried as the best one has, divided by r; of its neighbours the
 * best-predicted comes first.  So regions get their turn though the model thinks
 * little of them: where it is sure of a broad basin that is not the best, nothing
 * else would look elsewhere. */
enum anole_status anole_picks_take_beside_peaks(struct anole_picks *picks, size_t wanted,
                                                struct anole_rng *rng, struct anole_error *error);

/* Knobs that two configs differ in. */
size_t anole_digits_distance(const uint16_t *a, const uint16_t *b, size_t knobs);

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
