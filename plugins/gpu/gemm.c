/* SPDX-License-Identifier: MIT */
#include "gemm.h"

#include "gpu_gemm.cl.h"
#include "gpu_matrix.cl.h"
#include "gpu_product.cl.h"

#include <stdio.h>
#include <string.h>

#define MAX_CODE 4096        /* multiply-adds of unrolled code: more takes seconds to compile */
#define MAX_STAGED 48        /* floats on their way to local memory, of a work-item */
#define MAX_INDEX (1 << 30)  /* floats of a buffer */
#define MAX_PARTS (64 << 20) /* floats of partial sums */

void gemm_plan_tiles(struct gemm_plan *p, const struct gemm_shape *s, int64_t tile_k)
{
    p->m_tiles = gen_ceil_div(s->rows, p->tile_m);
    p->n_tiles = gen_ceil_div(s->columns, p->tile_n);
    p->k_tiles = gen_ceil_div(s->depth, tile_k);
    p->groups = p->m_tiles * p->n_tiles * s->matrices * p->split;
    p->weights = s->matrices * p->n_tiles * p->k_tiles * tile_k * p->tile_n;
    p->parts = p->split > 1 ? p->split * s->matrices * s->rows * p->n_tiles * p->tile_n : 0;
}

struct gemm_plan gemm_plan_of(const struct gemm_shape *s, const int64_t *v)
{
    struct gemm_plan p = {.split = v[GEMM_SPLIT]};
    p.threads = v[GEMM_ITEMS_M] * v[GEMM_ITEMS_N];
    p.tile_m = v[GEMM_ITEMS_M] * v[GEMM_WORK_M];
    p.tile_n = v[GEMM_ITEMS_N] * v[GEMM_WORK_N];
    gemm_plan_tiles(&p, s, v[GEMM_TILE_K]);
    p.stage_a = v[GEMM_STAGE] == GEMM_STAGE_BOTH || v[GEMM_STAGE] == GEMM_STAGE_INPUTS;
    p.stage_b = v[GEMM_STAGE] == GEMM_STAGE_BOTH || v[GEMM_STAGE] == GEMM_STAGE_WEIGHTS;

    const int64_t a_floats = v[GEMM_WORK_M] * v[GEMM_TILE_K] / v[GEMM_ITEMS_N];
    const int64_t b_floats = v[GEMM_WORK_N] * v[GEMM_TILE_K] / v[GEMM_ITEMS_M];
    p.registers = v[GEMM_WORK_M] * v[GEMM_WORK_N] + v[GEMM_WORK_N] + 16;
    p.registers += p.stage_a ? v[GEMM_WORK_M] + 2 * gen_ceil_div(a_floats, v[GEMM_VECTOR_A])
                             : v[GEMM_WORK_M] * (v[GEMM_VECTOR_A] + 2);
    if (v[GEMM_PIPELINE] != GEMM_SERIAL)
        p.registers += (p.stage_a ? a_floats : 0) + (p.stage_b ? b_floats : 0);
    p.local_bytes = 0;
    if (p.stage_a)
        p.local_bytes += v[GEMM_TILE_K] * (p.tile_m + v[GEMM_PAD] * v[GEMM_VECTOR_M]);
    if (p.stage_b)
        p.local_bytes += v[GEMM_TILE_K] * p.tile_n;
    p.local_bytes *= v[GEMM_PIPELINE] == GEMM_TWO_TILES ? 8 : 4;
    return p;
}

/* Floats on their way to local memory that a work-item may hold. */
static int64_t most_staged(const struct anole_device *device)
{
    return gen_min(MAX_STAGED, gpu_registers(device) / 4);
}

/* Fewer leave most of a wave without work. */
static int64_t least_items(const struct anole_device *device)
{
    return gen_min(gen_min(gpu_wave(device), 32), gpu_max_group(device)) / 2;
}

/* ------------------------------------------------------------- the default */

/* Estimated time of a config, in steps of one multiply-add of a unit's lanes:
 * rounds of work-groups, times what one of them takes. */
