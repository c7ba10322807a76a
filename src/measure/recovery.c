/* SPDX-License-Identifier: MIT
 *
 * Workers that come to nothing, through no fault of a kernel's.  Where the device has
 * not worked yet, that ends the run soon.  One that has worked is waited for: drivers
 * are reset, cables replugged.
 */
#include "measure/recovery.h"

#include "base/clock.h"
#include "base/log.h"

#include <math.h>

#define MOST_BAD_STARTS 3
#define FIRST_PAUSE 0.5   /* seconds until it is tried again, */
#define LONGEST_PAUSE 4.0 /* twice as long each time, up to this */

void anole_measure_good(struct anole_measure *measure)
{
    if (measure->lost > 0.0)
        anole_log_info("%s is back after %.3g s", measure->label, anole_clock() - measure->lost);
    measure->lost = measure->retry = 0.0;
    measure->bad_starts = 0;
    measure->worked = true;
}

bool anole_measure_waits(const struct anole_measure *measure)
{
    return measure->lost > 0.0 && anole_clock() < measure->retry;
}

/* Workers fail together: what comes while it is waited for is no news. */
static enum anole_status wait_for_device(struct anole_measure *measure, const char *text,
                                         struct anole_error *error)
{
    double now = anole_clock(), limit = measure->options.lost_limit;
    if (measure->lost > 0.0 && now < measure->retry)
        return ANOLE_DONE;
    if (!(measure->lost > 0.0)) {
        measure->lost = now;
        measure->losses++;
        measure->pause = FIRST_PAUSE;
        anole_log_warning("%s is lost: %s; waiting for it, up to %.3g s", measure->label, text,
                          limit);
    }
    if (now - measure->lost >= limit)
        return anole_fail(error, ANOLE_ERR_WORKER,
                          "%s was lost, and did not come back within %.3g s: %s", measure->label,
                          limit, text);
    measure->retry = fmin(now + measure->pause, measure->lost + limit);
    measure->pause = fmin(2.0 * measure->pause, LONGEST_PAUSE);
    return ANOLE_DONE;
}

enum anole_status anole_measure_bad_start(struct anole_measure *measure,
                                          const struct anole_handle *handle,
                                          enum anole_worker_event event, const char *text,
                                          struct anole_error *error)
{
    if (handle->worker.stage == ANOLE_STAGE_OPEN && measure->worked)
        return wait_for_device(measure, text, error);
    /* Who took a minute without an answer is not asked again. */
    bool hopeless = handle->worker.stage == ANOLE_STAGE_OPEN && event == ANOLE_WORKER_HANGS;
    if (!hopeless && ++measure->bad_starts < MOST_BAD_STARTS)
        return ANOLE_DONE;
    measure->bad_starts = 0;
    if (hopeless)
        return anole_fail(error, ANOLE_ERR_WORKER, "%s is of no use: %s", measure->label, text);
    return anole_fail(error, ANOLE_ERR_WORKER, "%s is of no use: %d times in a row, %s",
                      measure->label, MOST_BAD_STARTS, text);
}
