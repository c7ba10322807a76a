/* SPDX-License-Identifier: MIT
 *
 * What became of a trial: one config generated, built, verified and timed.
 */
#ifndef ANOLE_RESULT_H
#define ANOLE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, text as in histories, words for people */
#define ANOLE_OUTCOME_MAP(X)                                                                       \
    X(OK, "ok", "ran, and is right")                                                               \
    X(INVALID, "invalid", "the generator refused the config")                                      \
    X(COMPILE, "compile", "the kernel did not compile")                                            \
    X(LAUNCH, "launch", "the device refused to run the kernel")                                    \
    X(WRONG_ANSWER, "wrong-answer", "the output was wrong")                                        \
    X(TIMEOUT, "timeout", "the build or the run took too long")                                    \
    X(CRASH, "crash", "the worker process died")

enum anole_outcome {
#define X(name, text, words) ANOLE_OUTCOME_##name,
    ANOLE_OUTCOME_MAP(X)
#undef X
        ANOLE_OUTCOME_COUNT
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
    bool abandoned;   /* ok, but far behind the best: timed by its first runs only */
    bool simulated;   /* by a backend without data: nothing was verified */
    uint32_t samples; /* timings behind `seconds` */
    double seconds;   /* median time of one run; ok only, else NaN */
    double low, high; /* 95 % interval of that median, seconds */
    double error;     /* largest error over tolerance; at most 1 if ok; NaN if not verified */
    struct anole_trial_cost cost;
    char message[256]; /* why it failed; printable; "" if ok */
};

/* Literals.  "unknown" for values out of range. */
const char *anole_outcome_text(enum anole_outcome outcome);
const char *anole_outcome_words(enum anole_outcome outcome);

/* True and *outcome set if `text` names one. */
bool anole_outcome_parse(enum anole_outcome *outcome, const char *text);

#endif
