/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/gate_junit.h"
#include "cli/gate_markdown.h"
#include "cli/gate_rows.h"
#include "cli/table.h"
#include "op/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE_PERCENT 5.0
#define MOST_PERCENT 1000.0

struct arguments {
    const char *network, *device, *baseline, *junit, *summary;
    uint32_t precision; /* enum anole_dtype; 0: the network's own */
    uint64_t threads;
    double tolerance; /* percent */
    double time;      /* seconds; 0: as the library has it */
    bool no_in_place, json;
};

enum {
    BASELINE,
    DEVICE,
    THREADS,
    PRECISION,
    TOLERANCE_OPTION,
    TIME,
    JUNIT,
    SUMMARY,
    NO_IN_PLACE,
    JSON,
};

static const struct anole_option options[] = {
    [BASELINE] = {"baseline", "FILE", "the lock file to hold NETWORK against"},
    [DEVICE] = {"device", "D", "the device: see `anole devices`; not needed if there is but one"},
    [THREADS] = {"threads", "N", "threads of a CPU device, as it was tuned with (default: all)"},
    [PRECISION] = {"precision", "P", "fp32, fp16 or tf32 (default: as NETWORK says, or fp32)"},
    [TOLERANCE_OPTION] = {"tolerance", "P", "how much slower is not yet slower (default 5%)"},
    [TIME] = {"time", "T", "how long to time each kernel in turn with its default (default 2s)"},
    [JUNIT] = {"junit", "FILE", "write the verdicts as a JUnit file, too"},
    [SUMMARY] = {"summary", "FILE", "write them as Markdown, too"},
    [NO_IN_PLACE] = {"no-in-place", NULL, "only task by task: do not run the network as a whole"},
    [JSON] = {"json", NULL, "print JSON to stdout instead of a table"},
    {0},
};

/* "5", "5%", "2.5 %". */
static enum anole_status parse_tolerance(double *percent, const char *text,
                                         struct anole_error *error)
{
    const size_t digits = strspn(text, "0123456789.");
    const char *tail = text + digits;
    char *end, found[64];
    const double value = strtod(text, &end);
    const bool number = digits > 0 && end == tail;
    tail += strspn(tail, " ");
    tail += *tail == '%';
    if (!number || *tail || !(value >= 0.0 && value <= MOST_PERCENT))
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "--tolerance: expected a percentage from 0 to %g, as 5%%, found '%s'",
                          MOST_PERCENT, anole_text_printable(found, sizeof found, text));
    *percent = value;
    return ANOLE_DONE;
}

static enum anole_status take(void *context, size_t index, const char *value,
                              struct anole_error *error)
{
    struct arguments *arguments = context;
    switch (index) {
    case BASELINE:
        arguments->baseline = value;
        break;
    case DEVICE:
        arguments->device = value;
        break;
    case THREADS:
        return anole_text_parse_u64(&arguments->threads, value, "--threads", 1, 4096, error);
    case PRECISION:
        return anole_command_precision(&arguments->precision, value, error);
    case TOLERANCE_OPTION:
        return parse_tolerance(&arguments->tolerance, value, error);
    case TIME:
        return anole_text_parse_duration(&arguments->time, value, error);
    case JUNIT:
        arguments->junit = value;
        break;
    case SUMMARY:
        arguments->summary = value;
        break;
    case NO_IN_PLACE:
        arguments->no_in_place = true;
        break;
    case JSON:
        arguments->json = true;
        break;
    }
    return ANOLE_DONE;
}

/* -------------------------------------------------------------------- tables */

static void print_ratio(struct anole_table *table, double ratio)
{
    if (isnan(ratio))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%.2fx", ratio);
}

static void print_row(struct anole_table *table, const struct anole_gate_row *row)
{
    char text[32];
    if (row->layer[0])
        anole_table_name(table, row->layer);
    else
        anole_table_cell(table, "-");
    anole_table_cell(table, "%s", row->label);
    anole_table_cell(table, "%s", anole_gate_verdict_text(row->verdict));
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, row->then_seconds));
    anole_table_cell(table, "%s", anole_text_seconds(text, sizeof text, row->seconds));
    print_ratio(table, row->speedup_then);
    if (isnan(row->speedup_low))
        print_ratio(table, row->speedup);
    else
        anole_table_cell(table, "%.2fx [%.2f, %.2f]", row->speedup, row->speedup_low,
                         row->speedup_high);
    if (anole_gate_row_is_default(row))
        anole_table_cell(table, "(default kept)");
    else if (isnan(row->change))
        anole_table_cell(table, "-");
    else
        anole_table_cell(table, "%+.1f %% [%+.1f, %+.1f]", 100.0 * (row->change - 1.0),
                         100.0 * (row->change_low - 1.0), 100.0 * (row->change_high - 1.0));
}

static void print_reasons(const struct anole_gate *gate)
{
    for (size_t i = 0; i < anole_gate_rows(gate); i++) {
        const struct anole_gate_row *row = anole_gate_row_at(gate, i);
        if (row->verdict != ANOLE_GATE_OK && row->reason[0])
            printf("%s%s%s: %s: %s\n", anole_command_shown(row->layer), row->layer[0] ? ": " : "",
                   anole_command_shown(row->label), anole_gate_verdict_text(row->verdict),
                   anole_command_shown(row->reason));
    }
}

