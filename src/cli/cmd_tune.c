/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "frontend/network.h"
#include "cli/interrupt.h"
#include "cli/kernel_input.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/tune_arguments.h"
#include "tune/tuner_lock.h"
#include "tune/tuner.h"
#include "devices/selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIME 180.0 /* seconds */
#define MOST_TIME (366.0 * 86400.0)

/* ---------------------------------------------------------------- results */

static enum anole_status hold_against(const struct anole_tune_arguments *arguments,
                                      const struct anole_lockfile *baseline,
                                      const struct anole_tuner *tuner,
                                      const struct anole_tuner_final *finals,
                                      struct anole_error *error)
{
    double ratio;
    enum anole_status status =
        anole_tuner_against(&ratio, tuner, finals, baseline, arguments->baseline, error);
    if (status != ANOLE_DONE)
        return status;
    double slower = 100.0 * (ratio - 1.0);
    if (slower > (double)arguments->tolerance)
        return anole_fail(error, ANOLE_ERR_SLOWER,
                          "%.1f %% slower than %s: expected at most %llu %%", slower,
                          arguments->baseline, (unsigned long long)arguments->tolerance);
    anole_log_info("against %s: %+.1f %% time", arguments->baseline, slower);
    return ANOLE_DONE;
}

static enum anole_status check_found(const struct anole_tuner_view *view,
                                     const struct anole_tuner_final *finals,
                                     struct anole_error *error)
{
    for (size_t i = 0; i < view->task_count; i++) {
        const struct anole_tuner_task *task = &view->tasks[i];
        if (finals[i].found)
            continue;
        if (isnan(task->best_value))
            return anole_fail(error, ANOLE_ERR_NOTHING_VALID,
                              "nothing valid found for %s after %zu trials; see the messages in "
                              "the history",
                              task->label, task->trials);
        return anole_fail(error, ANOLE_ERR_NOTHING_VALID,
                          "%s: the best of %zu trials could not be run again, to be compared: %s; "
                          "the history keeps them, and the same command compares them when the "
                          "device is well",
                          task->label, task->trials, finals[i].problem);
    }
    return ANOLE_DONE;
}

/* ------------------------------------------------------------------- run */

struct session {
    struct anole_tune_arguments arguments;
    struct anole_workload *network;
    struct anole_custom_kernel *custom; /* NULL: a network is tuned */
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_lockfile *lockfile; /* the output */
    struct anole_lockfile *baseline; /* NULL: none */
    struct anole_tuner *tuner;
    struct anole_progress *progress;
    char history_path[256], output_path[256];
};

static void session_fini(struct session *session)
{
    anole_progress_destroy(session->progress);
    anole_tuner_destroy(session->tuner);
    anole_lockfile_destroy(session->baseline);
    anole_lockfile_destroy(session->lockfile);
    anole_registry_destroy(session->registry);
    anole_workload_destroy(session->network);
    anole_custom_destroy(session->custom);
}

/* What there is to tune.  A kernel is read with the device in mind: one that runs
 * nothing does with its space. */
static enum anole_status open_input(struct session *session, struct anole_error *error)
{
    const struct anole_tune_arguments *arguments = &session->arguments;
    enum anole_status status = ANOLE_DONE;
    if (arguments->network)
        status = anole_network_load_workload(&session->network, arguments->network, error);
    if (status == ANOLE_DONE && arguments->network && arguments->precision)
        anole_workload_set_precision(session->network, arguments->precision);
    if (status == ANOLE_DONE)
        status = anole_registry_create(&session->registry, (uint32_t)arguments->threads, error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&session->device, session->registry, arguments->device, error);
    if (status == ANOLE_DONE && arguments->kernel)
        status = anole_kernel_network(&session->network, &session->custom, arguments->kernel,
                                      &session->device->device, error);
    return status;
}

