/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/table.h"
#include "tune/finalists.h"
#include "tune/tuner.h"
#include "tune/locked.h"
#include "devices/selection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SECONDS_A_TASK 2.0
/* A kernel counts as slower than the default if even the better end of the interval says so,
   by this much: of twenty intervals of 95 %, one is off by chance, and then by little. */
#define SLOWER_THAN_DEFAULT 0.98

struct arguments {
    const char *file, *device, *kernel;
    uint32_t precision; /* enum anole_dtype; 0: the only one, or the first */
    uint64_t tolerance; /* percent; UINT64_MAX: not asked for */
    bool json;
};

enum { DEVICE, PRECISION, KERNEL, TOLERANCE, JSON };

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "the device: see `anole devices`; not needed if there is but one"},
    [PRECISION] = {"precision", "P",
                   "fp32, fp16 or tf32, where FILE holds several (default: the first)"},
    [KERNEL] = {"kernel", "FILE", "the T1 file of a kernel, if it is elsewhere now"},
    [TOLERANCE] = {"tolerance", "P", "exit code 6 also if P percent slower than in FILE"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case DEVICE:
        arguments->device = value;
        break;
    case PRECISION:
        return anole_command_precision(&arguments->precision, value, error);
    case KERNEL:
        arguments->kernel = value;
        break;
    case TOLERANCE:
        return anole_text_parse_u64(&arguments->tolerance, value, "--tolerance", 0, 100000, error);
    case JSON:
        arguments->json = true;
        break;
    }
    return ANOLE_DONE;
}

/* What became of one entry of the lock file. */
struct check {
    const struct anole_lock_task *entry;
    struct anole_task task;
    struct anole_custom_kernel *custom; /* NULL: the task is a layer */
    char label[64];
    struct anole_result result, default_result;
    struct anole_tuner_final final;
    bool same_source; /* the kernel is the one that was tuned */
};

struct session {
    struct arguments arguments;
    struct anole_lockfile *lockfile;
    struct anole_registry *registry;
    const struct anole_registry_device *device;
    const struct anole_lock_device *locked;
    struct anole_measure *measure;
    struct check *checks; /* [locked->task_count] */
};

static void session_fini(struct session *session)
{
    anole_measure_destroy(session->measure);
    for (size_t i = 0; session->checks && i < session->locked->task_count; i++)
        anole_custom_destroy(session->checks[i].custom);
    free(session->checks);
    anole_registry_destroy(session->registry);
    anole_lockfile_destroy(session->lockfile);
}

static enum anole_status check_task(struct session *session, struct check *check,
                                    struct anole_error *error)
{
    const struct anole_backend *backend =
        session->registry->entries[session->device->backend].backend;
    struct anole_generator *generator = NULL;
    enum anole_status status =
        anole_lock_task_read(&check->task, &check->custom, check->entry, session->lockfile,
                             &session->device->device, error);
    if (status == ANOLE_DONE)
        status = anole_generator_create(&generator, backend, &session->device->device, &check->task,
                                        error);
    if (status != ANOLE_DONE) {
        anole_error_prefix(error, "%s", session->arguments.file);
        return status;
    }
    anole_task_label(check->label, sizeof check->label, &check->task);
    uint64_t config;
    status = anole_lock_task_config(&config, check->entry, anole_generator_space(generator), error);
    if (status == ANOLE_DONE)
        status =
            anole_finalists_compare(&check->final, &check->result, &check->default_result,
                                    session->measure, generator, config, SECONDS_A_TASK, error);
    check->same_source = check->final.source_hash == check->entry->source_hash;
    anole_generator_destroy(generator);
    return status;
}

/* ---------------------------------------------------------------- outputs */

static const char *verdict(const struct check *check)
{
    if (check->result.outcome != ANOLE_OUTCOME_OK)
        return anole_outcome_text(check->result.outcome);
    return check->same_source ? "right" : "right, but another kernel than was tuned";
}

static void print_check(struct anole_table *table, const struct check *check)
{
    char text[32];
    bool ok = check->result.outcome == ANOLE_OUTCOME_OK;
    anole_table_cell(table, "%s", check->label);
    anole_table_cell(table, "%s", verdict(check));
    if (isnan(check->result.error))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%.2g", check->result.error);
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, check->entry->value));
    anole_table_cell(table, "%s",
                     ok ? anole_text_seconds(text, sizeof text, check->final.value) : "-");
    if (ok && !isnan(check->final.speedup))
        anole_table_cell(table, "%.2fx [%.2f, %.2f]", check->final.speedup,
                         check->final.speedup_low, check->final.speedup_high);
    else
        anole_table_cell(table, "-");
}

static enum anole_status print_table(const struct session *session, struct anole_error *error)
{
    static const char *const titles[] = {
        "task", "result", ">error/tolerance", ">then", ">now", ">over the default [95 %]", NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < session->locked->task_count; i++)
        print_check(table, &session->checks[i]);
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    return status;
}

