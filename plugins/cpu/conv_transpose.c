/* SPDX-License-Identifier: MIT
 *
 * Transposed convolution: kernels/conv_transpose.cl for any stride, padding, dilation, output
 * padding and number of groups.
 */
#include "generator.h"

#include "conv_transpose.cl.h"
#include "vector.cl.h"

#include <string.h>

enum knob {
    VECTOR_WIDTH, /* floats in a vector of output channels */
    VECTORS,      /* vectors of a block of channels */
    TILE_W,       /* output pixels worked on together, a stride apart */
    ROWS,         /* output rows of a work-group */
    KNOBS
};

static int64_t group_channels(const struct anole_task *task)
{
    return task->out_c / task->groups;
}

static int64_t block_count(const struct anole_task *task, const int64_t *v)
{
    return task->groups * gen_ceil_div(group_channels(task), v[VECTOR_WIDTH] * v[VECTORS]);
}

/* Pixels of a row that are a stride apart. */
static int64_t phase_width(const struct anole_task *task)
{
    return gen_ceil_div(task->out_w, task->stride_w);
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    return task->kind == ANOLE_TASK_CONV_TRANSPOSE2D && task->dtype == ANOLE_F32 &&
           gen_task_fits(task);
}

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    v[VECTOR_WIDTH] = 4;
    while (v[VECTOR_WIDTH] < cpu_simd_width(device) && v[VECTOR_WIDTH] < group_channels(task))
        v[VECTOR_WIDTH] *= 2;
    v[VECTORS] = group_channels(task) > v[VECTOR_WIDTH] ? 2 : 1;
    v[TILE_W] = gen_max(1, gen_min(phase_width(task), cpu_registers(device) / 2 / v[VECTORS] - 1));
    v[TILE_W] = gen_min(v[TILE_W], 8);
    v[ROWS] = 1;
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "transposed_width", list, n, v[VECTOR_WIDTH]);
    n = gen_range(list, 1, gen_min(4, gen_ceil_div(group_channels(task), 4)));
    gen_space_ordinal(space, "transposed_vectors", list, n, v[VECTORS]);
    n = gen_range(list, 1, gen_min(12, phase_width(task)));
    gen_space_ordinal(space, "transposed_tile", list, n, v[TILE_W]);
    n = gen_powers(list, 1, gen_min(64, task->out_h));
    gen_space_ordinal(space, "transposed_rows", list, n, v[ROWS]);

    gen_space_constraint(space, "the sums overflow the vector registers",
                         "4 * (transposed_tile * transposed_vectors + transposed_vectors + 1) <= "
                         "%lld",
                         (long long)(5 * cpu_registers(device)));
    gen_space_constraint(space, "a vector of outputs would hold padding alone",
                         "(transposed_vectors - 1) * transposed_width < %lld",
                         (long long)group_channels(task));
    gen_space_constraint(space, "half of a vector would do",
                         "transposed_width < %lld or transposed_width == 4",
                         (long long)(2 * group_channels(task)));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const int64_t block = v[VECTOR_WIDTH] * v[VECTORS];
    const int64_t groups = gen_ceil_div(task->out_h, v[ROWS]) * block_count(task, v) * task->batch;
    const double sums = (double)(v[TILE_W] * v[VECTORS]);
    const double depth = task->in_c / task->groups;

    f->operations = (double)(gen_ceil_div(group_channels(task), block) * block) /
                    (double)group_channels(task) *
                    (double)(gen_ceil_div(phase_width(task), v[TILE_W]) * v[TILE_W]) /
                    (double)phase_width(task);
    f->accumulators = sums;
    f->registers = (sums + (double)v[VECTORS] + 1) / (double)cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / (double)cpu_simd_width(device);
    f->loads = 1.0 / (double)v[TILE_W] + 1.0 / (double)v[VECTORS];
    f->inner_length = depth;
    f->l1_bytes = 4.0 * depth * (double)block / (double)cpu_l1_bytes(device);
    f->l2_bytes = 4.0 * depth * (double)block * task->kernel_h * task->kernel_w /
                  (double)cpu_l2_bytes(device);
    f->traffic = 1.0 / (double)v[TILE_W];
    f->groups = (double)groups / (double)cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = sums;
}

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const int64_t depth = task->in_c / task->groups;
    (void)device;
    gen_emit_task(emit, task);
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "VECTORS", v[VECTORS]);
    gen_emit_define(emit, "TILE_W", v[TILE_W]);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_conv_transpose);
    gen_emit_launch_with(emit, "conv_transpose", task, (uint64_t)gen_ceil_div(task->out_h, v[ROWS]),
                         (uint64_t)block_count(task, v), task->batch, false, &v[ROWS], 1);
    gen_emit_packed_weights(emit, (size_t)(block_count(task, v) * task->kernel_h * task->kernel_w *
                                           depth * v[VECTOR_WIDTH] * v[VECTORS]) *
                                      sizeof(float));
}

/* [K][R][S][C / G] -> [G][blocks][R][S][C / G][block], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const int64_t block = v[VECTOR_WIDTH] * v[VECTORS], depth = task->in_c / task->groups;
    const int64_t channels = group_channels(task), blocks = gen_ceil_div(channels, block);
    const int64_t length = (int64_t)task->kernel_h * task->kernel_w * depth;
    (void)device;
    memset(packed, 0, bytes);
    for (int64_t k = 0; k < task->out_c; k++) {
        const int64_t group = k / channels, within = k % channels;
        float *to = packed + (group * blocks + within / block) * length * block + within % block;
        for (int64_t i = 0; i < length; i++)
            to[i * block] = weights[k * length + i];
    }
}

const struct gen_generator cpu_conv_transpose = {
    .name = "transposed",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
