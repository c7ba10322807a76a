/* SPDX-License-Identifier: MIT
 *
 * The final comparison: all kernels loaded in one worker, timed in turn, round
 * after round, so that what disturbs one disturbs all.
 */
#ifndef ANOLE_COMPARE_H
#define ANOLE_COMPARE_H

#include "measure/measure.h"

/* Final comparison: builds all, verifies each, then times them in turn, A B C A
 * B C, for about `seconds` in all (at least `rounds` rounds; exactly these on a
 * simulated device).  At most 32 configs.  results[count].
 * samples (may be NULL) [count][*rounds_done], row after row, the caller's to
 * free: seconds of each round, for paired ratios; a config that is not ok has
 * NaN. */
ANOLE_CHECKED enum anole_status
anole_measure_compare(struct anole_measure *measure, const struct anole_generator *generator,
                      const uint64_t *configs, size_t count, double seconds, size_t rounds,
                      struct anole_result *results, double **samples, size_t *rounds_done,
                      struct anole_error *error);

#endif
