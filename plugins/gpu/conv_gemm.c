/* SPDX-License-Identifier: MIT
 *
 * Convolution, pointwise convolution and dense layers as one product of matrices,
 * with any stride, padding, dilation and number of groups: kernels/gpu_gemm.cl.
 */
#include "conv_gemm.h"

#include "gpu.cl.h"

#include <string.h>

/* Is the input already the matrix, row by row? */
static bool is_matrix(const struct anole_task *task)
{
    return task->kernel_h == 1 && task->kernel_w == 1 && task->stride_h == 1 &&
           task->stride_w == 1 && !task->pad_top && !task->pad_left && !task->pad_bottom &&
           !task->pad_right;
}

/* May a tap of the filter miss the input? */
static bool may_miss(const struct anole_task *task)
{
    int64_t last_y = (int64_t)(task->out_h - 1) * task->stride_h +
                     (int64_t)(task->kernel_h - 1) * task->dilation_h;
    int64_t last_x = (int64_t)(task->out_w - 1) * task->stride_w +
                     (int64_t)(task->kernel_w - 1) * task->dilation_w;
    return task->pad_top || task->pad_left || last_y >= task->in_h || last_x >= task->in_w;
}

struct gemm_shape conv_gemm_shape(const struct anole_task *task)
{
    const int64_t cg = task->in_c / task->groups, kg = task->out_c / task->groups;
    struct gemm_shape s = {
        .matrices = task->groups,
        .rows = (int64_t)task->batch * task->out_h * task->out_w,
        .columns = kg,
        .depth = cg * task->kernel_h * task->kernel_w,
        .vector = gpu_vector_of(cg, 8),
        .pixels = !is_matrix(task),
        .checked = may_miss(task),
        .may_split = true,
        .finish = true,
        .wide = task->dtype == ANOLE_F16,
        .a_pitch = task->in_c,
        .a_batch = cg,
        .out_pitch = task->out_c,
        .out_batch = kg,
    };
    s.tensors = (double)task->batch * task->in_h * task->in_w * task->in_c +
                (double)s.rows * task->out_c + (double)s.depth * task->out_c;
    return s;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    if (task->kind != ANOLE_TASK_CONV2D && task->kind != ANOLE_TASK_DENSE)
        return 0;
    if (!gpu_task_fits(task) || task->groups > 4096)
        return 0;
    const struct gemm_shape s = conv_gemm_shape(task);
    /* Narrow groups, and dense layers of few rows, leave most of a tile empty. */
    if (task->groups > 1 && s.columns < 16)
        return 3;
    return task->kind == ANOLE_TASK_DENSE && s.rows < 16 ? 3 : 10;
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    int64_t preferred[GEMM_KNOBS];
    gemm_choose(device, &s, preferred);
    gemm_declare(device, &s, preferred, space);
}

static bool valid(const struct anole_device *device, const struct anole_task *task,
                  const int64_t *v)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    (void)device;
    return gemm_valid(&s, v);
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    gemm_features(device, &s, v, f);
}

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    gpu_emit_task(emit, device, task);
    gen_emit_text(emit, kernel_gpu);
    gemm_emit(device, &s, v, emit);
    const struct gemm_plan p = gemm_plan_of(&s, v);
    gemm_launch(device, task, &s, &p, emit);
}

/* [K][R][S][CG] -> [G][tiles][R S CG, padded][tile], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    const struct gemm_plan p = gemm_plan_of(&s, v);
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t k = 0; k < task->out_c; k++)
        for (int64_t d = 0; d < s.depth; d++)
            gpu_copy_element(task, packed, gemm_place(&p, v, k / s.columns, d, k % s.columns),
                             weights, (size_t)(k * s.depth + d));
}

const struct gen_generator gpu_conv_gemm = {
    .name = "gemm",
    .knob_count = GEMM_KNOBS,
    .supports = supports,
    .space = space,
    .valid = valid,
    .features = features,
    .generate = generate,
    .pack = pack,
};
