/* SPDX-License-Identifier: MIT
 *
 * The search benchmark: that its figures are right, that its runs can be repeated,
 * and, on made-up spaces (tests/data/spaces), that the search is no worse than it
 * was.  The margins there are wide: several times what seeds make out.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../bench/search_plot.h"
#include "../bench/search_report.h"
#include "../bench/search_statistics.h"
#include "base/file.h"
#include "base/log.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------- helpers */

static void done(enum anole_status status, const struct anole_error *error)
{
    if (status != ANOLE_DONE)
        fail_msg("%s", error->text);
}

/* Runs made by hand: best and clock are the caller's. */
struct made_up {
    struct bench_plan plan;
    struct bench_runs runs;
    struct bench_strategy strategies[2];
    struct bench_space spaces[2];
    struct bench_run run[64];
    float best[512], clock[512];
};

static void made_up_init(struct made_up *made, size_t spaces, size_t repeats, size_t trials)
{
    *made = (struct made_up){.plan = {.strategy_count = 2, .repeats = repeats, .trials = trials}};
    made->plan.spaces = (struct bench_spaces){made->spaces, spaces};
    made->plan.strategies = made->strategies;
    strcpy(made->strategies[0].label, "first");
    strcpy(made->strategies[1].label, "<second> & \"last\"");
    made->runs = (struct bench_runs){
        .plan = &made->plan, .runs = made->run, .best = made->best, .clock = made->clock};
    for (size_t i = 0; i < spaces * 2 * repeats * trials; i++)
        made->clock[i] = (float)(i % trials + 1);
}

static float *best_of(struct made_up *made, size_t space, size_t strategy, size_t repeat)
{
    return made->best + bench_run_index(&made->plan, space, strategy, repeat) * made->plan.trials;
}

/* ------------------------------------------------------------------- figures */

static void test_excess_is_a_mean_with_students_interval(void **state)
{
    (void)state;
    static struct made_up made;
    made_up_init(&made, 1, 3, 2);
    for (size_t r = 0; r < 3; r++)
        best_of(&made, 0, 0, r)[1] = (float)(r + 1);
    struct bench_mean mean = bench_excess(&made.runs, 0, 0, 2);
    assert_float_equal(mean.mean, 2.0, 1e-9);
    assert_float_equal(mean.half, 4.303 / sqrt(3.0), 1e-3);
    made.plan.repeats = 1;
    assert_true(isnan(bench_excess(&made.runs, 0, 0, 2).half));
    assert_float_equal(bench_percent(log(1.25)), 25.0, 1e-9);
}

static void test_interval_of_many_repeats_is_students(void **state)
{
    (void)state;
    static struct made_up made;
    made_up_init(&made, 1, 21, 1);
    for (size_t r = 0; r < 21; r++)
        best_of(&made, 0, 0, r)[0] = (float)r;
    /* t of 20 degrees of freedom: 2.086; the deviation of 0..20: 6.2048. */
    assert_float_equal(bench_excess(&made.runs, 0, 0, 1).half, 2.086 * 6.2048 / sqrt(21.0), 2e-3);
}

static void test_excess_of_all_spaces_is_taken_by_repeat(void **state)
{
    (void)state;
    static struct made_up made;
    made_up_init(&made, 2, 2, 1);
    /* What one space loses, the other wins: together nothing varies. */
    best_of(&made, 0, 0, 0)[0] = 1;
    best_of(&made, 0, 0, 1)[0] = 3;
    best_of(&made, 1, 0, 0)[0] = 3;
    best_of(&made, 1, 0, 1)[0] = 1;
    struct bench_mean mean = bench_excess(&made.runs, BENCH_ALL_SPACES, 0, 1);
    assert_float_equal(mean.mean, 2.0, 1e-9);
    assert_float_equal(mean.half, 0.0, 1e-9);
}

