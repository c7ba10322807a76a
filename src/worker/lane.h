/* SPDX-License-Identifier: MIT
 *
 * Short questions to a worker, by memory that it shares: what is asked about each config, a
 * hundred thousand times in a run, cannot wait for frames.  One question at a time.
 *
 * Each side looks for the other's word for some microseconds, then sleeps until it is woken.
 */
#ifndef ANOLE_LANE_H
#define ANOLE_LANE_H

#include "base/status.h"
#include "space/space.h"

#include <stdatomic.h>

#define ANOLE_LANE_FEATURES 1024
/* Of them, that are told at once: with so many a lane is smaller than a page, and than any limit on
 * the size of files. */
#define ANOLE_LANE_NUMBERS 384

enum anole_lane_op { ANOLE_LANE_VALID, ANOLE_LANE_COUNT_FEATURES, ANOLE_LANE_FEATURES_OF };

/* Neither side believes what it finds in here. */
struct anole_lane {
    _Atomic uint32_t turn;   /* odd: the worker's */
    _Atomic uint32_t asleep; /* how many sleep until it changes */
    uint32_t op;             /* enum anole_lane_op */
    uint32_t slot;           /* which task: see answer.h */
    uint32_t count;
    uint32_t first; /* of the features that are to be told */
    uint32_t answer;
    int64_t values[ANOLE_MAX_KNOBS];
    double numbers[ANOLE_LANE_NUMBERS];
};
_Static_assert(sizeof(struct anole_lane) <= 4096, "a lane is to fit into a page");

/* *file: to be handed to the worker, and closed. */
ANOLE_CHECKED enum anole_status anole_lane_create(struct anole_lane **lane, int *file,
                                                  struct anole_error *error);
ANOLE_CHECKED enum anole_status anole_lane_map(struct anole_lane **lane, int file,
                                               struct anole_error *error);
void anole_lane_unmap(struct anole_lane *lane);

/* Passes the turn to the other side. */
void anole_lane_pass(struct anole_lane *lane);
/* Waits until it is the worker's turn, or ours: at most so many seconds.  False: it is not. */
bool anole_lane_wait(struct anole_lane *lane, bool worker, double seconds);

#endif
