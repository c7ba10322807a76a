/* SPDX-License-Identifier: MIT
 *
 * The last word on a task: its fastest configs are built again and timed in turn
 * with the default config, so that all see the same disturbances.
 */
#ifndef ANOLE_FINALISTS_H
#define ANOLE_FINALISTS_H

#include "measure/measure.h"
#include "space/trials.h"
#include "tune/tuner.h"

/* About `seconds` of timing.  final->found is false if nothing valid is known or
 * none of the finalists passed again. */
enum anole_status anole_finalists_decide(struct anole_tuner_final *final,
                                         struct anole_measure *measure,
                                         const struct anole_generator *generator,
                                         const struct anole_trials *trials, double seconds,
                                         struct anole_error *error);

/* The same comparison for one given config against the default: `anole verify`. */
enum anole_status anole_finalists_compare(struct anole_tuner_final *final,
                                          struct anole_result *result,
                                          struct anole_result *default_result,
                                          struct anole_measure *measure,
                                          const struct anole_generator *generator,
                                          uint64_t config, double seconds,
                                          struct anole_error *error);

#endif
