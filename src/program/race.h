/* SPDX-License-Identifier: MIT
 *
 * Two variants of a network (struct anole_variant), timed in turn, so that both see the same
 * machine: the network's time is what is compared, not the sum of its steps.
 *
 * A turn is two runs, of which the second counts: what the other has evicted from the caches is
 * back by then, as far as the network itself leaves it there.
 */
#ifndef ANOLE_RACE_H
#define ANOLE_RACE_H

#include "base/statistics.h"
#include "program/instance.h"
#include "program/quiet.h"

struct anole_race {
    struct anole_summary first, second; /* seconds of a run */
    struct anole_summary ratio;         /* second over first, round by round */
    size_t rounds;
    bool disturbed; /* too few rounds were not: these are all, and decide nothing */
};

/* Goes on until `deadline` (anole_clock()), but for at least `least` rounds, which must not be 0.
 * Rounds that other work disturbed are left out, while there is time for others.
 * `first` and `second` as for anole_variant_run(); where they are the same, each round is one turn.
 * ERR_WORKER: a run failed. */
ANOLE_CHECKED enum anole_status
anole_race_run(struct anole_race *race, struct anole_instance *instance,
               const struct anole_variant *first, const struct anole_variant *second,
               double deadline, size_t least, struct anole_quiet *quiet, struct anole_error *error);

#endif
