/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "space/space.h"
#include "space_fixture.h"

#include <pthread.h>

/* --------------------------------------------------------------- making one */

static void test_create_and_read(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    static const int64_t tile[] = {1, 2, 4}, algorithm[] = {7, 3};
    const char *labels[] = {"direct", "wino\x1b[1mgrad"};
    assert_int_equal(anole_space_add_knob(space, "tile", false, tile, NULL, 3, 1, NULL),
                     ANOLE_DONE);
    assert_int_equal(anole_space_add_knob(space, "algorithm", true, algorithm, labels, 2, 0, NULL),
                     ANOLE_DONE);
    labels[0] = "gone"; /* it was copied */
    finish(space);
    assert_int_equal(anole_space_knob_count(space), 2);
    assert_int_equal(anole_space_size(space), 6);
    assert_int_equal(anole_space_default(space), 2);
    assert_int_equal(anole_space_find_knob(space, "algorithm"), 1);
    assert_true(anole_space_find_knob(space, "nothing") == SIZE_MAX);
    assert_null(anole_space_knob(space, 2));
    const struct anole_space_knob *knob = anole_space_knob(space, 1);
    assert_true(knob->categorical && knob->count == 2 && knob->values[1] == 3);
    char text[64], tiny[8];
    assert_string_equal(anole_space_describe(space, text, sizeof text, 4),
                        "tile=4 algorithm=direct");
    assert_null(strchr(anole_space_describe(space, text, sizeof text, 5), '\x1b'));
    assert_string_equal(anole_space_describe(space, tiny, sizeof tiny, 4), "tile=4 ");
    assert_ptr_equal(anole_space_describe(space, NULL, 0, 4), NULL);
    anole_space_destroy(space);
    anole_space_destroy(NULL);
}

static void check_knob_refused(struct anole_space *space, const char *name, size_t count,
                               size_t default_digit, const char *part)
{
    static int64_t values[ANOLE_MAX_KNOB_VALUES + 1];
    struct anole_error error = {0};
    for (size_t i = 0; i < ANOLE_MAX_KNOB_VALUES + 1; i++)
        values[i] = (int64_t)i;
    assert_int_equal(
        anole_space_add_knob(space, name, false, values, NULL, count, default_digit, &error),
        ANOLE_ERR_INPUT);
    if (!strstr(error.text, part))
        fail_msg("the message has no \"%s\": %s", part, error.text);
}

static void test_add_knob_refuses_bad_ones(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    struct anole_error error = {0};
    add_knob(space, "tile", "1 2");
    check_knob_refused(space, "tile", 2, 0, "a second knob");
    check_knob_refused(space, "", 2, 0, "expected a name of letters");
    check_knob_refused(space, "2x", 2, 0, "expected a name of letters");
    check_knob_refused(space, "tile w", 2, 0, "expected a name of letters");
    check_knob_refused(space, "tile\n", 2, 0, "tile\\x0a");
    check_knob_refused(space, "caf\xc3\xa9", 2, 0, "expected a name of letters");
    check_knob_refused(space, "a2345678901234567890123456789012", 2, 0, "at most 31 bytes");
    check_knob_refused(space, "not", 2, 0, "a word of theirs");
    check_knob_refused(space, "empty", 0, 0, "found 0");
    check_knob_refused(space, "long", ANOLE_MAX_KNOB_VALUES + 1, 0, "found 4097");
    check_knob_refused(space, "default", 2, 2, "found 2");
    static const int64_t twice[] = {5, 1, 5};
    assert_int_equal(anole_space_add_knob(space, "twice", false, twice, NULL, 3, 0, &error),
                     ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "found 5 twice"));
    static const char *const labels[] = {"one", NULL, "three"};
    static const int64_t values[] = {1, 2, 3};
    assert_int_equal(anole_space_add_knob(space, "labels", true, values, labels, 3, 0, NULL),
                     ANOLE_ERR_INPUT);
    assert_int_equal(anole_space_knob_count(space), 1);
    for (int i = 1; i < ANOLE_MAX_KNOBS; i++) {
        char name[8];
        snprintf(name, sizeof name, "k%d", i);
        add_knob(space, name, "1");
    }
    check_knob_refused(space, "one_more", 2, 0, "at most 64 knobs");
    finish(space);
    anole_space_destroy(space);
}

