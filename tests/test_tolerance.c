/* SPDX-License-Identifier: MIT
 *
 * That the tolerance lets through what is right and nothing else.  The figures
 * that it prints are those that reference.c quotes.
 */
#include "reference_fixture.h"
#include "base/rng.h"

#include <stdio.h>

/* ------------------------------------------- what the tolerance lets through */

/* Keeps 10 bits of the mantissa, as tensor cores do. */
static float round_tf32(double value)
{
    float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    bits = (bits + 0x1000u) & 0xffffe000u;
    memcpy(&single, &bits, sizeof single);
    return single;
}

enum flaw { NO_FLAW, DROP_ONE, DOUBLE_ONE, TF32 };

/* One output in fp32: in random order, with or without fused multiply-add. */
static float compute_output(const struct anole_task *task, const struct anole_task_data *data,
                            size_t output, struct anole_rng *rng, enum flaw flaw)
{
    size_t n = anole_task_reduction(task);
    double *x = allocate(n, sizeof *x), *w = allocate(n, sizeof *w);
    size_t *order = allocate(n, sizeof *order);
    n = products(x, w, task, data, output);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    anole_rng_shuffle(rng, order, n);
    bool fused = anole_rng_below(rng, 2);
    size_t victim = flaw == DROP_ONE || flaw == DOUBLE_ONE ? anole_rng_below(rng, n) : n;
    volatile float sum =
        data->bias ? (float)anole_task_value(task, data->bias, output % task->out_c) : 0.0f;
    for (size_t i = 0; i < n; i++) {
        float a = flaw == TF32 ? round_tf32(x[order[i]]) : (float)x[order[i]];
        float b = flaw == TF32 ? round_tf32(w[order[i]]) : (float)w[order[i]];
        volatile float product = a * b;
        for (int times = i != victim ? 1 : flaw == DROP_ONE ? 0 : 2; times; times--)
            sum = fused ? fmaf(a, b, sum) : sum + product;
    }
    if (data->residual)
        sum += (float)anole_task_value(task, data->residual, output);
    free(x);
    free(w);
    free(order);
    return (float)activate(task, (double)sum);
}

/* Largest and smallest error over tolerance of `count` outputs. */
static void measure_flaw(const char *key, enum flaw flaw, size_t count, double *largest,
                         double *smallest)
{
    struct anole_task task = parse(key);
    struct anole_task_data *data = create(&task, 17, 2);
    struct anole_rng rng;
    anole_rng_init(&rng, 99);
    *largest = 0.0;
    *smallest = INFINITY;
    for (size_t i = 0; i < count; i++) {
        size_t output = anole_rng_below(&rng, anole_task_output_elements(&task));
        double value = (double)compute_output(&task, data, output, &rng, flaw);
        double error = fabs(value - data->expected[output]) / (double)data->tolerance[output];
        *largest = fmax(*largest, error);
        *smallest = fmin(*smallest, error);
    }
    anole_task_data_destroy(data);
}

static const char *const reductions[] = {
    "depthwise_conv2d n1 16x16x16 k3x3 s1x1 p1,1,1,1 d1x1 g16 o16 f32",   /* 9 */
    "conv2d n1 16x16x3 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias residual", /* 27 */
    "conv2d n1 12x12x64 k1x1 s1x1 p0,0,0,0 d1x1 g1 o64 f32",              /* 64 */
    "conv2d n1 8x8x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o32 f32 bias",           /* 576 */
    "conv2d n1 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g1 o8 f32",                /* 4608 */
    "dense n2 i25088 o16 f32 bias",                                       /* 25088 */
};

#define REDUCTIONS (sizeof reductions / sizeof *reductions)

/* How many outputs to look at, for about the same work each. */
static size_t effort(const char *key)
{
    struct anole_task task = parse(key);
    size_t count = 1000000 / anole_task_reduction(&task);
    return count > 3000 ? 3000 : count;
}

