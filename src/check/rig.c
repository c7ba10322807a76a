/* SPDX-License-Identifier: MIT */
#include "check/rig.h"

#include "base/clock.h"
#include "plugin/plugin_message.h"
#include "plugin/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const role_names[ANOLE_ROLE_COUNT] = {"input",    "weights", "bias",
                                                         "residual", "output",  "workspace"};

/* -- The device and the data -- */

/* "<what> failed: <the plugin's words>" */
static enum anole_ruling op_failed(struct anole_rig *rig, const char *op, int code,
                                   const struct anole_message *message)
{
    char words[384];
    return anole_exam_fail(rig->exam, "%s: %s failed: %s", rig->label, op,
                           anole_plugin_words(words, sizeof words, code, message));
}

static enum anole_ruling upload(struct anole_rig *rig, uint32_t role, const void *data,
                                size_t elements)
{
    struct anole_message message = {.size = sizeof message};
    if (elements == 0)
        return ANOLE_PASS;
    size_t bytes = elements * anole_task_element_bytes(rig->task);
    int code = anole_guarded_reserve(&rig->tensors[role], &rig->device, bytes, &message);
    if (code == ANOLE_OK && data)
        code = anole_guarded_write(&rig->tensors[role], &rig->device, data, &message);
    return code == ANOLE_OK ? ANOLE_PASS : op_failed(rig, "making a buffer", code, &message);
}

static enum anole_ruling bring_data(struct anole_rig *rig)
{
    const struct anole_task *task = rig->task;
    struct anole_error error = {.status = ANOLE_DONE};
    if (anole_generator_create(&rig->generator, rig->exam->backend, rig->exam->device, task,
                               &error) != ANOLE_DONE ||
        anole_task_data_create(&rig->data, task, rig->exam->seed, 1, &error) != ANOLE_DONE)
        return anole_exam_fail(rig->exam, "%s", error.text);
    size_t outputs = anole_task_output_elements(task);
    rig->configs = calloc(rig->exam->samples + 1, sizeof *rig->configs);
    rig->answer = calloc(outputs, anole_task_element_bytes(task));
    if (!rig->configs || !rig->answer)
        return anole_exam_fail(rig->exam, "out of memory");
    rig->config_count = anole_exam_sample(rig->exam, rig->generator, rig->configs);
    return upload(rig, ANOLE_ROLE_OUTPUT, NULL, outputs);
}

/* What all kernels of the task read; anew each time, in case that one wrote to it. */
static enum anole_ruling bind_inputs(struct anole_rig *rig)
{
    const struct anole_task *task = rig->task;
    const struct anole_task_data *data = rig->data;
    enum anole_ruling verdict =
        upload(rig, ANOLE_ROLE_INPUT, data->input, anole_task_input_elements(task));
    if (verdict == ANOLE_PASS)
        verdict = upload(rig, ANOLE_ROLE_BIAS, data->bias, anole_task_bias_elements(task));
    if (verdict == ANOLE_PASS)
        verdict =
            upload(rig, ANOLE_ROLE_RESIDUAL, data->residual, anole_task_residual_elements(task));
    return verdict;
}

enum anole_ruling anole_rig_open(struct anole_rig *rig, struct anole_exam *exam,
                                 const struct anole_task *task)
{
    struct anole_message message = {.size = sizeof message};
    memset(rig, 0, sizeof *rig);
    rig->exam = exam;
    rig->task = task;
    rig->device.plugin = exam->plugin;
    anole_task_label(rig->label, sizeof rig->label, task);
    anole_exam_step(exam, "opening the device");
    int code = exam->plugin->open(anole_host_get(exam->threads), exam->driver, exam->device->index,
                                  &rig->device.session, &message);
    if (code != ANOLE_OK)
        return op_failed(rig, "open()", code, &message);
    anole_exam_step(exam, "moving the data of %s", rig->label);
    enum anole_ruling verdict = bring_data(rig);
    if (verdict != ANOLE_PASS)
        anole_rig_close(rig);
    return verdict;
}

void anole_rig_close(struct anole_rig *rig)
{
    anole_rig_release(rig);
    anole_exam_step(rig->exam, "closing the device");
    for (int i = 0; i < ANOLE_ROLE_COUNT; i++)
        anole_guarded_destroy(&rig->tensors[i], &rig->device);
    rig->exam->plugin->close(rig->device.session);
    anole_generator_destroy(rig->generator);
    anole_task_data_destroy(rig->data);
    free(rig->configs);
    free(rig->answer);
}

/* -- One kernel -- */

static bool is_clean(int code)
{
    return code == ANOLE_BUILD_FAILED || code == ANOLE_UNSUPPORTED || code == ANOLE_NO_MEMORY ||
           code == ANOLE_BAD_REQUEST || code == ANOLE_LAUNCH_FAILED;
}

