/* SPDX-License-Identifier: MIT
 *
 * What the parts of measurement share: measure.c (the workers and their time),
 * batch.c (builds and trials), compare.c (rounds).
 */
#ifndef ANOLE_MEASURE_PRIVATE_H
#define ANOLE_MEASURE_PRIVATE_H

#include "measure/measure.h"
#include "worker/message.h"
#include "worker/handle.h"
#include "measure/task_store.h"

#define ANOLE_MAX_BUILDERS 32u

struct anole_measure {
    struct anole_measure_options options;
    const struct anole_backend *backend;
    struct anole_device device;
    struct anole_handle_terms terms;
    struct anole_handle builders[ANOLE_MAX_BUILDERS];
    size_t builder_count; /* 0: builds do not travel, the timer makes them */
    struct anole_handle timer;
    struct anole_handle preparer;
    struct anole_task_store store;
    struct anole_stored_task *preparing;  /* the task that the preparer is at */
    struct anole_prepare_request request; /* what it was asked */
    struct anole_measure_cost cost;
    double accounted; /* until when time is accounted for */
    char *scratch;
    int hold;            /* on the scratch folder; -1: none */
    int lock;            /* on the device; -1: none */
    uint32_t builds;     /* since the scratch folder was last trimmed */
    char label[224];     /* "cpu:0, AMD EPYC", printable */
    unsigned bad_starts; /* workers in a row that came to nothing */
    bool worked;         /* once, in this run */
    double lost;         /* since when it cannot be opened any more; 0: it can */
    double retry, pause; /* when to try again, and how long to wait after that; seconds */
};

enum anole_item_state {
    ANOLE_ITEM_WAITING, /* to be built */
    ANOLE_ITEM_BUILDING,
    ANOLE_ITEM_BUILT, /* to be tried; or to be loaded, when comparing */
    ANOLE_ITEM_TRYING,
    ANOLE_ITEM_LOADED, /* comparing: right, and ready to run */
    ANOLE_ITEM_DONE,   /* its result is known */
};

/* A config on its way. */
struct anole_item {
    uint64_t config;
    enum anole_item_state state;
    bool announced;
    bool again; /* it has had its second chance */
    uint32_t value_count;
    int64_t values[ANOLE_MAX_KNOBS];
    void *binary;
    size_t binary_bytes;
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
    bool compare; /* load, instead of trying */
    struct anole_handle_task task;
    struct anole_stored_task *stored;
    size_t builder_items[ANOLE_MAX_BUILDERS]; /* what each is at */
    size_t timer_item;
    uint32_t loaded;
    double best;
    anole_measure_sink *sink;
    void *sink_context;
};

bool anole_measure_simulated(const struct anole_measure *measure);

/* Sees to it that the task's data are there or in the making. */
enum anole_status anole_measure_prepare(struct anole_measure *measure,
                                        struct anole_stored_task **stored,
                                        const struct anole_generator *generator,
                                        struct anole_error *error);
/* Waits for workers, at most a moment; hears the preparer; accounts for the time.
 * ERR_INTERRUPTED if the caller wants to stop. */
enum anole_status anole_measure_turn(struct anole_measure *measure, struct anole_error *error);
/* Kills the workers that are at something. */
void anole_measure_abandon(struct anole_measure *measure);
/* A worker came to nothing through no fault of a kernel's: once is bad luck.  A device
 * that has worked, and cannot be opened, is lost, and is waited for. */
enum anole_status anole_measure_bad_start(struct anole_measure *measure,
                                          const struct anole_handle *handle,
                                          enum anole_handle_event event, const char *text,
                                          struct anole_error *error);
/* A worker has answered. */
void anole_measure_good(struct anole_measure *measure);
/* A lost device is not to be asked for anything right now. */
bool anole_measure_waits(const struct anole_measure *measure);

/* Items for these configs, all waiting. */
enum anole_status anole_work_init(struct anole_work *work, struct anole_measure *measure,
                                  const struct anole_generator *generator, const uint64_t *configs,
                                  size_t count, struct anole_error *error);
void anole_work_fini(struct anole_work *work);
/* Goes on until each item is done or loaded. */
enum anole_status anole_work_run(struct anole_work *work, struct anole_error *error);
/* It failed so: that may have been the device's own doing, once.  In a trial, if the
 * device was lost on it; in a comparison, where kernels are that have worked before,
 * also if it hangs, or is refused. */
bool anole_item_try_again(const struct anole_work *work, struct anole_item *item,
                          enum anole_outcome outcome);
/* Sets what a worker's end says of an item. */
void anole_item_fail(struct anole_item *item, enum anole_outcome outcome, const char *text);

#endif
