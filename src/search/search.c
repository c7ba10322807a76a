/* SPDX-License-Identifier: MIT */
#include "search/search.h"

#include "base/clock.h"
#include "base/log.h"
#include "search/price.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_INITIAL 16
#define GUIDED_RANDOM 4    /* one in so many of the first is random though similar tasks guide */
#define SIBLING_BASES 4    /* configs, the best so far, that siblings are looked for of */
#define MOST_SIBLINGS 16   /* of one of them */
#define RANDOM_TRIES 64    /* draws in a row without a config that is still to be tried */
#define MOST_LISTED 131072 /* valid configs that are listed when little is left */

struct anole_search {
    const struct anole_space *space;
    const struct anole_trials *trials;
    const struct anole_explorer_ops *explorer_ops;
    const struct anole_sampler_ops *sampler;
    size_t initial;
    uint64_t *suggestions;
    size_t suggestion_count;
    struct anole_rng starts, sampling;
    struct anole_cost_model *model;
    size_t fitted; /* trials at the last fit */
    struct anole_explorer_context context;
    struct anole_explorer *explorer;
    struct anole_sharing sharing;
    double owed; /* seconds that builds had, and what shares builds has not had yet */
    struct anole_config_map pending; /* all that was ever handed out; 1: as a sibling */
    bool listed;                     /* an attempt was made */
    uint64_t *list;                  /* all valid configs, shuffled; NULL if they are too many */
    size_t list_count, list_next;
    struct anole_search_cost cost;
};

/* What next() is filling. */
struct batch {
    uint64_t *configs;
    size_t count, capacity;
};

static enum anole_status create_parts(struct anole_search *search,
                                      const struct anole_features *features,
                                      const struct anole_search_options *options,
                                      struct anole_error *error)
{
    struct anole_rng rng;
    anole_rng_init(&rng, options->seed);
    anole_rng_fork(&search->starts, &rng, "starts");
    anole_rng_fork(&search->sampling, &rng, "sampler");
    struct anole_cost_model_options model = {.target = options->target, .seed = options->seed};
    if (model.target == ANOLE_TARGET_PREFERRED)
        model.target = search->explorer_ops->target;
    enum anole_status status = anole_cost_model_create(&search->model, features, &model, error);
    if (status != ANOLE_DONE)
        return status;
    search->context = (struct anole_explorer_context){
        .space = search->space,
        .features = features,
        .trials = search->trials,
        .model = search->model,
        .pending = &search->pending,
        .small = anole_space_is_small(search->space),
    };
    anole_rng_fork(&search->context.rng, &rng, "explorer");
    return search->explorer_ops->create(&search->explorer, &search->context, error);
}

enum anole_status anole_search_create(struct anole_search **search, const struct anole_space *space,
                                      const struct anole_features *features,
                                      const struct anole_trials *trials,
                                      const struct anole_search_options *options,
                                      struct anole_error *error)
{
    struct anole_search *made = calloc(1, sizeof *made);
    if (!made)
        return anole_fail_memory(error);
    made->space = space;
    made->trials = trials;
    made->fitted = SIZE_MAX;
    made->explorer_ops = options->explorer ? options->explorer : anole_explorers()[0];
    made->sampler = options->sampler;
    made->sharing = options->sharing;
    made->initial = options->initial ? options->initial : DEFAULT_INITIAL;
    made->suggestion_count = options->suggestion_count;
    made->suggestions = calloc(options->suggestion_count + 1, sizeof *made->suggestions);
    enum anole_status status = ANOLE_DONE;
    if (!made->suggestions)
        status = anole_fail_memory(error);
    else if (options->suggestion_count)
        memcpy(made->suggestions, options->suggestions,
               options->suggestion_count * sizeof *made->suggestions);
    if (status == ANOLE_DONE && !made->sampler)
        status = anole_sampler_find(&made->sampler, made->explorer_ops->sampler, error);
    if (status == ANOLE_DONE)
        status = create_parts(made, features, options, error);
    if (status != ANOLE_DONE) {
        anole_search_destroy(made);
        return status;
    }
    *search = made;
    return ANOLE_DONE;
}