enum anole_ruling anole_rig_build(struct anole_rig *rig, uint64_t config, const void *binary,
                                  size_t binary_bytes, bool *built)
{
    const struct anole_plugin *plugin = rig->exam->plugin;
    struct anole_message message = {.size = sizeof message};
    struct anole_error error = {.status = ANOLE_DONE};
    anole_rig_release(rig);
    *built = false;
    anole_space_describe(anole_generator_space(rig->generator), rig->config, sizeof rig->config,
                         config);
    enum anole_status status =
        anole_generator_kernel(&rig->generated, rig->generator, config, &error);
    if (status == ANOLE_ERR_INPUT)
        return ANOLE_PASS;
    if (status != ANOLE_DONE)
        return anole_exam_fail(rig->exam, "%s, %s: %s", rig->label, rig->config, error.text);
    anole_exam_step(rig->exam, "building %s of %s", rig->config, rig->label);
    int code = plugin->build(rig->device.session, &rig->generated->kernel, binary, binary_bytes,
                             &rig->build, &message);
    *built = code == ANOLE_OK;
    if (code == ANOLE_OK && !rig->build)
        return anole_exam_fail(rig->exam, "%s, %s: build() succeeds, and gives nothing", rig->label,
                               rig->config);
    if (code == ANOLE_OK)
        return ANOLE_PASS;
    rig->build = NULL;
    if (is_clean(code) && message.text[0])
        return ANOLE_PASS;
    char words[256];
    return anole_exam_fail(rig->exam, "%s, %s: build() %s: %s (%d)", rig->label, rig->config,
                           is_clean(code) ? "refuses it without a word"
                                          : "fails with what is no refusal of a kernel",
                           anole_plugin_words(words, sizeof words, code, &message), code);
}

void anole_rig_release(struct anole_rig *rig)
{
    if (rig->build) {
        anole_exam_step(rig->exam, "releasing %s of %s", rig->config, rig->label);
        rig->exam->plugin->release(rig->device.session, rig->build);
    }
    rig->build = NULL;
    anole_generated_destroy(rig->generated);
    rig->generated = NULL;
}

/* The weights as this kernel reads them. */
static enum anole_ruling bind_weights(struct anole_rig *rig)
{
    const struct anole_kernel *kernel = &rig->generated->kernel;
    size_t elements = anole_task_weight_elements(rig->task);
    size_t bytes = elements * anole_task_element_bytes(rig->task);
    if (kernel->packed_weights == 0)
        return upload(rig, ANOLE_ROLE_WEIGHTS, rig->data->weights, elements);
    enum { CANARY = 64 };
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_message message = {.size = sizeof message};
    unsigned char *packed = malloc(kernel->packed_weights + CANARY);
    if (!packed)
        return anole_exam_fail(rig->exam, "out of memory");
    memset(packed, 0x5a, kernel->packed_weights + CANARY);
    enum anole_ruling verdict = ANOLE_PASS;
    if (anole_backend_pack(rig->exam->backend, rig->exam->device, rig->task, kernel->values,
                           kernel->value_count, rig->data->weights, bytes, packed,
                           kernel->packed_weights, &error) != ANOLE_DONE)
        verdict = anole_exam_fail(rig->exam, "%s, %s: %s", rig->label, rig->config, error.text);
    rig->overpacked = false;
    for (int i = 0; i < CANARY; i++)
        rig->overpacked |= packed[kernel->packed_weights + (size_t)i] != 0x5a;
    int code = ANOLE_OK;
    if (verdict == ANOLE_PASS)
        code = anole_guarded_reserve(&rig->tensors[ANOLE_ROLE_WEIGHTS], &rig->device,
                                     kernel->packed_weights, &message);
    if (verdict == ANOLE_PASS && code == ANOLE_OK)
        code =
            anole_guarded_write(&rig->tensors[ANOLE_ROLE_WEIGHTS], &rig->device, packed, &message);
    free(packed);
    return code == ANOLE_OK ? verdict : op_failed(rig, "moving the weights", code, &message);
}

enum anole_ruling anole_rig_bind(struct anole_rig *rig)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_guarded *workspace = &rig->tensors[ANOLE_ROLE_WORKSPACE];
    size_t bytes = rig->generated->kernel.workspace;
    anole_exam_step(rig->exam, "moving the data of %s of %s", rig->config, rig->label);
    enum anole_ruling verdict = bind_inputs(rig);
    if (verdict == ANOLE_PASS)
        verdict = bind_weights(rig);
    if (verdict != ANOLE_PASS)
        return verdict;
    anole_guarded_destroy(workspace, &rig->device);
    int code = ANOLE_OK;
    if (bytes > 0)
        code = anole_guarded_reserve(workspace, &rig->device, bytes, &message);
    if (bytes > 0 && code == ANOLE_OK)
        code = anole_guarded_poison(workspace, &rig->device, &message);
    if (code == ANOLE_OK)
        code = anole_guarded_poison(&rig->tensors[ANOLE_ROLE_OUTPUT], &rig->device, &message);
    return code == ANOLE_OK ? ANOLE_PASS : op_failed(rig, "making a buffer", code, &message);
}

