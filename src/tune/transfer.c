/* SPDX-License-Identifier: MIT */
#include "tune/transfer.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TASKS 128 /* so that making their spaces stays below a second or two */
#define MOST_DEVICES 16
#define LEAST_TRIALS 4 /* of a task, or it is not worth its space */

struct past_task {
    struct anole_generator *generator; /* owns space and features */
    struct anole_trials *trials;
    unsigned group;
};

struct anole_transfer {
    const struct anole_registry_entry *entry; /* the backend */
    const struct anole_registry_device *device;
    const struct anole_workload *network;
    uint32_t dtype;           /* of the tasks that are to learn */
    enum anole_warmth warmth; /* how they are timed */
    struct past_task tasks[MOST_TASKS];
    size_t count;
    char devices[MOST_DEVICES][256]; /* and precisions, by group - 1 */
    size_t device_count;
};

enum anole_status anole_transfer_create(struct anole_transfer **transfer,
                                        const struct anole_registry *registry,
                                        const struct anole_registry_device *device, uint32_t dtype,
                                        enum anole_warmth warmth,
                                        const struct anole_workload *network,
                                        struct anole_error *error)
{
    struct anole_transfer *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->entry = &registry->entries[device->backend];
    made->device = device;
    made->dtype = dtype;
    made->warmth = warmth;
    made->network = network;
    *transfer = made;
    return ANOLE_DONE;
}

void anole_transfer_destroy(struct anole_transfer *transfer)
{
    if (!transfer)
        return;
    for (size_t i = 0; i < transfer->count; i++) {
        anole_trials_destroy(transfer->tasks[i].trials);
        anole_generator_destroy(transfer->tasks[i].generator);
    }
    free(transfer);
}

/* What is fast in another precision, or with other caches, is as far away as what is fast on
 * another device: such tasks have groups of their own.  Those beyond the last that has room share
 * it. */
static unsigned group_of(struct anole_transfer *transfer, const char *device, uint32_t dtype,
                         enum anole_warmth warmth)
{
    char name[sizeof *transfer->devices];
    bool other = dtype != transfer->dtype, elsewhere = warmth != transfer->warmth;
    if (!other && !elsewhere && strcmp(device, transfer->device->device.name) == 0)
        return 0;
    snprintf(name, sizeof name, "%.200s%s%s", device, other ? " in another precision" : "",
             elsewhere ? " with other caches" : "");
    for (size_t i = 0; i < transfer->device_count; i++)
        if (strcmp(name, transfer->devices[i]) == 0)
            return (unsigned)i + 1;
    if (transfer->device_count < MOST_DEVICES) {
        memcpy(transfer->devices[transfer->device_count++], name, sizeof name);
    }
    return (unsigned)transfer->device_count;
}

/* A key does not say what a kernel of the user's own is: that is known if it is in hand. */
static bool find_custom(const struct anole_transfer *transfer, const char *key,
                        struct anole_task *task)
{
    char own[ANOLE_TASK_KEY];
    for (size_t i = 0; i < transfer->network->task_count; i++) {
        const struct anole_task *known = &transfer->network->tasks[i].task;
        if (known->kind != ANOLE_TASK_CUSTOM)
            continue;
        anole_task_key(own, known);
        if (strcmp(own, key) == 0) {
            *task = *known;
            return true;
        }
    }
    return false;
}

/* False if there is nothing to be had for this device from a key. */
static bool usable(const struct anole_transfer *transfer, const struct anole_history_key *key,
                   struct anole_task *task)
{
    const struct anole_registry_entry *entry = transfer->entry;
    return strcmp(key->backend, entry->name) == 0 && key->generator == entry->generator_version &&
           anole_task_parse_key(task, key->task, NULL) == ANOLE_DONE &&
           (task->kind != ANOLE_TASK_CUSTOM || find_custom(transfer, key->task, task)) &&
           anole_backend_supports(entry->backend, &transfer->device->device, task);
}

static enum anole_status take_key(struct anole_transfer *transfer,
                                  const struct anole_history *history,
                                  const struct anole_history_key *key,
                                  const struct anole_task *task, struct anole_error *error)
{
    struct past_task *past = &transfer->tasks[transfer->count];
    *past = (struct past_task){0};
    enum anole_status status = anole_generator_create(&past->generator, transfer->entry->backend,
                                                      &transfer->device->device, task, error);
    if (status == ANOLE_DONE)
        status = anole_trials_create(&past->trials, error);
    if (status == ANOLE_DONE)
        status = anole_history_collect(history, key, anole_generator_space(past->generator),
                                       past->trials, NULL, NULL, error);
    if (status == ANOLE_DONE && anole_trials_count(past->trials) >= LEAST_TRIALS) {
        past->group = group_of(transfer, key->device, task->dtype, key->warmth);
        transfer->count++;
        return ANOLE_DONE;
    }
    anole_trials_destroy(past->trials);
    anole_generator_destroy(past->generator);
    return status;
}

enum anole_status anole_transfer_take(struct anole_transfer *transfer,
                                      const struct anole_history *history,
                                      anole_transfer_skip *skip, void *context,
                                      struct anole_error *error)
{
    struct anole_history_found found;
    size_t next = 0;
    enum anole_status status = ANOLE_DONE;
    while (status == ANOLE_DONE && transfer->count < MOST_TASKS &&
           anole_history_next_key(history, &next, &found)) {
        struct anole_task task;
        if (!usable(transfer, &found.key, &task) || (skip && skip(context, &found.key)))
            continue;
        status = take_key(transfer, history, &found.key, &task, error);
    }
    return status;
}

enum anole_status anole_transfer_load(struct anole_transfer *transfer, const char *path,
                                      struct anole_error *error)
{
    struct anole_history *history = NULL;
    size_t before = transfer->count;
    enum anole_status status = anole_history_open(&history, path, ANOLE_HISTORY_READ, error);
    if (status == ANOLE_DONE)
        status = anole_transfer_take(transfer, history, NULL, NULL, error);
    anole_history_close(history);
    if (status == ANOLE_DONE && transfer->count == before)
        anole_log_warning("%s: nothing to learn from: no task was tried there with backend '%s', "
                          "generator %u, in a design space that this device shares",
                          path, transfer->entry->name, transfer->entry->generator_version);
    return status;
}

const struct anole_task *anole_transfer_task(const struct anole_transfer *transfer, size_t i)
{
    return anole_generator_task(transfer->tasks[i].generator);
}

size_t anole_transfer_count(const struct anole_transfer *transfer)
{
    return transfer->count;
}

void anole_transfer_get(const struct anole_transfer *transfer, size_t i,
                        struct anole_prior_source *source, uint32_t *kind)
{
    const struct past_task *past = &transfer->tasks[i];
    *source = (struct anole_prior_source){
        .features = anole_generator_features(past->generator),
        .trials = past->trials,
        .group = past->group,
    };
    *kind = anole_generator_task(past->generator)->kind;
}
