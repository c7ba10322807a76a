/* SPDX-License-Identifier: MIT
 *
 * anole/anole.h - libanole: finds the fastest right kernel for each layer of a network.
 *
 * This header is the manual.  A complete program, which tunes a network on a device and
 * prints what was found (examples/tune/tune.c; `make check` keeps the two the same; for one that
 * runs a network see struct anole_model):
 *
 *     #include <anole/anole.h>
 *     #include <stdio.h>
 *
 *     static void show(void *progress_context, enum anole_tune_event event,
 *                      const struct anole_tune_state *state)
 *     {
 *         (void)progress_context;
 *         if (event == ANOLE_TUNE_PHASE)
 *             fprintf(stderr, "%s: %.0f s, %zu trials\n", state->phase_text, state->elapsed,
 *                     state->trials);
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         if (argc < 3) {
 *             fprintf(stderr, "usage: tune NETWORK DEVICE\n");
 *             return 2;
 *         }
 *         struct anole_error error = {0};
 *         struct anole_context *context = NULL;
 *         struct anole_devices *devices = NULL;
 *         struct anole_tasks *tasks = NULL;
 *         struct anole_results *results = NULL;
 *         const struct anole_device_info *device;
 *         struct anole_tune_options options = {.size = sizeof options};
 *         options.trial_limit = 100;
 *         options.progress = show;
 *         options.lock_path = "tuned.lock.json";
 *
 *         if (anole_context_create(&context, NULL, &error) == ANOLE_DONE &&
 *             anole_devices_list(&devices, context, 0, &error) == ANOLE_DONE &&
 *             anole_devices_find(&device, devices, argv[2], &error) == ANOLE_DONE &&
 *             anole_tasks_load(&tasks, context, argv[1], NULL, &error) == ANOLE_DONE &&
 *             anole_tune(&results, tasks, device, &options, &error) == ANOLE_DONE) {
 *             for (size_t i = 0; i < anole_results_count(results); i++) {
 *                 const struct anole_result_info *result = anole_results_get(results, i);
 *                 printf("%-30s x%-3u", result->label, result->multiplicity);
 *                 if (result->found)
 *                     printf(" %8.3f ms, %.2f times the default's speed\n", 1e3 * result->seconds,
 *                            result->speedup);
 *                 else
 *                     printf(" %s\n", result->problem);
 *             }
 *         }
 *         if (error.status != ANOLE_DONE)
 *             fprintf(stderr, "tune: %s\n", error.text);
 *         anole_results_destroy(results);
 *         anole_tasks_destroy(tasks);
 *         anole_devices_destroy(devices);
 *         anole_context_destroy(context);
 *         return error.status != ANOLE_DONE;
 *     }
 *
 * Build it with `cc tune.c $(pkg-config --cflags --libs anole)`; link statically with
 * `pkg-config --static`.
 *
 * Results of functions.  What can fail returns an enum anole_status: ANOLE_DONE (0) or a
 * negative code.  Its last parameter is a struct anole_error of the caller's (or NULL), which
 * then says in words what failed, what was expected, what was found, and what to try.
 * Out-parameters come first, and are written only on success.
 *
 * Ownership.  What a function hands over through a pointer to a pointer is the caller's to
 * destroy; destroying NULL is fine.  What a getter returns is borrowed: it belongs to the
 * object, lives as long as that, and is not changed by later calls unless it is said below.
 * Arguments are borrowed until the function returns.  The order of destruction is the
 * reverse of the order of creation: objects refer to the context and to the devices that
 * they were made with.
 *
 * Units.  Times are seconds of wall time, sizes are bytes, operations are counted with two
 * for a multiply-add.  A number that is not known is NaN, or 0 where it is an integer.
 * Texts are UTF-8, printable, and never NULL unless it is said below.
 *
 * Threads.  A context, and all that was made with it, is used by one thread at a time.
 * Different contexts may be used by different threads at once: no state is shared between
 * them.  (Two runs on one device disturb each other's times, whether they are in one process
 * or in two; a warning is logged.)  Callbacks are called by the thread that made the call,
 * must not use the context again, and run in the C locale.
 *
 * What the library does to its process.  It starts worker processes, which do all that may
 * crash or hang, and ends them; it loads the plugins that it finds, but no driver of a
 * device, unless a network is to run: see struct anole_model.  It prints nothing, installs no
 * signal handler, does not exit, and changes neither the environment nor the locale, folder or mask
 * of the process.  It waits for its own children only; a program that ignores SIGCHLD or reaps all
 * children is fine.  It reads environment variables (ANOLE_PLUGIN_PATH, ANOLE_PLUGIN_DIR,
 * ANOLE_WORKER, ANOLE_CACHE_DIR, ANOLE_CACHE_LIMIT, XDG_CACHE_HOME, HOME, TMPDIR, and those of
 * plugins and drivers), so do not change the environment in one thread while another is in a call.
 * Writing to a file beyond the limit of its size raises SIGXFSZ, as always; ignore it, and it is an
 * error.
 *
 * Compatibility.  Versions are semantic: within one major version the library only grows,
 * at the end of structs and by new functions, and a program need not be compiled again; as
 * long as that is 0, a new minor version may change anything, and then has a new soname.
 * Structs that the caller fills in begin with their size; initialise them with
 * {.size = sizeof options}, so that members of later versions are 0.  Structs that the
 * library fills in are only ever handed out by pointer.
 */
#ifndef ANOLE_ANOLE_H
#define ANOLE_ANOLE_H

#include <anole/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- version */

#define ANOLE_VERSION_MAJOR 0
#define ANOLE_VERSION_MINOR 1
#define ANOLE_VERSION_PATCH 0
#define ANOLE_VERSION "0.1.0"
/* To compare with: 1002003 is version 1.2.3. */
#define ANOLE_VERSION_NUMBER                                                                       \
    (ANOLE_VERSION_MAJOR * 1000000 + ANOLE_VERSION_MINOR * 1000 + ANOLE_VERSION_PATCH)

/* The same of the library that runs, which may be a later one. */
ANOLE_API const char *anole_version(void);
ANOLE_API int anole_version_number(void);

