/* SPDX-License-Identifier: MIT
 *
 * The agent, and what it lives through: it decides, acts, and keeps what came of it.
 */
#include "search/ppo_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum anole_status make_networks(struct anole_ppo *ppo, struct anole_error *error)
{
    const struct anole_ppo_shape *shape = &ppo->shape;
    size_t hidden = ppo->options.hidden;
    struct anole_mlp *actor = NULL, *critic = NULL;
    /* The last layer starts near 0, and the policy near uniform. */
    enum anole_status status = anole_mlp_create(
        &actor, (size_t[]){shape->width, hidden, shape->outputs}, 2, 0.05f, &ppo->rng, error);
    if (status == ANOLE_DONE)
        status = anole_mlp_create(&critic, (size_t[]){shape->context, hidden, 1}, 2, 1.0f,
                                  &ppo->rng, error);
    if (status != ANOLE_DONE) {
        anole_mlp_destroy(actor);
        return status;
    }
    anole_mlp_destroy(ppo->actor);
    anole_mlp_destroy(ppo->critic);
    ppo->actor = actor;
    ppo->critic = critic;
    return ANOLE_DONE;
}

enum anole_status anole_ppo_create(struct anole_ppo **ppo, const struct anole_ppo_shape *shape,
                                   const struct anole_ppo_options *options,
                                   const struct anole_rng *rng, struct anole_error *error)
{
    size_t logits = shape->items * shape->outputs;
    if (!shape->items || !shape->width || !shape->outputs || !shape->context || !shape->heads ||
        shape->items > 4096 || shape->outputs > 4096 || logits % shape->heads != 0 ||
        logits / shape->heads > UINT16_MAX || !options->minibatch || !options->hidden)
        return anole_fail(error, ANOLE_ERR_INTERNAL,
                          "an agent needs items, logits that its heads divide evenly, and "
                          "minibatches; found %zu items of %zu numbers and %zu logits, %zu heads",
                          shape->items, shape->width, shape->outputs, shape->heads);
    struct anole_ppo *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->shape = *shape;
    made->options = *options;
    made->rng = *rng;
    made->logits = logits;
    made->choices = logits / shape->heads;
    size_t batch = options->minibatch;
    made->batch_items = calloc(batch * shape->items * shape->width, sizeof(float));
    made->batch_contexts = calloc(batch * shape->context, sizeof(float));
    made->actor_slopes = calloc(batch * logits, sizeof(float));
    made->critic_slopes = calloc(batch, sizeof(float));
    made->probabilities = calloc(made->choices, sizeof(float));
    enum anole_status status = ANOLE_ERR_MEMORY;
    if (!made->batch_items || !made->batch_contexts || !made->actor_slopes ||
        !made->critic_slopes || !made->probabilities)
        anole_fail_memory(error);
    else
        status = make_networks(made, error);
    if (status != ANOLE_DONE) {
        anole_ppo_destroy(made);
        return status;
    }
    *ppo = made;
    return ANOLE_DONE;
}

static void free_samples(struct anole_ppo *ppo)
{
    void *arrays[] = {ppo->samples, ppo->items, ppo->contexts, ppo->masks,
                      ppo->chosen,  ppo->order, ppo->last,     ppo->active};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    ppo->samples = NULL;
    ppo->items = ppo->contexts = NULL;
    ppo->masks = NULL;
    ppo->chosen = NULL;
    ppo->order = ppo->last = NULL;
    ppo->active = NULL;
    ppo->capacity = ppo->walker_capacity = 0;
}

void anole_ppo_destroy(struct anole_ppo *ppo)
{
    if (!ppo)
        return;
    anole_mlp_destroy(ppo->actor);
    anole_mlp_destroy(ppo->critic);
    free_samples(ppo);
    free(ppo->batch_items);
    free(ppo->batch_contexts);
    free(ppo->actor_slopes);
    free(ppo->critic_slopes);
    free(ppo->probabilities);
    free(ppo);
}

enum anole_status anole_ppo_forget(struct anole_ppo *ppo, struct anole_error *error)
{
    return make_networks(ppo, error);
}

