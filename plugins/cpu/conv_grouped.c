/* SPDX-License-Identifier: MIT
 *
 * Convolution in narrow groups: kernels/conv_grouped.cl, where one vector covers
 * the output channels of several groups.  For groups of 1, 2, 4 or 8 channels
 * whose vectors divide evenly; the direct convolution does the rest.
 */
#include "generator.h"
#include "tile.h"

#include "conv_grouped.cl.h"
#include "vector.cl.h"

#include <stdio.h>
#include <string.h>

enum knob {
    VECTOR_WIDTH,     /* output channels of a block */
    TILE_W,           /* pixels of a tile across */
    TILE_H,           /* and down */
    UNROLL_S,         /* of the loop over filter columns */
    LOOP_ORDER,       /* in a work-group, do the weights of a block stay, or the rows? */
    GROUP_ORDER,      /* which work-groups follow each other: channels or rows? */
    ROWS_PER_GROUP,   /* strips of tiles in a work-group */
    BLOCKS_PER_GROUP, /* blocks of output channels in a work-group */
    KNOBS
};

enum { ROWS_STAY, WEIGHTS_STAY };
enum { CHANNELS_FIRST, ROWS_FIRST };

#define NUM(x) ((long long)(x))

static int64_t channels_in(const struct anole_task *task)
{
    return task->in_c / task->groups;
}

static int64_t channels_out(const struct anole_task *task)
{
    return task->out_c / task->groups;
}

