/* SPDX-License-Identifier: MIT
 *
 * Direct convolution: kernels/gpu_direct.cl, for any stride, padding, dilation and
 * number of groups.
 */
#include "generator.h"
#include "mma.h"

#include "gpu.cl.h"
#include "gpu_direct.cl.h"
#include "gpu_patch.cl.h"

#include <string.h>

enum knob {
    ITEMS_K, /* work-items of a work-group, by vectors of output channels */
    ITEMS_W, /* by columns */
    ITEMS_H, /* by rows */
    WORK_K,  /* vectors of output channels of a work-item */
    WORK_W,  /* its columns */
    WORK_H,  /* and rows */
    VECTOR,  /* output channels of a vector */
    LOADS,   /* floats of a load of inputs */
    BLOCK_C, /* input channels of a staged patch */
    STAGE,   /* does the input come by way of local memory? */
    UNROLL,  /* of the loop over input channels */
    ORDER,   /* which work-groups follow each other? */
    KNOBS
};

enum { CHANNELS_FIRST, PIXELS_FIRST };
enum { FROM_MEMORY, FROM_LOCAL };

#define MAX_CODE 2048 /* multiply-adds of unrolled code */

struct plan {
    int64_t cg, kg, threads, block_k, k_blocks, tiles, patch, groups, registers, weights;
};

static int64_t seen(int64_t outputs, int64_t stride, int64_t kernel, int64_t dilation)
{
    return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

static struct plan plan_of(const struct anole_task *t, const int64_t *v)
{
    struct plan p = {.cg = t->in_c / t->groups, .kg = t->out_c / t->groups};
    const int64_t group_w = v[ITEMS_W] * v[WORK_W], group_h = v[ITEMS_H] * v[WORK_H];
    p.threads = v[ITEMS_K] * v[ITEMS_W] * v[ITEMS_H];
    p.block_k = v[ITEMS_K] * v[WORK_K] * v[VECTOR];
    p.k_blocks = gen_ceil_div(p.kg, p.block_k);
    p.tiles = gen_ceil_div(t->out_h, group_h) * gen_ceil_div(t->out_w, group_w);
    p.patch = v[STAGE] == FROM_LOCAL
                  ? seen(group_h, t->stride_h, t->kernel_h, t->dilation_h) *
                        seen(group_w, t->stride_w, t->kernel_w, t->dilation_w) * v[BLOCK_C]
                  : 0;
    p.groups = p.tiles * p.k_blocks * t->groups * t->batch;
    p.registers = v[WORK_H] * v[WORK_W] * (v[WORK_K] * v[VECTOR] + v[LOADS]) + v[VECTOR] + 24;
    p.weights = t->groups * p.k_blocks * t->kernel_h * t->kernel_w * p.cg * p.block_k;
    return p;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    if (task->kind != ANOLE_TASK_CONV2D || !gpu_task_fits(task) || gpu_mma_serves(device, task))
        return 0;
    return task->groups <= 65535 && task->batch <= 65535 ? 5 : 0;
}

/* ----------------------------------------------------------- design space */

static bool overflows(const struct anole_device *device, const struct anole_task *task,
                      const int64_t *v)
{
    const struct plan p = plan_of(task, v);
    return p.threads > gpu_max_group(device) || p.registers > gpu_registers(device);
}

/* Work-items next to each other take channels next to each other, as many as there
 * are; the rest of a work-group goes along a row. */
static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    const int64_t cg = task->in_c / task->groups, kg = task->out_c / task->groups;
    v[VECTOR] = kg >= 64 ? 4 : kg >= 16 ? 2 : 1;
    v[WORK_K] = 1;
    v[ITEMS_K] = 1;
    while (2 * v[ITEMS_K] <= 32 && v[ITEMS_K] * v[VECTOR] < kg)
        v[ITEMS_K] *= 2;
    v[WORK_W] = gen_min(task->out_w, 4);
    v[WORK_H] = gen_min(task->out_h, 2);
    v[ITEMS_W] = v[ITEMS_H] = 1;
    while (v[ITEMS_K] * v[ITEMS_W] < 64 && v[ITEMS_W] < 16 && v[ITEMS_W] * v[WORK_W] < task->out_w)
        v[ITEMS_W] *= 2;
    while (v[ITEMS_K] * v[ITEMS_W] * v[ITEMS_H] < 64 && v[ITEMS_H] < 16 &&
           v[ITEMS_H] * v[WORK_H] < task->out_h)
        v[ITEMS_H] *= 2;
    v[LOADS] = gpu_vector_of(cg, 4);
    v[BLOCK_C] = cg;
    v[STAGE] = FROM_MEMORY;
    v[UNROLL] = 1;
    v[ORDER] = CHANNELS_FIRST;
    static const int spare[] = {WORK_H, WORK_W, LOADS, VECTOR, ITEMS_H, ITEMS_W, ITEMS_K};
    for (size_t i = 0; i < sizeof spare / sizeof *spare; i++)
        while (overflows(device, task, v) && v[spare[i]] > 1)
            v[spare[i]] /= 2;
}

