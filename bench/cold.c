/* SPDX-License-Identifier: MIT
 *
 * How well do ways of timing a kernel alone say what it takes in its network?  For some layers of
 * a network, random configs are timed hot, with copies of their weights that take turns
 * (exec/cold.h), with the caches emptied before each run, and in the running network, in which all
 * other layers have their default kernels.
 *
 * anole-bench-cold [--device D] [--threads N] [--layers L] [--configs C] [--time T] [--runs R]
 *                  [--seed S] [--only TEXT] [--constants BYTES] NETWORK...
 *
 * The layers are those with the most operations (L, 10), the default config is one of the C (100),
 * which are fewer where a network's time (T, 6m) is up before: layers have equal shares of it.
 * R: runs of the network a config (15), which take turns.  --constants: as if all constants came to
 * that.  One line a config on stdout: network, layer, config, seconds hot, ring, stream, network
 * (medians).  Then for each layer and way: Spearman's rank correlation with the times in the
 * network; bias, the geometric mean of the way's time over the network's; regret, what the way's
 * fastest config takes in the network, over the fastest there; and the seconds that a trial took.
 * Then the same over all layers of the network.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/statistics.h"
#include "base/text.h"
#include "bench/stream.h"
#include "cli/interrupt.h"
#include "devices/selection.h"
#include "exec/runner.h"
#include "frontend/given.h"
#include "frontend/load.h"
#include "program/instance.h"
#include "program/weights.h"
#include "tune/warmth.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_CONFIGS 1000
#define MOST_LAYERS 1000
#define MOST_RUNS 200
#define AT_ONCE (1 + ANOLE_MOST_OTHERS) /* configs in one instance of the network */
#define STREAM_SAMPLES 15

enum way { HOT, RING, STREAM, WAYS };
static const char *const way_names[] = {"hot", "ring", "stream"};

struct row {
    uint64_t config;
    double alone[WAYS], network; /* seconds */
};

/* Of a layer, or of several: see above. */
struct verdict {
    double correlation, bias, regret, cost;
};

struct bench {
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    const struct anole_backend *backend;
    struct anole_runner *runner;
    struct bench_stream *stream;
    struct anole_graph *graph;
    const char *network, *only;
    uint64_t threads, layers, configs, runs, seed, constants;
    double time;    /* seconds for a network */
    uint64_t bytes; /* of the network's constants */
    struct verdict verdicts[WAYS][MOST_LAYERS];
    size_t judged; /* layers */
    /* Of the layer in hand: */
    char key[ANOLE_TASK_KEY];
    struct row rows[MOST_CONFIGS];
    size_t row_count, placed; /* rows; those before the latter have their times in the network */
    size_t tried;             /* configs */
    double cost[WAYS];        /* seconds, of all trials */
};

/* -------------------------------------------------------------------- alone */

static enum anole_status kernel_fail(const struct anole_result *result, struct anole_error *error)
{
    return anole_fail(error, ANOLE_ERR_NOTHING_VALID, "%s: %s",
                      anole_outcome_words(result->outcome), result->message);
}

/* A trial as the tuner makes it.  *seconds NaN: the config does not work. */
static enum anole_status time_trial(struct bench *bench, double *seconds, const int64_t *values,
                                    size_t count, struct anole_error *error)
{
    struct anole_result result;
    enum anole_status status =
        anole_runner_trial(bench->runner, values, count, NULL, 0, NAN, &result, error);
    *seconds = status == ANOLE_DONE ? result.seconds : NAN;
    return status;
}

/* Each run after everything was put out of the caches, and its input brought back. */
static enum anole_status time_streamed(struct bench *bench, double *seconds, const int64_t *values,
                                       size_t count, struct anole_error *error)
{
    struct anole_result result;
    double samples[STREAM_SAMPLES], device;
    enum anole_status status =
        anole_runner_load(bench->runner, values, count, NULL, 0, &result, error);
    if (status == ANOLE_DONE && result.outcome != ANOLE_OUTCOME_OK)
        return kernel_fail(&result, error);
    for (int i = 0; i < STREAM_SAMPLES && status == ANOLE_DONE; i++) {
        bench_stream_sweep(bench->stream);
        if (!anole_runner_refresh(bench->runner) ||
            !anole_runner_batch(bench->runner, 0, 1, &samples[i], &device, &result))
            status = kernel_fail(&result, error);
    }
    struct anole_summary summary;
    if (status == ANOLE_DONE)
        anole_summarise(&summary, samples, STREAM_SAMPLES);
    if (status == ANOLE_DONE)
        *seconds = summary.median;
    anole_runner_unload(bench->runner);
    return status;
}

