/* SPDX-License-Identifier: MIT */
#include "api/recheck.h"

#include "tune/finalists.h"
#include "tune/warmth.h"

#include <math.h>
#include <stdlib.h>

static enum anole_status prepare(struct anole_recheck *check, const struct anole_tuned *tuned,
                                 const struct anole_lock_task *entry,
                                 const struct anole_listed_device *device,
                                 struct anole_error *error)
{
    const struct anole_backend *backend =
        device->devices->registry->entries[device->entry->backend].backend;
    check->info.differs = "";
    enum anole_status status = anole_tuned_task_init(&check->task, entry, tuned->lockfile, backend,
                                                     &device->entry->device, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", tuned->path);
    else
        check->info.label = anole_task_label(check->label, sizeof check->label, &check->task.task);
    return status;
}

enum anole_status anole_recheck_again(struct anole_recheck *check,
                                      const struct anole_lock_task *entry,
                                      struct anole_measure *measure, double seconds,
                                      struct anole_error *error)
{
    struct anole_verified *info = &check->info;
    const struct anole_tuner_final *final = &check->final;
    struct anole_result default_result;
    check->final = (struct anole_tuner_final){.found = false};
    enum anole_status status = anole_finalists_compare(
        &check->final, &check->result, &default_result, measure, check->task.generator,
        check->task.config, seconds > 0.0 ? seconds : ANOLE_RECHECK_SECONDS, error);
    if (status != ANOLE_DONE)
        return status;
    check->ran = true;
    info->outcome = check->result.outcome;
    info->message = check->result.message;
    info->same_source = final->source_hash == entry->source_hash;
    info->error = check->result.error;
    info->simulated = check->result.simulated;
    info->seconds = final->found ? final->value : NAN;
    info->low = final->found ? final->low : NAN;
    info->high = final->found ? final->high : NAN;
    info->default_seconds = final->found ? final->default_value : NAN;
    info->speedup = final->found ? final->speedup : NAN;
    info->speedup_low = final->found ? final->speedup_low : NAN;
    info->speedup_high = final->found ? final->speedup_high : NAN;
    info->disturbed = final->found && final->disturbed;
    return ANOLE_DONE;
}

enum anole_status anole_recheck_run(struct anole_recheck *check, const struct anole_tuned *tuned,
                                    const struct anole_lock_task *entry,
                                    const struct anole_listed_device *device,
                                    struct anole_measure *measure, double seconds,
                                    struct anole_error *error)
{
    enum anole_status status = prepare(check, tuned, entry, device, error);
    return status == ANOLE_DONE ? anole_recheck_again(check, entry, measure, seconds, error)
                                : status;
}

void anole_rechecks_destroy(struct anole_recheck *checks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        anole_tuned_task_fini(&checks[i].task);
    free(checks);
}

/* What was timed cold is so again: with the constants of all layers that were tuned. */
uint64_t anole_recheck_constants(const struct anole_lock_device *locked,
                                 const struct anole_device *described)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < locked->task_count; i++) {
        struct anole_task task;
        if (anole_task_parse_key(&task, locked->tasks[i].task, NULL) == ANOLE_DONE)
            bytes = anole_warmth_add(bytes, &task, locked->tasks[i].multiplicity);
    }
    struct anole_caches caches;
    anole_caches_of(&caches, described);
    /* A kernel of the user's own, or a network that was to be timed as if it were larger. */
    return bytes > caches.stays ? bytes : anole_warmth_beyond(described);
}