static double cost(const struct anole_device *device, const struct gemm_shape *s, const int64_t *v)
{
    const struct gemm_plan p = gemm_plan_of(s, v);
    const double lanes = gpu_property(device, "lanes_per_unit", 64);
    const double occupancy = gpu_occupancy(device, p.threads, p.registers, p.local_bytes);
    const double resident =
        gen_max(1, (int64_t)(occupancy * (double)gpu_unit_items(device) / (double)p.threads));
    const double sums = (double)(v[GEMM_WORK_M] * v[GEMM_WORK_N]);
    /* Reads of local memory go beside the arithmetic, one for two of them at best. */
    const double reads = (double)v[GEMM_WORK_M] / (double)v[GEMM_VECTOR_M] +
                         (double)v[GEMM_WORK_N] / (double)v[GEMM_VECTOR_N];
    const double loads = (double)(p.tile_m + p.tile_n) / (double)p.threads;
    const double step = sums + reads + 2 * loads + 1;
    const double depth = (double)gen_ceil_div(p.k_tiles, v[GEMM_SPLIT]) * (double)v[GEMM_TILE_K];
    /* With few waves on a unit, latency shows. */
    const double waves = resident * (double)p.threads / lanes;
    const double hidden = waves >= 4 ? 1 : 4 / (waves + 1e-9) * 0.5 + 0.5;
    const double group = (double)p.threads / lanes * (depth * step + 40 * sums / 8) * hidden;
    const double rounds = (double)gen_ceil_div(p.groups, gpu_units(device));
    double total = rounds * group;
    if (v[GEMM_SPLIT] > 1)
        total += 2000 + 4 * (double)p.parts / (lanes * (double)gpu_units(device));
    return total;
}

int64_t gemm_largest(int64_t size, int64_t small)
{
    return gen_max(2 * size - 1, small);
}

#define SMALL_TILE 16
#define SMALL_DEPTH 8

/* Without local memory of its own, a work-item's tile is all there is. */
static void choose_plain(const struct anole_device *device, const struct gemm_shape *s, int64_t *v)
{
    v[GEMM_STAGE] = GEMM_STAGE_NONE;
    v[GEMM_ITEMS_N] = 4;
    v[GEMM_ITEMS_M] = 8;
    while (v[GEMM_ITEMS_M] * v[GEMM_ITEMS_N] > gpu_max_group(device))
        v[v[GEMM_ITEMS_M] > 1 ? GEMM_ITEMS_M : GEMM_ITEMS_N] /= 2;
    v[GEMM_WORK_M] = 4;
    while (v[GEMM_WORK_M] > 1 &&
           v[GEMM_ITEMS_M] * v[GEMM_WORK_M] > gemm_largest(s->rows, SMALL_TILE))
        v[GEMM_WORK_M] /= 2;
    v[GEMM_WORK_N] = v[GEMM_VECTOR_N] = 4;
    v[GEMM_VECTOR_M] = 1;
    v[GEMM_TILE_K] = 8;
    v[GEMM_PIPELINE] = GEMM_SERIAL;
    v[GEMM_VECTOR_A] = gen_min(s->vector, 4);
    v[GEMM_VECTOR_B] = 1;
    v[GEMM_UNROLL] = 1;
    v[GEMM_SPLIT] = 1;
}

/* Is a config of those that the constraints allow?  As far as gemm_choose() might
 * go wrong. */
static bool allowed(const struct anole_device *device, const struct gemm_shape *s, const int64_t *v)
{
    const struct gemm_plan p = gemm_plan_of(s, v);
    const int64_t staged = most_staged(device);
    return p.threads <= gpu_max_group(device) && p.threads >= least_items(device) &&
           p.local_bytes <= gpu_local_bytes(device) && p.registers <= gpu_registers(device) &&
           v[GEMM_WORK_M] * v[GEMM_TILE_K] <= staged * v[GEMM_ITEMS_N] &&
           v[GEMM_WORK_N] * v[GEMM_TILE_K] <= staged * v[GEMM_ITEMS_M] &&
           p.tile_m <= gemm_largest(s->rows, SMALL_TILE) &&
           p.tile_n <= gemm_largest(s->columns, SMALL_TILE) &&
           v[GEMM_TILE_K] <= gemm_largest(s->depth, SMALL_DEPTH) && gemm_valid(s, v);
}