static enum anole_status time_alone(struct bench *bench, struct row *row,
                                    const struct anole_task *task,
                                    const struct anole_task_data *data,
                                    const struct anole_space *space, struct anole_error *error)
{
    int64_t values[ANOLE_MAX_KNOBS];
    const size_t count = anole_space_knob_count(space);
    enum anole_status status = ANOLE_DONE;
    anole_space_values(space, row->config, values);
    /* Compiled once, before the clock runs: the driver keeps it. */
    struct anole_result built;
    void *binary = NULL;
    size_t bytes;
    anole_runner_set_task(bench->runner, task, data);
    anole_runner_build(bench->runner, values, count, &built, &binary, &bytes);
    free(binary);
    for (int way = 0; way < WAYS && status == ANOLE_DONE; way++) {
        double begin = anole_clock();
        anole_runner_set_constants(bench->runner, way == RING ? bench->bytes : 0);
        anole_runner_set_task(bench->runner, task, data);
        status = way == STREAM ? time_streamed(bench, &row->alone[way], values, count, error)
                               : time_trial(bench, &row->alone[way], values, count, error);
        if (status == ANOLE_DONE && isnan(row->alone[way]))
            break; /* a config that does not work */
        bench->cost[way] += anole_clock() - begin;
    }
    return status;
}

/* --------------------------------------------------------------- in the network */

/* The first of those in hand is the steps' own kernel, the others can be put in its place. */
static enum anole_status choose(void *context, const struct anole_generator *generator,
                                uint64_t *config, bool *found, double *seconds,
                                struct anole_error *error)
{
    const struct bench *bench = context;
    char key[ANOLE_TASK_KEY];
    (void)error;
    anole_task_key(key, anole_generator_task(generator));
    *found = strcmp(key, bench->key) == 0;
    *seconds = NAN;
    if (*found)
        *config = bench->rows[bench->placed].config;
    return ANOLE_DONE;
}

static enum anole_status advise(void *context, const struct anole_generator *generator,
                                uint64_t *configs, size_t *count, struct anole_error *error)
{
    const struct bench *bench = context;
    char key[ANOLE_TASK_KEY];
    (void)error;
    anole_task_key(key, anole_generator_task(generator));
    *count = 0;
    for (size_t i = bench->placed + 1; i < bench->row_count && strcmp(key, bench->key) == 0; i++)
        configs[(*count)++] = bench->rows[i].config;
    return ANOLE_DONE;
}

static enum anole_status set_inputs(struct anole_instance *instance,
                                    const struct anole_graph *graph, struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; i < graph->input_count && status == ANOLE_DONE; i++) {
        size_t bytes = anole_program_tensor_bytes(graph, graph->inputs[i]);
        float *data = malloc(bytes + sizeof *data);
        if (!data)
            return anole_fail_memory(error);
        for (size_t k = 0; k <= bytes / sizeof *data; k++)
            data[k] = (k % 3 ? 0.75f : -0.5f) + (float)(k % 64) / 256.0f;
        status = anole_instance_set_input(instance, i, data, error);
        free(data);
    }
    return status;
}

/* Puts a config into all steps that have its task: choices[step_count].  *count: those; 0: one of
 * them cannot have it, for it makes the same source as another. */
static void place(size_t *choices, size_t *count, const struct anole_program *program,
                  uint64_t config)
{
    *count = 0;
    for (size_t i = 0; i < program->step_count; i++) {
        const struct anole_step *step = &program->steps[i];
        choices[i] = 0;
        if (step->kind != ANOLE_STEP_TUNED)
            continue;
        size_t choice = 0;
        while (choice <= step->other_count &&
               program->kernels[choice ? step->others[choice - 1].kernel : step->kernel].config !=
                   config)
            choice++;
        if (choice > step->other_count) {
            *count = 0;
            return;
        }
        choices[i] = choice;
        ++*count;
    }
}

