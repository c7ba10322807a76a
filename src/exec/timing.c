/* SPDX-License-Identifier: MIT */
#include "exec/timing.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "plugin/plugin_message.h"

#include <math.h>
#include <stdio.h>

#define BATCH_TIME 2e-3 /* a batch lasts about this long: clocks and wake-ups cost microseconds */
#define MAX_SAMPLES 256
#define MIN_SAMPLES 8 /* before an interval is believed */
#define TIGHT 0.01    /* half width over median */
#define SIMULATED_RUNS 7
#define FAR_BEHIND 2.0   /* times the best: abandoned after the first samples, */
#define FIRST_TIME 15e-3 /* two at least, and as many as fit in here: bursts pass */
#define HOPELESS 4.0     /* times the best: not even warmed up */

void anole_timing_init(struct anole_timing *timing, const struct anole_plugin *plugin,
                       struct anole_session *session, uint32_t flags, double sample_time)
{
    timing->plugin = plugin;
    timing->session = session;
    timing->flags = flags;
    timing->sample_time = sample_time;
    timing->distrusted = false;
    timing->alive = NULL;
    timing->context = NULL;
}

enum anole_outcome anole_timing_outcome(int code, enum anole_outcome usual)
{
    switch (code) {
    case ANOLE_BUILD_FAILED:
        return ANOLE_OUTCOME_COMPILE;
    case ANOLE_LAUNCH_FAILED:
    case ANOLE_NO_MEMORY:
        return ANOLE_OUTCOME_LAUNCH;
    case ANOLE_DEVICE_LOST:
        return ANOLE_OUTCOME_CRASH;
    case ANOLE_WRONG_ANSWER:
        return ANOLE_OUTCOME_WRONG_ANSWER;
    case ANOLE_TIMED_OUT:
        return ANOLE_OUTCOME_TIMEOUT;
    default:
        return usual;
    }
}

/* The device's time of one run, or NaN if events tell none that can be true.
 * `wall`: the batch by our clock. */
static double event_time(struct anole_timing *timing, uint32_t repeats, double wall)
{
    if (!(timing->flags & ANOLE_DEVICE_EVENT_TIMER) || timing->distrusted)
        return NAN;
    double sum = 0;
    for (uint32_t i = 0; i < repeats; i++) {
        if (timing->device_seconds[i] < 0)
            return NAN; /* it says itself that there is none */
        sum += timing->device_seconds[i];
    }
    /* A clock in wrong units, one that stands still, or one that runs away. */
    if (sum <= 1.05 * wall + 1e-6 * repeats && sum > 0.005 * wall)
        return sum / repeats;
    timing->distrusted = true;
    anole_log_warning("backend %s: its event times cannot be true: %u runs took %.3g s by events, "
                      "%.3g s by the host's clock; using the host's clock from here on",
                      timing->plugin->name, repeats, sum, wall);
    return NAN;
}

static bool fail_time(struct anole_result *result, const char *what, double seconds)
{
    result->outcome = ANOLE_OUTCOME_LAUNCH;
    snprintf(result->message, sizeof result->message,
             "the backend reported %s of %g s for a run, which cannot be", what, seconds);
    return false;
}

/* Time of one run of a batch that the plugin has just made. */
static bool choose_time(struct anole_timing *timing, double *seconds, uint32_t repeats, double host,
                        double wall, struct anole_result *result)
{
    if (timing->flags & ANOLE_DEVICE_SIMULATED) {
        double device = timing->device_seconds[0];
        *seconds = isfinite(device) && device >= 0 ? device : host / repeats;
        return isfinite(*seconds) && *seconds >= 0 ? true : fail_time(result, "a time", *seconds);
    }
    if (!isfinite(host) || host < 0)
        return fail_time(result, "a host time", host);
    double event =
        timing->flags & ANOLE_DEVICE_SHARES_HOST ? NAN : event_time(timing, repeats, wall);
    if (isfinite(event)) {
        *seconds = event;
        return true;
    }
    /* The plugin's own clock, unless ours says that it is wrong. */
    if (host > 1.02 * wall + 2e-6 || (wall > 1e-3 && host < 0.5 * wall))
        host = wall;
    *seconds = host / repeats;
    return *seconds > 0 ? true : fail_time(result, "a host time", host);
}

int anole_timing_run(const struct anole_timing *timing, const struct anole_timed *timed,
                     uint32_t repeats, double *device_seconds, double *host, double *wall,
                     struct anole_message *message)
{
    *host = NAN;
    for (uint32_t i = 0; i < repeats; i++)
        device_seconds[i] = -1;
    if (timing->alive)
        timing->alive(timing->context);
    double start = anole_clock();
    int code = timing->plugin->run(timing->session, timed->build, timed->bindings, ANOLE_ROLE_COUNT,
                                   repeats, device_seconds, host, message);
    *wall = anole_clock() - start;
    return code;
}

