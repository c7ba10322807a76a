/* SPDX-License-Identifier: MIT
 *
 * How long a kernel takes: warm-up, batches of back-to-back runs long enough for
 * the clock, as many as it takes for a tight interval or until the time is spent.
 *
 * Which clock: the host's, around a whole batch, where the device shares the
 * host's cores, since a network pays for its launches; the device's own events
 * elsewhere, as long as they agree with the host's clock.  A backend whose event
 * times cannot be is timed by the host from then on.
 */
#ifndef ANOLE_TIMING_H
#define ANOLE_TIMING_H

#include "space/result.h"

#include <anole/plugin.h>

#define ANOLE_MAX_REPEATS 1024

struct anole_timing {
    const struct anole_plugin *plugin;
    struct anole_session *session;
    uint32_t flags;     /* enum anole_device_flag */
    double sample_time; /* seconds to spend on a config */
    bool distrusted;    /* the device's event times */
    /* Called before each batch, so that someone can see that it lives. */
    void (*alive)(void *context);
    void *context;
    double device_seconds[ANOLE_MAX_REPEATS];
};

/* What is timed. */
struct anole_timed {
    struct anole_build *build;
    const struct anole_binding *bindings; /* [ANOLE_ROLE_COUNT] */
    uint32_t repeats;                     /* of a batch, once calibrated; 0: not yet */
};

void anole_timing_init(struct anole_timing *timing, const struct anole_plugin *plugin,
                       struct anole_session *session, uint32_t flags, double sample_time);

/* Runs it `repeats` times, and waits once.  The plugin's code.  device_seconds[repeats]: as
 * the plugin says, -1 where it says nothing.  *host: seconds of the whole by the plugin's
 * clock (NaN if it says nothing), *wall: by ours. */
int anole_timing_run(const struct anole_timing *timing, const struct anole_timed *timed,
                     uint32_t repeats, double *device_seconds, double *host, double *wall,
                     struct anole_message *message);

/* One batch.  *seconds: of one run.  False, and outcome and message of `result`
 * are set, if the backend failed or reported what cannot be. */
bool anole_timing_batch(struct anole_timing *timing, double *seconds,
                        const struct anole_timed *timed, uint32_t repeats,
                        struct anole_result *result);

/* Warms up, and finds how many runs make a batch: timed->repeats. */
bool anole_timing_calibrate(struct anole_timing *timing, struct anole_timed *timed,
                            struct anole_result *result);

/* Fills in seconds, low, high, samples and abandoned of `result`.  `first`:
 * seconds of a run made before (NaN: none).  `best`: what it is up against,
 * seconds (NaN: nothing). */
bool anole_timing_measure(struct anole_timing *timing, struct anole_timed *timed, double first,
                          double best, struct anole_result *result);

/* What a failing op of the time group says of the kernel. */
enum anole_outcome anole_timing_outcome(int code, enum anole_outcome usual);

#endif