/* Seconds of a run that go to the steps of the task.  The run before brings the caches back. */
static enum anole_status time_steps(double *sum, double *steps, struct anole_instance *instance,
                                    const struct anole_program *program,
                                    const struct anole_variant *variant, struct anole_error *error)
{
    enum anole_status status = anole_variant_run(instance, variant, NULL, NULL, error);
    if (status == ANOLE_DONE)
        status = anole_variant_run(instance, variant, steps, NULL, error);
    *sum = 0.0;
    for (size_t i = 0; i < program->step_count && status == ANOLE_DONE; i++)
        if (program->steps[i].kind == ANOLE_STEP_TUNED)
            *sum += steps[i];
    return status;
}

/* Of the rows in hand, in turn: the median over runs, the mean over the steps; NaN: none has it. */
static enum anole_status time_variants(struct bench *bench, struct anole_instance *instance,
                                       const struct anole_program *program,
                                       struct anole_error *error)
{
    double *steps = calloc(program->step_count + 1, sizeof *steps);
    size_t *choices = calloc(program->step_count + 1, sizeof *choices), found[AT_ONCE] = {0};
    struct anole_variant *variants[AT_ONCE] = {NULL};
    static double samples[AT_ONCE][MOST_RUNS];
    const size_t count = bench->row_count - bench->placed;
    struct row *rows = bench->rows + bench->placed;
    enum anole_status status = steps && choices ? ANOLE_DONE : anole_fail_memory(error);
    for (size_t i = 0; i < count && status == ANOLE_DONE; i++) {
        place(choices, &found[i], program, rows[i].config);
        if (found[i])
            status = anole_variant_create(&variants[i], instance, choices, error);
    }
    for (uint64_t run = 0; run < bench->runs && status == ANOLE_DONE; run++)
        for (size_t i = 0; i < count && status == ANOLE_DONE; i++)
            if (found[i])
                status = time_steps(&samples[i][run], steps, instance, program, variants[i], error);
    for (size_t i = 0; i < count; i++) {
        struct anole_summary summary = {.median = NAN};
        if (found[i] && status == ANOLE_DONE)
            anole_summarise(&summary, samples[i], bench->runs);
        rows[i].network = summary.median / (double)found[i];
        anole_variant_destroy(variants[i]);
    }
    free(steps);
    free(choices);
    return status;
}

static enum anole_status time_in_network(struct bench *bench, struct anole_error *error)
{
    struct anole_program *program = NULL;
    struct anole_instance *instance = NULL;
    const struct anole_program_options options = {
        .choose = choose, .others = advise, .context = bench};
    enum anole_status status = anole_program_create(&program, bench->graph, bench->backend,
                                                    &bench->device->device, &options, error);
    if (status == ANOLE_DONE)
        status = anole_instance_create(&instance, program, bench->device->driver,
                                       (uint32_t)bench->threads, error);
    if (status == ANOLE_DONE)
        status = set_inputs(instance, bench->graph, error);
    if (status == ANOLE_DONE)
        status = time_variants(bench, instance, program, error);
    anole_instance_destroy(instance);
    anole_program_destroy(program);
    return status;
}

/* ------------------------------------------------------------------- verdict */

static int by_value(const void *a, const void *b)
{
    const double *x = *(const double *const *)a, *y = *(const double *const *)b;
    return (*x > *y) - (*x < *y);
}

/* Ranks from 0; times that are equal are so rare that they share none. */
static void rank(double *ranks, const double *values, size_t count)
{
    const double *order[MOST_CONFIGS];
    for (size_t i = 0; i < count; i++)
        order[i] = &values[i];
    qsort(order, count, sizeof(const double *), by_value);
    for (size_t i = 0; i < count; i++)
        ranks[order[i] - values] = (double)i;
}

