/* SPDX-License-Identifier: MIT
 *
 * Winograd convolution: kernels/winograd.cl for filters of 3 x 3, stride 1.
 */
#include "winograd_cost.h"

#include "tile.h"

#include "vector.cl.h"
#include "winograd.cl.h"
#include "winograd_transform.cl.h"

#define NUM(x) ((long long)(x))

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    if (task->kind != ANOLE_TASK_CONV2D || task->dtype != ANOLE_F32 || task->groups != 1 ||
        task->kernel_h != 3 || task->kernel_w != 3 || task->stride_h != 1 || task->stride_w != 1 ||
        task->dilation_h != 1 || task->dilation_w != 1 || !gen_task_fits_pitched(task))
        return 0;
    int64_t v[WINO_KNOBS];
    wino_plainest(device, task, v);
    if (!wino_acceptable(device, task, v))
        return 0;
    /* With few channels the transforms cost more than the products save. */
    return task->in_c >= 16 && task->out_c >= 16 ? 20 : 5;
}

/* ----------------------------------------------------------- design space */

/* Sizes of smaller tiles that are of use beside one of the tiles. */
static uint32_t rests_of(const struct anole_task *task, const int64_t *tiles, uint32_t count,
                         int64_t *list)
{
    static const int64_t rests[] = {1, 2, 4, 5};
    uint32_t n = 0;
    list[n++] = 0;
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        bool useful = false;
        for (uint32_t k = 0; k < count; k++)
            useful = useful || wino_rest_pays(task, tiles[k], rests[i]);
        if (useful)
            list[n++] = rests[i];
    }
    return n;
}

static void declare_knobs(const struct anole_device *device, const struct anole_task *task,
                          struct gen_space *space)
{
    static const int64_t tiles[] = {2, 4, 5, 6};
    static const int64_t blocks[] = {1, 2, 3, 4, 6, 8};
    static const int64_t unrolls[] = {1, 2, 4};
    static const int64_t distances[] = {0, 8, 16, 32, 64, 128, 256};
    static const int64_t pads[] = {0, 16};
    static const char *const stages[] = {"fused", "staged"};
    const int64_t side = gen_max(task->out_h, task->out_w), k = task->out_c;
    const int64_t all = task->batch * gen_ceil_div(task->out_h, 2) * gen_ceil_div(task->out_w, 2);
    int64_t list[GEN_MAX_VALUES], v[WINO_KNOBS];
    wino_choose(device, task, v);

    uint32_t n = 1;
    while (n < 4 && tiles[n] <= side)
        n++;
    gen_space_ordinal(space, "wino_tile", tiles, n, v[WINO_TILE]);
    n = rests_of(task, tiles, n, list);
    gen_space_ordinal(space, "wino_rest", list, n, v[WINO_REST]);
    n = cpu_vector_widths(device, list);
    gen_space_ordinal(space, "wino_vector_width", list, n, v[WINO_VECTOR_WIDTH]);
    n = gen_range(list, 1, gen_min(8, gen_ceil_div(k, 4)));
    gen_space_ordinal(space, "wino_vectors", list, n, v[WINO_VECTORS]);
    n = gen_range(list, 1, gen_min(28, all));
    gen_space_ordinal(space, "wino_register_tiles", list, n, v[WINO_REGISTER_TILES]);
    gen_space_ordinal(space, "wino_block", blocks, 6, v[WINO_BLOCK]);
    n = gen_powers(list, 1, gen_min(16, gen_ceil_div(k, 4)));
    gen_space_ordinal(space, "wino_phase", list, n, v[WINO_PHASE]);
    gen_space_categorical(space, "wino_stages", stages, 2, v[WINO_STAGES]);
    n = gen_powers(list, 1, gen_min(64, gen_ceil_div(k, 4)));
    gen_space_ordinal(space, "wino_split", list, n, v[WINO_SPLIT]);
    n = gen_powers(list, 16, gen_max(16, gen_max(task->in_c, k)));
    gen_space_ordinal(space, "wino_stage_channels", list, n, v[WINO_STAGE_CHANNELS]);
    gen_space_ordinal(space, "wino_unroll_c", unrolls, 3, v[WINO_UNROLL]);
    gen_space_ordinal(space, "wino_prefetch", distances, 7, v[WINO_PREFETCH]);
    gen_space_ordinal(space, "wino_row_pad", pads, 2, v[WINO_PAD]);
}

