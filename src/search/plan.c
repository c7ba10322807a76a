/* SPDX-License-Identifier: MIT */
#include "search/plan.h"

#include "search/samplers.h"

#include <math.h>
#include <string.h>

#define APART 3 /* knobs that make a config another one */
#define ELITES 16
#define MOST_NEIGHBOURS 256
#define MEMORY 0.15 /* weight of a trial in what was lately */
#define STEEP 8.0   /* 9 % slower than the incumbent is half as good */
#define FLOOR 0.01

static const struct anole_plan shipped = {
#include "search/plan_weights.inc"
};

const struct anole_plan *anole_plan_shipped(void)
{
    return &shipped;
}

/* -- What the policy sees -- */

/* The course of a search, trial by trial. */
struct course {
    const struct anole_space *space;
    size_t knobs;
    double best; /* as a cost */
    uint16_t incumbent[ANOLE_MAX_KNOBS];
    size_t since;     /* trials since then */
    double near, far; /* how good trials were lately: 1 as good as the incumbent of then */
    double slowness;  /* mean logarithm over the incumbent of then */
};

static void follow(struct course *course, const struct anole_trial *trial)
{
    uint16_t digits[ANOLE_MAX_KNOBS];
    double cost = anole_result_cost(&trial->result);
    anole_space_decode(course->space, trial->config, digits);
    course->since++;
    if (isfinite(course->best)) {
        double slower = fmax(0.0, log(cost / course->best));
        double *lately = anole_digits_distance(digits, course->incumbent, course->knobs) <= 1
                             ? &course->near
                             : &course->far;
        *lately += MEMORY * (exp(-STEEP * slower) - *lately);
        course->slowness += MEMORY * (fmin(slower, 3.0) - course->slowness);
    }
    if (cost < course->best) {
        course->best = cost;
        course->since = 0;
        memcpy(course->incumbent, digits, sizeof digits);
    }
}

void anole_plan_observe(float *features, const struct anole_explorer_context *context)
{
    size_t count = anole_trials_count(context->trials);
    struct course course = {.space = context->space,
                            .knobs = anole_space_knob_count(context->space),
                            .best = INFINITY,
                            .near = 0.5,
                            .far = 0.5};
    double size = 0.0;
    for (size_t k = 0; k < course.knobs; k++)
        size += log2((double)anole_space_knob(context->space, k)->count);
    for (size_t i = 0; i < count; i++)
        follow(&course, anole_trials_get(context->trials, i));
    features[0] = 1.0f;
    features[1] = (float)log2(1.0 + (double)count) / 8.0f;
    features[2] = (float)size / 32.0f;
    features[3] = (float)log2(1.0 + (double)course.since) / 6.0f;
    features[4] = (float)course.near;
    features[5] = (float)course.far;
    features[6] = (float)(course.slowness / (1.0 + course.slowness));
    features[7] = anole_cost_model_guided(context->model) ? 1.0f : 0.0f;
}

void anole_plan_shares(double *shares, const struct anole_plan *plan, const float *features)
{
    double most = -INFINITY, sum = 0.0;
    for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++) {
        shares[o] = 0.0;
        for (size_t f = 0; f < ANOLE_PLAN_FEATURES; f++)
            shares[o] += (double)plan->weights[o][f] * (double)features[f];
        most = fmax(most, shares[o]);
    }
    for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++)
        sum += shares[o] = exp(shares[o] - most);
    for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++)
        shares[o] = FLOOR + (1.0 - FLOOR * ANOLE_OPERATOR_COUNT) * shares[o] / sum;
}

/* -- What it does -- */

struct batch {
    struct anole_picks picks;
    const struct anole_candidate *candidates; /* best first */
    size_t count, knobs;
    uint64_t elites[ELITES];
    uint16_t digits[ELITES][ANOLE_MAX_KNOBS];
    size_t elite_count;
    struct anole_rng *rng;
};

static bool is_apart(const struct batch *batch, uint64_t config, bool from_elites)
{
    const struct anole_space *space = batch->picks.context->space;
    size_t apart = batch->knobs < 2 * APART ? batch->knobs / 2 : APART;
    uint16_t digits[ANOLE_MAX_KNOBS], other[ANOLE_MAX_KNOBS];
    anole_space_decode(space, config, digits);
    for (size_t i = 0; i < batch->picks.count; i++) {
        anole_space_decode(space, batch->picks.configs[i], other);
        if (anole_digits_distance(digits, other, batch->knobs) < apart)
            return false;
    }
    for (size_t e = 0; from_elites && e < batch->elite_count; e++)
        if (anole_digits_distance(digits, batch->digits[e], batch->knobs) < apart)
            return false;
    return true;
}

static bool take_apart(struct batch *batch, bool from_elites)
{
    for (size_t i = 0; i < batch->count; i++)
        if (is_apart(batch, batch->candidates[i].config, from_elites) &&
            anole_picks_take(&batch->picks, batch->candidates[i].config))
            return true;
    return false;
}

