/* SPDX-License-Identifier: MIT
 *
 * What the test plugin can have wrong as a whole, beside its kernels.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <anole/plugin.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FAULT
#define FAULT FAULT_none
#endif
/* Faults of a plugin as a whole, each against another clause of the contract. */
enum fault {
    FAULT_none,
    FAULT_crash_probe,
    FAULT_changing_probe,
    FAULT_changing_support,
    FAULT_knows_all_tasks,
    FAULT_changing_space,
    FAULT_bad_default,
    FAULT_nan_feature,
    FAULT_changing_source,
    FAULT_one_thread,
    FAULT_asks_device,
    FAULT_idle_knob,
    FAULT_any_config,
    FAULT_any_device,
    FAULT_any_memory,
    FAULT_leak_session,
    FAULT_leak_file,
    FAULT_leak_build,
    FAULT_silent_refusal,
    FAULT_other_binary,
    FAULT_mixes_builds,
    FAULT_stale_lock,
    FAULT_fading_events, /* times by events that are true of tiles below 4 alone */
    FAULT_no_space,      /* for layers of 8 channels */
    FAULT_empty_space,
    FAULT_wants_data,   /* of a simulated device */
    FAULT_silent_clock, /* an own clock that tells nothing */
    FAULT_many_values,
    FAULT_many_features,
    FAULT_long_features,
    FAULT_short_features,
    FAULT_any_activation,
    FAULT_any_flag,
    FAULT_random_clock,
    FAULT_hasty_configs,
    FAULT_half_time,
    FAULT_four_runs,
    FAULT_quarter_runs,
    FAULT_short_sequence, /* whose last step is not run */
    FAULT_first_sequence, /* ... nor any, the second time */
    FAULT_half_sequence,  /* one of its ops is missing */
    FAULT_copied_map,
    FAULT_half_map,
};

/* What faults remember, and must not. */
static int calls, inside, opened;

/* A part of the source that is not pure. */
static int misremember(void)
{
    switch (FAULT) {
    case FAULT_changing_source:
        return ++calls;
    case FAULT_asks_device:
        return opened;
    case FAULT_one_thread: {
        int others = inside++;
        usleep(2000);
        inside--;
        return others > 0;
    }
    default:
        return 0;
    }
}

/* How many of the repeats that were asked for are made. */
static uint32_t runs_of(uint32_t repeats)
{
    switch (FAULT) {
    case FAULT_four_runs:
        return repeats < 4 ? repeats : 4;
    case FAULT_quarter_runs:
        return (repeats + 3) / 4;
    default:
        return repeats;
    }
}

/* What a clock makes of a second: something else each time, or for each config. */
static double pace_of_clock(int64_t tile, int64_t slow)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    switch (FAULT) {
    case FAULT_random_clock:
        return 1.0 / (1.0 + (state >> 16) % 26);
    case FAULT_hasty_configs:
        return tile == 2 && slow == 0 ? 1.0 : 0.04; /* the default is not one of them */
    default:
        return 1.0;
    }
}

/* As caches have it that do not look whether a lock's owner lives. */
static bool pass_lock(const struct anole_host *host)
{
    char path[512];
    snprintf(path, sizeof path, "%s/lock", host->scratch ? host->scratch : "/nonexistent");
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file < 0)
        return false;
    usleep(20000);
    close(file);
    return unlink(path) == 0;
}

/* Memory that nobody frees; touched, so that it is seen. */
static void leak(void)
{
    static char *volatile last;
    last = malloc(65536);
    if (last)
        memset(last, 1, 65536);
}

#endif
