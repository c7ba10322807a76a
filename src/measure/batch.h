/* SPDX-License-Identifier: MIT
 *
 * A batch of trials: configs in, results out.
 */
#ifndef ANOLE_BATCH_H
#define ANOLE_BATCH_H

#include "measure/measure.h"

/* Called for each result as soon as it is known, in whatever order.  A failure
 * it returns ends the batch with that status. */
typedef enum anole_status anole_measure_sink(void *context, size_t index, uint64_t config,
                                             const struct anole_result *result,
                                             struct anole_error *error);

/* One trial a config.  `best`: the fastest time so far, seconds (NAN: none): what
 * is far behind it after its first runs is abandoned.  `generator` fixes task
 * and space.  Failures of kernels are outcomes; a status other than DONE says
 * that the tool itself cannot go on; what was in flight then is not reported.  On
 * a simulated device results come in the order of the configs. */
ANOLE_CHECKED enum anole_status anole_measure_batch(struct anole_measure *measure,
                                                    const struct anole_generator *generator,
                                                    const uint64_t *configs, size_t count,
                                                    double best, anole_measure_sink *sink,
                                                    void *sink_context, struct anole_error *error);

#endif