static bool take_neighbour(struct batch *batch, size_t elite)
{
    const struct anole_explorer_context *context = batch->picks.context;
    struct anole_candidate neighbours[MOST_NEIGHBOURS];
    size_t count = 0;
    if (elite >= batch->elite_count)
        return false;
    uint16_t *digits = batch->digits[elite];
    for (size_t k = 0; k < batch->knobs; k++) {
        uint16_t old = digits[k];
        uint32_t values = anole_space_knob(context->space, k)->count;
        for (uint32_t v = 0; v < values && count < MOST_NEIGHBOURS; v++) {
            digits[k] = (uint16_t)v;
            if (v == old || !anole_space_valid_digits(context->space, digits))
                continue;
            uint64_t config = anole_space_encode(context->space, digits);
            if (anole_explorer_open(context, config))
                neighbours[count++].config = config;
        }
        digits[k] = old;
    }
    for (size_t i = 0; i < count; i++)
        anole_cost_model_predict(context->model, &neighbours[i].config, 1, &neighbours[i].score);
    anole_candidates_sort(neighbours, count, batch->rng);
    for (size_t i = 0; i < count; i++)
        if (anole_picks_take(&batch->picks, neighbours[i].config))
            return true;
    return false;
}

static bool take_best(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (anole_picks_take(&batch->picks, batch->candidates[i].config))
            return true;
    return false;
}

static bool take(struct batch *batch, enum anole_operator operator)
{
    size_t better = (batch->count + 3) / 4;
    switch (operator) {
    case ANOLE_OPERATOR_APART:
        return take_apart(batch, false);
    case ANOLE_OPERATOR_FAR:
        return take_apart(batch, true);
    case ANOLE_OPERATOR_NEAR:
        return take_neighbour(batch, 0);
    case ANOLE_OPERATOR_ELITE:
        return batch->elite_count > 1 &&
               take_neighbour(batch, 1 + anole_rng_below(batch->rng, batch->elite_count - 1));
    case ANOLE_OPERATOR_CHANCE:
        return better &&
               anole_picks_take(&batch->picks,
                                batch->candidates[anole_rng_below(batch->rng, better)].config);
    case ANOLE_OPERATOR_BEST:
    case ANOLE_OPERATOR_COUNT:
        break;
    }
    return false;
}

static enum anole_operator draw(const double *shares, struct anole_rng *rng)
{
    double point = anole_rng_uniform(rng);
    for (size_t o = 0; o + 1 < ANOLE_OPERATOR_COUNT; o++) {
        point -= shares[o];
        if (point < 0.0)
            return (enum anole_operator)o;
    }
    return (enum anole_operator)(ANOLE_OPERATOR_COUNT - 1);
}

enum anole_status anole_plan_pick(const struct anole_plan *plan,
                                  const struct anole_explorer_context *context,
                                  const struct anole_candidate *candidates, size_t count,
                                  struct anole_rng *rng, size_t batch, uint64_t *configs,
                                  uint8_t *operators, size_t *picked, struct anole_error *error)
{
    struct batch made = {.picks = {context, configs, 0, batch},
                         .candidates = candidates,
                         .count = count,
                         .knobs = anole_space_knob_count(context->space),
                         .rng = rng};
    float features[ANOLE_PLAN_FEATURES];
    double shares[ANOLE_OPERATOR_COUNT];
    (void)error;
    made.elite_count = anole_trials_elites(context->trials, made.elites, NULL, ELITES);
    for (size_t e = 0; e < made.elite_count; e++)
        anole_space_decode(context->space, made.elites[e], made.digits[e]);
    anole_plan_observe(features, context);
    anole_plan_shares(shares, plan, features);
    while (made.picks.count < batch) {
        size_t at = made.picks.count;
        enum anole_operator operator= draw(shares, rng);
        if (!take(&made, operator) && !take_best(&made))
            break;
        if (operators)
            operators[at] = (uint8_t) operator;
    }
    *picked = made.picks.count;
    return ANOLE_DONE;
}

/* -- The sampler -- */

#define CANDIDATES 1024

static size_t candidates_for(const struct anole_explorer_context *context, size_t batch)
{
    (void)context;
    return 256 * batch < CANDIDATES ? 256 * batch : CANDIDATES;
}

static enum anole_status pick(const struct anole_explorer_context *context,
                              const struct anole_candidate *candidates, size_t count,
                              struct anole_rng *rng, size_t batch, uint64_t *configs,
                              size_t *picked, struct anole_error *error)
{
    return anole_plan_pick(&shipped, context, candidates, count, rng, batch, configs, NULL, picked,
                           error);
}

const struct anole_sampler_ops anole_sampler_planned = {
    .name = "planned",
    .summary = "by a policy that was learned across tasks: best, apart, near, by chance",
    .candidates = candidates_for,
    .pick = pick,
};
