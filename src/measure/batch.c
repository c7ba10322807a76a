/* SPDX-License-Identifier: MIT */
#include "measure/batch.h"

#include "measure/control.h"

enum anole_status anole_measure_batch(struct anole_measure *measure,
                                      const struct anole_generator *generator,
                                      const uint64_t *configs, size_t count, double best,
                                      anole_measure_sink *sink, void *sink_context,
                                      struct anole_error *error)
{
    struct anole_work work;
    if (count == 0)
        return ANOLE_DONE;
    enum anole_status status = anole_work_init(&work, measure, generator, configs, count, error);
    work.best = best;
    work.sink = sink;
    work.sink_context = sink_context;
    if (status == ANOLE_DONE)
        status = anole_control_run(&work, error);
    if (status != ANOLE_DONE)
        anole_work_abandon(&work);
    anole_work_fini(&work);
    return status;
}
