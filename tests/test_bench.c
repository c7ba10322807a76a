/* SPDX-License-Identifier: MIT
 *
 * The pieces of the benchmarks: classes, ratios and their intervals, and how turns
 * are taken.  What is timed here is made up.
 */
#include "bench/comparison.h"
#include "bench/estimates.h"
#include "bench/kernels_options.h"
#include "op/task.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --------------------------------------------------------------- estimates */

static enum bench_class class_of(const char *key)
{
    struct anole_task task;
    struct anole_error error = {0};
    if (anole_task_parse_key(&task, key, &error) != ANOLE_DONE)
        fail_msg("%s: %s", key, error.text);
    return bench_class_of(&task);
}

static void test_class_by_shape(void **state)
{
    (void)state;
    assert_int_equal(
        class_of("conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias residual relu"),
        BENCH_CONV_3X3);
    assert_int_equal(class_of("conv2d n1 56x56x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o64 f32"),
                     BENCH_CONV_OTHER);
    assert_int_equal(class_of("conv2d n1 56x56x64 k1x1 s1x1 p0,0,0,0 d1x1 g1 o64 f32"),
                     BENCH_CONV_OTHER);
    assert_int_equal(class_of("conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g2 o64 f32"),
                     BENCH_CONV_OTHER);
    assert_int_equal(class_of("conv2d n1 56x56x64 k3x3 s1x1 p2,2,2,2 d2x2 g1 o64 f32"),
                     BENCH_CONV_OTHER);
    assert_int_equal(
        class_of("depthwise_conv2d n1 112x112x32 k3x3 s1x1 p1,1,1,1 d1x1 g32 o32 f32 bias relu6"),
        BENCH_DEPTHWISE);
    assert_int_equal(class_of("dense n1 i512 o1000 f32 bias"), BENCH_DENSE);
}

static void test_speed_is_theirs_over_ours(void **state)
{
    static const double ours[] = {1, 2, 4, 1, 1}, theirs[] = {2, 4, 8, 2, 20};
    struct bench_pair pair = {ours, theirs, 1};
    struct bench_estimate estimate;
    (void)state;
    assert_true(bench_speed(&estimate, &pair, 5));
    assert_true(estimate.value == 2.0); /* one disturbed round moves nothing */
    assert_true(estimate.low == 2.0 && estimate.high == 20.0);
}

static void test_geometric_mean_of_layers(void **state)
{
    static const double one[] = {1, 1, 1, 1}, two[] = {2, 2, 2, 2}, eight[] = {8, 8, 8, 8};
    struct bench_pair pairs[] = {{one, two, 5}, {one, eight, 1}};
    struct bench_estimate estimate;
    (void)state;
    assert_true(bench_geometric_mean(&estimate, pairs, 2, 4));
    assert_float_equal(estimate.value, 4.0, 1e-12); /* weights do not count */
    assert_float_equal(estimate.low, 4.0, 1e-12);
    assert_float_equal(estimate.high, 4.0, 1e-12);
    assert_true(bench_geometric_mean(&estimate, pairs, 0, 4));
    assert_true(isnan(estimate.value));
}

static void test_interval_holds_the_mean(void **state)
{
    static const double one[] = {1, 1, 1, 1, 1, 1, 1, 1};
    static const double noisy[] = {1.8, 2.2, 1.9, 2.1, 2.0, 2.0, 1.7, 2.3};
    struct bench_pair pairs[] = {{one, noisy, 1}, {one, noisy, 1}, {one, noisy, 1}};
    struct bench_estimate of_one, of_three;
    (void)state;
    assert_true(bench_geometric_mean(&of_one, pairs, 1, 8));
    assert_true(bench_geometric_mean(&of_three, pairs, 3, 8));
    assert_true(of_one.low < 2.0 && of_one.high > 2.0);
    assert_true(of_one.low >= 1.7 && of_one.high <= 2.3);
    /* Three layers say more than one, as their rounds are drawn apart. */
    assert_true(of_three.high - of_three.low < of_one.high - of_one.low);
}

