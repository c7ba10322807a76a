/* SPDX-License-Identifier: MIT */
#include "search/kmeans.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#define BLOBS 4
#define EACH 25
#define COUNT (BLOBS * EACH)

/* Four tight blobs at the corners of a square; point i belongs to blob i % 4. */
static void make_blobs(float *points, uint64_t seed)
{
    struct anole_rng rng;
    anole_rng_init(&rng, seed);
    for (size_t i = 0; i < COUNT; i++) {
        points[2 * i] = (float)(i % 2) + 0.02f * (float)anole_rng_normal(&rng);
        points[2 * i + 1] = (float)(i / 2 % 2) + 0.02f * (float)anole_rng_normal(&rng);
    }
}

static void check_blobs(const struct anole_kmeans *kmeans)
{
    assert_int_equal(kmeans->k, BLOBS);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(kmeans->labels[i], kmeans->labels[i % BLOBS]);
        for (size_t d = 0; d < 2; d++) {
            float wanted = (float)(d ? i / 2 % 2 : i % 2);
            assert_true(fabsf(kmeans->centres[2 * kmeans->labels[i] + d] - wanted) < 0.05f);
        }
    }
}

static void test_init_finds_blobs(void **state)
{
    (void)state;
    float points[2 * COUNT];
    size_t found = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct anole_kmeans kmeans;
        struct anole_rng rng;
        make_blobs(points, seed);
        anole_rng_init(&rng, seed);
        assert_int_equal(anole_kmeans_init(&kmeans, points, COUNT, 2, BLOBS, &rng, NULL),
                         ANOLE_DONE);
        if (kmeans.loss < 1.0) {
            check_blobs(&kmeans);
            found++;
        }
        anole_kmeans_fini(&kmeans);
    }
    /* Lloyd's algorithm may get stuck; k-means++ makes that rare. */
    assert_true(found >= 18);
}

static void test_init_reports_the_loss_of_its_labels(void **state)
{
    (void)state;
    float points[2 * COUNT];
    struct anole_kmeans kmeans;
    struct anole_rng rng;
    double loss = 0.0;
    make_blobs(points, 5);
    anole_rng_init(&rng, 5);
    assert_int_equal(anole_kmeans_init(&kmeans, points, COUNT, 2, 7, &rng, NULL), ANOLE_DONE);
    for (size_t i = 0; i < COUNT; i++) {
        double nearest = INFINITY, own = 0.0;
        for (size_t c = 0; c < kmeans.k; c++) {
            double x = (double)(points[2 * i] - kmeans.centres[2 * c]);
            double y = (double)(points[2 * i + 1] - kmeans.centres[2 * c + 1]);
            nearest = fmin(nearest, x * x + y * y);
            if (kmeans.labels[i] == c)
                own = x * x + y * y;
        }
        assert_true(own <= nearest + 1e-9);
        loss += own;
    }
    assert_true(fabs(loss - kmeans.loss) < 1e-4);
    anole_kmeans_fini(&kmeans);
}

static void test_init_gives_each_point_its_cluster_if_there_are_enough(void **state)
{
    (void)state;
    static const float points[] = {0, 1, 2, 3, 4};
    struct anole_kmeans kmeans;
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    assert_int_equal(anole_kmeans_init(&kmeans, points, 5, 1, 50, &rng, NULL), ANOLE_DONE);
    assert_int_equal(kmeans.k, 5);
    assert_true(kmeans.loss == 0.0);
    anole_kmeans_fini(&kmeans);
}

static void test_init_merges_equal_points(void **state)
{
    (void)state;
    static const float points[] = {1, 1, 1, 2, 2, 2, 2};
    struct anole_kmeans kmeans;
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    assert_int_equal(anole_kmeans_init(&kmeans, points, 7, 1, 5, &rng, NULL), ANOLE_DONE);
    assert_int_equal(kmeans.k, 2);
    assert_int_equal(kmeans.labels[0], kmeans.labels[2]);
    assert_int_not_equal(kmeans.labels[0], kmeans.labels[3]);
    anole_kmeans_fini(&kmeans);
}

static void test_init_is_determined_by_seed(void **state)
{
    (void)state;
    float points[2 * COUNT];
    struct anole_kmeans a, b;
    struct anole_rng rng;
    make_blobs(points, 2);
    anole_rng_init(&rng, 3);
    assert_int_equal(anole_kmeans_init(&a, points, COUNT, 2, 9, &rng, NULL), ANOLE_DONE);
    anole_rng_init(&rng, 3);
    assert_int_equal(anole_kmeans_init(&b, points, COUNT, 2, 9, &rng, NULL), ANOLE_DONE);
    assert_int_equal(a.k, b.k);
    assert_memory_equal(a.labels, b.labels, COUNT * sizeof *a.labels);
    anole_kmeans_fini(&a);
    anole_kmeans_fini(&b);
}

static void test_init_refuses_nothing(void **state)
{
    (void)state;
    struct anole_kmeans kmeans;
    struct anole_rng rng;
    struct anole_error error = {0};
    float point = 0.0f;
    anole_rng_init(&rng, 1);
    assert_int_equal(anole_kmeans_init(&kmeans, &point, 0, 1, 1, &rng, &error), ANOLE_ERR_INTERNAL);
    assert_int_equal(anole_kmeans_init(&kmeans, &point, 1, 1, 0, &rng, NULL), ANOLE_ERR_INTERNAL);
}

static void test_knee_is_where_the_blobs_are(void **state)
{
    (void)state;
    float points[2 * COUNT];
    size_t found = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct anole_kmeans kmeans;
        struct anole_rng rng;
        make_blobs(points, seed);
        anole_rng_init(&rng, seed);
        assert_int_equal(anole_kmeans_init_knee(&kmeans, points, COUNT, 2, 1, 30, &rng, NULL),
                         ANOLE_DONE);
        found += kmeans.k == BLOBS;
        anole_kmeans_fini(&kmeans);
    }
    assert_true(found >= 18);
}

static void test_knee_keeps_to_its_bounds(void **state)
{
    (void)state;
    float points[2 * COUNT];
    struct anole_kmeans kmeans;
    struct anole_rng rng;
    make_blobs(points, 3);
    anole_rng_init(&rng, 3);
    assert_int_equal(anole_kmeans_init_knee(&kmeans, points, COUNT, 2, 1, 2, &rng, NULL),
                     ANOLE_DONE);
    assert_true(kmeans.k <= 2);
    anole_kmeans_fini(&kmeans);
    assert_int_equal(anole_kmeans_init_knee(&kmeans, points, COUNT, 2, 10, 20, &rng, NULL),
                     ANOLE_DONE);
    assert_true(kmeans.k >= 10);
    anole_kmeans_fini(&kmeans);
    assert_int_equal(anole_kmeans_init_knee(&kmeans, points, 1, 2, 1, 20, &rng, NULL), ANOLE_DONE);
    assert_int_equal(kmeans.k, 1);
    anole_kmeans_fini(&kmeans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_finds_blobs),
        cmocka_unit_test(test_init_reports_the_loss_of_its_labels),
        cmocka_unit_test(test_init_gives_each_point_its_cluster_if_there_are_enough),
        cmocka_unit_test(test_init_merges_equal_points),
        cmocka_unit_test(test_init_is_determined_by_seed),
        cmocka_unit_test(test_init_refuses_nothing),
        cmocka_unit_test(test_knee_is_where_the_blobs_are),
        cmocka_unit_test(test_knee_keeps_to_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
