/* SPDX-License-Identifier: MIT
 *
 * One kernel on its way to the device: generated, built, its weights packed, its
 * arguments bound.
 */
#include "exec/runner_private.h"

#include "base/clock.h"
#include "base/text.h"
#include "plugin/plugin_message.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANARY 256u /* bytes behind packed weights that pack() must leave alone */

void anole_result_clear(struct anole_result *result)
{
    *result = (struct anole_result){
        .outcome = ANOLE_OUTCOME_OK, .seconds = NAN, .low = NAN, .high = NAN, .error = NAN};
}

bool anole_runner_fail(struct anole_runner *runner, struct anole_result *result, int code,
                       enum anole_outcome usual, const struct anole_message *message,
                       const char *what)
{
    char words[sizeof result->message], joined[2 * sizeof result->message];
    if (code == ANOLE_DEVICE_LOST)
        runner->tainted = true;
    result->outcome = anole_timing_outcome(code, usual);
    anole_plugin_words(words, sizeof words, code, message);
    snprintf(joined, sizeof joined, "%s%s%s", what ? what : "", what ? ": " : "", words);
    anole_text_printable(result->message, sizeof result->message, joined);
    return false;
}

int anole_runner_upload(struct anole_runner *runner, struct anole_guarded *guarded,
                        const void *data, size_t elements, struct anole_message *message)
{
    if (elements == 0)
        return ANOLE_OK;
    size_t bytes = elements * anole_task_element_bytes(&runner->task);
    int code = anole_guarded_reserve(guarded, &runner->memory, bytes, message);
    if (code == ANOLE_OK && data)
        code = anole_guarded_write(guarded, &runner->memory, data, message);
    return code;
}

bool anole_executable_generate(struct anole_runner *runner, struct anole_executable *executable,
                               const int64_t *values, size_t count, struct anole_result *result)
{
    struct anole_error error = {.status = ANOLE_DONE};
    anole_runner_stage(runner, ANOLE_STAGE_GENERATE, UINT32_MAX);
    double start = anole_clock();
    enum anole_status status =
        anole_backend_generate(&executable->generated, runner->backend, &runner->device,
                               &runner->task, values, count, &error);
    result->cost.generate += anole_clock() - start;
    if (status == ANOLE_DONE)
        return true;
    result->outcome = ANOLE_OUTCOME_INVALID;
    anole_text_printable(result->message, sizeof result->message, error.text);
    return false;
}

bool anole_executable_build(struct anole_runner *runner, struct anole_executable *executable,
                            const void *binary, size_t binary_bytes, struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    anole_runner_stage(runner, ANOLE_STAGE_BUILD, UINT32_MAX);
    double start = anole_clock();
    int code = runner->backend->plugin.build(runner->session, &executable->generated->kernel,
                                             binary, binary_bytes, &executable->build, &message);
    result->cost.build += anole_clock() - start;
    runner->builds++;
    executable->timed.build = executable->build;
    if (code == ANOLE_OK)
        return true;
    executable->build = NULL;
    return anole_runner_fail(runner, result, code, ANOLE_OUTCOME_COMPILE, &message, NULL);
}

void anole_executable_release(struct anole_runner *runner, struct anole_executable *executable)
{
    if (executable->build) {
        anole_runner_stage(runner, ANOLE_STAGE_RELEASE, UINT32_MAX);
        runner->backend->plugin.release(runner->session, executable->build);
    }
    anole_generated_destroy(executable->generated);
    executable->build = NULL;
    executable->generated = NULL;
}

/* Packs the weights into memory of ours, poisoned before: what pack() leaves out
 * shows as a wrong answer. */