/* Tiles that served well, from large to small: items and work by rows and columns. */
static const struct {
    int8_t items_m, items_n, work_m, work_n, tile_k;
} tiles[] = {
    {16, 16, 8, 8, 8},  {16, 16, 4, 8, 16}, {16, 16, 8, 4, 16}, {8, 16, 8, 8, 8},  {16, 8, 8, 8, 8},
    {16, 16, 4, 4, 16}, {8, 16, 4, 8, 16},  {8, 8, 8, 8, 8},    {8, 16, 4, 4, 16}, {8, 8, 4, 8, 16},
    {8, 8, 4, 4, 16},   {4, 16, 4, 4, 16},  {4, 16, 2, 4, 16},  {8, 8, 2, 4, 16},  {4, 8, 4, 4, 16},
    {2, 16, 2, 4, 16},  {4, 8, 2, 4, 8},    {4, 4, 2, 2, 8},
};

void gemm_choose(const struct anole_device *device, const struct gemm_shape *s, int64_t *v)
{
    static const int64_t splits[] = {1, 2, 4, 8, 16};
    int64_t w[GEMM_KNOBS] = {0};
    double best = -1;

    w[GEMM_SWIZZLE] = 1;
    choose_plain(device, s, w);
    memcpy(v, w, sizeof w);
    if (!gpu_local_is_real(device))
        return;
    w[GEMM_STAGE] = GEMM_STAGE_BOTH;
    w[GEMM_PIPELINE] = GEMM_REGISTERS;
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        w[GEMM_ITEMS_M] = tiles[i].items_m;
        w[GEMM_ITEMS_N] = tiles[i].items_n;
        w[GEMM_WORK_M] = tiles[i].work_m;
        w[GEMM_WORK_N] = tiles[i].work_n;
        w[GEMM_TILE_K] = tiles[i].tile_k;
        w[GEMM_VECTOR_A] = gen_min(s->vector, 4);
        w[GEMM_VECTOR_B] = gen_min(4, tiles[i].work_n);
        w[GEMM_VECTOR_M] = gen_min(4, tiles[i].work_m);
        w[GEMM_VECTOR_N] = gen_min(4, tiles[i].work_n);
        w[GEMM_UNROLL] = gen_min(8, tiles[i].tile_k);
        for (size_t j = 0; j < (s->may_split ? 5 : 1); j++) {
            w[GEMM_SPLIT] = splits[j];
            const struct gemm_plan p = gemm_plan_of(s, w);
            if (!allowed(device, s, w) || splits[j] > gen_max(1, p.k_tiles / 4))
                continue;
            double c = cost(device, s, w);
            if (best < 0 || c < best) {
                best = c;
                memcpy(v, w, sizeof w);
            }
        }
    }
}

bool gemm_plan_fits(const struct gemm_plan *p, const struct gemm_shape *s)
{
    return p->weights < MAX_INDEX && p->parts <= MAX_PARTS && s->matrices <= 65535 &&
           p->split <= gen_max(1, p->k_tiles);
}

bool gemm_valid(const struct gemm_shape *s, const int64_t *v)
{
    const struct gemm_plan p = gemm_plan_of(s, v);
    return gemm_plan_fits(&p, s);
}

/* ----------------------------------------------------------- design space */