static void test_difference_is_paired_by_seed(void **state)
{
    (void)state;
    static struct made_up made;
    made_up_init(&made, 1, 4, 1);
    for (size_t r = 0; r < 4; r++) {
        best_of(&made, 0, 0, r)[0] = (float)(10 * r);
        best_of(&made, 0, 1, r)[0] = (float)(10 * r) - 0.5f;
    }
    struct bench_mean difference = bench_difference(&made.runs, 0, 1, 0, 1);
    assert_float_equal(difference.mean, -0.5, 1e-6);
    assert_float_equal(difference.half, 0.0, 1e-6);
}

static void test_excess_at_a_time_heeds_the_clock(void **state)
{
    (void)state;
    static struct made_up made;
    made_up_init(&made, 1, 1, 3);
    static const float best[] = {3, 2, 1}, clock[] = {5, 6, 20};
    memcpy(best_of(&made, 0, 0, 0), best, sizeof best);
    memcpy(made.clock, clock, sizeof clock);
    assert_float_equal(bench_excess_at(&made.runs, 0, 0, 1).mean, 3, 0);
    assert_float_equal(bench_excess_at(&made.runs, 0, 0, 6).mean, 2, 0);
    assert_float_equal(bench_excess_at(&made.runs, 0, 0, 19.9).mean, 2, 0);
    assert_float_equal(bench_excess_at(&made.runs, 0, 0, 1000).mean, 1, 0);
}

static void test_trials_to_equal_finds_the_first(void **state)
{
    (void)state;
    static struct made_up made;
    struct bench_equal equal;
    made_up_init(&made, 1, 3, 10);
    for (size_t r = 0; r < 3; r++) {
        for (size_t n = 0; n < 10; n++) {
            best_of(&made, 0, 0, r)[n] = n < 4 ? 1.0f : 0.25f;
            best_of(&made, 0, 1, r)[n] = n < 9 ? 0.75f : 0.5f;
        }
    }
    done(bench_trials_to_equal(&equal, &made.runs, 0, 0, 1, NULL), NULL);
    assert_float_equal(equal.trials, 5, 0);
    assert_float_equal(equal.low, 5, 0);
    assert_float_equal(equal.high, 5, 0);
    done(bench_trials_to_equal(&equal, &made.runs, 0, 1, 0, NULL), NULL);
    assert_float_equal(equal.trials, 11, 0); /* never */
}

/* ---------------------------------------------------------------------- runs */

static void find_data(char *path, size_t size, const char *name)
{
    const char *data = getenv("ANOLE_TEST_DATA");
    snprintf(path, size, "%s/spaces%s", data ? data : "tests/data", name);
}

static void plan_init(struct bench_plan *plan, struct bench_strategy *strategies,
                      const char *const *names)
{
    struct anole_error error = {0};
    char path[4096];
    *plan = (struct bench_plan){
        .strategies = strategies, .log_trials = 100, .processes = 2, .seed = 1, .quiet = true};
    for (; names[plan->strategy_count]; plan->strategy_count++) {
        struct bench_strategy *strategy = &strategies[plan->strategy_count];
        *strategy = (struct bench_strategy){0};
        snprintf(strategy->label, sizeof strategy->label, "%s", names[plan->strategy_count]);
        done(anole_explorer_find(&strategy->explorer, strategy->label, &error), &error);
        strategy->transfers = true;
    }
    find_data(path, sizeof path, "");
    done(bench_spaces_add_folder(&plan->spaces, path, &error), &error);
    assert_int_equal(plan->spaces.count, 3);
}

static void plan_fini(struct bench_plan *plan)
{
    bench_spaces_fini(&plan->spaces);
    bench_spaces_fini(&plan->sources);
}

