/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "space/space.h"
#include "space_fixture.h"

#include <math.h>

/* Random spaces, small enough for brute force.  Knobs are called a to f. */
static const char *const value_lists[] = {
    "1 2 4 8 16", "1 2 3 4 5 6 7", "0 1", "1 3 5", "-2 -1 0 1 2", "8", "16 4 1", "1 2 4 7 14 28"};

/* %c: a knob. */
static const char *const templates[] = {
    "%c * %c <= 32",
    "%c * %c * %c <= 64",
    "(%c * %c + %c) %% 3 != 1",
    "%c == 0 or %c %% %c == 0",
    "not (%c < %c < %c)",
    "%c in [1, 2, %c] or %c > 3",
    "max(%c, %c) * %c // 4 >= %c",
    "4 <= %c + %c <= 20",
    "%c ** 2 / %c != %c",
    "ceil_div(%c * %c, 3) + round_up(%c, 4) <= 40",
    "(%c + 2) * (%c + 2) * %c * 4 <= 1024",
    "%c and %c or %c",
    "%c != 0 and 12 %% %c < 2 || %c == %c",
    "abs(%c - %c) not in (2, 3)",
    "%c / %c > 0.5",
    "%c",
    "%c * %c + %c * %c + %c * %c >= 10",
};

static void add_random_constraint(struct anole_space *space, struct anole_rng *rng)
{
    char text[128];
    size_t n = 0;
    const char *p = templates[anole_rng_below(rng, sizeof templates / sizeof templates[0])];
    for (; *p; p++) {
        if (*p != '%') {
            text[n++] = *p;
            continue;
        }
        p++;
        text[n++] = *p == '%' ? '%' : (char)('a' + anole_rng_below(rng, space->knob_count));
    }
    text[n] = '\0';
    add_constraint(space, text);
}

static bool by_parity(void *context, const int64_t *values, size_t count)
{
    (void)context;
    return (values[0] + values[count - 1]) % 2 == 0;
}

static struct anole_space *random_space(struct anole_rng *rng, enum knowledge knowledge)
{
    struct anole_space *space = new_space();
    size_t knobs = 1 + anole_rng_below(rng, 6), constraints = anole_rng_below(rng, 6);
    limit(space, knowledge);
    for (size_t k = 0; k < knobs; k++) {
        const char name[2] = {(char)('a' + k), '\0'};
        add_knob(space, name,
                 value_lists[anole_rng_below(rng, sizeof value_lists / sizeof value_lists[0])]);
    }
    for (size_t c = 0; c < constraints; c++)
        add_random_constraint(space, rng);
    if (anole_rng_below(rng, 4) == 0)
        anole_space_set_validity(space, by_parity, NULL);
    return space;
}

/* Everything that a space says of its configs, against plain evaluation. */
static void check_against_brute_force(const struct anole_space *space, struct anole_rng *rng)
{
    uint64_t size = anole_space_size(space), *configs = NULL;
    size_t valid = 0, count = 0;
    bool exact;
    for (uint64_t config = 0; config < size; config++) {
        bool expected = plainly_valid(space, config);
        assert_int_equal(anole_space_valid(space, config), expected);
        if (config % 7 == 0)
            assert_int_equal(anole_space_violation(space, config) == NULL, expected);
        valid += expected;
    }
    assert_true(anole_space_count(space, UINT64_MAX, &exact) == (double)valid);
    assert_true(exact);
    assert_int_equal(anole_space_enumerate(space, size, &configs, &count, NULL), ANOLE_DONE);
    assert_int_equal(count, valid);
    for (size_t i = 0; i < count; i++) {
        assert_true(anole_space_valid(space, configs[i]));
        assert_true(i == 0 || configs[i - 1] < configs[i]);
    }
    free(configs);
    assert_true(anole_space_valid(space, anole_space_default(space)));
    for (int i = 0; i < 20; i++) {
        uint64_t config = size;
        assert_true(anole_space_sample(space, rng, &config));
        assert_true(plainly_valid(space, config));
    }
    if (valid > 1) {
        assert_int_equal(anole_space_enumerate(space, valid - 1, &configs, &count, NULL),
                         ANOLE_DONE);
        assert_null(configs);
        assert_true(count > valid - 1);
    }
}