static void declare_knobs(const struct gemm_shape *s, const int64_t *v, struct gen_space *space)
{
    static const int64_t items[] = {1, 2, 4, 8, 16, 32};
    static const int64_t work_m[] = {1, 2, 3, 4, 6, 7, 8, 12, 16};
    static const int64_t work_n[] = {1, 2, 4, 6, 8, 12, 16};
    static const int64_t depths[] = {4, 8, 16, 32, 64};
    static const int64_t powers[] = {1, 2, 4, 8, 16};
    static const int64_t turns[] = {1, 4, 8, 32};
    static const int64_t pads[] = {0, 1, 2};
    static const char *const stages[] = {"both", "weights", "inputs", "none"};
    static const char *const pipelines[] = {"serial", "registers", "two-tiles"};
    const uint32_t widest = s->wide ? 4 : 3; /* of a load: 16 bytes */
    const uint32_t of_row = s->vector >= 8 ? 4 : s->vector >= 4 ? 3 : s->vector >= 2 ? 2 : 1;
    const uint32_t vectors = of_row < widest ? of_row : widest;

    gen_space_ordinal(space, "items_m", items, 6, v[GEMM_ITEMS_M]);
    gen_space_ordinal(space, "items_n", items, 6, v[GEMM_ITEMS_N]);
    gen_space_ordinal(space, "work_m", work_m, 9, v[GEMM_WORK_M]);
    gen_space_ordinal(space, "work_n", work_n, 7, v[GEMM_WORK_N]);
    gen_space_ordinal(space, "tile_k", depths, 5, v[GEMM_TILE_K]);
    gen_space_ordinal(space, "vector_a", powers, vectors, v[GEMM_VECTOR_A]);
    gen_space_ordinal(space, "vector_b", powers, widest, v[GEMM_VECTOR_B]);
    gen_space_ordinal(space, "vector_m", powers, 3, v[GEMM_VECTOR_M]);
    gen_space_ordinal(space, "vector_n", powers, 3, v[GEMM_VECTOR_N]);
    gen_space_ordinal(space, "unroll", powers, 4, v[GEMM_UNROLL]);
    gen_space_categorical(space, "stage", stages, 4, v[GEMM_STAGE]);
    gen_space_ordinal(space, "pad", pads, 3, v[GEMM_PAD]);
    gen_space_categorical(space, "pipeline", pipelines, 3, v[GEMM_PIPELINE]);
    gen_space_ordinal(space, "swizzle", turns, 4, v[GEMM_SWIZZLE]);
    gen_space_ordinal(space, "split", powers, 5, v[GEMM_SPLIT]);
}

#define NUM(x) ((long long)(x))

static void constrain_launch(const struct anole_device *device, struct gen_space *space)
{
    const long long registers = gpu_registers(device), local = gpu_local_bytes(device) / 4;
    gen_space_constraint(space, "a work-group has more work-items than the device takes",
                         "items_m * items_n <= %lld", NUM(gpu_max_group(device)));
    gen_space_constraint(space, "a work-group does not fill a wave", "items_m * items_n >= %lld",
                         NUM(least_items(device)));
    gen_space_constraint(space, "the sums of a work-item overflow its registers",
                         "work_m * work_n + work_m + work_n + 24 <= %lld", registers);
    gen_space_constraint(space, "inputs of several vectors overflow the registers",
                         "stage == 0 or stage == 2 or work_m * (work_n + vector_a + 2) + 24 <= "
                         "%lld",
                         registers);
    gen_space_constraint(space, "too many inputs are on their way in registers",
                         "work_m * tile_k <= %lld * items_n", NUM(most_staged(device)));
    gen_space_constraint(space, "too many weights are on their way in registers",
                         "work_n * tile_k <= %lld * items_m", NUM(most_staged(device)));
    gen_space_constraint(space, "the tiles of inputs and weights overflow local memory",
                         "stage != 0 or (1 + (pipeline == 2)) * tile_k * (items_m * work_m + "
                         "items_n * work_n + pad * vector_m) <= %lld",
                         local);
    gen_space_constraint(space, "the tile of weights overflows local memory",
                         "stage != 1 or (1 + (pipeline == 2)) * tile_k * items_n * work_n <= %lld",
                         local);
    gen_space_constraint(space, "the tile of inputs overflows local memory",
                         "stage != 2 or (1 + (pipeline == 2)) * tile_k * (items_m * work_m + "
                         "pad * vector_m) <= %lld",
                         local);
}

static void constrain_shape(const struct gemm_shape *s, struct gen_space *space)
{
    gen_space_constraint(space, "rows of a work-item are no whole vectors",
                         "work_m %% vector_m == 0");
    gen_space_constraint(space, "columns of a work-item are no whole vectors",
                         "work_n %% vector_n == 0");
    gen_space_constraint(space, "the tile's columns are no whole vectors",
                         "(items_n * work_n) %% vector_b == 0");
    if (s->wide) /* else tiles are never that shallow */
        gen_space_constraint(space, "a load of inputs is longer than the tile is deep",
                             "vector_a <= tile_k");
    gen_space_constraint(space, "the loop is shorter than what is unrolled", "unroll <= tile_k");
    gen_space_constraint(space, "too much code to compile", "work_m * work_n * unroll <= %d",
                         MAX_CODE);
    gen_space_constraint(space, "what is not staged has no padding and no order",
                         "stage == 0 or stage == 2 or pad == 0 and vector_m == 1");
    gen_space_constraint(space, "weights that are not staged are loaded by columns",
                         "stage == 0 or stage == 1 or vector_b == 1");
    gen_space_constraint(space, "where nothing is staged nothing is under way",
                         "stage != 3 or pipeline == 0");
    gen_space_constraint(space, "half of the tile's rows would do", "items_m * work_m <= %lld",
                         NUM(gemm_largest(s->rows, SMALL_TILE)));
    gen_space_constraint(space, "half of the tile's columns would do", "items_n * work_n <= %lld",
                         NUM(gemm_largest(s->columns, SMALL_TILE)));
    gen_space_constraint(space, "half of the tile's depth would do", "tile_k <= %lld",
                         NUM(gemm_largest(s->depth, SMALL_DEPTH)));
    gen_space_constraint(space, "fewer tiles of rows than take turns",
                         "swizzle == 1 or swizzle * items_m * work_m < %lld", NUM(2 * s->rows));
    gen_space_constraint(space, "a part of the depth has no tile",
                         "split == 1 or split * tile_k <= %lld", NUM(s->may_split ? s->depth : 0));
}

