/* SPDX-License-Identifier: MIT
 *
 * Direct convolution: kernels/conv_direct.cl for any stride, padding, dilation
 * and number of groups.
 */
#include "generator.h"
#include "tile.h"

#include "conv_direct.cl.h"
#include "vector.cl.h"

#include <string.h>

enum knob {
    VECTOR_WIDTH,     /* floats in a vector */
    VECTORS,          /* vectors of output channels in a tile */
    TILE_W,           /* pixels of a tile across */
    TILE_H,           /* and down */
    BLOCK_C,          /* input channels that are gone through for all of the filter at once */
    C_PASSES,         /* parts of the input channels, with the sums kept in the output */
    UNROLL_C,         /* of the loop over input channels */
    PREFETCH,         /* distance of weights that are asked for ahead, in rows of a block */
    LOOP_ORDER,       /* in a work-group, does the block of weights stay, or the rows? */
    GROUP_ORDER,      /* which work-groups follow each other: channels or rows? */
    ROWS_PER_GROUP,   /* strips of tiles in a work-group */
    BLOCKS_PER_GROUP, /* blocks of output channels in a work-group */
    ROW_PARTS,        /* parts of a row that work-groups share */
    EDGES,            /* how tiles at the left and right edge are compiled */
    KNOBS
};

enum { ROWS_STAY, WEIGHTS_STAY };
enum { CHANNELS_FIRST, ROWS_FIRST };
enum { EDGES_STATIC, EDGES_DYNAMIC };

/* Static edges are made for so many tiles at each side. */
#define MAX_EDGE_TILES 3
/* Multiply-adds in unrolled code: beyond, a build takes seconds. */
#define MAX_CODE 6000

/* What follows from a task and a config. */
struct plan {
    int64_t block_k; /* output channels of a tile */
    int64_t blocks;  /* of output channels, in a group */
    int64_t slab;    /* floats of packed weights of one block */
    int64_t tiles_h, tiles_w;
    int64_t left, right; /* tiles at the edges of a row that may miss the input */
    int64_t code;        /* multiply-adds in the unrolled code */
};

static int64_t channels_in(const struct anole_task *task)
{
    return task->in_c / task->groups;
}

static int64_t channels_out(const struct anole_task *task)
{
    return task->out_c / task->groups;
}

/* The first output column whose filter lies inside of the input. */
static int64_t inside_begin(const struct anole_task *task)
{
    return gen_min(task->out_w, gen_ceil_div(task->pad_left, task->stride_w));
}

/* One past the last one. */
static int64_t inside_end(const struct anole_task *task)
{
    int64_t last =
        (int64_t)task->in_w - 1 + task->pad_left - (int64_t)(task->kernel_w - 1) * task->dilation_w;
    return last < 0 ? 0 : gen_min(task->out_w, last / task->stride_w + 1);
}

static struct plan plan_of(const struct anole_task *task, const int64_t *v)
{
    struct plan p;
    p.block_k = v[VECTORS] * v[VECTOR_WIDTH];
    p.blocks = gen_ceil_div(channels_out(task), p.block_k);
    p.slab = channels_in(task) * task->kernel_h * task->kernel_w * p.block_k;
    p.tiles_h = gen_ceil_div(task->out_h, v[TILE_H]);
    p.tiles_w = gen_ceil_div(task->out_w, v[TILE_W]);
    p.left = gen_ceil_div(inside_begin(task), v[TILE_W]);
    p.right = p.tiles_w - gen_max(p.left, inside_end(task) / v[TILE_W]);
    int64_t bodies =
        v[UNROLL_C] * (v[EDGES] == EDGES_STATIC ? 1 + (p.left + p.right) * task->kernel_w : 2);
    p.code = bodies * v[TILE_H] * v[TILE_W] * v[VECTORS];
    return p;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    if (task->kind != ANOLE_TASK_CONV2D || task->dtype != ANOLE_F32)
        return 0;
    return gen_task_fits_pitched(task) ? 10 : 0;
}

/* ----------------------------------------------------------- design space */

/* What a careful programmer would begin with; see tile.h for the tile itself. */
static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    struct cpu_tile tile = {.row = task->out_w,
                            .channels = channels_out(task),
                            .depth = channels_in(task) * task->kernel_h * task->kernel_w,
                            .stride = 4 * (int64_t)task->in_c * task->stride_w,
                            .exact_tail = true};
    cpu_tile_choose(device, &tile);
    v[VECTOR_WIDTH] = tile.vector_width;
    v[VECTORS] = tile.vectors;
    v[TILE_W] = tile.pixels;
    v[TILE_H] = 1;
    v[BLOCK_C] = channels_in(task);
    v[C_PASSES] = 1;
    v[UNROLL_C] = cpu_unroll(device, v[BLOCK_C]);
    v[LOOP_ORDER] = WEIGHTS_STAY;
    v[GROUP_ORDER] = ROWS_FIRST;
    v[BLOCKS_PER_GROUP] = 1;
    v[ROW_PARTS] = 1;
    v[EDGES] = EDGES_STATIC;

    struct plan p = plan_of(task, v);
    v[PREFETCH] = 0;
    if (p.slab * p.blocks * 4 > cpu_l2_bytes(device))
        v[PREFETCH] = cpu_has_few_registers(device) ? 16 : 8;
    if (p.code > MAX_CODE || p.left > MAX_EDGE_TILES || p.right > MAX_EDGE_TILES)
        v[EDGES] = EDGES_DYNAMIC;
    int64_t others = p.blocks * task->batch * task->groups;
    v[ROWS_PER_GROUP] = cpu_pieces_per_group(device, p.tiles_h, others);
    if (p.tiles_h * others < 4 * cpu_units(device))
        v[ROW_PARTS] = gen_min(p.tiles_w, 4);
}