static void test_walk_random_spaces(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 21);
    int with_valid = 0, drawn = 0;
    for (int i = 0; i < 160; i++) {
        struct anole_space *space = random_space(&rng, (enum knowledge)(i % KNOWLEDGE_COUNT));
        enum anole_status status = anole_space_finish(space, NULL);
        if (status == ANOLE_DONE) {
            check_against_brute_force(space, &rng);
            with_valid++;
            drawn += space->exact;
        } else {
            assert_int_equal(status, ANOLE_ERR_NOTHING_VALID);
            for (uint64_t config = 0; config < anole_space_size(space); config++)
                assert_false(plainly_valid(space, config));
        }
        anole_space_destroy(space);
    }
    assert_true(with_valid > 80 && drawn > 40);
}

/* ---------------------------------------------------------------- uniformity */

/* Chi-square of `draws` samples over the valid configs, in standard deviations
 * from what uniform ones would give. */
static double chi_square(const struct anole_space *space, size_t draws)
{
    struct anole_rng rng;
    uint64_t *configs;
    size_t count;
    anole_rng_init(&rng, 4);
    assert_int_equal(anole_space_enumerate(space, 100000, &configs, &count, NULL), ANOLE_DONE);
    assert_true(configs && count > 10);
    size_t *hits = calloc(anole_space_size(space), sizeof *hits);
    assert_non_null(hits);
    for (size_t i = 0; i < draws; i++) {
        uint64_t config;
        assert_true(anole_space_sample(space, &rng, &config));
        hits[config]++;
    }
    double expected = (double)draws / (double)count, sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)hits[configs[i]] - expected) * ((double)hits[configs[i]] - expected);
    free(hits);
    free(configs);
    double freedom = (double)count - 1;
    return (sum / expected - freedom) / sqrt(2 * freedom);
}

static struct anole_space *lopsided_space(enum knowledge knowledge)
{
    struct anole_space *space = new_space();
    limit(space, knowledge);
    add_knob(space, "a", "1 2 3 4 5 6 7 8");
    add_knob(space, "b", "1 2 3 4 5 6 7 8");
    add_knob(space, "c", "1 2 3 4 5 6 7 8 9 10 11 12");
    add_knob(space, "free", "1 2");
    add_constraint(space, "a == 1 or b == c"); /* a descent would find each a as likely */
    add_constraint(space, "a * b <= 40");
    return space;
}

static void test_sample_uniformly(void **state)
{
    (void)state;
    for (enum knowledge k = 0; k < KNOWLEDGE_COUNT; k++) {
        struct anole_space *space = lopsided_space(k);
        finish(space);
        assert_int_equal(space->exact, k == KNOWS_ALL || k == KNOWS_NO_TABLES);
        assert_true(fabs(chi_square(space, 12000)) < 5);
        anole_space_destroy(space);
        space = lopsided_space(k);
        anole_space_set_validity(space, by_parity, NULL);
        finish(space);
        assert_true(fabs(chi_square(space, 12000)) < 5);
        anole_space_destroy(space);
    }
}

static void test_sample_is_determined_by_the_seed(void **state)
{
    (void)state;
    struct anole_space *space = lopsided_space(KNOWS_ALL);
    struct anole_rng one, two;
    finish(space);
    anole_rng_init(&one, 9);
    two = one;
    for (int i = 0; i < 100; i++) {
        uint64_t a, b;
        assert_true(anole_space_sample(space, &one, &a) && anole_space_sample(space, &two, &b));
        assert_int_equal(a, b);
    }
    anole_space_destroy(space);
}

/* One config in a million is valid, and no diagram knows: descents find them
 * all, and the weights keep them within a factor of each other. */
