/* SPDX-License-Identifier: MIT */
#include "search/ppo.h"

#include "search/mlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

/* What one step left behind.  The arrays beside it hold the rest, row by row. */
struct sample {
    size_t walker;
    size_t next;           /* the walker's next sample; NONE at the end of its episode */
    float log_probability; /* of what it chose, all heads together */
    float value;           /* the critic's */
    float after;           /* the critic's for the state that follows, where next is NONE */
    float reward;
    float advantage;
    float target; /* of the critic */
};

struct anole_ppo {
    struct anole_ppo_shape shape;
    struct anole_ppo_options options;
    struct anole_rng rng;
    struct anole_mlp *actor, *critic;
    size_t logits;  /* a step */
    size_t choices; /* a head */

    /* Samples of an iteration, in the order in which they were made. */
    size_t count, capacity, walker_capacity;
    struct sample *samples;
    float *items;     /* capacity x items x width */
    float *contexts;  /* capacity x context */
    uint8_t *masks;   /* capacity x logits */
    uint16_t *chosen; /* capacity x heads */
    size_t *order;    /* capacity: for shuffling */

    /* A minibatch, gathered. */
    float *batch_items, *batch_contexts, *actor_slopes, *critic_slopes;
    float *probabilities; /* of one head */

    size_t *last; /* a walker's last sample, or NONE */
    bool *active;
};

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

/* Softmax of one head over its unmasked choices; false if there is none. */
static bool softmax(const struct anole_ppo *ppo, const float *logits, const uint8_t *mask)
{
    float *p = ppo->probabilities;
    float most = -INFINITY, sum = 0.0f;
    for (size_t i = 0; i < ppo->choices; i++)
        if (mask[i] && logits[i] > most)
            most = logits[i];
    if (most == -INFINITY)
        return false;
    for (size_t i = 0; i < ppo->choices; i++)
        sum += p[i] = mask[i] ? expf(logits[i] - most) : 0.0f;
    for (size_t i = 0; i < ppo->choices; i++)
        p[i] /= sum;
    return true;
}

