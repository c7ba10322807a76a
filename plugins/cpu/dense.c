/* SPDX-License-Identifier: MIT
 *
 * Fully connected layers of few rows: kernels/dense.cl.
 */
#include "generator.h"
#include "tile.h"

#include "dense.cl.h"
#include "vector.cl.h"

#include <string.h>

enum knob {
    VECTOR_WIDTH, /* floats in a vector */
    VECTORS,      /* vectors of outputs in a work-group */
    ROWS,         /* rows of the batch in a work-group */
    STREAMS,      /* places at which a work-group reads its weights */
    UNROLL_C,     /* of the loop over inputs */
    PREFETCH,     /* distance of weights that are asked for ahead, in inputs */
    C_SPLIT,      /* work-groups that share the inputs of an output */
    KNOBS
};

static int64_t block_k(const int64_t *v)
{
    return v[VECTORS] * v[VECTOR_WIDTH];
}

static int64_t block_count(const struct anole_task *task, const int64_t *v)
{
    return gen_ceil_div(task->out_c, block_k(v));
}

static int64_t group_count(const struct anole_task *task, const int64_t *v)
{
    return gen_ceil_div(task->batch, v[ROWS]) * block_count(task, v) * v[C_SPLIT];
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    return task->kind == ANOLE_TASK_DENSE && task->dtype == ANOLE_F32 && gen_task_fits(task) ? 10
                                                                                             : 0;
}

/* ----------------------------------------------------------- design space */

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    const int64_t registers = cpu_registers(device), units = cpu_units(device);
    v[VECTOR_WIDTH] = 4;
    while (v[VECTOR_WIDTH] < cpu_simd_width(device) && v[VECTOR_WIDTH] < task->out_c)
        v[VECTOR_WIDTH] *= 2;
    v[UNROLL_C] = 1;
    v[C_SPLIT] = 1;
    /* As many rows as leave room for two vectors of outputs, in equal blocks. */
    v[ROWS] = gen_min(task->batch, (registers - 4) / 2);
    v[ROWS] = gen_ceil_div(task->batch, gen_ceil_div(task->batch, v[ROWS]));
    v[VECTORS] = gen_max(1, gen_min(4, (registers - 4) / v[ROWS]));
    while (v[VECTORS] > 1 &&
           ((v[VECTORS] - 1) * v[VECTOR_WIDTH] >= task->out_c || group_count(task, v) < 4 * units))
        v[VECTORS]--;
    /* A second stream helps where weights come from memory; the hardware sees them
     * coming, for they are read in order. */
    const double weights = 4.0 * task->in_c * task->out_c;
    v[STREAMS] = weights > 0.5 * (double)device->cache_l3 && v[ROWS] * v[VECTORS] <= registers / 4;
    v[STREAMS] = gen_min(1 + v[STREAMS], task->in_c);
    if (cpu_has_few_registers(device) && v[ROWS] == 1 && weights > (double)cpu_l2_bytes(device)) {
        /* Sixteen registers are on cores whose prefetcher reads ahead a little of each stream:
         * four streams had a quarter more of the memory's bandwidth than one. */
        v[VECTORS] = gen_min(v[VECTORS], 3);
        v[STREAMS] = gen_min(4, task->in_c);
    }
    v[PREFETCH] = 0;
    while (group_count(task, v) < 2 * units && task->in_c / v[C_SPLIT] > 512)
        v[C_SPLIT] *= 2;
}