/* What is no kernel's fault. */
static void print_machine(const struct anole_gate_info *info)
{
    if (isfinite(info->drift))
        printf("the machine: default kernels take %.2f times as long as when it was tuned; that "
               "does not count\n",
               info->drift);
    if (strcmp(info->driver, info->driver_then) != 0)
        printf("the driver: %s, and %s when it was tuned\n", anole_command_shown(info->driver),
               anole_command_shown(info->driver_then));
    if (info->unused > 0)
        printf("%zu tasks of %s are none of this network's\n", info->unused,
               anole_command_shown(info->baseline));
}

static enum anole_status print_table(const struct anole_gate *gate, struct anole_error *error)
{
    static const char *const titles[] = {"layer",       "task",           "verdict",
                                         ">then",       ">now",           ">over the default then",
                                         ">now [95 %]", ">change [95 %]", NULL};
    struct anole_table *table = NULL;
    enum anole_status status = anole_table_create(&table, titles, error);
    if (status != ANOLE_DONE)
        return status;
    for (size_t i = 0; i < anole_gate_rows(gate); i++)
        print_row(table, anole_gate_row_at(gate, i));
    status = anole_table_print(table, stdout, error);
    anole_table_destroy(table);
    if (status != ANOLE_DONE)
        return status;
    print_reasons(gate);
    print_machine(anole_gate_info(gate));
    return ANOLE_DONE;
}

/* ---------------------------------------------------------------------- JSON */

static json_t *row_json(const struct anole_gate_row *row)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"error", row->error},
        {"seconds_then", row->then_seconds},
        {"seconds", row->seconds},
        {"low", row->low},
        {"high", row->high},
        {"default_seconds_then", row->default_then_seconds},
        {"default_seconds", row->default_seconds},
        {"speedup_then", row->speedup_then},
        {"speedup", row->speedup},
        {"speedup_low", row->speedup_low},
        {"speedup_high", row->speedup_high},
        {"change", row->change},
        {"change_low", row->change_low},
        {"change_high", row->change_high},
    };
    char layer[4096], reason[ANOLE_ERROR_TEXT];
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "task", row->key, "label", row->label, "layer",
                  anole_text_printable(layer, sizeof layer, row->layer), "multiplicity",
                  (json_int_t)row->multiplicity, "verdict", anole_gate_verdict_text(row->verdict),
                  "reason", anole_text_printable(reason, sizeof reason, row->reason));
    for (size_t i = 0; json && i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(json, numbers[i].name, anole_json_real(numbers[i].value));
    return json;
}

static enum anole_status print_json(const struct anole_gate *gate, const char *verdict,
                                    struct anole_error *error)
{
    const struct anole_gate_info *info = anole_gate_info(gate);
    json_t *tasks = json_array();
    for (size_t i = 0; i < anole_gate_count(gate); i++)
        json_array_append_new(tasks, row_json(anole_gate_get(gate, i)));
    return anole_command_print_json(
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:o, s:I, s:I, s:o, s:o, s:o}",
                  "network", anole_command_shown(info->network), "device", info->device, "baseline",
                  anole_command_shown(info->baseline), "precision", info->precision, "driver",
                  anole_command_shown(info->driver), "driver_then",
                  anole_command_shown(info->driver_then), "verdict", verdict, "tolerance",
                  info->tolerance, "drift", anole_json_real(info->drift), "missing",
                  (json_int_t)info->missing, "unused", (json_int_t)info->unused, "sum",
                  row_json(anole_gate_sum(gate)), "in_place", row_json(anole_gate_whole(gate)),
                  "tasks", tasks),
        error);
}

/* --------------------------------------------------------------------- files */

/* What would be refused after the measurement is refused before it. */
static enum anole_status check_file(const struct arguments *arguments, const char *option,
                                    const char *path, const char *other, struct anole_error *error)
{
    const char *const taken[] = {arguments->network, arguments->baseline, other};
    if (!path)
        return ANOLE_DONE;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (taken[i] && anole_file_same(path, taken[i]))
            return anole_fail(error, ANOLE_ERR_USAGE,
                              "%s %s: expected a file of its own, found one that is named twice",
                              option, anole_command_shown(path));
    enum anole_status status = anole_file_check_replace(path, error);
    if (status != ANOLE_DONE)
        anole_error_prefix(error, "%s", option);
    return status;
}

static enum anole_status write_text(struct anole_text *text, const char *path,
                                    struct anole_error *error)
{
    enum anole_status status = text->failed
                                   ? anole_fail_memory(error)
                                   : anole_file_replace(path, text->data, text->length, error);
    anole_text_fini(text);
    return status;
}