static void test_add_in_the_wrong_order(void **state)
{
    (void)state;
    static const int64_t value = 1;
    struct anole_space *space = new_space();
    struct anole_error error = {0};
    add_knob(space, "a", "1 2");
    add_constraint(space, "a > 0");
    assert_int_equal(anole_space_add_knob(space, "b", false, &value, NULL, 1, 0, &error),
                     ANOLE_ERR_USAGE);
    finish(space);
    assert_int_equal(anole_space_add_constraint(space, "a > 0", NULL, NULL), ANOLE_ERR_USAGE);
    assert_int_equal(anole_space_add_knob(space, "b", false, &value, NULL, 1, 0, NULL),
                     ANOLE_ERR_USAGE);
    assert_int_equal(anole_space_finish(space, NULL), ANOLE_ERR_USAGE);
    anole_space_destroy(space);
    /* Not finished: nothing is valid, nothing breaks. */
    space = new_space();
    add_knob(space, "a", "1 2");
    struct anole_rng rng;
    uint64_t config;
    anole_rng_init(&rng, 1);
    assert_false(anole_space_valid(space, 0));
    assert_false(anole_space_sample(space, &rng, &config));
    anole_space_destroy(space);
}

static void test_add_constraint_refuses_bad_ones(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    struct anole_error error = {0};
    add_knob(space, "tile_w", "1 2");
    assert_int_equal(anole_space_add_constraint(space, "tile_h > 1", "no", &error),
                     ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "did you mean 'tile_w'?"));
    assert_int_equal(anole_space_add_constraint(space, "tile_w >", "no", NULL), ANOLE_ERR_INPUT);
    for (int i = 0; i < ANOLE_MAX_CONSTRAINTS; i++)
        assert_int_equal(anole_space_add_constraint(space, "tile_w > 1", NULL, NULL), ANOLE_DONE);
    assert_int_equal(anole_space_add_constraint(space, "tile_w > 1", NULL, NULL), ANOLE_ERR_INPUT);
    finish(space);
    assert_int_equal(anole_space_default(space), 1);
    assert_false(anole_space_valid(space, 0));
    anole_space_destroy(space);
}

static void test_finish_bounds_the_size(void **state)
{
    (void)state;
    for (int count = 61; count < 64; count += 2) {
        struct anole_space *space = new_space();
        struct anole_error error = {0};
        for (int i = 0; i < count; i++) {
            char name[8];
            snprintf(name, sizeof name, "k%d", i);
            add_knob(space, name, "0 1");
        }
        enum anole_status status = anole_space_finish(space, &error);
        assert_int_equal(status, count < 63 ? ANOLE_DONE : ANOLE_ERR_INPUT);
        if (status != ANOLE_DONE)
            assert_non_null(strstr(error.text, "2^63"));
        anole_space_destroy(space);
    }
}

static void test_finish_of_trivial_spaces(void **state)
{
    (void)state;
    struct anole_rng rng;
    uint64_t config = 9, *configs;
    size_t count;
    bool exact;
    anole_rng_init(&rng, 1);
    struct anole_space *space = new_space();
    finish(space); /* no knob at all: one config */
    assert_int_equal(anole_space_size(space), 1);
    assert_true(anole_space_valid(space, 0));
    assert_false(anole_space_valid(space, 1));
    assert_true(anole_space_sample(space, &rng, &config) && config == 0);
    assert_true(anole_space_count(space, 0, &exact) == 1 && exact);
    assert_int_equal(anole_space_enumerate(space, 1, &configs, &count, NULL), ANOLE_DONE);
    assert_true(count == 1 && configs[0] == 0);
    free(configs);
    anole_space_destroy(space);
    space = new_space();
    add_constraint(space, "1 + 1 == 2");
    finish(space);
    assert_true(anole_space_sample(space, &rng, &config));
    anole_space_destroy(space);
}

static bool refuse_all(void *context, const int64_t *values, size_t count)
{
    (void)context, (void)values, (void)count;
    return false;
}

static void check_nothing_valid(const char *constraint, enum knowledge knowledge, const char *part)
{
    struct anole_space *space = new_space();
    struct anole_error error = {0};
    struct anole_rng rng;
    uint64_t config;
    bool exact;
    anole_rng_init(&rng, 1);
    limit(space, knowledge);
    add_knob(space, "a", "1 2 3 4");
    add_knob(space, "b", "1 2 3 4");
    if (constraint)
        add_constraint(space, constraint);
    else
        anole_space_set_validity(space, refuse_all, NULL);
    assert_int_equal(anole_space_finish(space, &error), ANOLE_ERR_NOTHING_VALID);
    if (!strstr(error.text, part))
        fail_msg("the message has no \"%s\": %s", part, error.text);
    assert_false(anole_space_sample(space, &rng, &config));
    assert_true(anole_space_count(space, 1000, &exact) == 0 && exact);
    anole_space_destroy(space);
}