static void test_sample_by_descent_where_few_are_valid(void **state)
{
    (void)state;
    enum { DRAWS = 800 };
    struct anole_space *space = new_space();
    struct anole_rng rng;
    size_t counts[8] = {0};
    limit(space, KNOWS_NO_DIAGRAM);
    add_knob(space, "a", "0 1 2 3 4 5 6 7");
    for (int i = 0; i < 7; i++) {
        const char name[2] = {(char)('b' + i), '\0'};
        add_knob(space, name, "0 1 2 3 4 5 6 7 8 9");
    }
    for (int i = 0; i < 6; i++) {
        char text[32];
        snprintf(text, sizeof text, "%c == %c", 'b' + i, 'c' + i);
        add_constraint(space, text);
    }
    add_constraint(space, "h == a or a == 3"); /* 7 + 10 of 80 million */
    finish(space);
    anole_rng_init(&rng, 2);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t config;
        uint16_t digits[8];
        assert_true(anole_space_sample(space, &rng, &config));
        assert_true(plainly_valid(space, config));
        anole_space_decode(space, config, digits);
        counts[digits[0]]++;
    }
    for (size_t a = 0; a < 8; a++) {
        double expected = DRAWS * (a == 3 ? 10 : 1) / 17.0;
        assert_true((double)counts[a] > expected / 2 && (double)counts[a] < expected * 2);
    }
    anole_space_destroy(space);
}

static bool only_one(void *context, const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i] != ((const int64_t *)context)[i])
            return false;
    }
    return true;
}

static void test_sample_what_only_the_callback_knows(void **state)
{
    (void)state;
    static const int64_t wanted[] = {3, 3, 3, 3};
    struct anole_space *space = new_space();
    struct anole_rng rng;
    uint64_t config;
    add_knob(space, "a", "1 2 3 4 5 6 7 8");
    add_knob(space, "b", "1 2 3 4 5 6 7 8");
    add_knob(space, "c", "1 2 3 4 5 6 7 8");
    add_knob(space, "d", "1 2 3 4 5 6 7 8");
    anole_space_set_validity(space, only_one, (void *)wanted);
    finish(space);
    anole_rng_init(&rng, 1);
    for (int i = 0; i < 20; i++) {
        assert_true(anole_space_sample(space, &rng, &config));
        assert_int_equal(config, anole_space_default(space));
    }
    anole_space_destroy(space);
}

/* ------------------------------------------------------------- large spaces */

static struct anole_space *chain_space(enum knowledge knowledge)
{
    struct anole_space *space = new_space();
    char text[64];
    limit(space, knowledge);
    for (int i = 0; i < 18; i++) {
        snprintf(text, sizeof text, "k%d", i);
        add_knob(space, text, "1 2 3 4 5 6 7 8 9 10");
    }
    for (int i = 0; i + 2 < 18; i++) {
        snprintf(text, sizeof text, "(k%d + k%d * k%d) %% 7 == 1", i, i + 1, i + 2);
        add_constraint(space, text);
    }
    return space;
}

/* 10^18 configs; the valid ones counted by a loop over (k_i, k_i+1). */
static void test_count_of_a_huge_space(void **state)
{
    (void)state;
    static double ways[11][11];
    for (int x = 1; x <= 10; x++) {
        for (int y = 1; y <= 10; y++)
            ways[x][y] = 1;
    }
    for (int step = 0; step < 16; step++) {
        double next[11][11] = {{0}};
        for (int x = 1; x <= 10; x++) {
            for (int y = 1; y <= 10; y++) {
                for (int z = 1; z <= 10; z++)
                    next[y][z] += (x + y * z) % 7 == 1 ? ways[x][y] : 0;
            }
        }
        memcpy(ways, next, sizeof ways);
    }
    double expected = 0;
    for (int x = 1; x <= 10; x++) {
        for (int y = 1; y <= 10; y++)
            expected += ways[x][y];
    }
    struct anole_space *space = chain_space(KNOWS_ALL);
    bool exact;
    finish(space);
    assert_true(anole_space_size(space) == UINT64_C(1000000000000000000));
    assert_true(anole_space_count(space, 0, &exact) == expected && exact);
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    for (int i = 0; i < 200; i++) {
        uint64_t config;
        assert_true(anole_space_sample(space, &rng, &config));
        assert_true(plainly_valid(space, config));
    }
    uint64_t *configs;
    size_t count;
    assert_int_equal(anole_space_enumerate(space, 1000, &configs, &count, NULL), ANOLE_DONE);
    assert_true(!configs && count > 1000);
    assert_int_equal(anole_space_enumerate(space, 200000, &configs, &count, NULL), ANOLE_DONE);
    assert_true((double)count == expected);
    free(configs);
    anole_space_destroy(space);
    /* Without a diagram it is an estimate, and one config in 10^13 is found. */
    space = chain_space(KNOWS_NO_DIAGRAM);
    finish(space);
    double estimate = anole_space_count(space, 1000, &exact);
    assert_false(exact);
    assert_true(estimate > expected / 30 && estimate < expected * 30);
    for (int i = 0; i < 5; i++) {
        uint64_t config;
        assert_true(anole_space_sample(space, &rng, &config));
        assert_true(plainly_valid(space, config));
    }
    anole_space_destroy(space);
}

