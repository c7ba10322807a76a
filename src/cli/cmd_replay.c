/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "frontend/t1_workload.h"
#include "measure/batch.h"
#include "record/history.h"
#include "devices/selection.h"
#include "tune/warmth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *history, *device, *source, *kernel;
    uint64_t id, which; /* which: of those with the id, from 1 on; 0: not said */
    bool json;
};

enum { DEVICE, SOURCE, KERNEL, WHICH, JSON };

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "the device, if it is not the one of the trial"},
    [SOURCE] = {"source", "FILE", "also write the kernel's source there"},
    [KERNEL] = {"kernel", "FILE", "the T1 file of the kernel, if the trial is of one"},
    [WHICH] = {"which", "N", "the N-th trial of that ID, where joined histories have several"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of lines"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    if (index == DEVICE)
        arguments->device = value;
    else if (index == SOURCE)
        arguments->source = value;
    else if (index == KERNEL)
        arguments->kernel = value;
    else if (index == WHICH)
        return anole_text_parse_u64(&arguments->which, value, "--which", 1, UINT32_MAX, error);
    else
        arguments->json = true;
    return ANOLE_DONE;
}

static void print_details(void)
{
    printf("\nThe exit code is what became of the trial this time: 0 it ran and is right, 5 its\n"
           "output was wrong, 4 it failed in another way.\n");
}

struct session {
    struct arguments arguments;
    struct anole_history *history;
    struct anole_history_event trial;
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    struct anole_workload *network; /* of a kernel of the user's own; NULL: of a layer */
    struct anole_custom_kernel *custom;
    struct anole_generator *generator;
    struct anole_measure *measure;
    uint64_t config, source_hash;
    struct anole_result result; /* of this time */
};

static void session_fini(struct session *session)
{
    anole_measure_destroy(session->measure);
    anole_generator_destroy(session->generator);
    anole_workload_destroy(session->network);
    anole_custom_destroy(session->custom);
    anole_registry_destroy(session->registry);
    anole_history_close(session->history);
}

/* The device that the trial was made on; another one if the user says so. */
static enum anole_status find_device(struct session *session, struct anole_error *error)
{
    const struct anole_history_key *key = &session->trial.found.key;
    const struct anole_registry *registry = session->registry;
    if (session->arguments.device)
        return anole_registry_find(&session->device, registry, session->arguments.device, error);
    for (size_t i = 0; i < registry->device_count && !session->device; i++) {
        const struct anole_registry_device *device = &registry->devices[i];
        if (strcmp(registry->entries[device->backend].name, key->backend) == 0 &&
            strcmp(device->device.name, key->device) == 0)
            session->device = device;
    }
    if (session->device)
        return ANOLE_DONE;
    char backend[300], name[300];
    return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                      "trial %llu was made by backend '%s' on '%s', which is not here; see `anole "
                      "devices`, and name another with --device",
                      (unsigned long long)session->arguments.id,
                      anole_text_printable(backend, sizeof backend, key->backend),
                      anole_text_printable(name, sizeof name, key->device));
}

static void warn_of_changes(const struct session *session)
{
    const struct anole_history_key *key = &session->trial.found.key;
    const struct anole_registry_entry *entry =
        &session->registry->entries[session->device->backend];
    const struct anole_device *device = &session->device->device;
    if (strcmp(entry->name, key->backend) != 0)
        anole_log_warning("the trial was made by backend '%s'; this is '%s'", key->backend,
                          entry->name);
    else if (entry->generator_version != key->generator)
        anole_log_warning("the trial was made by generator %u of backend '%s'; this is %u, and "
                          "its kernel may be another",
                          key->generator, entry->name, entry->generator_version);
    if (strcmp(device->driver_version, key->driver_version) != 0)
        anole_log_warning("the trial was made with version '%s' of the driver; this is '%s'",
                          key->driver_version, device->driver_version);
}

/* A layer's task stands in its key; a kernel of the user's own is in a file. */
static enum anole_status read_task(struct session *session, struct anole_task *task,
                                   struct anole_error *error)
{
    const char *expected = session->trial.found.key.task, *path = session->arguments.kernel;
    char key[ANOLE_TASK_KEY], shown[2 * ANOLE_TASK_KEY];
    if (!path)
        return anole_task_parse_key(task, expected, error);
    bool runnable = !(session->device->device.flags & ANOLE_DEVICE_SIMULATED);
    enum anole_status status =
        anole_kernel_workload(&session->network, &session->custom, path, runnable, error);
    if (status != ANOLE_DONE)
        return status;
    *task = session->network->tasks[0].task;
    anole_task_key(key, task);
    if (strcmp(key, expected) == 0)
        return ANOLE_DONE;
    char file[256];
    return anole_fail(error, ANOLE_ERR_INPUT,
                      "%s: this is not the kernel of trial %llu: expected task %s: name its T1 "
                      "file, as it was then",
                      anole_text_printable(file, sizeof file, path),
                      (unsigned long long)session->trial.id,
                      anole_text_printable(shown, sizeof shown, expected));
}

