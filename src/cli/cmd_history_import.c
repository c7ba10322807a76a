/* SPDX-License-Identifier: MIT
 *
 * anole history import: what other tuners have measured, as trials to learn from.
 */
#include "cli/cmd_history.h"

#include "base/log.h"
#include "devices/registry.h"
#include "formats/recording.h"
#include "kernel/custom.h"
#include "kernel/t1_kernel.h"
#include "op/task.h"
#include "record/history.h"
#include "space/trials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *t1, *backend, *output, *device;
};

enum { T1, BACKEND, OUTPUT, DEVICE };

static const struct anole_option options[] = {
    [T1] = {"t1", "FILE",
            "the T1 file of the kernel that was tuned, as `anole tune --kernel` takes it"},
    [BACKEND] = {"backend", "NAME", "the backend that is to learn from it: cpu, gpu"},
    [OUTPUT] = {"output", "HISTORY", "the history to add to; made if there is none"},
    [DEVICE] = {"device", "NAME", "what it was measured on, if RESULTS does not say"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    const char **texts[] = {[T1] = &arguments->t1,
                            [BACKEND] = &arguments->backend,
                            [OUTPUT] = &arguments->output,
                            [DEVICE] = &arguments->device};
    (void)error;
    *texts[index] = value;
    return ANOLE_DONE;
}

struct session {
    struct arguments arguments;
    struct anole_registry *registry;
    const struct anole_registry_entry *backend;
    struct anole_t1 *t1;
    struct anole_space *space;
    char task[ANOLE_TASK_KEY];
    struct anole_history *history;
};

static void session_fini(struct session *session)
{
    anole_history_close(session->history);
    anole_space_destroy(session->space);
    anole_t1_destroy(session->t1);
    anole_registry_destroy(session->registry);
}

static enum anole_status find_backend(struct session *session, struct anole_error *error)
{
    const char *wanted = session->arguments.backend;
    enum anole_status status = anole_registry_create(&session->registry, 0, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < session->registry->entry_count && !session->backend; i++) {
        const struct anole_registry_entry *entry = &session->registry->entries[i];
        if (entry->refusal == ANOLE_REFUSAL_NONE && strcmp(entry->name, wanted) == 0)
            session->backend = entry;
    }
    if (session->backend)
        return ANOLE_DONE;
    return anole_fail(error, ANOLE_ERR_NO_BACKEND,
                      "there is no backend '%s'; see `anole plugin list`",
                      anole_command_shown(wanted));
}

static enum anole_status load_kernel(struct session *session, struct anole_error *error)
{
    struct anole_custom_kernel *custom = NULL;
    struct anole_task task;
    const char *path = session->arguments.t1;
    enum anole_status status = anole_t1_kernel_load(&custom, path, true, error);
    if (status == ANOLE_DONE) {
        anole_custom_task(&task, custom);
        anole_task_key(session->task, &task);
    }
    anole_custom_destroy(custom);
    if (status == ANOLE_DONE)
        status = anole_t1_load(&session->t1, path, error);
    return status == ANOLE_DONE ? anole_t1_space(&session->space, session->t1, error) : status;
}

/* Trials of a key that are not there yet. */
static enum anole_status add_new(size_t *added, const struct session *session,
                                 const struct anole_history_key *key,
                                 const struct anole_recording *recording, struct anole_error *error)
{
    const size_t count = anole_recording_count(recording);
    struct anole_trials *known = NULL;
    uint64_t *configs = calloc(count, sizeof *configs);
    struct anole_result *results = calloc(count, sizeof *results);
    enum anole_status status = configs && results ? ANOLE_DONE : anole_fail_memory(error);
    *added = 0;
    if (status == ANOLE_DONE)
        status = anole_trials_create(&known, error);
    if (status == ANOLE_DONE)
        status =
            anole_history_collect(session->history, key, session->space, known, NULL, NULL, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++) {
        const struct anole_recorded *recorded = anole_recording_get(recording, i);
        if (anole_trials_visited(known, recorded->config))
            continue;
        configs[*added] = recorded->config;
        anole_recorded_result(recorded, &results[(*added)++]);
    }
    if (status == ANOLE_DONE)
        status = anole_history_append_all(session->history, key, session->space, configs, results,
                                          *added, error);
    anole_trials_destroy(known);
    free(configs);
    free(results);
    return status;
}

/* They are of another device, whatever it is called: never taken for results of this one. */
static enum anole_status import(const struct session *session, const char *path,
                                struct anole_error *error)
{
    struct anole_recording *recording = NULL;
    char summary[256];
    size_t added;
    enum anole_status status =
        anole_recording_load(&recording, session->t1, session->space, path, error);
    if (status != ANOLE_DONE)
        return status;
    const char *device =
        session->arguments.device ? session->arguments.device : anole_recording_device(recording);
    const struct anole_history_key key = {.task = session->task,
                                          .backend = session->backend->name,
                                          .backend_version = session->backend->version,
                                          .generator = session->backend->generator_version,
                                          .device = device,
                                          .driver = "imported",
                                          .driver_version = ""};
    status = add_new(&added, session, &key, recording, error);
    if (status == ANOLE_DONE)
        printf("%s: %zu trials added, of %s on %s\n", anole_command_shown(path), added,
               anole_recording_summary(recording, summary, sizeof summary),
               anole_command_shown(device));
    anole_recording_destroy(recording);
    return status;
}

static enum anole_status check(const struct arguments *arguments, struct anole_error *error)
{
    const char *missing = !arguments->t1        ? "--t1 FILE"
                          : !arguments->backend ? "--backend NAME"
                          : !arguments->output  ? "--output HISTORY"
                                                : NULL;
    return missing ? anole_fail(error, ANOLE_ERR_USAGE,
                                "anole history import: expected %s; see `anole history import "
                                "--help`",
                                missing)
                   : ANOLE_DONE;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session session = {.backend = NULL};
    char **files;
    size_t count;
    bool help;
    enum anole_status status =
        anole_options_parse(&anole_cmd_history_import, argc, argv, take, &session.arguments, &files,
                            &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    status = check(&session.arguments, error);
    if (status == ANOLE_DONE)
        status = load_kernel(&session, error);
    if (status == ANOLE_DONE)
        status = find_backend(&session, error);
    if (status == ANOLE_DONE)
        status = anole_history_open(&session.history, session.arguments.output,
                                    ANOLE_HISTORY_APPEND, error);
    for (size_t i = 0; status == ANOLE_DONE && i < count; i++)
        status = import(&session, files[i], error);
    session_fini(&session);
    return status;
}

static void print_details(void)
{
    printf(
        "\nRESULTS is a file in the format T4, a cache file of Kernel Tuner, or what a tuner of\n"
        "CLBlast wrote, compressed by gzip or not.  Then `anole tune --kernel FILE --transfer\n"
        "HISTORY` begins with the best of them, and learns from the others; what is found is\n"
        "measured here.\n");
}

const struct anole_command anole_cmd_history_import = {
    .name = "history import",
    .arguments = "RESULTS...",
    .summary = "Take up what other tuners measured, to begin with",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = ANOLE_HISTORY_FILES,
    .run = run,
};
