/* SPDX-License-Identifier: MIT
 *
 * The tuner: takes the tasks of a network through search and measurement until
 * the budget is spent, then decides between the finalists.  The only place where
 * the learning half and the measuring half meet.
 */
#ifndef ANOLE_TUNER_H
#define ANOLE_TUNER_H

#include "measure/measure.h"
#include "graph/workload.h"
#include "record/history.h"
#include "record/lockfile.h"
#include "search/search.h"
#include "tune/warmth.h"

struct anole_tuner;

struct anole_tuner_options {
    const struct anole_explorer_ops *explorer;
    const struct anole_sampler_ops *sampler;
    uint64_t seed;
    double time_limit;             /* wall seconds for all of it; 0: none */
    double set_aside;              /* of them, for what comes after anole_tuner_finish() */
    double reducing;               /* of these, for anole_tuner_reduce() */
    uint64_t trial_limit;          /* trials of all tasks, those in the history included; 0: none */
    uint32_t threads;              /* of a CPU device; 0: all cores */
    uint32_t most_kernels;         /* that a layer may have over all sizes of the network; 0: any */
    double build_limit, run_limit; /* seconds; 0: as of anole_measure_options */
    enum anole_timing_choice timing;
    const char *history_path;
    const char *const *transfer_paths; /* further histories to learn from, or NULL; needed
                                          while the tuner is made */
    size_t transfer_count;
    /* Lock files of this or other machines, whose configs are tried first, or NULL; must outlive
     * the tuner. */
    const struct anole_lockfile *from;
    bool (*stop)(void *context); /* polled; true ends the run, nothing is lost */
    void *stop_context;
};

/* How far one task has come. */
struct anole_tuner_task {
    const struct anole_workload_task *source;
    char key[ANOLE_TASK_KEY];
    char label[64];
    double flops;
    size_t trials;  /* in all */
    size_t resumed; /* of them, from an earlier run */
    size_t failures[ANOLE_OUTCOME_COUNT];
    double default_value; /* NaN: not measured or not ok */
    double best_value;    /* NaN: none yet */
    uint64_t best_config;
};

/* How far the whole run has come. */
struct anole_tuner_view {
    const struct anole_tuner_task *tasks;
    size_t task_count;
    size_t current;             /* the task in hand */
    const char *phase;          /* a literal: "starting", "searching", "comparing finalists" */
    size_t trials;              /* of this run */
    double elapsed, time_limit; /* seconds */
    uint64_t trial_limit;
    struct anole_measure_cost measure;
    struct anole_search_cost search;
    double history_seconds;
    /* Share of the time that other work had the cores while kernels were timed, in this run. */
    double crowding;
    size_t disturbed; /* trials of this run that it could not be kept out of */
};

/* Watches a run; may be called many times a second. */
typedef void anole_tuner_observer(void *context, const struct anole_tuner_view *view);

/* A config that is close to the best when it is timed alone: the network may tell them apart. */
struct anole_tuner_candidate {
    uint64_t config;
    double value, low, high, speedup, speedup_low, speedup_high; /* as of a final */
    bool tie;                                                    /* it is the default */
    uint64_t source_hash;
};
#define ANOLE_TUNER_CANDIDATES 4

/* What was decided for one task. */
struct anole_tuner_final {
    bool found; /* something valid was found */
    bool tie;   /* tuned and default cannot be told apart: the default is kept */
    uint64_t config;
    enum anole_timer timer;   /* whose clock timed it */
    enum anole_metric metric; /* whose unit the next two lines have */
    double value, low, high;  /* tuned */
    double default_value;     /* NaN if the default failed */
    double speedup, speedup_low,
        speedup_high; /* how many times better: paired, interleaved; NaN likewise */
    uint64_t source_hash;
    double crowding;   /* as in struct anole_result */
    bool disturbed;    /* there were no samples without */
    char problem[256]; /* why nothing was found: what became of the default, printable */
    /* What was decided, then what else is close, then the default, if it works. */
    struct anole_tuner_candidate candidates[ANOLE_TUNER_CANDIDATES];
    size_t candidate_count;
    /* Seconds of one layer in the running network; NaN: not timed there.  And, of the candidate
     * that was best alone, where another was chosen there: what it takes alone, and there; else
     * NaN. */
    double in_place, alone_value, alone_in_place;
    bool in_place_disturbed; /* it was timed there, but never without other work */
    /* How many times as long it takes as with what is best for it alone, where few kernels were to
     * do for several sizes (tune/range.h); 0: that was not asked. */
    double slowdown, slowdown_low, slowdown_high;
};

/* What results of a task on a device are keyed by in a history; borrows all. */
struct anole_history_key anole_tuner_key(const struct anole_registry *registry,
                                         const struct anole_registry_device *device,
                                         const char *task, uint32_t threads);

/* Opens the history, makes the design spaces, takes up what the history holds.
 * Network, registry and device are borrowed and must outlive the tuner.
 * ERR_INPUT if the device's backend supports none of the tasks; a task that it
 * does not support is left out, with a warning. */
enum anole_status anole_tuner_create(struct anole_tuner **tuner,
                                     const struct anole_workload *network,
                                     const struct anole_registry *registry,
                                     const struct anole_registry_device *device,
                                     const struct anole_tuner_options *options,
                                     struct anole_error *error);
void anole_tuner_destroy(struct anole_tuner *tuner);

void anole_tuner_observe(struct anole_tuner *tuner, anole_tuner_observer *observer, void *context);

/* Searches until the budget is spent or nothing is left to try.  Each task gets
 * its default config measured whatever the budget.  ERR_INTERRUPTED if stopped. */
enum anole_status anole_tuner_run(struct anole_tuner *tuner, struct anole_error *error);

/* Compares each task's finalists with its default, interleaved.
 * finals[view.task_count]. */
enum anole_status anole_tuner_finish(struct anole_tuner *tuner, struct anole_tuner_final *finals,
                                     struct anole_error *error);

/* Decides for another of the candidates, as it was timed in the network. in_place[candidate_count]:
 * seconds of one layer there, or NaN. */
void anole_tuner_choose(struct anole_tuner_final *final, size_t candidate, const double *in_place);

/* Ends the workers, whose device is then free for what comes after, in the tuner's name; what they
 * have compiled is in *scratch (NULL: nowhere), as long as the tuner lives. */
void anole_tuner_rest(struct anole_tuner *tuner, const char **scratch);

/* What the view is to say of that: a literal. */
void anole_tuner_phase(struct anole_tuner *tuner, const char *phase);

/* The state now; valid until the next call. */
const struct anole_tuner_view *anole_tuner_view(struct anole_tuner *tuner);

#endif
