/* SPDX-License-Identifier: MIT
 *
 * Recorded design spaces: every result is known.
 */
#ifndef BENCH_RECORDED_SPACES_H
#define BENCH_RECORDED_SPACES_H

#include "formats/recording.h"
#include "space/feature.h"

/* A space whose every result is known. */
struct bench_space {
    char label[160]; /* "convolution_milo A100" */
    char *path;      /* of the results, as realpath() has it */
    char *t1_path;
    struct anole_t1 *t1;
    struct anole_space *space;
    struct anole_features *features;
    struct anole_recording *recording;
    double optimum, worst; /* seconds of the fastest and the slowest kernel that ran */
    double trial_seconds;  /* what a trial costs on average: build, validation, runs */
    size_t unrecorded;     /* valid configs without a result */
};

struct bench_spaces {
    struct bench_space *items;
    size_t count;
};

/* Appends the space of a results file. */
enum anole_status bench_spaces_add(struct bench_spaces *spaces, const char *path,
                                   const char *t1_path, struct anole_error *error)
    __attribute__((warn_unused_result));
/* Appends results to learn from, of which there may be few. */
enum anole_status bench_spaces_add_log(struct bench_spaces *spaces, const char *path,
                                       const char *t1_path, struct anole_error *error)
    __attribute__((warn_unused_result));
/* Appends all of a folder and its folders: files of results beside a T1.json. */
enum anole_status bench_spaces_add_folder(struct bench_spaces *spaces, const char *path,
                                          struct anole_error *error)
    __attribute__((warn_unused_result));
void bench_spaces_fini(struct bench_spaces *spaces);

/* What trying a config came to: its result, and the simulated seconds that it took.
 * A valid config without a result counts as one that failed at once. */
double bench_space_try(const struct bench_space *space, uint64_t config,
                       struct anole_result *result);

#endif
