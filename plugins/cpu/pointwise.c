/* SPDX-License-Identifier: MIT
 *
 * Pointwise (1x1, stride 1) convolution as a product of matrices:
 * kernels/pointwise.cl.
 */
#include "generator.h"
#include "tile.h"

#include "pointwise.cl.h"
#include "vector.cl.h"

#include <string.h>

enum knob {
    VECTOR_WIDTH,     /* floats in a vector */
    VECTORS,          /* vectors of output channels in a tile */
    TILE_M,           /* pixels in a tile */
    C_PASSES,         /* parts of the input channels, with the sums kept in the output */
    UNROLL_C,         /* of the loop over input channels */
    PREFETCH,         /* distance of weights that are asked for ahead, in rows of a block */
    LOOP_ORDER,       /* in a work-group, does the block of weights stay, or the pixels? */
    GROUP_ORDER,      /* which work-groups follow each other: channels or pixels? */
    TILES_PER_GROUP,  /* tiles of pixels in a work-group */
    BLOCKS_PER_GROUP, /* blocks of output channels in a work-group */
    STAGE,            /* are inputs of a tile copied, so that they cannot share cache sets? */
    KNOBS
};

enum { PIXELS_STAY, WEIGHTS_STAY };
enum { CHANNELS_FIRST, PIXELS_FIRST };

/* Floats that may be staged: they live on the stack of a driver's thread. */
#define MAX_STAGED (64 << 10)
#define NUM(x) ((long long)(x))

static int64_t pixels_of(const struct anole_task *task)
{
    return (int64_t)task->batch * task->out_h * task->out_w;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    if (task->kind != ANOLE_TASK_CONV2D || task->dtype != ANOLE_F32 || !gen_task_fits_pitched(task))
        return 0;
    bool pointwise = task->kernel_h == 1 && task->kernel_w == 1 && task->groups == 1 &&
                     task->stride_h == 1 && task->stride_w == 1 && task->in_h == task->out_h &&
                     task->in_w == task->out_w && task->pad_top == 0 && task->pad_left == 0;
    return pointwise ? 20 : 0;
}

/* Blocks of channels for one tile of pixels to meet, at most 64: the largest power of two that
 * shares `blocks` out equally.  Where all weights stay in L2 beside what passes through, a tile of
 * pixels meets them while it is in L1, and its outputs are written line after line.  That asks for
 * many tiles, or units cannot share them evenly.  1: weights had better stay instead. */
