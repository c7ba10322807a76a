/* SPDX-License-Identifier: MIT
 *
 * How long a kernel takes: warm-up, batches of back-to-back runs long enough for
 * the clock, as many as it takes for a tight interval or until the time is spent.
 *
 * Which clock: the host's, around a whole batch, where the device shares the
 * host's cores, since a network pays for its launches; the device's profiling events
 * elsewhere, as long as they agree with the host's clock.  A backend whose event
 * times cannot be is timed by the host from then on; but not in the middle of a task: once one
 * of its kernels was timed by events, another whose events cannot be true has failed.  A device
 * with a clock of its own (ANOLE_DEVICE_OWN_CLOCK) is believed whatever the host's says.
 *
 * On a device that shares the host's cores, a sample during which other work had one of
 * them is taken again, within bounds; what was disturbed all the time is used, and said.
 */
#ifndef ANOLE_TIMING_H
#define ANOLE_TIMING_H

#include "base/watch.h"
#include "exec/ring.h"
#include "space/result.h"

#include <anole/plugin.h>

#define ANOLE_MAX_REPEATS 1024

struct anole_timing {
    const struct anole_plugin *plugin;
    struct anole_session *session;
    uint32_t flags;           /* enum anole_device_flag */
    double sample_time;       /* seconds to spend on a config */
    bool distrusted;          /* the device's event times */
    enum anole_timer decided; /* whose clock times the task; UNSAID: that is still open */
    enum anole_timer timer;   /* whose clock told the last time */
    /* Called before each batch, so that someone can see that it lives. */
    void (*alive)(void *context);
    void *context;
    /* Looks at how this process is treated; tests have one of their own. */
    void (*look)(struct anole_watch *watch, struct anole_look *look);
    struct anole_watch watch;
    double device_seconds[ANOLE_MAX_REPEATS + ANOLE_MAX_SETS];
};

/* What is timed. */
struct anole_timed {
    struct anole_build *build;
    const struct anole_binding *bindings; /* [ANOLE_ROLE_COUNT] */
    uint32_t repeats;                     /* of a batch, once calibrated; 0: not yet */
    struct anole_ring *ring;              /* what is run instead of `build`, or NULL */
};

void anole_timing_init(struct anole_timing *timing, const struct anole_plugin *plugin,
                       struct anole_session *session, uint32_t flags, double sample_time);

/* Runs it *repeats times, and waits once; of a ring whole chunks, some more, with a wait after
 * each.  *repeats: the runs that were made.  The plugin's code.  device_seconds, with room for
 * ANOLE_MAX_SETS more: as the plugin says, -1 where it says nothing.  *host: seconds of the whole
 * by the plugin's clock (NaN if it says nothing), *wall: by ours. */
int anole_timing_run(const struct anole_timing *timing, const struct anole_timed *timed,
                     uint32_t *repeats, double *device_seconds, double *host, double *wall,
                     struct anole_message *message);

/* One batch of `repeats` runs, about.  *seconds: of one run.  False, and outcome and message of
 * `result` are set, if the backend failed or reported what cannot be. */
bool anole_timing_batch(struct anole_timing *timing, double *seconds,
                        const struct anole_timed *timed, uint32_t repeats,
                        struct anole_result *result);

/* Between these, samples can tell whether they were disturbed. */
void anole_timing_begin(struct anole_timing *timing);
void anole_timing_end(struct anole_timing *timing);

/* What disturbed some batches. */
struct anole_crowding {
    double waited, worked; /* seconds of threads */
};
/* The share of the time that others had. */
double anole_crowding_share(const struct anole_crowding *crowding);
/* The same since anole_timing_begin(), with what a hypervisor took, and what the clock was lowered
 * by if it was so before (`slower`: anole_timing_probe() then) and is so now. */
double anole_timing_crowding(struct anole_timing *timing, const struct anole_crowding *crowding,
                             double slower);
/* How many times as long as ever the clock makes a calculation take; 1 if nobody watches. */
double anole_timing_probe(struct anole_timing *timing);

/* One batch, and whether it was disturbed; adds to `crowding`. */
bool anole_timing_sample(struct anole_timing *timing, double *seconds, bool *disturbed,
                         struct anole_crowding *crowding, const struct anole_timed *timed,
                         struct anole_result *result);

/* Warms up, and finds how many runs make a batch: timed->repeats. */
bool anole_timing_calibrate(struct anole_timing *timing, struct anole_timed *timed,
                            struct anole_result *result);

/* Fills in seconds, low, high, timer, samples, abandoned, disturbed and crowding of `result`.
 * `first`: seconds of a run made before (NaN: none).  `best`: what it is up against, seconds (NaN:
 * nothing). */
bool anole_timing_measure(struct anole_timing *timing, struct anole_timed *timed, double first,
                          double best, struct anole_result *result);

/* Whether a config is so far behind the best, after its first run, that it is given as little time
 * as can be. */
bool anole_timing_hopeless(double first, double best);

/* What a failing op of the time group says of the kernel. */
enum anole_outcome anole_timing_outcome(int code, enum anole_outcome usual);

#endif
