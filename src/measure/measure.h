/* SPDX-License-Identifier: MIT
 *
 * Measurement: configs in, results out.  Builds run in parallel in build
 * workers, each config is then verified and timed alone in the timing worker.
 * Workers are processes that hold one plugin, one driver, one device; one that
 * dies, hangs or grows is killed with all its children, counted as that trial's
 * outcome, and replaced.
 *
 * How a build travels: what the plugin's op `binary` gives is handed to `build` in
 * the timing worker.  A plugin without it builds in the timing worker, one config
 * after another.  All workers share a scratch folder ($ANOLE_SCRATCH), which goes
 * when the tuner does; files in it that have not changed for ten minutes may go
 * earlier.
 *
 * Use a measure from one thread at a time; which one does not matter.  Workers end with
 * the measure, or with its process, however that ends.
 */
#ifndef ANOLE_MEASURE_H
#define ANOLE_MEASURE_H

#include "base/status.h"
#include "devices/registry.h"
#include "plugin/generator.h"
#include "space/result.h"

struct anole_measure_options {
    unsigned build_workers; /* 0: one a core */
    uint32_t threads;       /* of a CPU device; 0: all cores */
    uint64_t seed;          /* of inputs and weights */
    /* Seconds until a build (0: as the device says, or 30), and a run or one batch of timed runs
     * (0: as it says, or 10), count as hanging.  Less, once it is known how long those of the task
     * take: see timeout.h. */
    double build_limit, run_limit;
    double lost_limit;  /* seconds that a device that was lost is waited for; 0: 60 */
    double sample_time; /* seconds of timed running to spend on a config; 0: 0.2 */
    /* Before a failure that may be the machine's or the driver's is laid to a kernel, one that is
     * known to be good is built and run.  While that fails as well, nothing is laid to any: it is
     * tried again for lost_limit seconds, or if nothing has worked yet in this run a few times;
     * then the batch ends with ERR_WORKER. */
    bool control;
    /* Bytes of all constants of the network whose tasks are measured, so that weights are as
     * cold as there (see exec/cold.h); 0: everything is timed hot. */
    uint64_t constants;
    bool untimed;         /* nobody looks at its times: others may measure meanwhile */
    size_t worker_memory; /* bytes of resident memory at which a worker is recycled; 0: 1 GB */
    /* Polled several times a second; true: stop, kill what runs, return
     * ERR_INTERRUPTED.  May be NULL. */
    bool (*stop)(void *context);
    void *stop_context;
    /* Called before a batch runs a config on a device that does not share the host's
     * cores: its driver works within the kernel, and may take the whole machine with
     * it.  `over`: that config's run was given up, through no fault of its own.  A
     * failure ends the batch.  May be NULL. */
    enum anole_status (*announce)(void *context, const struct anole_generator *generator,
                                  uint64_t config, bool over, struct anole_error *error);
    void *announce_context;
};

struct anole_measure; /* the workers of one device */

/* Starts no process yet. */
ANOLE_CHECKED enum anole_status anole_measure_create(struct anole_measure **measure,
                                                     const struct anole_registry *registry,
                                                     const struct anole_registry_device *device,
                                                     const struct anole_measure_options *options,
                                                     struct anole_error *error);
/* What anole_measure_options.constants said, from the next call on: a new worker is started where
 * that is something else. */
void anole_measure_set_constants(struct anole_measure *measure, uint64_t bytes);
/* Whose clock times the task that is measured from the next call on: what its earlier results
 * say, or UNSAID, until the first that works has decided it.  Trials whose clock is another fail.
 */
void anole_measure_set_timer(struct anole_measure *measure, enum anole_timer timer);
/* Seconds that it takes, at a guess, until the reference of a task is there, which kernels are
 * verified against; 0: it is there, or there is none, or it takes a moment.  The first large task
 * takes a moment to guess. */
double anole_measure_reference_seconds(struct anole_measure *measure,
                                       const struct anole_task *task);
/* Seconds since a reference is being computed; 0: none is.  For the stop callback. */
double anole_measure_preparing(const struct anole_measure *measure);
/* Kills the workers. */
void anole_measure_destroy(struct anole_measure *measure);

/* Ends the workers, of which new ones are started when there is something to do: until then the
 * device is somebody else's to use, in the name of this measurement, which keeps it locked. */
void anole_measure_rest(struct anole_measure *measure);
/* The folder that its workers share; NULL: there is none. */
const char *anole_measure_scratch(const struct anole_measure *measure);

/* Builds that are made at a time; 1 where the timing worker makes them. */
unsigned anole_measure_builders(const struct anole_measure *measure);

/* Wall seconds, so far. */
struct anole_measure_cost {
    double build;   /* wall time with at least one build running, none timed */
    double prepare; /* task data and references */
    double transfer;
    double run;
    double verify;
    double worker; /* starting and replacing workers */
    size_t workers_started, workers_lost, workers_recycled;
    size_t executables; /* that were built: configs may share one */
};
void anole_measure_cost(const struct anole_measure *measure, struct anole_measure_cost *cost);

#endif