static void declare_knobs(const struct anole_device *device, const struct anole_task *task,
                          struct gen_space *space)
{
    static const int64_t small[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const int64_t unrolls[] = {1, 2, 4};
    static const int64_t distances[] = {0, 4, 8, 16, 32};
    static const char *const loops[] = {"rows-stay", "weights-stay"};
    static const char *const groups[] = {"channels-first", "rows-first"};
    static const char *const edges[] = {"static", "dynamic"};
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "vector_width", list, n, v[VECTOR_WIDTH]);
    n = gen_min(8, gen_max(1, gen_ceil_div(channels_out(task), 4)));
    gen_space_ordinal(space, "vectors", small, n, v[VECTORS]);
    n = gen_range(list, 1, gen_min(task->out_w, 32));
    gen_space_ordinal(space, "tile_w", list, n, v[TILE_W]);
    gen_space_ordinal(space, "tile_h", small, gen_min(8, task->out_h), v[TILE_H]);
    n = gen_divisors(list, channels_in(task), 8);
    gen_space_ordinal(space, "block_c", list, n, v[BLOCK_C]);
    n = gen_powers(list, 1, gen_min(8, channels_in(task)));
    gen_space_ordinal(space, "c_passes", list, n, v[C_PASSES]);
    gen_space_ordinal(space, "unroll_c", unrolls, 3, v[UNROLL_C]);
    gen_space_ordinal(space, "prefetch", distances, 5, v[PREFETCH]);
    gen_space_categorical(space, "loop_order", loops, 2, v[LOOP_ORDER]);
    gen_space_categorical(space, "group_order", groups, 2, v[GROUP_ORDER]);
    n = gen_powers(list, 1, gen_min(64, task->out_h));
    gen_space_ordinal(space, "rows_per_group", list, n, v[ROWS_PER_GROUP]);
    n = gen_powers(list, 1, gen_min(32, gen_max(1, channels_out(task) / 4)));
    gen_space_ordinal(space, "blocks_per_group", list, n, v[BLOCKS_PER_GROUP]);
    n = gen_powers(list, 1, gen_min(8, task->out_w));
    gen_space_ordinal(space, "row_parts", list, n, v[ROW_PARTS]);
    gen_space_categorical(space, "edges", edges, 2, v[EDGES]);
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    declare_knobs(device, task, space);

    gen_space_constraint(space, "the sums of a tile overflow the vector registers",
                         "4 * (tile_h * tile_w * vectors + vectors + 1) <= %lld",
                         NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "a vector of channels would hold padding alone",
                         "(vectors - 1) * vector_width < %lld", NUM(channels_out(task)));
    gen_space_constraint(space, "half of a vector would do",
                         "vector_width < %lld or vector_width == 4", NUM(2 * channels_out(task)));
    gen_space_constraint(space, "passes take whole blocks of input channels",
                         "%lld // block_c %% c_passes == 0", NUM(channels_in(task)));
    gen_space_constraint(space, "a work-group has more strips than there are",
                         "rows_per_group <= ceil_div(%lld, tile_h)", NUM(task->out_h));
    gen_space_constraint(space, "a work-group has more blocks than there are",
                         "blocks_per_group <= ceil_div(%lld, vectors * vector_width)",
                         NUM(channels_out(task)));
    gen_space_constraint(space, "a row has fewer tiles than parts",
                         "row_parts <= ceil_div(%lld, tile_w)", NUM(task->out_w));
    gen_space_constraint(space, "static edges are for tiles of one row",
                         "edges == %d or tile_h == 1", EDGES_DYNAMIC);
    gen_space_constraint(space, "too many tiles at the edges to compile each on its own",
                         "edges == %d or ceil_div(%lld, tile_w) <= %d and ceil_div(%lld, tile_w) - "
                         "max(ceil_div(%lld, tile_w), %lld // tile_w) <= %d",
                         EDGES_DYNAMIC, NUM(inside_begin(task)), MAX_EDGE_TILES, NUM(task->out_w),
                         NUM(inside_begin(task)), NUM(inside_end(task)), MAX_EDGE_TILES);
    gen_space_constraint(space, "too much code to compile",
                         "unroll_c * tile_h * tile_w * vectors * (2 * edges + (1 - edges) * "
                         "(1 + %lld * (ceil_div(%lld, tile_w) - "
                         "max(0, %lld // tile_w - ceil_div(%lld, tile_w))))) <= %d",
                         NUM(task->kernel_w), NUM(task->out_w), NUM(inside_end(task)),
                         NUM(inside_begin(task)), MAX_CODE);
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    struct plan p = plan_of(task, v);
    double taps = (double)task->kernel_h * task->kernel_w;
    double pixels = (double)v[TILE_H] * v[TILE_W];
    double tiles = (double)p.tiles_h * p.tiles_w;
    double in_rows = (double)(v[TILE_H] - 1) * task->stride_h + task->kernel_h;
    double in_columns = (double)(v[TILE_W] - 1) * task->stride_w + task->kernel_w;
    int64_t strips = gen_ceil_div(p.tiles_h, v[ROWS_PER_GROUP]);
    int64_t groups = strips * v[ROW_PARTS] * gen_ceil_div(p.blocks, v[BLOCKS_PER_GROUP]) *
                     task->batch * task->groups;

