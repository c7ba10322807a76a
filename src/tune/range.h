/* SPDX-License-Identifier: MIT
 *
 * A network in several sizes with few kernels: for each layer at most so many configs that the one
 * that does worst, held against what is best for its size alone, does least badly.
 *
 * What each size found, and what is close to it, is timed in all sizes, in turn; cover.h chooses.
 * The same config is one with the same value of each knob, in whichever design space; what is no
 * valid config of a size's space does not work there.
 */
#ifndef ANOLE_RANGE_H
#define ANOLE_RANGE_H

#include "tune/tuner.h"

/* What the view says meanwhile: a literal. */
#define ANOLE_RANGE_PHASE "choosing kernels for all sizes"

/* After anole_tuner_finish(): decides finals[view.task_count] anew, where a layer has more than
 * options.most_kernels configs over all sizes, and says in each how much is lost by it.  A size for
 * which none of the chosen works keeps what it has, with a warning.  No task has candidates for the
 * network to choose between afterwards. */
ANOLE_CHECKED enum anole_status anole_tuner_reduce(struct anole_tuner *tuner,
                                                   struct anole_tuner_final *finals,
                                                   struct anole_error *error);

/* Tasks that are one layer in several sizes: groups[view.task_count] has the same number for them,
 * that of the first.  They are told by their order, among those that are alike. */
void anole_range_groups(size_t *groups, const struct anole_workload *served,
                        const struct anole_tuner_task *tasks, size_t count);

/* The config of `to` that is the same as `config` of `from`; false: it has none. */
bool anole_range_same_config(uint64_t *same, const struct anole_space *to,
                             const struct anole_space *from, uint64_t config);

#endif
