/* SPDX-License-Identifier: MIT
 *
 * Tells the search of a task what the other tasks of the network have found so far,
 * and what histories know.
 */
#include "tune/tuner_private.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_TRIALS 24 /* of other tasks, before there is anything to tell */
#define GROWTH 4        /* so many times as many, before there is anything new to tell */

struct sources {
    struct anole_prior_source *sources;
    size_t count;
    size_t trials; /* of all of them */
};

static void add(struct sources *sources, struct anole_prior_source source)
{
    sources->sources[sources->count++] = source;
    sources->trials += anole_trials_count(source.trials);
}

/* All tasks of the same kind but this one. */
static bool gather(struct sources *sources, const struct anole_tuner *tuner, size_t task)
{
    uint32_t wanted = tuner->tasks[task].source->task.kind, kind;
    size_t past = anole_transfer_count(tuner->transfer);
    *sources = (struct sources){0};
    sources->sources = calloc(tuner->view.task_count + past, sizeof *sources->sources);
    if (!sources->sources)
        return false;
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        const struct anole_tuner_job *job = &tuner->jobs[i];
        if (i != task && tuner->tasks[i].source->task.kind == wanted)
            add(sources, (struct anole_prior_source){
                             .features = anole_generator_features(job->generator),
                             .trials = job->trials,
                         });
    }
    for (size_t i = 0; i < past; i++) {
        struct anole_prior_source source;
        anole_transfer_get(tuner->transfer, i, &source, &kind);
        if (kind == wanted)
            add(sources, source);
    }
    return true;
}

enum anole_status anole_tuner_inform(struct anole_tuner *tuner, size_t task,
                                     struct anole_error *error)
{
    struct anole_tuner_job *job = &tuner->jobs[task];
    struct sources sources;
    enum anole_status status = ANOLE_DONE;
    if (!gather(&sources, tuner, task))
        status = anole_fail_memory(error);
    /* Each time that there is so much more: what it costs stays a small share. */
    else if (sources.trials >= LEAST_TRIALS && sources.trials >= GROWTH * job->informed) {
        status = anole_search_inform(job->search, sources.sources, sources.count, error);
        job->informed = sources.trials;
    }
    free(sources.sources);
    return status;
}

static bool is_own(void *context, const struct anole_history_key *key)
{
    const struct anole_tuner *tuner = context;
    for (size_t i = 0; i < tuner->view.task_count; i++) {
        const struct anole_history_key *own = &tuner->jobs[i].key;
        if (strcmp(own->task, key->task) == 0 && strcmp(own->device, key->device) == 0 &&
            strcmp(own->driver, key->driver) == 0 && own->threads == key->threads &&
            own->warmth == key->warmth && strcmp(own->driver_version, key->driver_version) == 0 &&
            strcmp(own->backend_version, key->backend_version) == 0)
            return true;
    }
    return false;
}

/* Of most that is timed: what was timed in another way is further away. */
static enum anole_warmth warmth_of(const struct anole_tuner *tuner)
{
    size_t cold = 0;
    for (size_t i = 0; i < tuner->view.task_count; i++)
        cold += tuner->jobs[i].key.warmth == ANOLE_WARMTH_COLD;
    return 2 * cold > tuner->view.task_count ? ANOLE_WARMTH_COLD : ANOLE_WARMTH_HOT;
}

enum anole_status anole_tuner_load_transfer(struct anole_tuner *tuner, struct anole_error *error)
{
    const struct anole_tuner_options *options = &tuner->options;
    enum anole_status status =
        anole_transfer_create(&tuner->transfer, tuner->registry, tuner->device,
                              tuner->network->dtype, warmth_of(tuner), tuner->network, error);
    if (status != ANOLE_DONE || (options->explorer && options->explorer->model_free))
        return status;
    for (size_t i = 0; i < options->transfer_count && status == ANOLE_DONE; i++)
        status = anole_transfer_load(tuner->transfer, options->transfer_paths[i], error);
    if (status == ANOLE_DONE)
        status = anole_transfer_take(tuner->transfer, tuner->history, is_own, tuner, error);
    return status;
}