/* Channels of a patch, which divide all of them: 4, 8, 16, 32 and all. */
static uint32_t block_sizes(int64_t channels, int64_t blocks[5])
{
    uint32_t count = 0;
    for (int64_t size = 4; size <= 32 && size < channels; size *= 2)
        if (channels % size == 0)
            blocks[count++] = size;
    blocks[count++] = channels;
    return count;
}

static void declare_knobs(const struct anole_device *device, const struct anole_task *task,
                          struct gen_space *space)
{
    static const int64_t powers[] = {1, 2, 4, 8, 16, 32};
    static const int64_t work[] = {1, 2, 3, 4, 6, 8};
    static const int64_t unrolls[] = {1, 4};
    static const char *const stages[] = {"memory", "local"};
    static const char *const orders[] = {"channels-first", "pixels-first"};
    const int64_t cg = task->in_c / task->groups;
    const uint32_t loads = cg % 4 == 0 ? 3 : cg % 2 == 0 ? 2 : 1;
    int64_t blocks[5], v[KNOBS];
    choose_default(device, task, v);

    gen_space_ordinal(space, "direct_items_k", powers, 6, v[ITEMS_K]);
    gen_space_ordinal(space, "direct_items_w", powers, 5, v[ITEMS_W]);
    gen_space_ordinal(space, "direct_items_h", powers, 4, v[ITEMS_H]);
    gen_space_ordinal(space, "direct_work_k", powers, 3, v[WORK_K]);
    gen_space_ordinal(space, "direct_work_w", work, (uint32_t)gen_min(6, task->out_w), v[WORK_W]);
    gen_space_ordinal(space, "direct_work_h", work, (uint32_t)gen_min(6, task->out_h), v[WORK_H]);
    gen_space_ordinal(space, "direct_vector", powers, 3, v[VECTOR]);
    gen_space_ordinal(space, "direct_loads", powers, loads, v[LOADS]);
    gen_space_ordinal(space, "direct_block_c", blocks, block_sizes(cg, blocks), v[BLOCK_C]);
    gen_space_categorical(space, "direct_stage", stages, 2, v[STAGE]);
    gen_space_ordinal(space, "direct_unroll", unrolls, 2, v[UNROLL]);
    gen_space_categorical(space, "direct_order", orders, 2, v[ORDER]);
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    const int64_t kg = task->out_c / task->groups;
    declare_knobs(device, task, space);
    gen_space_constraint(space, "a work-group has more work-items than the device takes",
                         "direct_items_k * direct_items_w * direct_items_h <= %lld",
                         NUM(gpu_max_group(device)));
    gen_space_constraint(space, "the sums of a work-item overflow its registers",
                         "direct_work_h * direct_work_w * (direct_work_k * direct_vector + "
                         "direct_loads) + direct_vector + 24 <= %lld",
                         NUM(gpu_registers(device)));
    gen_space_constraint(space, "too much code to compile",
                         "direct_work_h * direct_work_w * direct_work_k * direct_loads * "
                         "direct_unroll <= %d",
                         MAX_CODE);
    gen_space_constraint(space, "half of the output channels would do",
                         "direct_items_k * direct_work_k * direct_vector < %lld",
                         NUM(gen_max(2 * kg, 2)));
    gen_space_constraint(space, "half of the columns would do",
                         "direct_items_w * direct_work_w < %lld", NUM(2 * task->out_w));
    gen_space_constraint(space, "half of the rows would do",
                         "direct_items_h * direct_work_h < %lld", NUM(2 * task->out_h));
    gen_space_constraint(space, "a patch is no whole vectors",
                         "direct_block_c %% direct_loads == 0");
    gen_space_constraint(space, "what is not staged comes with all channels",
                         "direct_stage == %d or direct_block_c == %lld", FROM_LOCAL,
                         NUM(task->in_c / task->groups));
    gen_space_constraint(
        space, "the patch overflows local memory",
        "direct_stage == %d or ((direct_items_h * direct_work_h - 1) * %u + %lld) * "
        "((direct_items_w * direct_work_w - 1) * %u + %lld) * direct_block_c <= %lld",
        FROM_MEMORY, task->stride_h, NUM(seen(1, 1, task->kernel_h, task->dilation_h)),
        task->stride_w, NUM(seen(1, 1, task->kernel_w, task->dilation_w)),
        NUM(gpu_local_bytes(device) / 4));
}

