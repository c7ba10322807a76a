/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/progress_events.h"
#include "cli/report.h"
#include "cli/size_list.h"
#include "cli/tune_arguments.h"
#include "op/task.h"
#include "search/explorer.h"
#include "search/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIME 180.0 /* seconds */

struct session {
    struct anole_tune_arguments arguments;
    struct anole_context *context;
    const struct anole_devices *devices; /* of several runs; or NULL */
    struct anole_devices *own_devices;   /* of this one; or NULL */
    struct anole_tasks *tasks;
    const struct anole_device_info *device;
    struct anole_size_list sizes;
    struct anole_tuned *baseline; /* NULL: none */
    struct anole_progress *progress;
    size_t trials; /* so far */
    double elapsed;
    char history_path[256], output_path[256];
};

static void session_fini(struct session *session)
{
    anole_progress_destroy(session->progress);
    anole_tuned_destroy(session->baseline);
    anole_tasks_destroy(session->tasks);
    anole_size_list_fini(&session->sizes);
    anole_devices_destroy(session->own_devices);
}

static enum anole_status choose_device(struct session *session, struct anole_error *error)
{
    const struct anole_tune_arguments *arguments = &session->arguments;
    enum anole_status status = ANOLE_DONE;
    if (!session->devices) {
        status = anole_devices_list(&session->own_devices, session->context,
                                    (uint32_t)arguments->threads, error);
        session->devices = session->own_devices;
    }
    if (status == ANOLE_DONE)
        status = anole_devices_find(&session->device, session->devices, arguments->device, error);
    return status;
}

/* What there is to tune.  A kernel is read with the device in mind: one that runs
 * nothing does with its space. */
static enum anole_status open_input(struct session *session, struct anole_error *error)
{
    const struct anole_tune_arguments *arguments = &session->arguments;
    struct anole_load_options options = {.size = sizeof options};
    enum anole_status status = ANOLE_DONE;
    if (arguments->precision)
        options.precision = anole_precision_text(arguments->precision);
    status = anole_size_list_init(&session->sizes, arguments->batch, arguments->shapes,
                                  arguments->shape_count, error);
    options.sizes = session->sizes.sizes;
    options.size_count = session->sizes.count;
    if (status == ANOLE_DONE && arguments->network)
        status = anole_tasks_load(&session->tasks, session->context, arguments->network, &options,
                                  error);
    if (status == ANOLE_DONE)
        status = choose_device(session, error);
    if (status != ANOLE_DONE || arguments->network)
        return status;
    options.size_count = 0;
    options.format = ANOLE_FORMAT_T1;
    options.device = session->device;
    return anole_tasks_load(&session->tasks, session->context, arguments->kernel, &options, error);
}

/* Everything that can be refused is refused here, before any work is done; or by the library. */
static enum anole_status prepare(struct session *session, struct anole_error *error)
{
    struct anole_tune_arguments *arguments = &session->arguments;
    enum anole_status status = open_input(session, error);
    if (status != ANOLE_DONE)
        return status;
    if (arguments->time == 0.0 && arguments->trials == 0)
        arguments->time = DEFAULT_TIME;
    const char *name = anole_tasks_name(session->tasks);
    if (!arguments->history)
        arguments->history =
            anole_command_history_path(session->history_path, sizeof session->history_path, name);
    if (!arguments->output)
        arguments->output =
            anole_command_lock_path(session->output_path, sizeof session->output_path, name);
    if (arguments->baseline)
        status = anole_tuned_load(&session->baseline, session->context, arguments->baseline, error);
    if (status == ANOLE_DONE)
        status = anole_progress_create(&session->progress, arguments->log_json, error);
    return status;
}

/* Says it all, and turns what was found into a status. */
static enum anole_status conclude(struct session *session, const struct anole_results *results,
                                  struct anole_error *error)
{
    const struct anole_tune_arguments *arguments = &session->arguments;
    enum anole_status status;
    if (arguments->json) {
        json_t *root = anole_report_json(anole_tasks_name(session->tasks), results);
        if (root) {
            json_object_set_new(root, "device", json_string(session->device->id));
            json_object_set_new(root, "history", json_string(arguments->history));
            json_object_set_new(root, "output", json_string(arguments->output));
        }
        status = anole_command_print_json(root, error);
    } else {
        status = anole_report_print(results, error);
        printf("wrote %s (what was found) and %s (every trial)\n",
               anole_command_shown(arguments->output), anole_command_shown(arguments->history));
    }
    anole_report_warn_of_crowding(anole_results_state(results));
    if (arguments->log_json)
        anole_progress_events_end(results);
    if (status == ANOLE_DONE)
        status = anole_results_check(results, error);
    if (status == ANOLE_DONE && session->baseline)
        status =
            anole_results_compare(results, session->baseline, (double)arguments->tolerance, error);
    return status;
}

static void watch(void *context, enum anole_tune_event event, const struct anole_tune_state *state)
{
    struct session *session = context;
    session->trials = state->trials;
    session->elapsed = state->elapsed;
    anole_progress_show(session->progress, event, state);
}

