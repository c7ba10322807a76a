/* SPDX-License-Identifier: MIT
 *
 * anole-bench-kernels: the kernels of whole networks, layer by layer, in turn with
 * another library's on the same inputs; bench/README.md says how to read it.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "bench/affinity.h"
#include "bench/idle_poll.h"
#include "bench/tuned_configs.h"
#include "bench/kernels_options.h"
#include "bench/onednn.h"
#include "bench/backend_kernel.h"
#include "bench/peak.h"
#include "bench/report.h"
#include "cli/interrupt.h"
#include "frontend/network.h"
#include "plugin/scratch.h"
#include "devices/selection.h"
#include "plugin/generator.h"
#include "tune/warmth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED 3 /* of inputs: others than tuning and `anole verify` use */

struct session {
    struct bench_options options;
    struct bench_report report;
    char *scratch;
    char (*locks)[4096]; /* what was tuned here, a path a network; NULL: nothing was */
    struct anole_registry *registry;
    const struct anole_backend *backend;
    struct bench_tuned_configs *configs; /* NULL: default configs, `locks`, or --set */
    struct bench_affinity affinity;
    struct bench_idle_poll *idle_poll; /* NULL: cores may sleep */
    struct anole_runner *runner;
};

static void session_fini(struct session *session)
{
    struct bench_report *report = &session->report;
    for (size_t i = 0; i < report->layer_count; i++)
        bench_comparison_fini(&report->layers[i].comparison);
    for (size_t i = 0; i < report->network_count; i++)
        anole_workload_destroy(report->networks[i].network);
    free(report->layers);
    free(report->networks);
    bench_idle_poll_stop(session->idle_poll);
    anole_runner_destroy(session->runner);
    bench_tuned_configs_destroy(session->configs);
    anole_registry_destroy(session->registry);
    if (session->scratch)
        anole_scratch_remove(session->scratch);
    free(session->scratch);
    free(session->locks);
    bench_options_fini(&session->options);
}

/* ---------------------------------------------------------------- networks */

static enum anole_status load_networks(struct session *session, struct anole_error *error)
{
    struct bench_report *report = &session->report;
    size_t tasks = 0;
    enum anole_status status = ANOLE_DONE;
    report->networks = calloc(session->options.network_count, sizeof *report->networks);
    if (!report->networks)
        return anole_fail_memory(error);
    for (size_t i = 0; status == ANOLE_DONE && i < session->options.network_count; i++) {
        struct bench_network *network = &report->networks[i];
        *network = (struct bench_network){.path = session->options.networks[i], .tuning = NAN};
        status = anole_network_load_workload(&network->network, network->path, error);
        if (status == ANOLE_DONE) {
            report->network_count++;
            tasks += network->network->task_count;
        }
    }
    if (status != ANOLE_DONE)
        return status;
    report->layers = calloc(tasks, sizeof *report->layers);
    return report->layers ? ANOLE_DONE : anole_fail_memory(error);
}

/* Each network from an empty history, before anything is opened or pinned here. */
static enum anole_status tune(struct session *session, struct anole_error *error)
{
    struct bench_report *report = &session->report;
    session->locks = calloc(report->network_count, sizeof *session->locks);
    if (!session->locks)
        return anole_fail_memory(error);
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < report->network_count; i++) {
        char folder[4096];
        double begin = anole_clock();
        snprintf(folder, sizeof folder, "%s/tuned-%zu", session->scratch, i);
        if (mkdir(folder, 0700) != 0)
            return anole_fail_errno(error, "making %s", folder);
        status = bench_tune(session->locks[i], sizeof session->locks[i], report->networks[i].path,
                            session->options.device, report->threads, session->options.time, folder,
                            error);
        report->networks[i].tuning = anole_clock() - begin;
    }
    return status;
}

/* ------------------------------------------------------------------ layers */

