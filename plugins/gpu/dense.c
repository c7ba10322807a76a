/* SPDX-License-Identifier: MIT
 *
 * Dense layers of few rows: kernels/gpu_dense.cl.
 */
#include "generator.h"
#include "mma.h"

#include "gpu.cl.h"
#include "gpu_dense.cl.h"

enum knob {
    LANES,   /* work-items that go through a row of weights together */
    ITEMS_K, /* such groups of work-items in a work-group */
    WORK_K,  /* outputs of such a group of work-items */
    WORK_N,  /* rows of the input that it takes together */
    VECTOR,  /* floats of a load */
    UNROLL,  /* of the loop along a row */
    SPLIT,   /* work-groups that share a row */
    KNOBS
};

#define MAX_CODE 1024

struct plan {
    int64_t threads, k_groups, n_groups, groups, steps, registers, parts;
};

static struct plan plan_of(const struct anole_task *t, const int64_t *v)
{
    struct plan p = {.threads = v[LANES] * v[ITEMS_K]};
    p.k_groups = gen_ceil_div(t->out_c, v[ITEMS_K] * v[WORK_K]);
    p.n_groups = gen_ceil_div(t->batch, v[WORK_N]);
    p.groups = p.k_groups * p.n_groups * v[SPLIT];
    p.steps = gen_ceil_div(t->in_c, v[LANES] * v[VECTOR]);
    p.registers = v[VECTOR] * (v[WORK_N] * v[WORK_K] + v[WORK_N] + 1) + 24;
    p.parts = v[SPLIT] > 1 ? v[SPLIT] * t->batch * (int64_t)t->out_c : 0;
    return p;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    if (task->kind != ANOLE_TASK_DENSE || !gpu_task_fits(task) || gpu_mma_serves(device, task))
        return 0;
    return task->batch < 16 ? 10 : 2;
}

