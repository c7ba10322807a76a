/* SPDX-License-Identifier: MIT
 *
 * Convolution, pointwise convolution and dense layers as a product of matrices by
 * NVIDIA's tensor cores: kernels/gpu_mma.cl.  For tasks in fp16, whose products are exact
 * there, and for those that allow the rounding that comes with TF32.
 */
#include "mma.h"
#include "conv_gemm.h"

#include "gpu.cl.h"
#include "gpu_matrix.cl.h"
#include "gpu_mma.cl.h"
#include "gpu_product.cl.h"

#include <math.h>
#include <string.h>

enum knob {
    WARPS_M,  /* warps of a work-group, by rows */
    WARPS_N,  /* and by columns */
    TILES_M,  /* tiles of 16 rows of a warp */
    TILES_N,  /* tiles of 8 columns of a warp */
    DEPTH,    /* words of a row of inputs in local memory; an instruction takes 8 */
    VECTOR,   /* elements of a load of inputs */
    READ_A,   /* words of inputs of a read of local memory */
    READ_B,   /* tiles of columns of a read of weights */
    PAD,      /* words between rows of inputs in local memory */
    STAGE,    /* enum gemm_stage: do weights go by way of local memory? */
    PIPELINE, /* how loads and arithmetic overlap */
    SWIZZLE,  /* tiles of rows that take turns before the next columns */
    SPLIT,    /* parts of a sum */
    KNOBS
};

#define WARP 32
#define ROWS 16   /* of an instruction's tile of sums */
#define COLUMNS 8 /* and its columns */
#define STEP 8    /* words of a row of inputs, or a column of weights, that it takes */

#define MAX_STAGED 48          /* words on their way to local memory, of a work-item */
#define MAX_CODE 512           /* instructions that are one piece of code */
#define MAX_SCRATCH (16 << 20) /* words, of the emulation */
#define SMALL_TILE 16
#define SMALL_DEPTH 8

/* Elements of a word. */
static int64_t per_word(const struct gemm_shape *s)
{
    return s->wide ? 2 : 1;
}

static struct gemm_plan plan_of(const struct anole_device *device, const struct gemm_shape *s,
                                const int64_t *v)
{
    struct gemm_plan p = {.split = v[SPLIT], .stage_a = true};
    const bool two = v[PIPELINE] == GEMM_TWO_TILES;
    p.threads = WARP * v[WARPS_M] * v[WARPS_N];
    p.tile_m = ROWS * v[WARPS_M] * v[TILES_M];
    p.tile_n = COLUMNS * v[WARPS_N] * v[TILES_N];
    p.stage_b = v[STAGE] == 0;
    gemm_plan_tiles(&p, s, v[DEPTH] * per_word(s));

    const int64_t steps = v[READ_A] == 4 ? 2 : 1;
    /* Loads of inputs, each with a row of the input and an address. */
    const int64_t loads =
        gen_ceil_div(v[TILES_M] * v[DEPTH] * per_word(s), 2 * v[WARPS_N] * v[VECTOR]);
    p.registers =
        4 * v[TILES_M] * v[TILES_N] + steps * 4 * v[TILES_M] + 2 * v[TILES_N] + 32 + 5 * loads;
    if (v[PIPELINE] != GEMM_SERIAL)
        p.registers += loads * gen_ceil_div(v[VECTOR], per_word(s)) +
                       (p.stage_b ? v[TILES_N] * v[DEPTH] / (4 * v[WARPS_M]) : 0);
    p.local_bytes = p.tile_m * (v[DEPTH] + v[PAD]) + (p.stage_b ? p.tile_n * v[DEPTH] : 0);
    p.local_bytes *= two ? 8 : 4;
    if (gpu_tensor_cores(device) == GPU_EMULATED)
        p.scratch = p.groups * p.threads * (4 * v[TILES_M] + 2 * v[TILES_N]);
    return p;
}

