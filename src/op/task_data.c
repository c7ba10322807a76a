/* SPDX-License-Identifier: MIT
 *
 * What a kernel is given, and what its answers are held to.
 *
 * Inputs are uniform in +-[1/2, 1), weights likewise but scaled so that the
 * outputs have a deviation of 1 (of 4 before a relu6, or its upper bound would
 * never be met, and before whatever else bends more than a relu).  No product is small, so that
 * none can go missing unnoticed.
 */
#include "base/half.h"
#include "base/rng.h"
#include "op/reference_private.h"
#include "op/task_ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RMS_PRODUCT (7.0 / 12.0) /* of x w, before scaling */

/* +-[1/2, 1): a random sign, a random mantissa, and the exponent of 1/2. */
static float random_float(uint32_t bits)
{
    uint32_t pattern = (bits & 0x807fffffu) | 0x3f000000u;
    float value;
    memcpy(&value, &pattern, sizeof value);
    return value;
}

/* *tensor stays NULL if there are no elements. */
static enum anole_status fill(void **tensor, size_t elements, float scale, bool halves,
                              const struct anole_rng *parent, const char *label,
                              struct anole_error *error)
{
    struct anole_rng rng;
    anole_rng_fork(&rng, parent, label);
    if (elements == 0)
        return ANOLE_DONE;
    float *values = calloc(elements, sizeof *values);
    if (!values)
        return anole_fail_memory(error);
    for (size_t i = 0; i < elements; i += 2) {
        uint64_t bits = anole_rng_u64(&rng);
        values[i] = random_float((uint32_t)bits) * scale;
        if (i + 1 < elements)
            values[i + 1] = random_float((uint32_t)(bits >> 32)) * scale;
    }
    for (size_t i = 0; halves && i < elements; i++)
        values[i] = anole_half_to_float(anole_half_from_float(values[i]));
    *tensor = values;
    return ANOLE_DONE;
}

static enum anole_status fill_all(struct anole_task_data *data, const struct anole_task *task,
                                  float scale, uint64_t seed, struct anole_error *error)
{
    struct anole_rng rng;
    bool halves = task->dtype == ANOLE_F16;
    anole_rng_init(&rng, seed);
    enum anole_status status =
        fill(&data->input, anole_task_input_elements(task), 1.0f, halves, &rng, "input", error);
    if (!status)
        status = fill(&data->weights, anole_task_weight_elements(task), scale, halves, &rng,
                      "weights", error);
    if (!status)
        status =
            fill(&data->bias, anole_task_bias_elements(task), 1.0f, halves, &rng, "bias", error);
    if (!status)
        status = fill(&data->residual, anole_task_residual_elements(task), 1.0f, halves, &rng,
                      "residual", error);
    return status;
}

/* From floats that are halves to halves: exact. */
static enum anole_status shrink(void **tensor, size_t elements, struct anole_error *error)
{
    if (elements == 0)
        return ANOLE_DONE;
    uint16_t *halves = calloc(elements, sizeof *halves);
    if (!halves)
        return anole_fail_memory(error);
    anole_half_round(halves, *tensor, elements);
    free(*tensor);
    *tensor = halves;
    return ANOLE_DONE;
}

static enum anole_status shrink_all(struct anole_task_data *data, const struct anole_task *task,
                                    struct anole_error *error)
{
    enum anole_status status = shrink(&data->input, anole_task_input_elements(task), error);
    if (!status)
        status = shrink(&data->weights, anole_task_weight_elements(task), error);
    if (!status)
        status = shrink(&data->bias, anole_task_bias_elements(task), error);
    if (!status)
        status = shrink(&data->residual, anole_task_residual_elements(task), error);
    return status;
}

static enum anole_status check(const struct anole_task *task, struct anole_error *error)
{
    enum anole_status status = anole_task_check(task, error);
    if (status)
        return status;
    const struct anole_task_ops *ops = anole_task_ops_of(task->kind);
    if (!ops || !ops->work)
        return anole_fail(
            error, ANOLE_ERR_INPUT,
            "a %s task has no reference to verify a kernel against; expected one of a "
            "network's layers",
            anole_task_kind_text(task->kind));
    if (task->in_pitch || task->out_pitch || task->residual_pitch)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "a task with pitches is no task to be measured; expected dense tensors");
    return ANOLE_DONE;
}

enum anole_status anole_task_data_create(struct anole_task_data **data,
                                         const struct anole_task *task, uint64_t seed,
                                         unsigned threads, struct anole_error *error)
{
    enum anole_status status = check(task, error);
    if (status)
        return status;
    double spread = task->activation >= ANOLE_ACT_RELU6 ? 4.0 : 1.0;
    float scale = (float)(spread / (RMS_PRODUCT * sqrt((double)anole_task_reduction(task))));
    size_t outputs = anole_task_output_elements(task);
    struct anole_task_data *new = calloc(1, sizeof *new);
    if (!new)
        return anole_fail_memory(error);
    new->expected = calloc(outputs, sizeof *new->expected);
    new->tolerance = calloc(outputs, sizeof *new->tolerance);
    if (!new->expected || !new->tolerance)
        status = anole_fail_memory(error);
    if (!status)
        status = fill_all(new, task, scale, seed, error);
    if (!status)
        status = anole_reference_compute(new, task, anole_task_ops_of(task->kind), (double)scale,
                                         threads, error);
    if (!status && task->dtype == ANOLE_F16)
        status = shrink_all(new, task, error);
    if (status) {
        anole_task_data_destroy(new);
        return status;
    }
    *data = new;
    return ANOLE_DONE;
}

void anole_task_data_destroy(struct anole_task_data *data)
{
    if (!data)
        return;
    free(data->input);
    free(data->weights);
    free(data->bias);
    free(data->residual);
    free(data->expected);
    free(data->tolerance);
    free(data->initial);
    free(data->answer);
    free(data);
}

double anole_task_value(const struct anole_task *task, const void *tensor, size_t i)
{
    if (task->dtype == ANOLE_F16)
        return (double)anole_half_to_float(((const uint16_t *)tensor)[i]);
    return (double)((const float *)tensor)[i];
}

double anole_task_data_error(const struct anole_task_data *data, const struct anole_task *task,
                             const void *output, size_t *where)
{
    size_t outputs = anole_task_output_elements(task), worst = 0;
    double largest = 0.0;
    for (size_t i = 0; i < outputs; i++) {
        double value = anole_task_value(task, output, i);
        double error = isfinite(value)
                           ? fabs(value - data->expected[i]) / (double)data->tolerance[i]
                           : (double)INFINITY;
        if (error > largest) {
            largest = error;
            worst = i;
        }
    }
    if (where)
        *where = worst;
    return largest;
}
