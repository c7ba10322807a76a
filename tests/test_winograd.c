/* SPDX-License-Identifier: MIT
 *
 * The algebra of Winograd's convolution, and how its weights are packed; needs no
 * device.  The transforms of the kernel are C as well: they are compiled here, on
 * doubles.  All coefficients are fractions with small denominators, so an error of
 * 1e-12 is rounding, and a wrong coefficient cannot hide in it.
 */
#include "plugins/cpu/winograd_cost.h"
#include "plugins/gen_winograd.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define vec double
#define INLINE static inline

#define TILE 6 /* of what is compiled here nothing but a default */
#include "kernels/winograd_transform.cl"

static const struct {
    int64_t tile;
    void (*input)(double *, int);
    void (*output)(double *, int);
} sizes[] = {{1, transform_input_1, transform_output_1},
             {2, transform_input_2, transform_output_2},
             {4, transform_input_4, transform_output_4},
             {5, transform_input_5, transform_output_5},
             {6, transform_input_6, transform_output_6}};

#define SIZES (sizeof sizes / sizeof *sizes)

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12 * (1 + fabs(expected))))
        fail_msg("%.17g is not %.17g", found, expected);
}

/* Both sides are linear in input and filter: that they agree on all pairs of unit
 * vectors is a proof. */
static void test_transform_all_unit_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        const int64_t tile = sizes[i].tile, alpha = tile + 2;
        double g[GEN_WINOGRAD_ALPHA][3];
        gen_winograd_filter(tile, g);
        for (int64_t at = 0; at < alpha; at++)
            for (int r = 0; r < 3; r++) {
                double d[GEN_WINOGRAD_ALPHA] = {0};
                d[at] = 1;
                sizes[i].input(d, 1);
                for (int64_t j = 0; j < alpha; j++)
                    d[j] *= g[j][r];
                sizes[i].output(d, 1);
                for (int64_t y = 0; y < tile; y++)
                    assert_near(d[y], y + r == at);
            }
    }
}

/* A smaller tile with the filters of a larger one. */
static void test_transform_rest_of_each_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++)
        for (size_t k = 0; k < i; k++) {
            const int tile = (int)sizes[i].tile, rest = (int)sizes[k].tile;
            double g[GEN_WINOGRAD_ALPHA][3];
            gen_winograd_filter(tile, g);
            for (int at = 0; at < rest + 2; at++)
                for (int r = 0; r < 3; r++) {
                    double d[GEN_WINOGRAD_ALPHA] = {0};
                    d[at] = 1;
                    sizes[k].input(d, 1);
                    for (int j = 0; j <= rest; j++)
                        d[j] *= rest_scale(tile, rest, j) * g[j][r];
                    d[rest + 1] *= g[tile + 1][r];
                    sizes[k].output(d, 1);
                    for (int y = 0; y < rest; y++)
                        assert_near(d[y], y + r == at);
                }
        }
}

/* As the kernel does it: columns with a stride, then rows. */
static void test_transform_two_dimensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        const int tile = (int)sizes[i].tile, alpha = tile + 2;
        double g[GEN_WINOGRAD_ALPHA][3], d[64], in[64], w[9];
        gen_winograd_filter(tile, g);
        for (int j = 0; j < alpha * alpha; j++)
            d[j] = in[j] = (j * 37 % 19) - 9;
        for (int j = 0; j < 9; j++)
            w[j] = (j * 5 % 7) - 3;
        for (int j = 0; j < alpha; j++)
            sizes[i].input(d + j, alpha);
        for (int j = 0; j < alpha; j++)
            sizes[i].input(d + j * alpha, 1);
        for (int j = 0; j < alpha * alpha; j++) {
            double u = 0;
            for (int k = 0; k < 9; k++)
                u += g[j / alpha][k / 3] * w[k] * g[j % alpha][k % 3];
            d[j] *= u;
        }
        for (int j = 0; j < alpha; j++)
            sizes[i].output(d + j, alpha);
        for (int y = 0; y < tile; y++) {
            sizes[i].output(d + y * alpha, 1);
            for (int x = 0; x < tile; x++) {
                double sum = 0;
                for (int k = 0; k < 9; k++)
                    sum += in[(y + k / 3) * alpha + x + k % 3] * w[k];
                assert_near(d[y * alpha + x], sum);
            }
        }
    }
}

