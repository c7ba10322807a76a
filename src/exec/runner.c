/* SPDX-License-Identifier: MIT */
#include "exec/runner_private.h"

#include "base/clock.h"
#include "base/text.h"
#include "kernel/custom.h"
#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SAMPLE_TIME 0.2
#define ALIVE_INTERVAL 0.1

void anole_runner_stage(struct anole_runner *runner, enum anole_stage stage, uint32_t slot)
{
    runner->stage = stage;
    runner->slot = slot;
    runner->said = anole_clock();
    if (runner->options.stage)
        runner->options.stage(runner->options.context, stage, slot);
}

/* Says the same again now and then, so that nobody takes a long series of runs
 * for one that hangs. */
static void alive(void *context)
{
    struct anole_runner *runner = context;
    if (anole_clock() - runner->said > ALIVE_INTERVAL)
        anole_runner_stage(runner, runner->stage, runner->slot);
}

static bool simulated(const struct anole_runner *runner)
{
    return runner->device.flags & ANOLE_DEVICE_SIMULATED;
}

/* -- The device -- */

enum anole_status anole_runner_create(struct anole_runner **runner,
                                      const struct anole_backend *backend, const char *driver,
                                      const struct anole_device *device,
                                      const struct anole_runner_options *options,
                                      struct anole_error *error)
{
    const struct anole_plugin *plugin = &backend->plugin;
    const struct anole_host *host = anole_host_get(options->threads);
    struct anole_runner *new = calloc(1, sizeof *new);
    if (!new || !host) {
        free(new);
        return anole_fail_memory(error);
    }
    struct anole_message message = {.size = sizeof message};
    int code = plugin->open(host, driver, device->index, &new->session, &message);
    if (code != ANOLE_OK) {
        enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_WORKER, code, &message);
        anole_error_prefix(error, "backend %s: opening device %u", plugin->name, device->index);
        free(new);
        return status;
    }
    new->backend = backend;
    new->device = *device;
    new->device.size = sizeof new->device;
    new->options = *options;
    new->memory = (struct anole_guarded_device){.plugin = plugin, .session = new->session};
    double sample_time = options->sample_time > 0 ? options->sample_time : DEFAULT_SAMPLE_TIME;
    anole_timing_init(&new->timing, plugin, new->session, device->flags, sample_time);
    new->timing.alive = alive;
    new->timing.context = new;
    *runner = new;
    return ANOLE_DONE;
}

static void drop_buffers(struct anole_runner *runner)
{
    struct anole_guarded *const all[] = {&runner->input,    &runner->bias,    &runner->residual,
                                         &runner->output,   &runner->weights, &runner->packed,
                                         &runner->workspace};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        anole_guarded_destroy(all[i], &runner->memory);
    runner->uploaded = runner->weights_ready = false;
}

void anole_runner_destroy(struct anole_runner *runner)
{
    if (!runner)
        return;
    anole_runner_unload(runner);
    drop_buffers(runner);
    runner->backend->plugin.close(runner->session);
    free(runner->answer);
    free(runner);
}

void anole_runner_set_task(struct anole_runner *runner, const struct anole_task *task,
                           const struct anole_task_data *data)
{
    anole_runner_unload(runner);
    drop_buffers(runner);
    free(runner->answer);
    runner->answer = NULL;
    runner->task = *task;
    runner->data = data;
}

void anole_runner_usage(const struct anole_runner *runner, struct anole_usage *usage)
{
    usage->builds = runner->builds;
    usage->tainted = runner->tainted;
    usage->held = runner->device.flags & ANOLE_DEVICE_SHARES_HOST ? runner->memory.held : 0;
}

/* -- The task's data -- */