static void test_tolerance_admits_any_order_in_fp32(void **state)
{
    (void)state;
    for (size_t i = 0; i < REDUCTIONS; i++) {
        double largest, smallest;
        measure_flaw(reductions[i], NO_FLAW, effort(reductions[i]), &largest, &smallest);
        print_message("%-70s %.4f of the tolerance\n", reductions[i], largest);
        if (largest > 0.1)
            fail_msg("%s: %g of the tolerance", reductions[i], largest);
    }
}

/* A product too few or too many, in any one output. */
static void test_tolerance_catches_one_wrong_product(void **state)
{
    (void)state;
    for (size_t i = 0; i < REDUCTIONS; i++) {
        for (enum flaw flaw = DROP_ONE; flaw <= DOUBLE_ONE; flaw++) {
            double largest, smallest;
            measure_flaw(reductions[i], flaw, effort(reductions[i]), &largest, &smallest);
            print_message("%-70s %.1f times the tolerance\n", reductions[i], smallest);
            if (smallest < 3.0)
                fail_msg("%s: %g of the tolerance", reductions[i], smallest);
        }
    }
}

static void test_tolerance_catches_reduced_precision(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < REDUCTIONS; i++) { /* too long, the last one */
        double largest, smallest;
        measure_flaw(reductions[i], TF32, effort(reductions[i]), &largest, &smallest);
        print_message("%-70s %.1f times the tolerance\n", reductions[i], largest);
        if (largest < 1.3)
            fail_msg("%s: %g of the tolerance", reductions[i], largest);
    }
}

/* ... unless it is asked for; and then it catches the rest. */
static void test_tolerance_admits_tf32_when_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < REDUCTIONS; i++) {
        char key[ANOLE_TASK_KEY];
        double rounded, wrong, ignored;
        const char *type = strstr(reductions[i], " f32");
        snprintf(key, sizeof key, "%.*s tf32%s", (int)(type - reductions[i]), reductions[i],
                 type + 4);
        struct anole_task task = parse(key);
        const double root = sqrt((double)anole_task_reduction(&task));
        const double unit = 4 / (4 + (64 + 512 / root) * root * 0x1p-13);
        measure_flaw(key, TF32, effort(key), &rounded, &ignored);
        measure_flaw(key, DROP_ONE, effort(key), &ignored, &wrong);
        print_message("%-70s %.3f of the tolerance, %.2f units; a product too few %.2f\n", key,
                      rounded, rounded * 4 / unit, wrong);
        if (rounded > 0.95)
            fail_msg("%s: TF32 is off by %g of the tolerance", key, rounded);
        if (wrong < 1.0)
            fail_msg("%s: a product too few is off by %g of the tolerance", key, wrong);
    }
}

/* ----------------------------------------------------------------- Winograd */

/* F(m x m, 3 x 3) after Lavin and Gray, 2016: tiles of m + 2. */
struct winograd {
    size_t m;
    float at[4][6], g[6][3], bt[6][6];
};

static const struct winograd f2 = {
    .m = 2,
    .at = {{1, 1, 1, 0}, {0, 1, -1, -1}},
    .g = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}},
    .bt = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
};

static const struct winograd f4 = {
    .m = 4,
    .at = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}},
    .g = {{1.0f / 4, 0, 0},
          {-1.0f / 6, -1.0f / 6, -1.0f / 6},
          {-1.0f / 6, 1.0f / 6, -1.0f / 6},
          {1.0f / 24, 1.0f / 12, 1.0f / 6},
          {1.0f / 24, -1.0f / 12, 1.0f / 6},
          {0, 0, 1}},
    .bt = {{4, 0, -5, 0, 1, 0},
           {0, -4, -4, 1, 1, 0},
           {0, 4, -4, -1, 1, 0},
           {0, -2, -1, 2, 1, 0},
           {0, 2, -1, -2, 1, 0},
           {0, 4, 0, -5, 0, 1}},
};

/* out = left [rows][inner] x in [inner][inner2] x right^T [columns][inner2]; all
 * with rows of 6. */