static bool valid(const struct anole_device *device, const struct anole_task *task,
                  const int64_t *v)
{
    const struct plan p = plan_of(task, v);
    (void)device;
    return p.weights < 1 << 30;
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct plan p = plan_of(task, v);
    const double pixels = (double)(v[ITEMS_W] * v[WORK_W] * v[ITEMS_H] * v[WORK_H]);
    const double outputs = (double)task->out_h * task->out_w;
    const double sums = (double)(v[WORK_H] * v[WORK_W] * v[WORK_K] * v[VECTOR]);
    const double taps = (double)task->kernel_h * task->kernel_w;
    const double inputs = v[STAGE] == FROM_LOCAL ? (double)p.patch / (double)v[BLOCK_C] / taps
                                                 : pixels * (double)v[ITEMS_K];

    f->operations =
        (double)p.tiles * pixels / outputs * (double)(p.k_blocks * p.block_k) / (double)p.kg;
    f->threads = (double)p.threads / (double)gpu_wave(device);
    f->groups = (double)p.groups / (double)gpu_units(device);
    f->quantisation = gen_balance(p.groups, gpu_units(device));
    f->occupancy = gpu_occupancy(device, p.threads, p.registers, 4 * p.patch);
    f->registers = (double)p.registers / (double)gpu_registers(device);
    f->local_bytes = 4.0 * (double)p.patch / (double)gen_max(gpu_local_bytes(device), 1);
    f->intensity =
        pixels * (double)p.block_k / (inputs + (double)(p.block_k * v[ITEMS_W] * v[ITEMS_H]));
    f->reads = ((double)(v[WORK_H] * v[WORK_W]) / (double)v[LOADS] + (double)v[WORK_K]) / sums;
    f->tile_bytes = (double)p.patch / (double)gpu_unit_registers(device);
    f->traffic = (double)p.groups * (inputs + (double)p.block_k) * taps * (double)p.cg /
                 ((double)task->batch *
                      (outputs * task->out_c + (double)task->in_h * task->in_w * task->in_c) +
                  (double)p.kg * task->in_c * taps);
    f->depth = taps * (double)p.cg / (double)v[BLOCK_C];
    f->vector_in = (double)v[LOADS];
    f->vector_out = (double)v[VECTOR];
    f->parts = 1;
    f->launches = 1;
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    static const int roles[] = {ANOLE_ROLE_INPUT,    ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                ANOLE_ROLE_RESIDUAL, ANOLE_ROLE_OUTPUT,  -1};
    const struct plan p = plan_of(task, v);

    gpu_emit_task(emit, device, task);
    gen_emit_define(emit, "ITEMS_K", v[ITEMS_K]);
    gen_emit_define(emit, "ITEMS_W", v[ITEMS_W]);
    gen_emit_define(emit, "ITEMS_H", v[ITEMS_H]);
    gen_emit_define(emit, "WORK_K", v[WORK_K]);
    gen_emit_define(emit, "WORK_W", v[WORK_W]);
    gen_emit_define(emit, "WORK_H", v[WORK_H]);
    gen_emit_define(emit, "VEC_K", v[VECTOR]);
    gen_emit_define(emit, "VEC_C", v[LOADS]);
    gen_emit_define(emit, "PATCH_C", v[BLOCK_C]);
    gen_emit_define(emit, "STAGE", v[STAGE] == FROM_LOCAL);
    gen_emit_define(emit, "UNROLL", v[UNROLL]);
    gen_emit_define(emit, "CHANNELS_FIRST", v[ORDER] == CHANNELS_FIRST);
    gen_emit_text(emit, kernel_gpu);
    gen_emit_text(emit, kernel_gpu_patch);
    gen_emit_text(emit, kernel_gpu_direct);
    gpu_emit_launch(emit, "direct", task,
                    (int64_t[]){p.tiles * p.k_blocks, task->groups, task->batch}, p.threads, roles);
    gen_emit_packed_weights(emit, (size_t)p.weights * gpu_element_bytes(task));
}

/* [K][R][S][CG] -> [G][blocks][R][S][CG][block], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const struct plan p = plan_of(task, v);
    const int64_t depth = p.cg * task->kernel_h * task->kernel_w;
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t k = 0; k < task->out_c; k++) {
        const int64_t in_group = k % p.kg;
        const int64_t block = k / p.kg * p.k_blocks + in_group / p.block_k;
        const int64_t to = block * depth * p.block_k + in_group % p.block_k;
        for (int64_t d = 0; d < depth; d++)
            gpu_copy_element(task, packed, (size_t)(to + d * p.block_k), weights,
                             (size_t)(k * depth + d));
    }
}

const struct gen_generator gpu_direct = {
    .name = "direct",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .valid = valid,
    .features = features,
    .generate = generate,
    .pack = pack,
};
