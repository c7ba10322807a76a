/* SPDX-License-Identifier: MIT
 *
 * What all formats say in the same words.
 */
#ifndef ANOLE_REPORT_FACTS_H
#define ANOLE_REPORT_FACTS_H

#include "report/markup.h"
#include "report/model.h"

/* Where the time of trials went: name of a part, and its seconds. */
#define ANOLE_REPORT_COSTS 5
struct anole_report_cost {
    const char *name, *what; /* literals */
    double seconds;
};
/* costs[ANOLE_REPORT_COSTS]; returns their sum. */
double anole_report_costs(struct anole_report_cost *costs, const struct anole_report_tally *tally);

/* What is said of a device, a row each: name (a literal) and text, of which some is from files. */
struct anole_report_fact {
    const char *name;
    char text[512];
};
#define ANOLE_REPORT_FACTS 12
/* facts[ANOLE_REPORT_FACTS]; returns how many there are. */
size_t anole_report_environment(struct anole_report_fact *facts,
                                const struct anole_report_column *column);

/* A sentence or two on what other work on the machine did, of trials and of what was found. */
void anole_report_disturbance(struct anole_text *out, const struct anole_report_column *column);

/* "1.52x [1.4, 1.6]", "1.01x, a tie", "-". */
struct anole_word anole_report_speedup(const struct anole_report_task *task);
/* `amount` of operations or bytes of a run, in 10^9 a second; "-" where it is 0, for not known. */
struct anole_word anole_report_rate(const struct anole_report_task *task, double amount);
/* How many trials were made, by the histories, or else by the lock file. */
struct anole_word anole_report_trials(const struct anole_report_task *task);
/* "B 1.52x", "A (tie)": who is fastest, and how many times longer the next one takes; "-". */
struct anole_word anole_report_fastest(const struct anole_report *report,
                                       const struct anole_report_row *row);
/* The network as a whole: `in_place` of the lock file, or NULL if it was not run. */
const struct anole_lock_in_place *anole_report_in_place(const struct anole_report_column *column);
/* What a roof of the roofline is, a literal: measured by whom. */
const char *anole_report_roof_source(const struct anole_report *report);
/* Operations and bytes a second that nothing can exceed; 0: not known. */
void anole_report_roof(double *flops, double *bytes, const struct anole_report *report,
                       const struct anole_report_column *column);

#endif