/* Brings what all kernels of the task share to the device, if it is not there. */
static enum anole_status upload_task(struct anole_runner *runner, struct anole_error *error)
{
    if (runner->uploaded || simulated(runner))
        return ANOLE_DONE;
    const struct anole_task *task = &runner->task;
    const struct anole_task_data *data = runner->data;
    if (!data)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "a trial without its task's data");
    struct anole_message message = {.size = sizeof message};
    size_t outputs = anole_task_output_elements(task);
    if (!runner->answer)
        runner->answer = malloc(outputs * anole_task_element_bytes(task));
    if (!runner->answer)
        return anole_fail_memory(error);
    int code = anole_runner_upload(runner, &runner->input, data->input,
                                   anole_task_input_elements(task), &message);
    if (code == ANOLE_OK)
        code = anole_runner_upload(runner, &runner->bias, data->bias,
                                   anole_task_bias_elements(task), &message);
    if (code == ANOLE_OK)
        code = anole_runner_upload(runner, &runner->residual, data->residual,
                                   anole_task_residual_elements(task), &message);
    if (code == ANOLE_OK)
        code = anole_runner_upload(runner, &runner->output, NULL, outputs, &message);
    if (code == ANOLE_OK) {
        runner->uploaded = true;
        return ANOLE_DONE;
    }
    drop_buffers(runner);
    char label[128];
    enum anole_status status = anole_plugin_failure(error, ANOLE_ERR_WORKER, code, &message);
    anole_error_prefix(error, "backend %s: moving the data of %s to the device",
                       runner->backend->plugin.name, anole_task_label(label, sizeof label, task));
    return status;
}

/* -- One trial -- */

/* The first run, verified.  *first: its seconds. */
static bool prove(struct anole_runner *runner, struct anole_executable *executable, double *first,
                  struct anole_result *result)
{
    anole_runner_stage(runner, ANOLE_STAGE_RUN, UINT32_MAX);
    double start = anole_clock();
    bool done = anole_timing_batch(&runner->timing, first, &executable->timed, 1, result);
    double end = anole_clock();
    result->cost.run += end - start;
    if (!done)
        return false;
    anole_runner_stage(runner, ANOLE_STAGE_VERIFY, UINT32_MAX);
    done = anole_runner_verify(runner, executable, "on the first run", result);
    result->cost.verify += anole_clock() - end;
    return done;
}

/* Times it; and whether it was right all the time. */
static bool measure(struct anole_runner *runner, struct anole_executable *executable, double first,
                    double best, struct anole_result *result)
{
    if (!simulated(runner) && !anole_executable_poison(runner, executable, result))
        return false;
    anole_runner_stage(runner, ANOLE_STAGE_TIME, UINT32_MAX);
    double start = anole_clock();
    bool done = anole_timing_measure(&runner->timing, &executable->timed, first, best, result);
    double end = anole_clock();
    result->cost.run += end - start;
    if (!done || simulated(runner))
        return done;
    /* A kernel that works in place has gone on from its own results. */
    if (runner->task.custom)
        done = anole_executable_poison(runner, executable, result) &&
               anole_timing_batch(&runner->timing, &first, &executable->timed, 1, result);
    if (!done)
        return false;
    anole_runner_stage(runner, ANOLE_STAGE_VERIFY, UINT32_MAX);
    done = anole_runner_verify(runner, executable, "after many runs", result);
    result->cost.verify += anole_clock() - end;
    return done;
}

/* Whether the device still works after a failed launch: with some drivers nothing
 * does, until the process is replaced. */
static bool is_healthy(struct anole_runner *runner)
{
    struct anole_message message = {.size = sizeof message};
    if (simulated(runner) || !runner->output.buffer)
        return true;
    return anole_guarded_poison(&runner->output, &runner->memory, &message) == ANOLE_OK &&
           anole_guarded_read(&runner->output, &runner->memory, runner->answer, &message) ==
               ANOLE_OK;
}

