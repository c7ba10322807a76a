/* SPDX-License-Identifier: MIT
 *
 * Learns, across tasks, how to spend a batch (src/search/plan.h): searches many spaces
 * whose results are known again and again, and makes those choices likelier that were
 * followed by more progress than the same trials of sister searches saw.
 *
 * anole-bench-across [--seconds S] [--trials N] [--group G] [--seed S] [--weights FILE]
 *                    [--explorer E] SPACE...
 *
 * SPACE is a file of trials (see surrogate.h), or a recording beside its T1.json.  The weights
 * are written to FILE after every round, as src/search/plan_weights.inc.
 *
 * Policy gradient (Williams, 1992): the return of a choice is the discounted progress from
 * its trial on, in logarithms of time; its baseline the mean of that over the searches of
 * the same space, at the same trial; returns of a space are divided by their standard
 * deviation, so that all spaces count alike.  Steps by Adam.
 */
#include "recorded_spaces.h"
#include "surrogate.h"

#include "base/hash.h"
#include "search/plan.h"
#include "search/samplers.h"
#include "search/search.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_ENVIRONMENTS 32
#define MOST_TRIALS 400
#define MOST_GROUP 64
#define DISCOUNT 0.97
#define RATE 0.04
#define WEIGHTS (ANOLE_OPERATOR_COUNT * ANOLE_PLAN_FEATURES)

struct environment {
    struct bench_surrogate surrogate; /* one of the two */
    const struct bench_space *recorded;
    const struct anole_space *space;
    const struct anole_features *features;
};

/* What a search did and what came of it. */
struct path {
    bool chosen[MOST_TRIALS]; /* by the policy; the first trials are not */
    uint8_t operators[MOST_TRIALS];
    float features[MOST_TRIALS][ANOLE_PLAN_FEATURES];
    double best[MOST_TRIALS]; /* logarithm of the best so far over the optimum */
};

struct training {
    struct environment environments[MAX_ENVIRONMENTS];
    size_t environment_count;
    size_t trials, group;
    double seconds;
    uint64_t seed;
    const char *weights;
    const struct anole_explorer_ops *explorer;
    struct anole_plan plan;
    double mean[WEIGHTS], square[WEIGHTS]; /* of Adam */
    size_t steps;
};

/* A sampler has no state of its own: this is what the one below follows and fills. */
static struct training training;
static struct path *path;

static _Noreturn void die(const struct anole_error *error)
{
    fprintf(stderr, "anole-bench-across: %s\n", error->text);
    exit(1);
}

static double cpu_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* -- A search -- */

static size_t candidates(const struct anole_explorer_context *context, size_t batch)
{
    return anole_sampler_planned.candidates(context, batch);
}

static enum anole_status pick(const struct anole_explorer_context *context,
                              const struct anole_candidate *from, size_t count,
                              struct anole_rng *rng, size_t batch, uint64_t *configs,
                              size_t *picked, struct anole_error *error)
{
    size_t at = anole_trials_count(context->trials);
    uint8_t operators[64];
    float features[ANOLE_PLAN_FEATURES];
    anole_plan_observe(features, context);
    enum anole_status status =
        anole_plan_pick(&training.plan, context, from, count, rng, batch < 64 ? batch : 64, configs,
                        operators, picked, error);
    for (size_t i = 0; status == ANOLE_DONE && i < *picked && at + i < training.trials; i++) {
        path->chosen[at + i] = true;
        path->operators[at + i] = operators[i];
        memcpy(path->features[at + i], features, sizeof features);
    }
    return status;
}

static const struct anole_sampler_ops follower = {
    .name = "follower", .summary = "", .candidates = candidates, .pick = pick};

/* One measurement; the true time is what the surrogate says without noise. */
static struct anole_result measure(const struct environment *environment, uint64_t config,
                                   struct anole_rng *rng)
{
    struct anole_result result = {.outcome = ANOLE_OUTCOME_COMPILE, .seconds = NAN};
    if (environment->recorded) {
        bench_space_try(environment->recorded, config, &result);
        return result;
    }
    double seconds = bench_surrogate_seconds(&environment->surrogate, config);
    double noise = exp(environment->surrogate.noise * anole_rng_normal(rng));
    if (!isnan(seconds)) {
        result.outcome = ANOLE_OUTCOME_OK;
        result.seconds = result.low = result.high = seconds * noise;
    }
    return result;
}

static double excess(const struct environment *environment, const struct anole_trials *trials)
{
    const struct anole_trial *best = anole_trials_best(trials);
    if (!best)
        return 3.0;
    double seconds = environment->recorded
                         ? best->result.seconds
                         : bench_surrogate_seconds(&environment->surrogate, best->config);
    double optimum =
        environment->recorded ? environment->recorded->optimum : environment->surrogate.optimum;
    return fmin(3.0, log(seconds / optimum));
}

