/* SPDX-License-Identifier: MIT */
#include "tune/cover.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Rounds of exchanging, each of which must help: a bound for inputs that are nonsense. */
#define MOST_EXCHANGES 1000

struct problem {
    const double *loss;
    size_t candidates, sizes, most;
};

size_t anole_cover_best(const bool *chosen, const double *loss, size_t candidates, size_t sizes,
                        size_t size)
{
    size_t best = SIZE_MAX;
    for (size_t c = 0; c < candidates; c++) {
        const double own = loss[c * sizes + size];
        if (chosen[c] && isfinite(own) && (best == SIZE_MAX || own < loss[best * sizes + size]))
            best = c;
    }
    return best;
}

static struct anole_cover judge(const struct problem *problem, const bool *chosen)
{
    struct anole_cover cover = {.without = 0};
    for (size_t s = 0; s < problem->sizes; s++) {
        size_t best =
            anole_cover_best(chosen, problem->loss, problem->candidates, problem->sizes, s);
        if (best == SIZE_MAX) {
            cover.without++;
            continue;
        }
        const double loss = problem->loss[best * problem->sizes + s];
        cover.worst = fmax(cover.worst, loss);
        cover.sum += loss;
    }
    return cover;
}

static bool is_better(const struct anole_cover *a, const struct anole_cover *b)
{
    if (a->without != b->without)
        return a->without < b->without;
    return a->worst != b->worst ? a->worst < b->worst : a->sum < b->sum;
}

/* -- One by one -- */

/* How many sets of 1 to `most` there are; more than `limit`: they are not counted further. */
static double count_sets(size_t candidates, size_t most, double limit)
{
    double binomial = 1, sum = 0;
    for (size_t k = 1; k <= most && k <= candidates && sum <= limit; k++) {
        binomial *= (double)(candidates - k + 1) / (double)k;
        sum += binomial;
    }
    return sum;
}

/* The next set of `count` members, in lexicographic order; false: there is none. */
static bool next_set(size_t *members, size_t count, size_t candidates)
{
    size_t at = count;
    while (at > 0 && members[at - 1] == candidates - count + at - 1)
        at--;
    if (at == 0)
        return false;
    members[at - 1]++;
    for (; at < count; at++)
        members[at] = members[at - 1] + 1;
    return true;
}

/* Small sets come first, so that a larger one has to be better. */
static void try_all(const struct problem *problem, bool *chosen, struct anole_cover *cover)
{
    size_t members[ANOLE_COVER_CANDIDATES];
    bool set[ANOLE_COVER_CANDIDATES];
    bool any = false;
    for (size_t count = 1; count <= problem->most && count <= problem->candidates; count++) {
        for (size_t i = 0; i < count; i++)
            members[i] = i;
        do {
            memset(set, 0, problem->candidates * sizeof *set);
            for (size_t i = 0; i < count; i++)
                set[members[i]] = true;
            const struct anole_cover own = judge(problem, set);
            if (any && !is_better(&own, cover))
                continue;
            any = true;
            *cover = own;
            memcpy(chosen, set, problem->candidates * sizeof *set);
        } while (next_set(members, count, problem->candidates));
    }
    cover->exact = true;
}

/* -- Greedily -- */

/* The candidate that is best to add; false: none makes it better. */
static bool add_best(const struct problem *problem, bool *chosen, struct anole_cover *cover)
{
    size_t best = SIZE_MAX;
    for (size_t c = 0; c < problem->candidates; c++) {
        if (chosen[c])
            continue;
        chosen[c] = true;
        const struct anole_cover own = judge(problem, chosen);
        chosen[c] = false;
        if (is_better(&own, cover)) {
            *cover = own;
            best = c;
        }
    }
    if (best != SIZE_MAX)
        chosen[best] = true;
    return best != SIZE_MAX;
}

/* One candidate for another, the first exchange that helps; false: none does. */
static bool exchange(const struct problem *problem, bool *chosen, struct anole_cover *cover)
{
    for (size_t out = 0; out < problem->candidates; out++) {
        for (size_t in = 0; chosen[out] && in < problem->candidates; in++) {
            if (chosen[in])
                continue;
            chosen[out] = false;
            chosen[in] = true;
            const struct anole_cover own = judge(problem, chosen);
            if (is_better(&own, cover)) {
                *cover = own;
                return true;
            }
            chosen[out] = true;
            chosen[in] = false;
        }
    }
    return false;
}

static void climb(const struct problem *problem, bool *chosen, struct anole_cover *cover)
{
    memset(chosen, 0, problem->candidates * sizeof *chosen);
    *cover = judge(problem, chosen);
    size_t count = 0;
    while (count < problem->most && add_best(problem, chosen, cover))
        count++;
    if (count == 0)
        chosen[0] = true; /* none works: one is as good as another */
    for (size_t i = 0; i < MOST_EXCHANGES && exchange(problem, chosen, cover); i++)
        ;
}

void anole_cover_choose(bool *chosen, struct anole_cover *cover, const double *loss,
                        size_t candidates, size_t sizes, size_t most)
{
    const struct problem problem = {
        .loss = loss, .candidates = candidates, .sizes = sizes, .most = most};
    *cover = (struct anole_cover){.exact = true};
    if (candidates == 0)
        return;
    if (count_sets(candidates, most, ANOLE_COVER_EXACT) <= ANOLE_COVER_EXACT)
        try_all(&problem, chosen, cover);
    else
        climb(&problem, chosen, cover);
}