static void test_finish_where_nothing_is_valid(void **state)
{
    (void)state;
    for (enum knowledge k = 0; k < KNOWLEDGE_COUNT; k++) {
        check_nothing_valid("a * b > 16", k, "none of its 16 configs meets: a * b > 16: a test");
        check_nothing_valid("a * b == 7", k, "found none among 16");
        check_nothing_valid("0", k, "meets: 0: a test");
        check_nothing_valid("1 / 0", k, "meets: 1 / 0: a test");
        check_nothing_valid(NULL, k, "the backend's check");
    }
}

static void test_default_is_the_first_valid_config_nearby(void **state)
{
    (void)state;
    for (enum knowledge k = 0; k < KNOWLEDGE_COUNT; k++) {
        struct anole_space *space = new_space();
        static const int64_t values[] = {1, 2, 3, 4, 5};
        limit(space, k);
        anole_space_add_knob(space, "a", false, values, NULL, 5, 2, NULL);
        anole_space_add_knob(space, "b", false, values, NULL, 5, 4, NULL);
        add_constraint(space, "(a + b) % 4 == 1");
        finish(space);
        char text[32];
        anole_space_describe(space, text, sizeof text, anole_space_default(space));
        assert_true(strcmp(text, "a=3 b=2") == 0 || strcmp(text, "a=4 b=5") == 0);
        anole_space_destroy(space);
    }
}

/* ------------------------------------------------------------------ reading */

static void test_encode_and_decode_large_indices(void **state)
{
    (void)state;
    static int64_t many[ANOLE_MAX_KNOB_VALUES];
    static const size_t counts[] = {4096, 3, 1, 4095, 7, 2, 61, 4093, 1, 97, 29};
    enum { COUNT = sizeof counts / sizeof counts[0] };
    struct anole_space *space = new_space();
    struct anole_rng rng;
    anole_rng_init(&rng, 1);
    for (size_t i = 0; i < ANOLE_MAX_KNOB_VALUES; i++)
        many[i] = (int64_t)i;
    for (size_t k = 0; k < COUNT; k++) {
        char name[8];
        snprintf(name, sizeof name, "k%zu", k);
        assert_int_equal(anole_space_add_knob(space, name, false, many, NULL, counts[k], 0, NULL),
                         ANOLE_DONE);
    }
    finish(space);
    for (int i = 0; i < 20000; i++) {
        uint16_t digits[COUNT], decoded[COUNT];
        for (size_t k = 0; k < COUNT; k++)
            digits[k] =
                (uint16_t)(anole_rng_below(&rng, 4) == 0 ? counts[k] - 1
                                                         : anole_rng_below(&rng, counts[k]));
        uint64_t config = anole_space_encode(space, digits);
        assert_true(config < anole_space_size(space));
        anole_space_decode(space, config, decoded);
        assert_memory_equal(digits, decoded, sizeof digits);
    }
    assert_true(anole_space_valid(space, anole_space_size(space) - 1));
    assert_false(anole_space_valid(space, anole_space_size(space)));
    assert_false(anole_space_valid(space, UINT64_MAX));
    assert_non_null(anole_space_violation(space, UINT64_MAX));
    uint16_t digits[COUNT];
    anole_space_decode(space, UINT64_MAX, digits); /* nonsense, but within the lists */
    for (size_t k = 0; k < COUNT; k++)
        assert_true(digits[k] < counts[k]);
    anole_space_destroy(space);
}

static void test_lookup_by_values(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    struct anole_error error = {0};
    uint64_t config = 77;
    add_knob(space, "tile_w", "1 2 4");
    add_knob(space, "unroll", "1 8");
    finish(space);
    static const char *const names[] = {"unroll", "tile_w", "unroll"};
    static const char *const wrong[] = {"unrol", "tile_w"};
    static const int64_t values[] = {8, 2, 1}, bad[] = {3, 2};
    assert_int_equal(anole_space_lookup(space, &config, names, values, 2, NULL), ANOLE_DONE);
    assert_int_equal(config, 3);
    assert_int_equal(anole_space_lookup(space, &config, names, values, 1, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "'tile_w'"));
    anole_error_clear(&error);
    assert_int_equal(anole_space_lookup(space, &config, names, values, 3, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "found two"));
    anole_error_clear(&error);
    assert_int_equal(anole_space_lookup(space, &config, names, bad, 2, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "found 3"));
    anole_error_clear(&error);
    assert_int_equal(anole_space_lookup(space, &config, wrong, values, 2, &error), ANOLE_ERR_INPUT);
    assert_non_null(strstr(error.text, "did you mean 'unroll'?"));
    assert_int_equal(config, 3);
    anole_space_destroy(space);
}