static bool pack(struct anole_runner *runner, const struct anole_executable *executable,
                 void **packed, struct anole_result *result)
{
    const struct anole_kernel *kernel = &executable->generated->kernel;
    size_t bytes = kernel->packed_weights;
    char *memory = malloc(bytes + CANARY);
    if (!memory) {
        result->outcome = ANOLE_OUTCOME_LAUNCH;
        snprintf(result->message, sizeof result->message,
                 "out of memory for %zu bytes of packed weights", bytes);
        return false;
    }
    anole_guarded_fill(memory, bytes);
    memset(memory + bytes, 0x5a, CANARY);
    struct anole_error error = {.status = ANOLE_DONE};
    enum anole_status status = anole_backend_pack(
        runner->backend, &runner->device, &runner->task, kernel->values, kernel->value_count,
        runner->data->weights,
        anole_task_weight_elements(&runner->task) * anole_task_element_bytes(&runner->task), memory,
        bytes, &error);
    bool intact = true;
    for (size_t i = 0; i < CANARY; i++)
        intact &= memory[bytes + i] == 0x5a;
    if (status == ANOLE_DONE && intact) {
        *packed = memory;
        return true;
    }
    free(memory);
    result->outcome = ANOLE_OUTCOME_INVALID;
    if (!intact) {
        runner->tainted = true;
        snprintf(result->message, sizeof result->message,
                 "backend %s: packing the weights wrote beyond the %zu bytes that it announced",
                 runner->backend->plugin.name, bytes);
    } else {
        anole_text_printable(result->message, sizeof result->message, error.text);
    }
    return false;
}

static bool place_weights(struct anole_runner *runner, struct anole_executable *executable,
                          struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    size_t bytes = executable->generated->kernel.packed_weights;
    if (bytes == 0) {
        int code = runner->weights_ready
                       ? ANOLE_OK
                       : anole_runner_upload(runner, &runner->weights, runner->data->weights,
                                             anole_task_weight_elements(&runner->task), &message);
        runner->weights_ready = code == ANOLE_OK;
        executable->bindings[ANOLE_ROLE_WEIGHTS] = anole_guarded_binding(&runner->weights);
        return code == ANOLE_OK ? true
                                : anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH,
                                                    &message, "moving the weights");
    }
    void *packed;
    if (!pack(runner, executable, &packed, result))
        return false;
    int code = anole_guarded_reserve(&executable->packed, &runner->memory, bytes, &message);
    if (code == ANOLE_OK)
        code = anole_guarded_write(&executable->packed, &runner->memory, packed, &message);
    free(packed);
    executable->bindings[ANOLE_ROLE_WEIGHTS] = anole_guarded_binding(&executable->packed);
    return code == ANOLE_OK ? true
                            : anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "moving the packed weights");
}

/* Poisons output and workspace: what a kernel reads, it must have written.  A custom
 * kernel may read its output: what is there first is a part of its data. */
bool anole_executable_poison(struct anole_runner *runner, struct anole_executable *executable,
                             struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    size_t workspace = executable->generated->kernel.workspace;
    int code =
        runner->task.custom
            ? anole_guarded_write(&runner->output, &runner->memory, runner->data->initial, &message)
            : anole_guarded_poison(&runner->output, &runner->memory, &message);
    if (code == ANOLE_OK && workspace > 0)
        code = anole_guarded_poison(&executable->workspace, &runner->memory, &message);
    return code == ANOLE_OK ? true
                            : anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH,
                                                &message, "preparing the output");
}

/* Data, bindings, poison. */
bool anole_executable_bind(struct anole_runner *runner, struct anole_executable *executable,
                           struct anole_result *result)
{
    struct anole_message message = {.size = sizeof message};
    anole_runner_stage(runner, ANOLE_STAGE_TRANSFER, UINT32_MAX);
    double start = anole_clock();
    bool done = place_weights(runner, executable, result);
    size_t workspace = executable->generated->kernel.workspace;
    if (done && workspace > 0) {
        int code =
            anole_guarded_reserve(&executable->workspace, &runner->memory, workspace, &message);
        if (code != ANOLE_OK)
            done = anole_runner_fail(runner, result, code, ANOLE_OUTCOME_LAUNCH, &message,
                                     "making the workspace");
    }
    done = done && anole_executable_poison(runner, executable, result);
    executable->bindings[ANOLE_ROLE_INPUT] = anole_guarded_binding(&runner->input);
    executable->bindings[ANOLE_ROLE_BIAS] = anole_guarded_binding(&runner->bias);
    executable->bindings[ANOLE_ROLE_RESIDUAL] = anole_guarded_binding(&runner->residual);
    executable->bindings[ANOLE_ROLE_OUTPUT] = anole_guarded_binding(&runner->output);
    if (workspace > 0)
        executable->bindings[ANOLE_ROLE_WORKSPACE] = anole_guarded_binding(&executable->workspace);
    executable->timed.bindings = executable->bindings;
    result->cost.transfer += anole_clock() - start;
    return done;
}