void anole_search_destroy(struct anole_search *search)
{
    if (!search)
        return;
    if (search->explorer)
        search->explorer_ops->destroy(search->explorer);
    anole_cost_model_destroy(search->model);
    anole_config_map_fini(&search->pending);
    free(search->suggestions);
    free(search->list);
    free(search);
}

enum anole_status anole_search_inform(struct anole_search *search,
                                      const struct anole_prior_source *sources, size_t count,
                                      struct anole_error *error)
{
    if (search->explorer_ops->model_free)
        return ANOLE_DONE;
    double began = anole_clock();
    enum anole_status status = anole_cost_model_inform(search->model, sources, count, error);
    search->cost.model += anole_clock() - began;
    search->fitted = SIZE_MAX;
    return status;
}

/* Hands a config out, if it is valid and still to be tried; *taken tells. */
static enum anole_status take(struct anole_search *search, struct batch *batch, uint64_t config,
                              bool *taken, struct anole_error *error)
{
    *taken = false;
    if (batch->count == batch->capacity || !anole_explorer_open(&search->context, config) ||
        !anole_space_valid(search->space, config))
        return ANOLE_DONE;
    if (!anole_config_map_put(&search->pending, config, 0))
        return anole_fail_memory(error);
    batch->configs[batch->count++] = config;
    *taken = true;
    return ANOLE_DONE;
}

/* -- Starting -- */

/* Random configs that are still to be tried.  No design that spreads them more
 * evenly: that prefers the corners of the space, which are bad more often. */
static enum anole_status take_random(struct anole_search *search, struct batch *batch,
                                     size_t wanted, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t tries = RANDOM_TRIES; tries && wanted && status == ANOLE_DONE; tries--) {
        uint64_t config;
        bool taken;
        if (!anole_space_sample(search->space, &search->starts, &config))
            continue;
        status = take(search, batch, config, &taken, error);
        if (taken) {
            tries = RANDOM_TRIES + 1;
            wanted--;
        }
    }
    return status;
}

/* Configs that were tried or are on their way. */
static size_t known(const struct anole_search *search)
{
    size_t count = search->pending.count;
    for (size_t i = 0; i < anole_trials_count(search->trials); i++) {
        const struct anole_trial *trial = anole_trials_get(search->trials, i);
        count += anole_trials_find(search->trials, trial->config) == trial &&
                 !anole_config_map_has(&search->pending, trial->config);
    }
    return count;
}

/* Start configs that are to be random.  Where similar tasks guide, most are not; but
 * some must be, for those that the guide likes could not show that it misleads. */
static size_t random_wanted(const struct anole_search *search, const struct batch *batch)
{
    size_t have = known(search);
    if (search->explorer_ops->model_free || have >= search->initial)
        return 0;
    size_t room = batch->capacity - batch->count, wanted = search->initial - have;
    if (wanted > room)
        wanted = room;
    return anole_cost_model_guided(search->model) ? wanted / GUIDED_RANDOM : wanted;
}

/* The default, the suggestions, and start configs. */
static enum anole_status take_starts(struct anole_search *search, struct batch *batch,
                                     struct anole_error *error)
{
    bool taken;
    enum anole_status status =
        take(search, batch, anole_space_default(search->space), &taken, error);
    for (size_t i = 0; i < search->suggestion_count && status == ANOLE_DONE; i++)
        status = take(search, batch, search->suggestions[i], &taken, error);
    if (status != ANOLE_DONE)
        return status;
    return take_random(search, batch, random_wanted(search, batch), error);
}

/* -- Going on -- */