static void test_every_explorer_runs_and_repeats_itself(void **state)
{
    (void)state;
    struct bench_strategy strategies[16];
    struct bench_plan plan;
    struct bench_runs one, other;
    struct anole_error error = {0};
    const char *names[16] = {0};
    for (size_t i = 0; anole_explorers()[i] && i < 15; i++)
        names[i] = anole_explorers()[i]->name;
    plan_init(&plan, strategies, names);
    plan.trials = 30;
    plan.repeats = 1;
    plan.processes = 1;
    done(bench_run_all(&one, &plan, &error), &error);
    plan.processes = 3;
    done(bench_run_all(&other, &plan, &error), &error);
    size_t count = plan.spaces.count * plan.strategy_count * plan.repeats * plan.trials;
    for (size_t i = 0; i < count; i++) {
        bool first = i % plan.trials == 0;
        assert_true(isfinite(one.best[i]) && one.best[i] >= 0.0f);
        assert_true(first || one.best[i] <= one.best[i - 1]);
        assert_true(one.clock[i] > 0.0f && (first || one.clock[i] >= one.clock[i - 1]));
    }
    assert_memory_equal(one.best, other.best, count * sizeof *one.best);
    assert_memory_equal(one.clock, other.clock, count * sizeof *one.clock);
    bench_runs_fini(&one);
    bench_runs_fini(&other);
    plan_fini(&plan);
}

static void test_search_is_no_worse_than_it_was(void **state)
{
    (void)state;
    static const char *const names[] = {"random", "rl", "hillclimb", "autotvm", NULL};
    struct bench_strategy strategies[4];
    struct bench_plan plan;
    struct bench_runs runs;
    struct anole_error error = {0};
    plan_init(&plan, strategies, names);
    plan.trials = 100;
    plan.repeats = 6;
    done(bench_run_all(&runs, &plan, &error), &error);
    double percent[4], early = bench_percent(bench_excess(&runs, BENCH_ALL_SPACES, 1, 50).mean);
    for (size_t c = 0; c < 4; c++)
        percent[c] = bench_percent(bench_excess(&runs, BENCH_ALL_SPACES, c, 100).mean);
    print_message("after 100 trials: random %.1f, rl %.1f (after 50: %.1f), hillclimb %.1f, "
                  "autotvm %.1f\n",
                  percent[0], percent[1], early, percent[2], percent[3]);
    /* Measured: 22, 0.0 (7), 0.0 and 8. */
    assert_true(percent[1] < 5.0);
    assert_true(percent[2] < 5.0);
    assert_true(early < 15.0);
    assert_true(percent[1] < percent[0] - 8.0);
    assert_true(percent[1] < percent[3] + 2.0);
    assert_true(percent[3] < percent[0]);
    bench_runs_fini(&runs);
    plan_fini(&plan);
}

static void test_logs_of_other_devices_do_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"rl", NULL};
    struct bench_strategy strategies[1];
    struct bench_plan plan;
    struct bench_runs without, with;
    struct anole_error error = {0};
    char path[4096], t1[4096];
    plan_init(&plan, strategies, names);
    plan.trials = 60;
    plan.repeats = 4;
    done(bench_run_all(&without, &plan, &error), &error);
    find_data(path, sizeof path, "/bowl/near.T4.json.gz");
    find_data(t1, sizeof t1, "/bowl/T1.json");
    done(bench_spaces_add_log(&plan.sources, path, t1, &error), &error);
    done(bench_run_all(&with, &plan, &error), &error);
    /* By name: far, near, odd.  `near` does not learn from itself. */
    size_t each = plan.repeats * plan.trials;
    assert_memory_equal(with.best + each, without.best + each, each * sizeof *with.best);
    assert_memory_not_equal(with.best, without.best, each * sizeof *with.best);
    double far = bench_excess(&with, 0, 0, 30).mean - bench_excess(&without, 0, 0, 30).mean;
    double odd = bench_excess(&with, 2, 0, 60).mean - bench_excess(&without, 2, 0, 60).mean;
    print_message("far, 30 trials: %+.1f %%; odd, 60 trials: %+.1f %%\n", bench_percent(far),
                  bench_percent(odd));
    assert_true(far < 0.05);
    assert_true(odd < 0.15);
    bench_runs_fini(&with);
    bench_runs_fini(&without);
    plan_fini(&plan);
}

