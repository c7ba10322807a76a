/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "check/check.h"
#include "cli/cmd_plugin.h"
#include "cli/interrupt.h"

#include <stdio.h>

struct arguments {
    struct anole_check_options check;
    bool json;
};

enum { DEVICE, SAMPLES, SEED, LIMIT, JSON };

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "which of its devices (default: the first)"},
    [SAMPLES] = {"samples", "N", "configs to try of each task (default: 8)"},
    [SEED] = {"seed", "S", "for the choice of configs and data (default: 1)"},
    [LIMIT] = {"limit", "T", "how long a build or a run may take (default: 60s)"},
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
    case DEVICE:
        arguments->check.device = value;
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

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {.check = {.seed = 1, .told = tell, .stop = anole_interrupted}};
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_plugin_check, argc, argv, take,
                                                   &arguments, &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    arguments.check.context = &arguments;
    struct anole_check_report *report = NULL;
    status = anole_check_run(&report, positional[0], &arguments.check, error);
    if (status != ANOLE_DONE)
        return status;
    if (arguments.json)
        status = anole_command_print_json(report_json(report), error);
    else
        print_sum(report);
    if (status == ANOLE_DONE)
        status = anole_check_judge(report, error);
    anole_check_report_destroy(report);
    return status;
}

static void print_details(void)
{
    printf(
        "\nTests each clause of the contract between tuner and backend in a process of its own:\n"
        "a backend that crashes or hangs fails that clause.  PLUGINS.md explains each.\n");
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
