/* SPDX-License-Identifier: MIT
 *
 * What became of a trial: one config generated, built, verified and timed.
 */
#ifndef ANOLE_RESULT_H
#define ANOLE_RESULT_H

#include <anole/status.h> /* enum anole_outcome */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What tuning makes as good as it can be.
 * enumerator, name as in histories and lock files, unit, whether less is better, the member of
 * struct anole_result that holds what was measured.  The first is meant where none is named, as in
 * the files of the first release.  Another metric is another row (and its member). */
#define ANOLE_METRIC_MAP(X) X(SECONDS, "seconds", "s", true, seconds)

enum anole_metric {
#define X(name, text, unit, less_is_better, member) ANOLE_METRIC_##name,
    ANOLE_METRIC_MAP(X)
#undef X
        ANOLE_METRIC_COUNT
};

/* What a kernel found in the caches when it was timed: its own data, as one that runs back to back
 * does, or weights that the rest of a network has put out of them.  Enumerator, name in files.
 * Times of two kinds are never held against each other. */
#define ANOLE_WARMTH_MAP(X) X(HOT, "hot") X(COLD, "cold")

enum anole_warmth {
#define X(name, text) ANOLE_WARMTH_##name,
    ANOLE_WARMTH_MAP(X)
#undef X
        ANOLE_WARMTH_COUNT
};

/* Whose clock timed a kernel: the host's, around a batch of runs; that of the device's profiling
 * events; or the own clock of a device that lives in another time.  Enumerator, name in files.
 * Nobody said so of what is simulated, or recorded by a version that did not record it.  Times of
 * two clocks are never held against each other. */
#define ANOLE_TIMER_MAP(X)                                                                         \
    X(UNSAID, "unsaid") X(HOST, "host") X(PROFILING, "profiling") X(OWN, "own")

enum anole_timer {
#define X(name, text) ANOLE_TIMER_##name,
    ANOLE_TIMER_MAP(X)
#undef X
        ANOLE_TIMER_COUNT
};

/* Where the wall time of a trial went, in seconds. */
struct anole_trial_cost {
    double generate;
    double build;
    double transfer;
    double run; /* timed runs and their warm-up */
    double verify;
};

struct anole_result {
    enum anole_outcome outcome;
    enum anole_metric metric; /* what it was measured for: results of two are never compared */
    bool abandoned;           /* ok, but far behind the best: timed by its first runs only */
    bool simulated;           /* by a backend without data: nothing was verified */
    enum anole_timer timer;   /* whose clock; of what is ok */
    uint32_t samples;         /* timings behind `seconds`, */
    uint32_t disturbed;       /* and those of them that other work on the machine disturbed */
    double crowding;          /* share of the time that other work had the cores, 0 to 1, while
                                 it was timed, samples that were taken again included */
    double seconds;           /* median time of one run; ok only, else NaN */
    double low, high;         /* 95 % interval of what the metric is, in its unit: of `seconds` */
    double error; /* largest error over tolerance; at most 1 if ok; NaN if not verified */
    struct anole_trial_cost cost;
    char message[256]; /* why it failed; printable; "" if ok */
};

/* A result that says nothing yet: ok, and NaN. */
void anole_result_clear(struct anole_result *result);

/* True and *outcome set if `text` names one. */
bool anole_outcome_parse(enum anole_outcome *outcome, const char *text);

/* Literals.  "unknown" for values out of range. */
const char *anole_warmth_text(enum anole_warmth warmth);
const char *anole_timer_text(enum anole_timer timer);
const char *anole_metric_text(enum anole_metric metric);
const char *anole_metric_unit(enum anole_metric metric);

/* True and *warmth set if `text` names one. */
bool anole_warmth_parse(enum anole_warmth *warmth, const char *text);

/* True and *timer set if `text` names one. */
bool anole_timer_parse(enum anole_timer *timer, const char *text);

/* Whether times of both may be held against each other: they may where one does not say. */
bool anole_timer_alike(enum anole_timer a, enum anole_timer b);

/* True and *metric set if `text` names one. */
bool anole_metric_parse(enum anole_metric *metric, const char *text);

/* A measured value as a cost, whatever the metric: less is better, and the quotient of two costs
 * says how many times the one is better than the other.  The value itself, or its reciprocal
 * where more is better.  NaN stays NaN. */
double anole_metric_cost(enum anole_metric metric, double value);

/* What was measured, in the metric's unit; NaN unless the outcome is ok. */
double anole_result_value(const struct anole_result *result);

/* The same as a cost; infinite unless the outcome is ok.  Whatever ranks results ranks by this. */
double anole_result_cost(const struct anole_result *result);

/* True if `a` is better than `b`, of the same metric: what failed stands behind what was abandoned,
 * which was timed by its first runs only, and that behind everything else. */
bool anole_result_better(const struct anole_result *a, const struct anole_result *b);

#endif
