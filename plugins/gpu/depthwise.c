/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution: kernels/gpu_depthwise.cl.
 */
#include "generator.h"

#include "gpu.cl.h"
#include "gpu_depthwise.cl.h"
#include "gpu_patch.cl.h"

enum knob {
    ITEMS_K, /* work-items of a work-group, by vectors of channels */
    ITEMS_W, /* by columns */
    ITEMS_H, /* by rows */
    WORK_W,  /* columns of a work-item */
    WORK_H,  /* and rows */
    STRIPS,  /* tiles of a work-group, one below the other */
    VECTOR,  /* channels of a vector */
    STAGE,   /* does the input come by way of local memory? */
    REUSE,   /* what is loaded at a time: a tap's inputs, or a row's */
    FILTER,  /* where the filter is: in memory, or in registers */
    ORDER,   /* which work-groups follow each other? */
    KNOBS
};

enum { FROM_MEMORY, FROM_LOCAL };
enum { BY_TAPS, BY_ROWS };
enum { CHANNELS_FIRST, PIXELS_FIRST };

#define MAX_CODE 2048 /* multiply-adds of unrolled code */

struct plan {
    int64_t threads, block_k, k_blocks, tiles, patch, groups, registers;
    int64_t row; /* columns of the input that a work-item sees */
};

static int64_t seen(int64_t outputs, int64_t stride, int64_t kernel, int64_t dilation)
{
    return (outputs - 1) * stride + (kernel - 1) * dilation + 1;
}

static int64_t taps_of(const struct anole_task *t)
{
    return (int64_t)t->kernel_h * t->kernel_w;
}

static struct plan plan_of(const struct anole_task *t, const int64_t *v)
{
    struct plan p = {.threads = v[ITEMS_K] * v[ITEMS_W] * v[ITEMS_H]};
    const int64_t group_w = v[ITEMS_W] * v[WORK_W], group_h = v[ITEMS_H] * v[WORK_H];
    p.block_k = v[ITEMS_K] * v[VECTOR];
    p.k_blocks = gen_ceil_div(t->out_c, p.block_k);
    p.tiles =
        gen_ceil_div(gen_ceil_div(t->out_h, group_h), v[STRIPS]) * gen_ceil_div(t->out_w, group_w);
    p.patch = v[STAGE] == FROM_LOCAL
                  ? seen(group_h, t->stride_h, t->kernel_h, t->dilation_h) *
                        seen(group_w, t->stride_w, t->kernel_w, t->dilation_w) * p.block_k
                  : 0;
    p.groups = p.tiles * p.k_blocks * t->batch;
    p.row = seen(v[WORK_W], t->stride_w, t->kernel_w, t->dilation_w);
    p.registers = v[VECTOR] * (v[WORK_H] * v[WORK_W] + (v[REUSE] == BY_ROWS ? p.row : 1) +
                               (v[FILTER] ? taps_of(t) : 1)) +
                  24;
    return p;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    if (task->kind != ANOLE_TASK_DEPTHWISE_CONV2D || !gpu_task_fits(task))
        return 0;
    return task->batch <= 65535 ? 10 : 0;
}

/* Vectors are of channels that follow each other in both input and output. */
static int64_t widest(const struct anole_task *task)
{
    return task->out_c == task->in_c ? gpu_vector_of(task->out_c, 8) : 1;
}

