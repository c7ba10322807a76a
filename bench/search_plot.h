/* SPDX-License-Identifier: MIT
 *
 * The results of searches as curves, in SVG.
 */
#ifndef BENCH_SEARCH_PLOT_H
#define BENCH_SEARCH_PLOT_H

#include "search_run.h"

/* Excess against trials and against simulated time, all spaces together. */
enum anole_status bench_plot(const struct bench_runs *runs, const char *path,
                             struct anole_error *error) __attribute__((warn_unused_result));

#endif