/* ---------------------------------------------------------------- context */

struct anole_context;

/* One message, without a final newline; lines after the first are indented. */
typedef void anole_log_callback(void *log_context, enum anole_level level, const char *text);

/* Polled several times a second while tuning and verifying: true ends the call, with
 * ANOLE_ERR_INTERRUPTED.  May read what another thread or a signal handler sets. */
typedef bool anole_stop_callback(void *stop_context);

struct anole_context_options {
    size_t size;               /* sizeof(struct anole_context_options) */
    enum anole_level level;    /* of the messages that are wanted, and all that matter more */
    anole_log_callback *log;   /* NULL: no messages */
    void *log_context;         /* for `log` */
    anole_stop_callback *stop; /* NULL: never */
    void *stop_context;        /* for `stop` */
    const char *plugin_path;   /* folders with backends, absolute, separated by colons, which
                                  are searched before the installed ones; NULL: those of the
                                  environment variable ANOLE_PLUGIN_PATH, if any */
    const char *worker;        /* the program anole-worker, an absolute path; NULL: that of
                                  ANOLE_WORKER, or else the installed one */
    const char *cache;         /* the folder in which models keep built kernels and packed weights
                                  for the next start; "": none are kept; NULL: that of
                                  ANOLE_CACHE_DIR, or else ~/.cache/anole */
};

/* `options` are copied; NULL: no messages, no stop, the installed parts.  Starts nothing. */
ANOLE_API enum anole_status anole_context_create(struct anole_context **context,
                                                 const struct anole_context_options *options,
                                                 struct anole_error *error);
ANOLE_API void anole_context_destroy(struct anole_context *context);

/* ---------------------------------------------------------------- devices */

struct anole_devices; /* the devices that there are, and the backends that know them */

struct anole_device_property {
    const char *name;
    double value;
};

/* Members that a driver does not tell are 0 or "". */
struct anole_device_info {
    const char *id; /* stable on this machine, e.g. "cpu:0" */
    const char *name, *vendor, *driver, *driver_version;
    const char *type; /* "CPU", "GPU", "accelerator", "device of unknown type" */
    const char *backend, *backend_version;
    uint32_t compute_units, cores, numa_nodes, clock_mhz;
    uint32_t simd_width;     /* floats in a vector */
    uint32_t registers;      /* vector registers a thread may use */
    uint32_t max_work_group; /* work-items */
    uint64_t local_memory, global_memory, max_allocation;
    uint64_t cache_l1, cache_l2, cache_l3;
    bool shares_host; /* its kernels run on the cores of this machine */
    bool simulated;   /* it replays what was recorded elsewhere: nothing is run */
    const struct anole_device_property
        *properties; /* of this kind of device; named by its backend */
    size_t property_count;
};

struct anole_backend_info {
    const char *path;           /* of the plugin */
    const char *name, *version; /* "" if it was refused early */
    bool loaded;                /* false: it was refused */
    const char *problem;        /* why it was refused, or what is wrong with its drivers; "" */
};

/* Loads the backends and asks their drivers, each in a process of its own; takes about a
 * second.  `threads`: of devices that share the host's cores; 0: all cores.  No device at
 * all is no failure; see anole_devices_find(). */
ANOLE_API enum anole_status anole_devices_list(struct anole_devices **devices,
                                               struct anole_context *context, uint32_t threads,
                                               struct anole_error *error);
ANOLE_API void anole_devices_destroy(struct anole_devices *devices);

ANOLE_API size_t anole_devices_count(const struct anole_devices *devices);
ANOLE_API const struct anole_device_info *anole_devices_get(const struct anole_devices *devices,
                                                            size_t index);

/* The one device that `selector` means: an id ("cpu:0"); the name of a backend that has one
 * device ("cpu"); a part of the name of a device, its vendor or its driver, in upper or
 * lower case; or such a part and which of those that have it ("xyz:1").  NULL or "": the
 * only device there is.  ANOLE_ERR_NO_DEVICE, with a list of the devices, if it means none
 * or several; ANOLE_ERR_NO_BACKEND, with the reasons, if no backend was loaded. */
ANOLE_API enum anole_status anole_devices_find(const struct anole_device_info **device,
                                               const struct anole_devices *devices,
                                               const char *selector, struct anole_error *error);

/* All plugins that were found, those that were refused among them. */
ANOLE_API size_t anole_devices_backend_count(const struct anole_devices *devices);
ANOLE_API const struct anole_backend_info *
anole_devices_backend(const struct anole_devices *devices, size_t index);

/* ------------------------------------------------------------------ tasks */

/* What there is to tune in a network: its distinct layer shapes, each a task. */
struct anole_tasks;

enum anole_format {
    ANOLE_FORMAT_NETWORK, /* a network, as docs/network.md describes it */
    ANOLE_FORMAT_T1       /* one kernel of the user's own, as docs/kernel.md describes it */
};

/* A size of a network, as an ONNX file leaves it open. */
struct anole_load_size {
    int64_t batch;             /* the first size of its inputs; 0: 1 */
    const char *const *shapes; /* "images=1x3x640x640", [shape_count] */
    size_t shape_count;
};
#define ANOLE_MOST_SIZES 16

struct anole_load_options {
    size_t size; /* sizeof(struct anole_load_options) */
    enum anole_format format;
    const char *precision; /* "fp32", "fp16" or "tf32", whatever the network says; NULL: as it
                              says.  A kernel has its own. */
    const struct anole_device_info *device; /* of a kernel: the device that it is for.  One that
                                is simulated does with less than a kernel that can be run.
                                NULL: any that is not simulated */
    int64_t batch; /* of an ONNX file that leaves it open: the first size of its inputs; 0: 1 */
    /* Sizes of inputs that an ONNX file leaves open: "images=1x3x640x640", [shape_count]; or the
     * elements of an input that shapes depend on: "sizes=[1,3,80,80]", whole numbers, 4096 at most.
     */
    const char *const *shapes;
    size_t shape_count;
    /* In place of `batch` and `shapes`: several sizes, [size_count], at most ANOLE_MOST_SIZES, that
     * are to be tuned together.  The tasks are those of all of them. */
    const struct anole_load_size *sizes;
    size_t size_count;
};