static enum anole_status print_json(const struct session *session, struct anole_error *error)
{
    json_t *tasks = json_array();
    double sum = 0.0;
    for (size_t i = 0; i < session->locked->task_count; i++) {
        const struct check *c = &session->checks[i];
        sum += c->entry->multiplicity * (c->final.found ? c->final.value : NAN);
        json_array_append_new(
            tasks,
            json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "task", c->entry->task,
                      "outcome", anole_outcome_text(c->result.outcome), "message",
                      c->result.message, "same_source", (int)c->same_source, "error",
                      anole_json_real(c->result.error), "seconds_then",
                      anole_json_real(c->entry->value), "seconds",
                      anole_json_real(c->final.found ? c->final.value : NAN), "speedup",
                      anole_json_real(c->final.found ? c->final.speedup : NAN), "speedup_low",
                      anole_json_real(c->final.found ? c->final.speedup_low : NAN), "speedup_high",
                      anole_json_real(c->final.found ? c->final.speedup_high : NAN)));
    }
    return anole_command_print_json(
        json_pack("{s:s, s:s, s:o, s:o}", "file", session->arguments.file, "device",
                  session->device->id, "network_seconds", anole_json_real(sum), "tasks", tasks),
        error);
}

/* --------------------------------------------------------------- verdict */

/* Wrong results weigh most, then failures, then slowness. */
static enum anole_status judge(const struct session *session, struct anole_error *error)
{
    const struct check *slow = NULL, *failed = NULL;
    enum anole_metric metric = session->locked->metric;
    double then = 0.0, now = 0.0;
    for (size_t i = 0; i < session->locked->task_count; i++) {
        const struct check *check = &session->checks[i];
        if (check->result.outcome == ANOLE_OUTCOME_WRONG_ANSWER)
            return anole_fail(error, ANOLE_ERR_WRONG_RESULT, "%s: %s", check->label,
                              check->result.message);
        if (check->result.outcome != ANOLE_OUTCOME_OK) {
            failed = check;
            continue;
        }
        if (check->final.speedup_high < SLOWER_THAN_DEFAULT)
            slow = check;
        then += check->entry->multiplicity * anole_metric_cost(metric, check->entry->value);
        now += check->entry->multiplicity * anole_metric_cost(metric, check->final.value);
    }
    if (failed)
        return anole_fail(error, ANOLE_ERR_NOTHING_VALID, "%s: %s: %s", failed->label,
                          anole_outcome_words(failed->result.outcome), failed->result.message);
    if (slow)
        return anole_fail(error, ANOLE_ERR_SLOWER,
                          "%s: slower than the default config (%.2fx [%.2f, %.2f]); tune again",
                          slow->label, slow->final.speedup, slow->final.speedup_low,
                          slow->final.speedup_high);
    if (session->arguments.tolerance != UINT64_MAX &&
        now > then * (1.0 + (double)session->arguments.tolerance / 100.0))
        return anole_fail(error, ANOLE_ERR_SLOWER,
                          "the network takes %.1f %% longer than in %s; expected at most %llu %%",
                          100.0 * (now / then - 1.0), session->arguments.file,
                          (unsigned long long)session->arguments.tolerance);
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- run */

static enum anole_status prepare(struct session *session, struct anole_error *error)
{
    enum anole_status status =
        anole_lockfile_load(&session->lockfile, session->arguments.file, error);
    if (status == ANOLE_DONE && session->arguments.kernel)
        status = anole_lockfile_set_path(session->lockfile, session->arguments.kernel, error);
    if (status == ANOLE_DONE)
        status = anole_registry_create(&session->registry, 0, error);
    if (status == ANOLE_DONE)
        status = anole_registry_find(&session->device, session->registry, session->arguments.device,
                                     error);
    if (status == ANOLE_DONE)
        status = anole_lockfile_find(&session->locked, session->lockfile, session->arguments.file,
                                     session->registry, session->device,
                                     session->arguments.precision, error);
    if (status != ANOLE_DONE)
        return status;
    struct anole_measure_options measure = {
        .threads = session->locked->threads,
        .seed = 2, /* other data than tuning uses by default */
        .stop = anole_interrupted,
    };
    size_t count = session->locked->task_count;
    session->checks = calloc(count ? count : 1, sizeof *session->checks);
    if (!session->checks)
        return anole_fail_memory(error);
    return anole_measure_create(&session->measure, session->registry, session->device, &measure,
                                error);
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session session = {.arguments = {.tolerance = UINT64_MAX}};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(
        &anole_cmd_verify, argc, argv, take, &session.arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    session.arguments.file = positional[0];
    status = prepare(&session, error);
    for (size_t i = 0; status == ANOLE_DONE && i < session.locked->task_count; i++) {
        session.checks[i].entry = &session.locked->tasks[i];
        status = check_task(&session, &session.checks[i], error);
    }
    if (status == ANOLE_DONE)
        status =
            session.arguments.json ? print_json(&session, error) : print_table(&session, error);
    if (status == ANOLE_DONE)
        status = judge(&session, error);
    session_fini(&session);
    return status;
}

const struct anole_command anole_cmd_verify = {
    .name = "verify",
    .arguments = "LOCKFILE",
    .summary = "Build and run what was found again: is it still right, still fast?",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
