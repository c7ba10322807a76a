/* SPDX-License-Identifier: MIT
 *
 * The results of searches as tables and as JSON.
 */
#ifndef BENCH_SEARCH_REPORT_H
#define BENCH_SEARCH_REPORT_H

#include "search_run.h"

#include <stdio.h>

/* `equal`: the strategy whose final result is to be equalled. */
enum anole_status bench_print_tables(const struct bench_runs *runs, size_t equal, FILE *out,
                                     struct anole_error *error) __attribute__((warn_unused_result));
enum anole_status bench_print_json(const struct bench_runs *runs, size_t equal, FILE *out,
                                   struct anole_error *error) __attribute__((warn_unused_result));

#endif