bool anole_timing_batch(struct anole_timing *timing, double *seconds,
                        const struct anole_timed *timed, uint32_t repeats,
                        struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    double host, wall;
    int code =
        anole_timing_run(timing, timed, repeats, timing->device_seconds, &host, &wall, &message);
    if (code == ANOLE_OK)
        return choose_time(timing, seconds, repeats, host, wall, result);
    result->outcome = anole_timing_outcome(code, ANOLE_OUTCOME_LAUNCH);
    anole_plugin_words(result->message, sizeof result->message, code, &message);
    return false;
}

bool anole_timing_calibrate(struct anole_timing *timing, struct anole_timed *timed,
                            struct anole_result *result)
{
    double seconds;
    timed->repeats = 1;
    /* A single run may mostly be waking up: believe it only once it is long. */
    for (int round = 0; round < 6; round++) {
        double start = anole_clock();
        if (!anole_timing_batch(timing, &seconds, timed, timed->repeats, result))
            return false;
        double wall = anole_clock() - start;
        if (wall >= 0.6 * BATCH_TIME || timed->repeats == ANOLE_MAX_REPEATS)
            break;
        double wanted = ceil(timed->repeats * BATCH_TIME / fmax(wall, 1e-7));
        /* No leaps: what takes long only once must not look short for good. */
        wanted = fmin(wanted, 16.0 * timed->repeats);
        timed->repeats = wanted < ANOLE_MAX_REPEATS ? (uint32_t)wanted : ANOLE_MAX_REPEATS;
    }
    return true;
}

static void summarise(struct anole_result *result, double *samples, size_t count)
{
    struct anole_summary summary;
    anole_summarise(&summary, samples, count);
    result->seconds = summary.median;
    result->low = summary.low;
    result->high = summary.high;
    result->samples = (uint32_t)count;
}

static bool measure_simulated(struct anole_timing *timing, const struct anole_timed *timed,
                              struct anole_result *result)
{
    double seconds, samples[SIMULATED_RUNS];
    if (!anole_timing_batch(timing, &seconds, timed, SIMULATED_RUNS, result))
        return false;
    for (int i = 0; i < SIMULATED_RUNS; i++) {
        double device = timing->device_seconds[i];
        samples[i] = isfinite(device) && device >= 0 ? device : seconds;
    }
    summarise(result, samples, SIMULATED_RUNS);
    return true;
}

/* Whether enough is known.  Sorts a copy. */
static bool enough(const double *samples, size_t count, double spent, double sample_time)
{
    double sorted[MAX_SAMPLES];
    if (count == MAX_SAMPLES || (count >= 3 && spent >= sample_time))
        return true;
    /* The interval takes a sort: look at it now and then. */
    if (count < MIN_SAMPLES || count % 4 != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = samples[i];
    struct anole_summary summary;
    anole_summarise(&summary, sorted, count);
    return anole_relative_half_width(&summary) <= TIGHT;
}

bool anole_timing_measure(struct anole_timing *timing, struct anole_timed *timed, double first,
                          double best, struct anole_result *result)
{
    if (timing->flags & ANOLE_DEVICE_SIMULATED)
        return measure_simulated(timing, timed, result);
    double samples[MAX_SAMPLES], minimum = INFINITY;
    size_t count = 0;
    bool rival = isfinite(best) && best > 0;
    double start = anole_clock();
    if (rival && first > HOPELESS * best && first > 5 * BATCH_TIME)
        timed->repeats = 1;
    else if (!anole_timing_calibrate(timing, timed, result))
        return false;
    bool distrusted = timing->distrusted;
    double warm = anole_clock();
    while (!enough(samples, count, anole_clock() - start, timing->sample_time)) {
        if (!anole_timing_batch(timing, &samples[count], timed, timed->repeats, result))
            return false;
        count++;
        if (timing->distrusted != distrusted) { /* the clock has changed: begin anew */
            distrusted = timing->distrusted;
            count = 0;
            minimum = INFINITY;
            continue;
        }
        minimum = fmin(minimum, samples[count - 1]);
        if (rival && count >= 2 && minimum > FAR_BEHIND * best &&
            anole_clock() - warm >= FIRST_TIME) {
            result->abandoned = true;
            break;
        }
    }
    summarise(result, samples, count);
    return true;
}