static enum anole_status fit(struct anole_search *search, struct anole_error *error)
{
    size_t count = anole_trials_count(search->trials);
    if (search->explorer_ops->model_free || search->fitted == count)
        return ANOLE_DONE;
    double began = anole_clock();
    enum anole_status status = anole_cost_model_fit(search->model, search->trials, error);
    search->cost.model += anole_clock() - began;
    if (status == ANOLE_DONE)
        search->fitted = count;
    return status;
}

static void log_proposal(const struct anole_search *search, size_t count)
{
    struct anole_explorer_stats stats;
    anole_search_stats(search, &stats);
    anole_log_debug("%s: %zu candidates from %zu evaluations of %zu configs; entropy %.3f, "
                    "reward %.3f, %zu collapses",
                    search->explorer_ops->name, count, stats.evaluations, stats.distinct,
                    stats.entropy, stats.reward, stats.collapses);
}

static enum anole_status take_proposed(struct anole_search *search, struct batch *batch,
                                       struct anole_error *error)
{
    size_t room = batch->capacity - batch->count, count = 0, picked = 0;
    size_t capacity = search->sampler->candidates(&search->context, room);
    struct anole_candidate *candidates = calloc(capacity + 1, sizeof *candidates);
    uint64_t *picks = calloc(room + 1, sizeof *picks);
    enum anole_status status = ANOLE_DONE;
    if (!candidates || !picks)
        status = anole_fail_memory(error);
    double began = anole_clock();
    if (status == ANOLE_DONE)
        status =
            search->explorer_ops->propose(search->explorer, candidates, capacity, &count, error);
    double proposed = anole_clock();
    search->cost.explore += proposed - began;
    if (status == ANOLE_DONE) {
        log_proposal(search, count);
        status = search->sampler->pick(&search->context, candidates, count, &search->sampling, room,
                                       picks, &picked, error);
    }
    for (size_t i = 0; i < picked && status == ANOLE_DONE; i++) {
        bool taken;
        status = take(search, batch, picks[i], &taken, error);
    }
    search->cost.sample += anole_clock() - proposed;
    free(picks);
    free(candidates);
    return status;
}

/* -- When little is left -- */

static enum anole_status make_list(struct anole_search *search, struct anole_error *error)
{
    search->listed = true;
    enum anole_status status = anole_space_enumerate(search->space, MOST_LISTED, &search->list,
                                                     &search->list_count, error);
    if (status != ANOLE_DONE || !search->list)
        return status;
    for (size_t i = search->list_count; i > 1; i--) {
        size_t j = anole_rng_below(&search->starts, i);
        uint64_t swapped = search->list[i - 1];
        search->list[i - 1] = search->list[j];
        search->list[j] = swapped;
    }
    return ANOLE_DONE;
}

/* Any config that is still to be tried: at random, or from a list of all. */
static enum anole_status take_any(struct anole_search *search, struct batch *batch,
                                  struct anole_error *error)
{
    enum anole_status status = take_random(search, batch, batch->capacity - batch->count, error);
    if (status == ANOLE_DONE && batch->count < batch->capacity && !search->listed)
        status = make_list(search, error);
    while (batch->count < batch->capacity && search->list &&
           search->list_next < search->list_count && status == ANOLE_DONE) {
        bool taken;
        status = take(search, batch, search->list[search->list_next++], &taken, error);
    }
    return status;
}

/* -- What is nearly free -- */

/* Siblings of the best configs so far, the best of all of them first. */
static size_t find_siblings(struct anole_search *search, struct anole_candidate *found)
{
    uint64_t bases[SIBLING_BASES];
    size_t all = 0;
    const size_t count = anole_trials_elites(search->trials, bases, NULL, SIBLING_BASES);
    for (size_t i = 0; i < count; i++)
        all += anole_siblings_find(found + all, MOST_SIBLINGS, &search->context, &search->sharing,
                                   bases[i], &search->sampling);
    anole_candidates_sort(found, all, &search->sampling);
    return all;
}