static uint64_t fingerprint_of(const char *name, const char *values, const char *constraint)
{
    struct anole_space *space = new_space();
    add_knob(space, name, values);
    add_knob(space, "other", "1 2");
    if (constraint)
        add_constraint(space, constraint);
    finish(space);
    uint64_t fingerprint = anole_space_fingerprint(space);
    anole_space_destroy(space);
    return fingerprint;
}

static void test_fingerprint_tells_spaces_apart(void **state)
{
    (void)state;
    uint64_t one = fingerprint_of("a", "1 2 3", "a > other");
    assert_true(one == fingerprint_of("a", "1 2 3", "a > other"));
    assert_true(one != fingerprint_of("b", "1 2 3", "b > other"));
    assert_true(one != fingerprint_of("a", "1 2 4", "a > other"));
    assert_true(one != fingerprint_of("a", "1 2 3 4", "a > other"));
    assert_true(one != fingerprint_of("a", "1 2 3", "a >= other"));
    assert_true(one != fingerprint_of("a", "1 2 3", NULL));
}

static bool even_sum(void *context, const int64_t *values, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    ++*(size_t *)context;
    return sum % 2 == 0;
}

static void test_violation_names_the_first_constraint(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    size_t calls = 0;
    add_knob(space, "a", "0 1 2 3");
    add_knob(space, "b", "0 1 2 3");
    assert_int_equal(
        anole_space_add_constraint(space, "a == 0 or b % a == 0", "b in tiles of a", NULL),
        ANOLE_DONE);
    assert_int_equal(anole_space_add_constraint(space, "a + b < 5", "it\tfits", NULL), ANOLE_DONE);
    anole_space_set_validity(space, even_sum, &calls);
    finish(space);
    assert_string_equal(anole_space_violation(space, 2 * 4 + 1),
                        "a == 0 or b % a == 0: b in tiles of a");
    assert_string_equal(anole_space_violation(space, 3 * 4 + 3), "a + b < 5: it\\x09fits");
    calls = 0;
    assert_null(anole_space_violation(space, 0));
    assert_int_equal(calls, 1);
    assert_non_null(strstr(anole_space_violation(space, 1 * 4 + 2), "backend"));
    calls = 0; /* asked only where the constraints are met */
    assert_false(anole_space_valid(space, 2 * 4 + 1));
    assert_int_equal(calls, 0);
    anole_space_destroy(space);
}

/* One that is not to be walked names and judges configs as the other does. */
static struct anole_space *make_twin(bool walked, const char *constraint, size_t *calls)
{
    struct anole_space *space = new_space();
    add_knob(space, "a", "1 2 3 4");
    add_knob(space, "b", "1 2 3 4 6");
    assert_int_equal(anole_space_add_constraint(space, constraint, "why", NULL), ANOLE_DONE);
    add_constraint(space, "a + b < 9");
    anole_space_set_validity(space, even_sum, calls);
    if (walked)
        finish(space);
    else
        assert_int_equal(anole_space_finish_unwalked(space, NULL), ANOLE_DONE);
    return space;
}

static void test_unwalked_space_judges_the_same(void **state)
{
    (void)state;
    size_t calls = 0, count;
    struct anole_space *space = make_twin(true, "b % a == 0", &calls);
    struct anole_space *twin = make_twin(false, "b % a == 0", &calls);
    uint64_t *configs = NULL, config;
    struct anole_rng rng;
    bool exact;
    anole_rng_init(&rng, 1);
    assert_true(anole_space_default(space) == anole_space_default(twin));
    assert_true(anole_space_fingerprint(space) == anole_space_fingerprint(twin));
    assert_int_equal(anole_space_size(twin), 20);
    for (uint64_t i = 0; i < 22; i++) {
        assert_int_equal(anole_space_valid(space, i), anole_space_valid(twin, i));
        const char *why = anole_space_violation(space, i), *same = anole_space_violation(twin, i);
        assert_int_equal(why != NULL, same != NULL);
        if (why)
            assert_string_equal(why, same);
    }
    assert_true(anole_space_count(space, 1000, &exact) > 0 && exact);
    assert_true(anole_space_count(twin, 1000, &exact) == 0 && !exact);
    assert_false(anole_space_is_small(twin));
    assert_true(anole_space_sample(space, &rng, &config));
    assert_false(anole_space_sample(twin, &rng, &config));
    assert_int_equal(anole_space_enumerate(twin, 100, &configs, &count, NULL), ANOLE_DONE);
    assert_null(configs);
    assert_true(count > 100);
    assert_int_equal(anole_space_finish(twin, NULL), ANOLE_ERR_USAGE);
    anole_space_destroy(space);
    anole_space_destroy(twin);
}

