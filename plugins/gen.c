/* SPDX-License-Identifier: MIT */
#include "gen.h"
#include "gen_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ----------------------------------------------------------- design space */

static void fail(struct gen_space *space, int status)
{
    if (!space->status)
        space->status = status;
}

/* Position of `preferred` in values, or of the largest value below it. */
static uint32_t nearest(const int64_t *values, uint32_t count, int64_t preferred)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < count && values[i] <= preferred; i++)
        at = i;
    return at;
}

/* Is the knob that comes next another generator's? */
static bool is_shared(const struct gen_space *space)
{
    const struct gen_generator *g = space->generator;
    return space->several && g->shares && space->knob_count >= g->knob_count - g->shared_count;
}

static void add(struct gen_space *space, struct anole_knob *knob, int64_t preferred)
{
    bool chosen = space->chosen;
    if (space->status)
        return;
    if (space->phase == GEN_SPACE_PREFERENCES && is_shared(space))
        space->preferences[space->preference_count++] = preferred;
    if (space->phase != GEN_SPACE_KNOBS || is_shared(space))
        return;
    if (space->knob_count < space->preference_count) {
        preferred = space->preferences[space->knob_count];
        chosen = true;
    }
    knob->size = sizeof *knob;
    knob->default_index = chosen ? nearest(knob->values, knob->count, preferred) : 0;
    fail(space, space->builder->knob(space->builder, knob));
}

/* Holds a knob at its first value wherever another algorithm is chosen. */
static void pin(struct gen_space *space, const char *name, int64_t first)
{
    char text[160], other[48] = "";
    if (space->status || space->phase != GEN_SPACE_CONSTRAINTS || !space->several ||
        is_shared(space))
        return;
    if (space->knob_count < space->sharer_count)
        snprintf(other, sizeof other, "algorithm == %" PRId64 " or ", space->sharer);
    snprintf(text, sizeof text, "%salgorithm == %" PRId64 " or %s == %" PRId64, other,
             space->algorithm, name, first);
    fail(space,
         space->builder->constraint(space->builder, text, "the knob belongs to another algorithm"));
}

void gen_space_ordinal(struct gen_space *space, const char *name, const int64_t *values,
                       uint32_t count, int64_t preferred)
{
    struct anole_knob knob = {
        .kind = ANOLE_KNOB_ORDINAL, .name = name, .values = values, .count = count};
    add(space, &knob, preferred);
    pin(space, name, values[0]);
    space->knob_count++;
}

void gen_space_categorical(struct gen_space *space, const char *name, const char *const *labels,
                           uint32_t count, int64_t preferred)
{
    int64_t values[GEN_MAX_VALUES];
    for (uint32_t i = 0; i < GEN_MAX_VALUES; i++)
        values[i] = i;
    struct anole_knob knob = {.kind = ANOLE_KNOB_CATEGORICAL,
                              .name = name,
                              .values = values,
                              .count = count,
                              .labels = labels};
    if (count > GEN_MAX_VALUES) {
        fail(space, ANOLE_BAD_REQUEST);
        return;
    }
    add(space, &knob, preferred);
    pin(space, name, 0);
    space->knob_count++;
}

void gen_space_constraint(struct gen_space *space, const char *why, const char *format, ...)
{
    char own[512], text[640];
    if (space->status || space->phase != GEN_SPACE_CONSTRAINTS)
        return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(own, sizeof own, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof own) {
        fail(space, ANOLE_BAD_REQUEST);
        return;
    }
    if (space->several)
        snprintf(text, sizeof text, "algorithm != %" PRId64 " or (%s)", space->algorithm, own);
    else
        memcpy(text, own, (size_t)n + 1);
    fail(space, space->builder->constraint(space->builder, text, why));
}

/* --------------------------------------------------------- lists of values */

uint32_t gen_range(int64_t *list, int64_t first, int64_t last)
{
    uint32_t count = 0;
    list[count++] = first;
    for (int64_t value = first + 1; value <= last && count < GEN_MAX_VALUES; value++)
        list[count++] = value;
    return count;
}

uint32_t gen_powers(int64_t *list, int64_t first, int64_t last)
{
    uint32_t count = 0;
    list[count++] = first;
    for (int64_t value = 2 * first; value <= last && count < GEN_MAX_VALUES; value *= 2)
        list[count++] = value;
    return count;
}

uint32_t gen_divisors(int64_t *list, int64_t n, int64_t least)
{
    uint32_t count = 0;
    for (int64_t value = gen_max(1, least); value < n && count < GEN_MAX_VALUES - 1; value++)
        if (n % value == 0)
            list[count++] = value;
    list[count++] = n;
    return count;
}

/* ----------------------------------------------------------------- kernel */

void gen_emit_text(struct gen_emit *emit, const char *text)
{
    if (!emit->status)
        emit->status = emit->builder->source(emit->builder, text, strlen(text));
}

