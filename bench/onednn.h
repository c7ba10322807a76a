/* SPDX-License-Identifier: MIT
 *
 * oneDNN as an implementation: each of its algorithms that computes a task, with
 * layouts of its own choice.  What it takes to bring data into them is not timed.
 */
#ifndef BENCH_ONEDNN_H
#define BENCH_ONEDNN_H

#include "bench/comparison.h"
#include "exec/cold.h"
#include "op/reference.h"

#define BENCH_ONEDNN "onednn" /* how the names of its implementations begin */

/* ERR_USAGE, with what to do, if this program was built without oneDNN, or if this
 * oneDNN would not run on `threads` threads. */
enum anole_status bench_onednn_check(uint32_t threads, struct anole_error *error)
    __attribute__((warn_unused_result));

/* "oneDNN 2.6.3", or "" without it.  Returns out. */
const char *bench_onednn_version(char *out, size_t size);

/* What oneDNN's weights are to be as cold as. */
struct bench_cold {
    const struct anole_device *device;
    uint64_t constants; /* bytes of all of the network's; 0: hot */
};

/* Adds an implementation for each algorithm: "onednn direct", "onednn winograd",
 * "onednn auto" (if that means a third implementation), "onednn" for dense.  None
 * at all is ERR_INPUT.  `data` must outlive them. */
enum anole_status bench_onednn_add(struct bench_comparison *comparison,
                                   const struct anole_task *task,
                                   const struct anole_task_data *data,
                                   const struct bench_cold *cold, struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
