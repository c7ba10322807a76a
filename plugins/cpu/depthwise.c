/* SPDX-License-Identifier: MIT
 *
 * Depthwise convolution: kernels/depthwise.cl for any stride, padding, dilation
 * and channel multiplier.
 */
#include "generator.h"
#include "tile.h"

#include "depthwise.cl.h"
#include "vector.cl.h"

#include <string.h>

enum knob {
    VECTOR_WIDTH,   /* floats in a vector */
    TILE_H,         /* pixels of a tile down */
    TILE_W,         /* and across */
    BLOCK_C,        /* channels of a work-group */
    ROWS_PER_GROUP, /* strips of tiles in a work-group */
    LOOP_ORDER,     /* in a strip, which follow each other: channels of a tile, or tiles? */
    EDGES,          /* how tiles at the left and right edge are compiled */
    KNOBS
};

enum { CHANNELS_INSIDE, TILES_INSIDE };
enum { EDGES_STATIC, EDGES_DYNAMIC };

/* Multiply-adds in unrolled code: beyond, a build takes seconds. */
#define MAX_CODE 2000

/* What follows from a task and a config. */
struct plan {
    int64_t multiplier; /* output channels of an input channel */
    int64_t taps;       /* of a filter */
    int64_t tiles_h, tiles_w;
    int64_t left, right; /* tiles at the edges of a row that may miss the input */
    int64_t in_tile;     /* pixels that a tile reads */
    int64_t groups;      /* work-groups */
    int64_t code;        /* multiply-adds in the unrolled code */
};

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
    const int64_t rows =
        (v[TILE_H] - 1) * task->stride_h + (int64_t)(task->kernel_h - 1) * task->dilation_h + 1;
    const int64_t columns =
        (v[TILE_W] - 1) * task->stride_w + (int64_t)(task->kernel_w - 1) * task->dilation_w + 1;
    struct plan p;
    p.multiplier = task->out_c / task->in_c;
    p.taps = (int64_t)task->kernel_h * task->kernel_w;
    p.tiles_h = gen_ceil_div(task->out_h, v[TILE_H]);
    p.tiles_w = gen_ceil_div(task->out_w, v[TILE_W]);
    p.left = gen_ceil_div(inside_begin(task), v[TILE_W]);
    p.right = p.tiles_w - gen_max(p.left, inside_end(task) / v[TILE_W]);
    p.in_tile = rows * columns;
    p.groups = gen_ceil_div(p.tiles_h, v[ROWS_PER_GROUP]) * gen_ceil_div(task->in_c, v[BLOCK_C]) *
               task->batch;
    p.code = v[TILE_H] * v[TILE_W] * p.taps * (v[EDGES] == EDGES_STATIC ? 1 + p.left + p.right : 1);
    return p;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    (void)device;
    if (task->kind != ANOLE_TASK_DEPTHWISE_CONV2D || task->dtype != ANOLE_F32 ||
        task->groups != task->in_c || !gen_task_fits_pitched(task))
        return 0;
    /* The loops over the filter are unrolled: a tile of one pixel must be possible. */
    return (int64_t)task->kernel_h * task->kernel_w <= 256 &&
                   (int64_t)((task->kernel_h - 1) * task->dilation_h + 1) *
                           ((task->kernel_w - 1) * task->dilation_w + 1) <=
                       4096
               ? 10
               : 0;
}

/* ----------------------------------------------------------- design space */

/* Do lines that a tile reads push each other out of L1 before all of their vectors were used?
 * Pixels whose distance divides the size of a way share few sets.  A vector as long as a line
 * leaves nothing to come back for. */
static bool lines_collide(const struct anole_device *device, const struct anole_task *task,
                          const int64_t *v, const struct plan *p)
{
    const int64_t line = 64, way = 4096; /* bytes, on every core that indexes L1 by page offset */
    int64_t step = line;                 /* between the sets that pixels go to */
    while (step < way && 4 * (int64_t)task->in_c % (2 * step) == 0)
        step *= 2;
    return 4 * v[VECTOR_WIDTH] < line && p->in_tile > cpu_l1_bytes(device) / step;
}

/* Loads of inputs and weights, stores, and multiply-adds at two a cycle, for each
 * output; tiles that do not fit count with what they do in vain.  Fitted to measured tiles of
 * 3x3 filters with 16 registers: the sums, the filter, an input and a zero are what lives; each
 * register too many costs four cycles, as its value comes and goes with every row. */