struct anole_task_info {
    const char *key;           /* names the task in histories and lock files, on every machine */
    const char *label;         /* for people: "conv2d 3x3 64->64 @56x56" */
    const char *kind;          /* "conv2d", ... */
    uint32_t multiplicity;     /* layers that share it */
    const char *const *layers; /* their names, in the network's order, [multiplicity] */
    double flops;              /* operations of one layer; 0: not known */
    double bytes;              /* of one layer's inputs, weights and output */

    /* What anole_tasks_describe() finds out about a device: */
    bool supported;  /* the backend has kernels for it */
    size_t knobs;    /* of its design space */
    uint64_t points; /* configs, those that constraints forbid among them */
    double valid;    /* configs that constraints allow; */
    bool exact;      /* counted, and not estimated */

    /* What anole_tasks_count_trials() finds in a history: */
    size_t trials;
    const size_t *outcomes; /* trials by enum anole_outcome, [outcome_count] */
    size_t outcome_count;
    double best_seconds; /* NaN: none is ok */
};

/* Reads a file.  `options` NULL: all 0.  ANOLE_ERR_INPUT, which names file, line and layer, if
 * it cannot be read or is wrong. */
ANOLE_API enum anole_status anole_tasks_load(struct anole_tasks **tasks,
                                             struct anole_context *context, const char *path,
                                             const struct anole_load_options *options,
                                             struct anole_error *error);
/* The same of a network in memory, as our JSON; `name` stands for the path in messages. */
ANOLE_API enum anole_status anole_tasks_parse(struct anole_tasks **tasks,
                                              struct anole_context *context, const char *text,
                                              size_t length, const char *name,
                                              const struct anole_load_options *options,
                                              struct anole_error *error);
ANOLE_API void anole_tasks_destroy(struct anole_tasks *tasks);

ANOLE_API const char *anole_tasks_name(const struct anole_tasks *tasks);      /* of the network */
ANOLE_API const char *anole_tasks_precision(const struct anole_tasks *tasks); /* e.g. "fp32" */
ANOLE_API size_t anole_tasks_layer_count(const struct anole_tasks *tasks);    /* tuned or not */
ANOLE_API size_t anole_tasks_count(const struct anole_tasks *tasks);          /* at least 1 */
/* In the order in which the network first uses them. */
ANOLE_API const struct anole_task_info *anole_tasks_get(const struct anole_tasks *tasks,
                                                        size_t index);

/* Fills in what the tasks' design spaces on a device are like. */
ANOLE_API enum anole_status anole_tasks_describe(struct anole_tasks *tasks,
                                                 const struct anole_device_info *device,
                                                 struct anole_error *error);

/* Fills in what a history holds of the tasks: of those on `device`, with the threads that it was
 * listed with, or, if that is NULL, on any device. */
ANOLE_API enum anole_status anole_tasks_count_trials(struct anole_tasks *tasks,
                                                     const char *history_path,
                                                     const struct anole_device_info *device,
                                                     struct anole_error *error);

/* ----------------------------------------------------------------- tuning */

enum anole_tune_event {
    ANOLE_TUNE_PHASE, /* another phase has begun */
    ANOLE_TUNE_TRIAL, /* a trial has ended */
    ANOLE_TUNE_TICK   /* time goes by; several times a second, also while others run */
};

enum anole_tune_phase {
    ANOLE_TUNE_STARTING,
    ANOLE_TUNE_DEFAULTS,  /* measures each task's default config */
    ANOLE_TUNE_SEARCHING, /* makes trials */
    ANOLE_TUNE_COMPARING, /* times the best configs of each task in turn with its default */
    ANOLE_TUNE_IN_PLACE   /* runs the whole network with what was found: struct anole_in_place */
};

/* How far one task has come. */
struct anole_tune_task {
    const struct anole_task_info *task;
    size_t trials;          /* in all */
    size_t resumed;         /* of them, from the history */
    const size_t *outcomes; /* by enum anole_outcome, [outcome_count]; failures only: not how
                               many are ok */
    size_t outcome_count;
    double default_seconds; /* NaN: not measured, or it failed */
    double best_seconds;    /* NaN: none yet */
};

/* Where the wall time went, seconds. */
struct anole_tune_cost {
    double build, prepare, transfer, run, verify, workers; /* measuring */
    double model, explore, sample;                         /* proposing */
    double history;                                        /* writing */
    size_t workers_started, workers_lost, workers_recycled;
    double in_place; /* running the network as a whole */
};

/* How far a run has come; valid until the callback returns. */
struct anole_tune_state {
    enum anole_tune_phase phase;
    const char *phase_text; /* for people: "searching" */
    double elapsed, time_limit;
    size_t trials; /* of this run */
    uint64_t trial_limit;
    const struct anole_tune_task *const *tasks; /* those that the device supports */
    size_t task_count;
    size_t current; /* index of the one in hand */
    const struct anole_tune_cost *cost;
    double crowding;  /* share of the time that other work had the cores while kernels were timed,
                         in this run, 0 to 1 */
    size_t disturbed; /* timings that it could not be kept out of */
};

typedef void anole_tune_callback(void *progress_context, enum anole_tune_event event,
                                 const struct anole_tune_state *state);

struct anole_tune_options {
    size_t size;              /* sizeof(struct anole_tune_options) */
    double time_limit;        /* seconds for all of it; 0: none */
    uint64_t trial_limit;     /* trials of all tasks, those in the history among them; 0: none.
                                 With neither limit, 180 seconds */
    uint64_t seed;            /* of everything random */
    const char *explorer;     /* how candidates are found, as `anole tune --help` lists; NULL: the
                                 default */
    const char *sampler;      /* how those to measure are picked; NULL: the explorer's own */
    const char *history_path; /* every trial, durably: a later run goes on from there.  NULL:
                                 no trial is kept */
    const char *const *transfer_paths; /* further histories to learn from, [transfer_count] */
    size_t transfer_count;
    const char *lock_path; /* what was found: a file that is there keeps what it has of other
                              devices.  NULL: not written */
    anole_tune_callback *progress; /* NULL: nobody watches */
    void *progress_context;        /* for `progress` */
    const char *timing; /* "hot": kernels find their data in the caches; "cold": their weights are
                           out of them, as in a network that is larger than they are, and of a
                           kernel of one's own all its data; NULL: as the network leaves them, and a
                           kernel of one's own hot */
    bool no_in_place;   /* leave out running the whole: struct anole_in_place */
    /* Seconds that a build, and a run or a batch of timed runs, may take before it counts as
     * hanging; 0: as the device's backend says, or 30 and 10. */
    double build_limit, run_limit;
    const char *from; /* a lock file, or a folder of them, of whatever machines: what they have of
                         a task is tried first, the most similar entry before the others; NULL */
    uint32_t most_kernels; /* that a layer may have over all sizes of the network: the configs that
                              lose least where they lose most; 0: each size has its own */
};

