/* SPDX-License-Identifier: MIT
 *
 * A recorded design space: what came of trying its configs on some device, once
 * and for all.  Read from the formats of the auto-tuning community:
 *
 *   T4       {"metadata": {"timeunit": "milliseconds"}, "results": [{"configuration": {...},
 *            "invalidity": "correct", "times": {"compilation": ..., "validation": ...,
 *            "runtimes": [...]}, "measurements": [{"name": "time", "value": ..., "unit": ""}]}]}
 *   Kernel Tuner's cache files
 *            {"device_name": ..., "cache": {"16,1": {"block_size_x": 16, ..., "time": 3.9}}}
 *
 *   What CLBlast's tuners write
 *            {"kernel_family": "xgemm_1", "clblast_device_name": ..., "results": [{"kernel": ...,
 *             "time": 3.9, "parameters": {"MWG": 64, ...}}]}
 *
 * compressed by gzip or not; which of them a file is shows when it is read.
 *
 * Files are often imperfect.  What is not JSON, or not of the format, is an error
 * that names the place.  What is of the format but of no use is passed over, and
 * counted.
 */
#ifndef ANOLE_RECORDING_H
#define ANOLE_RECORDING_H

#include "base/status.h"
#include "kernel/t1.h"
#include "space/result.h"
#include "space/space.h"

/* One config; times in seconds. */
struct anole_recorded {
    uint64_t config;
    enum anole_outcome outcome;
    uint32_t samples; /* runs behind `seconds`; 0 if the kernel failed */
    double seconds;   /* of one run, as the file sums it up; NaN if the kernel failed */
    /* What trying it cost.  `other` is the recording tool's own overhead. */
    double build, verify, run, other;
};

struct anole_recording_counts {
    size_t entries;    /* in the file; the rest: */
    size_t ok, failed; /* taken, by outcome */
    size_t repeated;   /* of a config that comes again later: the last counts */
    size_t outside;    /* parameters or values that the space does not have */
    size_t forbidden;  /* against its conditions */
    size_t unusable;   /* ok without a positive time, or with a time that is negative or NaN */
};

struct anole_recording;

/* `t1` and `space` (made from it) are needed only until this returns.  ERR_INPUT
 * also if nothing ok is left. */
enum anole_status anole_recording_load(struct anole_recording **recording,
                                       const struct anole_t1 *t1, const struct anole_space *space,
                                       const char *path, struct anole_error *error);
/* The same from memory (not compressed); `path` is for messages. */
enum anole_status anole_recording_parse(struct anole_recording **recording,
                                        const struct anole_t1 *t1, const struct anole_space *space,
                                        const char *text, size_t length, const char *path,
                                        struct anole_error *error);
void anole_recording_destroy(struct anole_recording *recording);

/* What the file says of itself, printable: "A100"; "" if it says nothing. */
const char *anole_recording_device(const struct anole_recording *recording);
const struct anole_recording_counts *
anole_recording_counts(const struct anole_recording *recording);
/* "4362 configs (161 failed); passed over: 3 repeated, 2 outside the space".
 * Returns out. */
const char *anole_recording_summary(const struct anole_recording *recording, char *out,
                                    size_t size);

/* Distinct configs, in the order of the file; NULL beyond the last. */
size_t anole_recording_count(const struct anole_recording *recording);
const struct anole_recorded *anole_recording_get(const struct anole_recording *recording, size_t i);
/* NULL if the config is not recorded. */
const struct anole_recorded *anole_recording_find(const struct anole_recording *recording,
                                                  uint64_t config);
/* The fastest; never NULL. */
const struct anole_recorded *anole_recording_best(const struct anole_recording *recording);

/* As a trial's result: simulated, with the recorded costs. */
void anole_recorded_result(const struct anole_recorded *recorded, struct anole_result *result);

#endif