static double correlate(const double *a, const double *b, size_t count)
{
    double x[MOST_CONFIGS] = {0}, y[MOST_CONFIGS] = {0}, sum = 0.0;
    rank(x, a, count);
    rank(y, b, count);
    for (size_t i = 0; i < count; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    double n = (double)count;
    return count > 1 ? 1.0 - 6.0 * sum / (n * (n * n - 1.0)) : NAN;
}

static void print_verdict(const struct bench *bench, const char *label, enum way way,
                          const struct verdict *verdict)
{
    printf("# %s\t%s\t%s: rank correlation %.3f, bias %.3f, regret %.3f, %.2f s a trial\n",
           bench->network, label, way_names[way], verdict->correlation, verdict->bias,
           verdict->regret, verdict->cost);
}

static void judge(struct bench *bench, const char *label, enum way way)
{
    double alone[MOST_CONFIGS] = {0}, network[MOST_CONFIGS] = {0}, bias = 0.0;
    size_t best = 0, best_there = 0;
    for (size_t i = 0; i < bench->row_count; i++) {
        alone[i] = bench->rows[i].alone[way];
        network[i] = bench->rows[i].network;
        bias += log(alone[i] / network[i]);
        best = alone[i] < alone[best] ? i : best;
        best_there = network[i] < network[best_there] ? i : best_there;
    }
    struct verdict *verdict = &bench->verdicts[way][bench->judged];
    *verdict =
        (struct verdict){.correlation = correlate(alone, network, bench->row_count),
                         .bias = exp(bias / (double)bench->row_count),
                         .regret = network[best] / network[best_there],
                         .cost = bench->cost[way] / (double)(bench->tried ? bench->tried : 1)};
    print_verdict(bench, label, way, verdict);
}

/* Means over the layers, geometric ones of ratios. */
static void judge_network(const struct bench *bench, enum way way)
{
    struct verdict sum = {0};
    size_t count = 0;
    for (size_t i = 0; i < bench->judged; i++) {
        const struct verdict *one = &bench->verdicts[way][i];
        if (isnan(one->correlation)) /* of a single config */
            continue;
        count++;
        sum.correlation += one->correlation;
        sum.bias += log(one->bias);
        sum.regret += log(one->regret);
        sum.cost += one->cost;
    }
    char label[32];
    snprintf(label, sizeof label, "%zu layers", count);
    const double n = (double)count;
    const struct verdict mean = {.correlation = sum.correlation / n,
                                 .bias = exp(sum.bias / n),
                                 .regret = exp(sum.regret / n),
                                 .cost = sum.cost / n};
    if (count > 0)
        print_verdict(bench, label, way, &mean);
}

/* ----------------------------------------------------------------------- run */

/* Adds a row, if the config works. */
static enum anole_status test_config(struct bench *bench, const char *label, uint64_t config,
                                     const struct anole_task *task,
                                     const struct anole_task_data *data,
                                     const struct anole_generator *generator,
                                     struct anole_error *error)
{
    struct row row = {.config = config};
    enum anole_status status =
        time_alone(bench, &row, task, data, anole_generator_space(generator), error);
    for (int way = 0; way < WAYS && status == ANOLE_DONE; way++)
        if (isnan(row.alone[way])) {
            anole_log_warning("%s, config %llu: it does not work, and is left out", label,
                              (unsigned long long)row.config);
            return ANOLE_DONE;
        }
    if (status != ANOLE_DONE)
        return status;
    bench->rows[bench->row_count++] = row;
    bench->tried++;
    return anole_interrupted(NULL) ? anole_fail(error, ANOLE_ERR_INTERRUPTED, "interrupted")
                                   : ANOLE_DONE;
}

/* Times the rows in hand in the network, and prints them; those that it cannot have are dropped. */
static enum anole_status place_rows(struct bench *bench, const char *label,
                                    struct anole_error *error)
{
    size_t kept = bench->placed;
    enum anole_status status = time_in_network(bench, error);
    for (size_t i = bench->placed; i < bench->row_count && status == ANOLE_DONE; i++) {
        const struct row row = bench->rows[i];
        if (isnan(row.network))
            continue;
        bench->rows[kept++] = row;
        printf("%s\t%s\t%llu\t%.6g\t%.6g\t%.6g\t%.6g\n", bench->network, label,
               (unsigned long long)row.config, row.alone[HOT], row.alone[RING], row.alone[STREAM],
               row.network);
    }
    fflush(stdout);
    bench->placed = bench->row_count = kept;
    return status;
}

static enum anole_status test_configs(struct bench *bench, const char *label,
                                      const struct anole_task *task,
                                      const struct anole_task_data *data,
                                      const struct anole_generator *generator, double deadline,
                                      struct anole_error *error)
{
    struct anole_rng parent, rng;
    uint64_t config = anole_space_default(anole_generator_space(generator));
    enum anole_status status = ANOLE_DONE;
    anole_rng_init(&parent, bench->seed);
    anole_rng_fork(&rng, &parent, bench->key);
    for (uint64_t i = 0; i < bench->configs && status == ANOLE_DONE; i++) {
        if (i > 0 && (anole_clock() >= deadline ||
                      !anole_space_sample(anole_generator_space(generator), &rng, &config)))
            break;
        status = test_config(bench, label, config, task, data, generator, error);
        if (status == ANOLE_DONE && bench->row_count - bench->placed == AT_ONCE)
            status = place_rows(bench, label, error);
    }
    if (status == ANOLE_DONE && bench->row_count > bench->placed)
        status = place_rows(bench, label, error);
    return status;
}

static enum anole_status test_layer(struct bench *bench, const struct anole_task *task,
                                    double deadline, struct anole_error *error)
{
    struct anole_generator *generator = NULL;
    struct anole_task_data *data = NULL;
    char label[64];
    anole_task_label(label, sizeof label, task);
    anole_task_key(bench->key, task);
    bench->row_count = bench->placed = bench->tried = 0;
    memset(bench->cost, 0, sizeof bench->cost);
    enum anole_status status =
        anole_generator_create(&generator, bench->backend, &bench->device->device, task, error);
    if (status == ANOLE_DONE)
        status = anole_task_data_create(&data, task, bench->seed, 1, error);
    if (status == ANOLE_DONE)
        status = test_configs(bench, label, task, data, generator, deadline, error);
    for (int way = 0; way < WAYS && status == ANOLE_DONE && bench->row_count > 0; way++)
        judge(bench, label, (enum way)way);
    bench->judged += status == ANOLE_DONE && bench->row_count > 0;
    anole_runner_set_task(bench->runner, task, NULL);
    anole_task_data_destroy(data);
    anole_generator_destroy(generator);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", label);
    return status;
}

static double work_of(const struct anole_workload_task *task)
{
    return task->multiplicity * anole_task_flops(&task->task);
}

/* The one with the most operations of those that are left; NULL: none. */
static const struct anole_workload_task *
next_layer(const struct bench *bench, const struct anole_workload *network, bool *taken)
{
    size_t best = SIZE_MAX;
    char label[64];
    for (size_t i = 0; i < network->task_count; i++) {
        const struct anole_task *task = &network->tasks[i].task;
        anole_task_label(label, sizeof label, task);
        if (!taken[i] && anole_backend_supports(bench->backend, &bench->device->device, task) &&
            (!bench->only || strstr(label, bench->only)) &&
            (best == SIZE_MAX || work_of(&network->tasks[i]) > work_of(&network->tasks[best])))
            best = i;
    }
    if (best == SIZE_MAX)
        return NULL;
    taken[best] = true;
    return &network->tasks[best];
}

static enum anole_status open_all(struct bench *bench, const struct anole_workload *network,
                                  const char *path, struct anole_error *error)
{
    const struct anole_target_options options = {.threads = (uint32_t)bench->threads};
    uint32_t cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    size_t filled;
    bench->bytes = bench->constants ? bench->constants
                                    : anole_warmth_constants(network, bench->registry,
                                                             bench->device, ANOLE_TIMING_AS_MET);
    const struct anole_given as_it_is = {.batch = 0};
    struct anole_loaded loaded = {.graph = NULL};
    enum anole_status status = anole_given_load(&loaded, path, &as_it_is, error);
    bench->graph = loaded.graph;
    loaded.graph = NULL;
    anole_loaded_fini(&loaded);
    if (status == ANOLE_DONE)
        status = anole_weights_fill(bench->graph, &filled, bench->seed, error);
    if (status == ANOLE_DONE)
        status = anole_runner_create(&bench->runner, bench->backend, bench->device->driver,
                                     &bench->device->device, &options, error);
    if (status != ANOLE_DONE)
        return status;
    bench->stream = bench_stream_create(bench->bytes > 0 ? bench->bytes : 1 << 20,
                                        bench->threads ? (uint32_t)bench->threads : cores);
    return bench->stream ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status test_network(struct bench *bench, const char *path,
                                      struct anole_error *error)
{
    struct anole_workload *network = NULL;
    enum anole_status status = anole_workload_load(&network, path, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    bench->network = network->name;
    bench->key[0] = '\0';
    bench->row_count = bench->placed = 0;
    bool *taken = calloc(network->task_count + 1, sizeof *taken);
    status = taken ? open_all(bench, network, path, error) : anole_fail_memory(error);
    if (status == ANOLE_DONE) /* with defaults alone: builds what all others need, too */
        status = time_in_network(bench, error);
    const double begin = anole_clock();
    const size_t most = bench->layers < network->task_count ? bench->layers : network->task_count;
    bench->judged = 0;
    for (size_t i = 0; i < most && status == ANOLE_DONE; i++) {
        const struct anole_workload_task *layer = next_layer(bench, network, taken);
        if (!layer)
            break;
        const double now = anole_clock(), left = begin + bench->time - now;
        status = test_layer(bench, &layer->task, now + left / (double)(most - i), error);
    }
    for (int way = 0; way < WAYS && status == ANOLE_DONE; way++)
        judge_network(bench, (enum way)way);
    bench_stream_destroy(bench->stream);
    anole_runner_destroy(bench->runner);
    anole_graph_destroy(bench->graph);
    bench->stream = NULL;
    bench->runner = NULL;
    bench->graph = NULL;
    free(taken);
    anole_workload_destroy(network);
    return status;
}

static enum anole_status take(struct bench *bench, const char **device, int option,
                              struct anole_error *error)
{
    switch (option) {
    case 'd':
        *device = optarg;
        return ANOLE_DONE;
    case 'o':
        bench->only = optarg;
        return ANOLE_DONE;
    case 't':
        return anole_text_parse_u64(&bench->threads, optarg, "--threads", 0, 4096, error);
    case 'l':
        return anole_text_parse_u64(&bench->layers, optarg, "--layers", 1, MOST_LAYERS, error);
    case 'c':
        return anole_text_parse_u64(&bench->configs, optarg, "--configs", 1, MOST_CONFIGS, error);
    case 'T':
        return anole_text_parse_duration(&bench->time, optarg, error);
    case 'r':
        return anole_text_parse_u64(&bench->runs, optarg, "--runs", 1, MOST_RUNS, error);
    case 's':
        return anole_text_parse_u64(&bench->seed, optarg, "--seed", 0, UINT64_MAX, error);
    default:
        return anole_text_parse_u64(&bench->constants, optarg, "--constants", 1, UINT64_C(1) << 40,
                                    error);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"device", required_argument, NULL, 'd'},    {"threads", required_argument, NULL, 't'},
        {"layers", required_argument, NULL, 'l'},    {"configs", required_argument, NULL, 'c'},
        {"time", required_argument, NULL, 'T'},      {"runs", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},      {"only", required_argument, NULL, 'o'},
        {"constants", required_argument, NULL, 'b'}, {0}};
    static struct bench bench = {.layers = 10, .configs = 100, .time = 360, .runs = 15, .seed = 1};
    struct anole_error error = {0};
    const char *device = NULL;
    enum anole_status status = ANOLE_DONE;
    for (int c; status == ANOLE_DONE && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == '?')
            return 2;
        status = take(&bench, &device, c, &error);
    }
    if (status == ANOLE_DONE && optind == argc)
        status = anole_fail(&error, ANOLE_ERR_USAGE, "expected a network or more, found none");
    anole_interrupt_install();
    if (status == ANOLE_DONE)
        status = anole_registry_create(&bench.registry, (uint32_t)bench.threads, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&bench.device, bench.registry, device, &error);
    if (status == ANOLE_DONE)
        bench.backend = bench.registry->entries[bench.device->backend].backend;
    for (int i = optind; i < argc && status == ANOLE_DONE; i++)
        status = test_network(&bench, argv[i], &error);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-bench-cold: %s\n", error.text);
    anole_registry_destroy(bench.registry);
    return anole_status_exit_code(status);
}