/* ----------------------------------------------------------- design space */

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    const int64_t most = gen_min(128, gpu_max_group(device));
    v[VECTOR] = gpu_vector_of(task->in_c, 4);
    v[LANES] = 1;
    while (2 * v[LANES] <= gen_min(most, gpu_wave(device)) && v[LANES] * v[VECTOR] < task->in_c)
        v[LANES] *= 2;
    v[ITEMS_K] = 1;
    while (2 * v[LANES] * v[ITEMS_K] <= most && v[ITEMS_K] < 16 && 2 * v[ITEMS_K] <= task->out_c)
        v[ITEMS_K] *= 2;
    v[WORK_N] = 1;
    while (2 * v[WORK_N] <= gen_min(task->batch, 4))
        v[WORK_N] *= 2;
    v[WORK_K] = task->out_c >= 64 * gpu_units(device) ? 2 : 1;
    v[UNROLL] = 2;
    v[SPLIT] = 1;
    struct plan p = plan_of(task, v);
    while (v[SPLIT] < 16 && 2 * v[SPLIT] <= p.steps / 4 &&
           p.k_groups * p.n_groups * v[SPLIT] < 2 * gpu_units(device))
        v[SPLIT] *= 2;
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    static const int64_t powers[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
    static const int64_t work[] = {1, 2, 3, 4, 6, 8};
    const int64_t width = gpu_vector_of(task->in_c, 8);
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    gen_space_ordinal(space, "dense_lanes", powers, 9, v[LANES]);
    gen_space_ordinal(space, "dense_items_k", powers, 6, v[ITEMS_K]);
    gen_space_ordinal(space, "dense_work_k", work, 6, v[WORK_K]);
    uint32_t n = gen_powers(list, 1, gen_min(task->batch, 16));
    gen_space_ordinal(space, "dense_work_n", list, n, v[WORK_N]);
    n = gen_powers(list, 1, width);
    gen_space_ordinal(space, "dense_vector", list, n, v[VECTOR]);
    gen_space_ordinal(space, "dense_unroll", powers, 4, v[UNROLL]);
    gen_space_ordinal(space, "dense_split", powers, 5, v[SPLIT]);

    gen_space_constraint(space, "a work-group has more work-items than the device takes",
                         "dense_lanes * dense_items_k <= %lld", NUM(gpu_max_group(device)));
    gen_space_constraint(space, "what work-items have found overflows local memory",
                         "dense_lanes * dense_items_k <= %lld", NUM(gpu_local_bytes(device) / 4));
    gen_space_constraint(space, "the sums of a work-item overflow its registers",
                         "dense_vector * (dense_work_n * dense_work_k + dense_work_n + 1) + 24 "
                         "<= %lld",
                         NUM(gpu_registers(device)));
    gen_space_constraint(space, "too much code to compile",
                         "dense_vector * dense_work_n * dense_work_k * dense_unroll <= %d",
                         MAX_CODE);
    gen_space_constraint(space, "half of the outputs would do",
                         "dense_items_k * dense_work_k < %lld",
                         NUM(gen_max(2 * (int64_t)task->out_c, 2)));
    gen_space_constraint(space, "half of the lanes would do",
                         "dense_lanes == 1 or dense_lanes * dense_vector < %lld",
                         NUM(2 * (int64_t)task->in_c));
    gen_space_constraint(space, "a part of a row has no step",
                         "dense_split == 1 or dense_split * dense_lanes * dense_vector <= %lld",
                         NUM(task->in_c));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct plan p = plan_of(task, v);
    const double work = (double)(v[WORK_N] * v[WORK_K]);
    f->operations = (double)(p.n_groups * v[WORK_N]) / task->batch *
                    (double)(p.k_groups * v[ITEMS_K] * v[WORK_K]) / task->out_c;
    f->threads = (double)p.threads / (double)gpu_wave(device);
    f->groups = (double)p.groups / (double)gpu_units(device);
    f->quantisation = gen_balance(p.groups, gpu_units(device));
    f->occupancy = gpu_occupancy(device, p.threads, p.registers, 4 * p.threads);
    f->registers = (double)p.registers / (double)gpu_registers(device);
    f->local_bytes = 4.0 * (double)p.threads / (double)gen_max(gpu_local_bytes(device), 1);
    f->intensity = work / (double)(v[WORK_N] + v[WORK_K]);
    f->reads = (double)(v[WORK_N] + v[WORK_K]) / (work * (double)v[VECTOR]);
    f->traffic = (double)p.n_groups + (double)p.k_groups / task->out_c * task->batch;
    f->depth = (double)p.steps / (double)v[SPLIT];
    f->vector_in = (double)v[VECTOR];
    f->vector_out = 1;
    f->parts = (double)v[SPLIT];
    f->launches = v[SPLIT] > 1 ? 2 : 1;
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    static const int whole[] = {ANOLE_ROLE_INPUT,    ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                ANOLE_ROLE_RESIDUAL, ANOLE_ROLE_OUTPUT,  -1};
    static const int parts[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_WORKSPACE, -1};
    static const int sum[] = {ANOLE_ROLE_WORKSPACE, ANOLE_ROLE_BIAS, ANOLE_ROLE_RESIDUAL,
                              ANOLE_ROLE_OUTPUT, -1};
    const struct plan p = plan_of(task, v);
    const bool split = v[SPLIT] > 1;

    gpu_emit_task(emit, device, task);
    gen_emit_define(emit, "LANES", v[LANES]);
    gen_emit_define(emit, "ITEMS_K", v[ITEMS_K]);
    gen_emit_define(emit, "WORK_K", v[WORK_K]);
    gen_emit_define(emit, "WORK_N", v[WORK_N]);
    gen_emit_define(emit, "WIDTH", v[VECTOR]);
    gen_emit_define(emit, "UNROLL", v[UNROLL]);
    gen_emit_define(emit, "SPLIT", v[SPLIT]);
    gen_emit_define(emit, "SUM_ITEMS", gpu_plain_items(device));
    gen_emit_text(emit, kernel_gpu);
    gen_emit_text(emit, kernel_gpu_dense);
    gpu_emit_launch(emit, "dense", task, (int64_t[]){p.k_groups, p.n_groups, v[SPLIT]}, p.threads,
                    split ? parts : whole);
    if (split) {
        const int64_t items = gpu_plain_items(device);
        const int64_t groups = gen_ceil_div((int64_t)task->batch * task->out_c, items);
        gpu_emit_launch(emit, "dense_sum", task, (int64_t[]){groups, 1, 1}, items, sum);
        gen_emit_workspace(emit, (size_t)p.parts * sizeof(float));
    }
}

const struct gen_generator gpu_dense = {
    .name = "dense",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
};
