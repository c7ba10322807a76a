/* SPDX-License-Identifier: MIT
 *
 * Winograd convolution, in three launches: kernels/gpu_winograd.cl.  The product in
 * the middle is that of gemm.h, a matrix for each point; its knobs are those of the
 * other generator that comes down to one.
 */
#include "gemm.h"
#include "gen_half.h"
#include "gen_winograd.h"

#include "gpu.cl.h"
#include "gpu_winograd.cl.h"
#include "winograd_transform.cl.h"

#include <string.h>

enum knob {
    TILE,   /* outputs of a tile in a row: F(tile x tile, 3 x 3) */
    VECTOR, /* channels of a work-item of a transform */
    ITEMS,  /* work-items of a transform's work-group */
    GEMM,   /* from here on those of the product */
    KNOBS = GEMM + GEMM_KNOBS
};

#define MAX_SPACE (1 << 28) /* floats of transformed inputs and of products */

static struct gemm_shape shape_of(const struct anole_task *task, int64_t tile)
{
    const int64_t alpha = tile + 2;
    struct gemm_shape s = {
        .matrices = alpha * alpha,
        .rows = (int64_t)task->batch * gen_ceil_div(task->out_h, tile) *
                gen_ceil_div(task->out_w, tile),
        .columns = task->out_c,
        .depth = task->in_c,
        .vector = gpu_vector_of(task->in_c, 8),
        .wide = task->dtype == ANOLE_F16, /* the knobs are those of the other one */
    };
    s.a_pitch = task->in_c;
    s.a_batch = s.rows * s.a_pitch;
    s.out_pitch = task->out_c;
    s.out_batch = s.rows * s.out_pitch;
    s.tensors = (double)s.matrices * (double)(s.rows + task->out_c) * task->in_c +
                (double)s.matrices * (double)s.out_batch;
    return s;
}

/* Floats between transformed inputs and products, and of both. */
static int64_t products_at(const struct gemm_shape *s)
{
    return gen_ceil_div(s->matrices * s->a_batch, 64) * 64;
}

static int64_t space_floats(const struct gemm_shape *s)
{
    return products_at(s) + s->matrices * s->out_batch;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    if (task->kind != ANOLE_TASK_CONV2D || !gpu_task_fits(task) || task->groups != 1 ||
        task->kernel_h != 3 || task->kernel_w != 3 || task->stride_h != 1 || task->stride_w != 1 ||
        task->dilation_h != 1 || task->dilation_w != 1)
        return 0;
    if (gpu_max_group(device) < 32)
        return 0;
    const struct gemm_shape s = shape_of(task, 2);
    if (space_floats(&s) > MAX_SPACE ||
        (device->max_allocation && (uint64_t)space_floats(&s) * 4 > device->max_allocation))
        return 0;
    return task->in_c >= 32 && task->out_c >= 32 && task->out_h * task->out_w >= 16 ? 12 : 4;
}

/* ----------------------------------------------------------- design space */

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    v[TILE] = gen_min(task->out_h, task->out_w) > 2 ? 4 : 2;
    v[VECTOR] = gen_min(gpu_local_is_real(device) ? 2 : 4,
                        gpu_vector_of(task->in_c, gpu_vector_of(task->out_c, 4)));
    v[ITEMS] = gen_min(128, gpu_max_group(device)); /* or the next smaller one */
    const struct gemm_shape s = shape_of(task, v[TILE]);
    gemm_choose(device, &s, v + GEMM);
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    static const int64_t tiles[] = {2, 4, 6};
    static const int64_t vectors[] = {1, 2, 4};
    static const int64_t items[] = {32, 64, 128, 256};
    const struct gemm_shape s = shape_of(task, 2);
    int64_t v[KNOBS];
    choose_default(device, task, v);

    int64_t widest = gpu_vector_of(task->in_c, gpu_vector_of(task->out_c, 4));
    uint32_t widths = widest == 4 ? 3 : widest == 2 ? 2 : 1, sizes = 1;
    while (sizes < 4 && items[sizes] <= gpu_max_group(device))
        sizes++;
    gen_space_ordinal(space, "wino_tile", tiles, 3, v[TILE]);
    gen_space_ordinal(space, "wino_vector", vectors, widths, v[VECTOR]);
    gen_space_ordinal(space, "wino_items", items, sizes, v[ITEMS]);
    gen_space_constraint(space, "a tile's elements overflow the registers",
                         "(wino_tile + 2) ** 2 * wino_vector <= %d or wino_vector == 1", 160);
    gemm_declare(device, &s, v + GEMM, space);
}