void anole_ppo_set_entropy_coefficient(struct anole_ppo *ppo, double coefficient)
{
    ppo->options.entropy_coefficient = coefficient;
}

double anole_ppo_entropy_coefficient(const struct anole_ppo *ppo)
{
    return ppo->options.entropy_coefficient;
}

/* Room for an iteration; what the last one left is given up. */
static enum anole_status reserve(struct anole_ppo *ppo, size_t walkers, size_t horizon,
                                 struct anole_error *error)
{
    const struct anole_ppo_shape *shape = &ppo->shape;
    size_t samples;
    /* One more step than the horizon: a look at where the walkers ended. */
    if (__builtin_mul_overflow(walkers, horizon + 1, &samples) || samples > SIZE_MAX / 1048576)
        return anole_fail_memory(error);
    if (samples <= ppo->capacity && walkers <= ppo->walker_capacity)
        return ANOLE_DONE;
    free_samples(ppo);
    ppo->samples = calloc(samples, sizeof *ppo->samples);
    ppo->items = calloc(samples * shape->items * shape->width, sizeof(float));
    ppo->contexts = calloc(samples * shape->context, sizeof(float));
    ppo->masks = calloc(samples, ppo->logits);
    ppo->chosen = calloc(samples * shape->heads, sizeof *ppo->chosen);
    ppo->order = calloc(samples, sizeof *ppo->order);
    ppo->last = calloc(walkers, sizeof *ppo->last);
    ppo->active = calloc(walkers, sizeof *ppo->active);
    if (!ppo->samples || !ppo->items || !ppo->contexts || !ppo->masks || !ppo->chosen ||
        !ppo->order || !ppo->last || !ppo->active) {
        free_samples(ppo);
        return anole_fail_memory(error);
    }
    ppo->capacity = samples;
    ppo->walker_capacity = walkers;
    return ANOLE_DONE;
}

static size_t draw(struct anole_ppo *ppo)
{
    double point = anole_rng_uniform(&ppo->rng);
    size_t last = 0;
    for (size_t i = 0; i < ppo->choices; i++) {
        if (ppo->probabilities[i] <= 0.0f)
            continue;
        last = i;
        point -= (double)ppo->probabilities[i];
        if (point < 0.0)
            break;
    }
    return last;
}

/* Decides all heads of a sample; false if one of them has no choice left. */
static bool decide(struct anole_ppo *ppo, const struct anole_ppo_environment *environment,
                   size_t index, const float *logits, double *entropy_sum)
{
    struct anole_ppo_sample *sample = &ppo->samples[index];
    double log_probability = 0.0;
    for (size_t head = 0; head < ppo->shape.heads; head++) {
        const float *z = logits + head * ppo->choices;
        uint8_t *mask = ppo->masks + index * ppo->logits + head * ppo->choices;
        size_t choice;
        for (;;) {
            if (!anole_ppo_softmax(ppo, z, mask))
                return false;
            choice = draw(ppo);
            if (!environment->allowed ||
                environment->allowed(environment->context, sample->walker, head, choice))
                break;
            mask[choice] = 0; /* known now; learning sees the same mask */
        }
        ppo->chosen[index * ppo->shape.heads + head] = (uint16_t)choice;
        log_probability += log((double)fmaxf(ppo->probabilities[choice], 1e-12f));
        *entropy_sum += anole_ppo_entropy(ppo);
    }
    sample->log_probability = (float)log_probability;
    return true;
}

/* Appends a sample with what every active walker sees. */
static void observe(struct anole_ppo *ppo, const struct anole_ppo_environment *environment,
                    size_t walkers)
{
    const struct anole_ppo_shape *shape = &ppo->shape;
    for (size_t w = 0; w < walkers; w++) {
        if (!ppo->active[w])
            continue;
        size_t i = ppo->count++;
        ppo->samples[i] = (struct anole_ppo_sample){.walker = w, .next = ANOLE_PPO_NONE};
        uint8_t *mask = ppo->masks + i * ppo->logits;
        memset(mask, 1, ppo->logits);
        environment->observe(environment->context, w, ppo->items + i * shape->items * shape->width,
                             ppo->contexts + i * shape->context, mask);
    }
}