static void test_sum_counts_multiplicity(void **state)
{
    static const double one[] = {1, 1, 1}, two[] = {2, 2, 2}, three[] = {3, 3, 3};
    struct bench_pair pairs[] = {{one, two, 3}, {three, one, 1}};
    struct bench_estimate estimate;
    double ours, theirs;
    (void)state;
    assert_true(bench_sum_ratio(&estimate, &ours, &theirs, pairs, 2, 3));
    assert_float_equal(ours, 6.0, 1e-12);
    assert_float_equal(theirs, 7.0, 1e-12);
    assert_float_equal(estimate.value, 6.0 / 7.0, 1e-12);
}

static void test_median_refuses_nan(void **state)
{
    const double samples[] = {3, NAN, 1}, good[] = {3, 1};
    (void)state;
    assert_true(isnan(bench_median(samples, 3)));
    assert_true(isnan(bench_median(good, 0)));
    assert_true(bench_median(good, 2) == 2.0);
}

/* ----------------------------------------------------------------- comparison */

/* Takes `cost` by its own account, and writes down that it ran. */
struct actor {
    char letter;
    double cost;
    double error_ratio;
    char *diary;
    size_t runs;
    bool fails, released;
};

static enum anole_status act(void *self, uint32_t repeats, double *host, double *device,
                             struct anole_error *error)
{
    struct actor *actor = self;
    size_t length = strlen(actor->diary);
    if (actor->fails)
        return anole_fail(error, ANOLE_ERR_WORKER, "it fell");
    if (length == 0 || actor->diary[length - 1] != actor->letter)
        actor->diary[length] = actor->letter;
    actor->runs += repeats;
    *host = actor->cost;
    *device = NAN;
    return ANOLE_DONE;
}

static enum anole_status tell(void *self, double *error_ratio, struct anole_error *error)
{
    (void)error;
    *error_ratio = ((struct actor *)self)->error_ratio;
    ((struct actor *)self)->error_ratio /= 2;
    return ANOLE_DONE;
}

static void leave(void *self)
{
    ((struct actor *)self)->released = true;
}

static void enter(struct bench_comparison *comparison, struct actor *actor)
{
    struct bench_implementation *entry = bench_comparison_add(comparison, "actor");
    assert_non_null(entry);
    entry->self = actor;
    entry->run = act;
    entry->check = tell;
    entry->release = leave;
}

static void test_comparison_takes_turns(void **state)
{
    char diary[256] = "";
    struct actor a = {.letter = 'A', .cost = 1e-3, .error_ratio = 0.5, .diary = diary};
    struct actor b = {.letter = 'B', .cost = 4e-6, .error_ratio = 3.0, .diary = diary};
    struct bench_comparison comparison = {.count = 0};
    struct anole_error error = {0};
    (void)state;
    enter(&comparison, &a);
    enter(&comparison, &b);
    assert_int_equal(bench_comparison_run(&comparison, 3, NULL, &error), ANOLE_DONE);
    /* Calibrated (AB), then in turns that go back and forth (AB, BA, BA). */
    assert_string_equal(diary, "ABABABA");
    assert_int_equal(comparison.entries[0].repeats, 2);
    assert_int_equal(comparison.entries[1].repeats, 256);
    for (size_t round = 0; round < 3; round++) {
        assert_true(comparison.entries[0].batched[round] == a.cost);
        assert_float_equal(comparison.entries[1].single[round], b.cost, 1e-12);
    }
    /* Both checks count: the worse of them. */
    assert_true(comparison.entries[1].error_ratio == 3.0);
    bench_comparison_release(&comparison);
    assert_true(a.released && b.released);
    assert_string_equal(comparison.entries[0].name, "actor");
    bench_comparison_fini(&comparison);
}

