/* SPDX-License-Identifier: MIT
 *
 * What a run decided, as an entry of a lock file.
 */
#include "tune/tuner_lock.h"

#include <stdlib.h>
#include <string.h>

static enum anole_status copy_text(char **out, const char *text, struct anole_error *error)
{
    *out = strdup(text);
    return *out ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status copy_knobs(struct anole_lock_task *out, const struct anole_space *space,
                                    uint64_t config, struct anole_error *error)
{
    int64_t values[ANOLE_MAX_KNOBS];
    size_t count = anole_space_knob_count(space);
    anole_space_values(space, config, values);
    out->knobs = calloc(count ? count : 1, sizeof *out->knobs);
    if (!out->knobs)
        return anole_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        enum anole_status status =
            copy_text(&out->knobs[i].name, anole_space_knob(space, i)->name, error);
        if (status != ANOLE_DONE)
            return status;
        out->knobs[i].value = values[i];
        out->knob_count = i + 1;
    }
    return ANOLE_DONE;
}

enum anole_status anole_tuner_lock_task(struct anole_lock_task *out,
                                        const struct anole_tuner_task *task,
                                        const struct anole_tuner_final *final,
                                        const struct anole_space *space, struct anole_error *error)
{
    out->multiplicity = task->source->multiplicity;
    out->value = final->value;
    out->low = final->low;
    out->high = final->high;
    out->default_value = final->default_value;
    out->speedup = final->speedup;
    out->speedup_low = final->speedup_low;
    out->speedup_high = final->speedup_high;
    out->tie = final->tie;
    out->source_hash = final->source_hash;
    out->trials = (uint32_t)task->trials;
    enum anole_status status = copy_text(&out->task, task->key, error);
    return status == ANOLE_DONE ? copy_knobs(out, space, final->config, error) : status;
}

enum anole_status anole_tuner_lock_identity(struct anole_lock_device *out, const char *id,
                                            const struct anole_history_key *key,
                                            struct anole_error *error)
{
    out->generator = key->generator;
    out->threads = key->threads;
    out->metric = key->metric;
    enum anole_status status = copy_text(&out->id, id, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->backend, key->backend, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->backend_version, key->backend_version, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->device, key->device, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->driver, key->driver, error);
    if (status == ANOLE_DONE)
        status = copy_text(&out->driver_version, key->driver_version, error);
    return status;
}