/* Tiles in all, and the channels of a phase, as expressions. */
#define TILES "%lld * ceil_div(%lld, wino_tile) * ceil_div(%lld, wino_tile)"
#define TILES_ARGS NUM(task->batch), NUM(task->out_h), NUM(task->out_w)
#define PHASE_K "wino_phase * wino_vectors * wino_vector_width"
#define BLOCK_TILES "wino_block * wino_register_tiles"
#define POINTS "(wino_tile + 2) ** 2"

static void constrain_tiles(const struct anole_device *device, const struct anole_task *task,
                            struct gen_space *space)
{
    const long long k = task->out_c;
    gen_space_constraint(space, "the sums overflow the vector registers",
                         "4 * (wino_register_tiles * wino_vectors + wino_vectors + 1) <= %lld",
                         NUM(5 * cpu_registers(device)));
    gen_space_constraint(space, "a vector of channels would hold padding alone",
                         "(wino_vectors - 1) * wino_vector_width < %lld", k);
    gen_space_constraint(space, "half of a vector would do",
                         "wino_vector_width < %lld or wino_vector_width == 4", 2 * k);
    gen_space_constraint(
        space, "smaller tiles save nothing",
        "wino_rest == 0 or wino_rest < wino_tile and "
        "(wino_tile - wino_rest <= ceil_div(%lld, wino_tile) * wino_tile - %lld or "
        "wino_tile - wino_rest <= ceil_div(%lld, wino_tile) * wino_tile - %lld)",
        NUM(task->out_h), NUM(task->out_h), NUM(task->out_w), NUM(task->out_w));
    gen_space_constraint(space, "smaller tiles cost more than they save",
                         "wino_rest == 0 or ceil_div(%lld, wino_tile) <= %lld and "
                         "ceil_div(%lld, wino_tile) <= %lld",
                         NUM(task->out_h), NUM(WINO_REST_MOST_TILES), NUM(task->out_w),
                         NUM(WINO_REST_MOST_TILES));
    gen_space_constraint(space, "there are fewer tiles", "wino_register_tiles <= " TILES,
                         TILES_ARGS);
    gen_space_constraint(space, "a smaller block holds all tiles",
                         "(wino_block - 1) * wino_register_tiles < " TILES, TILES_ARGS);
    gen_space_constraint(space, "a smaller phase holds all channels",
                         "(wino_phase - 1) * wino_vectors * wino_vector_width < %lld", k);
}

static void constrain_stages(const struct anole_device *device, const struct anole_task *task,
                             struct gen_space *space)
{
    const long long c = task->in_c, k = task->out_c;
    gen_space_constraint(space, "there are fewer phases to split",
                         "wino_split <= ceil_div(%lld, " PHASE_K ")", k);
    gen_space_constraint(space, "only a fused kernel is split",
                         "wino_stages == 0 or wino_split == 1");
    gen_space_constraint(space, "only stages have channels to share out",
                         "wino_stages == 1 or wino_stage_channels == 16");
    gen_space_constraint(space, "intermediate results overflow local memory",
                         "wino_stages == 1 or " POINTS " * (" BLOCK_TILES
                         " * (round_up(%lld, wino_vector_width) + wino_row_pad + " PHASE_K
                         ") + wino_row_pad) <= %lld",
                         c, NUM(wino_local_floats(device)));
    gen_space_constraint(space, "intermediate results overflow a buffer",
                         "wino_stages == 0 or " POINTS " * " TILES
                         " * (round_up(%lld, wino_vector_width) + round_up(%lld, " PHASE_K
                         ") + 2 * wino_row_pad) <= %lld",
                         TILES_ARGS, c, k, NUM(cpu_buffer_floats(device)));
    gen_space_constraint(space, "the transformed weights overflow a buffer",
                         POINTS " * round_up(%lld, " PHASE_K ") * %lld <= %lld", k, c,
                         NUM(cpu_buffer_floats(device)));
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    declare_knobs(device, task, space);
    constrain_tiles(device, task, space);
    constrain_stages(device, task, space);
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct wino_plan p = wino_plan_of(task, v);
    const bool staged = v[WINO_STAGES] == WINO_STAGED;
    const double sums = (double)(v[WINO_REGISTER_TILES] * v[WINO_VECTORS]);
    const int64_t blocks = gen_ceil_div(p.tiles, p.block_tiles);
    const int64_t groups = staged ? blocks * p.points * p.phases : blocks * v[WINO_SPLIT];
    const double scratch = (double)(p.v_floats + p.m_floats);
    const double tensors = (double)task->batch * ((double)task->in_h * task->in_w * task->in_c +
                                                  (double)task->out_h * task->out_w * task->out_c) +
                           9.0 * task->in_c * task->out_c;

