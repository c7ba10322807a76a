/* SPDX-License-Identifier: MIT
 *
 * Configs through their builds and trials, or until they are loaded for a comparison.
 */
#ifndef ANOLE_WORK_H
#define ANOLE_WORK_H

#include "measure/batch.h"
#include "measure/measure_private.h"

enum anole_item_state {
    ANOLE_ITEM_WAITING,   /* to be built */
    ANOLE_ITEM_FOLLOWING, /* what it shares with another is waiting, or being built */
    ANOLE_ITEM_BUILDING,
    ANOLE_ITEM_BUILT, /* to be tried; or to be loaded, when comparing */
    ANOLE_ITEM_TRYING,
    ANOLE_ITEM_LOADED,  /* comparing: right, and ready to run */
    ANOLE_ITEM_SUSPECT, /* it failed; whose fault that is has to be seen: control.h */
    ANOLE_ITEM_DONE,    /* its result is known */
};

/* A config on its way. */
struct anole_item {
    uint64_t config;
    enum anole_item_state state;
    bool announced;
    bool again;                    /* it has had its second chance */
    enum anole_item_state retry;   /* SUSPECT: where to begin anew */
    bool killed;                   /* SUSPECT: its worker was, from outside */
    uint32_t built, failed, right; /* when: see anole_work.events */
    bool repeated;                 /* it has been tried again after a failure of a new kind */
    unsigned kills;                /* so often, */
    unsigned doubts;               /* and so often nothing else worked either, when it failed */
    uint32_t value_count;
    int64_t values[ANOLE_MAX_KNOBS];
    uint64_t executable;           /* items with the same share a build */
    uint32_t slot;                 /* when loaded */
    struct anole_trial_cost spent; /* by builders, on it */
    struct anole_result result;
};

/* What one call of the header's is at. */
struct anole_work {
    struct anole_measure *measure;
    struct anole_item *items;
    size_t count;
    const struct anole_generator *generator;
    bool compare;  /* load, instead of trying */
    bool control;  /* it is a control itself */
    uint32_t salt; /* see struct anole_trial_request */
    struct anole_handle_task task;
    struct anole_stored_task *stored;
    size_t builder_items[ANOLE_MAX_BUILDERS]; /* what each is at */
    size_t timer_item;
    uint32_t loaded;
    uint32_t events; /* so far, in whose order things happened */
    unsigned losses; /* of the device, when failures were judged last */
    double best;
    anole_measure_sink *sink;
    void *sink_context;
};

/* Items for these configs, all waiting. */
ANOLE_CHECKED enum anole_status anole_work_init(struct anole_work *work,
                                                struct anole_measure *measure,
                                                const struct anole_generator *generator,
                                                const uint64_t *configs, size_t count,
                                                struct anole_error *error);
void anole_work_fini(struct anole_work *work);
/* Takes up the task's data once more, after another task was at work. */
ANOLE_CHECKED enum anole_status anole_work_resume(struct anole_work *work,
                                                  struct anole_error *error);
/* Goes on until each item is done, loaded or suspect: whose fault a failure is, others judge
 * (control.h). */
ANOLE_CHECKED enum anole_status anole_work_settle(struct anole_work *work,
                                                  struct anole_error *error);
bool anole_work_settled(const struct anole_work *work);
/* The result of an item stands. */
ANOLE_CHECKED enum anole_status anole_work_finish(struct anole_work *work, struct anole_item *item,
                                                  struct anole_error *error);
/* Lets workers that are idle go, and what they hold with them. */
void anole_work_renew(struct anole_work *work);
/* It failed so: that may have been the device's own doing, once.  In a trial, if the
 * device was lost on it; in a comparison, where kernels are that have worked before,
 * also if it hangs, or is refused. */
bool anole_item_try_again(const struct anole_work *work, struct anole_item *item,
                          enum anole_outcome outcome);
/* Sets what a worker's end says of an item. */
void anole_item_fail(struct anole_item *item, enum anole_outcome outcome, const char *text);
/* After a failure: kills the workers that are at something, and takes announcements back. */
void anole_work_abandon(struct anole_work *work);

#endif