static void declare_knobs(const struct anole_device *device, const struct anole_task *task,
                          struct gen_space *space)
{
    static const int64_t unrolls[] = {1, 2, 4};
    static const int64_t distances[] = {0, 8, 16, 32, 64, 128};
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "vector_width", list, n, v[VECTOR_WIDTH]);
    n = gen_range(list, 1, gen_min(16, gen_ceil_div(task->out_c, 4)));
    gen_space_ordinal(space, "vectors", list, n, v[VECTORS]);
    n = gen_range(list, 1, gen_min(28, task->batch));
    gen_space_ordinal(space, "rows", list, n, v[ROWS]);
    n = gen_powers(list, 1, gen_min(8, task->in_c));
    gen_space_ordinal(space, "streams", list, n, v[STREAMS]);
    gen_space_ordinal(space, "unroll_c", unrolls, 3, v[UNROLL_C]);
    gen_space_ordinal(space, "prefetch", distances, 6, v[PREFETCH]);
    n = gen_powers(list, 1, gen_min(64, gen_max(1, task->in_c / 32)));
    gen_space_ordinal(space, "c_split", list, n, v[C_SPLIT]);
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    declare_knobs(device, task, space);
    gen_space_constraint(space, "the sums overflow the vector registers",
                         "4 * (streams * rows * vectors + vectors + 1) <= %lld",
                         NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "a vector of outputs would hold padding alone",
                         "(vectors - 1) * vector_width < %lld", NUM(task->out_c));
    gen_space_constraint(space, "the parts of the sums overflow a buffer",
                         "c_split == 1 or c_split * %lld * round_up(%lld, vectors * vector_width) "
                         "<= %lld",
                         NUM(task->batch), NUM(task->out_c), NUM(cpu_buffer_floats(device)));
    gen_space_constraint(space, "half of a vector would do",
                         "vector_width < %lld or vector_width == 4", NUM(2 * task->out_c));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const double sums = (double)(v[STREAMS] * v[ROWS] * v[VECTORS]);
    const int64_t row_blocks = gen_ceil_div(task->batch, v[ROWS]), groups = group_count(task, v);

    f->operations = (double)(row_blocks * v[ROWS]) / task->batch *
                    (double)(block_count(task, v) * block_k(v)) / task->out_c;
    f->accumulators = sums;
    f->registers = (sums + (double)v[VECTORS] + 1) / (double)cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / (double)cpu_simd_width(device);
    f->loads = (double)(v[ROWS] + v[VECTORS]) / (double)(v[ROWS] * v[VECTORS]);
    f->inner_length = (double)task->in_c / (double)(v[STREAMS] * v[C_SPLIT]);
    f->l1_bytes =
        4.0 * (double)v[ROWS] * task->in_c / (double)v[C_SPLIT] / (double)cpu_l1_bytes(device);
    f->l2_bytes =
        4.0 * (double)block_k(v) * task->in_c / (double)v[C_SPLIT] / (double)cpu_l2_bytes(device);
    f->traffic = f->l2_bytes < 1 ? 1 : (double)row_blocks;
    f->groups = (double)groups / (double)cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = sums * (double)v[UNROLL_C];
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const int64_t blocks = block_count(task, v);
    const bool split = v[C_SPLIT] > 1;
    (void)device;

    gen_emit_task(emit, task);
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "KV", v[VECTORS]);
    gen_emit_define(emit, "K_BLOCKS", blocks);
    gen_emit_define(emit, "ROWS", v[ROWS]);
    gen_emit_define(emit, "STREAMS", v[STREAMS]);
    gen_emit_define(emit, "UNROLL_C", v[UNROLL_C]);
    gen_emit_define(emit, "PREFETCH", v[PREFETCH] > 0);
    gen_emit_define(emit, "SPLIT", split);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_dense);

    const int64_t numbers[] = {v[C_SPLIT], v[PREFETCH]};
    gen_emit_launch_with(emit, "dense", task, (uint64_t)gen_ceil_div(task->batch, v[ROWS]),
                         (uint64_t)blocks, (uint64_t)v[C_SPLIT], split, numbers, 2);
    if (split) {
        gen_emit_launch_with(emit, "dense_sum", task, (uint64_t)blocks, task->batch, 1, true,
                             numbers, 2);
        gen_emit_workspace(emit, (size_t)(v[C_SPLIT] * task->batch * blocks * block_k(v)) *
                                     sizeof(float));
    }
    gen_emit_packed_weights(emit, (size_t)(blocks * block_k(v) * task->in_c) * sizeof(float));
}

/* [K][C] -> [blocks][C][block_k], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const int64_t size = block_k(v), c_count = task->in_c;
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t k0 = 0; k0 < task->out_c; k0 += size)
        for (int64_t c = 0; c < c_count; c++)
            for (int64_t k = k0; k < gen_min(k0 + size, task->out_c); k++)
                packed[k0 * c_count + c * size + k - k0] = weights[k * c_count + c];
}

const struct gen_generator cpu_dense = {
    .name = "dense",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
