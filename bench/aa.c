/* SPDX-License-Identifier: MIT
 *
 * The A/A test of the places in the core where two kernels are held against each other: each
 * gets the same kernel twice, and should find no difference in 95 of 100 cases.
 *
 * anole-bench-aa [--device D] [--threads N] [--timing hot|cold] [--seconds T] [--only TEXT]
 *                NETWORK...
 *
 * One line a layer and place on stdout: network, layer, place, timing, the ratio of the two times,
 * its 95 % interval, and whether that leaves 1 out.  The places: `search` (two trials), `finals`
 * (one comparison of two finalists), `compare` (the times of two comparisons, as of two lock
 * files), `verify` (a comparison in another worker, on other data).  That of anole-bench-kernels is
 * its option --twice; bench/aa.sh runs both.  N: as of `anole tune` (0, the default: all cores);
 * T: seconds of a comparison (1.5).
 */
#include "base/statistics.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "devices/selection.h"
#include "frontend/network.h"
#include "measure/batch.h"
#include "measure/compare.h"
#include "tune/warmth.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ROUNDS 6 /* as the tuner's own comparison of finalists */

struct test {
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_measure *measure;
    bool other; /* of other data, for `verify` */
    const char *network, *only;
    uint32_t threads;
    enum anole_timing_choice choice;
    enum anole_warmth warmth; /* of the layer in hand */
    double seconds;
    size_t total[4], outside[4]; /* by place */
};

static const char *const places[] = {"search", "finals", "compare", "verify"};

static void say(struct test *test, const char *label, size_t place, double ratio, double low,
                double high)
{
    bool outside = low > 1.0 || high < 1.0;
    test->total[place]++;
    test->outside[place] += outside;
    printf("%s\t%s\t%s\t%s\t%.4f\t%.4f\t%.4f\t%s\n", test->network, label, places[place],
           anole_warmth_text(test->warmth), ratio, low, high, outside ? "outside" : "inside");
    fflush(stdout);
}

/* Two medians with intervals of their own: half of the widths of their logarithms add up as those
 * of independent errors do. */
static void say_independent(struct test *test, const char *label, size_t place,
                            const struct anole_result *a, const struct anole_result *b)
{
    double ratio = log(a->seconds / b->seconds);
    double width = 0.5 * hypot(log(a->high / a->low), log(b->high / b->low));
    say(test, label, place, exp(ratio), exp(ratio - width), exp(ratio + width));
}

static enum anole_status check(const struct anole_result *result, struct anole_error *error)
{
    return result->outcome == ANOLE_OUTCOME_OK
               ? ANOLE_DONE
               : anole_fail(error, ANOLE_ERR_NOTHING_VALID, "%s: %s",
                            anole_outcome_words(result->outcome), result->message);
}

static enum anole_status keep(void *context, size_t index, uint64_t config,
                              const struct anole_result *result, struct anole_error *error)
{
    (void)index;
    (void)config;
    (void)error;
    *(struct anole_result *)context = *result;
    return ANOLE_DONE;
}

static enum anole_status test_search(struct test *test, const char *label,
                                     const struct anole_generator *generator, uint64_t config,
                                     struct anole_error *error)
{
    struct anole_result results[2];
    enum anole_status status = ANOLE_DONE;
    for (int i = 0; i < 2 && status == ANOLE_DONE; i++) {
        status = anole_measure_batch(test->measure, generator, &config, 1, NAN, keep, &results[i],
                                     error);
        if (status == ANOLE_DONE)
            status = check(&results[i], error);
    }
    if (status == ANOLE_DONE)
        say_independent(test, label, 0, &results[0], &results[1]);
    return status;
}

/* One comparison of the kernel with itself; *first: its own time. */
static enum anole_status test_pair(struct test *test, const char *label, size_t place,
                                   const struct anole_generator *generator, uint64_t config,
                                   struct anole_result *first, struct anole_error *error)
{
    const uint64_t configs[2] = {config, config};
    struct anole_result results[2];
    double *samples = NULL, *scratch = NULL;
    size_t rounds = 0;
    enum anole_status status =
        anole_measure_compare(test->measure, generator, configs, 2, test->seconds, LEAST_ROUNDS,
                              results, &samples, &rounds, error);
    for (int i = 0; i < 2 && status == ANOLE_DONE; i++)
        status = check(&results[i], error);
    if (status == ANOLE_DONE) {
        scratch = malloc(rounds * sizeof *scratch);
        status = scratch ? ANOLE_DONE : anole_fail_memory(error);
    }
    if (status == ANOLE_DONE) {
        struct anole_summary ratio;
        anole_summarise_ratio(&ratio, samples, samples + rounds, rounds, scratch);
        say(test, label, place, ratio.median, ratio.low, ratio.high);
        *first = results[0];
    }
    free(scratch);
    free(samples);
    return status;
}

