/* SPDX-License-Identifier: MIT
 *
 * The best so far, against trials and against time: steps downwards.
 */
#ifndef ANOLE_REPORT_CURVE_H
#define ANOLE_REPORT_CURVE_H

#include "report/model.h"

#define ANOLE_CURVE_POINTS 200 /* at most: of more steps every so-manieth is kept, and the last */

struct anole_curve_point {
    double trials, seconds; /* when it was reached */
    double value;
};

struct anole_curve {
    struct anole_curve_point points[ANOLE_CURVE_POINTS];
    size_t count;           /* 0: nothing ran */
    double trials, seconds; /* in all */
};

/* Of one task; trials that were abandoned are never the best. */
void anole_curve_of_task(struct anole_curve *curve, const struct anole_report_task *task);
/* Of all tasks together, each as often as it occurs: their sum with the best of each so far, which
 * is the default until something is better (and where that is not known, the first that ran).
 * Tasks of which nothing ran are left out.  ERR_MEMORY. */
enum anole_status anole_curve_of_column(struct anole_curve *curve,
                                        const struct anole_report_column *column,
                                        struct anole_error *error) ANOLE_CHECKED;

#endif
