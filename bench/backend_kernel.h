/* SPDX-License-Identifier: MIT
 *
 * A kernel of a backend as an implementation: generated, built and verified in this
 * process, as a worker does it.
 */
#ifndef BENCH_BACKEND_KERNEL_H
#define BENCH_BACKEND_KERNEL_H

#include "bench/comparison.h"
#include "exec/runner.h"
#include "plugin/generator.h"

/* Adds a config of the runner's task under a name.  ERR_NOTHING_VALID, with the
 * reason, if it does not build or run; ERR_WRONG_RESULT if it computes the wrong
 * thing.  The runner must outlive it, and keep its task. */
enum anole_status bench_backend_kernel_add(struct bench_comparison *comparison, const char *name,
                                           struct anole_runner *runner,
                                           const struct anole_generator *generator, uint64_t config,
                                           struct anole_error *error)
    __attribute__((warn_unused_result));

#endif