static enum anole_status write_files(const struct arguments *arguments,
                                     const struct anole_gate *gate, const char *verdict,
                                     struct anole_error *error)
{
    struct anole_text junit = {0}, summary = {0};
    enum anole_status status = ANOLE_DONE;
    if (arguments->junit) {
        anole_gate_junit(&junit, gate);
        status = write_text(&junit, arguments->junit, error);
    }
    if (arguments->summary && status == ANOLE_DONE) {
        anole_gate_markdown(&summary, gate, verdict);
        status = write_text(&summary, arguments->summary, error);
    }
    return status;
}

/* Files of an earlier run are not to be taken for this one's. */
static void write_why_not(const struct arguments *arguments, const struct anole_error *why)
{
    struct anole_text junit = {0}, summary = {0};
    struct anole_error error = {0};
    enum anole_status status = ANOLE_DONE;
    if (arguments->junit) {
        anole_gate_junit_error(&junit, arguments->network, why->text);
        status = write_text(&junit, arguments->junit, &error);
    }
    if (arguments->summary && status == ANOLE_DONE) {
        anole_gate_markdown_error(&summary, arguments->network, why->text);
        status = write_text(&summary, arguments->summary, &error);
    }
    if (status != ANOLE_DONE)
        anole_log_warning("%s", error.text);
}

/* ----------------------------------------------------------------------- run */

struct session {
    struct arguments arguments;
    struct anole_context *context;
    struct anole_tuned *baseline;
    struct anole_devices *devices;
    const struct anole_device_info *device;
    struct anole_gate *gate;
};

static void session_fini(struct session *session)
{
    anole_gate_destroy(session->gate);
    anole_devices_destroy(session->devices);
    anole_tuned_destroy(session->baseline);
    anole_context_destroy(session->context);
}

static enum anole_status measure(struct session *session, struct anole_error *error)
{
    const struct arguments *arguments = &session->arguments;
    const struct anole_gate_options wanted = {
        .size = sizeof wanted,
        .precision = arguments->precision ? anole_precision_text(arguments->precision) : NULL,
        .tolerance = arguments->tolerance / 100.0,
        .no_in_place = arguments->no_in_place,
        .seconds = arguments->time,
    };
    enum anole_status status = anole_command_context(&session->context, error);
    if (status == ANOLE_DONE)
        status = anole_tuned_load(&session->baseline, session->context, arguments->baseline, error);
    if (status == ANOLE_DONE)
        status = anole_devices_list(&session->devices, session->context,
                                    (uint32_t)arguments->threads, error);
    if (status == ANOLE_DONE)
        status = anole_devices_find(&session->device, session->devices, arguments->device, error);
    if (status == ANOLE_DONE)
        status = anole_gate_run(&session->gate, session->baseline, arguments->network,
                                session->device, &wanted, error);
    return status;
}

static const char *verdict_text(enum anole_status status)
{
    return status == ANOLE_ERR_WRONG_RESULT    ? "wrong"
           : status == ANOLE_ERR_NOTHING_VALID ? "failed"
           : status == ANOLE_ERR_SLOWER        ? "slower"
                                               : "ok";
}

static enum anole_status check(struct session *session, struct anole_error *error)
{
    struct anole_error judged = {0};
    enum anole_status status = measure(session, error);
    if (status != ANOLE_DONE) {
        write_why_not(&session->arguments, error);
        return status;
    }
    const enum anole_status outcome = anole_gate_check(session->gate, &judged);
    const char *verdict = verdict_text(outcome);
    status = write_files(&session->arguments, session->gate, verdict, error);
    if (status == ANOLE_DONE)
        status = session->arguments.json ? print_json(session->gate, verdict, error)
                                         : print_table(session->gate, error);
    return status == ANOLE_DONE && outcome != ANOLE_DONE
               ? anole_fail(error, outcome, "%s", judged.text)
               : status;
}

static enum anole_status run(int argc, char **argv, struct anole_error *error)
{
    struct session session = {.arguments = {.tolerance = TOLERANCE_PERCENT}};
    struct arguments *arguments = &session.arguments;
    char **positional;
    size_t count;
    bool help;
    enum anole_status status = anole_options_parse(&anole_cmd_check, argc, argv, take, arguments,
                                                   &positional, &count, &help, error);
    if (status != ANOLE_DONE || help)
        return status;
    arguments->network = positional[0];
    if (!arguments->baseline)
        return anole_fail(error, ANOLE_ERR_USAGE,
                          "anole check: expected --baseline FILE, a lock file that `anole tune` "
                          "wrote; see `anole check --help`");
    status = check_file(arguments, "--junit", arguments->junit, arguments->summary, error);
    if (status == ANOLE_DONE)
        status = check_file(arguments, "--summary", arguments->summary, arguments->junit, error);
    if (status == ANOLE_DONE)
        status = check(&session, error);
    session_fini(&session);
    return status;
}

static void details(void)
{
    puts("\nA kernel is slower if, timed in turn with its default, it has lost more than the\n"
         "tolerance of the lead that it had when it was tuned.  What slows both down is the\n"
         "machine, and does not count.  Exit codes: 5 wrong, 4 failed, 6 slower.");
}

const struct anole_command anole_cmd_check = {
    .name = "check",
    .arguments = "NETWORK",
    .summary = "Hold a network against a lock file: right or wrong, faster or slower",
    .details = details,
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