static struct anole_task layer(uint32_t side, uint32_t in_c, uint32_t out_c)
{
    return (struct anole_task){.size = sizeof(struct anole_task),
                               .kind = ANOLE_TASK_CONV2D,
                               .dtype = ANOLE_F32,
                               .groups = 1,
                               .batch = 1,
                               .in_h = side,
                               .in_w = side,
                               .in_c = in_c,
                               .out_h = side,
                               .out_w = side,
                               .out_c = out_c,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .pad_top = 1,
                               .pad_left = 1,
                               .pad_bottom = 1,
                               .pad_right = 1};
}

/* Each weight is where the kernel looks for it, and nothing else is. */
static void test_pack_channels_that_fill_no_block(void **state)
{
    (void)state;
    const struct anole_task task = layer(9, 3, 21);
    const int64_t v[WINO_KNOBS] = {
        [WINO_TILE] = 4,           [WINO_VECTOR_WIDTH] = 4, [WINO_VECTORS] = 2,
        [WINO_REGISTER_TILES] = 3, [WINO_BLOCK] = 1,        [WINO_PHASE] = 2,
        [WINO_SPLIT] = 1,          [WINO_UNROLL] = 1,       [WINO_STAGE_CHANNELS] = 16};
    const struct wino_plan p = wino_plan_of(&task, v);
    float weights[21 * 9 * 3];
    float *packed = malloc((size_t)p.weights * sizeof *packed);
    double g[GEN_WINOGRAD_ALPHA][3];

    assert_int_equal(p.weights, 2 * 36 * 2 * 3 * 8);
    assert_non_null(packed);
    for (int i = 0; i < 21 * 9 * 3; i++)
        weights[i] = (float)(i * 11 % 23) - 11;
    gen_winograd_filter(4, g);
    wino_pack(&task, v, weights, packed);
    for (int64_t at = 0; at < p.weights; at++) {
        const int64_t lane = at % 8, c = at / 8 % 3, block = at / 24 % 2;
        const int64_t point = at / 48 % 36, k = at / 48 / 36 * 16 + block * 8 + lane;
        double u = 0;
        for (int64_t i = 0; i < 9 && k < 21; i++)
            u += g[point / 6][i / 3] * g[point % 6][i % 3] * weights[(k * 9 + i) * 3 + c];
        assert_true(fabs(packed[at] - u) <= 1e-6 * (1 + fabs(u)));
    }
    free(packed);
}

/* The heuristic stays within the memory of the device, down to none at all. */
static void test_choose_on_small_devices(void **state)
{
    (void)state;
    static const uint32_t sides[] = {1, 2, 7, 13, 56, 224};
    static const uint64_t memories[] = {0, 1 << 10, 32 << 10, 1 << 20, 8 << 20};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        for (size_t j = 0; j < sizeof memories / sizeof *memories; j++)
            for (uint32_t channels = 1; channels <= 512; channels *= 8) {
                const struct anole_task task = layer(sides[i], channels, channels);
                const struct anole_device device = {.size = sizeof device,
                                                    .local_memory = memories[j],
                                                    .max_allocation = 1 << 28,
                                                    .simd_width = 8};
                int64_t v[WINO_KNOBS];
                wino_plainest(&device, &task, v);
                bool possible = wino_acceptable(&device, &task, v);
                wino_choose(&device, &task, v);
                assert_int_equal(wino_acceptable(&device, &task, v), possible);
                assert_true(possible || memories[j] < 64 << 10);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transform_all_unit_vectors),
        cmocka_unit_test(test_transform_rest_of_each_size),
        cmocka_unit_test(test_transform_two_dimensions),
        cmocka_unit_test(test_pack_channels_that_fill_no_block),
        cmocka_unit_test(test_choose_on_small_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
