/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "check/check.h"
#include "cli/cmd_plugin.h"
#include "cli/device_file.h"
#include "cli/interrupt.h"
#include "devices/selection.h"
#include "frontend/load.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_CLAUSES 64

struct arguments {
    struct anole_check_options check;
    const char *clauses[MOST_CLAUSES];
    const char *network, *recorded, *record;
    bool json;
};

enum {
    CLAUSE,
    DEVICE,
    NETWORK,
    RECORDED,
    RECORD,
    SAMPLES,
    SEED,
    LIMIT,
    BUILD_LIMIT,
    RUN_LIMIT,
    JSON
};

static const struct anole_option options[] = {
    [CLAUSE] = {"clause", "NAME",
                "only this clause, and what it needs; may be given several times"},
    [DEVICE] = {"device", "D", "which of its devices (default: the first)"},
    [NETWORK] = {"network", "FILE", "try it on the layers of this network (default: small layers)"},
    [RECORDED] = {"recorded-device", "FILE",
                  "a device as --record-device wrote it down elsewhere: check what needs none"},
    [RECORD] = {"record-device", "FILE", "write the device's description into FILE; do not check"},
    [SAMPLES] = {"samples", "N",
                 "configs to try of each task (default: 8, or fewer where builds take long)"},
    [SEED] = {"seed", "S", "for the choice of configs and data (default: 1)"},
    [LIMIT] = {"limit", "T",
               "how long a build, a run or another step may take (default: as the device says, or\n"
               "60s)"},
    [BUILD_LIMIT] = {"build-limit", "T", "the same of builds alone"},
    [RUN_LIMIT] = {"run-limit", "T", "the same of runs alone"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of lines"},
    {0},
};

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    uint64_t number = 0;
    enum anole_status status = ANOLE_DONE;
    switch (index) {
    case CLAUSE:
        if (arguments->check.clause_count == MOST_CLAUSES)
            return anole_fail(error, ANOLE_ERR_USAGE, "--clause: expected at most %d of them",
                              MOST_CLAUSES);
        arguments->clauses[arguments->check.clause_count++] = value;
        break;
    case DEVICE:
        arguments->check.device = value;
        break;
    case NETWORK:
        arguments->network = value;
        break;
    case RECORDED:
        arguments->recorded = value;
        break;
    case RECORD:
        arguments->record = value;
        break;
    case SAMPLES:
        status = anole_text_parse_u64(&number, value, "--samples", 1, 100000, error);
        arguments->check.samples = (uint32_t)number;
        break;
    case SEED:
        status =
            anole_text_parse_u64(&arguments->check.seed, value, "--seed", 0, UINT64_MAX, error);
        break;
    case LIMIT:
        status = anole_text_parse_duration(&arguments->check.limit, value, error);
        break;
    case BUILD_LIMIT:
        status = anole_text_parse_duration(&arguments->check.build_limit, value, error);
        break;
    case RUN_LIMIT:
        status = anole_text_parse_duration(&arguments->check.run_limit, value, error);
        break;
    case JSON:
        arguments->json = true;
        break;
    }
    return status;
}

/* ---------------------------------------------------------------- outputs */

static void tell(void *context, const struct anole_clause_result *result)
{
    const struct arguments *arguments = context;
    if (arguments->json)
        return;
    printf("%-8s %-28s %s\n", anole_check_verdict_text(result->verdict), result->name,
           result->text);
    if (result->verdict == ANOLE_FAIL)
        printf("%-8s %-28s (expected: %s)\n", "", "", result->claim);
    fflush(stdout);
}

static void print_sum(const struct anole_check_report *report)
{
    printf("\n%s%s%s: %zu clauses hold, %zu do not, %zu were skipped\n",
           report->name[0] ? report->name : report->path, report->device[0] ? " on " : "",
           report->device, report->counts[ANOLE_PASS], report->counts[ANOLE_FAIL],
           report->counts[ANOLE_SKIPPED]);
}