static void test_comparison_ends_with_a_failure(void **state)
{
    char diary[256] = "";
    struct actor a = {.letter = 'A', .cost = 1e-3, .diary = diary, .fails = true};
    struct bench_comparison comparison = {.count = 0};
    struct anole_error error = {0};
    (void)state;
    enter(&comparison, &a);
    assert_int_equal(bench_comparison_run(&comparison, 3, NULL, &error), ANOLE_ERR_WORKER);
    assert_string_equal(error.text, "it fell");
    bench_comparison_fini(&comparison);
    assert_true(a.released);
}

static void test_comparison_has_an_end(void **state)
{
    struct bench_comparison comparison = {.count = 0};
    (void)state;
    for (int i = 0; i < BENCH_MAX_IMPLEMENTATIONS; i++)
        assert_non_null(bench_comparison_add(&comparison, "x"));
    assert_null(bench_comparison_add(&comparison, "x"));
    bench_comparison_fini(&comparison);
}

/* ----------------------------------------------------------------- options */

static enum anole_status parse(struct bench_options *options, const char *line,
                               struct anole_error *error)
{
    static char copy[512];
    char *arguments[32] = {"anole-bench-kernels"}, *rest = copy;
    int count = 1;
    bool help = false;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " "))
        arguments[count++] = word;
    *error = (struct anole_error){0};
    return bench_options_parse(options, count, arguments, &help, error);
}

static void test_options_say_what_is_missing(void **state)
{
    static const struct {
        const char *line, *wanted;
    } cases[] = {
        {"--threads 1 --default", "--network"},
        {"--network a.json --default", "--threads"},
        {"--network a.json --threads 1", "--default"},
        {"--network a.json --threads 1 --time 3m --lock b", "found 2"},
        {"--network a.json --threads 0 --default", "--threads"},
        {"--network a.json --threads 1 --default --against x", "onednn"},
        {"--network a.json --threads 1 --default --rounds 1", "--rounds"},
        {"--network a.json --threads 1 --time soon", "soon"},
        {"--network a.json --threads 1 --default more", "more"},
        {"--network a.json --threads 1 --default --fast", "--fast"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench_options options;
        struct anole_error error;
        if (parse(&options, cases[i].line, &error) == ANOLE_DONE)
            fail_msg("%s: taken", cases[i].line);
        assert_int_equal(error.status, ANOLE_ERR_USAGE);
        if (!strstr(error.text, cases[i].wanted))
            fail_msg("%s: '%s' has no '%s'", cases[i].line, error.text, cases[i].wanted);
        bench_options_fini(&options);
    }
}

static void test_options_list_networks(void **state)
{
    struct bench_options options;
    struct anole_error error;
    (void)state;
    setenv("ANOLE_NETWORKS", "/there", 1);
    assert_int_equal(
        parse(&options, "--network a/b.json,resnet18 --threads 2 --default --json", &error),
        ANOLE_DONE);
    assert_int_equal(options.network_count, 2);
    assert_string_equal(options.networks[0], "a/b.json");
    assert_string_equal(options.networks[1], "/there/resnet18.json");
    assert_true(options.json && options.fallback && !options.against);
    assert_int_equal(options.threads, 2);
    bench_options_fini(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_by_shape),
        cmocka_unit_test(test_speed_is_theirs_over_ours),
        cmocka_unit_test(test_geometric_mean_of_layers),
        cmocka_unit_test(test_interval_holds_the_mean),
        cmocka_unit_test(test_sum_counts_multiplicity),
        cmocka_unit_test(test_median_refuses_nan),
        cmocka_unit_test(test_comparison_takes_turns),
        cmocka_unit_test(test_comparison_ends_with_a_failure),
        cmocka_unit_test(test_comparison_has_an_end),
        cmocka_unit_test(test_options_say_what_is_missing),
        cmocka_unit_test(test_options_list_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