static double tile_cost(const struct anole_device *device, const struct anole_task *task,
                        const int64_t *v)
{
    const struct plan p = plan_of(task, v);
    const double outputs = (double)(v[TILE_H] * v[TILE_W]);
    const int64_t live = v[TILE_H] * v[TILE_W] + gen_min(p.taps, 9) + 2;
    const double load = lines_collide(device, task, v, &p) ? 1.0 : 0.75;
    double cycles =
        (double)p.in_tile * load + (double)p.taps * 0.5 + outputs + outputs * (double)p.taps * 0.5;
    if (live > cpu_registers(device))
        cycles += 4.0 * (double)(live - cpu_registers(device));
    return cycles * (double)(p.tiles_h * p.tiles_w);
}

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    int64_t best_h = 1, best_w = 1;
    double least = -1;
    v[VECTOR_WIDTH] = 4;
    while (v[VECTOR_WIDTH] < cpu_simd_width(device) && v[VECTOR_WIDTH] < task->in_c)
        v[VECTOR_WIDTH] *= 2;
    v[BLOCK_C] = gen_ceil_div(task->in_c, 16) * 16;
    v[ROWS_PER_GROUP] = 1;
    v[LOOP_ORDER] = CHANNELS_INSIDE;
    v[EDGES] = EDGES_DYNAMIC;
    for (v[TILE_H] = 1; v[TILE_H] <= gen_min(task->out_h, 4); v[TILE_H]++)
        for (v[TILE_W] = 1; v[TILE_W] <= gen_min(task->out_w, 4); v[TILE_W]++) {
            const int64_t outputs = v[TILE_H] * v[TILE_W];
            if (outputs > 1 &&
                (plan_of(task, v).code > MAX_CODE / 3 || 4 * outputs > 5 * cpu_registers(device)))
                continue;
            double cost = tile_cost(device, task, v);
            if (least < 0 || cost < least) {
                least = cost;
                best_h = v[TILE_H];
                best_w = v[TILE_W];
            }
        }
    v[TILE_H] = best_h;
    v[TILE_W] = best_w;
    struct plan p = plan_of(task, v);
    if (p.left <= 1 && p.right <= 1)
        v[EDGES] = EDGES_STATIC;
    while (v[BLOCK_C] > 64 && plan_of(task, v).groups < 4 * cpu_units(device))
        v[BLOCK_C] = gen_ceil_div(v[BLOCK_C] / 2, 16) * 16;
    p = plan_of(task, v);
    v[ROWS_PER_GROUP] = cpu_pieces_per_group(device, p.tiles_h, p.groups / p.tiles_h);
}

/* Channels of a work-group: powers of two, and all of them. */
static uint32_t list_blocks(int64_t *list, const struct anole_task *task)
{
    const int64_t all = gen_ceil_div(task->in_c, 16) * 16;
    uint32_t n = gen_powers(list, 16, all);
    if (list[n - 1] != all)
        list[n++] = all;
    return n;
}

static void declare_knobs(const struct anole_device *device, const struct anole_task *task,
                          struct gen_space *space)
{
    static const char *const loops[] = {"channels-inside", "tiles-inside"};
    static const char *const edges[] = {"static", "dynamic"};
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "vector_width", list, n, v[VECTOR_WIDTH]);
    n = gen_range(list, 1, gen_min(8, task->out_h));
    gen_space_ordinal(space, "tile_h", list, n, v[TILE_H]);
    n = gen_range(list, 1, gen_min(16, task->out_w));
    gen_space_ordinal(space, "tile_w", list, n, v[TILE_W]);
    n = list_blocks(list, task);
    gen_space_ordinal(space, "block_c", list, n, v[BLOCK_C]);
    n = gen_powers(list, 1, gen_min(64, task->out_h));
    gen_space_ordinal(space, "rows_per_group", list, n, v[ROWS_PER_GROUP]);
    gen_space_categorical(space, "loop_order", loops, 2, v[LOOP_ORDER]);
    gen_space_categorical(space, "edges", edges, 2, v[EDGES]);
}