bool gpu_mma_serves(const struct anole_device *device, const struct anole_task *task)
{
    if (gpu_tensor_cores(device) == GPU_NO_TENSOR_CORES ||
        (task->dtype != ANOLE_TF32 && task->dtype != ANOLE_F16))
        return false;
    if (task->kind != ANOLE_TASK_CONV2D && task->kind != ANOLE_TASK_DENSE)
        return false;
    if (!gpu_task_fits(task) || task->groups > 4096 || gpu_max_group(device) < WARP ||
        gpu_local_bytes(device) < 4 * (ROWS + COLUMNS) * STEP)
        return false;
    const struct gemm_shape s = conv_gemm_shape(task);
    return s.rows >= ROWS && s.columns >= COLUMNS && s.depth >= STEP * per_word(&s);
}

static int supports(const struct anole_device *device, const struct anole_task *task)
{
    if (!gpu_mma_serves(device, task))
        return 0;
    const struct gemm_shape s = conv_gemm_shape(task);
    return s.columns >= 16 && s.depth >= 16 ? 14 : 2;
}

/* ------------------------------------------------------------- the default */

/* Estimated time of a config, in clocks of a compute unit: a tensor core adds a tile's
 * products in 8, and there are four. */
static double cost(const struct anole_device *device, const struct gemm_shape *s, const int64_t *v)
{
    const struct gemm_plan p = plan_of(device, s, v);
    const double occupancy = gpu_occupancy(device, p.threads, p.registers, p.local_bytes);
    const double resident =
        fmax(1, floor(occupancy * (double)gpu_unit_items(device) / (double)p.threads));
    const double warps = (double)(v[WARPS_M] * v[WARPS_N]);
    const double sums = warps * (double)(v[TILES_M] * v[TILES_N]) * 2;
    /* 32 words of local memory a clock; what goes in comes from further away. */
    const double reads = warps * (double)(v[TILES_M] * 4 + v[TILES_N] * 2);
    const double loads = 4 * (double)((p.tile_m + p.tile_n) * STEP) / 32;
    const double steps = (double)(gen_ceil_div(p.k_tiles, v[SPLIT]) * v[DEPTH]) / STEP;
    const double barriers = steps * STEP / (double)v[DEPTH] * 60;
    const double hidden = resident * warps >= 8 ? 1 : 0.5 + 4 / (resident * warps);
    const double group = (steps * (sums + reads + loads) + barriers + 600) * hidden;
    double total = (double)gen_ceil_div(p.groups, gpu_units(device)) * group;
    if (v[SPLIT] > 1)
        total += 4000 + (double)p.parts / (4 * (double)gpu_units(device));
    return total;
}

static int64_t most_staged(const struct anole_device *device)
{
    return gen_min(MAX_STAGED, gpu_registers(device) / 4);
}

/* As the constraints have it, as far as choose() might go wrong. */
static bool allowed(const struct anole_device *device, const struct gemm_shape *s, const int64_t *v)
{
    const struct gemm_plan p = plan_of(device, s, v);
    return p.threads <= gpu_max_group(device) && p.local_bytes <= gpu_local_bytes(device) &&
           p.registers <= gpu_registers(device) &&
           p.registers * p.threads <= gpu_unit_registers(device) &&
           v[TILES_M] * v[DEPTH] <= 2 * v[WARPS_N] * most_staged(device) &&
           v[TILES_N] * v[DEPTH] <= 4 * v[WARPS_M] * most_staged(device) &&
           p.tile_m <= gemm_largest(s->rows, SMALL_TILE) &&
           p.tile_n <= gemm_largest(s->columns, SMALL_TILE) &&
           v[DEPTH] <= gemm_largest(s->depth / per_word(s), SMALL_DEPTH) &&
           p.scratch <= MAX_SCRATCH && gemm_plan_fits(&p, s);
}

/* Warps and tiles of a warp, by rows and columns, and the depth; none needs more than
 * the last does. */
static const struct {
    int8_t warps_m, warps_n, tiles_m, tiles_n, depth;
} tiles[] = {
    {2, 2, 4, 8, 32}, {4, 2, 2, 8, 32}, {2, 4, 4, 4, 32}, {2, 2, 4, 8, 16}, {2, 2, 2, 8, 32},
    {4, 2, 2, 4, 32}, {2, 2, 4, 4, 32}, {2, 2, 2, 4, 32}, {4, 1, 1, 8, 32}, {2, 2, 1, 4, 32},
    {2, 2, 1, 2, 32}, {1, 2, 1, 4, 16}, {1, 1, 1, 2, 8},
};