static void test_count_with_a_callback(void **state)
{
    (void)state;
    bool exact;
    struct anole_space *space = lopsided_space(KNOWS_ALL);
    anole_space_set_validity(space, by_parity, NULL);
    finish(space);
    double count = anole_space_count(space, 1000000, &exact);
    assert_true(exact);
    double estimate = anole_space_count(space, 10, &exact);
    assert_false(exact);
    assert_true(fabs(estimate - count) < 0.1 * count);
    anole_space_destroy(space);
}

/* Constraints that no diagram can hold, in the largest space there can be. */
static void test_walk_where_a_constraint_is_intricate(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    struct anole_rng rng;
    char text[1024] = "";
    size_t n = 0;
    for (int i = 0; i < 62; i++) {
        char name[8];
        snprintf(name, sizeof name, "k%d", i);
        add_knob(space, name, "1 2");
        n += (size_t)snprintf(text + n, sizeof text - n, "%sk%d * k%d", i ? " + " : "", i,
                              (i * 23 + 5) % 62);
    }
    snprintf(text + n, sizeof text - n, " == 139");
    add_constraint(space, text);
    add_constraint(space, "k3 != k4 or k7 == 2");
    finish(space);
    assert_true(space->program_count == 1 && !space->exact);
    anole_rng_init(&rng, 1);
    for (int i = 0; i < 10; i++) {
        uint64_t config;
        assert_true(anole_space_sample(space, &rng, &config));
        assert_true(plainly_valid(space, config));
    }
    bool exact;
    assert_true(anole_space_count(space, 1000, &exact) > 1e9);
    assert_false(exact);
    uint64_t *configs;
    size_t count;
    assert_int_equal(anole_space_enumerate(space, 50, &configs, &count, NULL), ANOLE_DONE);
    assert_true(!configs && count > 50);
    anole_space_destroy(space);
}

static void test_finish_with_an_enormous_constraint(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    char *text = malloc(70000);
    size_t n = 0;
    assert_non_null(text);
    for (int i = 0; i < 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "k%d", i);
        add_knob(space, name, "1 2 3 4 5 6 7 8");
    }
    for (int i = 0; n < 60000; i++)
        n += (size_t)snprintf(text + n, 70000 - n, "%sk%d*k%d", i ? "+" : "", i % 20, i * 7 % 20);
    snprintf(text + n, 70000 - n, "> 100");
    add_constraint(space, text);
    finish(space); /* in a moment, whatever it costs to evaluate */
    assert_true(anole_space_valid(space, anole_space_default(space)));
    assert_true(strlen(space->constraints[0].violation) < 1024);
    free(text);
    anole_space_destroy(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_random_spaces),
        cmocka_unit_test(test_sample_uniformly),
        cmocka_unit_test(test_sample_is_determined_by_the_seed),
        cmocka_unit_test(test_sample_by_descent_where_few_are_valid),
        cmocka_unit_test(test_sample_what_only_the_callback_knows),
        cmocka_unit_test(test_count_of_a_huge_space),
        cmocka_unit_test(test_count_with_a_callback),
        cmocka_unit_test(test_walk_where_a_constraint_is_intricate),
        cmocka_unit_test(test_finish_with_an_enormous_constraint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