void gemm_declare(const struct anole_device *device, const struct gemm_shape *shape,
                  const int64_t *preferred, struct gen_space *space)
{
    declare_knobs(shape, preferred, space);
    constrain_launch(device, space);
    constrain_shape(shape, space);
}

/* ---------------------------------------------------------------- features */

void gemm_plan_features(const struct anole_device *device, const struct gemm_shape *s,
                        const struct gemm_plan *p, int64_t tile_k, double a_loads, double b_loads,
                        struct gen_features *f)
{
    const double depth = (double)(p->k_tiles * tile_k);
    f->operations = (double)(p->m_tiles * p->tile_m) / (double)s->rows *
                    (double)(p->n_tiles * p->tile_n) / (double)s->columns * depth /
                    (double)s->depth;
    f->threads = (double)p->threads / (double)gpu_wave(device);
    f->groups = (double)p->groups / (double)gpu_units(device);
    f->quantisation = gen_balance(p->groups, gpu_units(device));
    f->occupancy = gpu_occupancy(device, p->threads, p->registers, p->local_bytes);
    f->registers = (double)p->registers / (double)gpu_registers(device);
    f->local_bytes = (double)p->local_bytes / (double)gen_max(gpu_local_bytes(device), 1);
    f->intensity = (double)(p->tile_m * p->tile_n) / (a_loads + b_loads);
    f->tile_bytes = (double)((p->tile_m + p->tile_n) * tile_k) / (double)gpu_unit_registers(device);
    f->traffic = (double)(p->m_tiles * p->n_tiles * s->matrices) * (double)(p->tile_m + p->tile_n) *
                 depth / s->tensors;
    f->depth = (double)p->k_tiles / (double)p->split;
    f->parts = (double)p->split;
    f->launches = p->split > 1 ? 2 : 1;
}

void gemm_features(const struct anole_device *device, const struct gemm_shape *s, const int64_t *v,
                   struct gen_features *f)
{
    const struct gemm_plan p = gemm_plan_of(s, v);
    const double sums = (double)(v[GEMM_WORK_M] * v[GEMM_WORK_N]);
    /* What is not staged, every wave of work-items loads for itself. */
    const double a_loads = p.stage_a ? (double)p.tile_m : (double)(p.tile_m * v[GEMM_ITEMS_N]);
    const double b_loads = p.stage_b ? (double)p.tile_n : (double)(p.tile_n * v[GEMM_ITEMS_M]);

    gemm_plan_features(device, s, &p, v[GEMM_TILE_K], a_loads, b_loads, f);
    f->reads = ((double)v[GEMM_WORK_M] / (double)(p.stage_a ? v[GEMM_VECTOR_M] : v[GEMM_VECTOR_A]) +
                (double)v[GEMM_WORK_N] / (double)v[GEMM_VECTOR_N]) /
               sums;
    f->vector_in = (double)v[GEMM_VECTOR_A];
    f->vector_out = (double)v[GEMM_VECTOR_N];
}

/* ----------------------------------------------------------------- kernel */

struct define {
    const char *name;
    int64_t value;
};

static void emit_defines(struct gen_emit *emit, const struct define *defines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gen_emit_define(emit, defines[i].name, defines[i].value);
}

#define EMIT(emit, defines) emit_defines(emit, defines, sizeof(defines) / sizeof *(defines))