/* Everything that can be refused is refused here, before any work is done. */
static enum anole_status prepare(struct session *session, struct anole_error *error)
{
    struct anole_tune_arguments *arguments = &session->arguments;
    const struct anole_explorer_ops *explorer = anole_explorers()[0];
    const struct anole_sampler_ops *sampler = NULL; /* the explorer's own */
    enum anole_status status = ANOLE_DONE;
    if (arguments->time > MOST_TIME)
        return anole_fail(error, ANOLE_ERR_USAGE, "--time: expected at most a year");
    if (arguments->time == 0.0 && arguments->trials == 0)
        arguments->time = DEFAULT_TIME;
    if (arguments->explorer)
        status = anole_explorer_find(&explorer, arguments->explorer, error);
    if (status == ANOLE_DONE && arguments->sampler)
        status = anole_sampler_find(&sampler, arguments->sampler, error);
    if (status == ANOLE_DONE)
        status = open_input(session, error);
    if (status != ANOLE_DONE)
        return status;
    if (!arguments->history)
        arguments->history = anole_command_history_path(
            session->history_path, sizeof session->history_path, session->network);
    if (!arguments->output)
        arguments->output = anole_command_lock_path(session->output_path,
                                                    sizeof session->output_path, session->network);
    status = anole_lockfile_open(&session->lockfile, arguments->output, session->network->name,
                                 session->network->path, error);
    if (status == ANOLE_DONE && arguments->baseline)
        status = anole_lockfile_load(&session->baseline, arguments->baseline, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_tuner_options tuner = {
        .explorer = explorer,
        .sampler = sampler,
        .seed = arguments->seed,
        .time_limit = arguments->time,
        .trial_limit = arguments->trials,
        .threads = (uint32_t)arguments->threads,
        .history_path = arguments->history,
        .transfer_paths = arguments->transfers,
        .transfer_count = arguments->transfer_count,
        .stop = anole_interrupted,
    };
    status = anole_tuner_create(&session->tuner, session->network, session->registry,
                                session->device, &tuner, error);
    if (status == ANOLE_DONE)
        status = anole_progress_create(&session->progress, error);
    return status;
}

/* Says it all, and turns what was found into a status. */
static enum anole_status conclude(struct session *session, const struct anole_tuner_final *finals,
                                  struct anole_error *error)
{
    const struct anole_tune_arguments *arguments = &session->arguments;
    enum anole_status status =
        anole_tuner_save(session->tuner, finals, session->lockfile, arguments->output, error);
    if (status != ANOLE_DONE)
        return status;
    const struct anole_tuner_view *view = anole_tuner_view(session->tuner);
    if (arguments->json) {
        json_t *root = anole_report_json(session->network, view, finals);
        if (root) {
            json_object_set_new(root, "device", json_string(session->device->id));
            json_object_set_new(root, "history", json_string(arguments->history));
            json_object_set_new(root, "output", json_string(arguments->output));
        }
        status = anole_command_print_json(root, error);
    } else {
        status = anole_report_print(view, finals, error);
        printf("wrote %s (what was found) and %s (every trial)\n", arguments->output,
               arguments->history);
    }
    if (status == ANOLE_DONE)
        status = check_found(view, finals, error);
    if (status == ANOLE_DONE && session->baseline)
        status = hold_against(arguments, session->baseline, session->tuner, finals, error);
    return status;
}

static enum anole_status tune(struct session *session, struct anole_error *error)
{
    size_t tasks = anole_tuner_view(session->tuner)->task_count;
    struct anole_tuner_final *finals = calloc(tasks, sizeof *finals);
    if (!finals)
        return anole_fail_memory(error);
    bool plain = session->network->dtype == ANOLE_F32;
    anole_log_info("tuning %s (%zu tasks%s%s) on %s: %s", session->network->name, tasks,
                   plain ? "" : ", ", plain ? "" : anole_precision_text(session->network->dtype),
                   session->device->id, session->device->device.name);
    anole_tuner_observe(session->tuner, anole_progress_show, session->progress);
    enum anole_status status = anole_tuner_run(session->tuner, error);
    if (status == ANOLE_DONE)
        status = anole_tuner_finish(session->tuner, finals, error);
    anole_progress_destroy(session->progress);
    session->progress = NULL;
    anole_tuner_observe(session->tuner, NULL, NULL);
    if (status == ANOLE_ERR_INTERRUPTED || status == ANOLE_ERR_WORKER)
        anole_tune_say_resume(&session->arguments, anole_tuner_view(session->tuner));
    if (status == ANOLE_DONE)
        status = conclude(session, finals, error);
    free(finals);
    return status;
}

static enum anole_status tune_one(struct anole_tune_arguments *arguments, struct anole_error *error)
{
    struct session session = {.arguments = *arguments};
    enum anole_status status = prepare(&session, error);
    if (status == ANOLE_DONE) {
        snprintf(arguments->written, sizeof arguments->written, "%s", session.arguments.output);
        status = tune(&session, error);
    }
    session_fini(&session);
    return status;
}

/* ---------------------------------------------------------- several devices */

/* Whether a driver did not answer: what is missing may be its. */
static bool driver_failed(const struct anole_registry *registry)
{
    for (size_t i = 0; i < registry->entry_count; i++)
        if (registry->entries[i].probe_problem[0])
            return true;
    return false;
}

/* Are there all of them, and each but once?  Nobody wants to know after the first has
 * been tuned.  One that is missing where a driver failed is left out, and said. */
static enum anole_status check_devices(struct anole_tune_arguments *arguments,
                                       struct anole_error *missing, struct anole_error *error)
{
    const struct anole_registry_device *found[ANOLE_TUNE_DEVICES];
    struct anole_registry *registry = NULL;
    if (arguments->json)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--json: expected one --device, found %zu; what was found on several is "
                          "in the lock file, and `anole compare --json` shows it",
                          arguments->device_count);
    enum anole_status status =
        anole_registry_create(&registry, (uint32_t)arguments->threads, error);
    size_t kept = 0;
    for (size_t i = 0; i < arguments->device_count && status == ANOLE_DONE; i++) {
        struct anole_error own = {.status = ANOLE_DONE};
        status = anole_registry_find(&found[kept], registry, arguments->devices[i], &own);
        for (size_t j = 0; j < kept && status == ANOLE_DONE; j++)
            if (found[kept] == found[j])
                status = anole_fail(&own, ANOLE_ERR_USAGE,
                                    "--device: expected different devices, found %s twice",
                                    found[kept]->id);
        if (status == ANOLE_DONE) {
            arguments->devices[kept++] = arguments->devices[i];
        } else if (status == ANOLE_ERR_NO_DEVICE && driver_failed(registry)) {
            anole_log_warning("%s; it is left out", own.text);
            *missing = own;
            status = ANOLE_DONE;
        } else {
            *error = own;
        }
    }
    anole_registry_destroy(registry);
    arguments->device_count = kept;
    return status;
}