static void choose(const struct anole_device *device, const struct gemm_shape *s, int64_t *v)
{
    static const int64_t splits[] = {1, 2, 4, 8, 16};
    double best = -1;
    int64_t w[KNOBS] = {1, 1, 1, 1, STEP, 1, 1, 1, 0, 0, GEMM_SERIAL, 1, 1};

    memcpy(v, w, sizeof w);
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        w[WARPS_M] = tiles[i].warps_m;
        w[WARPS_N] = tiles[i].warps_n;
        w[TILES_M] = tiles[i].tiles_m;
        w[TILES_N] = tiles[i].tiles_n;
        w[DEPTH] = tiles[i].depth;
        w[VECTOR] = gen_min(s->vector, 4 * per_word(s));
        w[READ_A] = 2; /* with this pad, each bank is wanted once */
        w[PAD] = w[DEPTH] == STEP ? 0 : STEP;
        w[READ_B] = gen_min(2, w[TILES_N]);
        w[PIPELINE] = GEMM_REGISTERS;
        for (size_t j = 0; j < (s->may_split ? 5 : 1); j++) {
            w[SPLIT] = splits[j];
            if (!allowed(device, s, w) ||
                splits[j] > gen_max(1, s->depth / (w[DEPTH] * per_word(s)) / 4))
                continue;
            double c = cost(device, s, w);
            if (best < 0 || c < best) {
                best = c;
                memcpy(v, w, sizeof w);
            }
        }
    }
}

/* ----------------------------------------------------------- design space */

/* Beside the knobs of gemm and winograd, these are about as many as a space can hold. */
static void declare_knobs(const struct gemm_shape *s, const int64_t *v, struct gen_space *space)
{
    static const int64_t powers[] = {1, 2, 4, 8, 16};
    static const int64_t tiles_m[] = {1, 2, 3, 4, 6, 8};
    static const int64_t tiles_n[] = {1, 2, 3, 4, 6, 8, 16};
    static const int64_t depths[] = {8, 16, 32, 64};
    static const int64_t pads[] = {0, 4, 8, 16};
    static const int64_t turns[] = {1, 4, 16};
    static const char *const stages[] = {"both", "inputs"};
    static const char *const pipelines[] = {"serial", "registers", "two-tiles"};
    const int64_t widest = gen_min(s->vector, 4 * per_word(s)); /* 16 bytes */
    const uint32_t vectors = widest == 8 ? 4 : widest == 4 ? 3 : widest == 2 ? 2 : 1;

    gen_space_ordinal(space, "mma_warps_m", powers, 3, v[WARPS_M]);
    gen_space_ordinal(space, "mma_warps_n", powers, 3, v[WARPS_N]);
    gen_space_ordinal(space, "mma_tiles_m", tiles_m, 6, v[TILES_M]);
    gen_space_ordinal(space, "mma_tiles_n", tiles_n, 7, v[TILES_N]);
    gen_space_ordinal(space, "mma_depth", depths, 4, v[DEPTH]);
    gen_space_ordinal(space, "mma_vector", powers, vectors, v[VECTOR]);
    gen_space_ordinal(space, "mma_read_a", powers, 3, v[READ_A]);
    gen_space_ordinal(space, "mma_read_b", powers, 2, v[READ_B]);
    gen_space_ordinal(space, "mma_pad", pads, 4, v[PAD]);
    gen_space_categorical(space, "mma_stage", stages, 2, v[STAGE]);
    gen_space_categorical(space, "mma_pipeline", pipelines, 3, v[PIPELINE]);
    gen_space_ordinal(space, "mma_swizzle", turns, 3, v[SWIZZLE]);
    gen_space_ordinal(space, "mma_split", powers, 5, v[SPLIT]);
}

#define NUM(x) ((long long)(x))