static bool valid(const struct anole_device *device, const struct anole_task *task,
                  const int64_t *v)
{
    const struct gemm_shape s = shape_of(task, v[TILE]);
    (void)device;
    return gemm_valid(&s, v + GEMM);
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct gemm_shape s = shape_of(task, v[TILE]);
    gemm_features(device, &s, v + GEMM, f);
    /* Multiply-adds that the transform saves. */
    double covered = (double)s.rows * (double)(v[TILE] * v[TILE]) /
                     ((double)task->batch * task->out_h * task->out_w);
    f->operations *= covered * (double)s.matrices / (9.0 * (double)(v[TILE] * v[TILE]));
    f->vector_out = (double)v[VECTOR];
    f->launches = 3;
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    static const int input[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WORKSPACE, -1};
    static const int product[] = {ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_WORKSPACE, -1};
    static const int output[] = {ANOLE_ROLE_WORKSPACE, ANOLE_ROLE_BIAS, ANOLE_ROLE_RESIDUAL,
                                 ANOLE_ROLE_OUTPUT, -1};
    const struct gemm_shape s = shape_of(task, v[TILE]);
    const struct gemm_plan p = gemm_plan_of(&s, v + GEMM);

    gpu_emit_task(emit, device, task);
    gen_emit_define(emit, "TILE", v[TILE]);
    gen_emit_define(emit, "VW", v[VECTOR]);
    gen_emit_define(emit, "ITEMS", v[ITEMS]);
    gen_emit_define(emit, "PRODUCTS", products_at(&s));
    gen_emit_text(emit, kernel_gpu);
    gen_emit_text(emit, "typedef VEC(VW) vec;\n");
    gen_emit_text(emit, kernel_winograd_transform);
    gemm_emit(device, &s, v + GEMM, emit);
    gen_emit_text(emit, kernel_gpu_winograd);

    int64_t inputs = s.rows * task->in_c / v[VECTOR], outputs = s.rows * task->out_c / v[VECTOR];
    gpu_emit_launch(emit, "winograd_input", task, (int64_t[]){gen_ceil_div(inputs, v[ITEMS]), 1, 1},
                    v[ITEMS], input);
    gpu_emit_launch(emit, "winograd_product", task,
                    (int64_t[]){p.m_tiles * p.n_tiles, s.matrices, 1}, p.threads, product);
    gpu_emit_launch(emit, "winograd_output", task,
                    (int64_t[]){gen_ceil_div(outputs, v[ITEMS]), 1, 1}, v[ITEMS], output);
    gen_emit_workspace(emit, (size_t)space_floats(&s) * sizeof(float));
    gen_emit_packed_weights(emit, (size_t)p.weights * sizeof(float));
}

/* The 3 x 3 filter from input channel c to output channel k. */
static void get_filter(float filter[9], const struct anole_task *task, const float *weights,
                       int64_t k, int64_t c)
{
    for (int64_t i = 0; i < 9; i++) {
        const int64_t at = (k * 9 + i) * task->in_c + c;
        uint16_t half;
        if (task->dtype == ANOLE_F16) {
            memcpy(&half, (const char *)weights + 2 * at, sizeof half);
            filter[i] = gen_half_value(half);
        } else {
            filter[i] = weights[at];
        }
    }
}

/* [K][3][3][C] -> for each point, [tiles][C, padded][tile]. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const struct gemm_shape s = shape_of(task, v[TILE]);
    const struct gemm_plan p = gemm_plan_of(&s, v + GEMM);
    double g[GEN_WINOGRAD_ALPHA][3], u[GEN_WINOGRAD_ALPHA * GEN_WINOGRAD_ALPHA];
    (void)device;

    memset(packed, 0, bytes);
    gen_winograd_filter(v[TILE], g);
    for (int64_t k = 0; k < s.columns; k++)
        for (int64_t c = 0; c < s.depth; c++) {
            float filter[9];
            get_filter(filter, task, weights, k, c);
            gen_winograd_weights(v[TILE] + 2, g, filter, 1, u);
            for (int64_t i = 0; i < s.matrices; i++)
                packed[gemm_place(&p, v + GEMM, i, c, k)] = (float)u[i];
        }
}

const struct gen_generator gpu_winograd = {
    .name = "winograd",
    .knob_count = KNOBS,
    .shares = &gpu_conv_gemm,
    .shared_count = GEMM_KNOBS,
    .supports = supports,
    .space = space,
    .valid = valid,
    .features = features,
    .generate = generate,
    .pack = pack,
};