    f->operations = tiles * pixels / ((double)task->out_h * task->out_w) *
                    (double)(p.blocks * p.block_k) / (double)channels_out(task);
    f->accumulators = pixels * v[VECTORS];
    f->registers = (f->accumulators + v[VECTORS] + 1) / cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / cpu_simd_width(device);
    f->loads = (pixels + v[VECTORS]) / f->accumulators;
    f->inner_length = v[BLOCK_C] == task->in_c && task->dilation_w == 1
                          ? (double)task->kernel_w * task->in_c
                          : (double)v[BLOCK_C];
    f->l1_bytes = 4 * (in_rows * in_columns * v[BLOCK_C] + (double)p.block_k * v[BLOCK_C] * taps) /
                  cpu_l1_bytes(device);
    f->l2_bytes = 4.0 * p.slab / v[C_PASSES] *
                  (v[LOOP_ORDER] == WEIGHTS_STAY ? 1 : v[BLOCKS_PER_GROUP]) / cpu_l2_bytes(device);
    f->traffic = f->l2_bytes < 1 ? 1 : (double)p.tiles_h;
    f->groups = (double)groups / cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = (double)p.code;
}

/* ----------------------------------------------------------------- kernel */

static size_t packed_bytes(const struct anole_task *task, const int64_t *v)
{
    struct plan p = plan_of(task, v);
    return (size_t)(task->groups * p.blocks * p.slab + v[BLOCK_C]) * sizeof(float);
}

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    struct plan p = plan_of(task, v);
    (void)device;

    gen_emit_task(emit, task);
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "KV", v[VECTORS]);
    gen_emit_define(emit, "K_BLOCKS", p.blocks);
    gen_emit_define(emit, "TILE_H", v[TILE_H]);
    gen_emit_define(emit, "TILE_W", v[TILE_W]);
    gen_emit_define(emit, "TILES_LEFT", p.left);
    gen_emit_define(emit, "TILES_RIGHT", p.right);
    gen_emit_define(emit, "CB", v[BLOCK_C]);
    gen_emit_define(emit, "C_PASSES", v[C_PASSES]);
    gen_emit_define(emit, "UNROLL_C", v[UNROLL_C]);
    gen_emit_define(emit, "PREFETCH", v[PREFETCH] > 0);
    gen_emit_define(emit, "EDGES_STATIC", v[EDGES] == EDGES_STATIC);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_conv_direct);

    int64_t rows = gen_ceil_div(p.tiles_h, v[ROWS_PER_GROUP]) * v[ROW_PARTS];
    int64_t blocks = gen_ceil_div(p.blocks, v[BLOCKS_PER_GROUP]);
    bool rows_first = v[GROUP_ORDER] == ROWS_FIRST;
    const int64_t numbers[] = {v[ROWS_PER_GROUP], v[BLOCKS_PER_GROUP],
                               v[ROW_PARTS],      v[LOOP_ORDER] == WEIGHTS_STAY,
                               rows_first,        v[PREFETCH]};
    gen_emit_launch_with(emit, "conv_direct", task, rows_first ? rows : blocks,
                         rows_first ? blocks : rows, (uint64_t)task->batch * task->groups, false,
                         numbers, 6);
    gen_emit_packed_weights(emit, packed_bytes(task, v));
}

/* [K][R][S][CG] -> [G][blocks][CG / block_c][R][S][block_c][block_k], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    struct plan p = plan_of(task, v);
    const int64_t cg = channels_in(task), kg = channels_out(task), block_c = v[BLOCK_C];
    const int64_t taps = (int64_t)task->kernel_h * task->kernel_w;
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t k = 0; k < task->out_c; k++) {
        const int64_t in_group = k % kg;
        const int64_t block = k / kg * p.blocks + in_group / p.block_k;
        float *slab = packed + block * p.slab + in_group % p.block_k;
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t c = 0; c < cg; c++) {
                int64_t row = (c / block_c * taps + tap) * block_c + c % block_c;
                slab[row * p.block_k] = weights[(k * taps + tap) * cg + c];
            }
    }
}

const struct gen_generator cpu_conv_direct = {
    .name = "direct",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