static void constrain_launch(const struct anole_device *device, struct gen_space *space)
{
    const long long registers = gpu_registers(device), unit = gpu_unit_registers(device);
    gen_space_constraint(space, "a work-group has more work-items than the device takes",
                         "32 * mma_warps_m * mma_warps_n <= %lld", NUM(gpu_max_group(device)));
    gen_space_constraint(space, "the sums of a work-item overflow its registers",
                         "4 * mma_tiles_m * mma_tiles_n + 4 * mma_tiles_m + 2 * mma_tiles_n + 32 "
                         "<= %lld",
                         registers);
    gen_space_constraint(space, "the sums of a work-group overflow a unit's registers",
                         "32 * mma_warps_m * mma_warps_n * (4 * mma_tiles_m * mma_tiles_n + 4 * "
                         "mma_tiles_m + 2 * mma_tiles_n + 32) <= %lld",
                         unit);
    gen_space_constraint(space, "too many inputs are on their way in registers",
                         "mma_tiles_m * mma_depth <= %lld * mma_warps_n",
                         NUM(2 * most_staged(device)));
    gen_space_constraint(space, "too many weights are on their way in registers",
                         "mma_stage == 1 or mma_tiles_n * mma_depth <= %lld * mma_warps_m",
                         NUM(4 * most_staged(device)));
    gen_space_constraint(space, "the tiles overflow local memory",
                         "(1 + (mma_pipeline == 2)) * (16 * mma_warps_m * mma_tiles_m * "
                         "(mma_depth + mma_pad) + (mma_stage == 0) * 8 * mma_warps_n * "
                         "mma_tiles_n * mma_depth) <= %lld",
                         NUM(gpu_local_bytes(device) / 4));
}

static void constrain_shape(const struct gemm_shape *s, struct gen_space *space)
{
    gen_space_constraint(space, "a warp's tiles are no whole reads",
                         "mma_tiles_n %% mma_read_b == 0");
    gen_space_constraint(space, "a read of inputs is for two instructions",
                         "mma_read_a < 4 or mma_depth >= 16");
    gen_space_constraint(space, "too much code to compile",
                         "mma_tiles_m * mma_tiles_n * mma_depth <= %d", MAX_CODE * STEP);
    gen_space_constraint(space, "half of the tile's rows would do",
                         "16 * mma_warps_m * mma_tiles_m <= %lld",
                         NUM(gemm_largest(s->rows, SMALL_TILE)));
    gen_space_constraint(space, "half of the tile's columns would do",
                         "8 * mma_warps_n * mma_tiles_n <= %lld",
                         NUM(gemm_largest(s->columns, SMALL_TILE)));
    gen_space_constraint(space, "half of the tile's depth would do", "mma_depth <= %lld",
                         NUM(gemm_largest(s->depth / per_word(s), SMALL_DEPTH)));
    gen_space_constraint(space, "fewer tiles of rows than take turns",
                         "mma_swizzle == 1 or mma_swizzle * 16 * mma_warps_m * mma_tiles_m < %lld",
                         NUM(2 * s->rows));
    gen_space_constraint(space, "a part of the depth has no tile",
                         "mma_split == 1 or mma_split * mma_depth <= %lld",
                         NUM(s->depth / per_word(s)));
}

static void space(const struct anole_device *device, const struct anole_task *task,
                  struct gen_space *space)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    int64_t v[KNOBS];
    choose(device, &s, v);
    declare_knobs(&s, v, space);
    constrain_launch(device, space);
    constrain_shape(&s, space);
}

static bool valid(const struct anole_device *device, const struct anole_task *task,
                  const int64_t *v)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    const struct gemm_plan p = plan_of(device, &s, v);
    return gemm_plan_fits(&p, &s) && p.scratch <= MAX_SCRATCH;
}

static void features(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_features *f)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    const struct gemm_plan p = plan_of(device, &s, v);
    const double b_loads = (double)(p.stage_b ? p.tile_n : p.tile_n * v[WARPS_M]);
    gemm_plan_features(device, &s, &p, v[DEPTH] * per_word(&s), (double)p.tile_m, b_loads, f);
    f->reads =
        (4.0 * (double)v[TILES_M] / (double)v[READ_A] + (double)v[TILES_N] / (double)v[READ_B]) /
        (double)(v[TILES_M] * v[TILES_N]);
    f->vector_in = (double)v[VECTOR];
    f->vector_out = 2;
}

