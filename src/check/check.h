/* SPDX-License-Identifier: MIT
 *
 * Holds a backend to the contract of anole/plugin.h, clause by clause.  The
 * clauses stand in contract.h, each with the function that tests it; PLUGINS.md
 * explains them under the same names.
 *
 * No op of the plugin is called in this process: each clause is tested in one of
 * its own, so that a plugin that crashes or hangs fails a clause, and not us.
 */
#ifndef ANOLE_CHECK_H
#define ANOLE_CHECK_H

#include "base/status.h"
#include "op/task.h"

#include <stddef.h>
#include <stdint.h>

#define ANOLE_CHECK_TEXT 600 /* as ANOLE_CONCLUSION */

enum anole_check_verdict { ANOLE_PASS, ANOLE_FAIL, ANOLE_SKIPPED };

/* A literal: "pass", "fail", "skipped". */
const char *anole_check_verdict_text(enum anole_check_verdict verdict);

/* What became of one clause. */
struct anole_clause_result {
    const char *name, *claim; /* literals: "describes-the-same-twice", and a sentence */
    enum anole_check_verdict verdict;
    bool asked;                  /* else it was not tested, and is counted nowhere */
    char text[ANOLE_CHECK_TEXT]; /* what was seen, or what went wrong; printable */
};

struct anole_check_options {
    const char *device; /* as for --device; NULL: its first */
    uint32_t threads;   /* of a CPU device; 0: all */
    uint32_t samples;   /* configs of each task; 0: default */
    uint64_t seed;
    double limit; /* seconds that one step, such as a build, may take; 0: default */
    double build_limit, run_limit; /* of these steps; 0: `limit`, or more if the device says so */
    /* Where the builds of a clause would take more seconds than this (0: default), and `samples` is
     * 0, it makes fewer. */
    double patience;
    /* The clauses to test, with those that they need, by name; none: all. */
    const char *const *clauses;
    size_t clause_count;
    /* What it is tried on: the first 64 of these tasks; NULL: a fixed list of small ones. */
    const struct anole_task *tasks;
    size_t task_count;
    /* The device as it was described elsewhere: what needs it is left out.  NULL: one that is
     * here. */
    const struct anole_device *recorded;
    /* Each clause that was asked for as soon as it is tested; may be NULL. */
    void (*told)(void *context, const struct anole_clause_result *result);
    /* Polled; may be NULL.  True: ERR_INTERRUPTED. */
    bool (*stop)(void *context);
    void *context;
};

struct anole_check_report {
    char path[4096], name[64], version[64], device[160]; /* printable; "" if not known */
    struct anole_clause_result *results;                 /* [count], in the contract's order */
    size_t count;
    size_t counts[3]; /* of each verdict */
};

#define ANOLE_CHECK_SAMPLES 8 /* defaults */
#define ANOLE_CHECK_LIMIT 60.0
#define ANOLE_CHECK_PATIENCE 120.0

/* The contract's clauses, in order: their names.  NULL: there are no more. */
const char *anole_check_clause_name(size_t i);

/* Tests them.  That the plugin fails is no failure; ERR_NO_DEVICE if `device` fits none of its
 * devices; ERR_USAGE if there is no such clause. */
ANOLE_CHECKED enum anole_status anole_check_run(struct anole_check_report **report,
                                                const char *path,
                                                const struct anole_check_options *options,
                                                struct anole_error *error);
void anole_check_report_destroy(struct anole_check_report *report);

/* What the whole comes to: done, or ERR_PLUGIN, or ERR_WRONG_RESULT if a kernel
 * computed something wrong. */
ANOLE_CHECKED enum anole_status anole_check_judge(const struct anole_check_report *report,
                                                  struct anole_error *error);

#endif
