/* SPDX-License-Identifier: MIT
 *
 * The workers of one device, for what gives them work: work.h, compare.c, recovery.h.
 */
#ifndef ANOLE_MEASURE_PRIVATE_H
#define ANOLE_MEASURE_PRIVATE_H

#include "measure/measure.h"
#include "worker/message.h"
#include "worker/handle.h"
#include "measure/build_store.h"
#include "measure/forecast.h"
#include "measure/task_store.h"

#define ANOLE_MAX_BUILDERS 32u

#define ANOLE_PROVEN_FAILURES 64u

/* The kernel that is known to be good; see control.h. */
struct anole_control {
    struct anole_generator *own; /* of a small layer; NULL: the backend has none */
    bool looked;                 /* for that */
    /* What has worked in this run; compared with the generator at hand, never looked into. */
    const struct anole_generator *good;
    uint64_t config;
    bool worked; /* anything, in this run */
    uint32_t salt;
    /* Failures, by kind and message without numbers, that came again when they were tried again:
     * the last ones, in a ring. */
    uint64_t proven[ANOLE_PROVEN_FAILURES];
    size_t proven_count;
};

struct anole_measure {
    struct anole_measure_options options;
    const struct anole_backend *backend;
    struct anole_device device;
    struct anole_handle_terms terms;
    struct anole_handle builders[ANOLE_MAX_BUILDERS];
    size_t builder_count; /* 0: builds do not travel, the timer makes them */
    struct anole_handle timer;
    enum anole_timer clock; /* that times the task in hand; UNSAID: it is not decided */
    struct anole_handle preparer;
    struct anole_task_store store;
    struct anole_build_store built;
    struct anole_stored_task *preparing;  /* the task that the preparer is at */
    struct anole_prepare_request request; /* what it was asked */
    double prepared;                      /* anole_clock() when it was asked */
    struct anole_forecast forecast;
    struct anole_measure_cost cost;
    double turned;    /* when it was last looked at what the workers do; 0: never */
    double accounted; /* until when time is accounted for */
    char *scratch;
    int hold;        /* on the scratch folder; -1: none */
    int lock;        /* on the device; -1: none */
    uint32_t builds; /* since the scratch folder was last trimmed */
    struct anole_control control;
    char label[224];     /* "cpu:0, AMD EPYC", printable */
    unsigned bad_starts; /* workers in a row that came to nothing */
    bool worked;         /* once, in this run */
    double lost;         /* since when it cannot be opened any more; 0: it can */
    unsigned losses;     /* how often that has come over it */
    double retry, pause; /* when to try again, and how long to wait after that; seconds */
};

bool anole_measure_simulated(const struct anole_measure *measure);

/* Sees to it that the task's data are there or in the making. */
ANOLE_CHECKED enum anole_status anole_measure_prepare(struct anole_measure *measure,
                                                      struct anole_stored_task **stored,
                                                      const struct anole_generator *generator,
                                                      struct anole_error *error);
/* Waits for workers, at most a moment; hears the preparer; accounts for the time.
 * ERR_INTERRUPTED if the caller wants to stop. */
ANOLE_CHECKED enum anole_status anole_measure_turn(struct anole_measure *measure,
                                                   struct anole_error *error);
/* Kills the workers that are at something. */
void anole_measure_abandon(struct anole_measure *measure);
#endif