/* Where the knobs' defaults are not valid, the default is searched as it always is. */
static void test_unwalked_space_finds_a_default(void **state)
{
    (void)state;
    size_t calls = 0;
    struct anole_error error = {.status = ANOLE_DONE};
    struct anole_space *space = make_twin(true, "a > 1 and b % a == 0", &calls);
    struct anole_space *twin = make_twin(false, "a > 1 and b % a == 0", &calls);
    assert_true(anole_space_default(space) == anole_space_default(twin));
    assert_true(anole_space_valid(twin, anole_space_default(twin)));
    anole_space_destroy(space);
    anole_space_destroy(twin);
    twin = new_space();
    add_knob(twin, "a", "1 2");
    add_constraint(twin, "a > 2");
    assert_int_equal(anole_space_finish_unwalked(twin, &error), ANOLE_ERR_NOTHING_VALID);
    anole_space_destroy(twin);
}

static void test_valid_with_huge_values(void **state)
{
    (void)state;
    struct anole_space *space = new_space();
    static const int64_t values[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    anole_space_add_knob(space, "a", false, values, NULL, 5, 0, NULL);
    anole_space_add_knob(space, "b", false, values, NULL, 5, 0, NULL);
    add_constraint(space, "a * b > 0");
    add_constraint(space, "a // b >= 1");
    add_constraint(space, "a ** 20 > 0");
    finish(space);
    bool exact;
    size_t count = 0;
    for (uint64_t config = 0; config < 25; config++) {
        assert_int_equal(anole_space_valid(space, config), plainly_valid(space, config));
        count += anole_space_valid(space, config);
    }
    assert_true(anole_space_count(space, 1000, &exact) == (double)count && exact);
    anole_space_destroy(space);
}

struct reader {
    const struct anole_space *space;
    uint64_t seed, sum;
};

static void *read_many(void *context)
{
    struct reader *reader = context;
    struct anole_rng rng;
    anole_rng_init(&rng, reader->seed);
    for (uint64_t config = 0; config < anole_space_size(reader->space); config++)
        reader->sum += anole_space_valid(reader->space, config) ? config : 1;
    for (int i = 0; i < 2000; i++) {
        uint64_t config;
        if (!anole_space_sample(reader->space, &rng, &config))
            return NULL;
        reader->sum = reader->sum * 31 + config;
    }
    bool exact;
    reader->sum += (uint64_t)anole_space_count(reader->space, 1000, &exact);
    return NULL;
}

static void test_read_in_two_threads(void **state)
{
    (void)state;
    for (enum knowledge k = 0; k < KNOWLEDGE_COUNT; k++) {
        struct anole_space *space = new_space();
        limit(space, k);
        add_knob(space, "a", "1 2 4 8 16 32");
        add_knob(space, "b", "1 2 3 4 5 6 7");
        add_knob(space, "c", "1 2 4 8 16 32");
        add_constraint(space, "a * b * c in [64, 96, 128]");
        add_constraint(space, "a % b == 0 or c % b == 0");
        finish(space);
        struct reader readers[3] = {{space, 1, 0}, {space, 1, 0}, {space, 1, 0}};
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, read_many, &readers[i]), 0);
        read_many(&readers[2]);
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(readers[0].sum == readers[2].sum && readers[1].sum == readers[2].sum);
        anole_space_destroy(space);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_and_read),
        cmocka_unit_test(test_add_knob_refuses_bad_ones),
        cmocka_unit_test(test_add_in_the_wrong_order),
        cmocka_unit_test(test_add_constraint_refuses_bad_ones),
        cmocka_unit_test(test_finish_bounds_the_size),
        cmocka_unit_test(test_finish_of_trivial_spaces),
        cmocka_unit_test(test_finish_where_nothing_is_valid),
        cmocka_unit_test(test_default_is_the_first_valid_config_nearby),
        cmocka_unit_test(test_encode_and_decode_large_indices),
        cmocka_unit_test(test_lookup_by_values),
        cmocka_unit_test(test_fingerprint_tells_spaces_apart),
        cmocka_unit_test(test_violation_names_the_first_constraint),
        cmocka_unit_test(test_unwalked_space_judges_the_same),
        cmocka_unit_test(test_unwalked_space_finds_a_default),
        cmocka_unit_test(test_valid_with_huge_values),
        cmocka_unit_test(test_read_in_two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