/* Each gets all of the time.  One that fails holds nobody up; the first failure is
 * that of the whole. */
static enum anole_status tune_several(struct anole_tune_arguments *arguments,
                                      struct anole_error *error)
{
    struct anole_error failure = {.status = ANOLE_DONE};
    enum anole_status status = check_devices(arguments, &failure, error);
    for (size_t i = 0; status == ANOLE_DONE && i < arguments->device_count; i++) {
        struct anole_error own = {.status = ANOLE_DONE};
        arguments->device = arguments->devices[i];
        enum anole_status one = tune_one(arguments, &own);
        /* What workers fail with says the device. */
        if (one != ANOLE_DONE && one != ANOLE_ERR_WORKER)
            anole_error_prefix(&own, "%s", arguments->device);
        if (one == ANOLE_ERR_INTERRUPTED) {
            if (failure.status != ANOLE_DONE)
                anole_log_error("%s", failure.text);
            *error = own;
            return one;
        }
        if (one != ANOLE_DONE && failure.status == ANOLE_DONE)
            failure = own;
        else if (one != ANOLE_DONE)
            anole_log_error("%s", own.text);
        if (i + 1 < arguments->device_count)
            putchar('\n');
        fflush(stdout);
    }
    if (status == ANOLE_DONE && failure.status != ANOLE_DONE) {
        *error = failure;
        status = failure.status;
    }
    return status;
}

/* The columns of what was found, side by side. */
static enum anole_status compare(struct anole_tune_arguments *arguments, struct anole_error *error)
{
    char *words[] = {"compare", "--", arguments->written, NULL};
    putchar('\n');
    return anole_cmd_compare.run(3, words, error);
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct anole_tune_arguments arguments = {.seed = 1, .tolerance = 5};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_tune, argc, argv, anole_tune_take,
                                                   &arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    arguments.network = count > 0 ? positional[0] : NULL;
    status = anole_kernel_or_network(arguments.kernel, count, "tune", error);
    if (status == ANOLE_DONE && arguments.kernel && arguments.precision)
        status = anole_fail(error, ANOLE_ERR_USAGE,
                            "--precision and --kernel: expected one of them: a kernel of your own "
                            "says of what type its arguments are");
    if (status != ANOLE_DONE)
        return status;
    if (arguments.device_count < 2)
        return tune_one(&arguments, error);
    status = tune_several(&arguments, error);
    if (status == ANOLE_DONE)
        status = compare(&arguments, error);
    return status;
}

static void details(void)
{
    puts("\nExplorers (the first is the default):");
    for (const struct anole_explorer_ops *const *e = anole_explorers(); *e; e++)
        printf("  %-14s  %s\n", (*e)->name, (*e)->summary);
    puts("\nSamplers (by default, the one that goes with the explorer):");
    for (const struct anole_sampler_ops *const *s = anole_samplers(); *s; s++)
        printf("  %-14s  %s\n", (*s)->name, (*s)->summary);
    puts("\nCtrl-C stops within a second and keeps every finished trial; the same command goes\n"
         "on where it stood.  Every task gets its default config measured, whatever the budget.");
}

const struct anole_command anole_cmd_tune = {
    .name = "tune",
    .arguments = "NETWORK",
    .summary = "Find the fastest right kernel for each layer of a network",
    .details = details,
    .options = anole_tune_options,
    .least = 0, /* with --kernel */
    .most = 1,
    .run = run,
};