static int64_t blocks_for_pixels(const struct anole_device *device, const struct anole_task *task,
                                 const struct cpu_tile *tile)
{
    const int64_t block = tile->vectors * tile->vector_width;
    const int64_t blocks = gen_ceil_div(task->out_c, block);
    int64_t together = 1;
    if (!cpu_has_few_registers(device) ||
        4 * block * blocks * task->in_c > cpu_l2_bytes(device) / 2 ||
        tile->row < 48 * cpu_units(device) * tile->pixels)
        return 1;
    while (together < 64 && 8 * together <= task->out_c && blocks % (2 * together) == 0)
        together *= 2;
    return together;
}

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    struct cpu_tile tile = {.row = pixels_of(task),
                            .channels = task->out_c,
                            .depth = task->in_c,
                            .stride = 4 * (int64_t)task->in_c,
                            .exact_tail = true};
    cpu_tile_choose(device, &tile);
    int64_t block = tile.vectors * tile.vector_width;
    int64_t blocks = gen_ceil_div(task->out_c, block);

    v[VECTOR_WIDTH] = tile.vector_width;
    v[VECTORS] = tile.vectors;
    v[TILE_M] = tile.pixels;
    v[C_PASSES] = 1;
    v[UNROLL_C] = cpu_unroll(device, task->in_c);
    v[PREFETCH] = 0;
    if (block * blocks * task->in_c * 4 > cpu_l2_bytes(device))
        v[PREFETCH] = cpu_has_few_registers(device) ? 32 : 8;
    v[LOOP_ORDER] = WEIGHTS_STAY;
    v[GROUP_ORDER] = PIXELS_FIRST;
    v[BLOCKS_PER_GROUP] = blocks_for_pixels(device, task, &tile);
    if (v[BLOCKS_PER_GROUP] > 1)
        v[LOOP_ORDER] = PIXELS_STAY;
    v[TILES_PER_GROUP] = cpu_pieces_per_group(device, gen_ceil_div(tile.row, tile.pixels),
                                              blocks / v[BLOCKS_PER_GROUP]);
    v[STAGE] = 0;
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    static const int64_t small[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const int64_t unrolls[] = {1, 2, 4};
    static const int64_t distances[] = {0, 4, 8, 16, 32};
    static const char *const loops[] = {"pixels-stay", "weights-stay"};
    static const char *const groups[] = {"channels-first", "pixels-first"};
    static const char *const stages[] = {"no", "yes"};
    const int64_t m = pixels_of(task), c = task->in_c, k = task->out_c;
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "pw_vector_width", list, n, v[VECTOR_WIDTH]);
    n = gen_min(8, gen_ceil_div(k, 4));
    gen_space_ordinal(space, "pw_vectors", small, n, v[VECTORS]);
    n = gen_range(list, 1, gen_min(m, 32));
    gen_space_ordinal(space, "pw_tile_m", list, n, v[TILE_M]);
    n = gen_powers(list, 1, gen_min(8, c));
    gen_space_ordinal(space, "pw_c_passes", list, n, v[C_PASSES]);
    gen_space_ordinal(space, "pw_unroll_c", unrolls, 3, v[UNROLL_C]);
    gen_space_ordinal(space, "pw_prefetch", distances, 5, v[PREFETCH]);
    gen_space_categorical(space, "pw_loop_order", loops, 2, v[LOOP_ORDER]);
    gen_space_categorical(space, "pw_group_order", groups, 2, v[GROUP_ORDER]);
    n = gen_powers(list, 1, gen_min(1024, m));
    gen_space_ordinal(space, "pw_tiles_per_group", list, n, v[TILES_PER_GROUP]);
    n = gen_powers(list, 1, gen_min(64, gen_max(1, k / 4)));
    gen_space_ordinal(space, "pw_blocks_per_group", list, n, v[BLOCKS_PER_GROUP]);
    gen_space_categorical(space, "pw_stage", stages, 2, v[STAGE]);

    gen_space_constraint(space, "the sums of a tile overflow the vector registers",
                         "4 * (pw_tile_m * pw_vectors + pw_vectors + 1) <= %lld",
                         NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "a vector of channels would hold padding alone",
                         "(pw_vectors - 1) * pw_vector_width < %lld", NUM(k));
    gen_space_constraint(space, "half of a vector would do",
                         "pw_vector_width < %lld or pw_vector_width == 4", NUM(2 * k));
    gen_space_constraint(space, "passes share the input channels equally",
                         "%lld %% pw_c_passes == 0", NUM(c));
    gen_space_constraint(space, "a work-group has more tiles than there are",
                         "pw_tiles_per_group <= ceil_div(%lld, pw_tile_m)", NUM(m));
    gen_space_constraint(space, "a work-group has more blocks than there are",
                         "pw_blocks_per_group <= ceil_div(%lld, pw_vectors * pw_vector_width)",
                         NUM(k));
    gen_space_constraint(space, "staged inputs would serve a single block of channels",
                         "pw_stage == 0 or pw_loop_order == %d and pw_blocks_per_group > 1",
                         PIXELS_STAY);
    gen_space_constraint(space, "staged inputs take too much of the stack",
                         "pw_stage == 0 or pw_tile_m * (%lld // pw_c_passes + 16) <= %d", NUM(c),
                         MAX_STAGED);
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const int64_t m = pixels_of(task), block = v[VECTORS] * v[VECTOR_WIDTH];
    const int64_t blocks = gen_ceil_div(task->out_c, block);
    const int64_t tiles = gen_ceil_div(m, v[TILE_M]);
    const int64_t groups =
        gen_ceil_div(tiles, v[TILES_PER_GROUP]) * gen_ceil_div(blocks, v[BLOCKS_PER_GROUP]);
    const double depth = (double)task->in_c / v[C_PASSES];
    const double weights = 4.0 * block * depth, inputs = 4.0 * v[TILE_M] * depth;
    const bool weights_stay = v[LOOP_ORDER] == WEIGHTS_STAY;

    f->operations = (double)(blocks * block) / task->out_c;
    f->accumulators = (double)(v[TILE_M] * v[VECTORS]);
    f->registers = (f->accumulators + v[VECTORS] + 1) / cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / cpu_simd_width(device);
    f->loads = (double)(v[TILE_M] + v[VECTORS]) / f->accumulators;
    f->inner_length = depth;
    f->l1_bytes = (weights + inputs) / cpu_l1_bytes(device);
    f->l2_bytes = (weights_stay ? weights + inputs * v[TILES_PER_GROUP]
                                : weights * v[BLOCKS_PER_GROUP] + inputs) /
                  cpu_l2_bytes(device);
    f->traffic = f->l2_bytes < 1 ? 1 : (double)gen_min(blocks, tiles);
    f->groups = (double)groups / cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = f->accumulators * v[UNROLL_C] * (m % v[TILE_M] ? 2 : 1);
}

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const int64_t m = pixels_of(task), block = v[VECTORS] * v[VECTOR_WIDTH];
    const int64_t k_blocks = gen_ceil_div(task->out_c, block);
    (void)device;

    gen_emit_task(emit, task);
    gen_emit_define(emit, "M", m);
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "KV", v[VECTORS]);
    gen_emit_define(emit, "K_BLOCKS", k_blocks);
    gen_emit_define(emit, "TILE_M", v[TILE_M]);
    gen_emit_define(emit, "C_PASSES", v[C_PASSES]);
    gen_emit_define(emit, "UNROLL_C", v[UNROLL_C]);
    gen_emit_define(emit, "PREFETCH", v[PREFETCH] > 0);
    gen_emit_define(emit, "STAGE", v[STAGE]);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_pointwise);

    int64_t tiles = gen_ceil_div(gen_ceil_div(m, v[TILE_M]), v[TILES_PER_GROUP]);
    int64_t blocks = gen_ceil_div(k_blocks, v[BLOCKS_PER_GROUP]);
    bool pixels_first = v[GROUP_ORDER] == PIXELS_FIRST;
    const int64_t numbers[] = {v[TILES_PER_GROUP], v[BLOCKS_PER_GROUP],
                               v[LOOP_ORDER] == WEIGHTS_STAY ? 1 : v[BLOCKS_PER_GROUP],
                               pixels_first, v[PREFETCH]};
    gen_emit_launch_with(emit, "pointwise", task, pixels_first ? tiles : blocks,
                         pixels_first ? blocks : tiles, 1, false, numbers, 5);
    gen_emit_packed_weights(emit, (size_t)(k_blocks * block * task->in_c) * sizeof(float));
}

/* [K][C] -> [blocks][C][block]. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const int64_t block = v[VECTORS] * v[VECTOR_WIDTH], c_count = task->in_c;
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t k = 0; k < task->out_c; k++)
        for (int64_t c = 0; c < c_count; c++)
            packed[(k / block * c_count + c) * block + k % block] = weights[k * c_count + c];
}

const struct gen_generator cpu_pointwise = {
    .name = "pointwise",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