static void sandwich(float out[6][6], const float *left, size_t left_row, size_t rows,
                     float in[6][6], size_t inner, size_t inner2)
{
    float half[6][6] = {{0}};
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < inner2; j++)
            for (size_t l = 0; l < inner; l++)
                half[i][j] += left[i * left_row + l] * in[l][j];
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < rows; j++) {
            out[i][j] = 0.0f;
            for (size_t l = 0; l < inner2; l++)
                out[i][j] += half[i][l] * left[j * left_row + l];
        }
    }
}

static void winograd_tile(float out[6][6], const struct winograd *f, const struct anole_task *t,
                          const struct anole_task_data *data, size_t top, size_t left, size_t k)
{
    const float *input = data->input, *weights = data->weights;
    size_t tile = f->m + 2;
    float sums[6][6] = {{0}}, in[6][6], u[6][6], v[6][6];
    for (size_t c = 0; c < t->in_c; c++) {
        for (size_t i = 0; i < tile; i++) {
            for (size_t j = 0; j < tile; j++) {
                size_t h = top + i - 1, w = left + j - 1; /* padding wraps, and is >= in_h */
                in[i][j] =
                    h < t->in_h && w < t->in_w ? input[(h * t->in_w + w) * t->in_c + c] : 0.0f;
            }
        }
        sandwich(v, &f->bt[0][0], 6, tile, in, tile, tile);
        for (size_t i = 0; i < 3; i++)
            for (size_t j = 0; j < 3; j++)
                in[i][j] = weights[((k * 3 + i) * 3 + j) * t->in_c + c];
        sandwich(u, &f->g[0][0], 3, tile, in, 3, 3);
        for (size_t i = 0; i < tile; i++)
            for (size_t j = 0; j < tile; j++)
                sums[i][j] += u[i][j] * v[i][j];
    }
    sandwich(out, &f->at[0][0], 6, f->m, sums, tile, tile);
}

static double winograd_error(const struct winograd *f, const char *key)
{
    struct anole_task t = parse(key);
    struct anole_task_data *data = create(&t, 23, 2);
    float *output = allocate(anole_task_output_elements(&t), sizeof *output), tile[6][6];
    for (size_t top = 0; top < t.out_h; top += f->m)
        for (size_t left = 0; left < t.out_w; left += f->m)
            for (size_t k = 0; k < t.out_c; k++) {
                winograd_tile(tile, f, &t, data, top, left, k);
                for (size_t i = 0; i < f->m && top + i < t.out_h; i++)
                    for (size_t j = 0; j < f->m && left + j < t.out_w; j++)
                        output[((top + i) * t.out_w + left + j) * t.out_c + k] = tile[i][j];
            }
    double error = anole_task_data_error(data, &t, output, NULL);
    free(output);
    anole_task_data_destroy(data);
    return error;
}

static void test_tolerance_admits_winograd(void **state)
{
    (void)state;
    static const char *const tasks[] = {
        "conv2d n1 32x32x1 k3x3 s1x1 p1,1,1,1 d1x1 g1 o24 f32",
        "conv2d n1 32x32x3 k3x3 s1x1 p1,1,1,1 d1x1 g1 o8 f32",
        "conv2d n1 18x15x16 k3x3 s1x1 p1,1,1,1 d1x1 g1 o8 f32",
        "conv2d n1 14x14x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o4 f32",
        "conv2d n1 7x7x256 k3x3 s1x1 p1,1,1,1 d1x1 g1 o4 f32",
        "conv2d n1 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g1 o2 f32",
    };
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        double small = winograd_error(&f2, tasks[i]), large = winograd_error(&f4, tasks[i]);
        print_message("%-60s F(2x2) %.3f, F(4x4) %.3f of the tolerance\n", tasks[i], small, large);
        if (small > 0.1 || large > 0.5)
            fail_msg("%s: %g and %g of the tolerance", tasks[i], small, large);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tolerance_admits_any_order_in_fp32),
        cmocka_unit_test(test_tolerance_catches_one_wrong_product),
        cmocka_unit_test(test_tolerance_catches_reduced_precision),
        cmocka_unit_test(test_tolerance_admits_tf32_when_asked_for),
        cmocka_unit_test(test_tolerance_admits_winograd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
