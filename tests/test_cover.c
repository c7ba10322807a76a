/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "tune/cover.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MOST_CANDIDATES 8
#define MOST_SIZES 6

/* The same as anole_cover_choose() by its definition: every subset, as bits. */
static struct anole_cover brute_force(const double *loss, size_t candidates, size_t sizes,
                                      size_t most)
{
    struct anole_cover best = {.without = SIZE_MAX};
    for (unsigned set = 1; set < 1u << candidates; set++) {
        struct anole_cover own = {.without = 0};
        if ((size_t)__builtin_popcount(set) > most)
            continue;
        for (size_t s = 0; s < sizes; s++) {
            double least = INFINITY;
            for (size_t c = 0; c < candidates; c++)
                if (set >> c & 1)
                    least = fmin(least, loss[c * sizes + s]);
            own.without += isinf(least);
            own.worst = isinf(least) ? own.worst : fmax(own.worst, least);
            own.sum += isinf(least) ? 0 : least;
        }
        if (own.without < best.without ||
            (own.without == best.without &&
             (own.worst < best.worst || (own.worst == best.worst && own.sum < best.sum))))
            best = own;
    }
    return best;
}

/* Losses as they are met: coarse, so that sets are often alike; some do not work at all. */
static void make_losses(double *loss, size_t candidates, size_t sizes, struct anole_rng *rng)
{
    for (size_t i = 0; i < candidates * sizes; i++)
        loss[i] = anole_rng_below(rng, 5) == 0 ? INFINITY : (double)anole_rng_below(rng, 8) / 8;
}

static size_t count_chosen(const bool *chosen, size_t candidates)
{
    size_t count = 0;
    for (size_t c = 0; c < candidates; c++)
        count += chosen[c];
    return count;
}

static void test_choose_is_as_good_as_brute_force(void **state)
{
    (void)state;
    struct anole_rng rng;
    anole_rng_init(&rng, 7);
    for (int round = 0; round < 2000; round++) {
        double loss[MOST_CANDIDATES * MOST_SIZES];
        bool chosen[MOST_CANDIDATES];
        struct anole_cover cover;
        size_t candidates = 1 + anole_rng_below(&rng, MOST_CANDIDATES);
        size_t sizes = 1 + anole_rng_below(&rng, MOST_SIZES);
        size_t most = 1 + anole_rng_below(&rng, 4);
        make_losses(loss, candidates, sizes, &rng);
        anole_cover_choose(chosen, &cover, loss, candidates, sizes, most);
        const struct anole_cover best = brute_force(loss, candidates, sizes, most);
        assert_int_equal(cover.without, best.without);
        assert_true(cover.worst == best.worst);
        assert_true(fabs(cover.sum - best.sum) < 1e-12);
        assert_true(cover.exact);
        assert_in_range(count_chosen(chosen, candidates), 1, most);
    }
}

static void test_choose_prefers_fewer_kernels(void **state)
{
    (void)state;
    const double loss[3][2] = {{0.5, 0}, {0, 0.5}, {0, 0}};
    bool chosen[3];
    struct anole_cover cover;
    anole_cover_choose(chosen, &cover, &loss[0][0], 3, 2, 3);
    assert_false(chosen[0] || chosen[1]);
    assert_true(chosen[2]);
    assert_true(cover.worst == 0);
}

static void test_choose_says_what_nothing_works_for(void **state)
{
    (void)state;
    const double loss[2][3] = {{0, INFINITY, NAN}, {0.25, INFINITY, 0}};
    bool chosen[2];
    struct anole_cover cover;
    anole_cover_choose(chosen, &cover, &loss[0][0], 2, 3, 1);
    assert_true(chosen[1]);
    assert_int_equal(cover.without, 1);
    assert_true(cover.worst == 0.25);
    assert_int_equal(anole_cover_best(chosen, &loss[0][0], 2, 3, 1), SIZE_MAX);
    assert_int_equal(anole_cover_best(chosen, &loss[0][0], 2, 3, 2), 1);
    anole_cover_choose(chosen, &cover, NULL, 0, 3, 1);
    assert_int_equal(cover.without, 0);
}

/* More sets than are tried one by one: what comes out is a set of the right size, and better than
 * the best single candidate. */
static void test_choose_of_many_is_sound(void **state)
{
    (void)state;
    enum { CANDIDATES = 31, SIZES = 16, MOST = 8 };
    static double loss[CANDIDATES * SIZES];
    struct anole_rng rng;
    anole_rng_init(&rng, 3);
    for (int round = 0; round < 50; round++) {
        bool chosen[CANDIDATES];
        struct anole_cover cover, single;
        for (size_t i = 0; i < CANDIDATES * SIZES; i++)
            loss[i] = anole_rng_uniform(&rng);
        anole_cover_choose(chosen, &cover, loss, CANDIDATES, SIZES, MOST);
        assert_false(cover.exact);
        assert_in_range(count_chosen(chosen, CANDIDATES), 1, MOST);
        anole_cover_choose(chosen, &single, loss, CANDIDATES, SIZES, 1);
        assert_true(single.exact);
        assert_true(cover.worst < single.worst);
    }
    /* Nothing works for anything. */
    for (size_t i = 0; i < CANDIDATES * SIZES; i++)
        loss[i] = INFINITY;
    bool chosen[CANDIDATES];
    struct anole_cover cover;
    anole_cover_choose(chosen, &cover, loss, CANDIDATES, SIZES, MOST);
    assert_int_equal(cover.without, SIZES);
    assert_int_equal(count_chosen(chosen, CANDIDATES), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose_is_as_good_as_brute_force),
        cmocka_unit_test(test_choose_prefers_fewer_kernels),
        cmocka_unit_test(test_choose_says_what_nothing_works_for),
        cmocka_unit_test(test_choose_of_many_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
