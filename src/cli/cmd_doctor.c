/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/command.h"
#include "cli/table.h"
#include "devices/diagnose_folder.h"
#include "devices/selection.h"
#include "measure/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *device, *history;
    uint64_t threads;
    bool json;
};

enum { DEVICE, HISTORY, THREADS, JSON };

static const struct anole_option options[] = {
    [DEVICE] = {"device", "D", "examine this device alone: see `anole devices`"},
    [HISTORY] = {"history", "FILE", "where a history is to be written (default: in this folder)"},
    [THREADS] = {"threads", "N", "threads of a CPU device (default: all cores)"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of lines"},
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
    case HISTORY:
        arguments->history = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&arguments->threads, value, "--threads", 1, 4096, error);
    case JSON:
        arguments->json = true;
        break;
    }
    return ANOLE_DONE;
}

static void print_details(void)
{
    printf("\nEach line is fine, a note (it works, less well than it could), a FAULT, or skipped;\n"
           "below a note or a fault stands what mends it.  Exit codes: 0 nothing is wrong, or\n"
           "notes alone; 3 there is no device to tune for; 2 another fault.\n");
}

/* ---------------------------------------------------------------- outputs */

static const char *const verdicts[] = {"fine", "note", "FAULT", "skipped"};

static void print_lines(const struct anole_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct anole_finding *finding = &findings->items[i];
        bool wrong =
            finding->verdict == ANOLE_VERDICT_FAULT || finding->verdict == ANOLE_VERDICT_NOTE;
        printf("%-7s  %s: %s: %s\n", verdicts[finding->verdict], finding->subject, finding->check,
               finding->found);
        if (wrong && finding->mend[0])
            printf("         mend it with: %s\n", finding->mend);
    }
    size_t faults = anole_findings_count(findings, ANOLE_VERDICT_FAULT);
    size_t notes = anole_findings_count(findings, ANOLE_VERDICT_NOTE);
    printf("%zu checks: %zu fault%s, %zu note%s\n", findings->count, faults, faults == 1 ? "" : "s",
           notes, notes == 1 ? "" : "s");
}

static enum anole_status print_json(const struct anole_findings *findings, size_t well,
                                    struct anole_error *error)
{
    json_t *checks = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct anole_finding *finding = &findings->items[i];
        const char *verdict =
            finding->verdict == ANOLE_VERDICT_FAULT ? "fault" : verdicts[finding->verdict];
        json_array_append_new(checks,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "subject", finding->subject,
                                        "check", finding->check, "verdict", verdict, "found",
                                        finding->found, "mend", finding->mend));
    }
    return anole_command_print_json(
        json_pack("{s:I, s:I, s:I, s:o}", "usable_devices", (json_int_t)well, "faults",
                  (json_int_t)anole_findings_count(findings, ANOLE_VERDICT_FAULT), "notes",
                  (json_int_t)anole_findings_count(findings, ANOLE_VERDICT_NOTE), "checks", checks),
        error);
}

/* -------------------------------------------------------------------- run */

static enum anole_status examine_folder(struct anole_findings *findings, const char *history,
                                        struct anole_error *error)
{
    const char *slash = history ? strrchr(history, '/') : NULL;
    char *folder = !slash             ? strdup(".")
                   : slash == history ? strdup("/")
                                      : strndup(history, (size_t)(slash - history));
    if (!folder)
        return anole_fail_memory(error);
    enum anole_status status = anole_diagnose_folder(findings, folder, error);
    free(folder);
    return status;
}