static bool is_power(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

/* Can a vector of so many output channels hold two groups or more, and whole
 * ones? */
static bool width_fits(const struct anole_task *task, int64_t width)
{
    return width > channels_out(task) && task->out_c % width == 0;
}

/* The vector widths that fit: list[GEN_MAX_VALUES]; returns how many. */
static uint32_t widths(const struct anole_device *device, const struct anole_task *task,
                       int64_t *list)
{
    int64_t all[GEN_MAX_VALUES];
    uint32_t count = 0, n = cpu_vector_widths(device, all);
    for (uint32_t i = 0; i < n; i++)
        if (width_fits(task, all[i]))
            list[count++] = all[i];
    return count;
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    int64_t list[GEN_MAX_VALUES];
    if (task->kind != ANOLE_TASK_CONV2D || task->dtype != ANOLE_F32 || task->groups < 2 ||
        !gen_task_fits_pitched(task))
        return 0;
    bool narrow = is_power(channels_in(task)) && is_power(channels_out(task)) &&
                  channels_in(task) <= channels_out(task);
    return narrow && widths(device, task, list) > 0 ? 20 : 0;
}

/* ----------------------------------------------------------- design space */

static void choose_default(const struct anole_device *device, const struct anole_task *task,
                           int64_t *v)
{
    int64_t list[GEN_MAX_VALUES];
    v[VECTOR_WIDTH] = list[widths(device, task, list) - 1];
    /* The widest tile that leaves room for the weights of a tap, and that cuts
     * the row into even parts. */
    int64_t room = gen_max(1, cpu_registers(device) - channels_in(task) - 3);
    int64_t parts = gen_ceil_div(task->out_w, gen_min(room, 14));
    v[TILE_W] = gen_min(32, gen_ceil_div(task->out_w, parts));
    v[TILE_H] = 1;
    v[UNROLL_S] = 1;
    v[LOOP_ORDER] = ROWS_STAY;
    v[GROUP_ORDER] = ROWS_FIRST;
    int64_t blocks = task->out_c / v[VECTOR_WIDTH];
    v[BLOCKS_PER_GROUP] = 1;
    while (2 * v[BLOCKS_PER_GROUP] <= gen_min(blocks, 32) &&
           task->out_h * blocks / v[BLOCKS_PER_GROUP] * task->batch > 16 * cpu_units(device))
        v[BLOCKS_PER_GROUP] *= 2;
    v[ROWS_PER_GROUP] = cpu_pieces_per_group(
        device, task->out_h, gen_ceil_div(blocks, v[BLOCKS_PER_GROUP]) * task->batch);
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    static const int64_t small[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const int64_t unrolls[] = {1, 2, 3};
    static const char *const loops[] = {"rows-stay", "weights-stay"};
    static const char *const groups[] = {"channels-first", "rows-first"};
    int64_t list[GEN_MAX_VALUES], v[KNOBS];
    choose_default(device, task, v);

    uint32_t n = widths(device, task, list);
    const int64_t narrowest = list[0];
    gen_space_ordinal(space, "grp_vector_width", list, n, v[VECTOR_WIDTH]);
    n = gen_range(list, 1, gen_min(task->out_w, 32));
    gen_space_ordinal(space, "grp_tile_w", list, n, v[TILE_W]);
    gen_space_ordinal(space, "grp_tile_h", small, gen_min(8, task->out_h), v[TILE_H]);
    gen_space_ordinal(space, "grp_unroll_s", unrolls, gen_min(3, task->kernel_w), v[UNROLL_S]);
    gen_space_categorical(space, "grp_loop_order", loops, 2, v[LOOP_ORDER]);
    gen_space_categorical(space, "grp_group_order", groups, 2, v[GROUP_ORDER]);
    n = gen_powers(list, 1, gen_min(64, task->out_h));
    gen_space_ordinal(space, "grp_rows_per_group", list, n, v[ROWS_PER_GROUP]);
    n = gen_powers(list, 1, gen_min(32, task->out_c / narrowest));
    gen_space_ordinal(space, "grp_blocks_per_group", list, n, v[BLOCKS_PER_GROUP]);

    gen_space_constraint(space, "the sums of a tile overflow the vector registers",
                         "4 * (grp_tile_h * grp_tile_w + %lld) <= %lld", NUM(channels_in(task) + 2),
                         NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "a work-group has more strips than there are",
                         "grp_rows_per_group <= ceil_div(%lld, grp_tile_h)", NUM(task->out_h));
    gen_space_constraint(space, "a work-group has more blocks than there are",
                         "grp_blocks_per_group <= %lld // grp_vector_width", NUM(task->out_c));
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const double pixels = (double)v[TILE_H] * v[TILE_W], depth = (double)channels_in(task);
    const int64_t strips = gen_ceil_div(task->out_h, v[TILE_H]);
    const int64_t across = gen_ceil_div(task->out_w, v[TILE_W]);
    const int64_t blocks = task->out_c / v[VECTOR_WIDTH];
    const int64_t groups = gen_ceil_div(strips, v[ROWS_PER_GROUP]) *
                           gen_ceil_div(blocks, v[BLOCKS_PER_GROUP]) * task->batch;
    const double slab = 4.0 * task->kernel_h * task->kernel_w * depth * v[VECTOR_WIDTH];
    const double rows = (double)(v[TILE_H] - 1) * task->stride_h + task->kernel_h;
    const double columns = (double)(v[TILE_W] - 1) * task->stride_w + task->kernel_w;

    f->operations = (double)(strips * across) * pixels / ((double)task->out_h * task->out_w);
    f->accumulators = pixels;
    f->registers = (pixels + depth + 2) / cpu_registers(device);
    f->vector_width = (double)v[VECTOR_WIDTH] / cpu_simd_width(device);
    f->loads = 1 / depth + 1 / pixels;
    f->inner_length = (double)task->kernel_h * task->kernel_w;
    f->l1_bytes = (slab + 4 * rows * columns * v[VECTOR_WIDTH]) / cpu_l1_bytes(device);
    f->l2_bytes =
        slab * (v[LOOP_ORDER] == WEIGHTS_STAY ? 1 : v[BLOCKS_PER_GROUP]) / cpu_l2_bytes(device);
    f->traffic = 1;
    f->groups = (double)groups / cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = 2 * pixels * depth * v[UNROLL_S];
}

/* ----------------------------------------------------------------- kernel */

/* Input channels that one block of output channels reads. */
static int64_t span_of(const struct anole_task *task, const int64_t *v)
{
    return v[VECTOR_WIDTH] / channels_out(task) * channels_in(task);
}

/* "#define SPREAD(x, c)": for groups of 2 channels in vectors of 4, that is
 * ((c) == 0 ? (x).s0022 : (x).s1133). */
static void emit_spread(struct gen_emit *emit, const struct anole_task *task, const int64_t *v)
{
    static const char digits[] = "0123456789abcdef";
    const int64_t depth = channels_in(task);
    char lanes[17];

    gen_emit_text(emit, "#define SPREAD(x, c) (");
    for (int64_t c = 0; c < depth; c++) {
        char text[64];
        for (int64_t lane = 0; lane < v[VECTOR_WIDTH]; lane++)
            lanes[lane] = digits[lane / channels_out(task) * depth + c];
        lanes[v[VECTOR_WIDTH]] = 0;
        if (c + 1 < depth)
            snprintf(text, sizeof text, "(c) == %d ? (x).s%s : ", (int)c, lanes);
        else
            snprintf(text, sizeof text, "(x).s%s)\n", lanes);
        gen_emit_text(emit, text);
    }
}

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const int64_t blocks = task->out_c / v[VECTOR_WIDTH], span = span_of(task, v);
    const int64_t taps = (int64_t)task->kernel_h * task->kernel_w;
    (void)device;

    gen_emit_task(emit, task);
    gen_emit_define(emit, "VW", v[VECTOR_WIDTH]);
    gen_emit_define(emit, "SPAN", span);
    gen_emit_define(emit, "BLOCKS", blocks);
    gen_emit_define(emit, "TILE_H", v[TILE_H]);
    gen_emit_define(emit, "TILE_W", v[TILE_W]);
    gen_emit_define(emit, "UNROLL_S", v[UNROLL_S]);
    emit_spread(emit, task, v);
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_conv_grouped);

    int64_t x = gen_ceil_div(gen_ceil_div(task->out_h, v[TILE_H]), v[ROWS_PER_GROUP]);
    int64_t y = gen_ceil_div(blocks, v[BLOCKS_PER_GROUP]);
    bool rows_first = v[GROUP_ORDER] == ROWS_FIRST;
    const int64_t numbers[] = {v[ROWS_PER_GROUP], v[BLOCKS_PER_GROUP],
                               v[LOOP_ORDER] == WEIGHTS_STAY, rows_first};
    gen_emit_launch_with(emit, "conv_grouped", task, rows_first ? x : y, rows_first ? y : x,
                         task->batch, false, numbers, 4);
    gen_emit_packed_weights(emit, (size_t)(task->out_c * taps * channels_in(task) + span) *
                                      sizeof(float));
}

/* [K][R][S][CG] -> [K / width][R][S][CG][width], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const int64_t width = v[VECTOR_WIDTH];
    const int64_t rows = (int64_t)task->kernel_h * task->kernel_w * channels_in(task);
    (void)device;

    memset(packed, 0, bytes);
    for (int64_t k = 0; k < task->out_c; k++)
        for (int64_t i = 0; i < rows; i++)
            packed[(k / width * rows + i) * width + k % width] = weights[k * rows + i];
}

const struct gen_generator cpu_conv_grouped = {
    .name = "grouped",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
