/* SPDX-License-Identifier: MIT
 *
 * A network as a whole, for the caller.
 */
#include "api/api.h"

#include <math.h>
#include <stdio.h>

static void clear(struct anole_whole *whole)
{
    whole->problem[0] = whole->output[0] = '\0';
    whole->info = (struct anole_in_place){.problem = whole->problem,
                                          .seconds = NAN,
                                          .low = NAN,
                                          .high = NAN,
                                          .default_seconds = NAN,
                                          .default_low = NAN,
                                          .default_high = NAN,
                                          .speedup = NAN,
                                          .speedup_low = NAN,
                                          .speedup_high = NAN,
                                          .sum_seconds = NAN,
                                          .error = NAN,
                                          .tolerance = NAN};
}

/* Times of another metric than seconds come to no sum of seconds. */
static double sum_of(const struct anole_lock_device *device)
{
    return device->metric == ANOLE_METRIC_SECONDS ? anole_lock_device_sum(device) : NAN;
}

static void take_record(struct anole_in_place *info, const struct anole_lock_in_place *record)
{
    info->ran = true;
    info->seconds = record->seconds;
    info->low = record->low;
    info->high = record->high;
    info->default_seconds = record->default_seconds;
    info->default_low = record->default_low;
    info->default_high = record->default_high;
    info->speedup = record->speedup;
    info->speedup_low = record->speedup_low;
    info->speedup_high = record->speedup_high;
    info->steps = record->steps;
    info->steps_tuned = record->steps_tuned;
    info->rounds = record->rounds;
    info->disturbed = record->disturbed;
}

void anole_whole_skip(struct anole_whole *whole, const char *why)
{
    clear(whole);
    snprintf(whole->problem, sizeof whole->problem, "%s", why);
}

void anole_whole_take(struct anole_whole *whole, const struct anole_inplace_report *report,
                      const struct anole_lock_device *device)
{
    struct anole_lock_in_place record;
    clear(whole);
    anole_inplace_record(&record, report);
    if (report->ran)
        take_record(&whole->info, &record);
    else
        snprintf(whole->problem, sizeof whole->problem, "%s", report->problem);
    whole->info.failed = report->failed;
    whole->info.sum_seconds = sum_of(device);
    whole->info.error = report->error;
    whole->info.tolerance = report->tolerance;
    snprintf(whole->output, sizeof whole->output, "%s", report->output);
}

void anole_whole_read(struct anole_whole *whole, const struct anole_lock_device *device)
{
    clear(whole);
    if (device->in_place.rounds > 0)
        take_record(&whole->info, &device->in_place);
    else
        snprintf(whole->problem, sizeof whole->problem, "it was not run as a whole");
    whole->info.sum_seconds = sum_of(device);
}