/* A failed result has no time; what a wrong kernel touched is brought anew. */
static void settle(struct anole_runner *runner, struct anole_result *result)
{
    result->simulated = simulated(runner);
    if (result->simulated) /* wall time means nothing here, and differs between runs */
        result->cost = (struct anole_trial_cost){.build = 0};
    if (result->outcome == ANOLE_OUTCOME_OK)
        return;
    result->seconds = result->low = result->high = NAN;
    result->samples = 0;
    result->abandoned = false;
    if (result->outcome == ANOLE_OUTCOME_CRASH ||
        (result->outcome == ANOLE_OUTCOME_LAUNCH && !is_healthy(runner)))
        runner->tainted = true;
    if (result->outcome != ANOLE_OUTCOME_COMPILE && result->outcome != ANOLE_OUTCOME_INVALID)
        runner->uploaded = runner->weights_ready = false;
}

/* -- What the header says -- */

void anole_runner_build(struct anole_runner *runner, const int64_t *values, size_t count,
                        struct anole_result *result, void **binary, size_t *binary_bytes)
{
    const struct anole_plugin *plugin = &runner->backend->plugin;
    struct anole_executable executable = {.build = NULL};
    struct anole_message message = {.size = sizeof message};
    *binary = NULL;
    *binary_bytes = 0;
    anole_result_clear(result);
    if (anole_executable_generate(runner, &executable, values, count, result) &&
        anole_executable_build(runner, &executable, NULL, 0, result) && plugin->binary) {
        double start = anole_clock();
        size_t bytes = 0, room;
        int code = plugin->binary(runner->session, executable.build, NULL, &bytes, &message);
        /* Without a binary, it is built again where it is needed. */
        if (code == ANOLE_OK && bytes > 0 && bytes <= ANOLE_MAX_BINARY)
            *binary = malloc(bytes);
        room = bytes;
        if (*binary &&
            plugin->binary(runner->session, executable.build, *binary, &bytes, &message) ==
                ANOLE_OK &&
            bytes <= room) {
            *binary_bytes = bytes;
        } else {
            free(*binary);
            *binary = NULL;
        }
        result->cost.build += anole_clock() - start;
    }
    anole_executable_release(runner, &executable);
    settle(runner, result);
}

/* Everything up to the first, verified run. */
static enum anole_status make_piece(struct anole_runner *runner,
                                    struct anole_executable *executable, const int64_t *values,
                                    size_t count, const void *binary, size_t binary_bytes,
                                    double *first, struct anole_result *result,
                                    struct anole_error *error)
{
    anole_result_clear(result);
    anole_runner_stage(runner, ANOLE_STAGE_TASK, UINT32_MAX);
    double start = anole_clock();
    enum anole_status status = upload_task(runner, error);
    result->cost.transfer = anole_clock() - start;
    if (status != ANOLE_DONE)
        return status;
    *first = NAN;
    if (anole_executable_generate(runner, executable, values, count, result) &&
        anole_executable_build(runner, executable, binary, binary_bytes, result) &&
        !simulated(runner) && anole_executable_bind(runner, executable, result))
        prove(runner, executable, first, result);
    return ANOLE_DONE;
}

enum anole_status anole_runner_trial(struct anole_runner *runner, const int64_t *values,
                                     size_t count, const void *binary, size_t binary_bytes,
                                     double best, struct anole_result *result,
                                     struct anole_error *error)
{
    double first;
    struct anole_executable executable = {.packed = runner->packed, .workspace = runner->workspace};
    enum anole_status status =
        make_piece(runner, &executable, values, count, binary, binary_bytes, &first, result, error);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK)
        measure(runner, &executable, first, best, result);
    anole_executable_release(runner, &executable);
    runner->packed = executable.packed;
    runner->workspace = executable.workspace;
    if (status == ANOLE_DONE)
        settle(runner, result);
    return status;
}

