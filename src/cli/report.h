/* SPDX-License-Identifier: MIT
 *
 * The last words of a tuning run: the table of layers, and the same as JSON.
 */
#ifndef ANOLE_REPORT_H
#define ANOLE_REPORT_H

#include <anole/anole.h>

#include "base/json.h"

/* Sums over the layers whose tuned and default times are both known, seconds. */
struct anole_report_sum {
    double before, after;
    double flops;
    size_t layers;  /* summed */
    size_t missing; /* layers without a time */
};
void anole_report_add_up(struct anole_report_sum *sum, const struct anole_results *results);

/* To stdout. */
enum anole_status anole_report_print(const struct anole_results *results,
                                     struct anole_error *error);

/* What there is to say of other work that was in the way of timings, without a full stop;
 * "": nothing.  Returns `text`. */
const char *anole_report_crowding(char *text, size_t size, const struct anole_tune_state *state);
/* The same as a warning, at the end. */
void anole_report_warn_of_crowding(const struct anole_tune_state *state);

/* A new reference, or NULL.  `network`: its name. */
json_t *anole_report_json(const char *network, const struct anole_results *results);

/* Seconds that are neither generating, building, running nor verifying, over the
 * wall time: what the tuner itself costs. */
double anole_report_overhead(const struct anole_tune_state *state);

#endif