static enum anole_status find_config(uint64_t *config, size_t *trials, struct session *session,
                                     const struct bench_layer *layer,
                                     const struct anole_generator *generator,
                                     struct anole_error *error)
{
    if (session->options.set)
        return bench_config_set(config, session->options.set, generator, error);
    if (session->configs)
        return bench_tuned_configs_find(config, trials, session->configs, layer->key, generator,
                                        error);
    struct bench_tuned_configs *configs = NULL;
    enum anole_status status =
        bench_tuned_configs_from_lock(&configs, session->locks[layer->network], session->registry,
                                      session->report.device, session->report.threads, error);
    if (status == ANOLE_DONE)
        status = bench_tuned_configs_find(config, trials, configs, layer->key, generator, error);
    bench_tuned_configs_destroy(configs);
    return status;
}

static enum anole_status add_ours(struct session *session, struct bench_layer *layer,
                                  const struct anole_generator *generator,
                                  struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    uint64_t config, fallback = anole_space_default(anole_generator_space(generator));
    bool tuned = session->configs || session->locks || session->options.set;
    layer->base = SIZE_MAX;
    layer->ours = 0;
    if (tuned)
        status = find_config(&config, &layer->trials, session, layer, generator, error);
    const char *name = session->options.set ? "set" : "tuned";
    if (status == ANOLE_DONE && tuned)
        status = bench_backend_kernel_add(&layer->comparison, name, session->runner, generator,
                                          config, error);
    if (status == ANOLE_DONE && tuned && session->options.twice)
        status = bench_backend_kernel_add(&layer->comparison, "again", session->runner, generator,
                                          config, error);
    if (status == ANOLE_DONE && !tuned && session->options.twice)
        status = bench_backend_kernel_add(&layer->comparison, "again", session->runner, generator,
                                          fallback, error);
    if (status == ANOLE_DONE && session->options.fallback) {
        if (tuned)
            layer->base = layer->comparison.count;
        status = bench_backend_kernel_add(&layer->comparison, "default", session->runner, generator,
                                          fallback, error);
    }
    /* A backend's threads on the host's cores may look for work, as OpenMP's do. */
    for (size_t i = 0; i < layer->comparison.count; i++)
        layer->comparison.entries[i].spins =
            session->report.device->device.flags & ANOLE_DEVICE_SHARES_HOST;
    return status;
}

/* Bytes of the constants that make weights cold; 0: they are hot. */
static uint64_t find_constants(const struct session *session, const struct bench_layer *layer)
{
    const struct anole_workload *network = session->report.networks[layer->network].network;
    uint64_t bytes = 0;
    for (size_t i = 0; session->options.cold && i < network->task_count; i++)
        bytes = anole_warmth_add(bytes, &network->tasks[i].task, network->tasks[i].multiplicity);
    return anole_cold_decide(&session->backend->plugin, &session->report.device->device,
                             &layer->source->task, bytes) == ANOLE_WARMTH_COLD
               ? bytes
               : 0;
}

/* Its threads come up with its first run. */
static enum anole_status add_rivals(struct session *session, struct bench_layer *layer,
                                    const struct anole_task_data *data, struct anole_error *error)
{
    if (!session->options.against)
        return ANOLE_DONE;
    double host, device;
    size_t first = layer->comparison.count;
    const struct bench_cold cold = {.device = &session->report.device->device,
                                    .constants = find_constants(session, layer)};
    bench_affinity_note(&session->affinity);
    enum anole_status status =
        bench_onednn_add(&layer->comparison, &layer->source->task, data, &cold, error);
    for (size_t i = first; status == ANOLE_DONE && i < layer->comparison.count; i++) {
        struct bench_implementation *entry = &layer->comparison.entries[i];
        status = entry->run(entry->self, 2, &host, &device, error);
    }
    bench_affinity_pin_new(&session->affinity);
    return status;
}