/* One run, without a reference; runner->answer holds what it wrote. */
static bool compute(struct anole_runner *runner, const int64_t *values, size_t count,
                    struct anole_result *result)
{
    double seconds;
    struct anole_executable executable = {.build = NULL};
    struct anole_message message = {.size = sizeof message};
    anole_result_clear(result);
    bool done = anole_executable_generate(runner, &executable, values, count, result) &&
                anole_executable_build(runner, &executable, NULL, 0, result) &&
                anole_executable_bind(runner, &executable, result) &&
                anole_timing_batch(&runner->timing, &seconds, &executable.timed, 1, result) &&
                anole_runner_guards(runner, &executable, "on its first run", result);
    if (done) {
        int code = anole_guarded_read(&runner->output, &runner->memory, runner->answer, &message);
        if (code != ANOLE_OK)
            done = anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH, &message,
                                     "reading the output back");
    }
    anole_executable_release(runner, &executable);
    anole_guarded_destroy(&executable.packed, &runner->memory);
    anole_guarded_destroy(&executable.workspace, &runner->memory);
    return done;
}

enum anole_status anole_runner_compute(struct anole_runner *runner, bool reference,
                                       const int64_t *values, size_t count, const void **output,
                                       struct anole_result *result, struct anole_error *error)
{
    struct anole_custom_kernel plain = *anole_custom_of(&runner->task);
    enum anole_status status = upload_task(runner, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_custom *own = runner->task.custom;
    if (reference) {
        plain.launch = plain.reference;
        runner->task.custom = &plain.base;
    }
    bool done = compute(runner, values, count, result);
    runner->task.custom = own;
    *output = done ? runner->answer : NULL;
    return ANOLE_DONE;
}

enum anole_status anole_runner_load(struct anole_runner *runner, const int64_t *values,
                                    size_t count, const void *binary, size_t binary_bytes,
                                    struct anole_result *result, struct anole_error *error)
{
    double first;
    if (runner->slot_count == ANOLE_MAX_SLOTS)
        return anole_fail(error, ANOLE_ERR_INTERNAL, "more than %d kernels to compare",
                          ANOLE_MAX_SLOTS);
    struct anole_executable *executable = &runner->slots[runner->slot_count];
    *executable = (struct anole_executable){.build = NULL};
    enum anole_status status =
        make_piece(runner, executable, values, count, binary, binary_bytes, &first, result, error);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK && !simulated(runner))
        anole_timing_calibrate(&runner->timing, &executable->timed, result);
    if (status == ANOLE_DONE)
        settle(runner, result);
    if (status == ANOLE_DONE && result->outcome == ANOLE_OUTCOME_OK) {
        runner->slot_count++;
        return ANOLE_DONE;
    }
    anole_executable_release(runner, executable);
    anole_guarded_destroy(&executable->packed, &runner->memory);
    anole_guarded_destroy(&executable->workspace, &runner->memory);
    return status;
}

bool anole_runner_round(struct anole_runner *runner, double *seconds, uint32_t *failed,
                        struct anole_result *result)
{
    anole_result_clear(result);
    for (uint32_t slot = 0; slot < runner->slot_count; slot++) {
        struct anole_timed *timed = &runner->slots[slot].timed;
        anole_runner_stage(runner, ANOLE_STAGE_TIME, slot);
        /* A short batch first: the caches are full of another kernel's data. */
        uint32_t warm = timed->repeats > 8 ? timed->repeats / 8 : 1;
        if (timed->repeats == 0) /* simulated */
            warm = timed->repeats = 1;
        if (!anole_timing_batch(&runner->timing, &seconds[slot], timed, warm, result) ||
            !anole_timing_batch(&runner->timing, &seconds[slot], timed, timed->repeats, result)) {
            seconds[slot] = NAN;
            *failed = slot;
            settle(runner, result);
            return false;
        }
    }
    return true;
}

size_t anole_runner_slots(const struct anole_runner *runner)
{
    return runner->slot_count;
}

void anole_runner_unload(struct anole_runner *runner)
{
    for (size_t i = 0; i < runner->slot_count; i++) {
        struct anole_executable *executable = &runner->slots[i];
        anole_executable_release(runner, executable);
        anole_guarded_destroy(&executable->packed, &runner->memory);
        anole_guarded_destroy(&executable->workspace, &runner->memory);
    }
    runner->slot_count = 0;
}