#define NUM(x) ((long long)(x))

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    const long long taps = NUM(task->kernel_h) * task->kernel_w;
    declare_knobs(device, task, space);

    gen_space_constraint(space, "half of a vector would do",
                         "vector_width < %lld or vector_width == 4", NUM(2 * task->in_c));
    gen_space_constraint(space, "the sums of a tile overflow the vector registers",
                         "4 * tile_h * tile_w <= %lld", NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "fewer strips are left", "(rows_per_group - 1) * tile_h < %lld",
                         NUM(task->out_h));
    gen_space_constraint(space, "the unrolled code takes too long to compile",
                         "tile_h * tile_w == 1 or tile_h * tile_w * %lld <= %d", taps,
                         MAX_CODE / 3);
    /* No more than one tile at each side may miss the input. */
    gen_space_constraint(space, "static edges need wider tiles",
                         "edges == 1 or (ceil_div(%lld, tile_w) <= 1 and ceil_div(%lld, tile_w) - "
                         "max(ceil_div(%lld, tile_w), %lld // tile_w) <= 1)",
                         NUM(inside_begin(task)), NUM(task->out_w), NUM(inside_begin(task)),
                         NUM(inside_end(task)));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct plan p = plan_of(task, v);
    const double outputs = (double)(v[TILE_H] * v[TILE_W]);
    const double in_row = 4.0 * task->in_w * (double)v[BLOCK_C];

    f->operations =
        (double)(p.tiles_h * p.tiles_w) * outputs / ((double)task->out_h * task->out_w) *
        (double)(gen_ceil_div(task->in_c, v[VECTOR_WIDTH]) * v[VECTOR_WIDTH]) / task->in_c;
    f->accumulators = outputs;
    f->registers = (outputs + (double)p.taps + 1) / (double)cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / (double)cpu_simd_width(device);
    f->loads = ((double)p.in_tile + (double)p.taps) / (outputs * (double)p.taps);
    f->inner_length = v[LOOP_ORDER] == CHANNELS_INSIDE
                          ? (double)gen_ceil_div(v[BLOCK_C], v[VECTOR_WIDTH])
                          : (double)p.tiles_w;
    f->l1_bytes = 4.0 * (double)p.in_tile *
                  (double)(v[LOOP_ORDER] == CHANNELS_INSIDE ? v[BLOCK_C] : v[VECTOR_WIDTH]) /
                  (double)cpu_l1_bytes(device);
    f->l2_bytes = in_row * (double)((v[TILE_H] - 1) * task->stride_h + task->kernel_h) /
                  (double)cpu_l2_bytes(device);
    f->traffic = (double)p.in_tile / (outputs * task->stride_h * task->stride_w);
    f->groups = (double)p.groups / (double)cpu_units(device);
    f->balance = gen_balance(p.groups, cpu_units(device));
    f->code = (double)p.code;
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const struct plan p = plan_of(task, v);
    const int64_t vectors = gen_ceil_div(task->in_c, v[VECTOR_WIDTH]);
    (void)device;

    gen_emit_task(emit, task);
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "MULTIPLIER", p.multiplier);
    gen_emit_define(emit, "TILE_H", v[TILE_H]);
    gen_emit_define(emit, "TILE_W", v[TILE_W]);
    gen_emit_define(emit, "EDGES_STATIC", v[EDGES] == EDGES_STATIC);
    gen_emit_define(emit, "TILES_LEFT", p.left);
    gen_emit_define(emit, "TILES_RIGHT", p.right);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_depthwise);

    const int64_t numbers[] = {v[BLOCK_C], v[ROWS_PER_GROUP],
                               v[LOOP_ORDER] == CHANNELS_INSIDE ? v[BLOCK_C] : v[VECTOR_WIDTH]};
    gen_emit_launch_with(
        emit, "depthwise", task, (uint64_t)gen_ceil_div(p.tiles_h, v[ROWS_PER_GROUP]),
        (uint64_t)gen_ceil_div(task->in_c, v[BLOCK_C]), task->batch, false, numbers, 3);
    gen_emit_packed_weights(emit, (size_t)(p.multiplier * vectors * v[VECTOR_WIDTH] * p.taps) *
                                      sizeof(float));
}

/* [R][S][K] -> [multiplier][vectors][R][S][vector_width], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const struct plan p = plan_of(task, v);
    const int64_t width = v[VECTOR_WIDTH], vectors = gen_ceil_div(task->in_c, width);
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t tap = 0; tap < p.taps; tap++)
        for (int64_t k = 0; k < task->out_c; k++) {
            const int64_t c = k / p.multiplier, m = k % p.multiplier;
            const int64_t vector = m * vectors + c / width;
            packed[(vector * p.taps + tap) * width + c % width] = weights[tap * task->out_c + k];
        }
}

const struct gen_generator cpu_depthwise = {
    .name = "depthwise",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