static enum anole_status take_batch(const struct environment *environment,
                                    struct anole_search *search, struct anole_trials *trials,
                                    struct anole_rng *rng, struct anole_error *error)
{
    uint64_t configs[64];
    size_t count, done = anole_trials_count(trials), left = training.trials - done;
    enum anole_status status =
        anole_search_next(search, 0, configs, left < 64 ? left : 64, &count, error);
    if (status == ANOLE_DONE && !count)
        return anole_fail(error, ANOLE_ERR_INPUT, "a space has fewer configs than trials wanted");
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        struct anole_result result = measure(environment, configs[i], rng);
        status = anole_trials_add(trials, configs[i], &result, error);
        path->best[done + i] = excess(environment, trials);
    }
    return status;
}

static void search(const struct environment *environment, struct path *to, uint64_t seed)
{
    struct anole_error error = {0};
    struct anole_search_options options = {
        .explorer = training.explorer, .sampler = &follower, .seed = seed};
    struct anole_trials *trials = NULL;
    struct anole_search *made = NULL;
    struct anole_rng rng;
    anole_rng_init(&rng, seed + 1);
    path = to;
    *to = (struct path){0};
    enum anole_status status = anole_trials_create(&trials, &error);
    if (status == ANOLE_DONE)
        status = anole_search_create(&made, environment->space, environment->features, trials,
                                     &options, &error);
    while (status == ANOLE_DONE && anole_trials_count(trials) < training.trials)
        status = take_batch(environment, made, trials, &rng, &error);
    anole_search_destroy(made);
    anole_trials_destroy(trials);
    if (status != ANOLE_DONE)
        die(&error);
}

/* -- Learning -- */

/* returns[group x trials], less their mean over the group, over their deviation. */
static void make_returns(double *returns, const struct path *paths)
{
    double squares = 1e-6, counted = 0.0;
    for (size_t g = 0; g < training.group; g++) {
        double sum = 0.0;
        for (size_t t = training.trials; t-- > 1;)
            returns[g * training.trials + t] = sum =
                paths[g].best[t - 1] - paths[g].best[t] + DISCOUNT * sum;
        returns[g * training.trials] = 0.0;
    }
    for (size_t t = 0; t < training.trials; t++) {
        double mean = 0.0;
        for (size_t g = 0; g < training.group; g++)
            mean += returns[g * training.trials + t] / (double)training.group;
        for (size_t g = 0; g < training.group; g++) {
            double *own = &returns[g * training.trials + t];
            *own -= mean;
            squares += paths[g].chosen[t] ? *own * *own : 0.0;
            counted += paths[g].chosen[t];
        }
    }
    double scale = 1.0 / sqrt(squares / fmax(counted, 1.0));
    for (size_t i = 0; i < training.group * training.trials; i++)
        returns[i] = fmax(-4.0, fmin(4.0, returns[i] * scale));
}

/* Adds what the searches of one space say. */
static void add_gradient(double *gradient, const struct path *paths, const double *returns)
{
    double scale = 1.0 / (double)(training.group * training.trials * training.environment_count);
    for (size_t i = 0; i < training.group * training.trials; i++) {
        const struct path *from = &paths[i / training.trials];
        size_t t = i % training.trials;
        double shares[ANOLE_OPERATOR_COUNT];
        if (!from->chosen[t])
            continue;
        anole_plan_shares(shares, &training.plan, from->features[t]);
        for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++) {
            double direction = (o == from->operators[t] ? 1.0 : 0.0) - shares[o];
            for (size_t f = 0; f < ANOLE_PLAN_FEATURES; f++)
                gradient[o * ANOLE_PLAN_FEATURES + f] +=
                    scale * returns[i] * direction * (double)from->features[t][f];
        }
    }
}

static void step(const double *gradient)
{
    float *weights = &training.plan.weights[0][0];
    training.steps++;
    for (size_t i = 0; i < WEIGHTS; i++) {
        training.mean[i] = 0.9 * training.mean[i] + 0.1 * gradient[i];
        training.square[i] = 0.99 * training.square[i] + 0.01 * gradient[i] * gradient[i];
        double mean = training.mean[i] / (1.0 - pow(0.9, (double)training.steps));
        double square = training.square[i] / (1.0 - pow(0.99, (double)training.steps));
        weights[i] += (float)(RATE * mean / (sqrt(square) + 1e-8));
    }
}

static void write_weights(void)
{
    FILE *file = training.weights ? fopen(training.weights, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "/* SPDX-License-Identifier: MIT\n"
                  " * A row an operator, a column a feature: see plan.h.  Learned by "
                  "bench/anole-bench-across. */\n.weights = {\n");
    for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++) {
        fprintf(file, "    {");
        for (size_t f = 0; f < ANOLE_PLAN_FEATURES; f++)
            fprintf(file, "%s%.3ff", f ? ", " : "", (double)training.plan.weights[o][f]);
        fprintf(file, "},\n");
    }
    fprintf(file, "},\n");
    fclose(file);
}