static enum anole_status find_config(struct session *session, struct anole_error *error)
{
    const struct anole_history_event *trial = &session->trial;
    const struct anole_backend *backend =
        session->registry->entries[session->device->backend].backend;
    const char *names[ANOLE_MAX_KNOBS];
    struct anole_task task = {.kind = 0};
    enum anole_status status = read_task(session, &task, error);
    if (status == ANOLE_DONE)
        status = anole_generator_create(&session->generator, backend, &session->device->device,
                                        &task, error);
    if (status != ANOLE_DONE && !session->network && task.kind == ANOLE_TASK_CUSTOM)
        anole_error_prefix(error,
                           "trial %llu is of no layer: if it is of a kernel of your own, "
                           "name its T1 file with --kernel",
                           (unsigned long long)trial->id);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < trial->knob_count; i++)
        names[i] = trial->names[i];
    status = anole_space_lookup(anole_generator_space(session->generator), &session->config, names,
                                trial->values, trial->knob_count, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "trial %llu cannot be made by this version of backend '%s'",
                           (unsigned long long)trial->id, backend->plugin.name);
    return status;
}

/* The kernel that is to be tried; one that the generator refuses has none. */
static enum anole_status write_source(struct session *session, struct anole_error *error)
{
    struct anole_generated *generated;
    struct anole_error refused = {.status = ANOLE_DONE};
    enum anole_status status =
        anole_generator_kernel(&generated, session->generator, session->config, &refused);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (status != ANOLE_DONE)
        return ANOLE_DONE; /* the trial will say so */
    session->source_hash = generated->source_hash;
    if (session->arguments.source)
        status = anole_file_replace(session->arguments.source, generated->kernel.source,
                                    generated->kernel.source_length, error);
    anole_generated_destroy(generated);
    return status;
}

static enum anole_status take_result(void *context, size_t index, uint64_t config,
                                     const struct anole_result *result, struct anole_error *error)
{
    (void)index;
    (void)config;
    (void)error;
    ((struct session *)context)->result = *result;
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------- outputs */

static void print_result(const char *when, const struct anole_result *result)
{
    char text[32];
    if (result->outcome == ANOLE_OUTCOME_OK)
        printf("%-5s  ok, %s\n", when, anole_text_seconds(text, sizeof text, result->seconds));
    else
        printf("%-5s  %s: %s%s%s\n", when, anole_outcome_text(result->outcome),
               anole_outcome_words(result->outcome), result->message[0] ? ": " : "",
               result->message);
}

static void print_lines(const struct session *session)
{
    char label[64], config[512], message[256];
    struct anole_result then = session->trial.result;
    snprintf(then.message, sizeof then.message, "%s",
             anole_text_printable(message, sizeof message, session->trial.result.message));
    printf("trial  %llu of %s%s\n", (unsigned long long)session->trial.id,
           anole_command_shown(session->arguments.history),
           session->trial.quarantined ? "; quarantined: it took its worker with it twice" : "");
    printf("task   %s, on %s\n",
           anole_task_label(label, sizeof label, anole_generator_task(session->generator)),
           anole_command_shown(session->device->id));
    printf("knobs  %s\n", anole_space_describe(anole_generator_space(session->generator), config,
                                               sizeof config, session->config));
    if (session->arguments.source)
        printf("source %s\n", anole_command_shown(session->arguments.source));
    print_result("then", &then);
    print_result("now", &session->result);
}

static json_t *result_json(const struct anole_result *result)
{
    char message[512];
    return json_pack("{s:s, s:s, s:o, s:o}", "outcome", anole_outcome_text(result->outcome),
                     "message", anole_text_printable(message, sizeof message, result->message),
                     "seconds", anole_json_real(result->seconds), "error",
                     anole_json_real(result->error));
}

static enum anole_status print_json(const struct session *session, struct anole_error *error)
{
    char hash[20];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)session->source_hash);
    return anole_command_print_json(
        json_pack("{s:s, s:I, s:s, s:s, s:b, s:s, s:o, s:o}", "history", session->arguments.history,
                  "id", (json_int_t)session->trial.id, "task", session->trial.found.key.task,
                  "device", session->device->id, "quarantined", (int)session->trial.quarantined,
                  "source_hash", hash, "then", result_json(&session->trial.result), "now",
                  result_json(&session->result)),
        error);
}