static void test_configs_without_a_result_count_as_failed(void **state)
{
    (void)state;
    struct bench_plan plan;
    struct bench_strategy strategies[1];
    static const char *const names[] = {"random", NULL};
    struct anole_result result;
    plan_init(&plan, strategies, names);
    const struct bench_space *space = &plan.spaces.items[0];
    assert_true(bench_space_try(space, anole_space_default(space->space), &result) > 0.0);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_OK);
    assert_true(result.seconds >= space->optimum && result.seconds <= space->worst);
    assert_true(bench_space_try(space, UINT64_MAX - 1, &result) == 0.0);
    assert_int_equal(result.outcome, ANOLE_OUTCOME_INVALID);
    plan_fini(&plan);
}

/* ----------------------------------------------------------------------- plots */

/* Tags are closed in the right order, attributes are quoted, and entities known:
 * enough of XML for what is written here. */
static bool well_formed(const char *at)
{
    char names[32][32];
    size_t depth = 0, roots = 0;
    for (; *at; at++) {
        if (*at == '&' && strncmp(at, "&lt;", 4) && strncmp(at, "&gt;", 4) &&
            strncmp(at, "&amp;", 5) && strncmp(at, "&quot;", 6))
            return false;
        if (*at == '>' || (!isspace((unsigned char)*at) && *at != '<' && depth == 0))
            return false;
        if (*at != '<')
            continue;
        bool closing = at[1] == '/', quoted = false;
        const char *name = at + 1 + closing;
        bool empty = *name == '?';
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ?");
        if (length == 0 || length >= sizeof names[0])
            return false;
        for (at = name + length; *at && (quoted || *at != '>'); at++) {
            quoted ^= *at == '"';
            if (*at == '<' || (quoted && *at == '>'))
                return false;
            empty = *name == '?' || *at == '/';
        }
        if (*at != '>' || quoted)
            return false;
        if (closing) {
            if (depth-- == 0 || strncmp(names[depth], name, length) || names[depth][length])
                return false;
        } else if (!empty) {
            roots += depth == 0;
            snprintf(names[depth++], sizeof names[0], "%.*s", (int)length, name);
        }
    }
    return depth == 0 && roots == 1;
}

static void test_plot_is_well_formed(void **state)
{
    (void)state;
    static struct made_up made;
    const char *tmp = getenv("TMPDIR");
    char folder[64], path[96], *text;
    struct anole_error error = {0};
    size_t length;
    assert_false(well_formed("<a><b></a></b>"));
    assert_false(well_formed("<a x=\"1></a>"));
    assert_false(well_formed("<a>&</a>"));
    assert_true(well_formed("<?xml?><a x=\"1\"><b/>&lt;</a>"));
    snprintf(folder, sizeof folder, "%.40s/anole-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/curves.svg", folder);
    for (size_t repeats = 1; repeats < 4; repeats += 2) {
        made_up_init(&made, 2, repeats, 20);
        for (size_t i = 0; i < 2 * 2 * repeats * 20; i++)
            made.best[i] = 1.0f / (float)(1 + i % 20);
        done(bench_plot(&made.runs, path, &error), &error);
        done(anole_file_read(&text, &length, path, 0, &error), &error);
        assert_true(well_formed(text));
        assert_non_null(strstr(text, "&lt;second&gt; &amp; &quot;last&quot;"));
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        assert_int_equal(strstr(text, "<polygon") != NULL, repeats > 1);
        free(text);
    }
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_excess_is_a_mean_with_students_interval),
        cmocka_unit_test(test_interval_of_many_repeats_is_students),
        cmocka_unit_test(test_excess_of_all_spaces_is_taken_by_repeat),
        cmocka_unit_test(test_difference_is_paired_by_seed),
        cmocka_unit_test(test_excess_at_a_time_heeds_the_clock),
        cmocka_unit_test(test_trials_to_equal_finds_the_first),
        cmocka_unit_test(test_every_explorer_runs_and_repeats_itself),
        cmocka_unit_test(test_search_is_no_worse_than_it_was),
        cmocka_unit_test(test_logs_of_other_devices_do_no_harm),
        cmocka_unit_test(test_configs_without_a_result_count_as_failed),
        cmocka_unit_test(test_plot_is_well_formed),
    };
    anole_log_set_level(ANOLE_LEVEL_WARNING);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