struct anole_knob_value {
    const char *name;
    int64_t value;
};

/* What is known of one task on one device: by tuning it, or from a lock file. */
struct anole_result_info {
    const char *key, *label; /* see struct anole_task_info; a label is the key where that is not
                                understood */
    const char *layer;       /* the first of its layers; "" if from a lock file */
    uint32_t multiplicity;
    double flops;
    bool found; /* something that works; else `problem` says why not */
    bool tie;   /* tuned and default cannot be told apart: the default is kept */
    const struct anole_knob_value *knobs; /* the config */
    size_t knob_count;
    double seconds, low, high; /* the median of one run, and its 95 % interval; NaN: not found */
    double default_seconds;    /* NaN: the default does not work */
    double speedup, speedup_low, speedup_high; /* default over tuned, paired; or NaN */
    uint64_t source_hash;                      /* of the kernel's source */
    size_t trials;
    const char *problem; /* "" if found */
    const char *timing;  /* how it was timed: "hot" or "cold" */
    double crowding;     /* share of the time that other work had the cores meanwhile, 0 to 1 */
    bool disturbed;      /* and the times are of samples that it got in the way of */
    /* What one of its layers takes in the running network, where it was timed there, in turn with
     * other configs that are close alone; NaN: it was not.  Where the one that was best alone lost
     * there: what that takes alone, and there; else NaN. */
    double in_place_seconds, alone_seconds, alone_in_place_seconds;
    /* Whose clock it was: "host", "profiling" (the device's events), "own" (of a device that has a
     * clock of its own); "unsaid": a simulated device's, or recorded before clocks were. */
    const char *clock;
    /* It was to be timed there, but other work never left it in peace: what was best alone stays.
     */
    bool in_place_disturbed;
    /* [knob_count]: what a knob's value is called, where values are names in disguise; else NULL.
     */
    const char *const *knob_labels;
    /* How many times as long it takes as with what is best for its size alone, where few kernels
     * were to do for several sizes, and the 95 % interval; NaN: they were not. */
    double slowdown, slowdown_low, slowdown_high;
};

/* How long the whole network takes: its steps one behind the other, with the kernels that were
 * found and, in turn with that, with default ones.  What a task takes alone says little of it: in a
 * network weights are colder, and there are steps that are not tuned.
 *
 * It runs in a worker process, as everything does that tuning and verifying run: no driver is
 * loaded into the caller's.  That it could not be run, or fails, is no failure of what asked for
 * it. */
struct anole_in_place {
    bool ran;                  /* else `problem` says why not, and times are NaN */
    const char *problem;       /* "" if it ran */
    bool failed;               /* it was tried, and crashed, hung or failed */
    double seconds, low, high; /* the median of one run, and its 95 % interval */
    double default_seconds, default_low, default_high;
    double speedup, speedup_low, speedup_high; /* default over tuned, in turn */
    double sum_seconds;        /* of the tuned layers, each as it was timed alone; NaN: not known */
    size_t steps, steps_tuned; /* of the network; by kernels that were found */
    size_t rounds;             /* how often each was timed */
    /* Of anole_verify(): the largest error of an output, over the largest magnitude in what the
     * operators' references make of the same inputs; and what that may be.  Else NaN. */
    double error, tolerance;
    bool
        disturbed; /* other work was in the way, and there were too few rounds without: all count */
};

struct anole_results;

/* Tunes all tasks that the device supports; warns of those that it does not.  The time limit
 * is kept to within a few seconds; each task gets its default config measured whatever the
 * limit.  `options` NULL: all 0.
 *
 * When all is decided, and written to the lock file, the network is run as a whole, for a few
 * seconds that are set aside of the time limit (5 % of it, 1 to 10 seconds, and a quarter at most).
 * Configs that are close when they are timed alone are exchanged in it, and the network's time
 * decides; what comes of it, and what the network takes, goes into the lock file.
 *
 * ANOLE_ERR_INPUT if a file is wrong or the device supports none of the tasks;
 * ANOLE_ERR_IN_USE if another process, or another context, is writing to the history;
 * ANOLE_ERR_INTERRUPTED if it was stopped, ANOLE_ERR_WORKER if the device was lost for good:
 * all finished trials are in the history then, and the same call goes on.
 * That nothing was found for some task is no failure here: see anole_results_check(). */
ANOLE_API enum anole_status anole_tune(struct anole_results **results,
                                       const struct anole_tasks *tasks,
                                       const struct anole_device_info *device,
                                       const struct anole_tune_options *options,
                                       struct anole_error *error);
ANOLE_API void anole_results_destroy(struct anole_results *results);

/* Of the tasks that the device supports, in their order. */
ANOLE_API size_t anole_results_count(const struct anole_results *results);
ANOLE_API const struct anole_result_info *anole_results_get(const struct anole_results *results,
                                                            size_t index);
/* The network as a whole, in the first of its sizes; never NULL. */
ANOLE_API const struct anole_in_place *anole_results_in_place(const struct anole_results *results);

