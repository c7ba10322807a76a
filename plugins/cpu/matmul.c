/* SPDX-License-Identifier: MIT
 *
 * Products of matrices that are both made while the network runs: kernels/matmul.cl.
 */
#include "generator.h"
#include "tile.h"

#include "matmul.cl.h"
#include "vector.cl.h"

enum knob {
    VECTOR_WIDTH, /* floats in a vector */
    VECTORS,      /* vectors of columns in a tile */
    ROWS,         /* rows in a tile */
    TILES,        /* of a work-group, one below the other */
    DEPTH,        /* inputs that all its tiles go through before the next ones */
    PACK,         /* whether it copies its columns of these to local memory */
    KNOBS
};

#define LEAST_DEPTH 32
#define MOST_DEPTH 4096

static bool is_transposed(const struct anole_task *task)
{
    return task->flags & ANOLE_TASK_TRANSPOSE_B;
}

static int64_t block_k(const int64_t *v)
{
    return v[VECTORS] * v[VECTOR_WIDTH];
}

static int64_t block_count(const struct anole_task *task, const int64_t *v)
{
    return gen_ceil_div(task->out_c, block_k(v));
}

static int64_t row_groups(const struct anole_task *task, const int64_t *v)
{
    return gen_ceil_div(task->out_w, v[ROWS] * v[TILES]);
}

/* Inputs that are really gone through at a time. */
static int64_t depth_of(const struct anole_task *task, const int64_t *v)
{
    return gen_min(v[DEPTH], task->in_c);
}

/* Floats that a work-group may have of local memory. */
static int64_t local_floats(const struct anole_device *device)
{
    return device->local_memory ? ((int64_t)device->local_memory - 1024) / 4 : 4096;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    return task->kind == ANOLE_TASK_MATMUL && task->dtype == ANOLE_F32 && gen_product_fits(task) &&
           (!is_transposed(task) || local_floats(device) >= LEAST_DEPTH * 16);
}

/* ----------------------------------------------------------- design space */

/* The last value of the knob: all inputs, if that is not too many. */
static int64_t most_depth(const struct anole_task *task)
{
    int64_t depth = LEAST_DEPTH;
    while (depth < task->in_c && depth < MOST_DEPTH)
        depth *= 2;
    return depth;
}

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    struct cpu_tile tile = {.row = task->out_w,
                            .channels = task->out_c,
                            .depth = gen_min(task->in_c, 512),
                            .stride = 4 * (int64_t)task->in_c};
    cpu_tile_choose(device, &tile);
    v[VECTOR_WIDTH] = tile.vector_width;
    v[VECTORS] = tile.vectors;
    v[ROWS] = tile.pixels;
    /* Columns that lie apart are worth a copy where many rows read it. */
    v[PACK] = is_transposed(task) || (task->out_w >= 4 * v[ROWS] && task->out_c > block_k(v));
    v[DEPTH] = most_depth(task);
    while (v[DEPTH] > LEAST_DEPTH && (8 * block_k(v) * depth_of(task, v) > cpu_l2_bytes(device) ||
                                      block_k(v) * depth_of(task, v) > local_floats(device)))
        v[DEPTH] /= 2;
    while (v[PACK] && v[VECTORS] > 1 && block_k(v) * depth_of(task, v) > local_floats(device))
        v[VECTORS]--;
    v[TILES] = cpu_pieces_per_group(device, gen_ceil_div(task->out_w, v[ROWS]),
                                    task->batch * block_count(task, v));
    v[TILES] = gen_min(v[TILES], 64);
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    static const int64_t copies[] = {0, 1};
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "mm_width", list, n, v[VECTOR_WIDTH]);
    n = gen_range(list, 1, gen_min(6, gen_ceil_div(task->out_c, 4)));
    gen_space_ordinal(space, "mm_vectors", list, n, v[VECTORS]);
    n = gen_range(list, 1, gen_min(28, task->out_w));
    gen_space_ordinal(space, "mm_rows", list, n, v[ROWS]);
    n = gen_powers(list, 1, gen_min(64, task->out_w));
    gen_space_ordinal(space, "mm_tiles", list, n, v[TILES]);
    n = gen_powers(list, LEAST_DEPTH, most_depth(task));
    gen_space_ordinal(space, "mm_depth", list, n, v[DEPTH]);
    if (is_transposed(task))
        gen_space_ordinal(space, "mm_pack", copies + 1, 1, v[PACK]);
    else
        gen_space_ordinal(space, "mm_pack", copies, 2, v[PACK]);

    gen_space_constraint(space, "the sums overflow the vector registers",
                         "4 * (mm_rows * mm_vectors + mm_vectors + 1) <= %lld",
                         NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "a vector of outputs would hold padding alone",
                         "(mm_vectors - 1) * mm_width < %lld", NUM(task->out_c));
    gen_space_constraint(space, "half of a vector would do", "mm_width < %lld or mm_width == 4",
                         NUM(2 * (int64_t)task->out_c));
    gen_space_constraint(space, "half of the tiles would do",
                         "mm_tiles == 1 or mm_tiles * mm_rows < %lld",
                         NUM(2 * (int64_t)task->out_w));
    gen_space_constraint(space, "the copy overflows local memory",
                         "mm_pack == 0 or min(mm_depth, %lld) * mm_vectors * mm_width <= %lld",
                         NUM(task->in_c), NUM(local_floats(device)));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const double sums = (double)(v[ROWS] * v[VECTORS]), depth = (double)depth_of(task, v);
    const int64_t tiles = gen_ceil_div(task->out_w, v[ROWS]);
    const int64_t groups = row_groups(task, v) * block_count(task, v) * task->batch;

    f->operations = (double)(tiles * v[ROWS]) / task->out_w *
                    (double)(block_count(task, v) * block_k(v)) / task->out_c;
    f->accumulators = sums;
    f->registers = (sums + (double)v[VECTORS] + 1) / (double)cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / (double)cpu_simd_width(device);
    f->loads = (double)(v[ROWS] + v[VECTORS]) / sums;
    f->inner_length = depth;
    f->l1_bytes = 4.0 * depth * (double)(block_k(v) + v[ROWS]) / (double)cpu_l1_bytes(device);
    f->l2_bytes =
        4.0 * depth * (double)(block_k(v) + v[ROWS] * v[TILES]) / (double)cpu_l2_bytes(device);
    /* What the copy costs, of the products that it serves. */
    f->traffic = (v[PACK] ? 1.0 : 0.0) / (double)gen_min(task->out_w, v[ROWS] * v[TILES]);
    f->groups = (double)groups / (double)cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = sums;
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    (void)device;
    gen_emit_task(emit, task);
    gen_emit_define(emit, "TRANSPOSED", is_transposed(task));
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "VECTORS", v[VECTORS]);
    gen_emit_define(emit, "ROWS", v[ROWS]);
    gen_emit_define(emit, "DEPTH", depth_of(task, v));
    gen_emit_define(emit, "PACK", v[PACK]);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_matmul);
    gen_emit_launch_with(emit, "matmul", task, (uint64_t)row_groups(task, v),
                         (uint64_t)block_count(task, v), task->batch, false, &v[TILES], 1);
}

const struct gen_generator cpu_matmul = {
    .name = "matmul",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
};