/* ----------------------------------------------------------- design space */

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    const int64_t most = gen_min(128, gpu_max_group(device));
    v[VECTOR] = gen_min(widest(task), gpu_local_is_real(device) ? 2 : 4);
    v[ITEMS_K] = v[ITEMS_W] = v[ITEMS_H] = 1;
    v[WORK_W] = gen_min(task->out_w, 4);
    v[WORK_H] = gen_min(task->out_h, 2);
    while (2 * v[ITEMS_K] <= gen_min(most, 64) && v[ITEMS_K] * v[VECTOR] < task->out_c)
        v[ITEMS_K] *= 2;
    while (2 * v[ITEMS_K] * v[ITEMS_W] <= most && v[ITEMS_W] < 16 &&
           v[ITEMS_W] * v[WORK_W] < task->out_w)
        v[ITEMS_W] *= 2;
    v[STRIPS] = 1;
    v[STAGE] = FROM_MEMORY;
    v[FILTER] = 0;
    v[ORDER] = CHANNELS_FIRST;
    v[REUSE] = BY_ROWS;
    if (seen(v[WORK_W], task->stride_w, task->kernel_w, task->dilation_w) > 12 ||
        v[WORK_H] * v[WORK_W] * taps_of(task) > MAX_CODE / 4)
        v[REUSE] = BY_TAPS;
    static const int spare[] = {VECTOR, WORK_H, WORK_W};
    for (size_t i = 0; i < sizeof spare / sizeof *spare; i++)
        while (plan_of(task, v).registers + v[VECTOR] > gpu_registers(device) && v[spare[i]] > 1)
            v[spare[i]] /= 2;
}

