/* SPDX-License-Identifier: MIT
 *
 * What a tuner is made of; for tuner.c (running) and tuner_create.c (making).
 */
#ifndef ANOLE_TUNER_PRIVATE_H
#define ANOLE_TUNER_PRIVATE_H

#include "tune/schedule.h"
#include "tune/transfer.h"
#include "tune/tuner.h"

/* One task at work: what the view shows, and what it takes. */
struct anole_tuner_job {
    struct anole_generator *generator; /* owns space and features */
    struct anole_trials *trials;
    struct anole_search *search; /* NULL until its first turn */
    struct anole_history_key key;
    enum anole_timer timer; /* whose clock times it; UNSAID: no trial has worked yet */
    double best_cost;       /* anole_result_cost() of its best trial; NaN: none yet */
    size_t informed;        /* trials of other tasks that its search was last told of */
    bool started;           /* its first batch, with the default config, is done */
    char left_out[160];     /* why it is tried no more; empty: it is */
};

struct anole_tuner {
    const struct anole_workload *network;
    struct anole_workload *served; /* of it, what the backend does */
    const struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_tuner_options options;
    uint64_t constants; /* bytes of the network's: see tune/warmth.h */
    struct anole_history *history;
    struct anole_measure *measure;
    struct anole_schedule *schedule;
    struct anole_transfer *transfer;
    struct anole_tuner_job *jobs;   /* [view.task_count] */
    struct anole_tuner_task *tasks; /* [view.task_count] */
    struct anole_tuner_view view;
    anole_tuner_observer *observer;
    void *observer_context;
    size_t lost;            /* trials in a row that something else kept from being made */
    double start;           /* anole_clock() */
    double timed, crowded;  /* seconds of timing, and those of them that other work had */
    double reference_limit; /* seconds that the reference of the task in hand may take */
    bool given_up;          /* it took longer */
    bool searching;         /* a batch may be cut off when the time is over */
};

/* Brings a task's line of the view up to date with one more trial. */
void anole_tuner_note_result(struct anole_tuner *tuner, size_t task, uint64_t config,
                             const struct anole_result *result);

/* Makes tuner->transfer: what the history, and those of the options, hold of other
 * tasks and devices. */
enum anole_status anole_tuner_load_transfer(struct anole_tuner *tuner, struct anole_error *error);

/* Tells a task's search what other tasks teach, if that is much more than it was
 * told before. */
enum anole_status anole_tuner_inform(struct anole_tuner *tuner, size_t task,
                                     struct anole_error *error);

/* What measurement announces goes into the history. */
enum anole_status anole_tuner_announce(void *tuner, const struct anole_generator *generator,
                                       uint64_t config, bool over, struct anole_error *error);

/* The stop callback of measurement; doubles as the display's clock. */
bool anole_tuner_poll_stop(void *tuner);

#endif
