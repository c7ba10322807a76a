/* SPDX-License-Identifier: MIT
 *
 * Products of matrices that are both made while the network runs: kernels/gpu_matmul.cl.
 */
#include "generator.h"

#include "gpu.cl.h"
#include "gpu_matmul.cl.h"

enum knob {
    ITEMS_Q, /* work-items of a group along rows */
    ITEMS_K, /* and along columns */
    WORK_Q,  /* rows of a work-item */
    WORK_K,  /* columns of it */
    DEPTH,   /* inputs in local memory */
    KNOBS
};

struct plan {
    int64_t threads, block_q, block_k, q_groups, k_groups, groups, local_bytes, registers;
};

static struct plan plan_of(const struct anole_task *t, const int64_t *v)
{
    struct plan p = {.threads = v[ITEMS_Q] * v[ITEMS_K],
                     .block_q = v[ITEMS_Q] * v[WORK_Q],
                     .block_k = v[ITEMS_K] * v[WORK_K]};
    p.q_groups = gen_ceil_div(t->out_w, p.block_q);
    p.k_groups = gen_ceil_div(t->out_c, p.block_k);
    p.groups = p.q_groups * p.k_groups * t->batch;
    p.local_bytes = 4 * v[DEPTH] * (p.block_q + p.block_k + 2);
    p.registers = v[WORK_Q] * v[WORK_K] + v[WORK_Q] + v[WORK_K] + 24;
    return p;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    const bool known =
        task->dtype == ANOLE_F32 || task->dtype == ANOLE_TF32 || task->dtype == ANOLE_F16;
    return task->kind == ANOLE_TASK_MATMUL && known && gen_product_fits(task) &&
           gpu_local_bytes(device) >= 1024;
}

/* ----------------------------------------------------------- design space */

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    const int64_t most = gen_min(256, gpu_max_group(device));
    for (int i = 0; i < KNOBS; i++)
        v[i] = 1;
    while (2 * v[ITEMS_K] * v[ITEMS_Q] <= most) {
        const bool wide = v[ITEMS_K] <= v[ITEMS_Q] && v[ITEMS_K] < task->out_c;
        if (!wide && v[ITEMS_Q] >= task->out_w && v[ITEMS_K] >= task->out_c)
            break;
        v[wide || v[ITEMS_Q] >= task->out_w ? ITEMS_K : ITEMS_Q] *= 2;
    }
    while (v[WORK_Q] < 4 && v[ITEMS_Q] * v[WORK_Q] < task->out_w)
        v[WORK_Q] *= 2;
    while (v[WORK_K] < 4 && v[ITEMS_K] * v[WORK_K] < task->out_c)
        v[WORK_K] *= 2;
    while (v[WORK_Q] * v[WORK_K] > 1 && plan_of(task, v).groups < 2 * gpu_units(device))
        v[v[WORK_Q] >= v[WORK_K] ? WORK_Q : WORK_K] /= 2;
    while (2 * v[DEPTH] <= 16 && v[DEPTH] < task->in_c)
        v[DEPTH] *= 2;
    while (v[DEPTH] > 1 && plan_of(task, v).local_bytes > gpu_local_bytes(device))
        v[DEPTH] /= 2;
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    static const int64_t powers[] = {1, 2, 4, 8, 16, 32, 64, 128};
    static const int64_t work[] = {1, 2, 3, 4, 6, 8};
    int64_t v[KNOBS];
    choose_default(device, task, v);

    gen_space_ordinal(space, "mm_items_q", powers, 8, v[ITEMS_Q]);
    gen_space_ordinal(space, "mm_items_k", powers, 8, v[ITEMS_K]);
    gen_space_ordinal(space, "mm_work_q", work, 6, v[WORK_Q]);
    gen_space_ordinal(space, "mm_work_k", work, 6, v[WORK_K]);
    gen_space_ordinal(space, "mm_depth", powers, 6, v[DEPTH]);

    gen_space_constraint(space, "a work-group has more work-items than the device takes",
                         "mm_items_q * mm_items_k <= %lld", NUM(gpu_max_group(device)));
    gen_space_constraint(space, "the copies overflow local memory",
                         "4 * mm_depth * (mm_items_q * mm_work_q + mm_items_k * mm_work_k + 2) "
                         "<= %lld",
                         NUM(gpu_local_bytes(device)));
    gen_space_constraint(space, "the sums of a work-item overflow its registers",
                         "mm_work_q * mm_work_k + mm_work_q + mm_work_k + 24 <= %lld",
                         NUM(gpu_registers(device)));
    gen_space_constraint(space, "half of the rows would do", "mm_items_q * mm_work_q < %lld",
                         NUM(gen_max(2 * (int64_t)task->out_w, 2)));
    gen_space_constraint(space, "half of the columns would do", "mm_items_k * mm_work_k < %lld",
                         NUM(gen_max(2 * (int64_t)task->out_c, 2)));
    gen_space_constraint(space, "half of the inputs would do", "mm_depth < %lld",
                         NUM(gen_max(2 * (int64_t)task->in_c, 2)));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct plan p = plan_of(task, v);
    const double work = (double)(v[WORK_Q] * v[WORK_K]);
    f->operations = (double)(p.q_groups * p.block_q) / task->out_w *
                    (double)(p.k_groups * p.block_k) / task->out_c;
    f->threads = (double)p.threads / (double)gpu_wave(device);
    f->groups = (double)p.groups / (double)gpu_units(device);
    f->quantisation = gen_balance(p.groups, gpu_units(device));
    f->occupancy = gpu_occupancy(device, p.threads, p.registers, p.local_bytes);
    f->registers = (double)p.registers / (double)gpu_registers(device);
    f->local_bytes = (double)p.local_bytes / (double)gen_max(gpu_local_bytes(device), 1);
    f->intensity = (double)(p.block_q * p.block_k) / (double)(p.block_q + p.block_k);
    f->reads = (double)(v[WORK_Q] + v[WORK_K]) / work;
    f->traffic = (double)(p.q_groups + p.k_groups);
    f->depth = (double)gen_ceil_div(task->in_c, v[DEPTH]);
    f->vector_in = 1;
    f->vector_out = 1;
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
    gen_emit_define(emit, "TRANSPOSED", (task->flags & ANOLE_TASK_TRANSPOSE_B) != 0);
    gen_emit_define(emit, "ITEMS_Q", v[ITEMS_Q]);
    gen_emit_define(emit, "ITEMS_K", v[ITEMS_K]);
    gen_emit_define(emit, "WORK_Q", v[WORK_Q]);
    gen_emit_define(emit, "WORK_K", v[WORK_K]);
    gen_emit_define(emit, "DEPTH", v[DEPTH]);
    gen_emit_text(emit, kernel_gpu);
    gen_emit_text(emit, kernel_gpu_matmul);
    gpu_emit_launch(emit, "matmul", task, (int64_t[]){p.k_groups, p.q_groups, task->batch},
                    p.threads, roles);
}

const struct gen_generator gpu_matmul = {
    .name = "matmul",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
};