static enum anole_status judge(const struct session *session, struct anole_error *error)
{
    const struct anole_result *now = &session->result;
    if (now->outcome == ANOLE_OUTCOME_OK)
        return ANOLE_DONE;
    return anole_fail(error,
                      now->outcome == ANOLE_OUTCOME_WRONG_ANSWER ? ANOLE_ERR_WRONG_RESULT
                                                                 : ANOLE_ERR_NOTHING_VALID,
                      "trial %llu %s: %s", (unsigned long long)session->trial.id,
                      now->outcome == session->trial.result.outcome ? "fails again"
                                                                    : "fails in another way",
                      anole_outcome_words(now->outcome));
}

/* -------------------------------------------------------------------- run */

/* Histories that were joined may have given one number twice. */
static enum anole_status find_trial(struct session *session, struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    static struct anole_history_event event;
    size_t next = 0, count = 0, wanted = arguments->which ? (size_t)arguments->which : 1;
    char safe[256];
    while (anole_history_next_event(session->history, &next, &event))
        if (event.id == arguments->id && ++count == wanted)
            session->trial = event;
    if (count == 0)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: there is no trial %llu; expected the \"id\" of one: see `anole best "
                          "--failures`",
                          anole_text_printable(safe, sizeof safe, arguments->history),
                          (unsigned long long)arguments->id);
    if (count < wanted)
        return anole_fail(error, ANOLE_ERR_INPUT,
                          "%s: %zu trials have the id %llu; expected --which 1 to %zu",
                          anole_text_printable(safe, sizeof safe, arguments->history), count,
                          (unsigned long long)arguments->id, count);
    if (count > 1 && !arguments->which)
        anole_log_warning("%zu trials of this history have the id %llu, as it happens where two "
                          "were joined; this is the first: --which 2 takes the next",
                          count, (unsigned long long)arguments->id);
    return ANOLE_DONE;
}

static enum anole_status prepare(struct session *session, struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    enum anole_status status =
        anole_history_open(&session->history, arguments->history, ANOLE_HISTORY_READ, error);
    if (status == ANOLE_DONE)
        status = find_trial(session, error);
    if (status != ANOLE_DONE)
        return status;
    uint32_t threads = session->trial.found.key.threads;
    status = anole_registry_create(&session->registry, threads, error);
    if (status == ANOLE_DONE)
        status = find_device(session, error);
    if (status == ANOLE_DONE)
        status = find_config(session, error);
    if (status != ANOLE_DONE)
        return status;
    warn_of_changes(session);
    const struct anole_measure_options measure = {
        .constants = session->trial.found.key.warmth == ANOLE_WARMTH_COLD
                         ? anole_warmth_beyond(&session->device->device)
                         : 0,
        .threads = threads,
        .seed = 1,
        .stop = anole_interrupted};
    return anole_measure_create(&session->measure, session->registry, session->device, &measure,
                                error);
}

static enum anole_status replay(struct session *session, struct anole_error *error)
{
    enum anole_status status = prepare(session, error);
    if (status == ANOLE_DONE)
        status = write_source(session, error);
    if (status == ANOLE_DONE)
        status = anole_measure_batch(session->measure, session->generator, &session->config, 1, NAN,
                                     take_result, session, error);
    if (status == ANOLE_DONE && session->arguments.json)
        status = print_json(session, error);
    else if (status == ANOLE_DONE)
        print_lines(session);
    return status == ANOLE_DONE ? judge(session, error) : status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session *session = calloc(1, sizeof *session);
    char **positional;
    size_t count;
    bool help = false;
    if (!session)
        return anole_fail_memory(error);
    enum anole_status status =
        anole_options_parse(&anole_cmd_replay, argc, argv, take, &session->arguments, &positional,
                            &count, &help, error);
    if (status == ANOLE_DONE && !help) {
        session->arguments.history = positional[0];
        status =
            anole_text_parse_u64(&session->arguments.id, positional[1], "ID", 0, UINT64_MAX, error);
        if (status == ANOLE_DONE)
            status = replay(session, error);
    }
    session_fini(session);
    free(session);
    return status;
}

const struct anole_command anole_cmd_replay = {
    .name = "replay-trial",
    .arguments = "HISTORY ID",
    .summary = "Make one trial of a history again, alone, and say what became of it",
    .details = print_details,
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
};
