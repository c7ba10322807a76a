/* SPDX-License-Identifier: MIT */
#include "exec/timing.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/statistics.h"
#include "plugin/plugin_message.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BATCH_TIME 2e-3 /* a batch lasts about this long: clocks and wake-ups cost microseconds */
#define MAX_SAMPLES 256
#define MIN_SAMPLES 8 /* before an interval is believed */
#define TIGHT 0.01    /* half width over median */
#define SIMULATED_RUNS 7
#define GLITCHES 2        /* batches whose event times cannot be, and are made again */
#define FAR_BEHIND 2.0    /* times the best: abandoned after the first samples, */
#define FIRST_TIME 15e-3  /* two at least, and as many as fit in here: bursts pass */
#define HOPELESS 4.0      /* times the best: not even warmed up */
#define MOST_DISTURBED 64 /* disturbed samples that are remembered */
#define PATIENCE 2.0      /* times the time for samples, until disturbed ones must do */
#define SLOWER_CLOCK 1.1  /* the probe against its best: below, it is noise */

void anole_timing_init(struct anole_timing *timing, const struct anole_plugin *plugin,
                       struct anole_session *session, uint32_t flags, double sample_time)
{
    timing->plugin = plugin;
    timing->session = session;
    timing->flags = flags;
    timing->sample_time = sample_time;
    timing->distrusted = false;
    timing->decided = timing->timer = ANOLE_TIMER_UNSAID;
    timing->alive = NULL;
    timing->context = NULL;
    timing->look = anole_watch_look;
    timing->watch = (struct anole_watch){.count = 0};
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

/* Whether the device is asked for the times of its events. */
static bool asks_events(const struct anole_timing *timing)
{
    if (!(timing->flags & ANOLE_DEVICE_EVENT_TIMER) || timing->flags & ANOLE_DEVICE_SHARES_HOST)
        return false;
    return timing->decided == ANOLE_TIMER_PROFILING ||
           (timing->decided == ANOLE_TIMER_UNSAID && !timing->distrusted);
}

/* The device's time of one run, or NaN if events tell none that can be true.  *sum: of all.
 * `wall`: the batch by our clock. */
static double event_time(const struct anole_timing *timing, uint32_t repeats, double wall,
                         double *sum)
{
    *sum = 0;
    for (uint32_t i = 0; i < repeats; i++) {
        if (timing->device_seconds[i] < 0) { /* it says itself that there is none */
            *sum = -1;
            return NAN;
        }
        *sum += timing->device_seconds[i];
    }
    /* A clock in wrong units, one that stands still, or one that runs away. */
    return *sum <= 1.05 * wall + 1e-6 * repeats && *sum > 0.005 * wall ? *sum / repeats : NAN;
}

/* Events tell nothing that can be true: may the host's clock take over? */
static bool give_up_events(struct anole_timing *timing, uint32_t repeats, double sum, double wall,
                           struct anole_result *result)
{
    const bool decided = timing->decided == ANOLE_TIMER_PROFILING;
    result->outcome = decided ? ANOLE_OUTCOME_LAUNCH : result->outcome;
    timing->distrusted |= !decided;
    if (sum < 0 && decided)
        snprintf(result->message, sizeof result->message,
                 "it has no event times for %u runs; the task is timed by events, and clocks are "
                 "not mixed",
                 repeats);
    else if (decided)
        snprintf(result->message, sizeof result->message,
                 "its event times cannot be true: %u runs took %.3g s by events, %.3g s by the "
                 "host's clock; the task is timed by events, and clocks are not mixed.  A device "
                 "with a clock of its own says ANOLE_DEVICE_OWN_CLOCK",
                 repeats, sum, wall);
    else if (sum >= 0)
        anole_log_warning("backend %s: its event times cannot be true: %u runs took %.3g s by "
                          "events, %.3g s by the host's clock; using the host's clock from here on",
                          timing->plugin->name, repeats, sum, wall);
    return !decided;
}

static bool fail_time(struct anole_result *result, const char *what, double seconds)
{
    result->outcome = ANOLE_OUTCOME_LAUNCH;
    snprintf(result->message, sizeof result->message,
             "the backend reported %s of %g s for a run, which cannot be", what, seconds);
    return false;
}

static bool own_time(struct anole_timing *timing, double *seconds, uint32_t repeats,
                     struct anole_result *result)
{
    double sum = 0;
    timing->timer = ANOLE_TIMER_OWN;
    for (uint32_t i = 0; i < repeats; i++) {
        if (!isfinite(timing->device_seconds[i]) || timing->device_seconds[i] <= 0)
            return fail_time(result, "a time by its own clock", timing->device_seconds[i]);
        sum += timing->device_seconds[i];
    }
    *seconds = sum / repeats;
    return true;
}

/* Time of one run of a batch that the plugin has just made.  *glitch: events told none that can
 * be, of a task that is timed by them. */
static bool choose_time(struct anole_timing *timing, double *seconds, uint32_t repeats, double host,
                        double wall, bool *glitch, struct anole_result *result)
{
    double sum, event = NAN;
    *glitch = false;
    if (timing->flags & ANOLE_DEVICE_SIMULATED) {
        double device = timing->device_seconds[0];
        *seconds = isfinite(device) && device >= 0 ? device : host / repeats;
        return isfinite(*seconds) && *seconds >= 0 ? true : fail_time(result, "a time", *seconds);
    }
    if (timing->flags & ANOLE_DEVICE_OWN_CLOCK)
        return own_time(timing, seconds, repeats, result);
    if (!isfinite(host) || host < 0)
        return fail_time(result, "a host time", host);
    if (asks_events(timing)) {
        event = event_time(timing, repeats, wall, &sum);
        *glitch = !isfinite(event) && !give_up_events(timing, repeats, sum, wall, result);
        if (*glitch)
            return false;
    }
    timing->timer = isfinite(event) ? ANOLE_TIMER_PROFILING : ANOLE_TIMER_HOST;
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
                     uint32_t *repeats, double *device_seconds, double *host, double *wall,
                     struct anole_message *message)
{
    *host = NAN;
    for (uint32_t i = 0; i < *repeats + (timed->ring ? ANOLE_MAX_SETS : 0); i++)
        device_seconds[i] = -1;
    if (timing->alive)
        timing->alive(timing->context);
    double start = anole_clock();
    /* Asking a sequence for the device's times may take time itself. */
    bool asks = timing->flags & ANOLE_DEVICE_OWN_CLOCK || asks_events(timing);
    int code = timed->ring
                   ? anole_ring_run(timed->ring, timing->plugin, timing->session, repeats,
                                    ANOLE_MAX_REPEATS, asks ? device_seconds : NULL, host, message)
                   : timing->plugin->run(timing->session, timed->build, timed->bindings,
                                         ANOLE_ROLE_COUNT, *repeats, device_seconds, host, message);
    *wall = anole_clock() - start;
    return code;
}

bool anole_timing_batch(struct anole_timing *timing, double *seconds,
                        const struct anole_timed *timed, uint32_t repeats,
                        struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_result refusal = *result;
    bool glitch = true, done = false;
    for (int i = 0; glitch && i <= GLITCHES; i++) {
        double host, wall;
        uint32_t made = repeats;
        int code =
            anole_timing_run(timing, timed, &made, timing->device_seconds, &host, &wall, &message);
        if (code != ANOLE_OK) {
            result->outcome = anole_timing_outcome(code, ANOLE_OUTCOME_LAUNCH);
            anole_plugin_words(result->message, sizeof result->message, code, &message);
            return false;
        }
        done = choose_time(timing, seconds, made, host, wall, &glitch, &refusal);
    }
    if (!done)
        *result = refusal;
    return done;
}

/* -- Disturbance -- */

/* What the host's cores do is of no interest to a device, or a clock, of its own. */
static bool watched(const struct anole_timing *timing)
{
    return timing->flags & ANOLE_DEVICE_SHARES_HOST &&
           !(timing->flags & (ANOLE_DEVICE_SIMULATED | ANOLE_DEVICE_OWN_CLOCK));
}

void anole_timing_begin(struct anole_timing *timing)
{
    if (watched(timing))
        anole_watch_begin(&timing->watch);
}

void anole_timing_end(struct anole_timing *timing)
{
    anole_watch_end(&timing->watch);
}

double anole_crowding_share(const struct anole_crowding *crowding)
{
    double all = crowding->waited + crowding->worked;
    return all > 0.0 ? crowding->waited / all : 0.0;
}

double anole_timing_probe(struct anole_timing *timing)
{
    return watched(timing) ? anole_watch_probe(&timing->watch) : 1.0;
}

double anole_timing_crowding(struct anole_timing *timing, const struct anole_crowding *crowding,
                             double slower)
{
    double share = anole_crowding_share(crowding);
    if (!watched(timing))
        return share;
    share = fmax(share, anole_watch_stolen(&timing->watch));
    slower = fmin(slower, anole_watch_probe(&timing->watch));
    if (slower > SLOWER_CLOCK) /* before and afterwards: so it was all the time */
        share = fmax(share, 1.0 - 1.0 / slower);
    return share;
}

bool anole_timing_sample(struct anole_timing *timing, double *seconds, bool *disturbed,
                         struct anole_crowding *crowding, const struct anole_timed *timed,
                         struct anole_result *result)
{
    struct anole_look before, after;
    *disturbed = false;
    if (!watched(timing))
        return anole_timing_batch(timing, seconds, timed, timed->repeats, result);
    timing->look(&timing->watch, &before);
    if (!anole_timing_batch(timing, seconds, timed, timed->repeats, result))
        return false;
    timing->look(&timing->watch, &after);
    double share = anole_watch_share(&timing->watch, &before, &after);
    double worked = fmax(after.worked - before.worked, 0.0);
    *disturbed = anole_watch_disturbed(&timing->watch, &before, &after);
    crowding->worked += worked;
    crowding->waited += share < 1.0 ? worked * share / (1.0 - share) : after.wall - before.wall;
    return true;
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

/* Samples on their way to a result. */
struct sampling {
    double samples[MAX_SAMPLES]; /* of a quiet machine */
    size_t count;
    double disturbed[MOST_DISTURBED];
    size_t disturbed_count;
    double minimum, maximum; /* of the quiet ones */
    struct anole_crowding crowding;
    double start, warm; /* when calibration began and ended */
};

static void forget_samples(struct sampling *sampling)
{
    sampling->count = sampling->disturbed_count = 0;
    sampling->minimum = INFINITY;
    sampling->maximum = 0.0;
}

/* Whether enough is known.  Sorts a copy. */
static bool enough(const struct anole_timing *timing, const struct sampling *sampling)
{
    double sorted[MAX_SAMPLES], spent = anole_clock() - sampling->start;
    const double sample_time = timing->sample_time;
    const size_t count = sampling->count;
    /* A clock that counts says the same again, and its device may be very slow to watch. */
    if (timing->flags & ANOLE_DEVICE_OWN_CLOCK && count >= 3 &&
        sampling->minimum == sampling->maximum)
        return true;
    if (count == MAX_SAMPLES || (count >= 3 && spent >= sample_time))
        return true;
    if (sampling->disturbed_count && count + sampling->disturbed_count >= 3 &&
        spent >= PATIENCE * sample_time)
        return true;
    /* The interval takes a sort: look at it now and then. */
    if (count < MIN_SAMPLES || count % 4 != 0)
        return false;
    memcpy(sorted, sampling->samples, count * sizeof *sorted);
    struct anole_summary summary;
    anole_summarise(&summary, sorted, count);
    return anole_relative_half_width(&summary) <= TIGHT;
}

/* A disturbed sample looks worse than its config is: it alone condemns nobody before there was
 * time to take it again. */
static bool is_far_behind(const struct sampling *sampling, double best)
{
    const double spent = anole_clock() - sampling->warm;
    if (sampling->count >= 2)
        return spent >= FIRST_TIME && sampling->minimum > FAR_BEHIND * best;
    double minimum = sampling->minimum;
    for (size_t i = 0; i < sampling->disturbed_count; i++)
        minimum = fmin(minimum, sampling->disturbed[i]);
    return sampling->disturbed_count >= 4 && spent >= 4 * FIRST_TIME &&
           minimum > PATIENCE * FAR_BEHIND * best;
}

static bool add_sample(struct anole_timing *timing, struct sampling *sampling,
                       const struct anole_timed *timed, struct anole_result *result)
{
    bool disturbed, distrusted = timing->distrusted;
    double seconds;
    if (!anole_timing_sample(timing, &seconds, &disturbed, &sampling->crowding, timed, result))
        return false;
    if (timing->distrusted != distrusted) { /* the clock has changed: begin anew */
        forget_samples(sampling);
    } else if (disturbed) {
        sampling->disturbed[sampling->disturbed_count % MOST_DISTURBED] = seconds;
        sampling->disturbed_count += sampling->disturbed_count < MOST_DISTURBED;
    } else {
        sampling->samples[sampling->count++] = seconds;
        sampling->minimum = fmin(sampling->minimum, seconds);
        sampling->maximum = fmax(sampling->maximum, seconds);
    }
    return true;
}

/* What is quiet, if that is enough; else everything. */
static void conclude(struct anole_timing *timing, struct sampling *sampling, double slower,
                     struct anole_result *result)
{
    size_t count = sampling->count;
    if (count < 3)
        for (size_t i = 0; i < sampling->disturbed_count && count < MAX_SAMPLES; i++)
            sampling->samples[count++] = sampling->disturbed[i];
    result->disturbed = (uint32_t)(count - sampling->count);
    result->crowding = anole_timing_crowding(timing, &sampling->crowding, slower);
    result->timer = timing->timer;
    summarise(result, sampling->samples, count);
}

bool anole_timing_hopeless(double first, double best)
{
    return isfinite(best) && best > 0 && first > HOPELESS * best && first > 5 * BATCH_TIME;
}

static bool take_samples(struct anole_timing *timing, struct sampling *sampling,
                         struct anole_timed *timed, double first, double best,
                         struct anole_result *result)
{
    bool rival = isfinite(best) && best > 0;
    if (anole_timing_hopeless(first, best))
        timed->repeats = 1;
    else if (!anole_timing_calibrate(timing, timed, result))
        return false;
    sampling->warm = anole_clock();
    while (!enough(timing, sampling) && !result->abandoned) {
        if (!add_sample(timing, sampling, timed, result))
            return false;
        result->abandoned = rival && is_far_behind(sampling, best);
    }
    return true;
}

bool anole_timing_measure(struct anole_timing *timing, struct anole_timed *timed, double first,
                          double best, struct anole_result *result)
{
    if (timing->flags & ANOLE_DEVICE_SIMULATED)
        return measure_simulated(timing, timed, result);
    struct sampling sampling = {.start = anole_clock(), .minimum = INFINITY};
    anole_timing_begin(timing);
    double slower = anole_timing_probe(timing);
    bool done = take_samples(timing, &sampling, timed, first, best, result);
    if (done)
        conclude(timing, &sampling, slower, result);
    anole_timing_end(timing);
    return done;
}
