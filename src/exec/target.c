/* SPDX-License-Identifier: MIT */
#include "exec/target.h"

#include "base/clock.h"
#include "base/text.h"
#include "plugin/host.h"
#include "plugin/plugin_message.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_SAMPLE_TIME 0.2 /* seconds */
#define ALIVE_INTERVAL 0.1      /* seconds */

/* -- Saying what comes next -- */

void anole_target_say(struct anole_target *target, enum anole_stage stage, uint32_t slot)
{
    target->stage = stage;
    target->slot = slot;
    target->said = anole_clock();
    if (target->options.stage)
        target->options.stage(target->options.context, stage, slot);
}

/* Says the same again now and then, so that nobody takes a long series of runs
 * for one that hangs. */
static void alive(void *context)
{
    struct anole_target *target = context;
    if (anole_clock() - target->said > ALIVE_INTERVAL)
        anole_target_say(target, target->stage, target->slot);
}

bool anole_target_fail(struct anole_target *target, struct anole_result *result, int code,
                       enum anole_outcome usual, const struct anole_message *message,
                       const char *what)
{
    char words[sizeof result->message], joined[2 * sizeof result->message];
    if (code == ANOLE_DEVICE_LOST)
        target->tainted = true;
    result->outcome = anole_timing_outcome(code, usual);
    anole_plugin_words(words, sizeof words, code, message);
    snprintf(joined, sizeof joined, "%s%s%s", what ? what : "", what ? ": " : "", words);
    anole_text_printable(result->message, sizeof result->message, joined);
    return false;
}

/* -- The device -- */

enum anole_status anole_target_open(struct anole_target *target,
                                    const struct anole_backend *backend, const char *driver,
                                    const struct anole_device *device,
                                    const struct anole_target_options *options,
                                    struct anole_error *error)
{
    const struct anole_plugin *plugin = &backend->plugin;
    const struct anole_host *host = anole_host_get(options->threads);
    struct anole_message message = {.size = sizeof message};
    struct anole_session *session = NULL;
    if (!host)
        return anole_fail_memory(error);
    int code = plugin->open(host, driver, device->index, &session, &message);
    if (code != ANOLE_OK) {
        enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_WORKER, code, &message);
        anole_error_prefix(error, "backend %s: opening device %u", plugin->name, device->index);
        return status;
    }
    *target = (struct anole_target){.backend = backend,
                                    .device = *device,
                                    .session = session,
                                    .options = *options,
                                    .memory = {.plugin = plugin, .session = session}};
    target->device.size = sizeof target->device;
    double sample_time = options->sample_time > 0 ? options->sample_time : DEFAULT_SAMPLE_TIME;
    anole_timing_init(&target->timing, plugin, session, device->flags, sample_time);
    target->timing.alive = alive;
    target->timing.context = target;
    return ANOLE_DONE;
}

static void drop_buffers(struct anole_target *target)
{
    for (uint32_t role = 0; role < ANOLE_ROLE_COUNT; role++)
        anole_guarded_destroy(&target->tensors[role], &target->memory);
    target->uploaded = target->weights_ready = false;
}

void anole_target_close(struct anole_target *target)
{
    drop_buffers(target);
    target->backend->plugin.close(target->session);
    free(target->answer);
    target->answer = NULL;
}

bool anole_target_simulated(const struct anole_target *target)
{
    return target->device.flags & ANOLE_DEVICE_SIMULATED;
}

bool anole_target_is_healthy(struct anole_target *target)
{
    const struct anole_guarded *output = &target->tensors[ANOLE_ROLE_OUTPUT];
    struct anole_message message = {.size = sizeof message};
    if (anole_target_simulated(target) || !output->buffer)
        return true;
    return anole_guarded_poison(output, &target->memory, &message) == ANOLE_OK &&
           anole_guarded_read(output, &target->memory, target->answer, &message) == ANOLE_OK;
}

/* -- The task -- */

void anole_target_set_task(struct anole_target *target, const struct anole_task *task,
                           const struct anole_task_data *data)
{
    drop_buffers(target);
    free(target->answer);
    target->answer = NULL;
    target->task = *task;
    target->data = data;
    anole_task_sizes(&target->sizes, task);
    target->warmth = anole_cold_decide(&target->backend->plugin, &target->device, task,
                                       target->options.constants);
}

/* Writes a tensor of the task to its buffer, made if need be. */
static int upload(struct anole_target *target, uint32_t role, struct anole_message *message)
{
    struct anole_guarded *tensor = &target->tensors[role];
    const void *data = role == ANOLE_ROLE_OUTPUT ? NULL : anole_role_data(target->data, role);
    if (target->sizes.bytes[role] == 0)
        return ANOLE_OK;
    int code = anole_guarded_reserve(tensor, &target->memory, target->sizes.bytes[role], message);
    if (code == ANOLE_OK && data)
        code = anole_guarded_write(tensor, &target->memory, data, message);
    return code;
}

enum anole_status anole_target_upload(struct anole_target *target, struct anole_error *error)
{
    static const uint32_t shared[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_BIAS, ANOLE_ROLE_RESIDUAL,
                                      ANOLE_ROLE_OUTPUT};
    struct anole_message message = {.size = sizeof message};
    if (target->uploaded || anole_target_simulated(target))
        return ANOLE_DONE;
    if (!target->data)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "a trial without its task's data");
    if (!target->answer)
        target->answer = malloc(target->sizes.bytes[ANOLE_ROLE_OUTPUT]);
    if (!target->answer)
        return anole_fail_memory(error);
    int code = ANOLE_OK;
    for (size_t i = 0; code == ANOLE_OK && i < sizeof shared / sizeof *shared; i++)
        code = upload(target, shared[i], &message);
    if (code == ANOLE_OK) {
        target->uploaded = true;
        return ANOLE_DONE;
    }
    drop_buffers(target);
    char label[128];
    enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_WORKER, code, &message);
    anole_error_prefix(error, "backend %s: moving the data of %s to the device",
                       target->backend->plugin.name,
                       anole_task_label(label, sizeof label, &target->task));
    return status;
}

int anole_target_upload_weights(struct anole_target *target, struct anole_message *message)
{
    int code = target->weights_ready ? ANOLE_OK : upload(target, ANOLE_ROLE_WEIGHTS, message);
    target->weights_ready = code == ANOLE_OK;
    return code;
}

void anole_target_spoil(struct anole_target *target)
{
    target->uploaded = target->weights_ready = false;
}