static void learn(void)
{
    struct path *paths = calloc(training.group, sizeof *paths);
    double *returns = calloc(training.group * training.trials, sizeof *returns);
    double began = cpu_clock();
    if (!paths || !returns)
        abort();
    for (uint64_t round = 0; cpu_clock() - began < training.seconds; round++) {
        double gradient[WEIGHTS] = {0}, middle = 0.0, last = 0.0;
        size_t used[ANOLE_OPERATOR_COUNT] = {0};
        for (size_t w = 0; w < training.environment_count; w++) {
            for (size_t g = 0; g < training.group; g++) {
                search(&training.environments[w], &paths[g],
                       anole_hash_combine(training.seed,
                                          (round * MAX_ENVIRONMENTS + w) * MOST_GROUP + g));
                middle += paths[g].best[training.trials / 2 - 1];
                last += paths[g].best[training.trials - 1];
                for (size_t t = 0; t < training.trials; t++)
                    used[paths[g].operators[t]] += paths[g].chosen[t];
            }
            make_returns(returns, paths);
            add_gradient(gradient, paths, returns);
        }
        step(gradient);
        write_weights();
        double searches = (double)(training.environment_count * training.group);
        printf("round %3zu, %4.0f s: excess %.1f %% half way, %.1f %% in the end; shares",
               (size_t)round, cpu_clock() - began, 100.0 * expm1(middle / searches),
               100.0 * expm1(last / searches));
        for (size_t o = 0; o < ANOLE_OPERATOR_COUNT; o++)
            printf(" %zu", used[o]);
        printf("\n");
        fflush(stdout);
    }
    free(returns);
    free(paths);
}

/* -- What is asked -- */

static void add_environment(struct bench_spaces *recorded, const char *file)
{
    struct anole_error error = {0};
    struct environment *environment = &training.environments[training.environment_count];
    if (training.environment_count++ == MAX_ENVIRONMENTS) {
        anole_fail(&error, ANOLE_ERR_USAGE, "expected at most %d environments", MAX_ENVIRONMENTS);
        die(&error);
    }
    if (!strstr(file, ".json")) {
        if (bench_surrogate_load(&environment->surrogate, file, &error) != ANOLE_DONE)
            die(&error);
        environment->space = environment->surrogate.space;
        environment->features = environment->surrogate.features;
        return;
    }
    char t1[4096];
    const char *slash = strrchr(file, '/');
    snprintf(t1, sizeof t1, "%.*sT1.json", slash ? (int)(slash - file) + 1 : 0, file);
    /* Each in a list of its own: a list moves when it grows. */
    if (bench_spaces_add(recorded, file, t1, &error) != ANOLE_DONE)
        die(&error);
    environment->recorded = &recorded->items[0];
    environment->space = environment->recorded->space;
    environment->features = environment->recorded->features;
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 'S'},
        {"trials", required_argument, NULL, 't'},
        {"group", required_argument, NULL, 'g'},
        {"seed", required_argument, NULL, 's'},
        {"weights", required_argument, NULL, 'w'},
        {"explorer", required_argument, NULL, 'e'},
        {0},
    };
    struct anole_error error = {0};
    training = (struct training){.trials = 100,
                                 .group = 6,
                                 .seconds = 600.0,
                                 .seed = 1,
                                 .explorer = anole_explorers()[0],
                                 .plan = *anole_plan_shipped()};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'S')
            training.seconds = strtod(optarg, NULL);
        else if (c == 't')
            training.trials = strtoul(optarg, NULL, 10);
        else if (c == 'g')
            training.group = strtoul(optarg, NULL, 10);
        else if (c == 's')
            training.seed = strtoul(optarg, NULL, 10);
        else if (c == 'w')
            training.weights = optarg;
        else if (c != 'e')
            exit(2);
        else if (anole_explorer_find(&training.explorer, optarg, &error) != ANOLE_DONE)
            die(&error);
    }
    if (training.trials < 20 || training.trials > MOST_TRIALS || training.group < 2 ||
        training.group > MOST_GROUP || optind == argc) {
        fprintf(stderr,
                "anole-bench-across: expected 20 to %d --trials, a --group of 2 to %d, "
                "and spaces: files of trials, or recordings beside their T1.json\n",
                MOST_TRIALS, MOST_GROUP);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct bench_spaces recorded[MAX_ENVIRONMENTS];
    parse(argc, argv);
    for (int i = optind; i < argc; i++)
        add_environment(&recorded[i - optind < MAX_ENVIRONMENTS ? i - optind : 0], argv[i]);
    learn();
    for (size_t w = 0; w < training.environment_count; w++) {
        if (!training.environments[w].recorded)
            bench_surrogate_fini(&training.environments[w].surrogate);
        bench_spaces_fini(&recorded[w]);
    }
    return 0;
}