static void declare_knobs(const struct anole_device *device, const struct anole_task *task,
                          struct gen_space *space)
{
    static const int64_t powers[] = {1, 2, 4, 8, 16, 32, 64};
    static const int64_t work[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const char *const stages[] = {"memory", "local"};
    static const char *const reuses[] = {"taps", "rows"};
    static const char *const filters[] = {"memory", "registers"};
    static const char *const orders[] = {"channels-first", "pixels-first"};
    const int64_t width = widest(task);
    int64_t v[KNOBS];
    choose_default(device, task, v);

    gen_space_ordinal(space, "items_k", powers, 7, v[ITEMS_K]);
    gen_space_ordinal(space, "items_w", powers, 6, v[ITEMS_W]);
    gen_space_ordinal(space, "items_h", powers, 5, v[ITEMS_H]);
    gen_space_ordinal(space, "work_w", work, (uint32_t)gen_min(8, task->out_w), v[WORK_W]);
    gen_space_ordinal(space, "work_h", work, (uint32_t)gen_min(8, task->out_h), v[WORK_H]);
    gen_space_ordinal(space, "strips", work, (uint32_t)gen_min(8, task->out_h), v[STRIPS]);
    gen_space_ordinal(space, "vector", powers,
                      width == 8   ? 4
                      : width == 4 ? 3
                      : width == 2 ? 2
                                   : 1,
                      v[VECTOR]);
    gen_space_categorical(space, "stage", stages, task->out_c == task->in_c ? 2 : 1, v[STAGE]);
    gen_space_categorical(space, "reuse", reuses, 2, v[REUSE]);
    gen_space_categorical(space, "filter", filters, 2, v[FILTER]);
    gen_space_categorical(space, "order", orders, 2, v[ORDER]);
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    const int64_t taps = taps_of(task), around = seen(1, 1, task->kernel_w, task->dilation_w);
    declare_knobs(device, task, space);
    gen_space_constraint(space, "a work-group has more work-items than the device takes",
                         "items_k * items_w * items_h <= %lld", NUM(gpu_max_group(device)));
    gen_space_constraint(space, "the sums of a work-item overflow its registers",
                         "vector * (work_h * work_w + (reuse == %d) * ((work_w - 1) * %u + %lld) + "
                         "filter * %lld + 2) + 24 <= %lld",
                         BY_ROWS, task->stride_w, NUM(around), NUM(taps),
                         NUM(gpu_registers(device)));
    gen_space_constraint(space, "too much code to compile",
                         "reuse == %d and filter == 0 or work_h * work_w * vector * %lld <= %d",
                         BY_TAPS, NUM(taps), MAX_CODE);
    gen_space_constraint(space, "half of the channels would do", "items_k * vector < %lld",
                         NUM(gen_max(2 * (int64_t)task->out_c, 2)));
    gen_space_constraint(space, "half of the columns would do", "items_w * work_w < %lld",
                         NUM(2 * (int64_t)task->out_w));
    gen_space_constraint(space, "half of the rows would do", "items_h * work_h * strips < %lld",
                         NUM(2 * (int64_t)task->out_h));
    gen_space_constraint(space, "the patch overflows local memory",
                         "stage == %d or ((items_h * work_h - 1) * %u + %lld) * "
                         "((items_w * work_w - 1) * %u + %lld) * items_k * vector <= %lld",
                         FROM_MEMORY, task->stride_h,
                         NUM(seen(1, 1, task->kernel_h, task->dilation_h)), task->stride_w,
                         NUM(around), NUM(gpu_local_bytes(device) / 4));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct plan p = plan_of(task, v);
    const double taps = (double)taps_of(task), sums = (double)(v[WORK_H] * v[WORK_W] * v[VECTOR]);
    const double pixels = (double)(v[ITEMS_W] * v[WORK_W] * v[ITEMS_H] * v[WORK_H]);
    const double outputs = (double)task->out_h * task->out_w;
    double inputs = pixels * taps; /* of a channel, that a work-group loads */
    if (v[STAGE] == FROM_LOCAL)
        inputs = (double)p.patch / (double)p.block_k;
    else if (v[REUSE] == BY_ROWS)
        inputs = (double)(v[ITEMS_W] * v[ITEMS_H] * p.row *
                          seen(v[WORK_H], task->stride_h, task->kernel_h, task->dilation_h));

    f->operations = (double)p.tiles * (double)v[STRIPS] * pixels / outputs *
                    (double)(p.k_blocks * p.block_k) / (double)task->out_c;
    f->threads = (double)p.threads / (double)gpu_wave(device);
    f->groups = (double)p.groups / (double)gpu_units(device);
    f->quantisation = gen_balance(p.groups, gpu_units(device));
    f->occupancy = gpu_occupancy(device, p.threads, p.registers, 4 * p.patch);
    f->registers = (double)p.registers / (double)gpu_registers(device);
    f->local_bytes = 4.0 * (double)p.patch / (double)gen_max(gpu_local_bytes(device), 1);
    f->intensity = pixels * taps / inputs;
    f->reads = (v[REUSE] == BY_ROWS ? (double)p.row / (double)(v[WORK_W] * v[WORK_H]) : 1) +
               (v[FILTER] ? 0 : (double)v[VECTOR] / sums);
    f->tile_bytes = (double)p.patch / (double)gpu_unit_registers(device);
    f->traffic = (double)p.groups * (double)v[STRIPS] * inputs * (double)p.block_k /
                 ((double)task->batch *
                  (outputs * task->out_c + (double)task->in_h * task->in_w * task->in_c));
    f->depth = (double)v[STRIPS];
    f->vector_in = f->vector_out = (double)v[VECTOR];
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
    gen_emit_define(emit, "MULTIPLIER", task->out_c / task->in_c);
    gen_emit_define(emit, "ITEMS_K", v[ITEMS_K]);
    gen_emit_define(emit, "ITEMS_W", v[ITEMS_W]);
    gen_emit_define(emit, "ITEMS_H", v[ITEMS_H]);
    gen_emit_define(emit, "WORK_W", v[WORK_W]);
    gen_emit_define(emit, "WORK_H", v[WORK_H]);
    gen_emit_define(emit, "STRIPS", v[STRIPS]);
    gen_emit_define(emit, "VEC_C", v[VECTOR]);
    gen_emit_define(emit, "PATCH_C", p.block_k);
    gen_emit_define(emit, "STAGE", v[STAGE] == FROM_LOCAL);
    gen_emit_define(emit, "BY_ROWS", v[REUSE] == BY_ROWS);
    gen_emit_define(emit, "KEEP_WEIGHTS", v[FILTER]);
    gen_emit_define(emit, "CHANNELS_FIRST", v[ORDER] == CHANNELS_FIRST);
    gen_emit_text(emit, kernel_gpu);
    gen_emit_text(emit, kernel_gpu_patch);
    gen_emit_text(emit, kernel_gpu_depthwise);
    gpu_emit_launch(emit, "depthwise", task, (int64_t[]){p.tiles * p.k_blocks, task->batch, 1},
                    p.threads, roles);
}

const struct gen_generator gpu_depthwise = {
    .name = "depthwise",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
};
