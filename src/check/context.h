/* SPDX-License-Identifier: MIT
 *
 * What the tests of clauses have to go by.
 */
#ifndef ANOLE_CHECK_CONTEXT_H
#define ANOLE_CHECK_CONTEXT_H

#include "base/rng.h"
#include "check/sandbox.h"
#include "check/contract.h"
#include "devices/registry.h"
#include "plugin/generator.h"

#define ANOLE_CHECK_TASKS 64 /* a bit each of a number */

struct anole_check_context {
    const char *path;
    const struct anole_registry *registry; /* of this one file */
    const struct anole_backend *backend;   /* NULL: it was refused */
    const struct anole_plugin *plugin;
    const char *driver;
    const struct anole_device *device;               /* NULL: there is none */
    bool recorded;                                   /* as a file describes it: it is not here */
    struct anole_task candidates[ANOLE_CHECK_TASKS]; /* that it is asked about */
    size_t candidate_count;
    bool network;                               /* they are the tasks of one */
    struct anole_task tasks[ANOLE_CHECK_TASKS]; /* that it supports */
    size_t task_count;
    uint32_t threads, samples;
    bool all_samples; /* however long that takes */
    double patience;  /* seconds that the builds of a clause may take, else it makes fewer */
    uint32_t fewer;   /* builds of a clause; 0: all */
    bool all_tasks;   /* one of each task at least, even so */
    uint64_t seed;
    uint64_t kernels; /* what source-is-deterministic found: see anole_check_kernels() */
    size_t out, err;  /* bytes that went to stdout and stderr, all clauses together */
    char words[256];  /* the beginning of what went to stdout */
    struct anole_sandbox *sandbox; /* that the test runs in */
};

/* The verdict, with what was seen. */
enum anole_check_verdict anole_check_pass(struct anole_check_context *check, const char *format,
                                          ...) __attribute__((format(printf, 2, 3)));
enum anole_check_verdict anole_check_fail(struct anole_check_context *check, const char *format,
                                          ...) __attribute__((format(printf, 2, 3)));
enum anole_check_verdict anole_check_skip(struct anole_check_context *check, const char *format,
                                          ...) __attribute__((format(printf, 2, 3)));
/* What comes next: words for "... while ...". */
void anole_check_step(struct anole_check_context *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is said of clauses that need data. */
#define ANOLE_CHECK_NO_DATA "not checked: simulated"
bool anole_check_simulated(const struct anole_check_context *check);

/* What it is asked about: these, or (NULL) a fixed list of small ones. */
void anole_check_set_candidates(struct anole_check_context *check, const struct anole_task *tasks,
                                size_t count);
/* Which of them the plugin supports: a bit each. */
uint64_t anole_check_supported(const struct anole_check_context *check);
/* Makes these the tasks of the check. */
void anole_check_take_tasks(struct anole_check_context *check, uint64_t supported);

/* Configs of a task to test: the default, then random ones, distinct; fewer where
 * the space has fewer.  Returns how many; configs[check->samples]. */
size_t anole_check_sample(const struct anole_check_context *check,
                          const struct anole_generator *generator, uint64_t *configs);

/* A number for all kernels of all sampled configs of all tasks: equal for equal
 * kernels.  *count: how many were generated, *refused: how many were not.  Fails
 * if the plugin breaks a rule. */
ANOLE_CHECKED enum anole_status anole_check_kernels(struct anole_check_context *check,
                                                    uint64_t *number, size_t *count,
                                                    size_t *refused, struct anole_error *error);

#endif
