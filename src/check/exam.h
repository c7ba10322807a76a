/* SPDX-License-Identifier: MIT
 *
 * What the tests of clauses have to go by.
 */
#ifndef ANOLE_EXAM_H
#define ANOLE_EXAM_H

#include "base/rng.h"
#include "check/cell.h"
#include "check/contract.h"
#include "devices/registry.h"
#include "plugin/generator.h"

#define ANOLE_EXAM_TASKS 16

struct anole_exam {
    const char *path;
    const struct anole_registry *registry; /* of this one file */
    const struct anole_backend *backend;   /* NULL: it was refused */
    const struct anole_plugin *plugin;
    const char *driver;
    const struct anole_device *device;         /* NULL: there is none */
    struct anole_task tasks[ANOLE_EXAM_TASKS]; /* that it supports */
    size_t task_count;
    uint32_t threads, samples;
    uint64_t seed;
    uint64_t kernels;        /* what source-is-deterministic found: see anole_exam_kernels() */
    size_t out, err;         /* bytes that went to stdout and stderr, all clauses together */
    char words[256];         /* the beginning of what went to stdout */
    struct anole_cell *cell; /* that the test runs in */
};

/* The verdict, with what was seen. */
enum anole_ruling anole_exam_pass(struct anole_exam *exam, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum anole_ruling anole_exam_fail(struct anole_exam *exam, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum anole_ruling anole_exam_skip(struct anole_exam *exam, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What comes next: words for "... while ...". */
void anole_exam_step(struct anole_exam *exam, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool anole_exam_simulated(const struct anole_exam *exam);

/* Which tasks of a fixed list of small ones the plugin supports: a bit each. */
uint64_t anole_exam_supported(const struct anole_exam *exam);
/* Makes these the tasks of the exam. */
void anole_exam_take_tasks(struct anole_exam *exam, uint64_t supported);

/* Configs of a task to test: the default, then random ones, distinct; fewer where
 * the space has fewer.  Returns how many; configs[exam->samples]. */
size_t anole_exam_sample(const struct anole_exam *exam, const struct anole_generator *generator,
                         uint64_t *configs);

/* A number for all kernels of all sampled configs of all tasks: equal for equal
 * kernels.  *count: how many were generated, *refused: how many were not.  Fails
 * if the plugin breaks a rule. */
enum anole_status anole_exam_kernels(struct anole_exam *exam, uint64_t *number, size_t *count,
                                     size_t *refused, struct anole_error *error);

#endif