/* What one of the sizes comes to that a network was tuned in. */
struct anole_size_result {
    const char *text; /* "batch 4, images=4x3x320x320"; "" if no size was given */
    int64_t batch;    /* 0: not given */
    const char *const *shapes;
    size_t shape_count;
    size_t layers; /* that something was found for */
    /* Sums over these layers: with what was found, and with what is best for this size alone, where
     * few kernels were to do for several sizes; else NaN. */
    double seconds, alone_seconds;
    const struct anole_in_place *in_place; /* the network as a whole; never NULL */
};
/* 1 or more. */
ANOLE_API size_t anole_results_size_count(const struct anole_results *results);
ANOLE_API const struct anole_size_result *anole_results_size(const struct anole_results *results,
                                                             size_t index);
/* How the run stood when it ended. */
ANOLE_API const struct anole_tune_state *anole_results_state(const struct anole_results *results);

/* ANOLE_ERR_NOTHING_VALID if nothing was found for some task. */
ANOLE_API enum anole_status anole_results_check(const struct anole_results *results,
                                                struct anole_error *error);

/* -------------------------------------------------------- what was found */

struct anole_tuned; /* a lock file */

/* A device that something was tuned on, in one precision and in one size. */
struct anole_tuned_device {
    const char *id, *backend, *backend_version, *device, *driver, *driver_version;
    uint32_t generator; /* version of the backend's generator */
    uint32_t threads;   /* 0: all cores */
    const char *precision;
    size_t task_count;
    bool simulated; /* it has no data: nothing was checked, and times are not measured */
    /* The size of the network: an entry of its own for each. */
    const char *sizes; /* "batch 4, images=4x3x320x320"; "": none was given */
    int64_t batch;     /* 0: not given */
    const char *const *shapes;
    size_t shape_count;
    uint32_t most_kernels; /* as in struct anole_tune_options */
};

/* A lock file, or all files NAME.lock.json of a folder, as one.
 * ANOLE_ERR_INPUT, which names file and place, if it is no lock file; ANOLE_ERR_VERSION if
 * another version of Anole wrote it. */
ANOLE_API enum anole_status anole_tuned_load(struct anole_tuned **tuned,
                                             struct anole_context *context, const char *path,
                                             struct anole_error *error);
ANOLE_API void anole_tuned_destroy(struct anole_tuned *tuned);

ANOLE_API const char *anole_tuned_network(const struct anole_tuned *tuned); /* its name */
ANOLE_API size_t anole_tuned_device_count(const struct anole_tuned *tuned);
ANOLE_API const struct anole_tuned_device *anole_tuned_device(const struct anole_tuned *tuned,
                                                              size_t index);
/* Tasks of a device, 0 to its task_count - 1. */
ANOLE_API const struct anole_result_info *anole_tuned_get(const struct anole_tuned *tuned,
                                                          size_t device, size_t index);

/* What was recorded of the whole network on a device; NULL beyond the last device. */
ANOLE_API const struct anole_in_place *anole_tuned_in_place(const struct anole_tuned *tuned,
                                                            size_t device);

/* Where the T1 file of a tuned kernel is now, if it is no longer where it was. */
ANOLE_API enum anole_status anole_tuned_set_kernel(struct anole_tuned *tuned, const char *path,
                                                   struct anole_error *error);

/* How much of a device is as it was when it was tuned; each level includes those before. */
enum anole_match {
    ANOLE_MATCH_NONE,
    ANOLE_MATCH_DEVICE,    /* backend and device; but the kernels may be others */
    ANOLE_MATCH_GENERATOR, /* the kernels too; the driver, or the number of threads, is another:
                              times do not hold */
    ANOLE_MATCH_EXACT
};

/* The best match for a task on a device: *result, *match.  `key`: of the task, which has the
 * precision in it.  No match is no failure: ANOLE_MATCH_NONE, and *result is NULL. */
ANOLE_API void anole_tuned_find(const struct anole_result_info **result, enum anole_match *match,
                                const struct anole_tuned *tuned,
                                const struct anole_device_info *device, const char *key);

/* Holds new results against those of a lock file: ANOLE_ERR_SLOWER if the network takes more
 * than `percent` longer on the same device, over the tasks that both have; ANOLE_ERR_INPUT if
 * there are none.  Logs the difference otherwise. */
ANOLE_API enum anole_status anole_results_compare(const struct anole_results *results,
                                                  const struct anole_tuned *baseline,
                                                  double percent, struct anole_error *error);

/* -------------------------------------------------------------- verifying */

struct anole_verify_options {
    size_t size;           /* sizeof(struct anole_verify_options) */
    const char *precision; /* which entry, where a device has several; NULL: the first */
    bool no_in_place;      /* leave out running the whole: struct anole_in_place */
    /* Seconds that a build, and a run or a batch of timed runs, may take before it counts as
     * hanging; 0: as the device's backend says, or 30 and 10. */
    double build_limit, run_limit;
    /* Takes up what was tuned elsewhere: of each task, the most similar entry that is right here
     * and no slower than the default is written to this lock file, as this device's, with what was
     * measured here.  The whole is not run.  NULL: what was tuned on the device is verified. */
    const char *adopt_path;
    /* Likewise, which size; NULL: the first.  ANOLE_ERR_NO_DEVICE: it was not tuned. */
    const struct anole_load_size *sizes;
};

/* What became of one kernel of a lock file when it was built and run again. */
struct anole_verified {
    const struct anole_result_info *tuned; /* as the lock file has it */
    const char *label;
    enum anole_outcome outcome;
    const char *message; /* why it failed; "" */
    bool same_source;    /* the kernel is the one that was tuned */
    double error;        /* largest error over tolerance, at most 1 if right; NaN: not compared */
    double seconds;      /* now; NaN unless it is ok */
    double speedup, speedup_low, speedup_high; /* over the default, now; or NaN */
    bool simulated;                            /* ok, but not checked: the device has no data */
    const char *differs;    /* what was otherwise where it was tuned; "" where that was not asked */
    bool adopted;           /* it is in the lock file of options.adopt_path now */
    double low, high;       /* 95 % interval of `seconds` */
    double default_seconds; /* of the default, now, in turn with it; NaN: it failed */
    bool disturbed;         /* by other work, all the time: the times say little */
};

struct anole_verification;