/* The fastest of the others that is right, by the median of batched runs. */
static void find_rival(struct bench_layer *layer, size_t rounds)
{
    double best = INFINITY;
    layer->rival = SIZE_MAX;
    for (size_t i = 0; i < layer->comparison.count; i++) {
        const struct bench_implementation *entry = &layer->comparison.entries[i];
        if (strncmp(entry->name, BENCH_ONEDNN, strlen(BENCH_ONEDNN)) != 0)
            continue;
        if (!(entry->error_ratio <= 1.0)) {
            anole_log_warning("%s: %s is wrong, by %.3g times the tolerance: left out",
                              layer->label, entry->name, entry->error_ratio);
            continue;
        }
        double median = bench_median(entry->batched, rounds);
        if (median < best) {
            best = median;
            layer->rival = i;
        }
    }
}

static enum anole_status measure_layer(struct session *session, struct bench_layer *layer,
                                       struct anole_error *error)
{
    const struct anole_task *task = &layer->source->task;
    const struct anole_device *device = &session->report.device->device;
    struct anole_task_data *data = NULL;
    struct anole_generator *generator = NULL;
    enum anole_status status =
        anole_task_data_create(&data, task, SEED, session->report.threads, error);
    if (status == ANOLE_DONE)
        status = anole_generator_create(&generator, session->backend, device, task, error);
    if (status == ANOLE_DONE) {
        anole_runner_set_constants(session->runner, find_constants(session, layer));
        anole_runner_set_task(session->runner, task, data);
        status = add_ours(session, layer, generator, error);
    }
    if (status == ANOLE_DONE)
        status = add_rivals(session, layer, data, error);
    if (status == ANOLE_DONE)
        status = bench_comparison_run(&layer->comparison, session->report.rounds, anole_interrupted,
                                      error);
    if (status == ANOLE_DONE)
        find_rival(layer, session->report.rounds);
    bench_comparison_release(&layer->comparison);
    if (session->runner)
        anole_runner_set_task(session->runner, task, NULL);
    anole_generator_destroy(generator);
    anole_task_data_destroy(data);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", layer->label);
    return status;
}

static enum anole_status measure_all(struct session *session, struct anole_error *error)
{
    struct bench_report *report = &session->report;
    enum anole_status status = ANOLE_DONE;
    for (size_t n = 0; status == ANOLE_DONE && n < report->network_count; n++) {
        const struct anole_workload *network = report->networks[n].network;
        for (size_t i = 0; status == ANOLE_DONE && i < network->task_count; i++) {
            struct bench_layer *layer = &report->layers[report->layer_count];
            *layer = (struct bench_layer){.network = n, .source = &network->tasks[i]};
            anole_task_key(layer->key, &layer->source->task);
            anole_task_label(layer->label, sizeof layer->label, &layer->source->task);
            layer->class = bench_class_of(&layer->source->task);
            if (session->options.only && !strstr(layer->label, session->options.only) &&
                !strstr(layer->key, session->options.only))
                continue;
            report->layer_count++;
            anole_log_info("%s: %s", network->name, layer->label);
            status = measure_layer(session, layer, error);
        }
    }
    if (status == ANOLE_DONE && report->layer_count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT, "--only: no layer's task has that in it");
    return status;
}

/* --------------------------------------------------------------------- run */

