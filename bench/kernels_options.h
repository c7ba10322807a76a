/* SPDX-License-Identifier: MIT
 *
 * The command line of anole-bench-kernels.
 */
#ifndef BENCH_KERNELS_OPTIONS_H
#define BENCH_KERNELS_OPTIONS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_options {
    char **networks; /* paths */
    size_t network_count;
    const char *device;
    const char *history, *lock, *time; /* at most one: where the configs come from */
    const char *only, *output, *set;
    uint32_t threads;
    size_t rounds;
    bool fallback;  /* default configs too, or alone */
    bool against;   /* oneDNN */
    bool idle_poll; /* no core falls asleep meanwhile */
    bool cold;      /* weights are as cold as in the network, of all implementations */
    bool twice;     /* ours once more: the A/A test */
    bool json;
};

/* Checks what can be checked without a device.  With --help, prints it to stdout
 * and sets *help. */
enum anole_status bench_options_parse(struct bench_options *options, int argc, char **argv,
                                      bool *help, struct anole_error *error)
    __attribute__((warn_unused_result));
void bench_options_fini(struct bench_options *options);

#endif