/* One step of all active walkers. */
static enum anole_status step(struct anole_ppo *ppo,
                              const struct anole_ppo_environment *environment, size_t walkers,
                              double *entropy_sum, struct anole_error *error)
{
    const struct anole_ppo_shape *shape = &ppo->shape;
    size_t first = ppo->count;
    observe(ppo, environment, walkers);
    size_t rows = ppo->count - first;
    const float *logits, *values;
    enum anole_status status =
        anole_mlp_forward(ppo->actor, &logits, ppo->items + first * shape->items * shape->width,
                          rows * shape->items, error);
    if (status == ANOLE_DONE)
        status = anole_mlp_forward(ppo->critic, &values, ppo->contexts + first * shape->context,
                                   rows, error);
    for (size_t r = 0; r < rows && status == ANOLE_DONE; r++) {
        struct anole_ppo_sample *sample = &ppo->samples[first + r];
        size_t w = sample->walker;
        sample->value = values[r];
        if (ppo->last[w] != ANOLE_PPO_NONE)
            ppo->samples[ppo->last[w]].next = first + r;
        ppo->last[w] = first + r;
        double reward = 0.0;
        bool done = false;
        if (decide(ppo, environment, first + r, logits + r * ppo->logits, entropy_sum)) {
            status =
                environment->step(environment->context, w, ppo->chosen + (first + r) * shape->heads,
                                  &reward, &done, error);
        } else {
            sample->walker = ANOLE_PPO_NONE; /* nothing was decided, nothing is to be learned */
            done = true;
        }
        sample->reward = (float)reward;
        ppo->active[w] = !done;
    }
    return status;
}

/* What the critic thinks of the states in which the walkers ended that did not
 * end their episode themselves. */
static enum anole_status look_ahead(struct anole_ppo *ppo,
                                    const struct anole_ppo_environment *environment, size_t walkers,
                                    struct anole_error *error)
{
    size_t first = ppo->count;
    observe(ppo, environment, walkers);
    size_t rows = ppo->count - first;
    ppo->count = first;
    if (!rows)
        return ANOLE_DONE;
    const float *values;
    enum anole_status status = anole_mlp_forward(
        ppo->critic, &values, ppo->contexts + first * ppo->shape.context, rows, error);
    for (size_t r = 0; r < rows && status == ANOLE_DONE; r++)
        ppo->samples[ppo->last[ppo->samples[first + r].walker]].after = values[r];
    return status;
}

enum anole_status anole_ppo_run(struct anole_ppo *ppo,
                                const struct anole_ppo_environment *environment, size_t walkers,
                                size_t horizon, bool learn, struct anole_ppo_stats *stats,
                                struct anole_error *error)
{
    enum anole_status status = reserve(ppo, walkers, horizon, error);
    ppo->count = 0;
    for (size_t w = 0; w < walkers && status == ANOLE_DONE; w++) {
        ppo->last[w] = ANOLE_PPO_NONE;
        ppo->active[w] = true;
        status = environment->reset(environment->context, w, error);
    }
    double entropy_sum = 0.0, divergence = 0.0, reward = 0.0;
    for (size_t t = 0; t < horizon && status == ANOLE_DONE; t++) {
        size_t before = ppo->count;
        status = step(ppo, environment, walkers, &entropy_sum, error);
        if (ppo->count == before)
            break;
    }
    if (status == ANOLE_DONE && learn)
        status = look_ahead(ppo, environment, walkers, error);
    if (status == ANOLE_DONE && learn)
        status = anole_ppo_learn(ppo, &divergence, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < ppo->count; i++)
        reward += (double)ppo->samples[i].reward;
    if (stats)
        *stats = (struct anole_ppo_stats){
            .steps = ppo->count,
            .reward = walkers ? reward / (double)walkers : 0.0,
            .entropy = ppo->count ? entropy_sum / (double)(ppo->count * ppo->shape.heads) : 0.0,
            .divergence = divergence,
        };
    return ANOLE_DONE;
}