/* As much time for configs that share builds as for those that need them: whichever kind is of
 * no use, the time until the other has found something is at most doubled.  They come in batches
 * of their own, so that the model learns from one before it chooses the next. */
static enum anole_status take_siblings(struct anole_search *search, struct batch *batch,
                                       struct anole_error *error)
{
    struct anole_candidate found[SIBLING_BASES * MOST_SIBLINGS];
    const double timing = anole_price_of_timing(search->trials);
    if (!search->sharing.executable || search->owed < timing * (double)batch->capacity ||
        !anole_cost_model_informed(search->model))
        return ANOLE_DONE;
    const size_t count = find_siblings(search, found);
    for (size_t i = 0; i < count && batch->count < batch->capacity; i++) {
        if (anole_config_map_has(&search->pending, found[i].config))
            continue; /* of two bases */
        if (!anole_config_map_put(&search->pending, found[i].config, 1))
            return anole_fail_memory(error);
        batch->configs[batch->count++] = found[i].config;
    }
    search->owed = batch->count > 0 ? search->owed - timing * (double)batch->count : 0.0;
    return ANOLE_DONE;
}

double anole_search_price(const struct anole_search *search, const uint64_t *configs, size_t count)
{
    const unsigned parallel = search->sharing.parallel > 1 ? search->sharing.parallel : 1;
    double builds = 0.0;
    for (size_t i = 0; i < count; i++)
        if (anole_config_map_get(&search->pending, configs[i]) != 1)
            builds +=
                anole_price_of_build(search->trials, &search->pending, search->space, configs[i]);
    return builds / parallel + (double)count * anole_price_of_timing(search->trials);
}

enum anole_status anole_search_next(struct anole_search *search, size_t batch_size,
                                    uint64_t *configs, size_t capacity, size_t *count,
                                    struct anole_error *error)
{
    if (!batch_size)
        batch_size = search->explorer_ops->batch;
    struct batch batch = {configs, 0, batch_size < capacity ? batch_size : capacity};
    /* Whether similar tasks still guide decides on how to start. */
    enum anole_status status = ANOLE_DONE;
    if (anole_cost_model_guided(search->model) || search->owed > 0.0)
        status = fit(search, error);
    double began = anole_clock();
    if (status == ANOLE_DONE)
        status = take_siblings(search, &batch, error);
    if (status != ANOLE_DONE || batch.count > 0) {
        search->cost.sample += anole_clock() - began;
        *count = batch.count;
        return status;
    }
    if (status == ANOLE_DONE)
        status = take_starts(search, &batch, error);
    search->cost.sample += anole_clock() - began;
    /* Start configs may leave a batch short: they are not mixed with what a model
     * says that has not seen them.  A guide needs not see them. */
    if (status == ANOLE_DONE && batch.count < batch.capacity &&
        (!batch.count || anole_cost_model_guided(search->model))) {
        status = fit(search, error);
        if (status == ANOLE_DONE &&
            (search->explorer_ops->model_free || anole_cost_model_informed(search->model)))
            status = take_proposed(search, &batch, error);
    }
    began = anole_clock();
    if (status == ANOLE_DONE && !batch.count)
        status = take_any(search, &batch, error);
    if (status == ANOLE_DONE && search->sharing.executable)
        search->owed += anole_search_price(search, batch.configs, batch.count);
    search->cost.sample += anole_clock() - began;
    if (status == ANOLE_DONE)
        *count = batch.count;
    return status;
}

void anole_search_cost(const struct anole_search *search, struct anole_search_cost *cost)
{
    *cost = search->cost;
}

void anole_search_stats(const struct anole_search *search, struct anole_explorer_stats *stats)
{
    if (search->explorer_ops->stats)
        search->explorer_ops->stats(search->explorer, stats);
    else
        *stats = (struct anole_explorer_stats){.entropy = NAN, .reward = NAN};
}
