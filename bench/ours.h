/* SPDX-License-Identifier: MIT
 *
 * A kernel of a backend as a contestant: generated, built and verified in this
 * process, as a worker does it.
 */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include "bench/contest.h"
#include "exec/runner.h"
#include "plugin/generator.h"

/* Adds a config of the runner's task under a name.  ERR_NOTHING_VALID, with the
 * reason, if it does not build or run; ERR_WRONG_RESULT if it computes the wrong
 * thing.  The runner must outlive it, and keep its task. */
enum anole_status bench_ours_add(struct bench_contest *contest, const char *name,
                                 struct anole_runner *runner,
                                 const struct anole_generator *generator, uint64_t config,
                                 struct anole_error *error);

#endif
