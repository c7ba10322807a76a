/* SPDX-License-Identifier: MIT
 *
 * An explorer proposes candidates: configs that the cost model thinks well of.
 * It knows a space, the trials so far and a model; it never knows a backend or a
 * device.
 */
#ifndef ANOLE_EXPLORER_H
#define ANOLE_EXPLORER_H

#include "base/rng.h"
#include "base/status.h"
#include "search/model.h"
#include "space/config_map.h"
#include "space/space.h"
#include "space/trials.h"

/* What an explorer may look at; all borrowed, and outliving it. */
struct anole_explorer_context {
    const struct anole_space *space;
    const struct anole_features *features;
    const struct anole_trials *trials;
    struct anole_cost_model *model;
    const struct anole_config_map *pending; /* handed out, not tried yet; may be NULL */
    bool small;                             /* anole_space_is_small() */
    struct anole_rng rng;                   /* a fork of its own */
};

/* True if a config is still to be tried: neither a trial nor handed out to become
 * one. */
bool anole_explorer_open(const struct anole_explorer_context *context, uint64_t config);

struct anole_candidate {
    uint64_t config;
    float score; /* the model's; higher is better */
};

/* Sorts best first; equals come in random order. */
void anole_candidates_sort(struct anole_candidate *candidates, size_t count, struct anole_rng *rng);

struct anole_explorer; /* each explorer's own */

/* What an explorer tells about its last proposal, for logs and benchmarks. */
struct anole_explorer_stats {
    size_t evaluations; /* configs scored by the model */
    size_t distinct;    /* distinct configs among them */
    double entropy;     /* of the policy, nats per decision; NaN without a policy */
    double reward;      /* mean episode reward; NaN without a policy */
    size_t collapses;   /* times so far that the policy was found to walk in circles */
};

struct anole_explorer_ops {
    const char *name;    /* as in --explorer */
    const char *summary; /* one line for --help */
    size_t batch;        /* trials between two fits of the model; the explorer's taste */
    enum anole_cost_model_target target; /* what it likes the model to be fitted to */
    const char *sampler;                 /* the sampler it is best with, or was published with */
    bool model_free;                     /* never asks the model, which need not be fitted then */
    enum anole_status (*create)(struct anole_explorer **explorer,
                                const struct anole_explorer_context *context,
                                struct anole_error *error);
    void (*destroy)(struct anole_explorer *explorer);
    /* Up to `capacity` distinct, valid, unvisited configs, best first; *count 0
     * means that it knows of none.  The model is fitted to all trials. */
    enum anole_status (*propose)(struct anole_explorer *explorer,
                                 struct anole_candidate *candidates, size_t capacity, size_t *count,
                                 struct anole_error *error);
    /* (optional) What the last proposal cost. */
    void (*stats)(const struct anole_explorer *explorer, struct anole_explorer_stats *stats);
};

/* The explorer of this name; ERR_USAGE with the list and the nearest name if
 * there is none. */
enum anole_status anole_explorer_find(const struct anole_explorer_ops **ops, const char *name,
                                      struct anole_error *error);

/* All of them, NULL-terminated; the default first. */
const struct anole_explorer_ops *const *anole_explorers(void);

#endif