/* Builds every kernel that was tuned on the device, holds its output against the reference,
 * and times it in turn with the default.  Kernels that fail are data: see
 * anole_verification_check().  ANOLE_ERR_NO_DEVICE if nothing was tuned on the device.
 *
 * Then the network runs as a whole, if its file is still where it was tuned from, and still has the
 * tasks that were tuned: its outputs are held against the operators' references, on seeded inputs
 * (and seeded weights, where the file has none), and it is timed.
 *
 * With adopt_path: ANOLE_ERR_NO_DEVICE if nothing was tuned with the device's backend anywhere. */
ANOLE_API enum anole_status anole_verify(struct anole_verification **verification,
                                         const struct anole_tuned *tuned,
                                         const struct anole_device_info *device,
                                         const struct anole_verify_options *options,
                                         struct anole_error *error);
ANOLE_API void anole_verification_destroy(struct anole_verification *verification);

ANOLE_API size_t anole_verification_count(const struct anole_verification *verification);
ANOLE_API const struct anole_verified *
anole_verification_get(const struct anole_verification *verification, size_t index);

/* The network as a whole, now; never NULL. */
ANOLE_API const struct anole_in_place *
anole_verification_in_place(const struct anole_verification *verification);

/* The same as the lock file has it. */
ANOLE_API const struct anole_in_place *
anole_verification_in_place_then(const struct anole_verification *verification);

/* The first that applies: ANOLE_ERR_WRONG_RESULT (of a kernel, or of the whole),
 * ANOLE_ERR_NOTHING_VALID (a kernel, or the whole, failed in another way), ANOLE_ERR_SLOWER (than
 * with the default, of a kernel or the whole; or by more than `percent` than it was, of the sum of
 * all kernels or of the whole; negative: whatever it takes), ANOLE_DONE.  That the whole was not
 * run is none of these.  Where entries were to be adopted: ANOLE_ERR_NOTHING_VALID if none was. */
ANOLE_API enum anole_status anole_verification_check(const struct anole_verification *verification,
                                                     double percent, struct anole_error *error);

/* -------------------------------------------------------------------- gate */

/* Holds a network against a lock file, its baseline: is each kernel right, and is it slower than it
 * was?
 *
 * Times of another day do not decide that, for the machine may be slower today as a whole.  Each
 * kernel was timed in turn with its default when it was recorded, and is so now; what is compared
 * is how many times as fast as the default it was, and is.  It is slower where even the better end
 * of the interval of that change is beyond the tolerance, and was so twice.  The whole is judged
 * likewise: by its time in place, and by the sum of its layers.  Where the default was kept there
 * is nothing to time in turn: such a kernel is right or wrong.
 *
 * The entry that counts is that of the same backend, device, driver, number of threads (as the
 * devices were listed with) and precision, tuned for time. */
struct anole_gate;

enum anole_gate_verdict {
    ANOLE_GATE_OK,        /* right, and as fast as it was, as far as can be told */
    ANOLE_GATE_FASTER,    /* right, and faster by more than the tolerance */
    ANOLE_GATE_SLOWER,    /* right, and slower by more than the tolerance */
    ANOLE_GATE_UNDECIDED, /* right; other work was in the way, or its default failed */
    ANOLE_GATE_WRONG,     /* its output is */
    ANOLE_GATE_FAILED,    /* it did not build, crashed, hung, ... */
    ANOLE_GATE_SKIPPED    /* it was not run, or there is nothing to check: see `reason` */
};
/* "ok", "faster", "slower", "undecided", "wrong", "failed", "skipped". */
ANOLE_API const char *anole_gate_verdict_text(enum anole_gate_verdict verdict);

struct anole_gate_options {
    size_t size;           /* sizeof(struct anole_gate_options) */
    const char *precision; /* instead of the network's own: "fp32", "fp16" or "tf32"; or NULL */
    double tolerance;      /* 0.05 for 5 %; 0 to 10 */
    bool no_in_place;      /* leave out running the whole */
    double seconds;        /* for timing each kernel in turn with its default; 0: 2 */
};

/* A task of the network, the sum of all, or the whole in place.  Numbers that are not known are
 * NaN. */
struct anole_gate_row {
    const char *key, *label, *layer; /* as of struct anole_task_info; "" where it is no task */
    uint32_t multiplicity;
    enum anole_gate_verdict verdict;
    const char *reason;                           /* for the verdict, in words; may be "" */
    double error;                                 /* over what it may be: 1 is the limit */
    double then_seconds, seconds, low, high;      /* as recorded; now, with the 95 % interval */
    double default_then_seconds, default_seconds; /* of the default */
    double speedup_then, speedup, speedup_low, speedup_high; /* over the default, in turn */
    double change, change_low, change_high; /* how many times as long as then, if the default takes
                                               as long as then: speedup_then over speedup */
};

struct anole_gate_info {
    const char *network;  /* its name */
    const char *device;   /* as --device takes it */
    const char *baseline; /* the lock file */
    const char *precision;
    double tolerance;
    double drift;            /* how many times as long as then the defaults take in sum; or NaN */
    size_t missing;          /* tasks of the network that the baseline does not have */
    size_t unused;           /* tasks of the baseline that the network does not have */
    const char *driver_then; /* version of the driver, as recorded, */
    const char *driver;      /* and now */
};

/* `network`: an ONNX file if its name ends in .onnx, and our JSON else; in the sizes that the
 * baseline was tuned for.  That kernels are wrong, failed or slower is data: see
 * anole_gate_check().  ANOLE_ERR_NO_DEVICE if nothing was tuned on the device, with this many
 * threads, in this precision; ANOLE_ERR_INPUT if the baseline has no task of the network.  The
 * device and `baseline` must outlive it. */
ANOLE_API enum anole_status anole_gate_run(struct anole_gate **gate,
                                           const struct anole_tuned *baseline, const char *network,
                                           const struct anole_device_info *device,
                                           const struct anole_gate_options *options,
                                           struct anole_error *error);
ANOLE_API void anole_gate_destroy(struct anole_gate *gate);

ANOLE_API const struct anole_gate_info *anole_gate_info(const struct anole_gate *gate);
/* The network's tasks, in its order. */
ANOLE_API size_t anole_gate_count(const struct anole_gate *gate);
ANOLE_API const struct anole_gate_row *anole_gate_get(const struct anole_gate *gate, size_t index);
/* The sum of all tasks that were timed, and the network in place; never NULL. */
ANOLE_API const struct anole_gate_row *anole_gate_sum(const struct anole_gate *gate);
ANOLE_API const struct anole_gate_row *anole_gate_whole(const struct anole_gate *gate);

