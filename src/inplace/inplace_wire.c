/* SPDX-License-Identifier: MIT */
#include "inplace/inplace_wire.h"

#include <stdlib.h>

void anole_wire_inplace_question(struct anole_wire *wire, struct anole_inplace_question *message)
{
    anole_wire_text(wire, message->network, sizeof message->network);
    anole_wire_text(wire, message->plugin, sizeof message->plugin);
    anole_wire_text(wire, message->driver, sizeof message->driver);
    anole_wire_bool(wire, &message->has_worker);
    anole_wire_text(wire, message->worker, sizeof message->worker);
    anole_wire_bool(wire, &message->has_cache);
    anole_wire_text(wire, message->cache, sizeof message->cache);
    anole_wire_device(wire, &message->device);
    anole_wire_u32(wire, &message->threads);
    anole_wire_f64(wire, &message->seconds);
    anole_wire_f64(wire, &message->timing);
    anole_wire_f64(wire, &message->exchanging);
    anole_wire_bool(wire, &message->check);
    anole_wire_bool(wire, &message->strict);
    anole_wire_block(wire, &message->lock, &message->lock_bytes, ANOLE_INPLACE_LOCK);
}

void anole_wire_inplace_tasks(struct anole_wire *wire, struct anole_inplace_task **tasks,
                              uint32_t *count)
{
    anole_wire_count(wire, count, ANOLE_INPLACE_TASKS);
    if (wire->reading) {
        *tasks = wire->failed ? NULL : calloc(*count + (size_t)1, sizeof **tasks);
        wire->failed |= !*tasks;
    }
    for (uint32_t i = 0; i < *count && !wire->failed; i++) {
        struct anole_inplace_task *task = &(*tasks)[i];
        anole_wire_text(wire, task->key, sizeof task->key);
        anole_wire_count(wire, &task->count, ANOLE_INPLACE_CANDIDATES);
        for (uint32_t c = 0; c < task->count && !wire->failed; c++)
            anole_wire_u64(wire, &task->configs[c]);
    }
}

void anole_wire_inplace_verdicts(struct anole_wire *wire, struct anole_inplace_task *tasks,
                                 uint32_t count)
{
    uint32_t same = count;
    anole_wire_count(wire, &same, ANOLE_INPLACE_TASKS);
    wire->failed |= same != count;
    for (uint32_t i = 0; i < count && !wire->failed; i++) {
        anole_wire_bool(wire, &tasks[i].judged);
        anole_wire_bool(wire, &tasks[i].disturbed);
        anole_wire_u32(wire, &tasks[i].chosen);
        for (uint32_t c = 0; c < tasks[i].count; c++)
            anole_wire_f64(wire, &tasks[i].steps[c]);
        wire->failed |= tasks[i].chosen > 0 && tasks[i].chosen >= tasks[i].count;
    }
}

static void wire_interval(struct anole_wire *wire, double *middle, double *low, double *high)
{
    anole_wire_f64(wire, middle);
    anole_wire_f64(wire, low);
    anole_wire_f64(wire, high);
}

void anole_wire_inplace_report(struct anole_wire *wire, struct anole_inplace_report *message)
{
    anole_wire_bool(wire, &message->ran);
    anole_wire_bool(wire, &message->failed);
    anole_wire_text(wire, message->problem, sizeof message->problem);
    wire_interval(wire, &message->seconds, &message->low, &message->high);
    wire_interval(wire, &message->default_seconds, &message->default_low, &message->default_high);
    wire_interval(wire, &message->speedup, &message->speedup_low, &message->speedup_high);
    anole_wire_u32(wire, &message->rounds);
    anole_wire_u32(wire, &message->steps);
    anole_wire_u32(wire, &message->steps_tuned);
    anole_wire_bool(wire, &message->disturbed);
    anole_wire_f64(wire, &message->error);
    anole_wire_f64(wire, &message->tolerance);
    anole_wire_text(wire, message->output, sizeof message->output);
}
