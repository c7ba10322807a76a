/* SPDX-License-Identifier: MIT */
#include "check/context.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small, so that a slow device is done soon; odd, so that what is left over at an
 * edge is seen; of every kind that the core has a reference for. */
static const char *const task_keys[] = {
    "conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32 bias relu",
    "conv2d n1 7x9x5 k3x3 s2x2 p1,0,1,1 d1x1 g1 o7 f32 bias residual relu6",
    "conv2d n2 6x6x8 k1x1 s1x1 p0,0,0,0 d1x1 g1 o12 f32",
    "conv2d n1 9x9x4 k3x3 s1x1 p2,2,2,2 d2x2 g1 o8 f32 bias",
    "conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g2 o8 f32 bias relu",
    "conv2d n1 13x13x3 k5x5 s2x2 p2,2,2,2 d1x1 g1 o9 f32 bias relu",
    "depthwise_conv2d n1 8x8x16 k3x3 s1x1 p1,1,1,1 d1x1 g16 o16 f32 bias relu6",
    "depthwise_conv2d n1 7x7x5 k3x3 s2x2 p1,1,1,1 d1x1 g5 o10 f32 bias",
    "dense n1 i64 o48 f32 bias relu",
    "dense n3 i33 o17 f32 bias",
    "conv2d n1 20x20x32 k3x3 s1x1 p1,1,1,1 d1x1 g1 o32 f32 bias relu",
    "conv2d n1 7x9x6 k3x3 s1x1 p1,0,1,1 d1x1 g1 o7 f16 bias residual relu6",
    "conv2d n1 6x6x8 k1x1 s1x1 p0,0,0,0 d1x1 g1 o12 f16 bias relu",
    "depthwise_conv2d n1 7x7x5 k3x3 s2x2 p1,1,1,1 d1x1 g5 o10 f16 bias",
    "dense n3 i33 o17 f16 bias",
    /* Of what the ABI has been given since: */
    "matmul n2 m5 i9 o12 tb f32",
    "matmul n3 m4 i16 o7 f32 bias relu",
    "conv_transpose2d n1 5x4x6 k3x3 s2x2 p1,1,1,1 d1x1 g1 o5 e1x0 f32 bias relu",
    "conv2d n1 7x7x6 k3x3 s1x1 p1,1,1,1 d1x1 g1 o9 f32 bias leaky_relu(0.25)",
};

static enum anole_check_verdict conclude(struct anole_check_context *check,
                                         enum anole_check_verdict verdict, const char *format,
                                         va_list args)
{
    char text[ANOLE_CHECK_TEXT];
    vsnprintf(text, sizeof text, format, args);
    anole_text_printable(check->sandbox->reply.text, sizeof check->sandbox->reply.text, text);
    check->sandbox->reply.verdict = verdict;
    return verdict;
}

#define DEFINE_VERDICT(name, verdict)                                                              \
    enum anole_check_verdict anole_check_##name(struct anole_check_context *check,                 \
                                                const char *format, ...)                           \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        conclude(check, verdict, format, args);                                                    \
        va_end(args);                                                                              \
        return verdict;                                                                            \
    }
DEFINE_VERDICT(pass, ANOLE_PASS)
DEFINE_VERDICT(fail, ANOLE_FAIL)
DEFINE_VERDICT(skip, ANOLE_SKIPPED)

void anole_check_step(struct anole_check_context *check, const char *format, ...)
{
    char text[ANOLE_CHECK_TEXT], safe[ANOLE_CHECK_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    anole_sandbox_step(check->sandbox, anole_text_printable(safe, sizeof safe, text));
}

bool anole_check_simulated(const struct anole_check_context *check)
{
    return check->device->flags & ANOLE_DEVICE_SIMULATED;
}

#define KEY_COUNT (sizeof task_keys / sizeof *task_keys)

void anole_check_set_candidates(struct anole_check_context *check, const struct anole_task *tasks,
                                size_t count)
{
    check->candidate_count = 0;
    check->network = tasks != NULL;
    for (size_t i = 0; tasks && i < count && i < ANOLE_CHECK_TASKS; i++)
        check->candidates[check->candidate_count++] = tasks[i];
    for (size_t i = 0; !tasks && i < KEY_COUNT; i++)
        if (anole_task_parse_key(&check->candidates[check->candidate_count], task_keys[i], NULL) ==
            ANOLE_DONE)
            check->candidate_count++;
}

uint64_t anole_check_supported(const struct anole_check_context *check)
{
    uint64_t supported = 0;
    for (size_t i = 0; i < check->candidate_count; i++)
        if (anole_backend_supports(check->backend, check->device, &check->candidates[i]))
            supported |= UINT64_C(1) << i;
    return supported;
}

void anole_check_take_tasks(struct anole_check_context *check, uint64_t supported)
{
    check->task_count = 0;
    for (size_t i = 0; i < check->candidate_count; i++)
        if (supported >> i & 1)
            check->tasks[check->task_count++] = check->candidates[i];
}

static bool is_among(uint64_t config, const uint64_t *configs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (configs[i] == config)
            return true;
    return false;
}

size_t anole_check_sample(const struct anole_check_context *check,
                          const struct anole_generator *generator, uint64_t *configs)
{
    const struct anole_space *space = anole_generator_space(generator);
    char key[ANOLE_TASK_KEY];
    struct anole_rng root, rng;
    anole_task_key(key, anole_generator_task(generator));
    anole_rng_init(&root, check->seed);
    anole_rng_fork(&rng, &root, key);
    size_t count = 0;
    configs[count++] = anole_space_default(space);
    for (uint32_t tries = 0; count < check->samples && tries < 16 * check->samples; tries++) {
        uint64_t config;
        if (!anole_space_sample(space, &rng, &config))
            break;
        if (!is_among(config, configs, count))
            configs[count++] = config;
    }
    return count;
}

/* The kernels of one task. */
static enum anole_status add_kernels(struct anole_check_context *check,
                                     const struct anole_task *task, uint64_t *number, size_t *count,
                                     size_t *refused, struct anole_error *error)
{
    struct anole_generator *generator = NULL;
    uint64_t *configs = malloc((check->samples + 1) * sizeof *configs);
    enum anole_status status =
        configs ? anole_generator_create(&generator, check->backend, check->device, task, error)
                : anole_fail_memory(error);
    size_t configs_count = status == ANOLE_DONE ? anole_check_sample(check, generator, configs) : 0;
    for (size_t i = 0; i < configs_count && status == ANOLE_DONE; i++) {
        struct anole_generated *generated = NULL;
        struct anole_error why = {.status = ANOLE_DONE};
        status = anole_generator_kernel(&generated, generator, configs[i], &why);
        if (status == ANOLE_DONE) {
            *number = anole_hash_combine(*number, generated->source_hash);
            ++*count;
        } else if (status == ANOLE_ERR_INPUT) {
            *number = anole_hash_combine(*number, 1);
            ++*refused;
            status = ANOLE_DONE;
        } else {
            anole_fail(error, status, "%s", why.text);
        }
        anole_generated_destroy(generated);
    }
    anole_generator_destroy(generator);
    free(configs);
    return status;
}

enum anole_status anole_check_kernels(struct anole_check_context *check, uint64_t *number,
                                      size_t *count, size_t *refused, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    *number = 0;
    *count = *refused = 0;
    for (size_t i = 0; i < check->task_count && status == ANOLE_DONE; i++)
        status = add_kernels(check, &check->tasks[i], number, count, refused, error);
    return status;
}