void gemm_emit_plan(const struct anole_device *device, const struct gemm_shape *s,
                    const struct gemm_plan *p, struct gen_emit *emit)
{
    const struct define defines[] = {
        {"Z", s->matrices},          {"ROWS", s->rows},
        {"COLUMNS", s->columns},     {"DEPTH", s->depth},
        {"PIXELS", s->pixels},       {"CHECKED", s->checked},
        {"FINISH", s->finish},       {"A_PITCH", s->a_pitch},
        {"A_BATCH", s->a_batch},     {"OUT_PITCH", s->out_pitch},
        {"OUT_BATCH", s->out_batch}, {"THREADS", p->threads},
        {"TILE_M", p->tile_m},       {"TILE_N", p->tile_n},
        {"STAGE_A", p->stage_a},     {"STAGE_B", p->stage_b},
        {"SPLIT", p->split},         {"SUM_ITEMS", gpu_plain_items(device)},
    };
    EMIT(emit, defines);
}

void gemm_emit(const struct anole_device *device, const struct gemm_shape *s, const int64_t *v,
               struct gen_emit *emit)
{
    const struct gemm_plan p = gemm_plan_of(s, v);
    const struct define defines[] = {
        {"ITEMS_M", v[GEMM_ITEMS_M]},
        {"ITEMS_N", v[GEMM_ITEMS_N]},
        {"WORK_M", v[GEMM_WORK_M]},
        {"WORK_N", v[GEMM_WORK_N]},
        {"TILE_K", v[GEMM_TILE_K]},
        {"VEC_A", v[GEMM_VECTOR_A]},
        {"VEC_B", v[GEMM_VECTOR_B]},
        {"VEC_M", v[GEMM_VECTOR_M]},
        {"VEC_N", v[GEMM_VECTOR_N]},
        {"UNROLL", v[GEMM_UNROLL]},
        {"PAD_A", v[GEMM_PAD] * v[GEMM_VECTOR_M]},
        {"PIPELINE", v[GEMM_PIPELINE]},
        {"SWIZZLE", v[GEMM_SWIZZLE]},
    };
    gemm_emit_plan(device, s, &p, emit);
    EMIT(emit, defines);
    gen_emit_text(emit, kernel_gpu_matrix);
    gen_emit_text(emit, kernel_gpu_gemm);
    gen_emit_text(emit, kernel_gpu_product);
}

void gemm_launch(const struct anole_device *device, const struct anole_task *task,
                 const struct gemm_shape *s, const struct gemm_plan *p, struct gen_emit *emit)
{
    /* The last workspace is for scratch. */
    static const int whole[] = {ANOLE_ROLE_INPUT,    ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_BIAS,
                                ANOLE_ROLE_RESIDUAL, ANOLE_ROLE_OUTPUT,  ANOLE_ROLE_WORKSPACE};
    static const int parts[] = {ANOLE_ROLE_INPUT, ANOLE_ROLE_WEIGHTS, ANOLE_ROLE_WORKSPACE,
                                ANOLE_ROLE_WORKSPACE};
    static const int sum[] = {ANOLE_ROLE_WORKSPACE, ANOLE_ROLE_BIAS, ANOLE_ROLE_RESIDUAL,
                              ANOLE_ROLE_OUTPUT, -1};
    const bool split = p->split > 1;
    const size_t count = (split ? sizeof parts : sizeof whole) / sizeof *whole;
    int roles[sizeof whole / sizeof *whole + 1];
    memcpy(roles, split ? parts : whole, count * sizeof *roles);
    roles[p->scratch ? count : count - 1] = -1;

    gpu_emit_launch(emit, "gemm", task, (int64_t[]){p->m_tiles * p->n_tiles, s->matrices, p->split},
                    p->threads, roles);
    if (split) {
        const int64_t items = gpu_plain_items(device);
        const int64_t groups = gen_ceil_div(s->rows * s->columns, items);
        gpu_emit_launch(emit, "gemm_sum", task, (int64_t[]){groups, s->matrices, 1}, items, sum);
    }
    if (p->parts + p->scratch)
        gen_emit_workspace(emit, (size_t)(p->parts + p->scratch) * sizeof(float));
    gen_emit_packed_weights(emit, (size_t)p->weights * gpu_element_bytes(task));
}