    double products = 0; /* of a pair of channels */
    for (int class = 0; class < WINO_CLASSES; class ++)
        products +=
            (double)wino_class_points(&p, class) * (double)wino_rows_before(&p, p.tiles, class);
    f->operations = 2.0 * products * task->in_c *
                    (double)(gen_ceil_div(task->out_c, p.block_k) * p.block_k) /
                    gen_task_operations(task);
    f->accumulators = sums;
    f->registers = (sums + (double)v[WINO_VECTORS] + 1) / (double)cpu_registers(device);
    f->vector_width = (double)v[WINO_VECTOR_WIDTH] / (double)cpu_simd_width(device);
    f->loads = (double)(v[WINO_REGISTER_TILES] + v[WINO_VECTORS]) / sums;
    f->inner_length = task->in_c;
    f->l1_bytes = 4.0 * (double)(v[WINO_REGISTER_TILES] * p.v_row) / (double)cpu_l1_bytes(device);
    f->l2_bytes = 4.0 * (scratch + (staged ? 0 : (double)p.weights)) / (double)cpu_l2_bytes(device);
    f->traffic =
        ((double)p.weights * (double)(staged ? 1 : blocks) + (staged ? 2 * scratch : 0)) / tensors;
    f->groups = (double)groups / (double)cpu_units(device);
    f->balance = gen_balance(groups, cpu_units(device));
    f->code = sums * (double)v[WINO_UNROLL] + 8.0 * (double)p.points;
}

/* ----------------------------------------------------------------- kernel */

static void emit_launches(const struct anole_task *task, const int64_t *v,
                          const struct wino_plan *p, struct gen_emit *emit)
{
    const int64_t blocks = gen_ceil_div(p->tiles, p->block_tiles);
    const int64_t channels = v[WINO_STAGE_CHANNELS];
    const int64_t fused[] = {v[WINO_SPLIT], v[WINO_PREFETCH]};
    const int64_t multiply[] = {p->block_tiles, v[WINO_PREFETCH]};
    if (v[WINO_STAGES] == WINO_FUSED) {
        gen_emit_launch_with(emit, "winograd", task, blocks, v[WINO_SPLIT], 1, false, fused, 2);
        return;
    }
    gen_emit_launch_with(emit, "winograd_input", task, p->tiles, gen_ceil_div(task->in_c, channels),
                         1, true, &channels, 1);
    gen_emit_launch_with(emit, "winograd_multiply", task, blocks, p->points, p->phases, true,
                         multiply, 2);
    gen_emit_launch_with(emit, "winograd_output", task, p->tiles,
                         gen_ceil_div(task->out_c, channels), 1, true, &channels, 1);
    gen_emit_workspace(emit, (size_t)(p->v_floats + p->m_floats) * sizeof(float));
}

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const struct wino_plan p = wino_plan_of(task, v);
    (void)device;

    gen_emit_task(emit, task);
    gen_emit_define(emit, "TILE", v[WINO_TILE]);
    gen_emit_define(emit, "REST", p.rest);
    gen_emit_define(emit, "VW", v[WINO_VECTOR_WIDTH]);
    gen_emit_define(emit, "KV", v[WINO_VECTORS]);
    gen_emit_define(emit, "REGISTER_TILES", v[WINO_REGISTER_TILES]);
    if (v[WINO_STAGES] == WINO_FUSED)
        gen_emit_define(emit, "BLOCK_TILES", p.block_tiles);
    gen_emit_define(emit, "PHASE_BLOCKS", v[WINO_PHASE]);
    gen_emit_define(emit, "STAGED", v[WINO_STAGES] == WINO_STAGED);
    gen_emit_define(emit, "UNROLL_C", v[WINO_UNROLL]);
    gen_emit_define(emit, "PREFETCH", v[WINO_PREFETCH] > 0);
    gen_emit_define(emit, "ROW_PAD", v[WINO_PAD]);
    gen_emit_define(emit, "ROWS_USED", wino_rows_used(&p, v));
    gen_emit_text(emit, kernel_vector);
    gen_emit_text(emit, kernel_winograd_transform);
    gen_emit_text(emit, kernel_winograd);

    emit_launches(task, v, &p, emit);
    gen_emit_packed_weights(emit, (size_t)p.weights * sizeof(float));
}

static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    (void)device;
    (void)bytes;
    wino_pack(task, v, weights, packed);
}

const struct gen_generator cpu_winograd = {
    .name = "winograd",
    .knob_count = WINO_KNOBS,
    .supports = supports,
    .space = space,
    .features = features,
    .generate = generate,
    .pack = pack,
};