void gen_emit_define(struct gen_emit *emit, const char *name, int64_t value)
{
    char line[128];
    snprintf(line, sizeof line, "#define %s %" PRId64 "\n", name, value);
    gen_emit_text(emit, line);
}

/* erf as kernels/op_elementwise.cl has it: a driver's own may be ten times as slow. */
static const char erf_text[] =
    "#define ERF_BOUND(T, v) \\\n"
    "    ((v) < (T)(-4.0f) ? (T)(-4.0f) : (v) > (T)(4.0f) ? (T)(4.0f) : (v))\n"
    "#define ERF(T, v) ((v) * ERF_P(T, (v) * (v)) / ERF_Q(T, (v) * (v)))\n"
    "#define ERF_P(T, y) \\\n"
    "    ((((((T)(1.98651455144e-6f) * (y) + (T)(0.000284497800981f)) * (y) + \\\n"
    "        (T)(0.00388197946583f)) * (y) + (T)(0.0530974860669f)) * (y) + \\\n"
    "      (T)(0.193518540493f)) * (y) + (T)(1.12837913978f))\n"
    "#define ERF_Q(T, y) \\\n"
    "    ((((((T)(3.74137910594e-5f) * (y) + (T)(0.00118516860957f)) * (y) + \\\n"
    "        (T)(0.015204575828f)) * (y) + (T)(0.11533834954f)) * (y) + \\\n"
    "      (T)(0.504833907674f)) * (y) + (T)(1.0f))\n";

/* The activation of x, a variable of a type T, float or a vector of them, in OpenCL C; NULL:
 * not known.  relu and relu6 are the templates' own.  A NaN stays one. */
static const char *activation_of(uint32_t activation)
{
#define C(x) "(T)(" #x "f)"
    switch (activation) {
    case ANOLE_ACT_LEAKY_RELU:
        return "(x) < " C(0.0) " ? ALPHA(T) * (x) : (x)";
    case ANOLE_ACT_CLIP:
        return "(x) < ALPHA(T) ? ALPHA(T) : (x) > BETA(T) ? BETA(T) : (x)";
    case ANOLE_ACT_SIGMOID:
        return C(1.0) " / (" C(1.0) " + exp(-(x)))";
    case ANOLE_ACT_SILU:
        return "(x) / (" C(1.0) " + exp(-ALPHA(T) * (x)))";
    case ANOLE_ACT_TANH:
        return "tanh(x)";
    case ANOLE_ACT_HARD_SIGMOID:
        return "ALPHA(T) * (x) + BETA(T) < " C(0.0) " ? " C(0.0) " : ALPHA(T) * (x) + BETA(T) > " C(
            1.0) " ? " C(1.0) " : ALPHA(T) * (x) + BETA(T)";
    case ANOLE_ACT_HARD_SWISH:
        return "(x) < " C(-3.0) " ? " C(0.0) " : (x) > " C(3.0) " ? (x) : (x) * ((x) * " C(
            0.166666667) " + " C(0.5) ")";
    case ANOLE_ACT_ELU:
        return "(x) < " C(0.0) " ? ALPHA(T) * expm1(x) : (x)";
    case ANOLE_ACT_GELU:
        return C(0.5) " * (x) * (" C(1.0) " + ERF(T, ERF_BOUND(T, (x) * " C(0.707106781) ")))";
    case ANOLE_ACT_GELU_TANH:
        return C(0.5) " * (x) * (" C(1.0) " + tanh(" C(0.797884561) " * ((x) + " C(
            0.044715) " * (x) * (x) * (x))))";
    default:
        return NULL;
    }
#undef C
}

void gen_emit_task(struct gen_emit *emit, const struct anole_task *task)
{
    const struct {
        const char *name;
        int64_t value;
    } defines[] = {
        {"N", task->batch},
        {"H", task->in_h},
        {"W", task->in_w},
        {"C", task->in_c},
        {"K", task->out_c},
        {"G", task->groups},
        {"R", task->kernel_h},
        {"S", task->kernel_w},
        {"P", task->out_h},
        {"Q", task->out_w},
        {"CG", task->in_c / task->groups},
        {"KG", task->out_c / task->groups},
        {"STRIDE_H", task->stride_h},
        {"STRIDE_W", task->stride_w},
        {"DILATION_H", task->dilation_h},
        {"DILATION_W", task->dilation_w},
        {"PAD_H", task->pad_top},
        {"PAD_W", task->pad_left},
        {"ACTIVATION", task->activation},
        {"BIAS", (task->flags & ANOLE_TASK_BIAS) != 0},
        {"RESIDUAL", (task->flags & ANOLE_TASK_RESIDUAL) != 0},
        {"OUT_K", task->out_pitch ? task->out_pitch : task->out_c},
    };
    for (size_t i = 0; i < sizeof defines / sizeof *defines; i++)
        gen_emit_define(emit, defines[i].name, defines[i].value);
    if (task->activation == ANOLE_ACT_GELU)
        gen_emit_text(emit, erf_text);
    if (task->activation > ANOLE_ACT_RELU6) {
        char text[640];
        snprintf(text, sizeof text,
                 "#define ALPHA(T) (T)(%.9ef)\n#define BETA(T) (T)(%.9ef)\n#define ACTIVATE(T, x) "
                 "(%s)\n",
                 (double)task->alpha, (double)task->beta, activation_of(task->activation));
        gen_emit_text(emit, text);
    }
}