/* Of the probabilities that softmax() left. */
static double entropy(const struct anole_ppo *ppo)
{
    double sum = 0.0;
    for (size_t i = 0; i < ppo->choices; i++)
        if (ppo->probabilities[i] > 0.0f)
            sum -= (double)(ppo->probabilities[i] * logf(ppo->probabilities[i]));
    return sum;
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
    struct sample *sample = &ppo->samples[index];
    double log_probability = 0.0;
    for (size_t head = 0; head < ppo->shape.heads; head++) {
        const float *z = logits + head * ppo->choices;
        uint8_t *mask = ppo->masks + index * ppo->logits + head * ppo->choices;
        size_t choice;
        for (;;) {
            if (!softmax(ppo, z, mask))
                return false;
            choice = draw(ppo);
            if (!environment->allowed ||
                environment->allowed(environment->context, sample->walker, head, choice))
                break;
            mask[choice] = 0; /* known now; learning sees the same mask */
        }
        ppo->chosen[index * ppo->shape.heads + head] = (uint16_t)choice;
        log_probability += log((double)fmaxf(ppo->probabilities[choice], 1e-12f));
        *entropy_sum += entropy(ppo);
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
        ppo->samples[i] = (struct sample){.walker = w, .next = NONE};
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
        struct sample *sample = &ppo->samples[first + r];
        size_t w = sample->walker;
        sample->value = values[r];
        if (ppo->last[w] != NONE)
            ppo->samples[ppo->last[w]].next = first + r;
        ppo->last[w] = first + r;
        double reward = 0.0;
        bool done = false;
        if (decide(ppo, environment, first + r, logits + r * ppo->logits, entropy_sum)) {
            status =
                environment->step(environment->context, w, ppo->chosen + (first + r) * shape->heads,
                                  &reward, &done, error);
        } else {
            sample->walker = NONE; /* nothing was decided, nothing is to be learned */
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

/* Generalised advantage estimation, from the last sample to the first, and the
 * critic's targets; the advantages are then normalised.  Leaves in `order` the
 * samples that can be learned from, and returns their number. */
static size_t estimate_advantages(struct anole_ppo *ppo)
{
    double discount = ppo->options.discount, gae = ppo->options.gae;
    for (size_t i = ppo->count; i-- > 0;) {
        struct sample *s = &ppo->samples[i];
        const struct sample *next = s->next == NONE ? NULL : &ppo->samples[s->next];
        double after = next ? (double)next->value : (double)s->after;
        double delta = (double)s->reward + discount * after - (double)s->value;
        double carried = next ? (double)next->advantage : 0.0;
        s->advantage = (float)(delta + discount * gae * carried);
        s->target = s->advantage + s->value;
    }
    size_t usable = 0;
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < ppo->count; i++) {
        const struct sample *s = &ppo->samples[i];
        if (s->walker == NONE)
            continue;
        ppo->order[usable++] = i;
        sum += (double)s->advantage;
        squares += (double)s->advantage * (double)s->advantage;
    }
    if (!usable)
        return 0;
    double mean = sum / (double)usable;
    double variance = fmax(squares / (double)usable - mean * mean, 0.0);
    double scale = 1.0 / (sqrt(variance) + 1e-8);
    for (size_t i = 0; i < ppo->count; i++)
        ppo->samples[i].advantage = (float)(((double)ppo->samples[i].advantage - mean) * scale);
    return usable;
}

/* The gradient of one sample's share of the actor's loss by its logits; returns
 * how much less likely its choice has become, nats. */
static double actor_slopes(struct anole_ppo *ppo, size_t index, const float *logits, double share,
                           float *slopes)
{
    const struct sample *sample = &ppo->samples[index];
    size_t heads = ppo->shape.heads;
    double log_probability = 0.0;
    for (size_t head = 0; head < heads; head++) {
        size_t at = head * ppo->choices;
        const uint8_t *mask = ppo->masks + index * ppo->logits + at;
        softmax(ppo, logits + at, mask);
        size_t choice = ppo->chosen[index * heads + head];
        log_probability += log((double)fmaxf(ppo->probabilities[choice], 1e-12f));
        double h = entropy(ppo);
        /* The bonus's part; and the probabilities, for the second pass. */
        for (size_t c = 0; c < ppo->choices; c++) {
            float p = ppo->probabilities[c];
            double by_logit = p > 0.0f ? -(double)p * (log((double)p) + h) : 0.0;
            slopes[at + c] = (float)(-share * ppo->options.entropy_coefficient * by_logit);
        }
    }
    double lost = (double)sample->log_probability - log_probability;
    double ratio = exp(fmin(fmax(-lost, -20.0), 20.0));
    double advantage = (double)sample->advantage;
    bool clipped =
        advantage > 0.0 ? ratio > 1.0 + ppo->options.clip : ratio < 1.0 - ppo->options.clip;
    if (clipped)
        return lost;
    double by_log = -share * advantage * ratio;
    for (size_t head = 0; head < heads; head++) {
        size_t at = head * ppo->choices;
        if (heads > 1) /* with one head they are still there */
            softmax(ppo, logits + at, ppo->masks + index * ppo->logits + at);
        size_t choice = ppo->chosen[index * heads + head];
        for (size_t c = 0; c < ppo->choices; c++)
            slopes[at + c] -= (float)by_log * ppo->probabilities[c];
        slopes[at + choice] += (float)by_log;
    }
    return lost;
}

static void descend(struct anole_ppo *ppo, struct anole_mlp *mlp)
{
    double norm = sqrt(anole_mlp_gradient_norm2(mlp));
    if (norm > ppo->options.max_norm)
        anole_mlp_scale_gradient(mlp, (float)(ppo->options.max_norm / norm));
    struct anole_adam adam = {(float)ppo->options.rate, 0.9f, 0.999f, 1e-5f};
    anole_mlp_step(mlp, &adam);
}

/* One step of actor and critic on a minibatch. */
static enum anole_status learn_batch(struct anole_ppo *ppo, const size_t *indices, size_t count,
                                     double *lost, struct anole_error *error)
{
    const struct anole_ppo_shape *shape = &ppo->shape;
    size_t row = shape->items * shape->width;
    for (size_t b = 0; b < count; b++) {
        memcpy(ppo->batch_items + b * row, ppo->items + indices[b] * row, row * sizeof(float));
        memcpy(ppo->batch_contexts + b * shape->context,
               ppo->contexts + indices[b] * shape->context, shape->context * sizeof(float));
    }
    const float *logits, *values;
    enum anole_status status =
        anole_mlp_forward(ppo->actor, &logits, ppo->batch_items, count * shape->items, error);
    if (status == ANOLE_DONE)
        status = anole_mlp_forward(ppo->critic, &values, ppo->batch_contexts, count, error);
    if (status != ANOLE_DONE)
        return status;
    double share = 1.0 / (double)count;
    for (size_t b = 0; b < count; b++) {
        *lost += actor_slopes(ppo, indices[b], logits + b * ppo->logits, share,
                              ppo->actor_slopes + b * ppo->logits);
        double off = (double)values[b] - (double)ppo->samples[indices[b]].target;
        ppo->critic_slopes[b] = (float)(share * ppo->options.value_coefficient * off);
    }
    anole_mlp_backward(ppo->actor, ppo->actor_slopes);
    anole_mlp_backward(ppo->critic, ppo->critic_slopes);
    descend(ppo, ppo->actor);
    descend(ppo, ppo->critic);
    return ANOLE_DONE;
}

static enum anole_status learn_all(struct anole_ppo *ppo, double *divergence,
                                   struct anole_error *error)
{
    size_t usable = estimate_advantages(ppo);
    size_t batch = ppo->options.minibatch;
    double lost = 0.0;
    for (unsigned epoch = 0; epoch < ppo->options.epochs; epoch++) {
        anole_rng_shuffle(&ppo->rng, ppo->order, usable);
        lost = 0.0;
        for (size_t at = 0; at < usable; at += batch) {
            enum anole_status status = learn_batch(
                ppo, ppo->order + at, usable - at < batch ? usable - at : batch, &lost, error);
            if (status != ANOLE_DONE)
                return status;
        }
    }
    *divergence = usable ? lost / (double)usable : 0.0;
    return ANOLE_DONE;
}

enum anole_status anole_ppo_run(struct anole_ppo *ppo,
                                const struct anole_ppo_environment *environment, size_t walkers,
                                size_t horizon, bool learn, struct anole_ppo_stats *stats,
                                struct anole_error *error)
{
    enum anole_status status = reserve(ppo, walkers, horizon, error);
    ppo->count = 0;
    for (size_t w = 0; w < walkers && status == ANOLE_DONE; w++) {
        ppo->last[w] = NONE;
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
        status = learn_all(ppo, &divergence, error);
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