struct anole_binding anole_rig_binding(const struct anole_rig *rig, uint32_t role)
{
    return anole_guarded_binding(&rig->tensors[role]);
}

enum anole_ruling anole_rig_run(struct anole_rig *rig, uint32_t repeats, double *device_seconds,
                                double *host_seconds, double *wall)
{
    struct anole_message message = {.size = sizeof message};
    struct anole_binding bindings[ANOLE_ROLE_COUNT];
    for (uint32_t i = 0; i < ANOLE_ROLE_COUNT; i++)
        bindings[i] = anole_rig_binding(rig, i);
    for (uint32_t i = 0; i < repeats; i++)
        device_seconds[i] = -1;
    anole_exam_step(rig->exam, "running %s of %s", rig->config, rig->label);
    double start = anole_clock();
    int code = rig->exam->plugin->run(rig->device.session, rig->build, bindings, ANOLE_ROLE_COUNT,
                                      repeats, device_seconds, host_seconds, &message);
    *wall = anole_clock() - start;
    return code == ANOLE_OK ? ANOLE_PASS : op_failed(rig, rig->config, code, &message);
}

enum anole_ruling anole_rig_try(struct anole_rig *rig)
{
    double device, host = 0, wall;
    enum anole_ruling verdict = anole_rig_bind(rig);
    return verdict == ANOLE_PASS ? anole_rig_run(rig, 1, &device, &host, &wall) : verdict;
}

/* -- Many -- */

static enum anole_ruling each_config(struct anole_rig *rig, bool run, size_t *built_count,
                                     enum anole_ruling (*look)(struct anole_rig *rig))
{
    enum anole_ruling verdict = ANOLE_PASS;
    for (size_t i = 0; i < rig->config_count && verdict == ANOLE_PASS; i++) {
        bool built;
        verdict = anole_rig_build(rig, rig->configs[i], NULL, 0, &built);
        if (verdict != ANOLE_PASS || !built)
            continue;
        ++*built_count;
        if (run)
            verdict = anole_rig_try(rig);
        if (verdict == ANOLE_PASS && look)
            verdict = look(rig);
    }
    return verdict;
}

enum anole_ruling anole_rig_each(struct anole_exam *exam, bool run,
                                 enum anole_ruling (*look)(struct anole_rig *rig))
{
    size_t built = 0, all = 0;
    if (anole_exam_simulated(exam))
        return anole_exam_skip(exam, "the device is simulated: it has no kernels");
    for (size_t i = 0; i < exam->task_count; i++) {
        struct anole_rig rig;
        enum anole_ruling verdict = anole_rig_open(&rig, exam, &exam->tasks[i]);
        if (verdict != ANOLE_PASS)
            return verdict;
        all += rig.config_count;
        verdict = each_config(&rig, run, &built, look);
        anole_rig_close(&rig);
        if (verdict != ANOLE_PASS)
            return verdict;
    }
    if (built == 0)
        return anole_exam_fail(exam, "not one of %zu configs can be built", all);
    return anole_exam_pass(exam, "%zu of %zu configs of %zu tasks%s", built, all, exam->task_count,
                           built < all ? "; the others were refused" : "");
}

enum anole_ruling anole_rig_open_heavy(struct anole_rig *rig, struct anole_exam *exam)
{
    const struct anole_task *heavy = &exam->tasks[0];
    for (size_t i = 1; i < exam->task_count; i++)
        if (anole_task_flops(&exam->tasks[i]) > anole_task_flops(heavy))
            heavy = &exam->tasks[i];
    enum anole_ruling verdict = anole_rig_open(rig, exam, heavy);
    if (verdict != ANOLE_PASS)
        return verdict;
    bool built = false;
    for (size_t i = 0; i < rig->config_count && !built && verdict == ANOLE_PASS; i++)
        verdict = anole_rig_build(rig, rig->configs[i], NULL, 0, &built);
    if (verdict == ANOLE_PASS && !built)
        verdict = anole_exam_fail(exam, "%s: no sampled config can be built", rig->label);
    if (verdict == ANOLE_PASS)
        verdict = anole_rig_bind(rig);
    if (verdict != ANOLE_PASS)
        anole_rig_close(rig);
    return verdict;
}

const char *anole_rig_role(uint32_t role)
{
    return role < ANOLE_ROLE_COUNT ? role_names[role] : "unknown";
}