void gen_emit_launch(struct gen_emit *emit, const char *kernel, const struct anole_task *task,
                     uint64_t x, uint64_t y, uint64_t z, bool workspace)
{
    gen_emit_launch_with(emit, kernel, task, x, y, z, workspace, NULL, 0);
}

void gen_emit_launch_with(struct gen_emit *emit, const char *kernel, const struct anole_task *task,
                          uint64_t x, uint64_t y, uint64_t z, bool workspace,
                          const int64_t *numbers, uint32_t count)
{
    struct anole_launch launch = {
        .dimensions = 3, .kernel = kernel, .global = {x, y, z}, .local = {1, 1, 1}};
    launch.args[launch.arg_count++].role = ANOLE_ROLE_INPUT;
    launch.args[launch.arg_count++].role = ANOLE_ROLE_WEIGHTS;
    if (task->flags & ANOLE_TASK_BIAS)
        launch.args[launch.arg_count++].role = ANOLE_ROLE_BIAS;
    if (task->flags & ANOLE_TASK_RESIDUAL)
        launch.args[launch.arg_count++].role = ANOLE_ROLE_RESIDUAL;
    launch.args[launch.arg_count++].role = ANOLE_ROLE_OUTPUT;
    if (workspace)
        launch.args[launch.arg_count++].role = ANOLE_ROLE_WORKSPACE;
    for (uint32_t i = 0; i < count; i++)
        launch.args[launch.arg_count++] =
            (struct anole_arg){.role = ANOLE_ROLE_INT, .value = numbers[i]};
    gen_emit_raw_launch(emit, &launch);
}

void gen_emit_raw_launch(struct gen_emit *emit, const struct anole_launch *launch)
{
    struct anole_launch sized = *launch;
    sized.size = sizeof sized;
    if (!emit->status)
        emit->status = emit->builder->launch(emit->builder, &sized);
}

void gen_emit_packed_weights(struct gen_emit *emit, size_t bytes)
{
    if (!emit->status)
        emit->status = emit->builder->packed_weights(emit->builder, bytes);
}

void gen_emit_workspace(struct gen_emit *emit, size_t bytes)
{
    if (!emit->status)
        emit->status = emit->builder->workspace(emit->builder, bytes);
}

/* ----------------------------------------------------------- what they share */

double gen_balance(int64_t pieces, int64_t units)
{
    return (double)pieces / (double)(gen_ceil_div(pieces, units) * units);
}

double gen_task_operations(const struct anole_task *task)
{
    double outputs = (double)task->batch * task->out_h * task->out_w * task->out_c;
    return 2.0 * outputs * task->kernel_h * task->kernel_w * (task->in_c / task->groups);
}

bool gen_task_fits_pitched(const struct anole_task *task)
{
    struct anole_task dense = *task;
    double out = (double)task->batch * task->out_h * task->out_w * task->out_pitch;
    dense.out_pitch = 0;
    return (!task->out_pitch || task->out_pitch >= task->out_c) && out < 1u << 30 &&
           gen_task_fits(&dense);
}

bool gen_task_fits(const struct anole_task *task)
{
    const double limit = 1u << 30;
    double in = (double)task->batch * task->in_h * task->in_w * task->in_c;
    double out = (double)task->batch * task->out_h * task->out_w * task->out_c;
    double weights = (double)task->out_c * task->kernel_h * task->kernel_w * task->in_c;
    if (!task->groups || task->in_c % task->groups || task->out_c % task->groups)
        return false;
    /* Kernels address dense tensors; what is younger than they are is not theirs. */
    if (task->in_pitch || task->out_pitch || task->residual_pitch ||
        (task->flags & ~(uint32_t)(ANOLE_TASK_BIAS | ANOLE_TASK_RESIDUAL)) ||
        (task->activation > ANOLE_ACT_RELU6 && !activation_of(task->activation)))
        return false;
    if (!task->stride_h || !task->stride_w || !task->dilation_h || !task->dilation_w)
        return false;
    /* Packing may pad every group to a whole block. */
    double padded = weights / task->groups + 256.0 * task->groups * task->kernel_h *
                                                 task->kernel_w * (task->in_c / task->groups);
    return in > 0 && out > 0 && weights > 0 && in < limit && out < limit && padded < limit;
}

bool gen_product_fits(const struct anole_task *task)
{
    struct anole_task plain = *task;
    plain.flags &= ~(uint32_t)ANOLE_TASK_TRANSPOSE_B;
    return gen_task_fits(&plain) && (double)task->batch * task->in_c * task->out_c < 1u << 30;
}