static json_t *report_json(const struct anole_check_report *report)
{
    json_t *clauses = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct anole_clause_result *result = &report->results[i];
        if (!result->asked)
            continue;
        json_array_append_new(clauses, json_pack("{s:s, s:s, s:s, s:s}", "name", result->name,
                                                 "claim", result->claim, "verdict",
                                                 anole_check_verdict_text(result->verdict), "text",
                                                 result->text));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "path", report->path, "name",
                     report->name, "version", report->version, "device", report->device, "passed",
                     (json_int_t)report->counts[ANOLE_PASS], "failed",
                     (json_int_t)report->counts[ANOLE_FAIL], "skipped",
                     (json_int_t)report->counts[ANOLE_SKIPPED], "clauses", clauses);
}

/* -------------------------------------------------------------------- run */

/* The tasks of the network, [*count]: the caller's to free. */
static enum anole_status load_tasks(struct anole_task **tasks, size_t *count, const char *path,
                                    struct anole_error *error)
{
    struct anole_workload *workload = NULL;
    enum anole_status status = anole_workload_load(&workload, path, NULL, error);
    if (status != ANOLE_DONE)
        return status;
    *tasks = calloc(workload->task_count + 1, sizeof **tasks);
    for (size_t i = 0; *tasks && i < workload->task_count; i++)
        (*tasks)[i] = workload->tasks[i].task;
    *count = workload->task_count;
    anole_workload_destroy(workload);
    return *tasks ? ANOLE_DONE : anole_fail_memory(error);
}

static enum anole_status record(const struct arguments *arguments, const char *path,
                                struct anole_error *error)
{
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *found = NULL;
    enum anole_status status =
        anole_registry_create_file(&registry, path, arguments->check.threads, error);
    if (status == ANOLE_DONE && !arguments->check.device && registry->device_count > 0)
        found = &registry->devices[0];
    else if (status == ANOLE_DONE)
        status = anole_registry_find(&found, registry, arguments->check.device, error);
    if (status == ANOLE_DONE)
        status = anole_device_file_write(arguments->record, &found->device, error);
    anole_registry_destroy(registry);
    return status;
}

static enum anole_status check(struct arguments *arguments, const char *path,
                               struct anole_error *error)
{
    struct anole_check_report *report = NULL;
    enum anole_status status = anole_check_run(&report, path, &arguments->check, error);
    if (status != ANOLE_DONE)
        return status;
    if (arguments->json)
        status = anole_command_print_json(report_json(report), error);
    else
        print_sum(report);
    if (status == ANOLE_DONE)
        status = anole_check_judge(report, error);
    anole_check_report_destroy(report);
    return status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.check = {.seed = 1, .told = tell, .stop = anole_interrupted}};
    struct anole_device device;
    struct anole_task *tasks = NULL;
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_plugin_check, argc, argv, take,
                                                   &arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    if (arguments.recorded && (arguments.record || arguments.check.device))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--recorded-device goes with no --%s: it stands for the device",
                          arguments.record ? "record-device" : "device");
    if (arguments.record)
        return record(&arguments, positional[0], error);
    arguments.check.context = &arguments;
    arguments.check.clauses = arguments.clauses;
    if (arguments.recorded) {
        status = anole_device_file_read(&device, arguments.recorded, error);
        arguments.check.recorded = &device;
    }
    if (status == ANOLE_DONE && arguments.network) {
        status = load_tasks(&tasks, &arguments.check.task_count, arguments.network, error);
        arguments.check.tasks = tasks;
    }
    if (status == ANOLE_DONE)
        status = check(&arguments, positional[0], error);
    free(tasks);
    return status;
}

static void print_details(void)
{
    printf(
        "\nTests each clause of the contract between tuner and backend in a process of its own:\n"
        "a backend that crashes or hangs fails that clause.  PLUGINS.md explains each.\n"
        "Of a NETWORK, the first 64 kinds of layers are tried.\n");
}

const struct anole_command anole_cmd_plugin_check = {
    .name = "plugin check",
    .arguments = "FILE.so",
    .summary = "Hold a backend to its contract, clause by clause",
    .details = print_details,
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
