/* SPDX-License-Identifier: MIT
 *
 * Which implementation computes a task fastest: all run in turn, A B A B, on the same
 * inputs, each of them timed in two ways.
 *
 * Batched: as many runs as fill about two milliseconds, handed over back to back,
 * with one wait at the end, as a network would be run; the time is that of the
 * host's clock, launches included, divided by the number of runs.  Single: each
 * run is waited for before the next is handed over.
 */
#ifndef BENCH_COMPARISON_H
#define BENCH_COMPARISON_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MAX_IMPLEMENTATIONS 8
#define BENCH_MAX_ROUNDS 1000

struct bench_implementation {
    char name[32];    /* "tuned", "default", "onednn winograd" */
    char detail[512]; /* the config, or the implementation's own name */
    void *self;       /* for the ops; released with `release` */
    /* Runs `repeats` times, and waits once.  *host: wall seconds of one run, from
     * before the first was handed over until after the wait, divided by repeats.
     * *device: the same by the device's clock, or NaN. */
    enum anole_status (*run)(void *self, uint32_t repeats, double *host, double *device,
                             struct anole_error *error);
    /* One run on fresh buffers; *error_ratio: its largest error over tolerance (more than
     * 1: wrong). */
    enum anole_status (*check)(void *self, double *error_ratio, struct anole_error *error);
    void (*release)(void *self); /* may be NULL */
    bool spins;                  /* its threads look for more work for a while after a turn of it */

    /* What came of it. */
    double error_ratio; /* the largest error over tolerance, of a run before and one after */
    uint32_t repeats;   /* of a batch */
    uint32_t groups;    /* work-groups of all its launches; 0: not known */
    /* Seconds of one run, [rounds]; device NaN where there is none. */
    double *batched, *device, *single;
};

struct bench_comparison {
    struct bench_implementation entries[BENCH_MAX_IMPLEMENTATIONS];
    size_t count;
    size_t rounds;
};

/* Adds an empty entry, or returns NULL: there are too many. */
struct bench_implementation *bench_comparison_add(struct bench_comparison *comparison,
                                                  const char *name);

/* Checks all, runs `rounds` rounds, checks all again.  `stop` is polled. */
enum anole_status bench_comparison_run(struct bench_comparison *comparison, size_t rounds,
                                       bool (*stop)(void *), struct anole_error *error)
    __attribute__((warn_unused_result));

/* Releases the implementations; their names and what came of them stay. */
void bench_comparison_release(struct bench_comparison *comparison);
/* That, and their samples too. */
void bench_comparison_fini(struct bench_comparison *comparison);

#endif
