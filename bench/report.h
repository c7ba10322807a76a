/* SPDX-License-Identifier: MIT
 *
 * What the layers of some networks came to, as tables and as JSON.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/json.h"
#include "bench/comparison.h"
#include "bench/estimates.h"
#include "devices/registry.h"
#include "graph/workload.h"

struct bench_network {
    const char *path;
    struct anole_workload *network;
    double tuning; /* wall seconds that tuning it took; NaN: was not tuned here */
};

struct bench_layer {
    size_t network; /* index */
    const struct anole_workload_task *source;
    char key[ANOLE_TASK_KEY];
    char label[64];
    enum bench_class class;
    size_t trials; /* behind the tuned config */
    struct bench_comparison comparison;
    /* Indices into the comparison's entries; SIZE_MAX: there is none. */
    size_t ours;  /* the tuned one; the default if nothing was tuned */
    size_t base;  /* the default, beside a tuned one */
    size_t rival; /* the fastest of the others' that is right */
};

struct bench_report {
    const struct anole_registry_device *device;
    uint32_t threads;
    size_t rounds;
    bool idle_poll;      /* cores were kept from sleeping */
    bool cold;           /* weights were as cold as in the network */
    double peak;         /* fp32 operations a second, measured */
    const char *kernels; /* where the configs come from, in words */
    char rival[64];      /* "oneDNN 2.6.3"; "": there is none */
    struct bench_network *networks;
    size_t network_count;
    struct bench_layer *layers; /* in the order of the networks */
    size_t layer_count;
    double wall; /* seconds, all in all */
};

/* Prints everything to stdout. */
enum anole_status bench_report_print(const struct bench_report *report, struct anole_error *error)
    __attribute__((warn_unused_result));

/* The same as JSON, the caller's to json_decref(); NULL if memory ran out. */
json_t *bench_report_json(const struct bench_report *report);

/* -- For both -- */

/* Which column of samples is meant. */
enum bench_column { BENCH_BATCHED, BENCH_SINGLE };

/* Pairs of our and the rival's samples, of the layers of a class (CLASS_COUNT: of
 * all but dense) and of a network (SIZE_MAX: of all): pairs[layer_count].  Returns
 * how many have both. */
size_t bench_report_pairs(struct bench_pair *pairs, const struct bench_report *report,
                          enum bench_column column, enum bench_class class, size_t network);

#endif