/* *time: of the kernel as the first comparison has it, for the second. */
static enum anole_status test_layer(struct test *test, const struct anole_task *task,
                                    struct anole_result *time, struct anole_error *error)
{
    struct anole_generator *generator = NULL;
    struct anole_result second;
    char label[64];
    anole_task_label(label, sizeof label, task);
    enum anole_status status =
        anole_generator_create(&generator, test->registry->entries[test->device->backend].backend,
                               &test->device->device, task, error);
    if (status != ANOLE_DONE)
        return status;
    uint64_t config = anole_space_default(anole_generator_space(generator));
    if (test->other) {
        status = test_pair(test, label, 3, generator, config, &second, error);
        if (status == ANOLE_DONE)
            say_independent(test, label, 2, time, &second);
    } else {
        status = test_search(test, label, generator, config, error);
        if (status == ANOLE_DONE)
            status = test_pair(test, label, 1, generator, config, time, error);
    }
    anole_generator_destroy(generator);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", label);
    return status;
}

static bool is_wanted(const struct test *test, const struct anole_task *task)
{
    char label[64];
    return anole_backend_supports(test->registry->entries[test->device->backend].backend,
                                  &test->device->device, task) &&
           (!test->only || strstr(anole_task_label(label, sizeof label, task), test->only) != NULL);
}

/* Twice over all layers: with the workers and data of tuning, and with those of verifying. */
static enum anole_status test_layers(struct test *test, const struct anole_workload *network,
                                     struct anole_result *times, struct anole_error *error)
{
    struct anole_measure_options options = {
        .seed = test->other ? 2 : 1, .threads = test->threads, .stop = anole_interrupted};
    options.constants = anole_warmth_constants(network, test->registry, test->device, test->choice);
    enum anole_status status =
        anole_measure_create(&test->measure, test->registry, test->device, &options, error);
    for (size_t i = 0; status == ANOLE_DONE && i < network->task_count; i++) {
        const struct anole_task *task = &network->tasks[i].task;
        if (!is_wanted(test, task))
            continue;
        test->warmth =
            anole_cold_decide(&test->registry->entries[test->device->backend].backend->plugin,
                              &test->device->device, task, options.constants);
        status = test_layer(test, task, &times[i], error);
    }
    anole_measure_destroy(test->measure);
    test->measure = NULL;
    return status;
}

static enum anole_status test_network(struct test *test, const char *path,
                                      struct anole_error *error)
{
    struct anole_workload *network = NULL;
    enum anole_status status = anole_network_load_workload(&network, path, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_result *times = calloc(network->task_count + 1, sizeof *times);
    status = times ? ANOLE_DONE : anole_fail_memory(error);
    test->network = network->name;
    for (int pass = 0; pass < 2 && status == ANOLE_DONE; pass++) {
        test->other = pass == 1;
        status = test_layers(test, network, times, error);
    }
    free(times);
    anole_workload_destroy(network);
    return status;
}

static enum anole_status take(struct test *test, const char **device, int option,
                              struct anole_error *error)
{
    uint64_t threads;
    enum anole_warmth warmth;
    enum anole_status status = ANOLE_DONE;
    switch (option) {
    case 'd':
        *device = optarg;
        break;
    case 'o':
        test->only = optarg;
        break;
    case 't':
        status = anole_text_parse_u64(&threads, optarg, "--threads", 0, 4096, error);
        test->threads = status == ANOLE_DONE ? (uint32_t)threads : 0;
        break;
    case 's':
        test->seconds = strtod(optarg, NULL);
        if (!(test->seconds > 0.0))
            status = anole_fail(error, ANOLE_ERR_USAGE, "--seconds: expected a number above 0");
        break;
    default:
        if (!anole_warmth_parse(&warmth, optarg))
            return anole_fail(error, ANOLE_ERR_USAGE, "--timing: expected hot or cold");
        test->choice = warmth == ANOLE_WARMTH_HOT ? ANOLE_TIMING_HOT : ANOLE_TIMING_COLD;
    }
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"device", required_argument, NULL, 'd'}, {"threads", required_argument, NULL, 't'},
        {"timing", required_argument, NULL, 'h'}, {"seconds", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'},   {0}};
    struct anole_error error = {0};
    struct test test = {.seconds = 1.5};
    const char *device = NULL;
    enum anole_status status = ANOLE_DONE;
    for (int c; status == ANOLE_DONE && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == '?')
            return 2;
        status = take(&test, &device, c, &error);
    }
    if (status == ANOLE_DONE && optind == argc)
        status = anole_fail(&error, ANOLE_ERR_USAGE, "expected a network or more, found none");
    anole_interrupt_install();
    if (status == ANOLE_DONE)
        status = anole_registry_create(&test.registry, test.threads, &error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&test.device, test.registry, device, &error);
    for (int i = optind; i < argc && status == ANOLE_DONE; i++)
        status = test_network(&test, argv[i], &error);
    for (size_t i = 0; i < sizeof places / sizeof *places && test.total[i] > 0; i++)
        printf("# %s: %zu of %zu outside the 95 %% interval, %.1f %%\n", places[i], test.outside[i],
               test.total[i], 100.0 * (double)test.outside[i] / (double)test.total[i]);
    if (status != ANOLE_DONE)
        fprintf(stderr, "anole-bench-aa: %s\n", error.text);
    anole_registry_destroy(test.registry);
    return anole_status_exit_code(status);
}
