/* SPDX-License-Identifier: MIT
 *
 * The agent's learning: advantages, the clipped loss, its gradient, and the steps down it.
 */
#include "search/ppo_private.h"

#include <math.h>
#include <string.h>

bool anole_ppo_softmax(const struct anole_ppo *ppo, const float *logits, const uint8_t *mask)
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

double anole_ppo_entropy(const struct anole_ppo *ppo)
{
    double sum = 0.0;
    for (size_t i = 0; i < ppo->choices; i++)
        if (ppo->probabilities[i] > 0.0f)
            sum -= (double)(ppo->probabilities[i] * logf(ppo->probabilities[i]));
    return sum;
}

/* Generalised advantage estimation, from the last sample to the first, and the
 * critic's targets; the advantages are then normalised.  Leaves in `order` the
 * samples that can be learned from, and returns their number. */
static size_t estimate_advantages(struct anole_ppo *ppo)
{
    double discount = ppo->options.discount, gae = ppo->options.gae;
    for (size_t i = ppo->count; i-- > 0;) {
        struct anole_ppo_sample *s = &ppo->samples[i];
        const struct anole_ppo_sample *next =
            s->next == ANOLE_PPO_NONE ? NULL : &ppo->samples[s->next];
        double after = next ? (double)next->value : (double)s->after;
        double delta = (double)s->reward + discount * after - (double)s->value;
        double carried = next ? (double)next->advantage : 0.0;
        s->advantage = (float)(delta + discount * gae * carried);
        s->target = s->advantage + s->value;
    }
    size_t usable = 0;
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < ppo->count; i++) {
        const struct anole_ppo_sample *s = &ppo->samples[i];
        if (s->walker == ANOLE_PPO_NONE)
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
    const struct anole_ppo_sample *sample = &ppo->samples[index];
    size_t heads = ppo->shape.heads;
    double log_probability = 0.0;
    for (size_t head = 0; head < heads; head++) {
        size_t at = head * ppo->choices;
        const uint8_t *mask = ppo->masks + index * ppo->logits + at;
        anole_ppo_softmax(ppo, logits + at, mask);
        size_t choice = ppo->chosen[index * heads + head];
        log_probability += log((double)fmaxf(ppo->probabilities[choice], 1e-12f));
        double h = anole_ppo_entropy(ppo);
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
            anole_ppo_softmax(ppo, logits + at, ppo->masks + index * ppo->logits + at);
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

enum anole_status anole_ppo_learn(struct anole_ppo *ppo, double *divergence,
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
