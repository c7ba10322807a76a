/* SPDX-License-Identifier: MIT
 *
 * A kernel that is loaded and right, run for somebody who times it himself.
 */
#include "exec/runner_private.h"

#include "plugin/plugin_message.h"

#include <math.h>
#include <stdio.h>

/* The mean of what the device's clock said of each run; NaN if it said nothing. */
static double device_time(const double *seconds, uint32_t repeats)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < repeats; i++) {
        if (!(seconds[i] >= 0.0))
            return NAN;
        sum += seconds[i];
    }
    return sum / repeats;
}

static bool find_slot(const struct anole_runner *runner, uint32_t slot, struct anole_result *result)
{
    anole_result_clear(result);
    if (slot < runner->slot_count)
        return true;
    result->outcome = ANOLE_OUTCOME_INVALID;
    snprintf(result->message, sizeof result->message, "no kernel in slot %u: there are %zu", slot,
             runner->slot_count);
    return false;
}

bool anole_runner_batch(struct anole_runner *runner, uint32_t slot, uint32_t repeats, double *host,
                        double *device, struct anole_result *result)
{
    if (!find_slot(runner, slot, result))
        return false;
    double *each = runner->timing.device_seconds, whole = NAN;
    struct anole_timed *timed = &runner->slots[slot].timed;
    struct anole_message message = {.size = sizeof message};
    repeats = repeats < 1 ? 1 : repeats > ANOLE_MAX_REPEATS ? ANOLE_MAX_REPEATS : repeats;
    for (uint32_t i = 0; i < repeats; i++)
        each[i] = -1.0;
    anole_runner_stage(runner, ANOLE_STAGE_TIME, slot);
    int code = runner->backend->plugin.run(runner->session, timed->build, timed->bindings,
                                           ANOLE_ROLE_COUNT, repeats, each, &whole, &message);
    if (code != ANOLE_OK)
        return anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH, &message, NULL);
    *host = whole / repeats;
    *device = device_time(each, repeats);
    return true;
}

bool anole_runner_prove(struct anole_runner *runner, uint32_t slot, struct anole_result *result)
{
    double host, device;
    if (!find_slot(runner, slot, result) ||
        !anole_executable_poison(runner, &runner->slots[slot], result) ||
        !anole_runner_batch(runner, slot, 1, &host, &device, result))
        return false;
    return anole_runner_verify(runner, &runner->slots[slot], "in a run after the load", result);
}