/* A small kernel built, run and checked, by the workers and in the folder that tuning uses. */
static enum anole_status try_kernel(struct anole_findings *findings, size_t *well,
                                    const struct anole_registry *registry,
                                    const struct anole_registry_device *device, uint32_t threads,
                                    struct anole_error *error)
{
    static const char check[] = "tuning's own kernel";
    const struct anole_measure_options terms = {.threads = threads, .build_workers = 1};
    struct anole_error problem = {.status = ANOLE_DONE};
    struct anole_measure *measure = NULL;
    char text[ANOLE_ERROR_TEXT / 2] = "";
    bool works = false;
    enum anole_status status = anole_measure_create(&measure, registry, device, &terms, &problem);
    if (status == ANOLE_ERR_SYSTEM) /* the folder for it: a finding of its own */
        return anole_findings_add(findings, device->id, check, ANOLE_VERDICT_SKIPPED, NULL, error,
                                  "there is no folder to make it in: see below");
    if (status == ANOLE_DONE)
        status = anole_control_try(measure, &works, text, sizeof text, &problem);
    anole_measure_destroy(measure);
    if (status == ANOLE_ERR_MEMORY)
        return anole_fail_memory(error);
    if (works && status == ANOLE_DONE)
        return anole_findings_add(findings, device->id, check,
                                  text[0] ? ANOLE_VERDICT_FINE : ANOLE_VERDICT_SKIPPED, NULL, error,
                                  text[0] ? "built, run, and right"
                                          : "the backend has no kernel for a dense layer");
    *well -= *well > 0;
    return anole_findings_add(findings, device->id, check, ANOLE_VERDICT_FAULT,
                              "what the reason says: room, limits, folders of the driver, or "
                              "another version of it",
                              error, "%s", status == ANOLE_DONE ? text : problem.text);
}

static enum anole_status try_kernels(struct anole_findings *findings, size_t *well,
                                     const struct anole_registry *registry,
                                     const struct anole_registry_device *only, uint32_t threads,
                                     struct anole_error *error)
{
    enum anole_status status = ANOLE_DONE;
    for (size_t i = 0; status == ANOLE_DONE && i < registry->device_count; i++)
        if (!only || only == &registry->devices[i])
            status = try_kernel(findings, well, registry, &registry->devices[i], threads, error);
    return status;
}

/* Without a registry nothing is known of devices: that is a finding, too. */
static enum anole_status examine(struct anole_findings *findings, size_t *well,
                                 const struct arguments *arguments, struct anole_error *error)
{
    struct anole_registry *registry = NULL;
    const struct anole_registry_device *only = NULL;
    struct anole_error problem = {.status = ANOLE_DONE};
    *well = 0;
    enum anole_status status =
        anole_registry_create(&registry, (uint32_t)arguments->threads, &problem);
    if (status != ANOLE_DONE) {
        status =
            anole_findings_add(findings, "anole-worker", "start", ANOLE_VERDICT_FAULT,
                               "make install, or ANOLE_WORKER=FILE", error, "%s", problem.text);
    } else {
        status = anole_findings_add(findings, "anole-worker", "start", ANOLE_VERDICT_FINE, NULL,
                                    error, "worker processes start");
        if (status == ANOLE_DONE && arguments->device)
            status = anole_registry_find(&only, registry, arguments->device, error);
        if (status == ANOLE_DONE)
            status = anole_diagnose_backends(findings, well, registry, only,
                                             (uint32_t)arguments->threads, error);
        if (status == ANOLE_DONE)
            status =
                try_kernels(findings, well, registry, only, (uint32_t)arguments->threads, error);
    }
    anole_registry_destroy(registry);
    if (status == ANOLE_DONE)
        status = anole_diagnose_scratch(findings, error);
    if (status == ANOLE_DONE)
        status = anole_diagnose_cache(findings, error);
    return status == ANOLE_DONE ? examine_folder(findings, arguments->history, error) : status;
}

static enum anole_status judge(const struct anole_findings *findings, size_t well,
                               struct anole_error *error)
{
    size_t faults = anole_findings_count(findings, ANOLE_VERDICT_FAULT);
    if (well == 0)
        return anole_fail(error, ANOLE_ERR_NO_DEVICE,
                          "there is no device to tune for, or none that works: see above");
    if (faults > 0)
        return anole_fail(error, ANOLE_ERR_INPUT, "%zu of %zu checks found a fault: see above",
                          faults, findings->count);
    return ANOLE_DONE;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct arguments arguments = {0};
    struct anole_findings findings = {.items = NULL};
    char **positional;
    size_t count, well;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_doctor, argc, argv, take, &arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    status = examine(&findings, &well, &arguments, error);
    if (status == ANOLE_DONE && arguments.json)
        status = print_json(&findings, well, error);
    else if (status == ANOLE_DONE)
        print_lines(&findings);
    if (status == ANOLE_DONE)
        status = judge(&findings, well, error);
    anole_findings_fini(&findings);
    return status;
}

const struct anole_command anole_cmd_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "Examine all that tuning depends on, and say what mends what is wrong",
    .details = print_details,
    .options = options,
    .run = run,
};