/* The first that applies, of any row: ANOLE_ERR_WRONG_RESULT, ANOLE_ERR_NOTHING_VALID (one
 * failed), ANOLE_ERR_SLOWER, ANOLE_DONE. */
ANOLE_API enum anole_status anole_gate_check(const struct anole_gate *gate,
                                             struct anole_error *error);

/* ---------------------------------------------------------------- running */

/* A network on a device, ready to run.  A complete program (examples/run/run.c):
 *
 *     #include <anole/anole.h>
 *     #include <stdio.h>
 *     #include <string.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         if (argc < 3) {
 *             fprintf(stderr, "usage: run NETWORK DEVICE [LOCK]\n");
 *             return 2;
 *         }
 *         struct anole_error error = {0};
 *         struct anole_context *context = NULL;
 *         struct anole_model *model = NULL;
 *         struct anole_model_options options = {.size = sizeof options};
 *         const struct anole_latency *latency;
 *         void *input;
 *         const void *output;
 *         options.selector = argv[2];
 *         options.tuned = argv[3];
 *         options.random_weights = true;
 *
 *         if (anole_context_create(&context, NULL, &error) == ANOLE_DONE &&
 *             anole_model_load(&model, context, argv[1], NULL, &options, &error) == ANOLE_DONE &&
 *             anole_model_map_input(&input, NULL, model, 0, &error) == ANOLE_DONE) {
 *             memset(input, 1, anole_model_input(model, 0)->bytes);
 *             if (anole_model_measure(&latency, model, 10, &error) == ANOLE_DONE &&
 *                 anole_model_map_output(&output, NULL, model, 0, &error) == ANOLE_DONE) {
 *                 const struct anole_model_info *info = anole_model_info(model);
 *                 const struct anole_tensor_info *tensor = anole_model_output(model, 0);
 *                 const float *values = output;
 *                 for (size_t i = 0; i < tensor->bytes / sizeof *values && i < 10; i++)
 *                     printf("%s[%zu] = %g\n", tensor->name, i, (double)values[i]);
 *                 printf("%zu of %zu steps are tuned; %.3f ms\n", info->steps_tuned, info->steps,
 *                        1e3 * latency->median);
 *             }
 *         }
 *         if (error.status != ANOLE_DONE)
 *             fprintf(stderr, "run: %s\n", error.text);
 *         anole_model_destroy(model);
 *         anole_context_destroy(context);
 *         return error.status != ANOLE_DONE;
 *     }
 *
 * (A network of our own JSON has no weights: what it computes is of no use, but takes its time.)
 *
 * It runs in the caller's process.  The device's backend and driver, which a worker process
 * has tried before (anole_devices_list()), are loaded into it by anole_model_load(), and stay.
 * A driver may do to the process what the library itself does not: start threads, keep a
 * cache of what it compiles on disk, or handle a signal, as PoCL does with SIGFPE.
 * docs/library.md has how launches are made in a process that is not ours.
 *
 * Several models may be used by several threads at once, as long as each has a context of its
 * own.  They share the device's cores, so that each is slower than alone.
 *
 * A model refers to its context and device, and to no file once it is loaded, but for an ONNX
 * file and its external data, which stay mapped: they must not be written to. */
struct anole_model;

/* What an input will hold, where shapes depend on it. */
struct anole_known_input {
    const char *name;
    const char *dtype;   /* of `data`, as in struct anole_tensor_info */
    uint32_t rank;       /* at most 8 */
    const int64_t *dims; /* [rank] */
    const void *data;    /* dense; NULL: the shape alone */
};

struct anole_model_options {
    size_t size;       /* sizeof(struct anole_model_options) */
    const char *tuned; /* a lock file: its kernels are taken, by task; layers that it does not
                          have run with defaults.  NULL: all do */
    int64_t batch;     /* of an ONNX file that leaves it open: the first size of its inputs; 0: 1 */
    /* Sizes of inputs that an ONNX file leaves open: "images=1x3x640x640", [shape_count]. */
    const char *const *shapes;
    size_t shape_count;
    bool random_weights; /* weights that the file leaves out, as our JSON does, are made up; they
                            are the same each time.  false: they are an error */
    /* Where anole_model_load() is given no device: */
    const char *selector; /* as of anole_devices_find() */
    uint32_t threads;     /* as of anole_devices_list() */
    /* Inputs of an ONNX file that are known before it is loaded, [known_count].  Their shapes count
     * as in `shapes`.  Where shapes within the network depend on their elements (whole numbers, at
     * most 4096 in one dimension), these are built in: such inputs are none of the model's. */
    const struct anole_known_input *known;
    size_t known_count;
};

/* Reads the network, an ONNX file if its name ends in .onnx and our JSON else; makes its
 * kernels, and builds them.  `device`: where it runs; NULL: that which the options select, for
 * which the backends are loaded and asked first.  `options` NULL: all 0.
 *
 * ANOLE_ERR_INPUT if a file is wrong, names a node that cannot be run, or leaves sizes open; or
 * if the device is simulated.  ANOLE_ERR_NO_DEVICE if it cannot be opened, or the lock file has
 * nothing of it. */
ANOLE_API enum anole_status anole_model_load(struct anole_model **model,
                                             struct anole_context *context, const char *path,
                                             const struct anole_device_info *device,
                                             const struct anole_model_options *options,
                                             struct anole_error *error);
ANOLE_API void anole_model_destroy(struct anole_model *model);

/* An input or output.  Elements are dense, in C order, in the host's byte order. */
struct anole_tensor_info {
    const char *name;     /* as the file has it */
    const char *dtype;    /* "f32", "f16", "bf16", "f64", "i8" to "i64", "u8" to "u64", or "bool", a
                             byte that is 0 or 1 */
    size_t element_bytes; /* of one element */
    uint32_t rank;        /* 0: a single number */
    /* [rank] of an output whose size depends on data: as of the last run.  `bytes` are those of the
     * largest that it can be, and what there is comes first. */
    const int64_t *dims;
    size_t bytes; /* of all elements; may be 0 */
};