static enum anole_status tune(struct session *session, struct anole_error *error)
{
    const struct anole_tune_arguments *arguments = &session->arguments;
    struct anole_results *results = NULL;
    struct anole_tune_options options = {
        .size = sizeof options,
        .time_limit = arguments->time,
        .trial_limit = arguments->trials,
        .seed = arguments->seed,
        .explorer = arguments->explorer,
        .sampler = arguments->sampler,
        .history_path = arguments->history,
        .transfer_paths = arguments->transfers,
        .transfer_count = arguments->transfer_count,
        .lock_path = arguments->output,
        .progress = watch,
        .progress_context = session,
        .timing = arguments->timing,
        .no_in_place = arguments->no_in_place,
        .build_limit = arguments->build_limit,
        .run_limit = arguments->run_limit,
        .from = arguments->from,
        .most_kernels = (uint32_t)arguments->kernels,
    };
    if (arguments->log_json)
        anole_progress_events_start(anole_tasks_name(session->tasks), session->device->id,
                                    arguments->history, arguments->output);
    enum anole_status status =
        anole_tune(&results, session->tasks, session->device, &options, error);
    anole_progress_destroy(session->progress);
    session->progress = NULL;
    if (status == ANOLE_ERR_INTERRUPTED || status == ANOLE_ERR_WORKER)
        anole_tune_say_resume(arguments, session->trials, session->elapsed);
    if (status == ANOLE_DONE)
        status = conclude(session, results, error);
    anole_results_destroy(results);
    return status;
}

/* `devices` NULL: they are yet to be listed. */
static enum anole_status tune_one(struct anole_tune_arguments *arguments,
                                  struct anole_context *context,
                                  const struct anole_devices *devices, struct anole_error *error)
{
    struct session session = {.arguments = *arguments, .context = context, .devices = devices};
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
static bool driver_failed(const struct anole_devices *devices)
{
    for (size_t i = 0; i < anole_devices_backend_count(devices); i++) {
        const struct anole_backend_info *backend = anole_devices_backend(devices, i);
        if (backend->loaded && backend->problem[0])
            return true;
    }
    return false;
}

/* Are there all of them, and each but once?  Nobody wants to know after the first has
 * been tuned.  One that is missing where a driver failed is left out, and said. */
static enum anole_status check_devices(struct anole_tune_arguments *arguments,
                                       const struct anole_devices *devices,
                                       struct anole_error *missing, struct anole_error *error)
{
    const struct anole_device_info *found[ANOLE_TUNE_DEVICES];
    enum anole_status status = ANOLE_DONE;
    size_t kept = 0;
    for (size_t i = 0; i < arguments->device_count && status == ANOLE_DONE; i++) {
        struct anole_error own = {.status = ANOLE_DONE};
        status = anole_devices_find(&found[kept], devices, arguments->devices[i], &own);
        for (size_t j = 0; j < kept && status == ANOLE_DONE; j++)
            if (found[kept] == found[j])
                status = anole_fail(&own, ANOLE_ERR_USAGE,
                                    "--device: expected different devices, found %s twice",
                                    found[kept]->id);
        if (status == ANOLE_DONE) {
            arguments->devices[kept++] = arguments->devices[i];
        } else if (status == ANOLE_ERR_NO_DEVICE && driver_failed(devices)) {
            anole_log_warning("%s; it is left out", own.text);
            *missing = own;
            status = ANOLE_DONE;
        } else {
            *error = own;
        }
    }
    arguments->device_count = kept;
    return status;
}

static enum anole_status list_devices(struct anole_devices **devices,
                                      struct anole_tune_arguments *arguments,
                                      struct anole_context *context, struct anole_error *missing,
                                      struct anole_error *error)
{
    if (arguments->json)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--json: expected one --device, found %zu; what was found on several is "
                          "in the lock file, and `anole compare --json` shows it",
                          arguments->device_count);
    enum anole_status status =
        anole_devices_list(devices, context, (uint32_t)arguments->threads, error);
    return status == ANOLE_DONE ? check_devices(arguments, *devices, missing, error) : status;
}

/* Each gets all of the time.  One that fails holds nobody up; the first failure is
 * that of the whole. */
static enum anole_status tune_several(struct anole_tune_arguments *arguments,
                                      struct anole_context *context, struct anole_error *error)
{
    struct anole_error failure = {.status = ANOLE_DONE};
    struct anole_devices *devices = NULL;
    enum anole_status status = list_devices(&devices, arguments, context, &failure, error);
    for (size_t i = 0; status == ANOLE_DONE && i < arguments->device_count; i++) {
        struct anole_error own = {.status = ANOLE_DONE};
        arguments->device = arguments->devices[i];
        enum anole_status one = tune_one(arguments, context, devices, &own);
        /* What workers fail with says the device. */
        if (one != ANOLE_DONE && one != ANOLE_ERR_WORKER)
            anole_error_prefix(&own, "%s", arguments->device);
        if (one == ANOLE_ERR_INTERRUPTED) {
            if (failure.status != ANOLE_DONE)
                anole_log_error("%s", failure.text);
            *error = own;
            status = one;
            break;
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
    anole_devices_destroy(devices);
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
    if (status == ANOLE_DONE && arguments.network)
        status = anole_given_inputs_read(&arguments.inputs, arguments.network, arguments.shapes,
                                         &arguments.shape_count, error);
    struct anole_context *context = NULL;
    if (status == ANOLE_DONE)
        status = anole_command_context(&context, error);
    bool several = arguments.device_count > 1;
    if (status == ANOLE_DONE && !several)
        status = tune_one(&arguments, context, NULL, error);
    else if (status == ANOLE_DONE)
        status = tune_several(&arguments, context, error);
    anole_context_destroy(context);
    anole_given_inputs_fini(&arguments.inputs);
    if (status == ANOLE_DONE && several)
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