/* ----------------------------------------------------------------- kernel */

static void generate(const struct anole_device *device, const struct anole_task *task,
                     const int64_t *v, struct gen_emit *emit)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    const struct gemm_plan p = plan_of(device, &s, v);
    const struct {
        const char *name;
        int64_t value;
    } defines[] = {
        {"WARPS_N", v[WARPS_N]}, {"MMA_M", v[TILES_M]},
        {"MMA_N", v[TILES_N]},   {"TILE_K", v[DEPTH] * per_word(&s)},
        {"VEC_A", v[VECTOR]},    {"VEC_B", 4 * per_word(&s)},
        {"RAW", s.wide},         {"VEC_N", 2},
        {"READ_A", v[READ_A]},   {"READ_B", v[READ_B]},
        {"PAD_A", v[PAD]},       {"PIPELINE", v[PIPELINE]},
        {"SWIZZLE", v[SWIZZLE]}, {"MMA_EMULATED", gpu_tensor_cores(device) == GPU_EMULATED},
        {"SCRATCH_AT", p.parts},
    };
    gpu_emit_task(emit, device, task);
    gemm_emit_plan(device, &s, &p, emit);
    for (size_t i = 0; i < sizeof defines / sizeof *defines; i++)
        gen_emit_define(emit, defines[i].name, defines[i].value);
    gen_emit_text(emit, kernel_gpu);
    gen_emit_text(emit, kernel_gpu_matrix);
    gen_emit_text(emit, kernel_gpu_mma);
    gen_emit_text(emit, kernel_gpu_product);
    gemm_launch(device, task, &s, &p, emit);
}

/* Where word k of column n of a tile goes: to the lane that takes it, see gpu_mma.cl. */
static int64_t word_at(const int64_t *v, int64_t tile_n, int64_t k, int64_t n)
{
    int64_t step, lane, word;
    switch (v[READ_A]) {
    case 1:
        step = k / STEP;
        lane = k % 4;
        word = k % STEP / 4;
        break;
    case 2:
        step = k / STEP;
        lane = k % STEP / 2;
        word = k % 2;
        break;
    default:
        step = k / (2 * STEP) * 2 + k % 4 / 2;
        lane = k % (2 * STEP) / 4;
        word = k % 2;
    }
    lane += n % COLUMNS * 4;
    const int64_t tiles_n = tile_n / COLUMNS, column = n / COLUMNS, together = v[READ_B];
    return ((step * (tiles_n / together) + column / together) * WARP + lane) * (2 * together) +
           column % together * 2 + word;
}

/* To the nearest, ties away from zero, as the instruction cvt.rna.tf32.f32 does. */
static float round_tf32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u)
        bits = (bits + 0x1000u) & 0xffffe000u;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* [K][R][S][CG] -> [G][tiles][tiles of the depth][words of a tile], and zeros. */
static void pack(const struct anole_device *device, const struct anole_task *task, const int64_t *v,
                 const float *weights, float *packed, size_t bytes)
{
    const struct gemm_shape s = conv_gemm_shape(task);
    const struct gemm_plan p = plan_of(device, &s, v);

    memset(packed, 0, bytes);
    const int64_t e = per_word(&s), tile_k = v[DEPTH] * e;
    for (int64_t k = 0; k < task->out_c; k++)
        for (int64_t d = 0; d < s.depth; d++) {
            const int64_t z = k / s.columns, n = k % s.columns;
            const int64_t tile = (z * p.n_tiles + n / p.tile_n) * p.k_tiles + d / tile_k;
            const int64_t word = word_at(v, p.tile_n, d % tile_k / e, n % p.tile_n);
            const size_t to = (size_t)(tile * tile_k * p.tile_n + word * e + d % e);
            gpu_copy_element(task, packed, to, weights, (size_t)(k * s.depth + d));
            if (task->dtype == ANOLE_TF32)
                packed[to] = round_tf32(packed[to]);
        }
}

const struct gen_generator gpu_mma = {
    .name = "tensor",
    .knob_count = KNOBS,
    .supports = supports,
    .space = space,
    .valid = valid,
    .features = features,
    .generate = generate,
    .pack = pack,
};