/* In the file's order; NULL beyond the last. */
ANOLE_API size_t anole_model_input_count(const struct anole_model *model);
ANOLE_API size_t anole_model_output_count(const struct anole_model *model);
ANOLE_API const struct anole_tensor_info *anole_model_input(const struct anole_model *model,
                                                            size_t index);
ANOLE_API const struct anole_tensor_info *anole_model_output(const struct anole_model *model,
                                                             size_t index);
/* The index of a name: *index.  ANOLE_ERR_INPUT, with the names that there are. */
ANOLE_API enum anole_status anole_model_find_input(size_t *index, const struct anole_model *model,
                                                   const char *name, struct anole_error *error);
ANOLE_API enum anole_status anole_model_find_output(size_t *index, const struct anole_model *model,
                                                    const char *name, struct anole_error *error);

/* There are three ways to hand elements over.  `bytes` must be those of the tensor, else
 * ANOLE_ERR_USAGE.  Inputs are zeros until they are set, and keep what they hold over runs.
 *
 * Copied once, at the call: */
ANOLE_API enum anole_status anole_model_set_input(struct anole_model *model, size_t index,
                                                  const void *data, size_t bytes,
                                                  struct anole_error *error);
/* The output of the last run. */
ANOLE_API enum anole_status anole_model_get_output(struct anole_model *model, size_t index,
                                                   void *data, size_t bytes,
                                                   struct anole_error *error);

/* Copied by each run: inputs from `data` before it, outputs to `data` after it.  `data` stays
 * the caller's, and must live until something else is bound, or nothing: NULL. */
ANOLE_API enum anole_status anole_model_bind_input(struct anole_model *model, size_t index,
                                                   const void *data, size_t bytes,
                                                   struct anole_error *error);
ANOLE_API enum anole_status anole_model_bind_output(struct anole_model *model, size_t index,
                                                    void *data, size_t bytes,
                                                    struct anole_error *error);

/* Not copied where the device shares the host's memory: *data is where the tensor itself lies.
 * Elsewhere *data is memory of the model's, from which the next run copies an input, and to which
 * this call copies an output; *in_place (may be NULL) says which it is.  What is written there is
 * the input of the next run; *data holds what the input holds now, where it lies in place, or
 * what was last written there.  *data is valid until the next call of anole_model_run(),
 * anole_model_measure() or anole_model_destroy(): ask again after it.  It is page-aligned in
 * place.  Outputs are not to be written to. */
ANOLE_API enum anole_status anole_model_map_input(void **data, bool *in_place,
                                                  struct anole_model *model, size_t index,
                                                  struct anole_error *error);
ANOLE_API enum anole_status anole_model_map_output(const void **data, bool *in_place,
                                                   struct anole_model *model, size_t index,
                                                   struct anole_error *error);

/* Runs the network once, and returns when all is done.  ANOLE_ERR_WORKER if the device fails:
 * outputs are undefined then. */
ANOLE_API enum anole_status anole_model_run(struct anole_model *model, struct anole_error *error);

/* How long runs took, with the copies of what is bound or was mapped. */
struct anole_latency {
    double median, low, high; /* and the 95 % interval of the median */
    double minimum;
    size_t runs;
};

/* Runs the network `repeat` times, after once that does not count: *latency, which the next call
 * changes.  ANOLE_ERR_INTERRUPTED if the context's stop callback says so. */
ANOLE_API enum anole_status anole_model_measure(const struct anole_latency **latency,
                                                struct anole_model *model, size_t repeat,
                                                struct anole_error *error);

/* A step of the network: a kernel, or a computation on the host. */
struct anole_step_info {
    const char *layer;    /* the node that it comes from; "" if it has no name */
    const char *op;       /* what it computes: "conv2d", "softmax", ... */
    const char *kind;     /* "tuned", "default", "built in" or "host" */
    const char *key;      /* of its task, as in lock files; "": it is none */
    const char *problem;  /* why it is not tuned, or not by what it was tuned to; "": it is */
    double tuned_seconds; /* what it took when it was tuned; NaN: not known */
};

struct anole_model_info {
    const char *network;                    /* its name */
    const struct anole_device_info *device; /* where it runs */
    size_t steps;                           /* the sum of the next four */
    size_t steps_tuned;                     /* with a config of the lock file */
    size_t steps_default;                   /* with the backend's default config */
    size_t steps_built_in;                  /* by a plain kernel of the operator's */
    size_t steps_host;                      /* by the operator's reference, on the host */
    size_t submissions;                     /* waits for the device of one run */
    size_t device_bytes, host_bytes;        /* memory that the model holds */
    size_t arena_bytes;                     /* of device_bytes, for what is no constant */
    size_t random_weights;                  /* tensors that were made up */
    double load_seconds;                    /* what anole_model_load() took */
    double run_seconds;                     /* the last run; NaN: there was none */
    bool batch_assumed; /* the file leaves the batch open, and nothing said it: 1 was taken */
};

/* Brought up to date by each call. */
ANOLE_API const struct anole_model_info *anole_model_info(struct anole_model *model);
/* 0 to its `steps` - 1, in the order in which they run; NULL beyond. */
ANOLE_API const struct anole_step_info *anole_model_step(const struct anole_model *model,
                                                         size_t index);

/* Writes the network as a folder that runs without Anole: kernels as OpenCL C, weights, a
 * manifest, and C code for plain OpenCL (docs/export.md).  What does not build on the device is
 * not in it: each step has the kernel that anole_model_step() tells of.  `folder` is made whole, or
 * what is there is left alone; one that exists must be empty or an earlier export, whose place the
 * new one takes.  *kernels (may be NULL): how many files of kernels it has.  ANOLE_ERR_INPUT: a
 * step that the host does, with its node's name; a folder that holds something else. */
ANOLE_API enum anole_status anole_model_export(const struct anole_model *model, const char *folder,
                                               size_t *kernels, struct anole_error *error);

#ifdef __cplusplus
}
#endif
#endif