/* The device and what runs on it; from here on this process keeps to its cores. */
static enum anole_status open_device(struct session *session, struct anole_error *error)
{
    struct bench_report *report = &session->report;
    const struct bench_options *options = &session->options;
    /* Described with all cores at hand, as for the tuner; opened on its own. */
    enum anole_status status = anole_registry_create(&session->registry, report->threads, error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&report->device, session->registry, options->device, error);
    if (status != ANOLE_DONE)
        return status;
    session->backend = session->registry->entries[report->device->backend].backend;
    if (options->history)
        status =
            bench_tuned_configs_from_history(&session->configs, options->history, session->registry,
                                             report->device, report->threads, error);
    else if (options->lock)
        status = bench_tuned_configs_from_lock(&session->configs, options->lock, session->registry,
                                               report->device, report->threads, error);
    if (status == ANOLE_DONE)
        status = bench_affinity_limit(&session->affinity, report->threads, error);
    if (status == ANOLE_DONE)
        status = bench_peak_measure(&report->peak, session->backend, report->device,
                                    report->threads, error);
    if (status != ANOLE_DONE)
        return status;
    report->idle_poll = options->idle_poll;
    report->cold = options->cold;
    if (options->idle_poll)
        status = bench_idle_poll_start(&session->idle_poll, &session->affinity, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_target_options runner = {.threads = report->threads};
    return anole_runner_create(&session->runner, session->backend, report->device->driver,
                               &report->device->device, &runner, error);
}

static enum anole_status write_report(const struct session *session, struct anole_error *error)
{
    const struct bench_options *options = &session->options;
    enum anole_status status = ANOLE_DONE;
    if (options->json || options->output) {
        json_t *root = bench_report_json(&session->report);
        char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
        if (!text)
            status = anole_fail_memory(error);
        if (status == ANOLE_DONE && options->output)
            status = anole_file_replace(options->output, text, strlen(text), error);
        if (status == ANOLE_DONE && options->json)
            puts(text);
        free(text);
        json_decref(root);
    }
    if (status == ANOLE_DONE && !options->json)
        status = bench_report_print(&session->report, error);
    return status;
}

static enum anole_status run(struct session *session, struct anole_error *error)
{
    struct bench_report *report = &session->report;
    const struct bench_options *options = &session->options;
    double begin = anole_clock();
    report->threads = options->threads;
    report->rounds = options->rounds;
    report->kernels = options->time      ? "tuned"
                      : options->history ? "the fastest of a history"
                      : options->lock    ? "of lock files"
                      : options->set     ? "set by hand"
                                         : "default configs";
    enum anole_status status =
        options->against ? bench_onednn_check(report->threads, error) : ANOLE_DONE;
    if (status == ANOLE_DONE && options->against)
        bench_onednn_version(report->rival, sizeof report->rival);
    if (status == ANOLE_DONE)
        status = load_networks(session, error);
    if (status == ANOLE_DONE)
        status = anole_scratch_create(&session->scratch, error);
    if (status == ANOLE_DONE && options->time)
        status = tune(session, error);
    if (status == ANOLE_DONE && setenv(ANOLE_SCRATCH_VARIABLE, session->scratch, 1) != 0)
        status = anole_fail_errno(error, "setting %s", ANOLE_SCRATCH_VARIABLE);
    if (status == ANOLE_DONE)
        status = open_device(session, error);
    if (status == ANOLE_DONE)
        status = measure_all(session, error);
    report->wall = anole_clock() - begin;
    return status == ANOLE_DONE ? write_report(session, error) : status;
}

/* OpenMP reads how many threads it is to have when it is loaded, and it is loaded
 * with this program. */
static void restart_with_threads(uint32_t threads, char **argv)
{
    char wanted[16];
    const char *found = getenv("OMP_NUM_THREADS");
    snprintf(wanted, sizeof wanted, "%u", threads);
    if (found && strcmp(found, wanted) == 0)
        return;
    setenv("OMP_NUM_THREADS", wanted, 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    struct session session = {.scratch = NULL};
    struct anole_error error = {.status = ANOLE_DONE};
    bool help = false;
    enum anole_status status = bench_options_parse(&session.options, argc, argv, &help, &error);
    if (status == ANOLE_DONE && !help) {
        if (session.options.against)
            restart_with_threads(session.options.threads, argv);
        anole_interrupt_install();
        status = run(&session, &error);
    }
    session_fini(&session);
    if (status != ANOLE_DONE)
        anole_log_error("%s", error.text);
    return anole_status_exit_code(status);
}
